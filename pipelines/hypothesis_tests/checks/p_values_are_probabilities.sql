-- A p-value lies in [0, 1], and its logarithm is its logarithm.
select * from hypothesis_tests.results
where not p_value between 0 and 1
    or isnan(p_value)
    or log10_p_value > 0
    or (p_value > 1e-300 and abs(log10_p_value - log10(p_value)) > 1e-9 * greatest(1, abs(log10_p_value)))
