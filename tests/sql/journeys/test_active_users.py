"""Lifecycle, stickiness and active users against sets of users by day."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.journeys.conftest import BEGIN, at

DAY = 24 * 60
days = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, 4, None]),
        st.one_of(st.none(), st.integers(0, 70).map(lambda sixth: sixth * 4 * 60)),
        st.just("A"),
    ),
    max_size=30,
)
KINDS = ("new_users", "returning_users", "resurrecting_users", "dormant_users")


def by_day(rows):
    """Sets of users of each day from the first to the last with events."""
    active = {}
    for user, minute, _ in rows:
        if user is not None and minute is not None:
            active.setdefault(minute // DAY, set()).add(user)
    return (
        {day: active.get(day, set()) for day in range(min(active), max(active) + 1)}
        if active
        else {}
    )


def test_the_references_lifecycle(load, ask):
    # case 99: users a to e on days 0 to 3
    paths = {1: [0, 1], 2: [0, 2], 3: [0, 3], 4: [1, 2], 5: [1]}
    load([(user, day * DAY, "A") for user, active in paths.items() for day in active])
    assert [tuple(row[kind] for kind in KINDS) for row in ask("lifecycle")] == [
        (3, 0, 0, 0), (2, 1, 0, 2), (0, 1, 1, 2), (0, 0, 1, 2),
    ]  # fmt: skip


@settings(deadline=None, max_examples=20)
@given(rows=days)
def test_lifecycle_agrees_with_sets(load, ask, rows):
    load(rows)
    active, seen, expected = by_day(rows), set(), []
    for day, users in active.items():
        before = active.get(day - 1, set())
        kinds = (users - seen, users & before, (users & seen) - before, before - users)
        expected.append((BEGIN + timedelta(days=day), len(users), *map(len, kinds)))
        seen |= users
    found = ask("lifecycle")
    assert [
        (row["period_start"], row["active_users"], *(row[kind] for kind in KINDS)) for row in found
    ] == expected


@settings(deadline=None, max_examples=20)
@given(rows=days, week=st.integers(1, 4))
def test_active_users_agree_with_sets(load, ask, rows, week):
    load(rows)
    active = by_day(rows)
    expected = [
        (
            (BEGIN + timedelta(days=day)).date(),
            len(users),
            *(len(set().union(*(active.get(day - k, set()) for k in range(n)))) for n in (week, 6)),
        )
        for day, users in active.items()
    ]
    found = ask("active_users", f"week_days := {week}", "month_days := 6")
    assert [(row["day"], row["daily"], row["weekly"], row["monthly"]) for row in found] == expected
    for row in found:
        assert row["daily_share_of_monthly"] == (
            row["daily"] / row["monthly"] if row["monthly"] else None
        )


@settings(deadline=None, max_examples=20)
@given(rows=days)
def test_stickiness_agrees_with_sets(load, ask, rows):
    load(rows)
    active = by_day(rows)
    number = {u: sum(u in users for users in active.values()) for u in (1, 2, 3, 4)}
    counts = sorted(n for n in number.values() if n)
    found = ask("stickiness", "period := 'year'")
    assert [
        (row["active_units"], row["users"], row["share"], row["share_at_least"]) for row in found
    ] == [
        (
            n,
            counts.count(n),
            counts.count(n) / len(counts),
            sum(m >= n for m in counts) / len(counts),
        )
        for n in sorted(set(counts))
    ]


def test_who_was_created_before_is_not_new(con):
    con.execute(
        "create or replace table signups as select * from (values "
        "(1, timestamp '2026-03-02', timestamp '2026-03-01'), (2, '2026-03-02', '2026-03-02'), "
        "(3, '2026-03-02', null)) t(u, t, born)"
    )
    row = con.execute(
        "select new_users, resurrecting_users from ml.lifecycle('signups', 'u', 't', created := 'born')"
    ).fetchone()
    assert row == (2, 1)


def test_days_are_those_of_the_zone(load, ask):
    load([(1, 23 * 60 + 30, "A")])
    assert [row["day"] for row in ask("active_users")] == [at(0).date()]
    berlin = ask("active_users", "time_zone := 'Europe/Berlin'")
    assert [row["day"] for row in berlin] == [at(DAY).date()]


@pytest.mark.parametrize("function", ["lifecycle", "stickiness", "active_users"])
def test_nobody(load, ask, function):
    load([])
    assert ask(function) == []


@pytest.mark.parametrize(
    "function, argument, message",
    [
        (
            "lifecycle",
            "period := 'days'",
            "ml.lifecycle: period is days; it must be one of hour, day, week",
        ),
        ("stickiness", "period := null", "ml.stickiness: period is NULL; it must be one of"),
        ("stickiness", "unit := 'minute'", "ml.stickiness: unit is minute; it must be one of"),
    ],
)
def test_an_unknown_period_is_an_error(load, ask, function, argument, message):
    load([(1, 0, "A")])
    with pytest.raises(duckdb.Error, match=message):
        ask(function, argument)
