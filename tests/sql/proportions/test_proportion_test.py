"""Tests of proportions against statsmodels, R's formulas and published examples."""

from __future__ import annotations

import math

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy import stats
from statsmodels.stats.proportion import proportion_confint, proportions_ztest

from tests.sql.aggregates import FIELDS, struct

LARGER = {"two-sided": "two-sided", "less": "smaller", "greater": "larger"}
counts = st.integers(2, 60).flatmap(lambda n: st.tuples(st.integers(1, n - 1), st.just(n)))


def table(*groups):
    """Columns of so many successes among n in each group, treatment first."""
    success = [i < k for k, n in groups for i in range(n)]
    return {"x": success, "treated": [g == 0 for g, (_, n) in enumerate(groups) for _ in range(n)]}


@pytest.mark.parametrize("alternative", LARGER)
@given(a=counts, b=counts)
@settings(max_examples=8)
def test_agrees_with_statsmodels(con, alternative, a, b):
    found = struct(
        con, f"proportion_test_ind(x, treated, alternative := '{alternative}')", **table(a, b)
    )
    z, p = proportions_ztest([a[0], b[0]], [a[1], b[1]], alternative=LARGER[alternative])
    assert list(found) == FIELDS
    assert (found["statistic"], found["p_value"]) == approx((z, p), rel=1e-11, abs=1e-14)
    h = 2 * math.asin(math.sqrt(a[0] / a[1])) - 2 * math.asin(math.sqrt(b[0] / b[1]))
    assert found["effect_size"] == approx(h, rel=1e-13, abs=1e-15)
    one = struct(con, f"proportion_test_1samp(x, 0.3, alternative := '{alternative}')", **table(a))
    z, p = proportions_ztest(*a, value=0.3, prop_var=0.3, alternative=LARGER[alternative])
    assert (one["statistic"], one["p_value"]) == approx((z, p), rel=1e-11, abs=1e-14)
    if alternative == "two-sided":
        expected = tuple(map(float, proportion_confint(*a, method="wilson")))
        assert (one["ci_lower"], one["ci_upper"]) == approx(expected, rel=1e-12)


def test_published_examples(con):
    # statsmodels, proportions_ztest: 5 of 83 against 12 of 99
    found = struct(con, "proportion_test_ind(x, treated)", **table((5, 83), (12, 99)))
    assert found["statistic"] == approx(-1.4078304151258787, rel=1e-13)
    assert found["p_value"] == approx(0.15918129181157, rel=1e-13)
    # ClickHouse, proportionsZTest(10, 11, 100, 101, 0.95, 'unpooled')
    found = struct(
        con, "proportion_test_ind(x, treated, pooled := false)", **table((10, 100), (11, 101))
    )
    assert found["statistic"] == approx(-0.20656724435948853, rel=1e-12)
    assert found["p_value"] == approx(0.83634784370797, rel=1e-13)
    assert found["ci_lower"] == approx(-0.09345975390115, rel=1e-12)
    assert found["ci_upper"] == approx(0.07563797171, abs=1.5e-11)  # cut, not rounded


def test_continuity_is_yates(con):
    # tea-tasting: 177 of 497 against 151 of 503, corrected .0692939666751, without .0595844754611
    groups = table((177, 497), (151, 503))
    corrected = struct(con, "proportion_test_ind(x, treated, continuity := true)", **groups)
    plain = struct(con, "proportion_test_ind(x, treated)", **groups)
    assert corrected["p_value"] == approx(0.0692939666751, rel=1e-12)
    assert plain["p_value"] == approx(0.0595844754611, rel=1e-12)
    assert corrected["ci_upper"] - plain["ci_upper"] == approx(0.5 / 497 + 0.5 / 503, rel=1e-10)
    # R's prop.test(15, 25): chi-square 0.64 = (|15 - 12.5| - 0.5)² / 6.25
    found = struct(con, "proportion_test_1samp(x, 0.5, continuity := true)", **table((15, 25)))
    assert found["statistic"] == approx(0.8, rel=1e-13)
    assert found["p_value"] == approx(2 * stats.norm.sf(0.8), rel=1e-13)


def test_one_sided_intervals_end_where_proportions_do(con):
    found = struct(con, "proportion_test_1samp(x, 0.5, alternative := 'less')", **table((3, 9)))
    assert found["ci_lower"] == 0
    high = float(proportion_confint(3, 9, 0.1, "wilson")[1])
    assert found["ci_upper"] == approx(high, rel=1e-13)
    found = struct(
        con, "proportion_test_ind(x, treated, alternative := 'greater')", **table((3, 9), (2, 8))
    )
    assert found["ci_upper"] == 1


def test_numbers_and_booleans_are_the_same(con):
    a = struct(con, "proportion_test_ind(x, treated)", **table((3, 9), (2, 8)))
    b = struct(con, "proportion_test_ind(x::int, treated)", **table((3, 9), (2, 8)))
    assert a == b
    with pytest.raises(duckdb.Error, match="success is 2"):
        struct(con, "proportion_test_1samp(x)", x=[0, 1, 2])


@pytest.mark.parametrize("x", [[], [None], [True, True, True, True]])
def test_thin_data_gives_null(con, x):
    treated = pa.array([i % 2 == 0 for i in range(len(x))], pa.bool_())
    found = struct(
        con, "proportion_test_ind(x, treated)", x=pa.array(x, pa.bool_()), treated=treated
    )
    assert (found["statistic"], found["p_value"], found["ci_lower"]) == (None, None, None)
    empty = struct(con, "proportion_test_1samp(x)", x=pa.array([None], pa.bool_()))
    assert [empty[name] for name in FIELDS] == [None] * 9 + [0, 1]


@pytest.mark.parametrize("p", ["0", "1", "1.5", "NULL"])
def test_a_bad_p_is_an_error(con, p):
    with pytest.raises(duckdb.Error, match="proportion_test_1samp: p is"):
        struct(con, f"proportion_test_1samp(x, {p})", x=[True])
