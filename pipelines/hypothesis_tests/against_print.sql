-- Are these the numbers that are in print?
--
-- Every printed number beside the one found. It agrees if it lies within half a unit of the last printed
-- digit, or within 1e-13 of its size: NIST prints 15 digits, and a sum of doubles loses one or two of 16.
-- Notice: R prints 6.408309 for the odds ratio of the tea, whose root is 6.40831966: R stops its search
-- early, so only 6.4083 is held against it. What R prints comes from its help pages: t.test (sleep),
-- chisq.test, fisher.test, mantelhaen.test, wilcox.test, kruskal.test, friedman.test and others.
-- The limit: intervals in print are of 95 %, and are left out if confidence_level is another. The
-- signs are those of print, and the question says which is less which.
with

printed as (
    select * from (values
        ('sleep: dextro less laevo', 't, paired', 'statistic', '-4.0621', 'R: t.test(extra ~ group, sleep, paired)'),
        ('sleep: dextro less laevo', 't, paired', 'p_value', '0.002833', 'R: the same'),
        ('sleep: dextro less laevo', 't, paired', 'estimate', '-1.58', 'Student (1908)'),
        ('sleep: dextro less laevo', 't, paired', 'ci_lower', '-2.4598858', 'R: the same'),
        ('sleep: dextro less laevo', 't, paired', 'ci_upper', '-0.7001142', 'R: the same'),
        ('sleep: dextro less laevo', 't, Welch', 'statistic', '-1.8608', 'R: t.test(extra ~ group, sleep)'),
        ('sleep: dextro less laevo', 't, Welch', 'df', '17.776', 'R: the same'),
        ('sleep: dextro less laevo', 't, Welch', 'p_value', '0.07939', 'R: the same'),
        ('sleep: dextro less laevo', 't, Welch', 'ci_lower', '-3.3654832', 'R: the same'),
        ('sleep: dextro less laevo', 't, Welch', 'ci_upper', '0.2054832', 'R: the same'),
        ('sleep: dextro less laevo', 't, pooled', 'p_value', '0.07919', 'R: with var.equal'),
        ('sleep: dextro less laevo', 't, pooled', 'ci_lower', '-3.363874', 'R: with var.equal'),
        ('sleep: dextro less laevo', 't, pooled', 'ci_upper', '0.203874', 'R: with var.equal'),
        ('teeth: orange juice less vitamin C', 't, Welch', 'statistic', '1.9153', 'R: t.test(len ~ supp, ToothGrowth)'),
        ('teeth: orange juice less vitamin C', 't, Welch', 'df', '55.309', 'R: the same'),
        ('teeth: orange juice less vitamin C', 't, Welch', 'p_value', '0.06063', 'R: the same'),
        ('Mendel: dominant in 3 of 4 peas?', 'z of a share', 'estimate', '0.7372973', 'R: binom.test'),
        ('Berkeley: odds of admission, men by women, departments held fixed', 'Cochran-Mantel-Haenszel', 'statistic', '1.4269', 'R: mantelhaen.test(UCBAdmissions)'),
        ('Berkeley: odds of admission, men by women, departments held fixed', 'Cochran-Mantel-Haenszel', 'p_value', '0.2323', 'R: the same'),
        ('Berkeley: odds of admission, men by women, departments held fixed', 'Cochran-Mantel-Haenszel', 'estimate', '0.9046968', 'R: the same'),
        ('Berkeley: odds of admission, men by women, departments held fixed', 'Cochran-Mantel-Haenszel', 'ci_lower', '0.7719074', 'R: the same'),
        ('Berkeley: odds of admission, men by women, departments held fixed', 'Cochran-Mantel-Haenszel', 'ci_upper', '1.0603298', 'R: the same'),
        ('party: does it depend on gender?', 'chi-square, pearson', 'statistic', '30.07', 'Agresti (2007), page 38; R: chisq.test'),
        ('party: does it depend on gender?', 'chi-square, pearson', 'p_value', '2.954e-07', 'R: chisq.test'),
        ('tea: can she tell?', 'Fisher, two-sided', 'p_value', '0.4857', 'Agresti (2002), page 92'),
        ('tea: can she tell?', 'Fisher, greater', 'p_value', '0.2429', 'R: fisher.test(TeaTasting)'),
        ('tea: can she tell?', 'Fisher, greater', 'estimate', '6.4083', 'R: the same, which prints 6.408309'),
        ('tea: can she tell?', 'Fisher, greater', 'ci_lower', '0.3136', 'R: the same, which prints 0.3135693'),
        ('approval: did it change?', 'McNemar, plain', 'statistic', '17.36', 'Agresti (2002), section 10.1'),
        ('approval: did it change?', 'McNemar, plain', 'estimate', '0.04', 'Agresti (2002): of disapproval'),
        ('approval: did it change?', 'McNemar, plain', 'ci_lower', '0.02', 'Agresti (2002)'),
        ('approval: did it change?', 'McNemar, plain', 'ci_upper', '0.06', 'Agresti (2002)'),
        ('plants: does the treatment change the weight?', 'anova', 'statistic', '4.846', 'R: anova(lm(weight ~ group, PlantGrowth))'),
        ('plants: does the treatment change the weight?', 'anova', 'p_value', '0.01591', 'R: the same'),
        ('plants: does the treatment change the weight?', 'anova, Welch', 'statistic', '5.181', 'R: oneway.test'),
        ('plants: does the treatment change the weight?', 'anova, Welch', 'p_value', '0.01739', 'R: oneway.test'),
        ('plants: does the treatment change the weight?', 'Kruskal-Wallis', 'statistic', '7.9882', 'R: kruskal.test'),
        ('plants: does the treatment change the weight?', 'Kruskal-Wallis', 'p_value', '0.01842', 'R: kruskal.test'),
        ('plants: trt1 less ctrl', 'Tukey', 'p_value', '0.3908711', 'R: TukeyHSD'),
        ('plants: trt2 less ctrl', 'Tukey', 'p_value', '0.1979960', 'R: TukeyHSD'),
        ('plants: trt2 less trt1', 'Tukey', 'p_value', '0.0120064', 'R: TukeyHSD'),
        ('plants: trt2 less trt1', 'Tukey', 'estimate', '0.865', 'R: TukeyHSD'),
        ('plants: trt2 less trt1', 'Tukey', 'ci_lower', '0.1737839', 'R: TukeyHSD'),
        ('plants: trt2 less trt1', 'Tukey', 'ci_upper', '1.5562161', 'R: TukeyHSD'),
        ('sprays: do they leave as many insects?', 'Bartlett', 'statistic', '25.96', 'R: bartlett.test(count ~ spray)'),
        ('sprays: do they leave as many insects?', 'Bartlett', 'p_value', '9.085e-05', 'R: the same'),
        ('sprays: do they leave as many insects?', 'Fligner', 'statistic', '14.483', 'R: fligner.test'),
        ('sprays: do they leave as many insects?', 'Fligner', 'p_value', '0.01282', 'R: fligner.test'),
        ('sprays: do they leave as many insects?', 'anova, Welch', 'statistic', '36.065', 'R: oneway.test'),
        ('sprays: do they leave as many insects?', 'anova, Welch', 'p_value', '7.999e-12', 'R: oneway.test'),
        ('sprays: do they leave as many insects?', 'Kruskal-Wallis', 'statistic', '54.691', 'R: kruskal.test'),
        ('sprays: do they leave as many insects?', 'Kruskal-Wallis', 'p_value', '1.511e-10', 'R: kruskal.test'),
        ('teeth: does the supplement matter?', 'anova, two-way', 'statistic', '15.572', 'R: aov(len ~ supp * dose)'),
        ('teeth: does the dose matter?', 'anova, two-way', 'statistic', '92.000', 'R: the same'),
        ('teeth: does the one depend on the other?', 'anova, two-way', 'statistic', '4.107', 'R: the same'),
        ('teeth: does the one depend on the other?', 'anova, two-way', 'p_value', '0.021860', 'R: the same'),
        ('depression: second visit less first', 'Wilcoxon', 'p_value', '0.01953', 'Hollander & Wolfe (1973), page 29; R: wilcox.test'),
        ('membranes: at term less 12-26 weeks', 'Mann-Whitney', 'statistic', '35', 'Hollander & Wolfe (1973), page 69'),
        ('membranes: at term less 12-26 weeks', 'Mann-Whitney', 'p_value', '0.1272', 'R: wilcox.test'),
        ('bases: does the way of rounding matter?', 'Friedman', 'statistic', '11.143', 'Hollander & Wolfe (1973), page 140; R: friedman.test'),
        ('bases: does the way of rounding matter?', 'Friedman', 'p_value', '0.003805', 'R: friedman.test'),
        {% for quartet in [1, 2, 3, 4] %}
        ('Anscombe {{ quartet }}: does y rise with x?', 'Pearson', 'estimate', '0.82', 'Anscombe (1973)'),
        {% endfor %}
        ('NIST SiRstv: do the instruments agree?', 'anova', 'statistic', '1.18046237440255', 'NIST StRD, certified'),
        ('NIST AtmWtAg: do the instruments agree?', 'anova', 'statistic', '15.9467335677930', 'NIST StRD, certified'),
        ('NIST SiRstv: do the instruments agree?', 'anova', 'effect_size', '0.190999039051129', 'NIST StRD, certified'),
        ('NIST AtmWtAg: do the instruments agree?', 'anova', 'effect_size', '0.257426544538321', 'NIST StRD, certified')
    ) as printed(question, method, field, printed, source)
    where {{ confidence_level }} = 0.95 or field not in ('ci_lower', 'ci_upper')
),

rejections as (
    select
        'how many of 15 are rejected?' as question,
        method,
        'n' as field,
        case method when 'bonferroni' then '3' else '4' end as printed,
        'Benjamini & Hochberg (1995), section 3' as source,
        count(*) filter (is_rejected)::double as found,
    from hypothesis_tests.adjusted_tests
    where family = 'Benjamini and Hochberg (1995)' and method in ('bonferroni', 'bh') and {{ confidence_level }} = 0.95
    group by method
),

beside as (
    select
        printed.*,
        case field
            when 'statistic' then results.statistic
            when 'df' then results.df
            when 'p_value' then results.p_value
            when 'estimate' then results.estimate
            when 'ci_lower' then results.ci_lower
            when 'ci_upper' then results.ci_upper
            when 'effect_size' then results.effect_size
        end as found,
    from printed
    left join hypothesis_tests.results as results using (question, method)
    union all
    select * from rejections
),

with_unit as (
    select
        *,
        -- 2.954e-07 has three decimals and the exponent -7: its last digit counts 1e-10
        10e0 ** (
            coalesce(nullif(regexp_extract(printed, 'e(.*)$', 1), '')::int, 0)
            - length(regexp_extract(printed, '\.(\d*)', 1))
        ) as unit,
    from beside
),

against_print as (
    select
        question,
        method,
        field,
        printed,
        found,
        coalesce(
            abs(found - printed::double) <= greatest(0.5 * unit * (1 + 1e-9), 1e-13 * abs(printed::double)), false
        ) as is_as_printed,
        source,
    from with_unit
)

select * from against_print
order by question, method, field
