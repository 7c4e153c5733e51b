"""Influence of rows, against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.outliers_influence import OLSInfluence

MEASURES = ["leverage", "residual", "standardized_residual", "studentized_residual",
            "cooks_distance", "dffits"]  # fmt: skip


@given(seed=st.integers(0, 2**32), n=st.integers(8, 150), k=st.integers(1, 4))
def test_agrees_with_statsmodels(study, seed, n, k):
    s = study(seed, n, k)
    columns, found = s.rows("from ml.influence('m', 't') order by i")
    assert columns == [*MEASURES, "i", "g", "h", *(f"x{j + 1}" for j in range(k)), "y"]
    theirs = OLSInfluence(s.fit)
    expected = np.column_stack([
        theirs.hat_matrix_diag, s.fit.resid, theirs.resid_studentized_internal,
        theirs.resid_studentized_external, theirs.cooks_distance[0], theirs.dffits[0],
    ])  # fmt: skip
    ours = np.array([row[:6] for row in found])
    # a residual near 0 is the difference of two numbers of the size of the label
    size = np.abs(expected).max(axis=0)
    assert ours / size == pytest.approx(expected / size, rel=1e-8, abs=1e-9)


@given(seed=st.integers(0, 2**32))
def test_leaving_a_row_out_moves_its_prediction_by_dffits(study, rows_given, seed):
    s = study(seed, 30, 2)
    row = s.rows("select dffits, leverage, predicted, studentized_residual, residual "
                 "from (from ml.influence('m', 't')) join (select i, predicted from "
                 "ml.prediction_intervals('m', 't')) using (i) where i = 4")[1][0]  # fmt: skip
    kept = np.arange(30) != 4
    fit = np.linalg.lstsq(s.exog[kept], s.y[kept], rcond=None)[0]
    rest = s.y[kept] - s.exog[kept] @ fit
    sd = np.sqrt(rest @ rest / (29 - 3))
    moved = (row[2] - s.exog[4] @ fit) / (sd * np.sqrt(row[1]))
    # lstsq of columns up to 500 deviations from 0
    assert row[0] == pytest.approx(moved, rel=1e-7, abs=1e-9)


def test_leverages_sum_to_the_number_of_columns(study):
    s = study(1, 100, 3)
    # 100 summands of rounding 1e-16
    assert s.record("select sum(leverage) as k from ml.influence('m')")["k"] == pytest.approx(
        4, rel=1e-13
    )


def test_part_of_the_rows_is_seen_as_in_the_whole(study):
    s = study(2)
    _, whole = s.rows("from ml.influence('m', 't') order by i")
    _, part = s.rows("from ml.influence('m', '(from t where g = 1)') order by i")
    assert part == [row for row in whole if row[7] == 1]


def test_without_a_label_only_the_leverage_is_known(study):
    s = study(3)
    _, found = s.rows("from ml.influence('m', '(select * replace (null as y) from t limit 1)')")
    assert found[0][0] > 0
    assert found[0][1:6] == (None,) * 5


def test_leverage_1_leaves_the_rest_unknown(rows_given):
    X = [[0.0, 1.0], [0.0, 2.0], [0.0, 4.0], [0.0, 3.0], [1.0, 2.0]]
    _, found = rows_given(X, [1.0, 2.0, 3.0, 5.0, 9.0]).rows(
        "from ml.influence('m', 't') order by i"
    )
    assert found[4][0] == pytest.approx(1, abs=1e-14)
    assert found[4][2:6] == (None,) * 4
    assert None not in found[0][:6]


def test_one_degree_of_freedom_leaves_the_variance_without_the_row_unknown(rows_given):
    _, found = rows_given([[1.0], [2.0], [4.0]], [1.0, 4.0, 5.0]).rows("from ml.influence('m')")
    assert all(row[3] is None and row[5] is None and row[4] is not None for row in found)
