-- What each model predicts for each penguin, in whichever part it is.
with

predictions as (
    select 'body_mass' as model, penguin_id, part, species, sex, body_mass_g, predicted_body_mass_g
    from ml.predict('body_mass', 'regression.measured')
    {% for model in ["body_mass_wide", "body_mass_penalised"] %}
    union all
    select '{{ model }}', penguin_id, part, species, sex, body_mass_g, predicted_body_mass_g
    from ml.predict('{{ model }}', 'regression.measured_wide')
    {% endfor %}
)

select * from predictions
order by model, penguin_id
