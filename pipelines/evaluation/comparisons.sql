-- Is the one forecast better than the other, or was it luck?
--
-- Three tests of three questions, all on the same penguins. McNemar: of the penguins that one forecast alone judges
-- right, is it as often the one as the other? DeLong: do they rank alike well? Paired t: do they lose as much, penguin
-- by penguin, by log loss? Beside them what one must not do: the z test of two shares, which takes the two
-- columns for two samples of strangers.
-- Notice: bill and body cannot be told apart by any of them, however different single penguins are. Against the thumb every
-- test is sure. A large p is no proof that two models are alike: the interval says how different they may be.
-- The limit: with many metrics and many models some pair differs at 0.05. Choose the question first.
with

comparisons as (
    {% for a, b in [("by_bill", "by_body"), ("by_body", "thumb")] %}
    select
        '{{ a }}' as method_a,
        '{{ b }}' as method_b,
        'who is right more often?' as question,
        'McNemar' as test,
        estimate,
        ci_lower,
        ci_upper,
        p_value,
        n,
    from ml.compare_accuracy(
        'evaluation.forecasts_wide', 'is_male', '{{ a }}_says_male', '{{ b }}_says_male',
        confidence_level := {{ confidence_level }}
    )
    union all
    select '{{ a }}', '{{ b }}', 'who ranks better?', 'DeLong', estimate, ci_lower, ci_upper, p_value, n
    from ml.delong_test(
        'evaluation.forecasts_wide', 'is_male', '{{ a }}', '{{ b }}', confidence_level := {{ confidence_level }}
    )
    union all
    select
        '{{ a }}', '{{ b }}', 'whose probabilities lose less?', 'paired t of log loss',
        estimate, ci_lower, ci_upper, p_value, n
    from ml.compare_models(
        'evaluation.forecasts_wide', 'is_male', '{{ a }}', '{{ b }}', loss := 'log_loss',
        confidence_level := {{ confidence_level }}
    )
    union all
    select
        '{{ a }}', '{{ b }}', 'who is right more often?', 'z of shares, wrong here',
        z.estimate, z.ci_lower, z.ci_upper, z.p_value, z.n
    from (
        select ml.proportion_test_ind(
            (probability >= 5e-1) = is_male, method = '{{ a }}', confidence_level := {{ confidence_level }}
        ) as z
        from evaluation.forecasts
        where method in ('{{ a }}', '{{ b }}')
    )
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from comparisons
order by method_a, question, test
