"""As-of joins against a loop, and against pandas and polars where they mean the same."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlpond
from tests.sql.relations import load, records, rows

KEYS = st.one_of(st.none(), st.integers(1, 2))
TIMES = st.one_of(st.none(), st.integers(0, 9))
LEFT = st.lists(st.tuples(KEYS, TIMES), max_size=12)
RIGHT = st.lists(
    st.tuples(KEYS, TIMES, st.one_of(st.none(), st.integers(0, 3)), st.integers(0, 3)), max_size=15
)


SIDES = {"backward": {1}, "forward": {-1}, "nearest": {1, -1}}  # of the left time, 1 is before


def best(right, key, time, direction, strict, tolerance):
    """The right row that a left row gets."""
    found = [
        row for row in right
        if None not in (key, time, row[1]) and row[0] == key
        and (row[1] != time or not strict)
        and (row[1] == time or (1 if row[1] < time else -1) in SIDES[direction])
    ]  # fmt: skip
    # the nearest, the earlier if equally far; of one time the greatest version, NULL least, then
    # the greatest row
    found.sort(
        key=lambda row: (
            -abs(row[1] - time), row[1] < time, row[2] is not None, row[2] or 0, row[3]
        )
    )  # fmt: skip
    if not found or (tolerance is not None and abs(time - found[-1][1]) > tolerance):
        return (None, None, None)
    return found[-1][1:]


@settings(deadline=None, max_examples=20)
@given(
    left=LEFT, right=RIGHT, direction=st.sampled_from(list(SIDES)),
    strict=st.booleans(), tolerance=st.one_of(st.none(), st.integers(0, 3)),
)  # fmt: skip
def test_agrees_with_a_loop(con, left, right, direction, strict, tolerance):
    load(con, "l", '"my ""key" int, "asked at" int', left)
    load(con, "r", '"my ""key" int, at_time int, version int, x int', right)
    found = rows(
        con,
        f"""from ml.asof_join('l', 'r', 'asked at', 'at_time', keys := ['my "key'],
        direction := '{direction}', is_strict := {strict}, tolerance := {tolerance or "null" if tolerance != 0 else 0},
        tie_by := 'version')""",
    )
    expected = [(k, t, *best(right, k, t, direction, strict, tolerance)) for k, t in left]
    assert Counter(found) == Counter(expected)


@pytest.mark.parametrize("direction", SIDES)
@pytest.mark.parametrize("strict", [False, True])
def test_agrees_with_merge_asof(con, direction, strict):
    rng = np.random.default_rng(5)
    start = pd.Timestamp("2024-01-01")
    left = pd.DataFrame(
        {
            "k": rng.integers(0, 4, 200),
            "at": start + pd.to_timedelta(rng.integers(0, 5000, 200), "s"),
            "x": range(200),
        }
    )
    right = pd.DataFrame(
        {
            "k": rng.integers(0, 4, 300),
            "at": start + pd.to_timedelta(rng.choice(5000, 300, replace=False), "s"),
            "y": range(300),
        }
    )
    expected = pd.merge_asof(
        left.sort_values("at"), right.sort_values("at"), on="at", by="k",
        direction=direction, allow_exact_matches=not strict, tolerance=pd.Timedelta("60s"),
    ).sort_values("x")  # fmt: skip
    for name, frame in {"l": left, "r": right}.items():
        con.register("frame", frame)
        con.execute(
            f'create or replace table {name} as select * exclude ("at"), "at"::timestamp as "at" from frame'
        ).fetchall()
        con.unregister("frame")
    found = records(
        con,
        f"from ml.asof_join('l', 'r', 'at', keys := ['k'], direction := '{direction}', "
        f"is_strict := {strict}, tolerance := '1 minute', prefix := 'r_') order by x",
    )
    assert [row["r_y"] for row in found] == [None if np.isnan(y) else y for y in expected["y"]]
    assert all(
        row["r_at"] is None or abs(row["at"] - row["r_at"]) <= timedelta(minutes=1) for row in found
    )


def test_the_earlier_of_two_that_are_equally_far(con):
    load(con, "l", "t int", [[5], [6], [7]])
    load(con, "r", "t int, x text", [[4, "before"], [8, "after"], [8, "after, twice"]])
    frames = [con.execute(f"from {name}").df() for name in ("l", "r")]
    expected = pd.merge_asof(*frames, on="t", direction="nearest")["x"]
    call = "select x from ml.asof_join('l', 'r', 't', direction := 'nearest') order by t"
    assert rows(con, call) == [("before",), ("before",), ("after, twice",)]
    # pandas takes the first of the same time where it looks ahead; we take the greatest row
    assert expected.tolist() == ["before", "before", "after"]


# by type, a left time and right ones, of which the last is to be taken
OF_EVERY_TYPE = [
    # from 9 to 10 March it is a day by the calendar of New York and 23 hours by the clock
    ("timestamptz", "2024-03-10 16:00:00+00", ["2024-03-11 15:30:00+00", "2024-03-09 17:00:00+00"]),
    ("timestamp_ns", "2024-01-01 00:00:00.000000005",
     ["2024-01-01 00:00:00.000000001", "2024-01-01 00:00:00.000000007"]),
    ("timestamp", "2024-01-05", ["-infinity", "infinity", "2024-01-09"]),
    ("timestamp", "2024-01-05", ["infinity"]),
    ("date", "2024-01-05", ["2024-01-01", "infinity", "2024-01-08"]),
    ("bigint", "0", ["-9223372036854775807", "9000000000000000000"]),
    ("bigint", "9000000000000000000", ["-9000000000000000000"]),
    ("utinyint", "3", ["1", "4"]),
    ("double", "1", ["-inf", "5"]),
    ("decimal(4, 1)", "1", ["0.5", "1.2"]),
]  # fmt: skip


def nearest_of(kind, left, right):
    """A query for the right time that is taken, the time zone set before."""
    times = ", ".join(f"(''{at}''::{kind})" for at in right)
    return (
        f"select time_1 = '{right[-1]}'::{kind} from ml.asof_join("
        f"'(select ''{left}''::{kind} as time)', '(from (values {times}) as v(time))', 'time', "
        "direction := 'nearest')"
    )


@pytest.mark.parametrize("case", OF_EVERY_TYPE, ids=lambda case: f"{case[0]} {len(case[2])}")
def test_the_nearest_of_every_type_of_time(con, case):
    con.execute("set timezone = 'America/New_York'")
    assert rows(con, nearest_of(*case)) == [(True,)]
    con.execute("reset timezone")


@pytest.mark.slow
def test_the_nearest_in_a_plain_shell(tmp_path):
    path = tmp_path / "pond.duckdb"
    mlpond.connect(path).close()
    done = subprocess.run(
        [Path(sys.executable).with_name("duckdb"), "-csv", "-noheader", str(path), "-c",
         "set timezone = 'America/New_York';" + "; ".join(nearest_of(*case) for case in OF_EVERY_TYPE)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["true"] * len(OF_EVERY_TYPE)


def test_months_go_by_the_calendar(con):
    load(con, "l", "day date", [["2024-02-29"], ["2024-03-01"]])
    load(con, "r", "day date, x int", [["2024-01-31", 1]])
    found = rows(
        con, "select x from ml.asof_join('l', 'r', 'day', tolerance := '1 month') order by day"
    )
    assert found == [(1,), (None,)]  # a month after 31 January is 29 February


def test_names_of_columns(con):
    load(con, "l", "k int, t int, x int", [[1, 5, 7]])
    load(con, "r", 'k int, t int, x int, "a ""b" int', [[1, 4, 8, 9]])
    call = "from ml.asof_join('l', 'r', 't', keys := ['k']{})"
    assert list(records(con, call.format(""))[0]) == ["k", "t", "x", "t_1", "x_1", 'a "b']
    named = records(con, call.format(", prefix := 'the \"right\" ', suffix := '?'"))[0]
    assert list(named) == ["k", "t", "x", 'the "right" t?', 'the "right" x?', 'the "right" a "b?']


def test_time_zones_are_moments(con):
    con.execute("set timezone = 'America/New_York'")
    load(
        con, "l", "t timestamptz", [["2024-03-10 07:00:00+00"]]
    )  # 3:00 in New York, where 2:00 is skipped
    load(
        con,
        "r",
        "t timestamptz, x int",
        [["2024-03-10 06:59:59+00", 1], ["2024-03-10 07:00:01+00", 2]],
    )
    assert rows(con, "select x from ml.asof_join('l', 'r', 't', tolerance := '1 second')") == [(1,)]
    con.execute("reset timezone")


@pytest.mark.parametrize("empty", ["l", "r"])
def test_no_rows_on_one_side(con, empty):
    load(con, "l", "t int", [[1]])
    load(con, "r", "t int, x int", [[1, 2]])
    con.execute(f"delete from {empty}")
    assert rows(con, "from ml.asof_join('l', 'r', 't')") == (
        [] if empty == "l" else [(1, None, None)]
    )


def test_an_unknown_direction(con):
    load(con, "l", "t int", [[1]])
    with pytest.raises(
        duckdb.Error,
        match="ml.asof_join: direction is back; it must be one of backward, forward, nearest",
    ):
        rows(con, "from ml.asof_join('l', 'l', 't', direction := 'back')")


def test_a_source_called_like_a_step(con):
    load(con, "singles", "t int, x int", [[1, 2]])
    load(con, "repeated", "t int", [[3]])
    assert rows(con, "from ml.asof_join('repeated', 'singles', 't')") == [(3, 1, 2)]


def test_ties_do_not_depend_on_threads(con):
    con.execute(
        "create or replace table l as select i % 7 as k, i as t from range(3000) s(i)"
    ).fetchall()
    con.execute(
        "create or replace table r as select i % 7 as k, i // 50 * 50 as t, hash(i) as x from range(6000) s(i)"
    ).fetchall()
    call = "select sum(x) from ml.asof_join('l', 'r', 't', keys := ['k'])"
    expected = rows(con, call)
    con.execute("set threads = 1")
    con.execute("create or replace table r as from r order by x").fetchall()
    assert rows(con, call) == expected
    con.execute("reset threads")


@pytest.mark.parametrize("call", ["asof_join('l', 'r', 't', 'u', tolerance", "point_in_time_join('l', 'r', ['k'], 't', 'u', ttl"])  # fmt: skip
def test_a_time_of_day_is_not_measured_across_midnight(con, call):
    load(con, "l", "k int, t time", [[1, "23:30"]])
    load(con, "r", "k int, u time", [[1, "23:00"]])  # and an hour: 00:00, which is not later
    with pytest.raises(duckdb.Error, match=r"the time is of type TIME.*; give a TIMESTAMP"):
        rows(con, f"from ml.{call} := '1 hour')")
