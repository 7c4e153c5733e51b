"""Retention and cohorts against a loop over users, and the clocks' boundary case."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import floor

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.journeys.conftest import BEGIN

HOUR = 60
DAY = 24 * HOUR
# hours apart, on either side of midnight, of a full hour and of a week's end
minutes = st.integers(0, 20 * 24).map(lambda hours: hours * HOUR + (hours * 37) % 60)
visits = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, None]), st.one_of(st.none(), minutes), st.sampled_from("SRX")
    ),
    max_size=25,
)


def later_period(start, back, clock, period):
    """Number of the period of a return, by the clock; times are minutes since Sunday, 1 March 2026."""
    days = {"day": 1, "week": 7}[period]
    if clock == "calendar":
        # weeks begin on Monday, a day after BEGIN
        offset = 6 * DAY if period == "week" else 0
        return (back + offset) // (days * DAY) - (start + offset) // (days * DAY)
    if clock == "amplitude_rolling":
        return floor((back // HOUR - start // HOUR) / (24 * days))
    return (back - start) // (days * DAY)


def first_of_bins(starts, clock, period):
    """With start 'every': the first start event of each day, week, hour or time."""
    kept = {}
    for start in sorted(starts):
        unit = {"amplitude_rolling": start // HOUR, "exact": start}.get(clock)
        kept.setdefault(later_period(0, start, clock, period) if unit is None else unit, start)
    return sorted(kept.values())


def by_loop(rows, clock, period, method, every, same):
    """Starts, and those retained in periods 0 to 4."""
    n, retained = 0, [0] * 5
    for user in (1, 2, 3):
        mine = [(m, e) for u, m, e in rows if u == user and m is not None]
        starts = first_of_bins([m for m, e in mine if e == "S"], clock, period)
        for start in starts if every else starts[:1]:
            n += 1
            back = {
                later_period(start, m, clock, period)
                for m, e in mine
                if m >= start and e == ("S" if same else "R")
            }
            for k in range(5):
                retained[k] += (k in back) if method == "period" else any(b >= k for b in back)
    return n, retained


@pytest.mark.parametrize("clock, day", [("exact", 0), ("amplitude_rolling", 1), ("calendar", 1)])
def test_the_same_events_on_three_clocks(con, day, clock):
    # Amplitude's documentation, case 97 of the reference: 1 December 17:59, 2 December 17:00
    source = (
        "(select * from (values (1, timestamp ''2020-12-01 17:59'', ''s''), "
        "(1, timestamp ''2020-12-02 17:00'', ''r'')) t(u, t, e))"
    )
    rows = con.execute(
        f"select period, retained from ml.retention('{source}', 'u', 't', event := 'e', "
        f"start_event := 's', return_event := 'r', clock := '{clock}', periods := 2)"
    ).fetchall()
    assert rows == [(k, int(k == day)) for k in range(3)]


@settings(deadline=None, max_examples=20)
@given(
    rows=visits,
    clock=st.sampled_from(["calendar", "amplitude_rolling", "exact"]),
    period=st.sampled_from(["day", "week"]),
    method=st.sampled_from(["period", "rolling", "unbounded"]),
    every=st.booleans(),
    same=st.booleans(),
)
def test_agrees_with_a_loop(load, ask, rows, clock, period, method, every, same):
    load(rows)
    found = ask(
        "retention", "event := 'event'", "start_event := 'S'",
        f"return_event := '{'S' if same else 'R'}'", f"clock := '{clock}'", f"period := '{period}'",
        f"method := '{method}'", f"start := '{'every' if every else 'first'}'", "periods := 4",
    )  # fmt: skip
    n, retained = by_loop(rows, clock, period, method, every, same)
    assert [row["users"] for row in found] == [n] * 5
    assert [row["retained"] for row in found] == retained
    assert [row["retention"] for row in found] == [r / n if n else None for r in retained]


def test_weeks_begin_on_monday(load, ask):
    # BEGIN is a Sunday; Wednesday, Sunday, Monday and Thursday after it
    load([(1, day * DAY + 5, "S") for day in (3, 7, 8, 11)])
    rows = ask("cohorts", "period := 'week'")
    assert [(row["cohort"], row["period"]) for row in rows] == [
        (BEGIN + timedelta(days=1), 0), (BEGIN + timedelta(days=1), 1),
    ]  # fmt: skip
    weeks = ask("lifecycle", "period := 'week'")
    assert [row["period_start"] for row in weeks] == [BEGIN + timedelta(days=d) for d in (1, 8)]
    # Tuesday and Friday are of one week: date_diff alone counts weeks from the day of 1970-01-01
    load([(1, 9 * DAY, "S"), (1, 12 * DAY, "S")])
    rows = ask("retention", "period := 'week'", "periods := 1", "method := 'rolling'")
    assert [row["retained"] for row in rows] == [1, 0]


def test_times_before_1970(con):
    times = (
        "timestamp ''1969-12-28 22:30'', timestamp ''1969-12-29 22:10''"  # a Sunday and a Monday
    )
    source = f"(select 1 as u, unnest([{times}]) as t)"
    weeks = con.execute(f"select period_start from ml.lifecycle('{source}', 'u', 't', 'week')")
    assert weeks.fetchall() == [(datetime(1969, 12, 22),), (datetime(1969, 12, 29),)]
    # from 22:00 to 22:00 it is a day
    call = f"ml.retention('{source}', 'u', 't', clock := 'amplitude_rolling', periods := 1)"
    assert con.execute(f"select retained from {call}").fetchall() == [(1,), (1,)]


def test_brackets(load, ask):
    load(
        [(1, 0, "S"), (1, 2 * DAY, "S"), (2, 0, "S"), (2, DAY, "S"), (2, 9 * DAY, "S"), (3, 0, "S")]
    )
    rows = ask("retention", "method := 'bracket'", "brackets := [0, 1, 2, 7]", "periods := 9")
    assert [(row["period"], row["last_period"], row["retained"]) for row in rows] == [
        (0, 0, 3), (1, 1, 1), (2, 6, 1), (7, 9, 1),
    ]  # fmt: skip
    rows = ask(
        "retention", "method := 'bracket'", "brackets := [0, 1, 2, 7]", "periods := 9",
        "start := 'every'", "clock := 'exact'",
    )  # fmt: skip
    assert [(row["users"], row["retained"]) for row in rows] == [(6, 6), (6, 1), (6, 1), (6, 2)]


def test_periods_that_have_not_passed_can_be_left_out(load, ask):
    # the last event is on day 3: only days 0 to 2 have passed
    load([(1, 0, "S"), (1, DAY, "S"), (2, DAY, "S"), (2, 3 * DAY, "S")])
    rows = ask("retention", "periods := 3", "complete := true")
    assert [(row["users"], row["retained"]) for row in rows] == [(2, 2), (2, 1), (1, 0), (0, 0)]
    assert rows[3]["retention"] is None


def test_conditions_may_be_sql(load, ask):
    load([(1, 0, "S"), (1, DAY, "R"), (2, 0, "X")])
    rows = ask(
        "retention", "start_event := 'event in (''S'', ''X'') -- one of them'", "periods := 1"
    )
    assert [(row["users"], row["retained"]) for row in rows] == [(2, 2), (2, 1)]


def test_days_are_those_of_the_zone(load, ask):
    load([(1, 22 * HOUR, "S"), (1, 23 * HOUR + 30, "S")])
    for zone, days in (("null", 0), ("'Europe/Berlin'", 1)):
        rows = ask("retention", "periods := 1", "method := 'rolling'", f"time_zone := {zone}")
        assert rows[1]["retained"] == days


def test_cohorts_are_the_triangle(load, ask):
    rows = [(1, 0, "S"), (1, DAY, "S"), (2, DAY, "S"), (2, 3 * DAY, "S"), (3, 3 * DAY, "S")]
    load(rows)
    table = ask("cohorts", "period := 'day'", "periods := 9")
    cells = {(row["cohort"], row["period"]): (row["users"], row["retained"]) for row in table}
    first = {1: 0, 2: 1, 3: 3}
    expected = {}
    for day in {0, 1, 3}:
        members = [u for u in first if first[u] == day]
        for k in range(4 - day):
            back = {u for u, m, _ in rows if u in members and m // DAY == day + k}
            expected[BEGIN + timedelta(days=day), k] = (len(members), len(back))
    assert cells == expected
    assert [row["is_complete"] for row in table if row["cohort"] == BEGIN] == [
        True,
        True,
        True,
        False,
    ]


def test_cohorts_of_a_property(load, ask):
    load([(1, 0, "A"), (1, DAY, "B"), (2, DAY, "B"), (2, 2 * DAY, "A"), (3, 0, None)])
    table = ask("cohorts", "cohort := 'event'", "period := 'day'", "periods := 1")
    assert [(row["cohort"], row["period"], row["users"], row["retained"]) for row in table] == [
        ("A", 0, 1, 1), ("A", 1, 1, 1), ("B", 0, 1, 1), ("B", 1, 1, 1), (None, 0, 1, 1), (None, 1, 1, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("events", ["AB", "BA"])
def test_a_cohort_of_events_at_the_same_time(load, ask, events):
    load([(1, 0, event) for event in events])
    assert {row["cohort"] for row in ask("cohorts", "cohort := 'event'")} == {"A"}


def test_nobody_starts(load, ask):
    load([(None, 0, "S"), (1, None, "S")])
    rows = ask("retention", "periods := 1")
    assert [(row["users"], row["retained"], row["retention"]) for row in rows] == [(0, 0, None)] * 2
    assert ask("cohorts") == []


def test_times_with_a_zone(con):
    con.execute("set timezone = 'UTC'")
    source = "(select 1 as u, unnest([''2026-03-01 10:00+00'', ''2026-03-02 10:00+00'']::timestamptz[]) as t)"
    rows = con.execute(
        f"select cohort from ml.cohorts('{source}', 'u', 't', period := 'day')"
    ).fetchall()
    assert rows == [(datetime(2026, 3, 1),)] * 2


@pytest.mark.parametrize(
    "function, argument, message",
    [
        ("retention", "clock := 'mixpanel'", "clock is mixpanel; it must be one of calendar, amplitude_rolling, exact"),
        ("retention", "period := 'fortnight'", "period is fortnight; it must be one of hour, day"),
        ("retention", "clock := 'exact', period := 'year'", "period of this clock is year"),
        ("retention", "method := 'cumulative'", "method is cumulative; it must be one of period, rolling"),
        ("retention", "start := 'last'", "start is last; it must be one of first, every"),
        ("retention", "periods := -1", "periods is -1; it must be 0 or more"),
        ("retention", "method := 'bracket'", "brackets is NULL; give the first period of each"),
        ("retention", "method := 'bracket', brackets := [3, 1]", "the first periods must ascend"),
        ("cohorts", "periods := null", "periods is NULL; it must be 0 or more"),
        ("cohorts", "period := 'fortnight'", "ml.cohorts: period is fortnight"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_an_error(load, ask, function, argument, message):
    load([(1, 0, "S"), (1, 5, "S")])
    with pytest.raises(duckdb.Error, match=message):
        ask(function, argument)
