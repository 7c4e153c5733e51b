-- Penguins of known sex, half of each species and sex for training, half to judge.
with

numbered as (
    select
        row_number() over (
            order by species, year, island, sex, bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g
        ) as penguin_id,
        *,
    from penguins
    where sex is not null
),

penguins_split as (
    select
        *,
        row_number() over (partition by species, sex order by ml.random_uniform({{ seed }}, penguin_id))
            <= count(*) over (partition by species, sex) / 2 as is_test,
    from numbered
)

select * from penguins_split
order by penguin_id
