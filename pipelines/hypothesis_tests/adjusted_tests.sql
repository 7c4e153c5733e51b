-- Which of many small p-values are to be believed?
--
-- Each family adjusted by itself: Bonferroni and Holm bound the chance of a single false alarm, Benjamini
-- and Hochberg (bh) the share of false alarms among the alarms, Benjamini and Yekutieli (by) the same
-- whatever the dependence. With the 15 p-values of Benjamini and Hochberg's paper beside them.
-- Notice: of the tests in which nothing differs about one in twenty is "significant" unadjusted, and none
-- after. Of the real ones most survive, bh more of them than Holm. In the paper Bonferroni
-- finds 3 and bh 4.
-- The limit: a family has to be chosen before it is tested. Adjusted over both families at once, the idle
-- questions would weaken the real ones.
with

adjusted_tests as (
    {% for method in ["bonferroni", "holm", "bh", "by"] %}
    {% for family in ["carrier against the others", "odd against even flights"] %}
    select family, question, '{{ method }}' as method, p_value, p_adjusted, is_rejected
    from ml.p_adjust(
        '(select family, question, p_value from hypothesis_tests.many_tests where family = ''{{ family }}'')',
        'p_value', method := '{{ method }}', alpha := 1 - {{ confidence_level }}
    )
    union all
    {% endfor %}
    select 'Benjamini and Hochberg (1995)', 'hypothesis ' || hypothesis, '{{ method }}', p_value, p_adjusted, is_rejected
    from ml.p_adjust('textbook.p_values', 'p_value', method := '{{ method }}', alpha := 1 - {{ confidence_level }})
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from adjusted_tests
order by family, method, p_value, question
