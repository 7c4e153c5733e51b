"""Attribution by rules against a plain loop over users, and its law: the credits sum to the conversions."""

from __future__ import annotations

import datetime
from itertools import permutations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.calls import load, options

BEGIN = datetime.datetime(2026, 1, 1)
RULES = ("first_touch", "last_touch", "last_non_direct", "linear", "position_based", "time_decay")


def fill(con, touches, conversions):
    load(con, '"all touches"', '"the user" int, t timestamp, "ch" varchar, cost double', touches)
    load(con, "sales", '"the user" int, day timestamp, amount double', conversions)


def ask(con, function, columns="*", **given):
    return con.execute(
        f"select {columns} from ml.{function}('\"all touches\"', 'the user', 't', 'ch', 'sales', "
        f"'day'{options(given)})"
    ).fetchall()


def touch(user, day, channel, cost=1.0):
    return (user, None if day is None else BEGIN + datetime.timedelta(days=day), channel, cost)


def reference(touches, conversions, lookback=30.0, since_previous=True):
    """Credits by (rule, channel), one conversion after another."""
    credits = {rule: {} for rule in RULES}
    for user, at, _ in conversions:
        earlier = [t for u, t, _ in conversions if u == user and user is not None and t < at]
        path = sorted(
            (t, c)
            for u, t, c, _ in touches
            if u == user and user is not None and c is not None and t is not None
            and t <= at and (at - t).total_seconds() <= lookback * 86400
            and not (since_previous and earlier and t <= max(earlier))
        )  # fmt: skip
        n = len(path)
        if not n:
            for rule in RULES:
                credits[rule][None] = credits[rule].get(None, 0) + 1
            continue
        others = [i for i, (_, c) in enumerate(path) if c != "direct"]
        decay = [2 ** (-(at - t).total_seconds() / 86400 / 7) for t, _ in path]
        middle = [0.2 / (n - 2)] * (n - 2) if n > 2 else []
        weights = {
            "first_touch": [1] + [0] * (n - 1),
            "last_touch": [0] * (n - 1) + [1],
            "last_non_direct": [float(i == (others[-1] if others else n - 1)) for i in range(n)],
            "linear": [1 / n] * n,
            "position_based": [1] if n == 1 else [0.5, 0.5] if n == 2 else [0.4, *middle, 0.4],
            "time_decay": [w / sum(decay) for w in decay],
        }
        for rule, shares in weights.items():
            for (_, channel), share in zip(path, shares, strict=True):
                credits[rule][channel] = credits[rule].get(channel, 0) + share
    return credits


events = st.lists(
    st.tuples(
        st.integers(1, 3), st.integers(0, 50), st.sampled_from(["search", "email", "direct", "ads"])
    ),
    max_size=15,
)
sales = st.lists(st.tuples(st.integers(1, 4), st.integers(10, 60)), min_size=1, max_size=6)


@settings(deadline=None, max_examples=12)
@given(events, sales, st.booleans())
def test_agrees_with_a_loop_over_conversions(con, touched, bought, since_previous):
    touches = [touch(*row) for row in touched]
    conversions = [(u, BEGIN + datetime.timedelta(days=d), 1.0) for u, d in bought]
    fill(con, touches, conversions)
    expected = reference(touches, conversions, since_previous=since_previous)
    found = ask(con, "attribution", "method, channel, conversions", since_previous=since_previous)
    sums = dict.fromkeys(RULES, 0.0)
    for rule, channel, credit in found:
        # sums of at most 15 shares
        assert credit == pytest.approx(expected[rule].get(channel, 0), abs=1e-13)
        sums[rule] += credit
    assert sums == pytest.approx(dict.fromkeys(RULES, len(bought)), abs=1e-12)
    assert {(rule, channel) for rule in RULES for channel in expected[rule]} <= {
        row[:2] for row in found
    }


def test_every_rule_by_hand(con):
    path = [touch(1, 0, "a"), touch(1, 7, "b"), touch(1, 14, "c"), touch(1, 14, "direct")]
    fill(con, path, [(1, BEGIN + datetime.timedelta(days=21), 70.0)])
    found = ask(con, "attribution_touches", "channel, " + ", ".join(RULES), value="amount")
    assert [row[0] for row in found] == ["a", "b", "c", "direct"]
    by_rule = dict(zip(RULES, list(zip(*found, strict=True))[1:], strict=True))
    assert by_rule["first_touch"] == (1, 0, 0, 0)
    assert by_rule["last_touch"] == (0, 0, 0, 1)
    assert by_rule["last_non_direct"] == (0, 0, 1, 0)
    assert by_rule["linear"] == (0.25,) * 4
    assert by_rule["position_based"] == pytest.approx((0.4, 0.1, 0.1, 0.4))
    assert by_rule["time_decay"] == pytest.approx((1 / 11, 2 / 11, 4 / 11, 4 / 11))
    uneven = ask(con, "attribution_touches", "position_based", first_share=0.5, last_share=0.3)
    assert [row[0] for row in uneven] == pytest.approx([0.5, 0.1, 0.1, 0.3])
    # 1 - 0.9 - 0.1 and 1 - 0.7 - 0.3 are not 0, and what a touch cost would be divided by that
    for first, last in [(0.9, 0.1), (0.7, 0.3)]:
        ends = ask(con, "attribution_touches", "position_based", first_share=first, last_share=last)
        assert [row[0] for row in ends] == [first, 0, 0, last]
    steep = ask(con, "attribution_touches", "time_decay", half_life="1 hour")
    assert steep[-1][0] == pytest.approx(0.5)
    short = ask(
        con,
        "attribution_touches",
        "channel, position_based",
        lookback="7 days",
        first_share=0.6,
        last_share=0.2,
    )
    assert short == [("c", pytest.approx(0.75)), ("direct", pytest.approx(0.25))]
    none = ask(
        con, "attribution_touches", "position_based", lookback="7 days", first_share=0, last_share=0
    )
    assert none == [(0.5,), (0.5,)]
    passed = ask(con, "attribution_touches", "last_non_direct", direct="C")
    assert [row[0] for row in passed] == [0, 0, 0, 1]
    assert len(ask(con, "attribution_touches", lookback=None)) == 4


def test_channels_that_are_equal_but_for_rounding_are_in_order(con):
    """Six channels with a half, a third and a tenth each, added up in six orders."""
    shares = list(permutations([2, 3, 10]))
    names = [f"c{i}" for i in range(len(shares))]
    touches, conversions = [], []
    for place in range(3):
        for name, lengths in zip(names, shares, strict=True):
            user = len(conversions)
            others = [touch(user, i, "other") for i in range(1, lengths[place])]
            touches += [touch(user, 0, name), *others]
            conversions.append((user, BEGIN + datetime.timedelta(days=9), 1.0))
    fill(con, touches, conversions)
    found = ask(con, "attribution", "method, channel")
    assert [channel for method, channel in found if method == "linear"] == ["other", *names]
    weights = permutations([0.1, 0.2, 0.3])
    paths = [
        f"(repeat(''{name}>'', {i + 1}), {weight})"
        for name, three in zip(names, weights, strict=True)
        for i, weight in enumerate(three)
    ]
    source = f"(from (values {', '.join(paths)}) as t(path, n))"
    for function in ("shapley_attribution", "markov_attribution"):
        found = con.execute(f"select channel from ml.{function}('{source}', 'path', 'n')")
        assert found.fetchall() == [(name,) for name in names]


def test_revenue_cost_and_return(con):
    touches = [
        touch(1, 0, "ads", 10.0),
        touch(1, 1, "email", 1.0),
        touch(2, 0, "ads", 30.0),
        touch(None, 0, "radio", 5.0),
        touch(9, None, None, 7.0),
    ]
    fill(
        con,
        touches,
        [(1, BEGIN + datetime.timedelta(days=2), 100.0), (None, BEGIN, 8.0), (3, None, None)],
    )
    columns = "channel, conversions, share, revenue, cost, roas, cost_per_conversion"
    found = {
        row[0]: row[1:]
        for row in ask(con, "attribution", f"{columns}, method", value="amount", cost="cost")
        if row[-1] == "linear"
    }
    assert found["ads"][:-1] == (0.5, pytest.approx(1 / 6), 50, 40, 1.25, 80)
    assert found["email"][3:5] == (1, 50)
    assert found["radio"][:-1] == (0, 0, 0, 5, 0, None)
    # conversions of nobody, and the cost of touches without a channel
    assert found[None][:-1] == (2, pytest.approx(2 / 3), 8, 7, pytest.approx(8 / 7), 3.5)
    without = ask(con, "attribution", "distinct revenue, cost, roas, cost_per_conversion")
    assert without == [(None, None, None, None)]


def test_touches_of_an_earlier_conversion(con):
    day = [BEGIN + datetime.timedelta(days=d) for d in range(9)]
    fill(
        con,
        [touch(1, 1, "a"), touch(1, 4, "b")],
        [(1, day[3], 1.0), (1, day[5], 1.0), (1, day[5], 2.0), (1, day[8], 1.0)],
    )
    columns = "day(converted_at) - 1, value, channel, n_touches"
    assert ask(con, "attribution_touches", columns, value="amount") == [
        (3, 1, "a", 1), (5, 1, "b", 1), (5, 2, "b", 1), (8, 1, None, 0),
    ]  # fmt: skip
    every = ask(con, "attribution_touches", columns, since_previous=False)
    assert [row[2:] for row in every] == [("a", 1)] + [("a", 2), ("b", 2)] * 3


def test_nothing_to_attribute(con):
    fill(con, [touch(1, 1, "a")], [])
    found = ask(con, "attribution", "channel, conversions, share, revenue", value="amount")
    assert found == [("a", 0, None, None)] * 6
    fill(con, [], [(1, BEGIN, 5.0)])
    assert (
        ask(con, "attribution", "channel, conversions, revenue", value="amount")
        == [(None, 1, 5)] * 6
    )
    fill(con, [], [])
    assert ask(con, "attribution") == []
    assert ask(con, "attribution_touches") == []
    assert ask(con, "conversion_paths") == []


def test_wrong_options_are_errors(con):
    fill(con, [touch(1, 1, "a")], [(1, BEGIN + datetime.timedelta(days=2), 1.0)])
    with pytest.raises(
        duckdb.Error,
        match="ml.attribution: first_share is 0.7 and last_share is 0.4; they must be shares",
    ):
        ask(con, "attribution", first_share=0.7)
    with pytest.raises(
        duckdb.Error,
        match="ml.attribution_touches: half_life is 0 days; it must be an interval longer than nothing",
    ):
        ask(con, "attribution_touches", half_life="0 days")


def test_paths(con):
    day = [BEGIN + datetime.timedelta(days=d) for d in range(60)]
    touches = [
        touch(1, 0, "a"), touch(1, 1, "b"), touch(1, 9, "c"),  # converts on day 2, then open
        touch(2, 0, "a"), touch(2, 1, "b"),  # open
        touch(3, 0, "a"), touch(3, 1, "b"), touch(4, 0, "a"),  # 4: too early for its conversion
        touch(None, 0, "z"), touch(2, 3, None),
    ]  # fmt: skip
    fill(con, touches, [(1, day[2], 10.0), (3, day[2], 5.0), (4, day[50], 7.0)])
    assert ask(con, "conversion_paths", value="amount") == [
        (["a", "b"], 2, 15, 1), ([], 1, 7, 0), (["c"], 0, None, 1),
    ]  # fmt: skip


def test_a_user_of_many_touches_and_conversions(con):
    # all pairs of them would be 4 · 10^8
    con.execute(
        "create or replace table many as select 1 as u, timestamp '2026-01-01' + to_seconds(i) as t, 'c' as c "
        "from range(20000) r(i)"
    ).fetchall()
    found = con.execute(
        "select count(*), max(n_touches) from ml.attribution_touches('many', 'u', 't', 'c', 'many', 't')"
    ).fetchall()
    assert found == [(20000, 1)]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_the_hour_that_comes_twice_in_autumn(con, zone):
    # on the clocks of New York the touch is at 01:50, and the conversion 20 minutes later at 01:10
    touches, bought = (
        f"(select 1 as u, ''c'' as c, timestamptz ''2024-11-03 {time}:00+00'' as t)"
        for time in ("05:50", "06:10")
    )
    con.execute(f"set timezone = '{zone}'")
    try:
        found = con.execute(
            f"select n_touches from ml.attribution_touches('{touches}', 'u', 't', 'c', '{bought}', 't')"
        ).fetchall()
    finally:
        con.execute("reset timezone")
    assert found == [(1,)]
