"""The Breusch–Pagan test, against statsmodels."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.diagnostic import het_breuschpagan


@pytest.mark.slow
@given(seed=st.integers(0, 2**32), n=st.integers(8, 150), k=st.integers(1, 4))
def test_agrees_with_statsmodels(study, seed, n, k):
    s = study(seed, n, k)
    for studentize in (True, False):
        found = s.record(f"from ml.breusch_pagan('m', 't', studentize := {studentize})")
        expected = het_breuschpagan(s.fit.resid, s.exog, robust=studentize)
        # statsmodels does not centre the features
        assert found["statistic"] == pytest.approx(expected[0], rel=1e-8)
        # of our statistic: with one feature, near 0 a rounding would move p by its root
        p = stats.chi2.sf(found["statistic"], k)
        assert found["p_value"] == pytest.approx(p, rel=1e-11)
        assert found["log10_p_value"] == pytest.approx(np.log10(p), rel=1e-11, abs=1e-11)
        assert (found["df"], found["n"], found["n_missing"]) == (k, n, 0)
        # R² is n times smaller than Koenker's statistic, whichever is asked for
        koenker = het_breuschpagan(s.fit.resid, s.exog)[0]
        assert found["effect_size"] == pytest.approx(koenker / n, rel=1e-8)


@pytest.mark.slow
@given(seed=st.integers(0, 2**32))
def test_mixing_the_features_changes_nothing(session, study, seed):
    s = study(seed, 60, 2)
    before = s.record("from ml.breusch_pagan('m')")
    session.sql(
        "create or replace model m options (model_type = 'linear_reg', input_label_cols = ['y']) "
        "as select 3 * x1 - 7 as a, x2 + x1 as b, -y as y from t"
    )
    # x1 and x2 may differ in size by 1e5
    after = s.record("from ml.breusch_pagan('m')")
    assert after["statistic"] == pytest.approx(before["statistic"], rel=1e-6)


def test_rows_without_a_label_are_counted(session, study):
    s = study(1)
    expected = s.record("from ml.breusch_pagan('m', 't')")
    found = s.record(
        "from ml.breusch_pagan('m', '(from t union all select * replace (''nan''::double as y) "
        "from t where i < 5)')"
    )
    assert found.pop("n_missing") == 5
    expected.pop("n_missing")
    # the rows may come in another order
    assert [v or 0 for v in found.values()] == pytest.approx(
        [v or 0 for v in expected.values()], rel=1e-11
    )


def test_no_residuals_or_no_feature_leave_it_unknown(rows_given):
    same = rows_given([[1.0], [1.0], [1.0]], [1.0, 4.0, 5.0]).record("from ml.breusch_pagan('m')")
    assert [same[name] for name in ("statistic", "df", "p_value", "log10_p_value")] == [None] * 4
    exact = rows_given([[1.0], [2.0]], [1.0, 3.0]).record("from ml.breusch_pagan('m')")
    assert exact["n"] == 2


def test_equal_squares_leave_nothing_to_explain(rows_given):
    found = rows_given([[1.0], [1.0], [2.0], [2.0]], [1.0, 3.0, 2.0, 4.0]).record(
        "from ml.breusch_pagan('m')"
    )
    assert found["statistic"] is None
    assert found["p_value"] is None


def test_a_model_without_intercept_is_refused(session, study):
    study(2)
    session.sql(
        "create or replace model m options (model_type = 'linear_reg', input_label_cols = ['y'], "
        "fit_intercept = false) as select x1, y from t"
    )
    for name in ("breusch_pagan", "white_test"):
        with pytest.raises(duckdb.Error, match=rf"ml.{name}: m@\d was trained with fit_intercept"):
            session.con.execute(f"from ml.{name}('m')").fetchall()
