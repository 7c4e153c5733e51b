-- Every part has the same share of malignant tumours, within one tumour, and none is empty.
with

parts as (
    select
        part,
        count(*) as n,
        count(*) filter (diagnosis = 'malignant') as malignant,
        (select count(*) filter (diagnosis = 'malignant') / count(*) from classification.tumours) as share,
    from classification.tumours
    group by part
)

select * from parts
where abs(malignant - n * share) > 1 or (select count(*) from parts) <> 3
