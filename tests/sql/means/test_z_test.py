"""z tests against statsmodels."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from pytest import approx
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW, ztest

from tests.sql.aggregates import FIELDS, arms, samples, struct

TOLERANCE = 1e-10  # statsmodels takes variances as differences of sums in places
LARGER = {"two-sided": "two-sided", "less": "smaller", "greater": "larger"}


@pytest.mark.parametrize("alternative", LARGER)
@given(a=samples, b=samples)
@settings(max_examples=8)
def test_agrees_with_statsmodels(con, alternative, a, b):
    found = struct(con, f"z_test_ind(x, treated, alternative := '{alternative}')", **arms(a, b))
    means = CompareMeans(DescrStatsW(a), DescrStatsW(b))
    z, p = means.ztest_ind(alternative=LARGER[alternative], usevar="unequal")
    low, high = means.zconfint_diff(alternative=LARGER[alternative], usevar="unequal")
    assert list(found) == FIELDS
    assert found["statistic"] == approx(z, rel=TOLERANCE, abs=1e-13)
    assert found["p_value"] == approx(p, rel=TOLERANCE)
    assert found["ci_lower"] == approx(low, rel=TOLERANCE, abs=1e-12)
    assert found["ci_upper"] == approx(high, rel=TOLERANCE, abs=1e-12)
    one = struct(con, f"z_test_1samp(x, 0.3, alternative := '{alternative}')", x=a)
    z, p = ztest(a, value=0.3, alternative=LARGER[alternative])
    # a mean of 0.3 may differ from it by a rounding
    assert (one["statistic"], one["p_value"]) == approx((z, p), rel=TOLERANCE, abs=1e-13)


def test_known_standard_deviations(con):
    x = [1.0, 2.0, 6.0]
    found = struct(con, "z_test_1samp(x, 1, sd := 2)", x=x)
    assert found["statistic"] == approx(2 / (2 / 3**0.5), rel=1e-15)
    assert found["p_value"] == approx(2 * stats.norm.sf(3**0.5), rel=1e-13)
    assert found["effect_size"] == 1.0
    found = struct(
        con, "z_test_ind(x, treated, sd_treatment := 2, sd_control := 1)", **arms(x, [1.0])
    )
    assert found["standard_error"] == approx((4 / 3 + 1) ** 0.5, rel=1e-15)


def test_thin_data_gives_null_unless_the_sd_is_known(con):
    assert struct(con, "z_test_1samp(x)", x=[1.0])["p_value"] is None
    assert struct(con, "z_test_1samp(x, sd := 1)", x=[1.0])["p_value"] is not None
    assert struct(con, "z_test_1samp(x)", x=[2.0, 2.0])["statistic"] is None
    empty = con.execute("select ml.z_test_1samp(1, sd := 1) from range(0)").fetchall()[0][0]
    assert (empty["estimate"], empty["standard_error"], empty["p_value"]) == (None, None, None)


@pytest.mark.parametrize("sd", ["0", "-1"])
def test_a_bad_sd_is_an_error(con, sd):
    with pytest.raises(duckdb.Error, match="z_test_1samp: sd is"):
        struct(con, f"z_test_1samp(x, sd := {sd})", x=[1.0])
