-- At which probability should one act, and what does it cost?
--
-- Missing a malignant tumour costs cost_of_missing, a false alarm cost_of_alarm. Four thresholds, each judged on
-- the test rows: 0.5; the ratio cost_of_alarm / (cost_of_alarm + cost_of_missing), right if the probabilities are;
-- the one that cost least on the calibration rows; and the best on the test rows themselves, which nobody can know
-- beforehand.
-- Notice: at 0.5 the costs are ignored. The ratio needs no data, only good probabilities.
-- The limit: a threshold chosen on a hundred rows depends on two or three of them.
with

thresholds as (
    select 'one half' as rule, 5e-1 as threshold
    union all
    select
        'ratio of the costs',
        {{ cost_of_alarm }}::double / nullif({{ cost_of_alarm }}::double + {{ cost_of_missing }}::double, 0),
    union all
    {% for rule, part in [("least cost on calibration rows", "calibration"), ("least cost in hindsight", "test")] %}
    select '{{ rule }}', threshold
    from ml.threshold_by_cost(
        '(from classification.tumour_scores where model = ''malignant'' and part = ''{{ part }}'')',
        'is_malignant', 'probability',
        cost_false_positive := {{ cost_of_alarm }}, cost_false_negative := {{ cost_of_missing }}
    )
    where is_best
    {{ "union all" if not loop.last }}
    {% endfor %}
),

counts as (
    select
        rule,
        threshold,
        count(*) filter (probability >= threshold and not is_malignant) as false_alarms,
        count(*) filter (probability < threshold and is_malignant) as missed,
        count(*) as n,
    from thresholds
    cross join classification.tumour_scores
    where model = 'malignant' and part = 'test'
    group by rule, threshold
),

threshold_costs as (
    select
        rule,
        threshold,
        false_alarms,
        missed,
        false_alarms * {{ cost_of_alarm }}::double + missed * {{ cost_of_missing }}::double as total_cost,
        total_cost / n as cost_per_tumour,
        n,
    from counts
)

select * from threshold_costs
order by total_cost, rule
