-- How well the scores of the held-out months rank and price lateness, beside the base rates.
--
-- roc_auc is the chance that a late flight scores above one that is not, ties counting half: the
-- Mann-Whitney statistic from mid-ranks. log_loss is in nats per flight, brier_score a mean square.
with

judged as (
    select 'late_arrival' as method, probability, is_late,
    from flights.scores
    where is_late is not null
    union all
    select 'carrier and hour', base_rate, is_late,
    from flights.scores
    where is_late is not null
),

ranked as (
    select
        *,
        rank() over (partition by method order by probability)
            + (count(*) over (partition by method, probability) - 1) / 2 as mid_rank,
        -- a float may round to 0 or 1, and the logarithm of 0 would decide the whole mean
        least(greatest(probability, 1e-15), 1 - 1e-15) as bounded,
    from judged
),

evaluation as (
    select
        method,
        count(*) as flights,
        count(*) filter (is_late) as late,
        (sum(mid_rank) filter (is_late) - late * (late + 1) / 2)
            / nullif(late * (flights - late), 0) as roc_auc,
        -avg(ln(if(is_late, bounded, 1 - bounded))) as log_loss,
        avg((probability - is_late::int) ** 2) as brier_score,
    from ranked
    group by method
)

select * from evaluation
order by roc_auc desc
