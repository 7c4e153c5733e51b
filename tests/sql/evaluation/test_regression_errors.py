"""Metrics of predicted numbers against scikit-learn, residual checks against statsmodels."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from pytest import approx
from scipy import stats
from sklearn import metrics
from statsmodels.stats.diagnostic import acorr_ljungbox, het_breuschpagan
from statsmodels.stats.stattools import durbin_watson

from tests.sql.ranks.samples import record, records

METRICS = {
    "mean_absolute_error": metrics.mean_absolute_error,
    "mean_squared_error": metrics.mean_squared_error,
    "root_mean_squared_error": metrics.root_mean_squared_error,
    "mean_absolute_percentage_error": metrics.mean_absolute_percentage_error,
    "r2_score": metrics.r2_score,
    "explained_variance": metrics.explained_variance_score,
}


def one(con, query):
    return con.execute(query).fetchall()[0][0]


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("weight", ["", ", weight := w"])
def test_agrees_with_scikit_learn(rows, data, name, weight):
    weights = data.w if weight else None
    expected = METRICS[name](data.label, data.predicted, sample_weight=weights)
    found = one(rows, f"select ml.{name}(label, predicted{weight}) from t")
    assert found == approx(expected, rel=1e-12)


def test_the_other_metrics(rows, data):
    y, p = data.label, data.predicted
    expected = {
        "median_absolute_error(label, predicted)": metrics.median_absolute_error(y, p),
        "max_error(label, predicted)": metrics.max_error(y, p),
        "mean_error(label, predicted)": np.mean(p - y),
        "pinball_loss(label, predicted, quantile := 0.9)": metrics.mean_pinball_loss(
            y, p, alpha=0.9
        ),
        "mean_squared_log_error(abs(label), abs(predicted))": metrics.mean_squared_log_error(
            abs(y), abs(p)
        ),
        "symmetric_mean_absolute_percentage_error(label, predicted)": np.mean(
            2 * abs(y - p) / (abs(y) + abs(p))
        ),
    }
    for call, value in expected.items():
        assert one(rows, f"select ml.{call} from t") == approx(value, rel=1e-12), call


def test_one_row_of_all(rows, data):
    found = record(rows, "from ml.regression_metrics('t', 'label', 'predicted', weight := 'w')")
    for name, function in METRICS.items():
        expected = function(data.label, data.predicted, sample_weight=data.w)
        assert found[name] == approx(expected, rel=1e-12)
    assert (found["n"], found["n_missing"]) == (400, 0)
    assert found["mean_squared_log_error"] is None  # some labels are below -1
    holes = record(rows, "from ml.regression_metrics('holes', 'label', 'predicted')")
    assert (holes["n"], holes["n_missing"]) == (401, 2)


def test_thin_and_bad_data(con):
    values = "(values (1, 1), (1, 2)) as t(y, p)"
    found = con.execute(
        f"select ml.r2_score(y, p), ml.explained_variance(y, p) from {values}"
    ).fetchall()
    assert found == [(None, None)]
    assert one(con, f"select ml.mean_squared_error(y, p) from {values} where false") is None
    zeros = "select ml.symmetric_mean_absolute_percentage_error(0, 0)"
    assert one(con, zeros) == 0
    with pytest.raises(duckdb.Error, match="ml.pinball_loss: quantile is 2; it must lie in"):
        con.execute(f"select ml.pinball_loss(y, p, quantile := 2) from {values}").fetchall()
    with pytest.raises(duckdb.Error, match="a weight is -2"):
        con.execute(f"select ml.mean_absolute_error(y, p, weight := -2) from {values}").fetchall()


@pytest.mark.parametrize("season", [1, 12])
def test_mase(rows, data, season):
    found = record(rows, f"from ml.mase('t', 'label', 'predicted', 'i', season := {season})")
    naive = np.mean(abs(data.label[season:] - data.label[:-season]))
    expected = np.mean(abs(data.label - data.predicted)) / naive
    assert found["mase"] == approx(expected, rel=1e-12)
    split = record(
        rows,
        "from ml.mase('(from t where i >= 300)', 'label', 'predicted', 'i', "
        f"season := {season}, training := '(from t where i < 300)')",
    )
    naive = np.mean(abs(data.label[season:300] - data.label[: 300 - season]))
    assert split["mase"] == approx(
        np.mean(abs(data.label - data.predicted)[300:]) / naive, rel=1e-12
    )
    with pytest.raises(duckdb.Error, match="season is 0; it must be at least 1"):
        record(rows, "from ml.mase('t', 'label', 'predicted', 'i', season := 0)")


def test_residual_checks_agree_with_statsmodels(rows, data):
    found = {
        row["check"]: row
        for row in records(
            rows, "from ml.residual_diagnostics('t', 'label', 'predicted', order_by := 'i')"
        )
    }
    e, p = data.label - data.predicted, data.predicted
    t = stats.ttest_1samp(e, 0)
    assert found["bias"]["statistic"] == approx(t.statistic, rel=1e-10)
    assert found["bias"]["p_value"] == approx(t.pvalue, rel=1e-10)
    r = stats.pearsonr(p, e)
    assert found["calibration"]["estimate"] == approx(r.statistic, rel=1e-10)
    # p-values magnify the rounding of a statistic of 400 sums by its size
    assert found["calibration"]["p_value"] == approx(r.pvalue, rel=1e-8)
    exog = np.column_stack([np.ones(400), p])
    lm, p_value, _, _ = het_breuschpagan(e, exog)
    assert found["constant_variance"]["statistic"] == approx(lm, rel=1e-10)
    assert found["constant_variance"]["p_value"] == approx(p_value, rel=1e-9)
    assert found["normality"]["statistic"] == approx(stats.jarque_bera(e).statistic, rel=1e-9)
    centred = e - e.mean()
    assert found["serial_correlation"]["statistic"] == approx(durbin_watson(centred), rel=1e-10)
    ljung = acorr_ljungbox(e, lags=[1])
    assert found["serial_correlation"]["p_value"] == approx(ljung["lb_pvalue"].iloc[0], rel=1e-9)
    unordered = records(rows, "from ml.residual_diagnostics('t', 'label', 'predicted')")
    assert unordered[-1]["p_value"] is None
    assert unordered[-1]["n"] == 0


def test_residuals_of_a_perfect_model(con):
    found = records(
        con,
        "from ml.residual_diagnostics('(select i as y, i as p from range(9) r(i))', 'y', 'p', order_by := 'p')",
    )
    assert [row["p_value"] for row in found] == [None] * 5
