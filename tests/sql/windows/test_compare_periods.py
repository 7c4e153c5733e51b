"""Year on year by the calendar."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import pytest

from tests.sql.relations import load, records, rows


def test_leap_days_and_days_without_rows(con):
    load(
        con, "t", "day date, sales int",
        [["2023-02-28", 10], ["2023-03-02", 5], ["2024-02-28", 20], ["2024-02-29", 30],
         ["2024-03-01", 1], ["2024-03-02", 0], ["2025-02-28", 6], ["2025-03-02", 8]],
    )  # fmt: skip
    found = {
        r["period_start"].date(): r
        for r in records(con, "from ml.compare_periods('t', 'day', 'sales')")
    }
    # both days are compared with the 28th of the year before
    assert found[date(2024, 2, 28)]["previous_value"] == 10
    assert found[date(2024, 2, 29)]["previous_value"] == 10
    assert found[date(2024, 2, 29)]["ratio"] == 3
    assert found[date(2024, 2, 29)]["previous_start"] == datetime(2023, 2, 28)
    assert found[date(2025, 2, 28)]["previous_value"] == 20
    # by the calendar and not by the number of rows
    assert found[date(2024, 3, 1)]["previous_value"] is None
    assert found[date(2024, 3, 2)]["difference"] == -5
    # nothing is a multiple of 0
    assert (found[date(2025, 3, 2)]["difference"], found[date(2025, 3, 2)]["ratio"]) == (8, None)


def test_months_of_several_rows_by_key(con):
    load(
        con, "t", '"the shop" varchar, sold_at timestamp, amount double',
        [["a", "2023-05-31 23:59:59", 1], ["a", "2023-05-01", 2], ["a", "2024-05-07", 9], ["a", None, 1],
         [None, "2023-05-03", 4], [None, "2024-05-03", None], ["b", "2024-05-03", 7]],
    )  # fmt: skip
    call = "from ml.compare_periods('t', 'sold_at', 'amount', keys := ['the shop'], unit := 'month', aggregate := '{}')"
    found = {
        (r["the shop"], r["period_start"].year): (r["value"], r["previous_value"])
        for r in records(con, call.format("sum"))
    }
    assert found == {
        ("a", 2023): (3, None), ("a", 2024): (9, 3), (None, 2023): (4, None),
        (None, 2024): (None, 4), ("b", 2024): (7, None),
    }  # fmt: skip
    means = records(con, call.format("mean"))
    assert [r["previous_value"] for r in means if r["value"] == 9] == [1.5]
    with pytest.raises(
        duckdb.Error, match="ml.compare_periods: aggregate is avg; it must be one of sum, mean"
    ):
        rows(con, call.format("avg"))


def test_52_weeks_keep_the_weekday(con):
    load(con, "t", "day date, x int", [["2023-05-03", 1], ["2024-05-01", 3]])  # both are Wednesdays
    found = rows(
        con, "select previous_value from ml.compare_periods('t', 'day', 'x', period := '52 weeks')"
    )
    assert found == [(None,), (1,)]
    found = rows(
        con, "select previous_start from ml.compare_periods('t', 'day', 'x', unit := 'week')"
    )
    assert [start.weekday() for (start,) in found] == [0, 0]


def test_no_rows(con):
    load(con, "t", "day date, x int", [])
    assert rows(con, "from ml.compare_periods('t', 'day', 'x')") == []


def test_an_infinite_time_is_in_no_period(con):
    load(con, "t", '"at" timestamp, x int', [["2026-01-01", 1], ["infinity", 9], ["-infinity", 9]])
    found = rows(con, "select value from ml.compare_periods('t', 'at', 'x', period := '1 day')")
    assert found == [(1,)]
