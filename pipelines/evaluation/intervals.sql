-- How far would a metric be off, had other penguins been caught?
--
-- The bootstrap draws the test rows again, n_resamples times, and takes the metric of each draw. For two metrics there is a
-- formula to hold it against: Wilson's interval of a share for the accuracy, DeLong's for the area under the ROC curve.
-- Notice: the accuracy of 165 penguins is known to within five points or so. The bootstrap and the formulas nearly agree; where
-- there is no formula, as for the F-score, the bootstrap still works.
-- The limit: the models are held fixed. How much another training half would change them is not in these intervals.
with

bootstrap as (
    {% for method in ["by_bill", "by_body"] %}
    {% for metric, sql in [
        ("accuracy", "ml.accuracy(is_male, probability >= 5e-1)"),
        ("F-score", "ml.f_score(is_male, probability >= 5e-1)"),
        ("ROC AUC", "ml.roc_auc_score(is_male, probability)"),
        ("Brier score", "ml.brier_score(is_male, probability)")
    ] %}
    select '{{ method }}' as method, '{{ metric }}' as metric, 'bootstrap' as interval, estimate, ci_lower, ci_upper, n
    from ml.bootstrap_metric(
        '(select is_male, probability from evaluation.forecasts where method = ''{{ method }}'')', '{{ sql }}',
        n_resamples := {{ n_resamples }}, seed := {{ seed }}, confidence_level := {{ confidence_level }}
    )
    union all
    {% endfor %}
    select '{{ method }}', 'ROC AUC', 'DeLong', roc_auc, ci_lower, ci_upper, n_positives + n_negatives
    from ml.roc_auc(
        '(from evaluation.forecasts where method = ''{{ method }}'')', 'is_male', 'probability',
        confidence_level := {{ confidence_level }}
    )
    union all
    {% endfor %}
    select method, 'accuracy', 'Wilson', hits / n, wilson.ci_lower, wilson.ci_upper, n
    from (
        select
            method,
            count(*) filter ((probability >= 5e-1) = is_male) as hits,
            count(*) as n,
            ml.proportion_interval(hits, n, confidence_level := {{ confidence_level }}) as wilson,
        from evaluation.forecasts
        where method in ('by_bill', 'by_body')
        group by method
    )
)

select * from bootstrap
order by metric, method, interval
