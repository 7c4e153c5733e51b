-- Every row that was kept from training has a probability from every model, and it lies in [0, 1].
with

models as (select count(distinct model) as n from classification.tumour_scores),

scored as (
    select sample_id, count(scores.probability) as n_scores
    from classification.tumours
    left join classification.tumour_scores as scores using (sample_id)
    where tumours.part <> 'training'
    group by sample_id
)

select sample_id::varchar as row, n_scores::double as value from scored
where n_scores <> (select n from models)
union all
select model || ' ' || sample_id, probability from classification.tumour_scores
where not probability between 0 and 1
