"""White's test, against statsmodels."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.diagnostic import het_white


@pytest.mark.slow
@given(seed=st.integers(0, 2**32), n=st.integers(40, 150), k=st.integers(1, 4))
def test_agrees_with_statsmodels(study, seed, n, k):
    s = study(seed, n, k)
    found = s.record("from ml.white_test('m', 't')")
    z = (s.X - s.X.mean(axis=0)) / s.X.std(axis=0)  # squares of raw features lose its digits
    expected = het_white(s.fit.resid, np.column_stack([np.ones(n), z]))
    # skewed squares and products are nearly dependent, and sums of products square that
    assert found["statistic"] == pytest.approx(expected[0], rel=1e-6)
    assert found["p_value"] == pytest.approx(expected[1], rel=1e-4)
    assert found["df"] == k * (k + 3) / 2
    assert found["effect_size"] == pytest.approx(expected[0] / n, rel=1e-6)


def test_squares_of_categories_count_once(session, load_penguins):
    if not session.con.execute("from duckdb_tables() where table_name = 'penguins'").fetchall():
        load_penguins(session)
    session.sql(
        "create or replace model mass options (model_type = 'linear_reg', "
        "input_label_cols = ['body_mass_g']) as select flipper_length_mm, sex, species, body_mass_g "
        "from penguins where sex is not null"
    )
    found = session.con.execute("select statistic, df from ml.white_test('mass')").fetchone()
    # statsmodels 0.15: het_white of the residuals of
    # ols('body_mass_g ~ flipper_length_mm + sex + species'), the flipper standardised
    assert found == pytest.approx((14.979367882198506, 10), rel=1e-9)


def test_one_feature_gives_its_square_only(study):
    s = study(1, 50, 1)
    x = (s.X[:, 0] - s.X[:, 0].mean()) / s.X[:, 0].std()
    u = s.fit.resid**2 - np.mean(s.fit.resid**2)
    Q = np.linalg.qr(np.column_stack([np.ones(50), x, x * x]))[0]
    expected = 50 * np.sum((Q.T @ u) ** 2) / (u @ u)
    assert s.record("from ml.white_test('m')")["statistic"] == pytest.approx(expected, rel=1e-10)


def test_too_few_rows_leave_it_unknown(study):
    found = study(2, 8, 3).record("from ml.white_test('m')")
    assert (found["statistic"], found["p_value"]) == (None, None)


def test_too_many_columns_are_refused(session, study):
    study(3, 60, 15)
    with pytest.raises(duckdb.Error, match="ml.white_test: model m@1 has 16 columns, with 136"):
        session.con.execute("from ml.white_test('m')").fetchall()
