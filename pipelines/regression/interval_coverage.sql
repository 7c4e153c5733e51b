-- Do prediction intervals hold the weight of a new penguin as often as they say?
--
-- Two kinds, on the test rows. normal: the prediction plus and minus a multiple of the standard deviation of the residuals,
-- right if errors are normal and vary alike. conformal: as wide as the errors on the calibration rows say, whatever
-- the errors are. held of n penguins lie inside; lowest to highest is where coverage should be, but for one run in a
-- thousand: a binomial band, widened because calibration rows are a sample too.
-- Notice: both keep their word, and both have about the same width.
-- The limit: on average over penguins. Nothing promises 90 % of each species.
with

intervals as (
    {% for level in ["0.5", "0.8", "0.9", "0.95"] %}
    select
        'conformal' as method,
        {{ level }} as confidence_level,
        body_mass_g between prediction_interval_lower_bound and prediction_interval_upper_bound as is_inside,
        prediction_interval_upper_bound - prediction_interval_lower_bound as width,
    from ml.conformal(
        'body_mass', '(from regression.measured where part = ''test'')', confidence_level := {{ level }}
    )
    union all
    select
        'normal',
        {{ level }},
        body_mass_g between prediction_lower and prediction_upper,
        prediction_upper - prediction_lower,
    from ml.prediction_intervals(
        'body_mass', '(from regression.measured where part = ''test'')', confidence_level := {{ level }}
    )
    {{ "union all" if not loop.last }}
    {% endfor %}
),

counts as (
    select
        method,
        confidence_level::double as confidence_level,
        count(*) filter (is_inside) as held,
        count(*) as n,
        avg(width) as mean_width_g,
    from intervals
    group by method, confidence_level
),

bands as (
    select
        *,
        ml.normal_quantile(0.9995) * sqrt(
            confidence_level * (1 - confidence_level) * (1 / n + 1 / (n_calibration + 2))
        ) as margin,
    from counts
    cross join (select count(*) as n_calibration from regression.measured where part = 'calibration')
),

interval_coverage as (
    select
        method,
        confidence_level,
        held / n as coverage,
        confidence_level - margin as lowest,
        least(confidence_level + margin, 1) as highest,
        mean_width_g,
        held,
        n,
    from bands
)

select * from interval_coverage
order by method, confidence_level
