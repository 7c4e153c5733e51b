-- Three clusters of wines agree with the cultivars, and ten of digits with the digits, at least as well as asked.
select model, adjusted_rand from clustering.agreement
where (model = 'wine_3' and not coalesce(adjusted_rand >= {{ min_agreement_wine }}, false))
    or (model like 'digit_clusters%' and not coalesce(adjusted_rand >= {{ min_agreement_digits }}, false))
