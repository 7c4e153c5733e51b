"""Models of neighbours that are measured before they are committed, and models of groups."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

import mlpond
from mlpond.errors import MlpondError
from mlpond.models import neighbors
from mlpond.models.validation import measure
from mlpond.udf import HAS_NEAREST, OFFERED

OPTIONS = "model_type = 'knn_classifier', input_label_cols = ['y'], seed = 1"
METRICS = (
    "select fold, metric, training_value, value from ml.cross_validation where version = 1 "
    "order by all"
)


@pytest.fixture
def pond():
    with mlpond.connect(":memory:") as pond:
        pond.sql(
            "create table t as select sin(i) as a, cos(3 * i) as b, i % 3 as c, "
            "sin(i) + cos(3 * i) > 0 as y, i % 2 as shop from range(90) as r(i)"
        )
        yield pond


@pytest.fixture
def calls(monkeypatch):
    """The models that ml_nearest is asked for."""
    asked = []
    find = neighbors.Searches.find

    def watched(self, engine, model, version, metric):
        asked.append(model)
        return find(self, engine, model, version, metric)

    monkeypatch.setattr(neighbors.Searches, "find", watched)
    return asked


def rows(pond, query):
    return pond.con.execute(query).fetchall()


def close(found, expected):
    assert len(found) == len(expected) > 0
    for a, b in zip(found, expected, strict=True):
        assert a[:2] == b[:2]
        assert a[2:] == pytest.approx(b[2:], rel=1e-12, abs=1e-15)  # sums of the same few terms


def left(pond):
    """What a statement leaves behind beside the model."""
    variables = f"select getvariable('{OFFERED}'), getvariable('{HAS_NEAREST}')"
    return pond.searches._offered, *rows(pond, variables)


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        ("m", "weight_type = 'uniform'"),
        ("o'd # name", "weight_type = 'distance', distance_type = 'cosine'"),
        ("m", "distance_type = 'manhattan'"),
        ("m", "index_type = 'ivf', num_lists = 4, fraction_lists_to_search = 1.0"),
    ],
)
def test_measuring_searches_in_python_and_says_what_sql_says(pond, calls, monkeypatch, name, extra):
    create = f'create model "{name}" options ({OPTIONS}, cross_validation = 3, {extra}) '
    query = "as select a, b, c, y from t"
    pond.sql(create + query)
    found = rows(pond, METRICS)
    assert calls
    assert all(model.startswith("offered ") for model in calls)
    assert left(pond) == ({}, (None, True))
    calls.clear()
    pond.sql(f'drop model "{name}"')
    monkeypatch.setattr(neighbors.Searches, "offered", lambda *_: nullcontext())
    pond.sql(create + query)
    assert not calls
    close(rows(pond, METRICS), found)


def test_trials_are_measured_in_python(pond, calls):
    pond.sql(
        f"create model m options ({OPTIONS}, num_trials = 3, data_split_method = 'random', "
        "num_neighbors = hparam_candidates([1, 3, 5])) as select a, b, c, y from t"
    )
    assert len(set(calls)) == 3
    assert left(pond) == ({}, (None, True))


def test_ml_train_measures_in_python(pond, calls):
    pond.sql(
        "select ml_train('m', 'select a, b, c, y from t', {model_type: 'knn_classifier', "
        "input_label_cols: ['y'], cross_validation: 3}::json::varchar)"
    ).fetchall()
    assert calls
    assert left(pond) == ({}, (None, True))


def test_a_failure_while_measuring_leaves_nothing_behind(pond, monkeypatch):
    def fail(*_):
        raise MlpondError("out of luck")

    with monkeypatch.context() as patched:
        patched.setattr(measure.Installed, "evaluate", fail)
        with pytest.raises(MlpondError, match="out of luck"):
            pond.sql(f"create model m options ({OPTIONS}, cross_validation = 3) as from t")
    assert left(pond) == ({}, (None, True))
    assert rows(pond, "select count(*) from ml.neighbor_points") == [(0,)]


def test_a_model_that_was_rolled_back_is_not_taken_for_the_next(pond):
    query = f"options ({OPTIONS}, cross_validation = 3, num_neighbors = 1) as "
    pond.sql("begin")
    pond.sql(f"create model m {query} select a, b, c, not y as y from t")
    pond.sql("rollback")
    assert left(pond)[0] == {}
    pond.sql(f"create model m {query} select a, b, c, y from t")
    wrong = "select count(*) from ml.predict('m', 't') where predicted_y <> y"
    assert rows(pond, wrong) == [(0,)]  # every row is its own nearest neighbour


def test_models_of_groups_are_searched_in_python(pond, calls):
    pond.sql(
        f"create model m options ({OPTIONS}, group_cols = ['shop'], data_split_method = "
        "'no_split') as select a, b, c, y, shop from t"
    )
    query = "select * from ml.predict('m', 't') order by all"
    found = rows(pond, query)
    assert set(calls) == {"m@1"}
    calls.clear()
    pond.con.execute(f"set variable {HAS_NEAREST} = false")
    assert rows(pond, query) == found
    assert not calls


def test_small_models_are_kept_together(pond):
    pond.sql("create table g as select *, (c + 3 * shop) as region from t")
    pond.sql(
        f"create model m options ({OPTIONS}, num_neighbors = 1, group_cols = ['region'], "
        "data_split_method = 'no_split') as select a, b, c, y, region from g"
    )
    groups = rows(pond, "select count(*) from ml.groups where status = 'SUCCEEDED'")[0][0]
    rows(pond, "select * from ml.predict('m', 'g')")
    assert groups > neighbors.MOST_KEPT
    assert len(pond.searches._kept) == groups
