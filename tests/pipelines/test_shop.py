"""The shop: what analyses find in it is what shop.truths says was planted, within their errors.

Each estimate is held within four of its own standard errors: of some forty estimates, none should
be further off in any of 400 runs. The draws are fixed, so the tests do not flicker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

import mlpond
from mlpond.errors import InputError
from mlpond.seeds import find_seed, load
from mlpond.seeds.loader import statements
from mlpond.session import Session

TABLES = tuple(find_seed("shop").tables)
DIGEST = "select {} as digest".format(
    " || ".join(f"(select bit_xor(hash(t::varchar))::varchar from {{0}}.{t} as t)" for t in TABLES)
)


@pytest.fixture(scope="module")
def shop() -> Iterator[Session]:
    """4,000 customers; events once each, as who deduplicates would have them."""
    with mlpond.connect() as session:
        load(session, "shop", scale=0.4)
        session.con.execute("""
            create temp table clean as
            from shop.events qualify row_number() over (partition by event_id order by received_at) = 1
        """)
        session.con.execute("""
            create temp table following as
            select *, lead(event, 1, 'exit') over (partition by session_id order by occurred_at) as next_event from clean
        """)
        session.con.execute("""
            create temp table visits as
            select *, row_number() over (partition by customer_id order by started_at desc) = 1 as is_last
            from shop.sessions where session_id % 2 = 0
        """)
        yield session


def truth(session: Session, name: str) -> float:
    ((value,),) = session.con.execute(
        "select value from shop.truths where name = ?", [name]
    ).fetchall()
    return value


def assert_share(session: Session, name: str, query: str) -> None:
    """The query has the true share of ones, but for four binomial standard errors."""
    expected = truth(session, name)
    ((n, found),) = session.con.execute(
        f"select count(x), avg(x::integer) from ({query}) as t(x)"
    ).fetchall()
    assert n > 100
    assert found == pytest.approx(expected, abs=4 * (expected * (1 - expected) / n) ** 0.5), name


CHECKOUTS = """
    select purchased from (
        select f.device, f.next_event = 'purchase' as purchased, f.occurred_at, a.arm, c.country
        from following as f
        join shop.sessions as s using (session_id)
        join shop.customers as c on c.customer_id = s.customer_id
        left join shop.assignments as a
            on a.customer_id = s.customer_id and a.experiment = 'checkout_button' and s.started_at >= a.assigned_at and s.started_at < '2025-09-01'
        where f.event = 'checkout')
"""
OUTAGE = (
    "country = 'DE' and device = 'mobile' and occurred_at between '2025-11-01' and '2025-12-01'"
)


@pytest.mark.parametrize("device", ["mobile", "desktop", "tablet"])
def test_steps_within_a_session(shop, device):
    steps = {"view": "add_to_cart", "add_to_cart": "checkout"}
    for event, following in steps.items():
        assert_share(shop, f"{event}_to_{following}_{device}",
            f"select next_event = '{following}' from following where event = '{event}' and device = '{device}'")  # fmt: skip
    for event, following in [("view", "view"), ("search", "view"), ("add_to_cart", "view")]:
        assert_share(shop, f"{event}_to_{following}",
            f"select next_event = '{following}' from following where event = '{event}' and device = '{device}'")  # fmt: skip
    usual = f"device = '{device}' and not ({OUTAGE}) and arm is distinct from 'treatment'"
    assert_share(shop, f"checkout_to_purchase_{device}", f"{CHECKOUTS} where {usual}")
    reached = f"select max((event = 'checkout')::integer) from clean where device = '{device}' group by session_id"
    assert_share(shop, f"checkout_rate_{device}", reached)
    assert_share(shop, f"device_share_{device}", f"select device = '{device}' from shop.sessions")


def test_experiments(shop):
    """Shares of checkouts that end with a purchase, of arm and arm; delta method for their ratio."""
    for experiment, until in [("checkout_button", "2025-09-01"), ("banner_aa", "2025-11-01")]:
        rows = shop.con.execute(f"""
            select arm, count(*), avg((next_event = 'purchase')::integer)
            from following
            join shop.sessions using (session_id)
            join shop.assignments as a on a.customer_id = sessions.customer_id and experiment = '{experiment}'
            where event = 'checkout' and started_at >= assigned_at and occurred_at < '{until}'
            group by arm order by arm
        """).fetchall()
        (_, n_control, control), (_, n_treatment, treatment) = rows
        lift = treatment / control - 1
        error = (treatment / control) * ((1 - control) / control / n_control + (1 - treatment) / treatment / n_treatment) ** 0.5  # fmt: skip
        assert lift == pytest.approx(truth(shop, f"lift_{experiment}"), abs=4 * error)
        if experiment == "checkout_button":
            assert lift > 2 * error
    halves = shop.con.execute(
        "select avg((arm = 'treatment')::integer), count(*) from shop.assignments"
    ).fetchall()
    assert halves[0][0] == pytest.approx(0.5, abs=2 / halves[0][1] ** 0.5)


def test_an_outage(shop):
    ((n, found, expected),) = shop.con.execute(f"""
        select count(*), avg(purchased::integer), any_value((select value from shop.truths where name = 'checkout_to_purchase_mobile'))
        from ({CHECKOUTS.replace("select purchased from", "select * from")} where {OUTAGE})
    """).fetchall()
    expected *= truth(shop, "outage_factor")
    assert found == pytest.approx(expected, abs=4 * (expected * (1 - expected) / n) ** 0.5)


def test_churn(shop):
    """Of days of visits early enough to know, the share after which nobody came again."""
    for channel in ("organic", "paid_search", "social", "referral"):
        for subscribed, ratio in (
            (False, 1.0),
            (True, truth(shop, "churn_hazard_ratio_subscriber")),
        ):
            expected = truth(shop, f"churn_hazard_{channel}") * ratio
            ((n, found),) = shop.con.execute(f"""
                select count(*), avg(is_last::integer)
                from visits join shop.customers using (customer_id)
                where channel = '{channel}' and is_subscriber = {subscribed}
                    and started_at < timestamp '2026-01-01' - interval '{truth(shop, "churn_days")} days'
            """).fetchall()
            assert found == pytest.approx(expected, abs=4 * (expected * (1 - expected) / n) ** 0.5)
    longest = "select max(gap) from (select started_at - lag(started_at) over (partition by customer_id order by started_at) as gap from shop.sessions)"
    ((gap,),) = shop.con.execute(longest).fetchall()
    assert 60 < gap.days < truth(shop, "churn_days")


def test_seasons(shop):
    for weekday in range(1, 8):
        assert_share(
            shop, f"weekday_share_{weekday}", f"select isodow(started_at) = {weekday} from visits"
        )
    for hour in (0, 12, 20, 23):
        assert_share(shop, f"hour_share_{hour}", f"select hour(started_at) = {hour} from visits")

    for family in ("channel", "country", "device", "hour", "weekday"):
        shares = f"select sum(value) from shop.truths where name like '{family}_share_%'"
        assert shop.con.execute(shares).fetchall() == [(pytest.approx(1),)]


def test_growth_and_the_swing_of_a_year(shop):
    """Sign-ups a month. Ids go in the order of signing up, so their shares have hardly an error."""
    days = np.arange("2024-01-01", "2026-01-01", dtype="datetime64[D]")
    day_of_year = (days - days.astype("datetime64[Y]")).astype(int) + 1
    swing = truth(shop, "yearly_amplitude") * np.cos(2 * np.pi * (day_of_year - 350) / 365.25)
    passed = np.concatenate([[0], np.cumsum(1 + swing)])
    by_day = np.diff((passed / passed[-1]) ** truth(shop, "signup_growth"))
    months = days.astype("datetime64[M]")
    expected = [by_day[months == month].sum() for month in np.unique(months)]
    found = shop.con.execute("""
        select count(*) / (select count(*) from shop.customers)
        from shop.customers group by date_trunc('month', signed_up_at) order by date_trunc('month', signed_up_at)
    """).fetchnumpy()
    # weekends are left out here: a month has four or five of them, worth 2 % of the month
    np.testing.assert_allclose(next(iter(found.values())), expected, atol=0.0025)


def test_touches_move_sessions(shop):
    """Engagement with and without a touch of a channel; the others are drawn apart, so they cancel."""
    for channel in ("paid_search", "email", "social", "display"):
        rows = shop.con.execute(f"""
            select touched, count(*), avg(engaged::integer)
            from (
                select
                    session_id in (select touch_id // 10 from shop.touches where channel = '{channel}' and touch_id % 10 > 0) as touched,
                    count(*) > 1 as engaged,
                from clean where session_id % 2 = 0 group by session_id
            )
            group by touched order by touched
        """).fetchall()
        (_, n0, p0), (_, n1, p1) = rows
        error = p1 / p0 * ((1 - p0) / p0 / n0 + (1 - p1) / p1 / n1) ** 0.5
        assert p1 / p0 == pytest.approx(truth(shop, f"touch_factor_{channel}"), abs=4 * error)
        touched = truth(shop, f"touch_share_{channel}")
        assert n1 / (n0 + n1) == pytest.approx(touched, abs=4 * (touched / (n0 + n1)) ** 0.5)
        ((n, cost),) = shop.con.execute(
            f"select count(*), avg(cost) from shop.touches where channel = '{channel}'"
        ).fetchall()
        # uniform between a half and one and a half of the mean
        expected = truth(shop, f"touch_cost_{channel}")
        assert cost == pytest.approx(expected, abs=4 * expected / (12 * n) ** 0.5)


def test_pairs_in_baskets(shop):
    rows = shop.con.execute("""
        select
            replace(lower(one.name || '_' || another.name), ' ', '_'),
            (select count(*) from shop.orders) as n,
            (select count(*) from shop.order_items where product_id = one.product_id) as n_one,
            (select count(*) from shop.order_items where product_id = another.product_id) as n_another,
            (select count(*) from shop.order_items as a join shop.order_items as b using (order_id)
                where a.product_id = one.product_id and b.product_id = another.product_id) as n_both,
        from shop.products as one join shop.products as another on another.product_id = one.product_id + 1
        where one.product_id < 12 and one.product_id % 2 = 1
    """).fetchall()
    assert len(rows) == 6
    for pair, n, n_one, n_another, n_both in rows:
        support = truth(shop, f"affinity_support_{pair}")
        assert n_both / n == pytest.approx(support, abs=4 * (support / n) ** 0.5)
        lift = n_both * n / n_one / n_another
        # the rarest of the three counts has most of the error
        assert lift == pytest.approx(truth(shop, f"affinity_lift_{pair}"), rel=4 * n_both**-0.5)


def test_what_goes_wrong_with_data(shop):
    assert_share(shop, "duplicate_share", "select count(*) > 1 from shop.events group by event_id")
    assert_share(
        shop, "late_share", "select received_at - occurred_at >= interval 1 hour from clean"
    )
    assert_share(
        shop,
        "anonymous_share",
        "select bool_and(customer_id is null) from clean group by session_id",
    )
    assert_share(shop, "birth_year_missing", "select birth_year is null from shop.customers")
    assert_share(shop, "subscriber_share", "select is_subscriber from shop.customers")
    known = "select count(birth_year), avg(birth_year), stddev(birth_year) from shop.customers"
    ((n, mean, sd),) = shop.con.execute(known).fetchall()
    assert mean == pytest.approx(truth(shop, "birth_year_mean_known"), abs=4 * sd / n**0.5)
    assert mean - truth(shop, "birth_year_mean") > 4 * sd / n**0.5 * 0.9


def test_what_comes_after_orders(shop):
    old = "ordered_at < '2025-12-01'"
    assert_share(
        shop,
        "refund_share",
        f"select order_id in (select order_id from shop.refunds) from shop.orders where {old}",
    )
    assert_share(
        shop,
        "review_share",
        f"select order_id * 100 + product_id in (select review_id from shop.reviews) from shop.order_items join shop.orders using (order_id) where {old}",
    )
    kind = "regexp_matches(text, '^(I love|Excellent|Great|Very happy|Wonderful)')"
    assert_share(
        shop,
        "review_contradiction",
        f"select {kind} <> (stars >= 4) from shop.reviews where stars <> 3",
    )
    # amounts are about log-normal: their logarithms are not skewed as they are
    ((skewed, straight),) = shop.con.execute(
        "select skewness(amount), skewness(ln(amount)) from shop.orders"
    ).fetchall()
    assert skewed > 2
    assert abs(straight) < 0.5


def test_tables_belong_together(shop):
    for query in (
        "from shop.events anti join shop.sessions using (session_id)",
        "from clean join shop.sessions using (session_id) where clean.customer_id <> sessions.customer_id or occurred_at < started_at",
        "from shop.orders anti join (from clean where event = 'purchase') using (session_id)",
        "from (from clean where event = 'purchase') anti join shop.orders using (session_id)",
        "select order_id from shop.orders join shop.order_items using (order_id) group by order_id, amount having abs(amount - sum(quantity * price)) > 5e-3",
        "from shop.refunds join shop.orders using (order_id) where refunds.amount > orders.amount or refunded_at < ordered_at",
        "from shop.reviews anti join shop.order_items on order_id = review_id // 100 and order_items.product_id = reviews.product_id",
        "select customer_id from shop.sessions group by 1 having min(started_at) <> (select signed_up_at from shop.customers where customer_id = sessions.customer_id)",
    ):
        assert shop.con.execute(query).fetchall() == []
    for table, key in {"customers": "customer_id", "sessions": "session_id", "orders": "order_id", "refunds": "refund_id",
                       "touches": "touch_id", "reviews": "review_id", "truths": "name"}.items():  # fmt: skip
        ((rows, keys),) = shop.con.execute(
            f"select count(*), count(distinct {key}) from shop.{table}"
        ).fetchall()
        assert rows == keys


def test_sessions_can_be_found_again_by_half_an_hour_of_silence(shop):
    ((same, sessions),) = shop.con.execute("""
        with starts as (
            select *, coalesce(occurred_at - lag(occurred_at) over (partition by customer_id order by occurred_at) > interval 30 minutes, true) as is_start
            from clean where customer_id is not null
        )
        select count_if(is_start and event = 'visit'), count_if(is_start or event = 'visit') from starts
    """).fetchall()
    assert same == sessions


def test_the_same_rows_in_stretches_and_in_the_shell(pond, shell, tmp_path):
    seed = find_seed("shop")
    assert load(pond, "shop", scale=0.01)["customers"] == 100
    digest = DIGEST.format("shop")
    expected = pond.con.execute(digest).fetchall()[0][0]
    short = replace(seed, stretches=replace(seed.stretches, size=60))
    pond.con.execute("set threads = 1")
    pond.con.execute("create schema again")
    for _, statement, _ in statements(short, "again", seed.given(scale=0.01)):
        pond.con.execute(statement)
    assert pond.con.execute(DIGEST.format("again")).fetchall()[0][0] == expected
    path = tmp_path / "x.duckdb"
    mlpond.connect(path).close()  # the library, for ml.random_uniform
    script = ["create schema shop;"]
    script += [f"{sql};" for _, sql, _ in statements(seed, "shop", seed.given(scale=0.01))]
    assert shell(path, "\n".join([*script, digest])) == [{"digest": expected}]


def test_seed_and_scale(pond):
    load(pond, "shop", schema="one", scale=0.002)
    load(pond, "shop", schema="two", scale=0.002, seed=7)
    countries = "select list(country order by customer_id) from {}.customers"
    assert (
        pond.con.execute(countries.format("one")).fetchall()
        != pond.con.execute(countries.format("two")).fetchall()
    )
    assert pond.con.execute("select count(*) from one.customers").fetchall() == [(20,)]


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("shop", {"scale": 0}, "seed shop: scale is 0; it must be a number greater than 0"),
        ("shop", {"scale": float("nan")}, "scale is nan"),
        ("shop", {"seed": 1.5}, "seed is 1.5; it must be a whole number"),
        ("shop", {"seed": 2**31}, "seed is 2147483648; it must be a whole number between"),
        ("shop", {"seed": float("nan")}, "seed is nan"),
        ("shop", {"scale": "one"}, "seed shop: scale is 'one'; it must be a number greater than 0"),
        ("shop", {"scale": True}, "scale is True"),
        ("shop", {"scal": 1}, "no parameter 'scal'; it has scale, seed"),
        ("penguins", {"scale": 1}, "seed penguins: there is no parameter 'scale'; it has none"),
    ],
)
def test_parameters_are_checked(pond, name, given, message):
    with pytest.raises(InputError, match=message):
        load(pond, name, **given)
