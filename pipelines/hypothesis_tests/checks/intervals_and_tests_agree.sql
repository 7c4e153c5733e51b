-- A t test rejects where, and only where, its interval leaves out zero, for the two are one calculation.
select * from hypothesis_tests.results
where method in ('t, Welch', 't, paired', 't, pooled')
    and ci_lower > '-inf'::double
    and ci_upper < 'inf'::double
    and (p_value < 1 - {{ confidence_level }}) <> (0 not between ci_lower and ci_upper)
    and abs(p_value - (1 - {{ confidence_level }})) > 1e-9
