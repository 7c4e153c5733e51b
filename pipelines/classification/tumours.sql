-- Which rows may be used for what?
--
-- Every tumour belongs to one part: training, from which models learn; calibration, on which probabilities are
-- corrected and thresholds chosen; and test, which nothing sees before it is judged. Each class is split by
-- itself, so that the parts have the same share of malignant tumours: a stratified split.
-- Notice: the part is a column, made from a number of the row and a seed. Everyone who has the file can
-- see which rows were held out, and the same rows stay held out when rows are added.
-- The limit: rows are split as if independent. With two images of one patient, split the patients.
with

ordered as (
    select
        *,
        (row_number() over (partition by diagnosis order by ml.random_uniform({{ seed }}, sample_id)) - 5e-1)
            / count(*) over (partition by diagnosis) as place,
    from breast_cancer
),

tumours as (
    select
        * exclude (place),
        case
            when place < {{ test_share }} then 'test'
            when place < {{ test_share }} + {{ calibration_share }} then 'calibration'
            else 'training'
        end as part,
    from ordered
)

select * from tumours
order by sample_id
