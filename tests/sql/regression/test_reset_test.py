"""Ramsey's RESET, against the F test of the two regressions."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.diagnostic import linear_reset


def two_regressions(s, powers):
    """F by QR, with predictions in standard units: their raw cubes lose half the digits."""
    Q = np.linalg.qr((s.exog - [0, *s.X.mean(axis=0)]) / [1, *s.X.std(axis=0)])[0]
    fitted = Q @ (Q.T @ s.y)
    t = (fitted - fitted.mean()) / fitted.std()
    wide = np.linalg.qr(np.column_stack([Q, *(t**p for p in range(2, powers + 1))]))[0]
    e = s.y - fitted
    rss, gained = e @ e, np.sum((wide[:, Q.shape[1] :].T @ e) ** 2)
    df = len(s.y) - wide.shape[1]
    return gained / (powers - 1) / ((rss - gained) / df), df, gained / rss


@pytest.mark.slow
@given(
    seed=st.integers(0, 2**32),
    n=st.integers(20, 150),
    k=st.integers(2, 4),
    powers=st.integers(2, 4),
)
def test_agrees_with_two_regressions(study, seed, n, k, powers):
    s = study(seed, n, k)
    found = s.record(f"from ml.reset_test('m', 't', powers := {powers})")
    statistic, df, share = two_regressions(s, powers)
    # what is left of the powers may be a thousandth of them, and enters squared
    assert found["statistic"] == pytest.approx(statistic, rel=1e-7)
    assert (found["df_between"], found["df_within"]) == (powers - 1, df)
    assert found["effect_size"] == pytest.approx(share, rel=1e-7)
    # of our statistic: with one power, near 0 a rounding would move p by its root
    p = stats.f.sf(found["statistic"], powers - 1, df)
    assert found["p_value"] == pytest.approx(p, rel=1e-11)
    assert found["log10_p_value"] == pytest.approx(np.log10(found["p_value"]), abs=1e-9)


def test_agrees_with_statsmodels(study):
    s = study(1)
    expected = linear_reset(s.fit, power=3, use_f=True)
    # statsmodels cubes raw predictions
    assert s.record("from ml.reset_test('m')")["statistic"] == pytest.approx(
        float(expected.fvalue), rel=1e-6
    )


def test_a_parabola_is_found_and_a_line_is_not(rows_given):
    rng = np.random.default_rng(2)
    x = np.linspace(0, 10, 200)
    noise = rng.normal(size=200)
    bent = rows_given(x[:, None], x**2 + noise).record("from ml.reset_test('m')")
    assert bent["log10_p_value"] < -100
    assert rows_given(x[:, None], 3 * x + noise).record("from ml.reset_test('m')")["p_value"] > 0.05


def test_without_an_intercept_predictions_are_not_centred(session, study):
    s = study(3, 100, 2)
    session.sql(
        "create or replace model m options (model_type = 'linear_reg', input_label_cols = ['y'], "
        "fit_intercept = false, data_split_method = 'no_split') as select x1, x2, y from t"
    )
    Q = np.linalg.qr(s.X)[0]
    t = Q @ (Q.T @ s.y)
    wide = np.linalg.qr(np.column_stack([Q, t**2, t**3]))[0]
    e = s.y - t
    gained = np.sum((wide[:, 2:].T @ e) ** 2)
    expected = gained / 2 / ((e @ e - gained) / 96)
    # raw cubes on both sides of the comparison
    assert s.record("from ml.reset_test('m')")["statistic"] == pytest.approx(expected, rel=1e-6)


def test_two_values_of_the_prediction_have_no_square_of_their_own(rows_given):
    s = rows_given([[0.0], [0.0], [1.0], [1.0], [1.0]], [1.0, 2.0, 4.0, 3.0, 6.0])
    found = s.record("from ml.reset_test('m')")
    assert (found["statistic"], found["df_between"], found["p_value"]) == (None, None, None)


def test_a_constant_prediction_leaves_it_unknown(rows_given):
    found = rows_given([[1.0], [1.0], [1.0]], [1.0, 4.0, 5.0]).record("from ml.reset_test('m')")
    assert (found["statistic"], found["df_between"], found["effect_size"]) == (None, None, None)
    assert found["n"] == 3


@pytest.mark.parametrize("powers", [1, 6])
def test_powers_outside_2_to_5_are_an_error(session, study, powers):
    study(4)
    with pytest.raises(duckdb.Error, match=rf"powers is {powers}; it must be from 2 to 5"):
        session.con.execute(f"from ml.reset_test('m', powers := {powers})").fetchall()
