-- Many more features, made of the same three measurements: their products up to the third degree.
--
-- Notice: 19 numbers where there were three, and nothing more is known of the penguin. A model that may use all of them
-- can bend as it likes.
-- The limit: products of standardised measurements are as large as the outliers make them.
select
    penguin_id,
    species,
    sex,
    {% for a in range(5) %}
    {% for b in range(5) %}
    {% for c in range(5) %}
    {% if 0 < a + b + c <= 3 %}
    bill_length_z ** {{ a }} * bill_depth_z ** {{ b }} * flipper_length_z ** {{ c }} as z_{{ a }}{{ b }}{{ c }},
    {% endif %}
    {% endfor %}
    {% endfor %}
    {% endfor %}
    part,
    part = 'calibration' as is_calibration,
    body_mass_g,
from regression.measured
order by penguin_id
