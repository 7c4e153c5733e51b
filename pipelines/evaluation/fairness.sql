-- Is a forecast as good for one species as for another?
--
-- The rates of each species and how they differ from those of the largest one.
-- Notice: the thumb finds 42 % of the male Adelies, 24 % of the Chinstraps and every Gentoo, and calls 97 % of the female Gentoos
-- male. The models, which know the species, err in each about alike.
-- The limit: rates of 34 Chinstraps are rough. A difference of 0.1 there is two penguins.
with

fairness as (
    {% for method in ["by_bill", "by_body", "thumb"] %}
    select '{{ method }}' as method, *
    from ml.fairness(
        '(select *, probability >= 5e-1 as says_male from evaluation.forecasts where method = ''{{ method }}'')',
        'is_male', 'says_male', 'species', probability := 'probability'
    )
    {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from fairness
order by method, is_reference desc, group_name
