"""Pearson's test against scipy and Anscombe's data."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy import stats

import mlpond
from mlpond.seeds import load
from tests.sql.aggregates import FIELDS, struct, values

pairs = st.lists(st.tuples(values, values), min_size=4, max_size=25)


@pytest.fixture(scope="module")
def con():
    with mlpond.connect() as session:
        load(session, "textbook")
        yield session.con


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
@given(xy=pairs)
def test_agrees_with_scipy(con, alternative, xy):
    x, y = map(list, zip(*xy, strict=True))
    assume(len(set(x)) > 1 and len(set(y)) > 1)
    expected = stats.pearsonr(x, y, alternative=alternative)
    assume(abs(expected.statistic) < 0.999)  # nearer to 1, 1 - r² keeps too few digits
    found = struct(con, f"pearson_test(x, y, alternative := '{alternative}')", x=x, y=y)
    low, high = expected.confidence_interval()
    assert list(found) == FIELDS
    # 1 - r² magnifies the rounding of r up to 500 times
    assert found["estimate"] == approx(expected.statistic, rel=1e-12, abs=1e-14)
    assert found["p_value"] == approx(expected.pvalue, rel=1e-10)
    assert (found["ci_lower"], found["ci_upper"]) == approx((low, high), rel=1e-10, abs=1e-12)
    assert found["statistic"] == approx(found["estimate"] / found["standard_error"], rel=1e-12)


def test_anscombes_first_set(con):
    found = con.execute(
        "select ml.pearson_test(x, y) from textbook.anscombe where quartet = 1"
    ).fetchall()[0][0]
    # r, t² = F and p of the regression in R's help page of anscombe
    assert found["estimate"] == approx(0.8164205163448, rel=1e-12)
    assert found["statistic"] ** 2 == approx(17.98994297, rel=1e-9)
    assert found["p_value"] == approx(0.00216962887, rel=1e-8)
    assert found["ci_lower"] == approx(0.4243912134, abs=5e-11)


def test_a_line_is_certain(con):
    found = struct(con, "pearson_test(x, -x)", x=[1.0, 2.0, 3.0, 5.0, 8.0])
    assert found["estimate"] == approx(-1, abs=2e-16)
    assert found["p_value"] < 1e-20
    assert (found["ci_lower"], found["ci_upper"]) == approx((-1, -1), abs=1e-12)


@given(xy=pairs)
@settings(max_examples=8)
def test_neither_order_nor_scale_matters(con, xy):
    x, y = map(list, zip(*xy, strict=True))
    assume(len(set(x)) > 1 and len(set(y)) > 1)
    one = struct(con, "pearson_test(x, y)", x=x, y=y)
    other = struct(con, "pearson_test(3 - 2 * y, x)", x=x, y=y)
    assert one["estimate"] == approx(-other["estimate"], rel=1e-12, abs=1e-14)


def test_pairs_with_a_missing_side_are_left_out(con):
    x = pa.array([1.0, 2.0, None, 4.0, math.nan, 6.0, 7.0])
    y = pa.array([1.0, 3.0, 2.0, 3.0, 5.0, math.nan, 9.0])
    found = struct(con, "pearson_test(x, y)", x=x, y=y)
    assert (found["n"], found["n_missing"]) == (4, 3)
    expected = stats.pearsonr([1, 2, 4, 7], [1, 3, 3, 9])
    assert found["p_value"] == approx(expected.pvalue, rel=1e-11)


@pytest.mark.parametrize("x", [[], [1.0], [1.0, 2.0], [3.0, 3.0, 3.0], [None, None, None]])
def test_thin_data_gives_null(con, x):
    y = pa.array(np.arange(len(x), dtype=float))
    found = struct(con, "pearson_test(x, y)", x=pa.array(x, pa.float64()), y=y)
    for name in ("statistic", "p_value", "log10_p_value", "standard_error", "ci_lower"):
        assert found[name] is None
