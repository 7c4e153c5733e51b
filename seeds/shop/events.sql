-- What customers did, as it was received: a Markov chain in each session, with a few events twice, late or of nobody.
-- event_id is the session, then the place in it; an event received twice has its id twice.
{% from "planted.j2" import touches, engaged, visit_search, search_view, view_view, view_cart, cart_cart, cart_view, cart_checkout, checkout_purchase,
    experiments, outage, n_products, paired, partner, duplicate, late, anonymous %}
{% from "draws.j2" import uniform, times, by, product %}
with

known as (
    select
        sessions.*,
        {{ engaged }}e0 * case when session_id % 2 = 1 then 1e0 else
            1e0{% for channel, planted in touches.items() if planted.factor != 1 %} * case when {{ uniform("touch " ~ channel, "session_id") }} < {{ planted.share }}e0 then {{ planted.factor }}e0 else 1e0 end{% endfor %}

        end as p_engaged,
        {{ by("device", view_cart) }} / {{ 1 - view_view }}e0 as p_cart,
        {{ by("device", cart_checkout) }} / {{ 1 - cart_cart }}e0 as p_checkout,
        {{ cart_view / (1 - cart_cart) }}e0 as p_back,
        {{ by("device", checkout_purchase) }}
            {% for experiment, planted in experiments.items() if planted.factor != 1 %}
            * case when {{ experiment }}.arm = 'treatment' and started_at >= {{ experiment }}.assigned_at
                and started_at < timestamp '{{ planted.to }}' then {{ planted.factor }}e0 else 1e0 end
            {% endfor %}
            * case when country = '{{ outage.country }}' and device = '{{ outage.device }}' and started_at >= timestamp '{{ outage.from }}'
                and started_at < timestamp '{{ outage.to }}' then {{ outage.factor }}e0 else 1e0 end as p_purchase,
        -- rounds of views that end with something in the cart and go on with views
        {{ times(uniform("rounds", "session_id"), "(p_cart * p_back)") }} as rounds,
        {{ uniform("last round", "session_id") }} * (1e0 - p_cart * p_back) as u_end,
    from {{ schema }}.sessions as sessions
    join {{ schema }}.customers as customers using (customer_id)
    {% for experiment, planted in experiments.items() if planted.factor != 1 %}
    left join {{ schema }}.assignments as {{ experiment }}
        on {{ experiment }}.customer_id = sessions.customer_id and {{ experiment }}.experiment = '{{ experiment }}'
        and {{ experiment }}.customer_id between {{ first }} and {{ last }}
    {% endfor %}
    where sessions.customer_id between {{ first }} and {{ last }}
        and customers.customer_id between {{ first }} and {{ last }}
),

walks as (
    -- h visit, s search, p view of a product, a add_to_cart, c checkout, b purchase
    select
        session_id,
        customer_id,
        device,
        started_at,
        30e0 + 6e1 * {{ uniform("tempo", "session_id") }} as tempo,
        {{ uniform("engaged", "session_id") }} < p_engaged as is_engaged,
        {{ uniform("search", "session_id") }} < {{ visit_search }}e0 as has_searched,
        {{ uniform("found", "session_id") }} < {{ search_view }}e0 as has_found,
        'h' || case when not is_engaged then '' else
            case when has_searched then 's' else '' end
            || case when has_searched and not has_found then '' else
                array_to_string(list_transform(range(rounds), lambda r:
                    repeat('p', 1 + {{ times(uniform("views", "session_id * 1000 + r"), view_view ~ "e0") }})
                    || repeat('a', 1 + {{ times(uniform("carts", "session_id * 1000 + r"), cart_cart ~ "e0") }})), '')
                || repeat('p', 1 + {{ times(uniform("views", "session_id * 1000 + 999"), view_view ~ "e0") }})
                || case when u_end >= p_cart * (1e0 - p_back) then '' else
                    repeat('a', 1 + {{ times(uniform("carts", "session_id * 1000 + 999"), cart_cart ~ "e0") }})
                    || case when u_end >= p_cart * p_checkout then ''
                        when {{ uniform("purchase", "session_id") }} < p_purchase then 'cb'
                        else 'c' end
                end
            end
        end as walk,
    from known
),

steps as (
    select
        session_id,
        customer_id,
        device,
        started_at,
        tempo,
        walk,
        unnest(range(1, length(walk) + 1)) as place,
    from walks
),

seen as (
    select
        * exclude (tempo, walk, started_at, customer_id),
        session_id * 1000 + place as event_id,
        case when {{ uniform("anonymous", "session_id") }} >= {{ anonymous }}e0 then customer_id end as customer_id,
        walk[place] as letter,
        walk[place - 1] as before,
        walk[place - 2] as two_before,
        started_at + to_seconds(case when place = 1 then 0 else floor(tempo * (place - 2e-1 - 8e-1 * {{ uniform("moment", "event_id") }}))::bigint end) as occurred_at,
        {{ uniform("duplicate", "event_id") }} < {{ duplicate }}e0 as is_twice,
        {{ product("product", "event_id", n_products) }} as own_product,
        {{ product("product", "(event_id - 1)", n_products) }} as product_before,
        {{ product("product", "(event_id - 2)", n_products) }} as product_two_before,
    from steps
),

sent as (
    select
        *,
        case
            when letter = 'p' then own_product
            when letter <> 'a' then null
            -- what was looked at last goes into the cart
            when before = 'p' then product_before
            -- and after it, often, what goes with it
            when two_before = 'p' and product_two_before <= {{ paired }} and {{ uniform("partner", "event_id") }} < {{ partner }}e0
                then xor(product_two_before - 1, 1) + 1
            else own_product
        end as product_id,
        unnest(range(1 + is_twice::integer)) as copy,
    from seen
)

select
    event_id,
    customer_id,
    session_id,
    case letter when 'h' then 'visit' when 's' then 'search' when 'p' then 'view' when 'a' then 'add_to_cart' when 'c' then 'checkout' else 'purchase' end as event,
    product_id,
    device,
    occurred_at,
    occurred_at + to_seconds(
        case
            when {{ uniform("late", "event_id") }} < {{ late }}e0 then 3600 + floor(255600 * {{ uniform("delay", "event_id") }})::bigint
            else floor(2e0 * {{ uniform("delay", "event_id") }})::bigint
        end
        + copy * (1 + floor(6e1 * {{ uniform("again", "event_id") }})::bigint)
    ) as received_at,
from sent
order by event_id, received_at
