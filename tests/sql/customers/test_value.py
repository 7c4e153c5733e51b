"""Cohort and customer value by hand, and that one is the sum of the other."""

from __future__ import annotations

import datetime

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.calls import dicts, load, options

ROWS = [
    (1, "2026-01-10", 20.0), (1, "2026-02-20", 30.0), (1, "2026-03-31", 5.0),
    (2, "2026-01-25", 40.0), (2, "2026-02-03", -15.0),
    (3, "2026-03-01", 10.0), (4, "2026-03-02", None),
]  # fmt: skip


def ask(con, rows, function="cohort_value", **given):
    load(con, "bought", "u int, at_day timestamp, paid double", rows)
    return dicts(
        con.execute(f"from ml.{function}('bought', 'u', 'at_day', 'paid'{options(given)})")
    )


def test_value_of_cohorts_by_hand(con):
    found = ask(con, ROWS, margin=0.5, discount_rate=0.1)
    january = [row for row in found if row["cohort"] == datetime.date(2026, 1, 1)]
    assert [row["age"] for row in january] == [0, 1, 2]
    assert [row["revenue"] for row in january] == [60, 15, 5]
    values = [30, 7.5 / 1.1, 2.5 / 1.1**2]
    assert [row["value"] for row in january] == pytest.approx(values, rel=1e-14)
    assert january[2]["value_per_customer"] == pytest.approx(sum(values) / 2, rel=1e-14)
    assert [row["n_active"] for row in january] == [2, 1, 1]
    assert [row["is_complete"] for row in january] == [True, True, False]
    march = [row for row in found if row["cohort"] == datetime.date(2026, 3, 1)]
    # a purchase of unknown amount: a customer of the cohort, active, adds nothing
    assert [(row["n_customers"], row["n_active"], row["value"]) for row in march] == [(2, 2, 5.0)]


def test_ages_of_each_customers_own_clock(con):
    found = ask(con, ROWS, clock="customer")
    january = [row for row in found if row["cohort"] == datetime.date(2026, 1, 1)]
    # 1: 20 at age 0, 30 on 20 February (age 1), 5 on 31 March (age 2); 2: 40 and -15, nine days later
    assert [row["revenue"] for row in january] == [45, 30, 5]
    # until 31 March customer 2 (25 January) has two whole months behind
    assert [row["is_complete"] for row in january] == [True, True, False]


def test_a_later_end_adds_empty_ages(con):
    for until, ages in (("2026-05-01", [(3, True)]), ("2026-05-01 08:00", [(3, True), (4, False)])):
        found = ask(con, ROWS, until=until)
        january = [row for row in found if row["cohort"] == datetime.date(2026, 1, 1)]
        assert [(row["age"], row["is_complete"]) for row in january][3:] == ages
        assert january[-1]["revenue"] == 0
    early = ask(con, ROWS, until="2026-02-10")
    assert sum(row["revenue"] for row in early) == 45


def test_customers_by_hand(con):
    one, two, three, four = ask(con, ROWS, "customer_value", discount_rate=0.1)
    assert one["value"] == pytest.approx(20 + 30 / 1.1 + 5 / 1.21, rel=1e-14)
    assert (
        two["n_purchases"],
        two["n_refunds"],
        two["revenue"],
        two["refunds"],
        two["net_revenue"],
    ) == (1, 1, 40, -15, 25)
    assert (three["age"], one["age"]) == (0, 2)
    assert (four["n_purchases"], four["n_missing"], four["value"]) == (1, 1, 0)


def test_a_customer_of_refunds_only_belongs_to_the_first(con):
    rows = [(1, "2026-01-05", -4.0), (1, "2026-02-05", -1.0)]
    (one,) = ask(con, rows, "customer_value")
    assert (one["cohort"], one["last_at"], one["net_revenue"]) == (
        datetime.date(2026, 1, 1),
        None,
        -5,
    )
    # a refund before the first purchase counts at age 0
    first, *_ = ask(con, [*rows, (1, "2026-03-01", 10.0)])
    assert (first["cohort"], first["revenue"]) == (datetime.date(2026, 3, 1), 5)


@settings(deadline=None, max_examples=10)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 400), st.integers(-9, 30)), min_size=1, max_size=20),
    st.sampled_from(["calendar", "customer"]), st.sampled_from(["week", "month", "quarter"]),
)  # fmt: skip
def test_cohorts_are_the_sums_of_their_customers(con, rows, clock, period):
    begin = datetime.datetime(2025, 1, 1)
    rows = [(u, begin + datetime.timedelta(days=d), float(x)) for u, d, x in rows]
    options = dict(clock=clock, period=period, discount_rate=0.03)
    customers = ask(con, rows, "customer_value", **options)
    last = {row["cohort"]: row for row in ask(con, rows, **options)}
    for cohort, row in last.items():
        of_it = [c for c in customers if c["cohort"] == cohort]
        assert row["n_customers"] == len(of_it)
        # at most 20 terms of up to 30, each rounded
        assert row["cumulative_value"] == pytest.approx(sum(c["value"] for c in of_it), abs=1e-12)
    assert sum(c["net_revenue"] for c in customers) == sum(x for *_, x in rows)


def test_bad_input(con):
    rows = [(None, "2026-01-01", 1.0), (1, None, 1.0)]
    assert ask(con, rows) == []
    assert ask(con, [], "customer_value") == []
    with pytest.raises(
        duckdb.Error, match="ml.cohort_value: period is 'fortnight'; accepted are 'day'"
    ):
        ask(con, ROWS, period="fortnight")
    with pytest.raises(
        duckdb.Error, match="ml.cohort_value: discount_rate is -1.0; it must be above -1"
    ):
        ask(con, ROWS, discount_rate=-1)


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp"])
@pytest.mark.parametrize("session", ["UTC", "Asia/Tokyo"])
def test_months_of_a_time_zone(con, session, kind):
    zone = "+00" if kind == "timestamptz" else ""
    source = f"(select 1 as u, {kind} ''2026-01-31 23:30:00{zone}'' as t, 1 as x)"
    call = f"select cohort from ml.cohort_value('{source}', 'u', 't', 'x', time_zone := '%s')"
    con.execute(f"set timezone = '{session}'")
    assert con.execute(call % "Europe/Berlin").fetchall() == [(datetime.date(2026, 2, 1),)]
    assert con.execute(call % "UTC").fetchall() == [(datetime.date(2026, 1, 1),)]
    con.execute("reset timezone")
