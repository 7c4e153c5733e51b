"""Paths and flows against a count over lists of events."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.journeys.conftest import user_events


def journeys(rows, collapse):
    """Each user's (minute, event) in order."""
    found = []
    for user in (1, 2, 3):
        mine = sorted((m, e) for u, m, e in rows if u == user and m is not None)
        if collapse:
            mine = [next(group) for _, group in groupby(mine, key=lambda event: event[1])]
        if mine:
            found.append(mine)
    return found


@settings(deadline=None, max_examples=20)
@given(rows=user_events, collapse=st.booleans(), max_steps=st.sampled_from([1, 3, None]))
def test_flows_agree_with_a_count(load, ask, rows, collapse, max_steps):
    load(rows)
    expected = Counter()
    for journey in journeys(rows, collapse):
        path = [None] + [event for _, event in journey] + [None]
        for step, move in enumerate(zip(path, path[1:], strict=False)):
            if max_steps is None:
                expected[None, *move] += 1
            elif step <= max_steps:
                expected[step, *move] += 1
    found = ask(
        "next_events", "'event'", f"collapse := {collapse}", f"max_steps := {max_steps or 'null'}"
    )
    assert {(row["step"], row["event"], row["next_event"]): row["n"] for row in found} == expected
    totals = Counter()
    for row in found:
        totals[row["step"], row["event"]] += row["share"]
    # shares of at most 40 rows, each rounded once
    assert all(abs(total - 1) < 1e-13 for total in totals.values())


def cut(events, begin, end, most):
    """The path of a journey, or None."""
    if begin is not None:
        if begin not in events:
            return None
        events = events[events.index(begin) :]
    if end is not None:
        after = events[1:] if begin is not None else events
        if end not in after:
            return None
        events = events[: len(events) - len(after) + after.index(end) + 1]
        if begin is not None:
            return tuple(events) if len(events) <= most else None
        return tuple(events[-most:])
    return tuple(events[:most])


@settings(deadline=None, max_examples=20)
@given(
    rows=user_events,
    begin=st.sampled_from([None, "A"]),
    end=st.sampled_from([None, "A", "C"]),
    most=st.integers(1, 4),
)
def test_paths_agree_with_a_count(load, ask, rows, begin, end, most):
    load(rows)
    expected = Counter(
        path
        for journey in journeys(rows, True)
        if (path := cut([event for _, event in journey], begin, end, most))
    )
    arguments = [
        f"{name} := '{value}'"
        for name, value in (("from_event", begin), ("to_event", end))
        if value
    ]
    found = ask("paths", "'event'", f"max_steps := {most}", "top_n := null", *arguments)
    assert {tuple(row["path"]): row["journeys"] for row in found} == expected
    assert [row["rank"] for row in found] == list(range(1, len(found) + 1))
    assert [row["journeys"] for row in found] == sorted(expected.values(), reverse=True)


def test_times_and_sessions(con, load, ask):
    load([(1, 0, "A"), (1, 2, "B"), (2, 0, "A"), (2, 4, "B"), (2, 60, "A")])
    flows = ask("next_events", "'event'", "max_steps := 1")
    assert [row["median_time"] for row in flows if row["next_event"] == "B"] == [
        timedelta(minutes=3)
    ]
    rows = con.execute(
        "select path, journeys from ml.paths("
        "'(from ml.sessions(''\"my events\"'', ''the \"user\"'', ''at''))', 'the \"user\"', 'at', 'event', session := 'session_id')"
    ).fetchall()
    assert rows == [(["A", "B"], 2), (["A"], 1)]


def test_no_events(load, ask):
    load([])
    assert ask("paths", "'event'") == ask("next_events", "'event'") == []
