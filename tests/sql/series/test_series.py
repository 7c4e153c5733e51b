"""Tests of series against statsmodels."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx
from scipy import stats
from statsmodels.sandbox.stats.runs import runstest_1samp
from statsmodels.stats.diagnostic import acorr_ljungbox
from statsmodels.stats.stattools import durbin_watson

import mlpond
from mlpond.seeds import load as load_seed
from tests.sql.ranks.samples import columns, is_unknown, record

SERIES = st.lists(st.integers(-6, 6).map(float), min_size=8, max_size=80)


@pytest.fixture(scope="module")
def con():
    with mlpond.connect() as session:
        load_seed(session, "textbook")
        yield session.con


def run(con, name, options=""):
    return record(con, f"from ml.{name}('(from t order by hash(i))', 'y', 'i'{options})")


@given(y=SERIES, lags=st.integers(1, 6), fitted=st.integers(0, 3))
def test_ljung_box_agrees_with_statsmodels(con, y, lags, fitted):
    fitted = min(fitted, lags - 1)
    columns(con, i=range(len(y)), y=y)
    row = run(con, "ljung_box", f", lags := {lags}, n_fitted := {fitted}")
    assert row["df"] == lags - fitted
    if len(set(y)) == 1:
        assert row["statistic"] is None
        return
    expected = acorr_ljungbox(y, [lags], model_df=fitted).iloc[0]
    # centred sums of up to 80 products, all of the size of the variance
    assert row["statistic"] == approx(expected.lb_stat, rel=1e-11, abs=1e-12)
    # of our statistic: with one degree, near 0 a rounding moves p by its root
    assert row["p_value"] == approx(stats.chi2.sf(row["statistic"], lags - fitted), rel=1e-12)


@given(y=SERIES)
def test_durbin_watson_agrees_with_statsmodels(con, y):
    columns(con, i=range(len(y)), y=y)
    row = run(con, "durbin_watson")
    if any(y):
        assert row["statistic"] == approx(durbin_watson(np.array(y)), rel=1e-14)
    else:
        assert row["statistic"] is None


@given(y=SERIES, alternative=st.sampled_from(["two-sided", "less", "greater"]))
def test_runs_agree_with_statsmodels(con, y, alternative):
    columns(con, i=range(len(y)), y=y)
    row = run(con, "runs_test", f", alternative := '{alternative}'")
    above = np.array(y) >= np.median(y)
    if above.all():
        assert row["p_value"] is None
        return
    z, _ = runstest_1samp(y, "median", correction=False)
    assert row["estimate"] == 1 + np.sum(above[1:] != above[:-1])
    if not np.isfinite(z):
        assert row["p_value"] is None
        return
    assert row["statistic"] == approx(z, rel=1e-12, abs=1e-13)
    p = {
        "two-sided": 2 * stats.norm.sf(abs(z)),
        "less": stats.norm.cdf(z),
        "greater": stats.norm.sf(z),
    }
    assert row["p_value"] == approx(p[alternative], rel=1e-11)


@given(y=SERIES, shift=st.integers(-100, 100))
def test_autocorrelation_does_not_depend_on_the_level(con, y, shift):
    columns(con, i=range(len(y)), y=y)
    one = run(con, "ljung_box", ", lags := 3")
    columns(con, i=[-3 * i for i in range(len(y))], y=[v + shift for v in y])  # and reads both ways
    other = run(con, "ljung_box", ", lags := 3")
    if one["statistic"] is not None:
        assert one["statistic"] == approx(other["statistic"], rel=1e-10, abs=1e-10)


def test_nile(con):
    # R 4: Box.test(Nile, lag = 5, type = "Ljung"): X-squared = 63.972, df = 5, p-value = 1.831e-12
    row = record(con, "from ml.ljung_box('textbook.nile', 'flow_1e8_m3', 'year', lags := 5)")
    assert row["statistic"] == approx(63.972, abs=5e-4)
    assert row["p_value"] == approx(1.831e-12, abs=5e-16)


@pytest.mark.parametrize("name", ["ljung_box", "durbin_watson", "runs_test"])
def test_thin_data(con, name):
    columns(con, i=[1, 2], y=[None, float("nan")])
    row = run(con, name)
    assert is_unknown(row)
    assert (row["n"], row["n_missing"]) == (0, 2)
    columns(con, i=[1], y=[3.0])
    assert is_unknown(run(con, name))


def test_wrong_parameters_are_errors(con):
    columns(con, i=range(9), y=range(9))
    with pytest.raises(duckdb.Error, match="lags is 0; it must be at least 1"):
        run(con, "ljung_box", ", lags := 0")
    with pytest.raises(
        duckdb.Error, match="n_fitted is 2; it must be at least 0 and less than lags"
    ):
        run(con, "ljung_box", ", lags := 2, n_fitted := 2")
