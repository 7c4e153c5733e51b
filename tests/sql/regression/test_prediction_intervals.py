"""Bands of predictions, against statsmodels."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

BANDS = ["predicted", "standard_error", "ci_lower", "ci_upper", "prediction_lower",
         "prediction_upper"]  # fmt: skip


@pytest.mark.slow
@given(
    seed=st.integers(0, 2**32), n=st.integers(8, 150), k=st.integers(1, 4),
    level=st.sampled_from([0.5, 0.95, 0.999]),
)  # fmt: skip
def test_agrees_with_statsmodels(study, seed, n, k, level):
    s = study(seed, n, k)
    columns, found = s.rows(
        f"from ml.prediction_intervals('m', 't', confidence_level := {level}) order by i"
    )
    assert columns[:6] == BANDS
    assert columns[6:9] == ["i", "g", "h"]
    expected = s.fit.get_prediction().summary_frame(alpha=1 - level).to_numpy()
    # ends near 0 are compared by the size of the labels; statsmodels does not centre the features
    size = np.abs(s.y).max()
    ours = np.array([row[:6] for row in found])
    assert ours / size == pytest.approx(expected / size, rel=1e-9, abs=1e-11)


def test_other_rows_need_no_label(session, study):
    s = study(1, 60, 2)
    session.con.execute("create or replace table new (name varchar, x2 double, x1 double)")
    session.con.execute("insert into new values ('a', 1, 2), ('b', -30, 40)")
    columns, found = s.rows("from ml.prediction_intervals('m', 'new') order by name")
    assert columns == [*BANDS, "name", "x2", "x1"]
    expected = s.fit.get_prediction([[1, 2, 1], [1, 40, -30]]).summary_frame().to_numpy()
    # far from the training rows the bands are wide, which keeps their digits
    assert np.array([row[:6] for row in found]) == pytest.approx(expected, rel=1e-9)


def test_predicts_as_predict_does(study):
    s = study(2)
    _, ours = s.rows("select predicted from ml.prediction_intervals('m', 't') order by i")
    _, theirs = s.rows("select predicted_y from ml.predict('m', 't') order by i")
    # the same terms in another order
    assert [r[0] for r in ours] == pytest.approx([r[0] for r in theirs], rel=1e-12)


def test_a_missing_feature_is_its_mean(session, study):
    s = study(3, 60, 2)
    session.con.execute("create or replace table holes as select null::double as x1, 3e0 as x2")
    session.con.execute("insert into holes select avg(x1), 3e0 from t")
    _, found = s.rows("from ml.prediction_intervals('m', 'holes')")
    # the mean is summed in another order
    assert found[0][:6] == pytest.approx(found[1][:6], rel=1e-12)


def test_as_many_columns_as_rows_leave_the_bands_unknown(rows_given):
    s = rows_given([[1.0], [2.0]], [1.0, 4.0])
    _, found = s.rows("from ml.prediction_intervals('m', 't') order by i")
    assert found[0][0] == pytest.approx(1, abs=1e-14)
    assert found[0][1:6] == (None,) * 5


def test_no_rows_give_no_rows(study):
    assert study(4).rows("from ml.prediction_intervals('m', '(from t limit 0)')")[1] == []


def test_a_level_outside_0_and_1_is_an_error(session, study):
    study(5)
    with pytest.raises(duckdb.Error, match="confidence_level is 95"):
        session.con.execute("from ml.prediction_intervals('m', confidence_level := 95)").fetchall()
