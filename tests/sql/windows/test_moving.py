"""Running and moving aggregates against frames cut by a plain loop."""

from __future__ import annotations

import statistics
from datetime import datetime, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.relations import load, records, rows
from tests.sql.relations import near as close_to

START = datetime(2024, 1, 1)
SAMPLE = st.lists(
    st.tuples(
        st.sampled_from(["a", None]),
        st.one_of(st.none(), st.integers(0, 20)),
        st.one_of(st.none(), st.integers(-5, 5)),
    ),
    max_size=20,
)
NAMES = ("n", "sum", "mean", "min", "max", "median", "stddev")


def aggregated(values, min_values=1):
    known = [value for value in values if value is not None]
    if len(known) < max(1, min_values):
        return (len(known), *[None] * 6)
    return (
        len(known), sum(known), statistics.fmean(known), min(known), max(known),
        statistics.median(known), statistics.stdev(known) if len(known) > 1 else None,
    )  # fmt: skip


def check(con, query, prefix, sample, frame, min_values=1):
    """Every row has the aggregates of the values that ``frame`` chooses."""
    found = records(con, query)
    assert len(found) == len(sample)
    for row in found:
        got = [row[f"{prefix}_{name}"] for name in NAMES]
        if row["at_time"] is None:
            assert got == [None] * 7
            continue
        expected = aggregated(frame(row), min_values)
        assert got == close_to(expected)


@settings(deadline=None, max_examples=15)
@given(sample=SAMPLE)
def test_running(con, sample):
    load(con, "t", "who varchar, at_time int, x int", sample)

    def until_now(row):
        return [
            x for k, t, x in sample
            if k == row["who"] and t is not None and t <= row["at_time"]
        ]  # fmt: skip

    check(
        con, "from ml.running('t', 'at_time', 'x', keys := ['who'])", "running", sample, until_now
    )


@settings(deadline=None, max_examples=15)
@given(sample=SAMPLE, before=st.integers(0, 5), after=st.integers(0, 3), least=st.integers(1, 3))
def test_a_range_of_time(con, sample, before, after, least):
    load(
        con, "t", "who varchar, at_time timestamp, x int",
        [(k, None if t is None else START + timedelta(hours=t), x) for k, t, x in sample],
    )  # fmt: skip

    def near(row):
        hour = (row["at_time"] - START) / timedelta(hours=1)
        return [
            x for k, t, x in sample
            if k == row["who"] and t is not None and hour - before <= t <= hour + after
        ]  # fmt: skip

    check(
        con,
        "from ml.moving('t', 'at_time', 'x', keys := ['who'], frame := 'range', "
        f"before := '{before} hours', after := interval {after} hour, min_values := {least})",
        "moving", sample, near, least,
    )  # fmt: skip


@settings(deadline=None, max_examples=15)
@given(sample=SAMPLE, before=st.integers(0, 5), after=st.integers(0, 3))
def test_a_number_of_rows(con, sample, before, after):
    load(con, "t", "who varchar, at_time int, x int", sample)

    def key(row):  # NULL last
        return row[1], row[2] is None, row[2] or 0

    def near(row):
        mine = sorted((r for r in sample if r[0] == row["who"] and r[1] is not None), key=key)
        # rows equal in all have frames of their own: take one whose frame fits
        places = [i for i, r in enumerate(mine) if (r[1], r[2]) == (row["at_time"], row["x"])]
        for place in places:
            frame = [r[2] for r in mine[max(0, place - before) : place + after + 1]]
            known = [value for value in frame if value is not None]
            if (len(known), sum(known) if known else None) == (row["moving_n"], row["moving_sum"]):
                return frame
        raise AssertionError(f"no frame of {mine} fits {row}")

    check(
        con,
        f"from ml.moving('t', 'at_time', 'x', keys := ['who'], before := {before}, after := {after})",
        "moving", sample, near,
    )  # fmt: skip


def test_the_row_a_width_before_is_in_the_frame(con):
    load(con, "t", "day date, x int", [["2024-01-01", 1], ["2024-01-07", 2], ["2024-01-08", 4]])
    call = "select moving_sum from ml.moving('t', 'day', 'x', frame := 'range', before := {}) order by day"
    assert rows(con, call.format("'7 days'")) == [(1,), (3,), (7,)]
    assert rows(con, call.format("'6 days'")) == [(1,), (3,), (6,)]
    # left open, as pandas' rolling('7D')
    assert rows(con, call.format("interval 7 day - interval 1 microsecond")) == [(1,), (3,), (6,)]


def test_nan_stays_and_names_are_quoted(con):
    load(con, "t", '"my ""day" int, "a value" double', [[1, 1.0], [2, float("nan")], [3, 2.0]])
    found = rows(
        con, """select moving_sum from ml.moving('t', 'my "day', 'a value', before := 0)"""
    )
    assert sorted(map(str, found)) == ["(1.0,)", "(2.0,)", "(nan,)"]


def test_no_rows_and_an_unknown_frame(con):
    load(con, "t", "day int, x int", [])
    assert rows(con, "from ml.moving('t', 'day', 'x')") == []
    assert rows(con, "from ml.running('t', 'day', 'x')") == []
    with pytest.raises(
        duckdb.Error, match="ml.moving: frame is groups; it must be one of rows, range"
    ):
        rows(con, "from ml.moving('t', 'day', 'x', frame := 'groups')")
