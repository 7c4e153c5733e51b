"""Jarque and Bera's and D'Agostino's tests against scipy."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx
from scipy import stats

from tests.sql.aggregates import FIELDS, struct, values

samples = st.lists(values, min_size=8, max_size=40).filter(lambda x: len(set(x)) > 2)


@given(x=samples)
def test_agrees_with_scipy(con, x):
    for name, test in (("jarque_bera", stats.jarque_bera), ("dagostino", stats.normaltest)):
        found, expected = struct(con, f"{name}(x)", x=x), test(x)
        assert list(found) == FIELDS
        # sums of 40 fourth powers, and a difference from 3
        assert found["statistic"] == approx(expected.statistic, rel=1e-9, abs=1e-12)
        assert found["p_value"] == approx(expected.pvalue, rel=1e-9)
        assert found["df"] == 2


def test_moments_keep_their_digits_far_from_zero(con):
    x = np.random.default_rng(3).integers(0, 1024, 2000) ** 2 / 2**20
    near = struct(con, "shape_moments(x)", x=x)
    # 1e8 + k / 2**20 rounds by 7e-9 of a spread of 0.3
    far = struct(con, "shape_moments(x)", x=np.round(x * 2**10) / 2**10 + 1e8)
    exact = struct(con, "shape_moments(x)", x=np.round(x * 2**10) / 2**10)
    assert near["skewness"] == approx(stats.skew(x), rel=1e-12)
    assert near["kurtosis"] == approx(stats.kurtosis(x), rel=1e-11)
    assert far["skewness"] == approx(exact["skewness"], rel=1e-11)
    assert far["kurtosis"] == approx(exact["kurtosis"], rel=1e-11)


def test_a_shift_and_a_turn_change_nothing(con):
    x = [1.0, 2.0, 2.5, 4.0, 8.0, 8.5, 9.0, 16.0, 23.0]
    one, other = struct(con, "dagostino(x)", x=x), struct(con, "dagostino(5 - 3 * x)", x=x)
    assert one["p_value"] == approx(other["p_value"], rel=1e-10)


def test_p_below_the_least_double(con):
    x = [0.0] * 5000 + [1.0]
    found = struct(con, "jarque_bera(x)", x=x)
    assert found["p_value"] == 0
    assert found["log10_p_value"] == approx(
        -stats.jarque_bera(x).statistic / 2 / math.log(10), rel=1e-9
    )


@pytest.mark.parametrize("name, rows", [("jarque_bera", 1), ("dagostino", 7)])
def test_thin_data_gives_null(con, name, rows):
    for x in ([], [float(i) for i in range(rows)], [None], [2.0] * 30):
        found = struct(con, f"{name}(x)", x=pa.array(x, pa.float64()))
        assert (found["statistic"], found["df"], found["p_value"]) == (None, None, None)
    found = struct(con, f"{name}(x)", x=pa.array([*range(20), None, math.nan], pa.float64()))
    assert (found["n"], found["n_missing"]) == (20, 2)
