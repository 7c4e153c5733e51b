"""Balanced classes: as many rows of each, the same for the same seed, in no order of the table."""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def resampled(con: duckdb.DuckDBPyConnection, arguments: str = "", source: str = "t") -> list:
    return con.execute(f"from ml.resample('{source}', 'k'{arguments}) order by all").fetchall()


@pytest.fixture(scope="module")
def rows(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Classes of 7, 20 and 63 rows, and three of none."""
    con.execute(
        "create or replace table t as select i, case when i < 7 then 'a' when i < 27 then 'b' "
        "when i < 90 then 'c' end as k from range(93) as r(i)"
    )
    return con


def test_undersampling_draws_without_replacement(rows):
    found = resampled(rows)
    assert Counter(k for _, k in found) == {"a": 7, "b": 7, "c": 7}
    assert len(set(found)) == 21
    assert set(found) <= set(rows.execute("from t").fetchall())


def test_oversampling_repeats_rows_evenly(rows):
    found = Counter(resampled(rows, ", method := 'oversample'"))
    by_class = {k: sorted(n for (_, c), n in found.items() if c == k) for k in "abc"}
    # 63 = 9 * 7 = 3 * 20 + 3
    assert by_class == {"a": [9] * 7, "b": [3] * 17 + [4] * 3, "c": [1] * 63}


@pytest.mark.parametrize("method", ["undersample", "oversample"])
def test_the_seed_decides_and_the_order_of_rows_does_not(rows, method):
    arguments = f", method := '{method}'"
    first = resampled(rows, arguments)
    assert resampled(rows, arguments, "(from t order by random())") == first
    assert resampled(rows, arguments + ", seed := 1") != first


def test_every_row_is_drawn_as_often_as_any_other(rows):
    drawn = Counter(
        i for seed in range(100) for i, k in resampled(rows, f", seed := {seed}") if k == "b"
    )
    # 100 draws of 7 in 20: each row is drawn a binomial(100, 0.35) of times, 35 ± 4.8; of 20 rows
    # one lies 4 standard deviations out less than once in 700 runs, and the seeds are fixed
    assert len(drawn) == 20
    assert all(16 < n < 54 for n in drawn.values())


@settings(deadline=None, max_examples=10)
@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_the_classes_are_as_large_as_the_smallest_or_the_largest(con, sizes):
    values = ", ".join(f"({k}, {i})" for k, n in enumerate(sizes) for i in range(n))
    source = f"(from (values {values}) as v(k, i))"
    for method, size in [("undersample", min(sizes)), ("oversample", max(sizes))]:
        found = Counter(row[0] for row in resampled(con, f", method := '{method}'", source))
        assert found == dict.fromkeys(range(len(sizes)), size)


def test_rows_that_are_alike_are_drawn_one_by_one(con):
    source = "(select if(i < 4, 1, 2) as k, 0 as x from range(10) as r(i))"
    assert Counter(resampled(con, "", source)) == {(1, 0): 4, (2, 0): 4}


def test_no_rows_give_no_rows(con):
    assert resampled(con, "", "(select 1 as k limit 0)") == []
    assert resampled(con, ", method := 'oversample'", "(select null as k)") == []


def test_a_method_that_is_none(con):
    message = r"ml.resample: method is 'smote'; accepted are 'undersample' and 'oversample'"
    with pytest.raises(duckdb.InvalidInputException, match=message):
        resampled(con, ", method := 'smote'", "(select 1 as k)")
