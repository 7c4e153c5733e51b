-- Words and stars on what was bought. What the words say follows the stars, but for a few that say the contrary.
{% from "planted.j2" import reviewed, contradiction, end %}
{% from "draws.j2" import uniform, normal %}
{% macro pick(name, words) -%}
[{% for w in words %}'{{ w }}'{{ ", " if not loop.last }}{% endfor %}][1 + floor({{ words | length }}e0 * {{ uniform(name, "review_id") }})::integer]
{%- endmacro %}
with

written as (
    select
        order_id * 100 + product_id as review_id,
        customer_id,
        product_id,
        lower(name) as thing,
        ordered_at + to_seconds(172800 + floor(1555200 * {{ uniform("reviewed after", "review_id") }})::bigint) as reviewed_at,
        least(greatest(round(39e-1 + 6e-1 * {{ normal("quality", "product_id") }} + {{ normal("stars", "review_id") }}), 1), 5)::integer as stars,
        case when {{ uniform("contradiction", "review_id") }} < {{ contradiction }}e0 then 6 - stars else stars end as felt,
    from {{ schema }}.order_items
    join {{ schema }}.orders using (order_id)
    join {{ schema }}.products using (product_id)
    where order_id between {{ first }} * 1000 and {{ last }} * 1000 + 999
        and customer_id between {{ first }} and {{ last }}
        and {{ uniform("review", "order_id * 100 + product_id") }} < {{ reviewed }}e0
)

select
    review_id,
    customer_id,
    product_id,
    reviewed_at,
    stars,
    case
        when felt >= 4 then {{ pick("opening", ["I love this ", "Excellent ", "Great ", "Very happy with the ", "Wonderful "]) }} || thing
            || {{ pick("reason", [", fresh and tasty", ", good quality", ", fast delivery", ", worth every cent", ", just as described"]) }}
            || {{ pick("ending", [". Will buy again.", ". Highly recommended.", "!", ". Perfect."]) }}
        when felt = 3 then {{ pick("opening", ["The ", "This ", "My ", "An ordinary ", "About the "]) }} || thing
            || {{ pick("reason", [" is okay", " is average", " does its job", " is neither good nor bad", " is fine for the price"]) }}
            || {{ pick("ending", [".", ", nothing special.", ", as expected.", ", I guess."]) }}
        else {{ pick("opening", ["Disappointing ", "Terrible ", "I regret buying this ", "Poor ", "Very unhappy with the "]) }} || thing
            || {{ pick("reason", [", arrived damaged", ", bad quality", ", late delivery", ", a waste of money", ", not as described"]) }}
            || {{ pick("ending", [". Never again.", ". I want a refund.", ".", ". Avoid it."]) }}
    end as text,
from written
where reviewed_at < timestamp '{{ end }}'
order by review_id
