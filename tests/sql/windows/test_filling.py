"""Filled gaps and interpolated values against numpy and a loop."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.relations import load, near, records, rows

START = datetime(2024, 2, 27)
SERIES = st.dictionaries(st.integers(0, 12), st.one_of(st.none(), st.integers(-9, 9)), max_size=8)


def filled(known, times, fill):
    """The value at each time from {time: value}."""
    at = sorted(known)
    found = []
    for t in times:
        before = [known[s] for s in at if s <= t]
        after = [known[s] for s in at if s >= t]
        found.append({
            "null": known.get(t),
            "last": before[-1] if before else None,
            "next": after[0] if after else None,
            "constant": known.get(t, 7),
            "linear": float(np.interp(t, at, [known[s] for s in at])) if before and after else None,
        }[fill])  # fmt: skip
    return found


FILLS = st.sampled_from(["null", "last", "next", "constant", "linear"])


@settings(deadline=None, max_examples=25)
@given(a=SERIES, b=SERIES, fill=FILLS, span=st.sampled_from(["key", "all"]))
def test_a_complete_grid(con, a, b, fill, span):
    series = {"a": a, None: b}
    load(
        con, "t", '"the key" varchar, at_time timestamp, x int',
        [(k, START + timedelta(hours=t), v) for k, of in series.items() for t, v in of.items()],
    )  # fmt: skip
    found = records(
        con,
        "from ml.fill_gaps('t', 'at_time', 'x', keys := ['the key'], step := '1 hour', "
        f"fill := '{fill}', constant := 7, span := '{span}')",
    )
    everything = [*a, *b]
    for key, of in series.items():
        mine = [row for row in found if row["the key"] == key]
        if not of:
            assert not mine
            continue
        ends = everything if span == "all" else of
        times = list(range(min(ends), max(ends) + 1))
        assert [row["at_time"] for row in mine] == [START + timedelta(hours=t) for t in times]
        known = {t: v for t, v in of.items() if v is not None}
        expected = filled(known, times, fill)
        assert [row["x"] for row in mine] == near(expected)
        assert [row["is_added"] for row in mine] == [t not in of for t in times]
        assert [row["is_filled"] for row in mine] == [
            t not in known and v is not None for t, v in zip(times, expected, strict=True)
        ]


@settings(deadline=None, max_examples=20)
@given(series=SERIES, fill=FILLS)
def test_interpolation_adds_no_row(con, series, fill):
    sample = [*series.items(), (None, None), (None, 5)]
    load(con, "t", "at_time int, x int", sample)
    call = f"from ml.interpolate('t', 'at_time', 'x', fill := '{fill}', constant := 7)"
    found = rows(con, f"{call} order by at_time")
    known = {t: v for t, v in series.items() if v is not None}
    expected = filled(known, sorted(series), fill)
    assert [row[2] for row in found[:-2]] == near(expected)
    # without a time a value is as it came
    assert sorted(row[2:] for row in found[-2:] if row[2] is not None) == [(5, False)]
    assert len(found) == len(sample)


def test_days_across_a_leap_day_keep_their_type(con):
    load(con, "t", "day date, x double", [["2024-02-28", 1], ["2024-03-01", 3]])
    found = rows(con, "from ml.fill_gaps('t', 'day', 'x', fill := 'linear')")
    assert found == [
        (date(2024, 2, 28), 1, False, False), (date(2024, 2, 29), 2, True, True), (date(2024, 3, 1), 3, False, False)
    ]  # fmt: skip


def test_rows_off_the_grid_and_rows_of_one_time_are_kept(con):
    load(con, "t", "n int, x int", [[0, 1], [3, 2], [4, 3], [4, 4], [None, 9]])
    found = rows(
        con, "select n, x, is_added from ml.fill_gaps('t', 'n', 'x', step := 2) order by n, x"
    )
    assert found == [(0, 1, False), (2, None, True), (3, 2, False), (4, 3, False), (4, 4, False)]


@pytest.mark.parametrize("values", [[20, 10, None], [None, 10, 20]])
def test_of_several_values_of_a_time_the_greatest_is_last_and_the_least_next(con, values):
    load(con, "t", "n int, x int", [[0, None], *([1, x] for x in values), [2, None]])
    for fill, expected in [("last", (None, 20, 20)), ("next", (10, None, None))]:
        found = rows(
            con,
            f"select interpolated from ml.interpolate('t', 'n', 'x', fill := '{fill}') "
            "where x is null order by n",
        )
        assert found == [(value,) for value in expected]


def test_a_straight_line_over_many_missing_rows(con):
    # a walk from each missing row to the known ones takes 10^10 steps here
    found = rows(
        con,
        "select count(*), max(abs(x - n / 4)) from ml.fill_gaps("
        "'(select unnest([0, 100000]) as n, unnest([0, 25000]) as x)', 'n', 'x', fill := 'linear', step := 1)",
    )
    assert found == [(100001, 0)]


def test_a_straight_line_in_absolute_time(con):
    # the night of 31 March 2024 has 23 hours in Berlin
    con.execute("set timezone = 'Europe/Berlin'")
    try:
        found = rows(
            con,
            "select epoch(t)::bigint, x from ml.fill_gaps('(select unnest([''2024-03-30'', ''2024-04-01'']::timestamptz[]) as t, "
            "unnest([0, 47]) as x)', 't', 'x', fill := 'linear', step := '12 hours')",
        )
    finally:
        con.execute("reset timezone")
    first = found[0][0]
    assert [x for _, x in found] == near([(at - first) / 3600 for at, _ in found])


@pytest.mark.parametrize("first", [1 - 2**63, 2**63 - 9, 0])
def test_whole_numbers_are_measured_exactly(con, first):
    source = f"(select unnest([{first}::bigint, {first}::bigint + 2, {first}::bigint + 8]) as n, unnest([0, null, 8]) as x)"
    assert rows(con, f"select interpolated from ml.interpolate('{source}', 'n', 'x')") == [
        (0,),
        (2,),
        (8,),
    ]


def test_a_time_without_distances_is_named(con):
    with pytest.raises(duckdb.Error, match="the time is of type VARCHAR; it must be a number"):
        rows(
            con,
            "from ml.interpolate('(select unnest([''a'', ''b'']) as t, unnest([1, null]) as x)', 't', 'x')",
        )


def test_no_rows_and_an_unknown_fill(con):
    load(con, "t", "day date, x int", [])
    assert rows(con, "from ml.fill_gaps('t', 'day', 'x')") == []
    with pytest.raises(
        duckdb.Error, match="ml.fill_gaps: fill is mean; it must be one of null, last, next"
    ):
        rows(con, "from ml.fill_gaps('t', 'day', 'x', fill := 'mean')")
