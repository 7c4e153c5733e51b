"""Newey–West standard errors, against statsmodels."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.slow
@given(
    seed=st.integers(0, 2**32), n=st.integers(12, 150), k=st.integers(1, 4), share=st.floats(0, 1)
)
def test_agrees_with_statsmodels(study, seed, n, k, share):
    s = study(seed, n, k)
    lags = int(share * (n - 1))
    for adjust in (False, True):
        found = s.weights(
            f"from ml.newey_west_weights('m', 't', 'i', lags := {lags}, adjust := {adjust})"
        )
        expected = s.fit.get_robustcov_results(
            "HAC", maxlags=lags, use_correction=adjust, use_t=True
        )
        # with lags near n nearly everything cancels: scores sum to 0. Ours sums stretches and
        # squares them; statsmodels adds products of both signs
        assert found["standard_error"] == pytest.approx(expected.bse, rel=1e-7)
        assert found["df"] == pytest.approx(n - k - 1)
        assert found["p_value"] == pytest.approx(expected.pvalues, rel=1e-4, abs=1e-12)


@pytest.mark.parametrize("n, lags", [(20, 2), (100, 4), (150, 4), (1000, 6)])
def test_default_lags(study, n, lags):
    # floor(4 (n / 100)^(2/9)): 2.79, 4, 4.38, 6.67
    s = study(10, n, 1)
    given = s.weights(f"from ml.newey_west_weights('m', 't', 'i', lags := {lags})")
    default = s.weights("from ml.newey_west_weights('m', 't', 'i')")
    assert default["standard_error"].tolist() == given["standard_error"].tolist()


def test_the_order_of_storage_does_not_matter(session, study):
    s = study(11)
    found = s.weights("from ml.newey_west_weights('m', '(from t order by hash(i))', 'i')")
    expected = s.weights("from ml.newey_west_weights('m', 't', 'i')")
    assert found["standard_error"] == pytest.approx(expected["standard_error"], rel=1e-13)


@pytest.mark.slow
@given(seed=st.integers(0, 2**32))
def test_no_lags_give_hc0_and_time_may_run_backwards(study, seed):
    s = study(seed, 60, 2)
    none = s.weights("from ml.newey_west_weights('m', 't', 'i', lags := 0)")
    robust = s.weights("from ml.robust_weights('m', type := 'HC0')")
    # sums of 60 products in another order
    assert none["standard_error"] == pytest.approx(robust["standard_error"], rel=1e-12)
    ahead = s.weights("from ml.newey_west_weights('m', 't', 'i', lags := 7)")
    back = s.weights(
        "from ml.newey_west_weights('m', '(select * replace (-i as i) from t)', 'i', 7)"
    )
    assert back["standard_error"] == pytest.approx(ahead["standard_error"], rel=1e-12)


def test_dates_order_rows(study):
    s = study(12)
    dated = "'(select *, date ''2024-01-01'' + i as day from t)'"
    found = s.weights(f"from ml.newey_west_weights('m', {dated}, 'day')")
    expected = s.weights("from ml.newey_west_weights('m', 't', 'i')")
    assert found["standard_error"] == pytest.approx(expected["standard_error"], rel=1e-13)


def test_two_rows_leave_everything_unknown(given_two):
    assert np.isnan(given_two["df"]).all()
    assert np.isnan(given_two["ci_upper"]).all()


@pytest.fixture
def given_two(rows_given):
    s = rows_given([[1.0], [2.0]], [1.0, 4.0])
    return s.weights("from ml.newey_west_weights('m', 't', 'i')")


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            "'t', 'i', lags := 120",
            "lags is 120; it must be at least 0 and below the number of rows",
        ),
        ("'t', 'i', lags := -1", "lags is -1"),
        ("'t', 'g'", "rows have the order of another row"),
        ("'(select * replace (nullif(i, 3) as i) from t)', 'i'", "1 rows have the order"),
        ("'t', 'nope'", '"nope" not found'),
        ("'(from t where i > 0)', 'i'", "119 rows with a label"),
    ],
)
def test_a_wrong_argument_is_an_error(session, study, arguments, message):
    study(13)
    with pytest.raises(duckdb.Error, match=message):
        session.con.execute(f"from ml.newey_west_weights('m', {arguments})").fetchall()
