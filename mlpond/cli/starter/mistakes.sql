-- Where the model errs: by species, how many of how many.
-- materialize: view
select
    species,
    count(*) as penguins,
    count(*) filter (not is_right) as mistakes,
from __pipeline__.judged
group by species
order by species
