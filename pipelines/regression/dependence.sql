-- How does the prediction change along one feature?
--
-- partial: the mean prediction when a feature of every test penguin is set to a value. local: the change summed up over
-- steps that only penguins near the value take (accumulated local effects), about its mean.
-- Notice: of a model of weights both are straight lines, and their slope is the weight (a check). The methods earn their
-- keep with models that bend, and the two then differ: the first gives Adelies the flippers of Gentoos.
-- The limit: an average. A feature that raises some predictions and lowers others can look idle.
with

dependence as (
    select 'partial' as method, 'species' as feature, value, null::double as number, prediction as prediction_g, n
    from ml.partial_dependence('body_mass', 'species', '(from regression.measured where part = ''test'')')
    {% for feature in ["bill_length_mm", "bill_depth_mm", "flipper_length_mm"] %}
    union all
    select 'partial', '{{ feature }}', value, number, prediction, n
    from ml.partial_dependence(
        'body_mass', '{{ feature }}', '(from regression.measured where part = ''test'')', points := 8
    )
    union all
    select 'local', '{{ feature }}', number::varchar, number, effect, n
    from ml.accumulated_local_effects(
        'body_mass', '{{ feature }}', '(from regression.measured where part = ''test'')', points := 8
    )
    {% endfor %}
)

select * from dependence
order by feature, method desc, number, value
