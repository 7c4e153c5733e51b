-- What was planted, by name: what an analysis of the other tables should find.
{% from "planted.j2" import growth, weekdays, yearly_amplitude, hours, channels, hazards, subscriber_share, hazard_ratio, churn_days, countries, second_session,
    touches, engaged, devices, visit_search, search_view, view_view, view_cart, cart_cart, cart_view, cart_checkout, checkout_purchase,
    n_products, paired, partner, experiments, outage, duplicate, late, anonymous, refunded, reviewed, contradiction, missing_at_18, missing_a_year, discount %}
{% from "calendar.j2" import days %}
{# Engagement of a session: the mean over who was touched; second sessions of a day follow no touch. #}
{% set ns = namespace(moved=1.0) %}
{% for planted in touches.values() %}{% set ns.moved = ns.moved * (1 + planted.share * (planted.factor - 1)) %}{% endfor %}
{% set engagement = engaged * (ns.moved + second_session) / (1 + second_session) %}
{% set reach = 1 - visit_search * (1 - search_view) %}
with

{{ days() }},

devices as (
    select
        *,
        p_cart * p_back as p_again,
        {{ (engagement * reach) | double }} * p_cart * p_checkout / (1e0 - p_again) as checkout_rate,
        checkout_rate * purchase as conversion,
        share * conversion / sum(share * conversion) over () as share_of_orders,
    from (values
        {% for device, share in devices.items() %}
        ('{{ device }}', {{ share | double }}, {{ (view_cart[device] / (1 - view_view)) | double }}, {{ (cart_view / (1 - cart_cart)) | double }},
            {{ (cart_checkout[device] / (1 - cart_cart)) | double }}, {{ checkout_purchase[device] | double }}){{ "," if not loop.last }}
        {% endfor %}
    ) as t(device, share, p_cart, p_back, p_checkout, purchase)
),

-- chance of a product in one draw
products as (
    select
        k,
        ln((k + 1e0) / k) / ln({{ n_products + 1 }}e0) as q,
        case when k <= {{ paired }} then xor(k - 1, 1) + 1 end as partner,
    from range(1, {{ n_products + 1 }}) as t(k)
),

-- {a}, {b} and {a, b} of every pair
sets as (
    select a, kind, case kind when 1 then [a] when 2 then [a + 1] else [a, a + 1] end as members
    from range(1, {{ paired }}, 2) as pairs(a)
    cross join range(1, 4) as kinds(kind)
),

masses as (
    select a, kind, members, sum(q) as mass
    from sets
    join products on list_contains(members, k)
    group by all
),

-- chance that none of a set comes into the cart between two rounds of views
without as (
    select
        a,
        kind,
        sum(q * ({{ (1 - cart_cart) | double }} + {{ cart_cart | double }}
            * case when partner is null then 1e0 - mass
                else {{ partner | double }} * (not list_contains(members, partner))::integer + {{ (1 - partner) | double }} * (1e0 - mass) end
            * {{ (1 - cart_cart) | double }} / (1e0 - {{ cart_cart | double }} * (1e0 - mass)))) as none_in_round,
    from masses
    join products on not list_contains(members, k)
    group by all
),

orders_without as (
    select
        a,
        kind,
        sum(share_of_orders * (1e0 - p_again) * none_in_round / (1e0 - p_again * none_in_round)) as p,
    from without
    cross join devices
    group by all
),

supports as (
    select
        a,
        1e0 - max(p) filter (kind = 1) as p_first,
        1e0 - max(p) filter (kind = 2) as p_second,
        1e0 - max(p) filter (kind = 1) - max(p) filter (kind = 2) + max(p) filter (kind = 3) as p_both,
    from orders_without
    group by a
),

pairs as (
    select
        replace(lower(one.name || '_' || another.name), ' ', '_') as pair,
        lower(one.name || ' and ' || another.name) as words,
        supports.*,
    from supports
    join {{ schema }}.products as one on one.product_id = a
    join {{ schema }}.products as another on another.product_id = a + 1
),

-- ages above 18 and how often the birth year of such a customer is missing
ages as (
    select
        age,
        sqrt((age + 1e0) / 6e1) - sqrt(age / 6e1) as share,
        1e0 / (1e0 + exp(-({{ missing_at_18 }}e0 + {{ missing_a_year }}e0 * age))) as missing,
    from range(60) as t(age)
),

truths as (
    select *
    from (values
        ('signup_growth', {{ growth | double }}, 'the share of sign-ups before a share x of the seasonal time is x to this power'),
        ('yearly_amplitude', {{ yearly_amplitude | double }}, 'swing of visits and sign-ups around the mean of the year; highest on day 350'),
        ('churn_days', {{ churn_days }}e0, 'whoever is silent for longer never comes again'),
        ('churn_hazard_ratio_subscriber', {{ hazard_ratio | double }}, 'churn hazard of subscribers, relative to others of their channel'),
        ('subscriber_share', {{ subscriber_share | double }}, 'share of customers that subscribe'),
        ('second_session_share', {{ second_session | double }}, 'share of visit days with a second session'),
        ('engagement', {{ engaged | double }}, 'chance that a session without a touch goes on after the visit'),
        ('engagement_mean', {{ engagement | double }}, 'chance that any session goes on after the visit'),
        ('visit_to_search', {{ visit_search | double }}, 'chance of a search, of sessions that go on; the others view a product'),
        ('search_to_view', {{ search_view | double }}, 'chance that the event after a search is a view'),
        ('view_to_view', {{ view_view | double }}, 'chance that the event after a view is a view'),
        ('add_to_cart_to_add_to_cart', {{ cart_cart | double }}, 'chance that the event after add_to_cart is add_to_cart'),
        ('add_to_cart_to_view', {{ cart_view | double }}, 'chance that the event after add_to_cart is a view'),
        ('partner_share', {{ partner | double }}, 'chance that what is added directly after one of a pair is its partner for being so'),
        ('subscriber_discount', {{ discount | double }}, 'what subscribers pay less, as a share of the price, before that is rounded to cents'),
        ('outage_factor', {{ outage.factor | double }}, 'checkout to purchase on {{ outage.device }} in {{ outage.country }} from {{ outage.from }} to before {{ outage.to }}, relative to other times'),
        ('duplicate_share', {{ duplicate | double }}, 'share of events that were received twice, with one event_id'),
        ('late_share', {{ late | double }}, 'share of events that were received an hour to three days late'),
        ('anonymous_share', {{ anonymous | double }}, 'share of sessions whose events have no customer_id'),
        ('refund_share', {{ refunded | double }}, 'share of orders refunded, within 14 days'),
        ('review_share', {{ reviewed | double }}, 'share of order items reviewed, within 20 days'),
        ('review_contradiction', {{ contradiction | double }}, 'share of reviews whose words say the contrary of their stars')
        {% for channel, hazard in hazards.items() %}
        , ('churn_hazard_{{ channel }}', {{ hazard | double }}, 'chance that a visit day was the last, of non-subscribers from {{ channel }}')
        , ('channel_share_{{ channel }}', {{ channels[channel] | double }}, 'share of customers that signed up through {{ channel }}')
        {% endfor %}
        {% for country, share in countries.items() %}
        , ('country_share_{{ country }}', {{ share | double }}, 'share of customers in {{ country }}')
        {% endfor %}
        {% for channel, planted in touches.items() %}
        , ('touch_factor_{{ channel }}', {{ planted.factor | double }}, 'engagement of a session after a touch of {{ channel }}, relative to one without')
        , ('touch_share_{{ channel }}', {{ planted.share | double }}, 'share of visit days with a touch of {{ channel }} in the 18 hours before')
        , ('touch_cost_{{ channel }}', {{ planted.cost | double }}, 'mean cost of a touch of {{ channel }}')
        {% endfor %}
        {% for device, share in devices.items() %}
        , ('device_share_{{ device }}', {{ share | double }}, 'share of sessions on {{ device }}')
        , ('view_to_add_to_cart_{{ device }}', {{ view_cart[device] | double }}, 'chance that the event after a view is add_to_cart, on {{ device }}')
        , ('add_to_cart_to_checkout_{{ device }}', {{ cart_checkout[device] | double }}, 'chance that the event after add_to_cart is checkout, on {{ device }}')
        , ('checkout_to_purchase_{{ device }}', {{ checkout_purchase[device] | double }}, 'chance that a checkout ends with a purchase on {{ device }}, without treatment and outage')
        {% endfor %}
        {% for experiment, planted in experiments.items() %}
        , ('lift_{{ experiment }}', {{ (planted.factor - 1) | round(10) | double }}, 'lift in checkout to purchase of the treatment in {{ experiment }}, from assigned_at to before {{ planted.to }}')
        {% endfor %}
    ) as t(name, value, meaning)

    union all
    select 'conversion_' || device, conversion, 'chance that a session on ' || device || ' ends with a purchase, without treatment and outage'
    from devices

    union all
    select 'checkout_rate_' || device, checkout_rate, 'chance that a session on ' || device || ' reaches checkout'
    from devices

    union all
    select 'weekday_share_' || isodow(day), sum(weight) / sum(sum(weight)) over (), 'share of visits on ' || dayname(min(day)) || ', but for the growth from week to week'
    from days
    group by isodow(day)

    union all
    select 'hour_share_' || hour, count(*) / 1e2, 'share of visit days whose first session begins in hour ' || hour
    from (select unnest([{% for n in hours %}{% set hour = loop.index0 %}{% for _ in range(n) %}{{ hour }}, {% endfor %}{% endfor %}]) as hour)
    group by hour

    union all
    select 'affinity_lift_' || pair, p_both / (p_first * p_second), 'lift of ' || words || ' in orders'
    from pairs

    union all
    select 'affinity_support_' || pair, p_both, 'share of orders with ' || words
    from pairs

    union all
    select 'birth_year_missing', sum(share * missing), 'share of customers without a birth year'
    from ages

    union all
    select 'birth_year_mean', 2006 - sum(share * age), 'mean birth year of all customers'
    from ages

    union all
    select 'birth_year_mean_known', 2006 - sum(share * (1e0 - missing) * age) / sum(share * (1e0 - missing)), 'mean birth year of those that gave it: the older give it less often'
    from ages
)

select name, value::double as value, meaning
from truths
order by name
