-- How depressed were nine patients at their first visit, and how at the second, after a tranquilizer?
--
-- One row per patient (Hollander & Wolfe 1973, page 29), for tests of pairs want a pair in a row.
-- Notice: the table has a row per patient and visit; max() filter () puts two of them side by side.
-- The limit: nobody was left without a tranquilizer, so whatever else changed in between counts too.
select
    patient,
    max(depression_scale) filter (visit = 'first') as first_visit,
    max(depression_scale) filter (visit = 'second') as second_visit,
from textbook.depression
group by patient
order by patient
