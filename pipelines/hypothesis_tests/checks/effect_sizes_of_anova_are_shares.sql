-- Eta squared is a share of the variance.
select * from hypothesis_tests.anova_tests
where method like 'anova%' and not effect_size between 0 and 1
