-- All tests of the chapter in one table.
--
-- Tests share their fields, so that they can be UNIONed: what was asked, by which method, the statistic,
-- the p-value (and its decimal logarithm, for those too small for a DOUBLE), the estimate with its
-- interval, the effect size, and of how many observations. NULL where a test has no such number.
-- Notice: order it by p_value, then by effect_size: two orders, of two kinds of news.
-- The limit: effect sizes of different methods (Cohen's d, eta squared, Cramér's V, correlations) are on
-- different scales.
with

tests as (
    {% for step in [
        "mean_tests", "carrier_tests", "share_tests", "count_tests", "anova_tests", "anova_pairs", "rank_tests",
        "correlation_tests", "normality_tests", "resampling_tests", "many_tests",
    ] %}
    select
        '{{ step }}' as step,
        columns(lambda name: name in (
            'question', 'method', 'statistic', 'df', 'df_between', 'df_within', 'p_value', 'log10_p_value', 'estimate',
            'ci_lower', 'ci_upper', 'effect_size', 'n'
        )),
    from hypothesis_tests.{{ step }}
    {{ "union all by name" if not loop.last }}
    {% endfor %}
)

select
    step,
    question,
    method,
    statistic,
    df,
    df_between,
    df_within,
    p_value,
    log10_p_value,
    estimate,
    ci_lower,
    ci_upper,
    effect_size,
    n,
from tests
order by step, question, method
