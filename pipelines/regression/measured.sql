-- Which rows may be used for what?
--
-- The penguins of known sex, each in one part: training, calibration (whose errors make intervals) and test. Each
-- species is split by itself. The z columns are measurements less their mean, per standard deviation, both of the
-- training part alone: a mean over all rows would tell the training something of the test.
-- Notice: penguin_id numbers the rows by what they hold, so that the split does not depend on their order.
-- The limit: 344 penguins, 11 of unknown sex left out. If sex is harder to tell in light ones, the rest are no
-- fair sample.
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

placed as (
    select
        *,
        (row_number() over (partition by species order by ml.random_uniform({{ seed }}, penguin_id)) - 5e-1)
            / count(*) over (partition by species) as place,
        case
            when place < {{ test_share }} then 'test'
            when place < {{ test_share }} + {{ calibration_share }} then 'calibration'
            else 'training'
        end as part,
    from numbered
),

measured as (
    select
        * exclude (place),
        {% for name in ["bill_length_mm", "bill_depth_mm", "flipper_length_mm"] %}
        ({{ name }} - avg({{ name }}) filter (part = 'training') over ())
            / stddev_samp({{ name }}) filter (part = 'training') over () as {{ name.replace("_mm", "_z") }},
        {% endfor %}
    from placed
)

select * from measured
order by penguin_id
