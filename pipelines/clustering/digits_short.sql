-- The images by their first twenty components.
select
    image_id,
    digit,
    {% for i in range(1, 21) %}
    principal_component_{{ i }},
    {% endfor %}
from ml.predict('digit_components', 'digits', keep_original_columns := true)
order by image_id
