"""Sessions against a loop over each user's events, and the boundary cases of vendors."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.journeys.conftest import at, user_events

MINUTES = [0, 10, 39, 70, 100, 131]


def sessions_by_loop(minutes, gap, boundary, max_length=None, midnight=False):
    """Sorted minutes of one user as a list of sessions."""
    sessions = []
    for minute in sorted(minutes):
        last = sessions[-1] if sessions else None
        pause = None if last is None else minute - last[-1]
        if (
            last is None
            or pause > gap
            or (pause == gap and boundary == "greater_or_equal")
            or (midnight and at(minute).date() != at(last[-1]).date())
        ):
            sessions.append([minute])
        else:
            last.append(minute)
    if max_length is None:
        return sessions
    cut = []
    for session in sessions:
        cut.append([])
        for minute in session:
            if cut[-1] and minute - cut[-1][0] > max_length:
                cut.append([])
            cut[-1].append(minute)
    return cut


@pytest.mark.parametrize("boundary, sessions", [("greater", 3), ("greater_or_equal", 4)])
def test_a_pause_as_long_as_the_gap(load, ask, boundary, sessions):
    # the reference's case 93: DuckDB's extension behavioral parts at longer pauses, others at equal ones
    load([(1, minute, "A") for minute in MINUTES])
    rows = ask("sessions", f"boundary := '{boundary}'")
    assert len({row["session_id"] for row in rows}) == sessions
    assert max(row["session_number"] for row in rows) == sessions
    assert len(ask("session_summary", f"boundary := '{boundary}'")) == sessions


@settings(deadline=None, max_examples=20)
@given(
    rows=user_events,
    gap=st.integers(1, 6),
    boundary=st.sampled_from(["greater", "greater_or_equal"]),
    max_length=st.sampled_from([None, 3, 8]),
)
def test_agrees_with_a_loop(load, ask, rows, gap, boundary, max_length):
    load(rows)
    arguments = [f"gap := interval {gap} minutes", f"boundary := '{boundary}'"]
    if max_length:
        arguments.append(f"max_length := '{max_length} minutes'")
    expected_events, expected = [], []
    for user in (1, 2, 3):
        minutes = [m for u, m, _ in rows if u == user and m is not None]
        for number, session in enumerate(
            sessions_by_loop(minutes, gap, boundary, max_length), start=1
        ):
            ends = (at(session[0]), at(session[-1]))
            expected.append((user, number, *ends, len(session), ends[1] - ends[0]))
            expected_events += [
                (user, at(m), number, *ends, 1 + sum(other < m for other in session))
                for m in session
            ]
    got = ask("sessions", *arguments)
    assert len(got) == len(rows)
    lost = [row for row in got if row["session_number"] is None]
    assert len(lost) == sum(u is None or m is None for u, m, _ in rows)
    assert all(row["session_id"] is None and row["event_number"] is None for row in lost)
    assert sorted(
        (row['the "user"'], row["at"], row["session_number"], row["session_start"],
         row["session_end"], row["event_number"])
        for row in got if row["session_number"]
    ) == sorted(expected_events)  # fmt: skip
    summary = ask("session_summary", *arguments)
    assert sorted(
        (row["user_id"], row["session_number"], row["session_start"], row["session_end"],
         row["events"], row["duration"])
        for row in summary
    ) == sorted(expected)  # fmt: skip
    assert {row["session_id"] for row in summary} == {
        row["session_id"] for row in got if row["session_id"]
    }


def test_a_session_is_cut_at_midnight_of_the_zone(load, ask):
    # 22:50, 23:10 and 00:10 UTC: in Berlin, in winter, an hour later
    load([(1, 22 * 60 + 50, "A"), (1, 23 * 60 + 10, "A"), (1, 24 * 60 + 10, "A")])

    def starts(*arguments):
        found = ask("session_summary", "gap := '2 hours'", *arguments, tail="order by all")
        return [row["session_start"] for row in found]

    assert starts() == [at(1370)]
    assert starts("cut_at_midnight := true") == [at(1370), at(1450)]
    assert starts("cut_at_midnight := true", "time_zone := 'Europe/Berlin'") == [at(1370), at(1390)]


def test_daylight_saving_is_not_a_pause(con):
    # 01:55 and 03:05 on the clocks of Berlin, ten minutes apart
    source = (
        "(select 1 as u, unnest(['2026-03-29 00:55+00', '2026-03-29 01:05+00'])::timestamptz as t)"
    )
    for zone in ("UTC", "Europe/Berlin"):
        con.execute(f"set timezone = '{zone}'")
        row = con.execute(
            f"select count(*), max(duration), max(session_id) from ml.session_summary('{source.replace(chr(39), chr(39) * 2)}', 'u', 't')"
        ).fetchone()
        # nor does the id depend on the clocks of the reader
        assert row == (1, timedelta(minutes=10), "1@2026-03-29 00:55:00")
    con.execute("set timezone = 'UTC'")


def test_dates_are_times(load, ask):
    load([(1, 0, "A"), (1, 24 * 60, "A"), (1, 72 * 60, "A")], "date")
    assert [
        row["events"] for row in ask("session_summary", "gap := '1 day'", tail="order by all")
    ] == [2, 1]


def test_no_rows_and_a_column_of_the_same_name(con, load, ask):
    load([])
    assert ask("sessions") == []
    assert ask("session_summary", "max_length := '1 hour'") == []
    names = [
        row[0]
        for row in con.execute(
            "describe from ml.sessions('(select 1 as session_id, now() as t)', 'session_id', 't')"
        ).fetchall()
    ]
    assert names[:4] == ["session_id", "t", "session_number", "session_id_1"]


@pytest.mark.parametrize(
    "argument, message",
    [
        ("boundary := 'at_least'", "boundary is at_least; it must be greater or greater_or_equal"),
        ("gap := '0 seconds'", "gap is 0 seconds; it must be an interval longer than nothing"),
        ("gap := 'soon'", "Could not convert string 'soon' to INTERVAL"),
        ("max_length := interval '-1 hour'", "max_length is -01:00:00; it must be an interval"),
    ],
)
def test_a_wrong_argument_is_an_error(load, ask, argument, message):
    load([(1, 0, "A")])
    for function in ("sessions", "session_summary"):
        with pytest.raises(duckdb.Error, match=message):
            ask(function, argument)
