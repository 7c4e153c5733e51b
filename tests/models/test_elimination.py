"""Recursive elimination of features."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from sklearn.feature_selection import RFE
from sklearn.linear_model import LinearRegression

import mlpond
from tests.conftest import rows


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        rng = np.random.default_rng(8)
        X = rng.normal(size=(300, 5)) * [1.0, 10.0, 1.0, 0.1, 1.0]
        y = X @ [3.0, 0.1, 0.0, 20.0, 0.0] + rng.normal(size=300)
        session.con.execute('create table t (a double, b double, c double, d double, "e f" double, y double, late boolean)')  # fmt: skip
        session.con.executemany(
            "insert into t values (?, ?, ?, ?, ?, ?, ?)",
            [[*X[i].tolist(), y[i], bool(y[i] > 0)] for i in range(300)],
        )
        yield session


def run(pond, query, options, more=""):
    return rows(pond, f"from ml.recursive_elimination('{query}', {options}{more})")


def test_a_linear_model_is_left_with_what_matters(pond):
    before = rows(pond, "select count(*) from duckdb_functions()")
    found = run(pond, "select * exclude (late) from t", "{model_type: 'linear_reg', input_label_cols: ['y']}")  # fmt: skip
    X, y = np.array(rows(pond, 'select a, b, c, d, "e f" from t')), np.array(rows(pond, "select y from t"))  # fmt: skip
    fit = RFE(LinearRegression(), n_features_to_select=1).fit(X / X.std(0), y[:, 0])
    order = [row[0] for row in found]
    assert order == [["a", "b", "c", "d", "e f"][i] for i in np.argsort(fit.ranking_)]
    assert [row[2] for row in found] == [1, 2, 3, 4, 5]
    assert [row[0] for row in found if row[6]] == order[: sum(row[6] for row in found)]
    assert {"a", "b", "d"} <= {row[0] for row in found if row[6]}
    assert {row[4] for row in found} == {"r2_score"}
    assert rows(pond, "select count(*) from duckdb_functions()") == before
    assert rows(pond, "select count(*) from ml.coefficients") == [(0,)]


def test_a_type_without_weights_is_asked_by_shuffling(pond):
    found = run(
        pond, "select a, c, d, late from t",
        "{model_type: 'naive_bayes', input_label_cols: ['late']}", ", folds := 3, top_k := 2",
    )  # fmt: skip
    assert {row[0] for row in found if row[6]} == {"a", "d"}


@pytest.mark.parametrize(
    ("kind", "columns"),
    [
        ("linear_reg", "a, a as a2, 1 as one, b, -a as a3"),
        pytest.param(
            "svm_regressor", "a, 1 as one, 2 as two, b, null::double as empty",
            marks=pytest.mark.slow,
        ),
    ],
)  # fmt: skip
def test_equal_models_and_features_are_not_told_apart_by_roundings(pond, kind, columns):
    # of equal weights the first was dropped, and a constant selected for 2e-16 of R²
    query = f"select {columns}, y from (select *, 3 * a - 2 * b + sin(i * 77) as y from (select i, sin(i * 1.7) as a, cos(i * 3.1) as b from range(120) as r(i)))"  # fmt: skip
    found = run(pond, query, f"{{model_type: '{kind}', input_label_cols: ['y']}}", ", folds := 3")
    assert [row[0] for row in found if row[6]] == ["a", "b"]


def test_two_at_a_time(pond):
    found = run(pond, "select * exclude (late) from t",
                "{model_type: 'linear_reg', input_label_cols: ['y']}", ", step := 2, folds := 2")  # fmt: skip
    assert [row[3] for row in found] == [1, 3, 3, 5, 5]


@pytest.mark.parametrize(
    ("options", "more", "message"),
    [
        ("{model_type: 'kmeans'}", "", "kmeans has no label"),
        ("{model_type: 'linear_reg', input_label_cols: ['y']}", ", step := 0", "step is 0"),
        ("{model_type: 'linear_reg', input_label_cols: ['y']}", ", folds := 1", "folds is 1"),
        ("[1]", "", "give a STRUCT"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(pond, options, more, message):
    with pytest.raises(duckdb.Error, match=message):
        run(pond, "select * exclude (late) from t", options, more)
