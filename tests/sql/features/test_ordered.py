"""Lags, rolling and expanding features: what a row may know of the rows before it."""

from __future__ import annotations

import math

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

STATISTICS = ["mean", "sum", "min", "max", "median", "stddev", "count"]


@pytest.fixture(scope="module")
def sales(con):
    """Three shops, days with gaps, missing values; no two rows of a shop on the same day."""
    con.execute(
        "create table sales as select shop, day, case when h % 7 > 0 then (h % 100) / 4 end::double "
        "as x, h from (select shop, day, hash(shop, day) as h from range(3) as s(shop), range(40) "
        "as d(day)) where h % 5 > 0"
    ).fetchall()
    return con.execute("from sales order by shop, day").df()


def same(found, expected):
    """Equal up to the rounding of sums of 4 quarters below 25; None where pandas has NaN."""
    found = [math.nan if v is None else float(v) for v in found]
    assert found == pytest.approx([float(v) for v in expected], rel=1e-12, abs=1e-12, nan_ok=True)


def column(con, query, name):
    return [
        row[0] for row in con.execute(f"select {name} from ({query}) order by shop, day").fetchall()
    ]


def test_lags_are_those_of_pandas(con, sales):
    query = "from ml.lag_features('sales', ['shop'], 'day', ['x'], lags := [1, 3])"
    for k in (1, 3):
        same(column(con, query, f"x_lag_{k}"), sales.groupby("shop")["x"].shift(k))


@pytest.mark.parametrize("function", STATISTICS)
def test_windows_are_those_of_pandas(con, sales, function):
    query = (
        "from ml.rolling_features('sales', ['shop'], 'day', ['x'], [4], functions := "
        f"['{function}'], min_values := 2)"
    )
    name = {"stddev": "std"}.get(function, function)
    before = sales.groupby("shop")["x"].shift(1)
    least = 0 if function == "count" else 2
    rolled = before.groupby(sales["shop"]).rolling(4, min_periods=least)
    same(column(con, query, f"x_{function}_4"), getattr(rolled, name)())


def test_spans_of_time_are_those_of_pandas(con, sales):
    con.execute(
        "create or replace view dated as select *, timestamp '2024-03-01' + to_days(day::int) as t from sales"
    ).fetchall()
    query = (
        "from ml.rolling_features('dated', ['shop'], 't', ['x'], ['6 days'], functions := ['sum'])"
    )
    dated = con.execute("from dated order by shop, day").df().set_index("t")
    # pandas leaves out the end that lies 6 days back, which we take in: a microsecond apart
    rolled = dated.groupby("shop")["x"].rolling("6D1us", closed="left", min_periods=1).sum()
    same(column(con, query, "x_sum_6_days"), rolled)


def test_everything_before_is_the_window_all(con, sales):
    expanding = "from ml.expanding_features('sales', ['shop'], 'day', ['x'], functions := ['mean'])"
    rolling = "from ml.rolling_features('sales', ['shop'], 'day', ['x'], ['all'])"
    found = column(con, expanding, "x_mean_all")
    assert found == column(con, rolling, "x_mean_all")
    before = sales.groupby("shop")["x"].shift(1)
    same(found, before.groupby(sales["shop"]).expanding(1).mean())


@settings(deadline=None, max_examples=15)
@given(
    times=st.lists(st.integers(0, 6), min_size=1, max_size=12),
    which=st.integers(0, 11),
    value=st.integers(100, 200),
)
def test_no_row_sees_itself_or_its_moment(con, times, which, value):
    chosen = which % len(times)
    rows = {
        "id": list(range(len(times))),
        "t": times,
        "x": [float(7 * i % 5) for i in range(len(times))],
    }
    changed = {
        **rows,
        "x": [value if t == times[chosen] else x for t, x in zip(times, rows["x"], strict=True)],
    }
    answers = []
    for given_rows in (rows, changed):
        con.register("history", pa.table(given_rows))
        calls = (
            "ml.lag_features('history', [], 't', ['x'], lags := [1, 2])",
            "ml.rolling_features('history', [], 't', ['x'], ['2', 'all'], functions := ['mean', 'count'])",
        )
        answers.append(
            [
                con.execute(f"select * exclude (x) from {call} where id = {chosen}").fetchall()
                for call in calls
            ]
        )
    assert answers[0] == answers[1]


def test_rows_of_nobody_and_of_no_time_are_kept_without_a_history(con):
    con.execute(
        "create or replace table visits as from (values ('a', 1, 5e0), ('a', 2, 6e0), (null, 3, 7e0), "
        "('a', null, 8e0)) as v(k, t, x)"
    ).fetchall()
    found = con.execute("from ml.lag_features('visits', ['k'], 't', ['x']) order by x").fetchall()
    assert found == [("a", 1, 5, None), ("a", 2, 6, 5), (None, 3, 7, None), ("a", None, 8, None)]
    found = con.execute(
        "from ml.rolling_features('visits', ['k'], 't', ['x'], [9], functions := ['count']) order by x"
    ).fetchall()
    assert [row[-1] for row in found] == [0, 1, None, None]


def test_rows_of_one_moment_are_one_step(con):
    con.execute(
        "create or replace table ties as from (values (1, 'b'), (1, 'c'), (2, 'a')) as v(t, x)"
    ).fetchall()
    found = con.execute("from ml.lag_features('ties', [], 't', ['x']) order by all").fetchall()
    assert found == [(1, "b", None), (1, "c", None), (2, "a", "c")]


def test_names_are_quoted_and_no_rows_are_no_rows(con):
    con.execute(
        'create or replace table "odd ""t" as select 1 as "my ""odd"" col", 2 as "#c"'
    ).fetchall()
    found = con.execute(
        """from ml.lag_features('"odd ""t"', ['#c'], '#c', ['my "odd" col', '#c'])"""
    )
    assert [c[0] for c in found.description] == [
        'my "odd" col', "#c", 'my "odd" col_lag_1', "#c_lag_1",
    ]  # fmt: skip
    empty = "(select 1 as t, 2 as x where false)"
    assert con.execute(f"from ml.lag_features('{empty}', [], 't', ['x'])").fetchall() == []
    assert con.execute(f"from ml.expanding_features('{empty}', [], 't', ['x'])").fetchall() == []


@pytest.mark.parametrize(
    "call, message",
    [
        ("lag_features('sales', ['shop'], 'day', ['x'], lags := [0])", "a lag is 0; it must be"),
        ("lag_features('sales', ['shop'], 'day', [])", "columns is empty; name at least one"),
        ("rolling_features('sales', [], 'day', ['x'], ['x'])", "a window is x; give moments"),
        ("rolling_features('sales', [], 'day', ['x'], [-3])", "a window is -3; give moments"),
        ("rolling_features('sales', [], 'day', ['x'], [])", "windows is empty"),
        (
            "expanding_features('sales', [], 'day', ['x'], functions := ['mode'])",
            "function is mode",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(con, sales, call, message):
    with pytest.raises(duckdb.Error, match=f"ml.{call.split('(')[0]}: {message}"):
        con.execute(f"from ml.{call}")
