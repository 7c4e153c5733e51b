"""Calibration against scikit-learn, and Murphy's identity."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from tests.sql.ranks.samples import record, records


@pytest.mark.parametrize("strategy", ["uniform", "quantile"])
@pytest.mark.parametrize(
    "bins", [1, 5, 10]
)  # none divides 399: no row lies on an edge of quantiles
def test_curve_agrees_with_scikit_learn(rows, data, strategy, bins):
    rate, mean = calibration_curve(data.y, data.p, n_bins=bins, strategy=strategy)
    options = f"bins := {bins}, strategy := '{strategy}'"
    table = records(rows, f"from ml.calibration_curve('t', 'y', 'p', {options})")
    np.testing.assert_allclose([row["positive_rate"] for row in table], rate, rtol=1e-12)
    np.testing.assert_allclose([row["mean_predicted"] for row in table], mean, rtol=1e-12)
    error = record(rows, f"from ml.calibration_error('t', 'y', 'p', {options})")
    gaps = np.array([abs(row["gap"]) for row in table])
    shares = np.array([row["n_rows"] for row in table]) / 400
    assert error["expected_calibration_error"] == approx(np.sum(gaps * shares), rel=1e-12)
    assert error["maximum_calibration_error"] == approx(gaps.max(), rel=1e-12)
    assert (error["n"], error["n_missing"], error["n_bins"]) == (400, 0, len(table))


def test_edges_belong_to_the_bin_below(con):
    table = records(
        con,
        "from ml.calibration_curve('(select true as y, i / 10 as p from range(11) r(i))', 'y', 'p')",
    )
    # 0 and 0.1 lie in the first bin; 3 * 0.1 is the edge above 0.3, as numpy's linspace has it
    assert [row["n_rows"] for row in table] == [2] + [1] * 9


@pytest.mark.parametrize("options", ["", ", bins := 7", ", bins := 7, strategy := 'quantile'"])
@pytest.mark.parametrize("weight", ["", ", weight := 'w'"])
def test_murphy(rows, data, options, weight):
    row = record(rows, f"from ml.brier_decomposition('t', 'y', 'p'{options}{weight})")
    expected = brier_score_loss(data.y, data.p, sample_weight=data.w if weight else None)
    assert row["brier_score"] == approx(expected, rel=1e-12)
    parts = row["reliability"] - row["resolution"] + row["uncertainty"] + row["within_bins"]
    assert parts == approx(expected, rel=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1, max_size=40))
@settings(deadline=None, max_examples=15)
def test_murphy_of_few_forecasts_needs_no_bins(con, pairs):
    values = ", ".join(f"({y}, {p} / 4)" for y, p in pairs)
    source = f"(select * from (values {values}) as t(y, p))"
    row = record(con, f"from ml.brier_decomposition('{source}', 'y', 'p')")
    parts = row["reliability"] - row["resolution"] + row["uncertainty"]
    assert row["brier_score"] == approx(parts, rel=1e-12, abs=1e-14)


@pytest.mark.parametrize(
    "function", ["calibration_curve", "calibration_error", "brier_decomposition"]
)
def test_bad_and_thin_data(rows, function):
    full = rows.execute(f"select * from ml.{function}('t', 'y', 'p')").fetchall()
    holes = rows.execute(f"select * from ml.{function}('holes', 'y', 'p')").fetchall()
    if function == "calibration_curve":
        assert holes == full
    else:
        assert holes[0][0] == approx(full[0][0], rel=1e-13)
        assert holes[0][-1] == 3
        empty = rows.execute(f"from ml.{function}('(from t where false)', 'y', 'p')").fetchall()
        assert empty[0][:2] == (None, None)
    with pytest.raises(duckdb.Error, match=f"ml.{function}: a probability is .*must lie in"):
        rows.execute(f"from ml.{function}('t', 'y', 'score')").fetchall()
    with pytest.raises(
        duckdb.Error, match="strategy is 'even'; accepted are 'uniform' and 'quantile'"
    ):
        rows.execute(f"from ml.{function}('t', 'y', 'p', strategy := 'even')").fetchall()
    with pytest.raises(duckdb.Error, match="bins is 0; it must be at least 1"):
        rows.execute(f"from ml.{function}('t', 'y', 'p', bins := 0)").fetchall()
