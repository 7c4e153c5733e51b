"""Variance inflation, against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.outliers_influence import variance_inflation_factor


@given(seed=st.integers(0, 2**32), n=st.integers(8, 150), k=st.integers(1, 5))
def test_agrees_with_statsmodels(study, seed, n, k):
    s = study(seed, n, k)
    _, found = s.rows("from ml.variance_inflation('m')")
    assert [row[0] for row in found] == [f"x{j + 1}" for j in range(k)]
    expected = [variance_inflation_factor(s.exog, j + 1) for j in range(k)]
    # statsmodels regresses columns that it does not centre
    assert [row[2] for row in found] == pytest.approx(expected, rel=1e-9)
    assert [row[2] * row[3] for row in found] == pytest.approx([1] * k, rel=1e-15)


def test_longley(session):
    data = sm.datasets.longley.load_pandas().data
    session.con.register("longley_frame", data)
    session.con.execute("create or replace table longley as from longley_frame")
    session.con.unregister("longley_frame")
    session.sql(
        "create or replace model longley options (model_type = 'linear_reg', "
        "input_label_cols = ['TOTEMP']) as from longley"
    )
    found = dict(
        session.con.execute(
            "select processed_input, variance_inflation from ml.variance_inflation('longley')"
        ).fetchall()
    )
    # printed so in many textbooks, for example Chatterjee & Hadi
    expected = {"GNPDEFL": 135.53, "GNP": 1788.51, "UNEMP": 33.62, "ARMED": 3.59, "POP": 399.15,
                "YEAR": 758.98}  # fmt: skip
    assert {name: round(value, 2) for name, value in found.items()} == expected
    z = (data - data.mean()) / data.std()
    inverse = np.linalg.inv(np.corrcoef(z.drop(columns="TOTEMP").to_numpy().T))
    # the condition number of the correlations is 1e4
    assert list(found.values()) == pytest.approx(np.diag(inverse).tolist(), rel=1e-10)


def test_a_column_that_does_not_vary_is_unknown(rows_given):
    s = rows_given([[1.0, 2.0], [2.0, 2.0], [3.0, 2.0], [5.0, 2.0]], [3.0, 5.0, 6.0, 11.0])
    _, found = s.rows("from ml.variance_inflation('m')")
    assert found[0][2] == pytest.approx(1, rel=1e-15)
    assert found[1][2:] == (None, None)
