-- A late departure as a test for a late arrival: what does Bayes' theorem say, and is it so?
--
-- Sensitivity P(left late | late) and specificity P(left on time | not late) come from the other
-- conditional probabilities; the theorem turns them round. The direct count is beside it.
-- Notice: posterior_positive equals the share counted to the last digits. The theorem adds no
-- knowledge; it reads the same table by its other margin.
with

rates as (
    select
        avg(is_late::int) as prior,
        avg(left_late::int) filter (is_late) as sensitivity,
        avg((not left_late)::int) filter (not is_late) as specificity,
        avg(is_late::int) filter (left_late) as counted_positive,
        avg(is_late::int) filter (not left_late) as counted_negative,
    from probability.departures
),

departure_as_test as (
    select *, unnest(ml.bayes(prior, sensitivity, specificity))
    from rates
)

select * from departure_as_test
