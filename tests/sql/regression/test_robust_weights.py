"""Robust standard errors: against statsmodels, and against 100 digits where it has too few."""

from __future__ import annotations

import duckdb
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpond.seeds import load
from tests.udfs.nist import NIST

TYPES = ("HC0", "HC1", "HC2", "HC3")


@pytest.mark.slow
@given(seed=st.integers(0, 2**32), n=st.integers(8, 150), k=st.integers(1, 4))
def test_agrees_with_statsmodels(study, seed, n, k):
    s = study(seed, n, k)
    for kind in TYPES:
        found = s.weights(f"from ml.robust_weights('m', 't', type := '{kind}')")
        expected = s.fit.get_robustcov_results(kind, use_t=True)
        # the features lie up to 500 standard deviations from 0, which statsmodels does not centre:
        # its condition number of 1e4 magnifies 2e-16, and squares of it, to 1e-9
        assert found["standard_error"] == pytest.approx(expected.bse, rel=2e-9)
        assert found["df"] == pytest.approx(n - k - 1)
        limits = expected.conf_int()
        width = limits[:, 1] - limits[:, 0]
        assert abs(found["ci_lower"] - limits[:, 0]) / width == pytest.approx(0, abs=1e-8)
        assert abs(found["ci_upper"] - limits[:, 1]) / width == pytest.approx(0, abs=1e-8)
        # a tail magnifies an error of the statistic by up to its square
        assert np.log10(found["p_value"]) == pytest.approx(
            np.log10(expected.pvalues), rel=1e-6, abs=1e-7
        )
        assert found["log10_p_value"] == pytest.approx(np.log10(found["p_value"]), abs=1e-9)


@pytest.mark.parametrize(
    "name, digits",
    # Filip: a condition number of 5e9 even after centring and scaling
    [("Norris", 12), ("Pontius", 12), ("NoInt1", 12), ("Filip", 5), ("Longley", 12),
     ("Wampler3", 11), ("Wampler5", 11)],
)  # fmt: skip
def test_agrees_with_exact_arithmetic(session, name, digits):
    data = NIST[name]
    y = [float(text) for text in data.y]
    if data.degree:
        columns = [[float(v) ** k for v in data.columns[0]] for k in range(1, data.degree + 1)]
    else:
        columns = [[float(v) for v in column] for column in data.columns]
    listed = ", ".join(f"x{j} double" for j in range(len(columns)))
    session.con.execute(f"create or replace table nist ({listed}, y double)")
    session.con.executemany(
        f"insert into nist values ({', '.join('?' * (len(columns) + 1))})",
        [list(row) for row in zip(*columns, y, strict=True)],
    )
    session.sql(
        "create or replace model nist options (model_type = 'linear_reg', "
        f"input_label_cols = ['y'], fit_intercept = {data.has_intercept}) as from nist"
    )
    with mpmath.workdps(100):
        ones = [[1.0] * len(y)] if data.has_intercept else []
        X = mpmath.matrix([list(row) for row in zip(*columns, *ones, strict=True)])
        Y = mpmath.matrix(y)
        inverse = (X.T * X) ** -1
        e = Y - X * (inverse * (X.T * Y))
        h = [(X[i, :] * inverse * X[i, :].T)[0] for i in range(len(y))]
        meat = X.T * mpmath.diag([(a / (1 - b)) ** 2 for a, b in zip(e, h, strict=True)]) * X
        covariance = inverse * meat * inverse
        expected = [float(mpmath.sqrt(covariance[j, j])) for j in range(X.cols)]
    found = session.con.execute("select standard_error from ml.robust_weights('nist')").fetchall()
    assert [row[0] for row in found] == pytest.approx(expected, rel=10.0**-digits)


def test_lm_d9(session):
    # R's help of lm: PlantGrowth's control and treatment 1; the last digit is rounded
    load(session, "textbook")
    session.sql(
        "create or replace model d9 options (model_type = 'linear_reg', "
        "input_label_cols = ['weight_g'], category_encoding_method = 'dummy_encoding') "
        "as select treatment, weight_g from textbook.plant_growth where treatment <> 'trt2'"
    )
    found = session.con.execute(
        "select category, weight, standard_error from ml.robust_weights('d9')"
    ).fetchall()
    assert [row[0] for row in found] == ["trt1", None]
    assert found[0][1:] == pytest.approx((-0.371, 0.32828116), abs=5e-9)
    assert found[1][1] == pytest.approx(5.032, abs=1e-12)


def test_the_source_may_be_left_out(study):
    s = study(1)
    assert s.rows("from ml.robust_weights('m')") == s.rows("from ml.robust_weights('m', 't')")


def test_held_out_rows_are_left_out_without_a_source(session, study):
    s = study(2, n=900)
    s.drop()
    session.sql(
        "create model m options (model_type = 'linear_reg', input_label_cols = ['y']) "
        "as select * exclude (i, g, h) from t"
    )
    n = session.con.execute("select training_rows from ml.models where name = 'm'").fetchone()[0]
    assert n < 900
    assert s.weights("from ml.robust_weights('m')")["df"] == pytest.approx(n - 4)
    with pytest.raises(duckdb.Error, match=rf"900 rows with a label, but m@\d was trained on {n}"):
        session.con.execute("from ml.robust_weights('m', 't')").fetchall()


def test_other_rows_of_the_same_number_are_refused(session, study):
    study(3)
    with pytest.raises(duckdb.Error, match="not what m@1 was trained on: its residual sum"):
        session.con.execute(
            "from ml.robust_weights('m', '(select * replace (y + i % 2 as y) from t)')"
        ).fetchall()


def test_rows_without_a_label_are_left_out(session, study):
    s = study(4)
    expected = s.rows("from ml.robust_weights('m', 't')")
    session.con.execute("create or replace table more as from t union all by name select 1.0 as x1")
    found = s.rows("from ml.robust_weights('m', 'more')")
    # the union has another order of rows, so another rounding
    assert [row[3] for row in found[1]] == pytest.approx([row[3] for row in expected[1]], rel=1e-12)


@pytest.mark.slow
@given(seed=st.integers(0, 2**32), scale=st.sampled_from([1e-6, 3.0, 1e6]))
def test_in_other_units_it_is_the_same_error(session, study, seed, scale):
    s = study(seed, 40, 2)
    before = s.weights("from ml.robust_weights('m')")
    session.con.execute(f"update t set y = 100 + y * {scale}, x1 = 5 - x1")
    s.drop()
    session.sql(
        "create model m options (model_type = 'linear_reg', input_label_cols = ['y'], "
        "data_split_method = 'no_split') as select * exclude (i, g, h) from t"
    )
    after = s.weights("from ml.robust_weights('m')")
    # 100 added to 1e-6 leaves ten digits of the label
    slopes = after["standard_error"][1:] / scale
    assert slopes == pytest.approx(before["standard_error"][1:], rel=1e-7)


def test_a_row_with_leverage_1_leaves_hc2_and_hc3_unknown(rows_given):
    X = np.array([[0.0, 1.0], [0.0, 2.0], [0.0, 4.0], [0.0, 3.0], [1.0, 2.0]])
    s = rows_given(X, [1.0, 2.0, 3.0, 5.0, 9.0])
    for kind in ("HC2", "HC3"):
        found = s.weights(f"from ml.robust_weights('m', type := '{kind}')")
        for name in ("standard_error", "statistic", "p_value", "ci_lower"):
            assert np.isnan(found[name]).all()
    found = s.weights("from ml.robust_weights('m', type := 'HC0')")
    expected = s.fit.get_robustcov_results("HC0").bse
    assert found["standard_error"] == pytest.approx(expected, rel=1e-10)


def test_as_many_columns_as_rows_leave_everything_unknown(rows_given):
    s = rows_given([[1.0], [2.0]], [1.0, 4.0])
    found = s.weights("from ml.robust_weights('m', type := 'HC1')")
    assert np.isnan(found["df"]).all()
    assert np.isnan(found["p_value"]).all()


def test_residuals_of_zero_give_an_error_of_rounding_size(rows_given):
    s = rows_given([[1.0], [2.0], [3.0], [5.0]], [3.0, 5.0, 7.0, 11.0])
    found = s.weights("from ml.robust_weights('m', type := 'HC0')")
    assert found["weight"] == pytest.approx([1, 2], abs=1e-12)
    # zero, or the rounding of numbers of size 10
    assert (found["standard_error"] < 1e-13).all()


def test_a_column_that_does_not_vary_has_no_error(rows_given):
    s = rows_given([[1.0, 2.0], [2.0, 2.0], [3.0, 2.0], [5.0, 2.0]], [3.0, 5.0, 6.0, 11.0])
    found = s.weights("from ml.robust_weights('m')")
    assert found["weight"][2] == 0
    assert np.isnan(found["standard_error"][2])
    assert np.isfinite(found["standard_error"][:2]).all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("'m', type := 'HC5'", "ml.robust_weights: type is HC5; it must be HC0, HC1, HC2 or HC3"),
        ("'m', type := NULL", "type is NULL"),
        ("'m', confidence_level := 2", "confidence_level is 2"),
        ("'m', '(select * exclude (x1) from t)'", '"x1" not found'),
        ("'m', '(select * exclude (y) from t)'", '"y" not found'),
        ("'m', '(from t limit 0)'", "the source has 0 rows"),
    ],
)
def test_a_wrong_argument_is_an_error(session, study, arguments, message):
    study(5)
    with pytest.raises(duckdb.Error, match=message):
        session.con.execute(f"from ml.robust_weights({arguments})").fetchall()
