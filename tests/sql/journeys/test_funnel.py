"""Funnels against searches through all chains, ClickHouse's algorithm, and published cases."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations, permutations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.journeys.conftest import at, user_events

STEPS = "ABC"
# Bloomreach's example, case 95 of the reference: the steps A to E of four users
BLOOMREACH = ["ABCDE", "ABFCDE", "ABCE", "ABCEDE"]


def listed(steps):
    return "[" + ", ".join("'" + step.replace("'", "''") + "'" for step in steps) + "]"


def funnel(ask, *arguments, steps=STEPS):
    return ask("funnel", listed(steps), "event := 'event'", *arguments)


def depths(ask, *arguments, steps=STEPS):
    rows = ask("funnel_users", listed(steps), "event := 'event'", *arguments)
    return {row["user_id"]: row["steps_reached"] for row in rows}


def in_order(rows, user, steps=STEPS):
    """A user's (minute, step) as funnels take them: at equal times in the order of the steps."""
    mine = [(m, steps.find(e) + 1) for u, m, e in rows if u == user and m is not None]
    return sorted(mine)


def deepest_chain(events, mode, window, step_window):
    """The depth by trying every choice of events; their number is small."""
    deepest = 0
    for n in range(1, len(STEPS) + 1):
        for chain in combinations(range(len(events)), n):
            minutes = [events[i][0] for i in chain]
            steps = [events[i][1] for i in chain]
            orders = (
                permutations(range(1, len(STEPS) + 1), n)
                if mode == "any_order"
                else [range(1, n + 1)]
            )
            if not any(list(order) == steps for order in orders):
                continue
            pauses = [b - a for a, b in zip(minutes, minutes[1:], strict=False)]
            if minutes[-1] - minutes[0] > window or any(pause > step_window for pause in pauses):
                continue
            if mode == "strict" and chain != tuple(range(chain[0], chain[0] + n)):
                continue
            if mode == "strict_increase" and 0 in pauses:
                continue
            deepest = n
    return deepest


def clickhouse(events, mode, window):
    """What windowFunnel does, event by event (getEventLevelNonStrictOnce of its source)."""
    reached = [None] * len(STEPS)  # the start of the latest chain that has come this far
    for minute, step in events:
        k = step - 1
        started = reached[0] is not None
        if step == 0:
            if mode in ("strict_order", "allow_reentry") and started:
                break
        elif step == 1:
            reached[0] = minute
        elif mode == "strict_deduplication" and reached[k] is not None:
            break
        elif reached[k - 1] is None:
            if mode == "strict_order" and started:
                break
        elif minute <= reached[k - 1] + window:
            reached[k] = reached[k - 1]
            if step == len(STEPS):
                break
    return max((k + 1 for k, start in enumerate(reached) if start is not None), default=0)


@pytest.mark.parametrize(
    "mode, expected, counts",
    [
        ("ordered", [5, 5, 3, 5], [4, 4, 4, 3, 3]),
        ("window_funnel", [5, 5, 3, 5], [4, 4, 4, 3, 3]),
        ("strict_once", [5, 5, 3, 5], [4, 4, 4, 3, 3]),
        ("strict", [5, 2, 3, 3], [4, 4, 3, 1, 1]),
        ("any_order", [5, 5, 4, 5], [4, 4, 4, 4, 3]),
        # F is no step and E comes before its turn
        ("strict_order", [5, 2, 3, 3], [4, 4, 3, 1, 1]),
        ("allow_reentry", [5, 2, 3, 5], [4, 4, 3, 2, 2]),
        ("strict_deduplication", [5, 5, 3, 5], [4, 4, 4, 3, 3]),
    ],
)
def test_bloomreachs_example(load, ask, mode, expected, counts):
    load([(u, m, e) for u, path in enumerate(BLOOMREACH, 1) for m, e in enumerate(path)])
    arguments = ("mode := '" + mode + "'",)
    assert depths(ask, *arguments, steps="ABCDE") == dict(enumerate(expected, 1))
    assert [row["users"] for row in funnel(ask, *arguments, steps="ABCDE")] == counts


@pytest.mark.parametrize(
    "mode, path, depth",
    [
        # ClickHouse's documentation: A→B→D→C stops at D
        ("strict_order", "ABDC", 2),
        # and: A→A→B→C is found by passing over the second A
        ("allow_reentry", "AABC", 3),
        ("strict_deduplication", "ABBC", 2),
        ("ordered", "ABBC", 3),
        ("strict", "AABC", 3),
    ],
)
def test_documented_examples(load, ask, mode, path, depth):
    load([(1, m, e) for m, e in enumerate(path)])
    assert depths(ask, f"mode := '{mode}'") == {1: depth}


@settings(deadline=None, max_examples=10)
@given(
    rows=user_events.map(lambda rows: rows[:16]),
    window=st.sampled_from([3, 12, 99]),
    step_window=st.sampled_from([2, 9, 99]),
)
@pytest.mark.parametrize("mode", ["ordered", "strict", "strict_increase", "any_order"])
def test_the_deepest_chain_is_found(load, ask, mode, rows, window, step_window):
    load(rows)
    arguments = [f"mode := '{mode}'", f"within := '{window} minutes'"]
    if mode == "any_order":
        step_window = 99
    else:
        arguments.append(f"step_windows := ['{step_window} minutes', '{step_window} minutes']")
    expected = {u: deepest_chain(in_order(rows, u), mode, window, step_window) for u in (1, 2, 3)}
    expected = {u: depth for u, depth in expected.items() if depth}
    assert depths(ask, *arguments) == expected
    users = [row["users"] for row in funnel(ask, *arguments)]
    assert users == [sum(depth > k for depth in expected.values()) for k in range(len(STEPS))]


@settings(deadline=None, max_examples=10)
@given(rows=user_events, window=st.sampled_from([3, 12, 99]))
@pytest.mark.parametrize(
    "mode", ["window_funnel", "strict_deduplication", "strict_order", "allow_reentry"]
)
def test_clickhouses_modes(load, ask, mode, rows, window):
    load(rows)
    expected = {u: clickhouse(in_order(rows, u), mode, window) for u in (1, 2, 3)}
    assert depths(ask, f"mode := '{mode}'", f"within := interval {window} minutes") == {
        u: depth for u, depth in expected.items() if depth
    }


def test_one_event_may_be_several_steps(load, ask):
    load([(1, 0, "A"), (1, 0, "A"), (2, 0, "A")])
    steps = listed(["event = 'A'", "event in ('A', 'B')"])

    def reached(mode):
        rows = ask("funnel_users", steps, f"mode := '{mode}'")
        return {row["user_id"]: row["steps_reached"] for row in rows}

    assert reached("ordered") == {1: 2, 2: 1}
    assert reached("window_funnel") == {1: 2, 2: 2}
    assert reached("strict_increase") == {1: 1, 2: 1}


def latest_chain(events, mode, window, step_window):
    """The chain that first reached most steps, each step the latest one before: a list of chains."""
    latest, best, over = {}, [], False
    for minute, step in events:
        if over:
            break
        before = latest.get(step - 1, [])
        near = before and minute - before[0] <= window and minute - before[-1] <= step_window
        stops = {
            "strict_deduplication": step > 1 and step in latest,
            "strict_order": 1 in latest and (step == 0 or (step > 1 and not before)),
            "allow_reentry": 1 in latest and step == 0,
        }
        over = stops.get(mode, False)
        chain = [minute] if step == 1 else [*before, minute] if near else None
        if mode == "strict":
            latest = {}
        if chain and step:
            latest[step] = chain
            best = chain if len(chain) > len(best) else best
    return best


@settings(deadline=None, max_examples=8)
@given(
    rows=user_events,
    window=st.sampled_from([5, 15, None]),
    step_window=st.sampled_from([4, 9, None]),
    breakdown=st.booleans(),
)
@pytest.mark.parametrize(
    "mode", ["ordered", "strict", "strict_deduplication", "strict_order", "allow_reentry"]
)
def test_the_times_of_every_mode(load, ask, mode, rows, window, step_window, breakdown):
    load(rows)
    arguments = [f"mode := '{mode}'"]
    if window is not None:
        arguments.append(f"within := '{window} minutes'")
    if step_window is not None:
        arguments.append(f"step_windows := ['{step_window} minutes', '{step_window} minutes']")
    expected = {
        u: latest_chain(in_order(rows, u), mode, window or 99, step_window or 99) for u in (1, 2, 3)
    }
    if breakdown:
        arguments.append("breakdown := 'event'")
    found = ask("funnel_users", listed(STEPS), "event := 'event'", *arguments)
    assert {row["user_id"]: row["times"] for row in found} == {
        u: [at(m) for m in chain] for u, chain in expected.items() if chain
    }
    labels = STEPS if breakdown else [None] * len(STEPS)
    assert all(row["breakdowns"] == list(labels[: row["steps_reached"]]) for row in found)


def test_many_steps_and_far_times(con, load, ask):
    steps = "ABCDEFGH"
    load([(1, m, e) for m, e in enumerate(steps)] + [(2, m, e) for m, e in enumerate("ABDCEH")])
    con.execute(
        """insert into "my events" values (3, '0001-01-01', 'A'), (3, '9999-12-31', 'B'),
        (3, 'infinity', 'C'), (4, '-infinity', 'A')"""
    )
    for n in (3, 8):  # as numbers of 64 bits, and of 128
        assert depths(ask, steps=steps[:n]) == {1: n, 2: 3, 3: 2}
    with_windows = f"step_windows := [{', '.join(['null'] * 7)}]"
    assert depths(ask, with_windows, steps=steps) == {1: 8, 2: 3, 3: 2}


def test_a_step_may_be_repeated(load, ask):
    load([(1, 0, "A"), (1, 5, "B"), (1, 6, "A"), (2, 0, "A"), (2, 1, "B"), (3, 0, "A")])
    assert depths(ask, steps="ABA") == {1: 3, 2: 2, 3: 1}
    assert depths(ask, "step_windows := ['5 minutes']", steps="AA") == {1: 1, 2: 1, 3: 1}
    assert depths(ask, steps="AA") == {1: 2, 2: 1, 3: 1}


def test_times_are_of_one_chain(load, ask):
    load(
        [
            (1, 0, "A"),
            (1, 20, "A"),
            (1, 21, "B"),
            (1, 22, "B"),
            (1, 25, "C"),
            (2, 5, "A"),
            (2, 9, "B"),
        ]
    )
    rows = {
        row["user_id"]: row
        for row in ask("funnel_users", listed(STEPS), "event := 'event'", "within := '10 minutes'")
    }
    assert rows[1]["times"] == [at(20), at(22), at(25)]
    assert rows[1]["duration"] == timedelta(minutes=5)
    assert rows[2]["times"] == [at(5), at(9)]
    steps = funnel(ask, "within := '10 minutes'")
    assert [row["median_time"] for row in steps] == [
        None,
        timedelta(minutes=3),
        timedelta(minutes=3),
    ]
    assert [row["conversion_from_start"] for row in steps] == [1, 1, 0.5]
    assert [row["conversion_from_previous"] for row in steps] == [None, 1, 0.5]


def test_the_latest_event_of_a_step_may_be_too_far_from_the_one_before(load, ask):
    load(
        [(1, 0, "A"), (1, 1, "B"), (1, 9, "B"), (1, 10, "C"), (2, 0, "A"), (2, 2, "B"), (2, 3, "B")]
    )
    windows = "step_windows := ['5 minutes', '10 minutes']"
    for within in ("null", "'10 minutes'"):
        rows = ask(
            "funnel_users", listed(STEPS), "event := 'event'", windows, f"within := {within}"
        )
        times = {row["user_id"]: row["times"] for row in rows}
        assert times == {1: [at(0), at(1), at(10)], 2: [at(0), at(2)]}


def test_sessions_and_breakdowns(con):
    con.execute(
        "create or replace table visits as select * from (values "
        "(1, 1, 'A', 'web', 0), (1, 2, 'B', 'app', 1), (1, 2, 'A', 'web', 2), "
        "(2, 3, 'A', 'app', 0), (2, 3, 'B', 'web', 1), (2, null, 'C', 'web', 2)) "
        "v(u, s, e, device, m)"
    )
    con.execute("alter table visits add column t timestamp")
    con.execute("update visits set t = timestamp '2026-03-01' + to_minutes(m)")

    def ask(arguments):
        return con.execute(
            "select breakdown, step, users from "
            f"ml.funnel('visits', 'u', 't', ['A', 'B', 'C'], event := 'e', {arguments})"
        ).fetchall()

    assert ask("session := 's'") == [(None, 1, 2), (None, 2, 1), (None, 3, 0)]
    assert ask("breakdown := 'device', attribution := 'first'") == [
        ("app", 1, 1), ("app", 2, 1), ("app", 3, 1), ("web", 1, 1), ("web", 2, 1), ("web", 3, 0),
    ]  # fmt: skip
    assert ask("breakdown := 'device', attribution := 'last'") == [
        ("app", 1, 1), ("app", 2, 1), ("app", 3, 0), ("web", 1, 1), ("web", 2, 1), ("web", 3, 1),
    ]  # fmt: skip
    assert ask("breakdown := 'device', attribution := 'step'") == [
        ("app", 1, 1), ("app", 2, 1), ("app", 3, 0), ("web", 1, 1), ("web", 2, 1), ("web", 3, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("session", ["null", "'s'"])
@pytest.mark.parametrize("mode", ["ordered", "any_order"])
def test_ties_do_not_depend_on_the_order_of_rows(con, mode, session):
    # sessions that end at the same time, and events that differ in the breakdown alone
    rows = "(select 1 as u, i % 2 as s, date ''2026-03-01'' as t, ''AB''[i % 3 % 2 + 1] as e, i as d from range(12) r(i) order by d {way})"
    found = [
        con.execute(
            f"select breakdowns from ml.funnel_users('{rows.format(way=way)}', 'u', 't', ['A', 'B'], event := 'e', "
            f"mode := '{mode}', session := {session}, breakdown := 'd')"
        ).fetchall()
        for way in ("asc", "desc")
    ]
    assert found[0] == found[1]


def test_nobody(load, ask):
    load([])
    assert [row["users"] for row in funnel(ask)] == [0, 0, 0]
    assert ask("funnel_users", listed(STEPS), "event := 'event'") == []
    load([(1, 0, "B"), (None, 0, "A"), (2, None, "A")])
    for mode in ("ordered", "strict", "strict_order", "window_funnel"):
        assert [row["users"] for row in funnel(ask, f"mode := '{mode}'")] == [0, 0, 0]


def test_one_step(load, ask):
    load([(1, 0, "A"), (1, 1, "A"), (2, 0, "B")])
    assert [row["users"] for row in funnel(ask, steps="A")] == [1]


@pytest.mark.parametrize(
    "steps, arguments, message",
    [
        ("[]", "", "the list of steps has 0 steps; give 1 to 30"),
        ("null", "", "ml.funnel: steps is NULL; give 1 to 30 conditions"),
        ("['A', null]", "", "a step of the list of steps is NULL"),
        ("['A', 'B']", "mode := 'loose'", "ml.funnel: mode is loose; it must be one of ordered, strict"),
        ("['A', 'B']", "step_windows := ['1 day', '1 day']", "step_windows has 2 intervals; 2 steps need 1"),
        ("['A', 'B']", "step_windows := ['1 day'], mode := 'any_order'", "step_windows need an order"),
        ("['A', 'B']", "within := '-1 day'", "within is -1 day; it must not be negative"),
        ("['A', 'B']", "within := 30", "within is 30; it must be an interval with a unit"),
        ("['A', 'B']", "step_windows := [30]", r"step_windows is \[30\]; it must be intervals with a unit"),
        ("['A', 'B']", "attribution := 'both'", "attribution is both; it must be one of first, last, step"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_an_error(load, ask, steps, arguments, message):
    load([(1, 0, "A"), (1, 1, "B")])
    with pytest.raises(duckdb.Error, match=message):
        ask("funnel", steps, "event := 'event'", *([arguments] if arguments else []))
