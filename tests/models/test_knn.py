"""CREATE MODEL with knn_classifier and knn_regressor: against scikit-learn, and in a plain shell."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from pytest import approx
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

import mlpond
from mlpond.errors import InputError, TrainingError
from tests.conftest import record, rows

FEATURES = "bill_length_mm, bill_depth_mm, flipper_length_mm"
ROWS = f"select {FEATURES}, species, sex, body_mass_g from penguins where sex is not null"
MODELS = {
    "three": ("knn_classifier", "species", ""),
    "two": ("knn_classifier", "sex", ", weight_type = 'distance', distance_type = 'cosine'"),
    "number": ("knn_regressor", "body_mass_g", ", num_neighbors = 7, weight_type = 'distance'"),
    "blocks": ("knn_regressor", "body_mass_g", ", distance_type = 'manhattan'"),
    "cells": (
        "knn_classifier", "species",
        ", index_type = 'ivf', num_lists = 12, fraction_lists_to_search = 0.2",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory, load_penguins):
    path = tmp_path_factory.mktemp("knn") / "n.duckdb"
    with mlpond.connect(path) as pond:
        load_penguins(pond)
        for name, (kind, label, options) in MODELS.items():
            pond.sql(
                f"create model {name} options (model_type = '{kind}', input_label_cols = "
                f"['{label}'], data_split_method = 'no_split'{options}) "
                f"as select {FEATURES}, {label} from ({ROWS})"
            )
    return path


@pytest.fixture(scope="module")
def copy(path):
    """The file again, for the shell: this process holds a lock on the other."""
    return shutil.copy(path, path.with_name("copy.duckdb"))


@pytest.fixture(scope="module")
def trained(path):
    with mlpond.connect(path, read_only=True) as pond:
        yield pond


@pytest.fixture(scope="module")
def data(trained):
    found = np.array(rows(trained, ROWS), dtype=object)
    X = found[:, :3].astype(float)
    Z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    queries = Z + 0.05  # away from the training rows, whose distance 0 would decide alone
    return Z, queries, found


def shifted(trained):
    """The rows of ROWS moved by 0.05 standard deviations."""
    moved = ", ".join(
        f"{c} + 0.05 * (select stddev_samp({c}) from ({ROWS})) as {c}" for c in FEATURES.split(", ")
    )
    return f"(select {moved} from ({ROWS}))".replace("'", "''")


@pytest.mark.parametrize(
    ("name", "column", "make"),
    [
        ("three", 3, lambda: KNeighborsClassifier(5)),
        ("two", 4, lambda: KNeighborsClassifier(5, weights="distance", metric="cosine")),
        ("number", 5, lambda: KNeighborsRegressor(7, weights="distance")),
        ("blocks", 5, lambda: KNeighborsRegressor(5, metric="manhattan")),
    ],
)
def test_agrees_with_scikit_learn(trained, data, name, column, make):
    Z, queries, found = data
    y = found[:, column]
    classifies = column != 5
    other = make().fit(Z, y if classifies else y.astype(float))
    label = MODELS[name][1]
    query = f"ml.predict('{name}', '{shifted(trained)}')"
    if not classifies:
        ours = rows(trained, f"select predicted_{label} from {query}")
        assert np.ravel(ours) == approx(other.predict(queries), rel=1e-9)
        return
    shares = rows(trained, f"select predicted_{label}_probs from {query}")
    expected = other.predict_proba(queries)
    for (probs,), row in zip(shares, expected, strict=True):
        ours = {e["label"]: e["prob"] for e in probs}
        # scikit-learn's 1 - cos cancels: near 0 it is off by 1e-16, which 1 / distance magnifies
        assert [ours[c] for c in other.classes_] == approx(row, rel=1e-6, abs=1e-9)
    labels = np.ravel(rows(trained, f"select predicted_{label} from {query}"))
    assert (labels == other.predict(queries)).mean() > 0.99  # ties may go either way


def test_rows_of_training_are_their_own_neighbours(trained):
    # at no distance a row speaks alone
    assert record(trained, "from ml.evaluate('number')")["mean_absolute_error"] == 0.0
    assert record(trained, "from ml.evaluate('two')")["accuracy"] == 1.0


def test_session_and_plain_shell_agree(trained, copy, shell):
    queries = {
        name: f"select * from ml.predict('{name}', '(select * exclude (year) from penguins)')"
        for name in MODELS
    }
    expected = {name: [_flat(r) for r in rows(trained, q)] for name, q in queries.items()}
    trained.con.execute("reset variable mlpond_has_nearest")
    in_sql = {name: [_flat(r) for r in rows(trained, q)] for name, q in queries.items()}
    trained.con.execute("set variable mlpond_has_nearest = true")
    for name, query in queries.items():
        plain = [_flat(tuple(row.values())) for row in shell(copy, query)]
        for found in (in_sql[name], plain):
            assert len(found) == len(expected[name]) == 344
            for one, other in zip(found, expected[name], strict=True):
                assert one[0] == other[0]
                assert one[1] == approx(other[1], rel=1e-9, abs=1e-12)


def _flat(row):
    """A prediction's text and numbers apart."""
    cells = []
    for cell in row:
        if isinstance(cell, list):
            cells += [value for entry in cell for value in entry.values()]
        else:
            cells.append(cell)
    return (
        [c for c in cells if isinstance(c, str) or c is None],
        [float(c) for c in cells if isinstance(c, int | float)],
    )


def test_a_null_is_the_mean_and_an_unknown_category_nothing(pond):
    pond.sql(
        "create table t as select i as x, case when i < 5 then 'a' else 'b' end as c, "
        "i * 10.0 as y from range(10) as r(i)"
    )
    pond.sql(
        "create model m options (model_type = 'knn_regressor', input_label_cols = ['y'], "
        "num_neighbors = 1, data_split_method = 'no_split') as from t"
    )
    found = rows(pond, "select predicted_y from ml.predict('m', '(select 4 as x, ''a'' as c)')")
    assert found == [(40.0,)]
    found = rows(
        pond, "select predicted_y from ml.predict('m', '(select null::int as x, ''z'' as c)')"
    )
    assert found in ([(40.0,)], [(50.0,)])  # the mean of x is 4.5


def test_a_new_model_of_the_same_name_has_its_own_points(pond):
    for step in (1, 2):
        pond.sql(
            "create model m options (model_type = 'knn_regressor', input_label_cols = ['y'], "
            "num_neighbors = 1, data_split_method = 'no_split') "
            f"as select i as x, i * {step}.0 as y from range(10) as r(i)"
        )
        found = rows(pond, "select predicted_y from ml.predict('m', '(select 3 as x)')")
        assert found == [(3.0 * step,)]
        pond.sql("drop model m")
    assert rows(pond, "select count(*) from ml.neighbor_points") == [(0,)]


def test_more_rows_than_a_function_is_given_at_once(pond):
    pond.sql("create table t as select i::double as x, i % 2 as y from range(5000) as r(i)")
    pond.sql(
        "create model m options (model_type = 'knn_classifier', input_label_cols = ['y'], "
        "num_neighbors = 1, data_split_method = 'no_split') as from t"
    )
    assert record(pond, "from ml.evaluate('m')")["accuracy"] == 1.0


def test_an_uncommitted_model_is_said(pond):
    pond.sql("begin")
    pond.sql(
        "create model m options (model_type = 'knn_regressor', input_label_cols = ['y'], "
        "num_neighbors = 1) as select range as x, range as y from range(9)"
    )
    with pytest.raises(Exception, match="commit the transaction"):
        rows(pond, "from ml.predict('m', '(select 1 as x)')")
    pond.sql("rollback")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            "num_neighbors = 20",
            TrainingError,
            "num_neighbors is 20, but there are 10 training rows",
        ),
        ("num_lists = 3", InputError, "num_lists belongs to index_type = 'IVF'"),
        ("index_type = 'ivf', num_lists = 30", TrainingError, "num_lists is 30"),
        ("index_type = 'ivf', distance_type = 'manhattan'", InputError, "EUCLIDEAN or COSINE"),
        ("weight_type = 'near'", InputError, "one of UNIFORM, DISTANCE"),
    ],
)
def test_bad_requests_are_refused(pond, options, error, message):
    with pytest.raises(error, match=message):
        pond.sql(
            "create model m options (model_type = 'knn_regressor', input_label_cols = ['y'], "
            f"{options}) as select range as x, range as y from range(10)"
        )
