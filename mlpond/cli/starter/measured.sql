-- Penguins whose sex was determined; the same ones are held out in every run.
select
    *,
    row_number() over (order by species, sex, body_mass_g, bill_length_mm)
        % {{ held_out_one_in }} = 0 as is_held_out,
from penguins
where sex is not null
