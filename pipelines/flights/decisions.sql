-- For which flights is it worth preparing for a late arrival?
--
-- Preparing costs cost_of_acting a flight, late or not, and saves cost_of_missing if it is late.
-- The flights are put in twenty groups of equal size by score. By the model, acting pays where the
-- chance of lateness is above the ratio of the two costs: decision. What it would really have cost
-- to act on a group and all above it, and to wait with the rest, is total_cost_at_threshold.
with

costs as (
    select
        {{ cost_of_acting }}::double as cost_of_acting,
        {{ cost_of_missing }}::double as cost_of_missing,
),

judged as (
    select
        *,
        ntile(20) over (order by probability desc, flight_id) as score_group,
    from flights.scores
    where is_late is not null
),

groups as (
    select
        score_group,
        min(probability) as threshold,
        count(*) as flights,
        avg(probability) as mean_probability,
        avg(is_late::int) as late_share,
        count(*) filter (is_late) as late,
        count(*) * any_value(cost_of_acting) as expected_cost_acting,
        sum(probability) * any_value(cost_of_missing) as expected_cost_waiting,
        late * any_value(cost_of_missing) as cost_waiting,
    from judged
    cross join costs
    group by score_group
),

thresholds as (
    select
        *,
        if(expected_cost_acting < expected_cost_waiting, 'act', 'wait') as decision,
        coalesce(sum(expected_cost_acting) over so_far, 0)
            + coalesce(sum(cost_waiting) over the_rest, 0) as total_cost_at_threshold,
    from groups
    window
        so_far as (
            order by score_group rows between unbounded preceding and current row
        ),
        the_rest as (
            order by score_group rows between 1 following and unbounded following
        )
),

decisions as (
    select
        *,
        total_cost_at_threshold = min(total_cost_at_threshold) over () as is_best_threshold,
    from thresholds
)

select * from decisions
order by score_group
