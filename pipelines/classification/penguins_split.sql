-- The penguins that were measured, each in one part, as the tumours are: training or test.
with

ordered as (
    select
        row_number() over (
            order by species, year, island, bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g
        ) as penguin_id,
        *,
    from penguins
    where bill_length_mm is not null
),

penguins_split as (
    select
        penguin_id,
        species,
        island,
        bill_length_mm,
        bill_depth_mm,
        flipper_length_mm,
        body_mass_g,
        (row_number() over (partition by species order by ml.random_uniform({{ seed }}, penguin_id)) - 5e-1)
            / count(*) over (partition by species) < {{ test_share }} as is_test,
    from ordered
)

select * from penguins_split
order by penguin_id
