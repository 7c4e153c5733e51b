-- Four probabilities that a penguin is male, for each one of the test half.
--
-- Two models; a rule of thumb, an S-shaped curve of the weight around 4,200 g, which no data has taught; and the share of
-- males in the training half, the same for all.
-- Notice: nothing below asks where a probability comes from. A label, a prediction and a name are enough.
-- The limit: one split. Another half of the penguins would give other figures; the intervals say how different.
with

test_rows as (
    select penguin_id, species, sex = 'male' as is_male, body_mass_g from evaluation.penguins_split
    where is_test
),

forecasts as (
    {% for model in ["by_bill", "by_body"] %}
    select
        penguin_id,
        '{{ model }}' as method,
        list_filter(predicted_sex_probs, lambda p: p.label = 'male')[1].prob as probability,
    from ml.predict('{{ model }}', '(from evaluation.penguins_split where is_test)')
    union all
    {% endfor %}
    select penguin_id, 'thumb', 1 / (1 + exp(-(body_mass_g - 4200) / 4e2)) from test_rows
    union all
    select penguin_id, 'constant', (select avg((sex = 'male')::int) from evaluation.penguins_split where not is_test)
    from test_rows
)

select method, penguin_id, species, is_male, probability
from forecasts
join test_rows using (penguin_id)
order by method, penguin_id
