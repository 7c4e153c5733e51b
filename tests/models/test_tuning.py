"""CREATE MODEL with num_trials: BigQuery ML's statements, columns and rules."""

from __future__ import annotations

import json

import duckdb
import numpy as np
import pytest

import mlpond
from mlpond.errors import InputError, ModelError, StatementError, TrainingError
from mlpond.models.families import linear_reg
from tests.conftest import record, rows


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        rng = np.random.default_rng(6)
        X = rng.normal(size=(800, 4))
        y = X @ [2.0, -1.0, 0.0, 0.0] + rng.normal(size=800)
        session.con.execute("create table t (i integer, a double, b double, c double, d double, y double)")  # fmt: skip
        session.con.executemany(
            "insert into t values (?, ?, ?, ?, ?, ?)",
            [[i, *X[i].tolist(), y[i]] for i in range(800)],
        )
        yield session


def create(pond, options, *, name="m", kind="linear_reg", query="select a, b, c, d, y from t"):
    pond.sql(
        f"create or replace model {name} options (model_type = '{kind}', "
        f"input_label_cols = ['y'], {options}) as {query}"
    )


def job(pond, name="m"):
    """The trials of a model's default version."""
    relation = pond.sql(f"select * from ML.TRIAL_INFO(MODEL {name})")
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


GRID = "num_trials = 4, hparam_tuning_algorithm = 'grid_search', l2_reg = hparam_candidates([0, 1, 50, 5000])"


def test_trial_info_has_the_columns_of_bigquery(pond):
    create(pond, GRID)
    relation = pond.sql("select * from ML.TRIAL_INFO(MODEL m)")
    assert dict(zip(relation.columns, map(str, relation.types), strict=True)) == {
        "trial_id": "BIGINT",
        "hyperparameters": "STRUCT(l2_reg DOUBLE)",
        "hparam_tuning_evaluation_metrics": "STRUCT(r2_score DOUBLE)",
        "training_loss": "DOUBLE",
        "eval_loss": "DOUBLE",
        "status": "VARCHAR",
        "error_message": "VARCHAR",
        "is_optimal": "BOOLEAN",
    }
    found = job(pond)
    assert [trial["hyperparameters"]["l2_reg"] for trial in found] == [0, 1, 50, 5000]
    assert [trial["trial_id"] for trial in found] == [1, 2, 3, 4]
    assert {trial["status"] for trial in found} == {"SUCCEEDED"}
    best = max(found, key=lambda trial: trial["hparam_tuning_evaluation_metrics"]["r2_score"])
    assert [trial["trial_id"] for trial in found if trial["is_optimal"]] == [best["trial_id"]]


def test_the_best_trial_is_the_model_and_the_others_are_reachable(pond):
    create(pond, GRID)
    best = next(trial for trial in job(pond) if trial["is_optimal"])
    found = record(pond, "select * from ML.EVALUATE(MODEL m)")
    assert next(iter(found)) == "trial_id"
    assert found["trial_id"] == best["trial_id"]
    by_id = [record(pond, f"select * from ML.EVALUATE(MODEL m, STRUCT({i} AS trial_id))") for i in (1, 4)]  # fmt: skip
    assert [row["trial_id"] for row in by_id] == [1, 4]
    assert by_id[0]["r2_score"] > 0.7 > by_id[1]["r2_score"]
    weights = rows(pond, "select trial_id, weight from ML.WEIGHTS(MODEL m, STRUCT(4 AS trial_id))")
    assert {row[0] for row in weights} == {4}
    one = rows(pond, "select predicted_y from ML.PREDICT(MODEL m, (select 1 a, 0 b, 0 c, 0 d), STRUCT(4 AS trial_id))")  # fmt: skip
    assert one == rows(pond, "select predicted_y from ml.predict('m@trial_4', '(select 1 a, 0 b, 0 c, 0 d)')")  # fmt: skip
    assert one != rows(pond, "select predicted_y from ml.predict('m', '(select 1 a, 0 b, 0 c, 0 d)')")  # fmt: skip
    # the model of a trial is the model of its options
    create(pond, "l2_reg = 50, data_split_method = 'custom', data_split_col = 'h'", name="plain",
           query=f"select a, b, c, d, y, not {_trains(pond)} as h from t")  # fmt: skip
    of_trial, plain = (
        [row[0] for row in rows(pond, f"select weight from ml.weights('{name}')")]
        for name in ("m@trial_3", "plain")
    )
    assert of_trial == pytest.approx(plain, rel=1e-9)


def _trains(pond):
    """A predicate of the rows that the default version of m trained on."""
    held = [
        row[0]
        for row in rows(
            pond, "select i from t where hash(a, b, c, d, y, 0::bigint) < 2::double ** 64 * 0.2"
        )
    ]
    return f"i not in ({', '.join(map(str, held))})"


def test_split_into_three(pond):
    create(pond, GRID)
    ((trained, held_out),) = rows(pond, "select training_rows, evaluation_rows from ml.models where "
                                        "name = 'm' and list_contains(aliases, 'default')")  # fmt: skip
    query = rows(pond, "select evaluation_query from ml.models where name = 'm' "
                       "and list_contains(aliases, 'default')")[0][0]  # fmt: skip
    tested = rows(pond, f"select count(*) from {query}")[0][0]
    assert trained + held_out + tested == 800
    assert held_out == pytest.approx(80, abs=30)  # four standard deviations
    assert tested == pytest.approx(80, abs=30)


@pytest.mark.parametrize(
    "options, query, expected",
    [
        ("data_split_method = 'seq', data_split_col = 'i', data_split_eval_fraction = 0.1, "
         "data_split_test_fraction = 0.05", "select * from t", (680, 80, range(760, 800))),
        ("data_split_method = 'custom', data_split_col = 's'",
         "select *, case when i < 50 then 'Test' when i < 150 then 'eval' else 'TRAIN' end as s from t",
         (650, 100, range(50))),
    ],
)  # fmt: skip
def test_splits_by_a_column(pond, options, query, expected):
    create(pond, f"num_trials = 1, l2_reg = hparam_candidates([1]), {options}", query=query)
    *counts, evaluated = rows(pond, "select training_rows, evaluation_rows, evaluation_query from "
                                    "ml.models where name = 'm' and list_contains(aliases, 'default')")[0]  # fmt: skip
    assert tuple(counts) == expected[:2]
    assert rows(pond, f"select i from {evaluated} order by i") == [(i,) for i in expected[2]]


@pytest.mark.slow
def test_default_ranges_and_the_default_search(pond):
    create(pond, "num_trials = 5, max_parallel_trials = 2, hparam_tuning_objectives = ['mean_absolute_error']")  # fmt: skip
    found = job(pond)
    assert [set(trial["hyperparameters"]) for trial in found] == [{"l1_reg", "l2_reg"}] * 5
    assert all(0 < v <= 10 for trial in found for v in trial["hyperparameters"].values())
    best = min(found, key=lambda t: t["hparam_tuning_evaluation_metrics"]["mean_absolute_error"])
    assert best["is_optimal"]
    create(pond, "num_trials = 5, max_parallel_trials = 2, hparam_tuning_objectives = ['mean_absolute_error']")  # fmt: skip
    again = job(pond)
    assert [t["hyperparameters"] for t in again] == [t["hyperparameters"] for t in found]


def test_first_trial_is_the_default_where_the_space_has_it(pond):
    create(pond, "num_trials = 2, hparam_tuning_algorithm = 'random_search', "
                 "l2_reg = hparam_candidates([5, 0, 7]), fit_intercept = hparam_candidates([false, true])")  # fmt: skip
    first = job(pond)[0]["hyperparameters"]
    assert first == {"l2_reg": 0, "fit_intercept": True}


def test_ties_are_won_by_the_smallest_trial_id(pond):
    create(pond, "num_trials = 3, hparam_tuning_algorithm = 'grid_search', "
                 "early_stop = true, max_iterations = hparam_candidates([30, 40, 50])")  # fmt: skip
    assert [trial["is_optimal"] for trial in job(pond)] == [True, False, False]


def test_trials_that_fail_do_not_stop_the_job(pond, monkeypatch):
    train = linear_reg.LINEAR_REG.train

    def failing(training):
        if training.options["l2_reg"] == 1:
            raise TrainingError("no luck")
        return train(training)

    object.__setattr__(linear_reg.LINEAR_REG, "train", failing)
    try:
        create(pond, f"{GRID}, calculate_p_values = false", name="f")
        found = job(pond, "f")
        assert [trial["status"] for trial in found] == ["SUCCEEDED", "FAILED"] + ["SUCCEEDED"] * 2
        assert "no luck" in found[1]["error_message"]
        assert found[1]["hparam_tuning_evaluation_metrics"]["r2_score"] is None
        assert rows(pond, "select version, trial_id from ml.trials where model = 'f' order by trial_id") == [(1, 1), (None, 2), (2, 3), (3, 4)]  # fmt: skip
        assert rows(pond, "from ml.weights('f@trial_3')")
        with pytest.raises(ModelError, match="'trial_2' is not known"):
            rows(pond, "select * from ML.WEIGHTS(MODEL f, STRUCT(2 AS trial_id))")
        before = rows(pond, "select count(*) from ml.models")
        with pytest.raises(TrainingError, match="none of 1 trials succeeded; the first said: no luck"):  # fmt: skip
            create(pond, "num_trials = 1, l2_reg = hparam_candidates([1])", name="f")
        assert rows(pond, "select count(*) from ml.models") == before
        assert rows(pond, "select max(job) from ml.trials where model = 'f'") == [(1,)]
    finally:
        object.__setattr__(linear_reg.LINEAR_REG, "train", train)


def test_infeasible_options(pond):
    create(pond, "num_trials = 2, hparam_tuning_algorithm = 'grid_search', calculate_p_values = "
                 "hparam_candidates([true, false]), l2_reg = 1", name="inf")  # fmt: skip
    found = job(pond, "inf")
    assert [trial["status"] for trial in found] == ["SUCCEEDED", "INFEASIBLE"]
    assert "DUMMY_ENCODING" in found[1]["error_message"]


@pytest.mark.slow
def test_a_new_job_takes_over_the_trial_ids(pond):
    create(pond, GRID, name="v")
    create(pond, "num_trials = 2, hparam_tuning_algorithm = 'grid_search', l2_reg = hparam_candidates([3, 4])", name="v")  # fmt: skip
    assert [t["hyperparameters"]["l2_reg"] for t in job(pond, "v")] == [3, 4]
    names = dict(rows(pond, "select version, list_filter(aliases, lambda a: a <> 'default') from ml.models where name = 'v'"))  # fmt: skip
    assert names == {1: [], 2: [], 3: [], 4: [], 5: ["trial_1"], 6: ["trial_2"]}
    with pytest.raises(ModelError, match="'trial_3' is not known"):
        rows(pond, "from ml.weights('v@trial_3')")
    pond.sql("alter model v@2 set options (default_version = true)")
    assert rows(pond, "select trial_id from ml.evaluate('v@trial_4')") == [(4,)]
    assert len(job(pond, "v")) == 4
    create(pond, "l2_reg = 1", name="v")  # one that is not tuned
    with pytest.raises(ModelError, match="'trial_1' is not known"):
        rows(pond, "from ml.weights('v@trial_1')")
    pond.sql("drop model v")
    assert rows(pond, "select count(*) from ml.trials where model = 'v'") == [(0,)]
    assert rows(pond, "select count(*) from duckdb_functions() where function_name like '%\\_v@%' escape '\\'") == [(0,)]  # fmt: skip


@pytest.mark.slow
def test_few_rows_are_compared_by_folds(pond):
    create(pond, "num_trials = 2, l2_reg = hparam_candidates([1, 100000])", name="few",
           query="select a, b, y from t where i < 60")  # fmt: skip
    ((rows_trained, metrics),) = rows(
        pond,
        "select m.training_rows, t.metrics from ml.models as m join ml.trials as t "
        "on t.model = m.name and t.version = m.version where m.name = 'few' and t.is_optimal",
    )
    assert rows_trained == 60
    create(pond, "l2_reg = 1, cross_validation = 5", name="cv", query="select a, b, y from t where i < 60")  # fmt: skip
    mean = rows(pond, "select mean from ml.cross_validation('cv') where metric = 'r2_score'")[0][0]
    assert json.loads(metrics)["r2_score"] == pytest.approx(mean, rel=1e-9)


@pytest.mark.slow
def test_default_ranges_leave_out_what_contradicts_the_options(pond):
    create(pond, "num_trials = 2, calculate_p_values = true, category_encoding_method = "
                 "'dummy_encoding', data_split_method = 'no_split'")  # fmt: skip
    assert [set(trial["hyperparameters"]) for trial in job(pond)] == [{"l2_reg"}] * 2


def test_validation_curve(pond):
    create(pond, GRID)
    found = rows(pond, "select number, training_metric, evaluation_metric from ml.validation_curve('m', 'l2_reg')")  # fmt: skip
    assert [row[0] for row in found] == [0, 1, 50, 5000]
    assert [row[1] for row in found] == sorted((row[1] for row in found), reverse=True)
    by_trial = [t["hparam_tuning_evaluation_metrics"]["r2_score"] for t in job(pond)]
    assert [row[2] for row in found] == by_trial
    other = rows(pond, "from ml.validation_curve('m', 'l2_reg', metric := 'mean_squared_error')")
    assert other[3][3] > other[0][3]
    with pytest.raises(
        duckdb.Error, match="metric nosuch is not known; it must be one of mean_abs"
    ):
        rows(pond, "from ml.validation_curve('m', 'l2_reg', metric := 'nosuch')")


@pytest.mark.slow
def test_classification_with_a_plain_shell(database, shell):
    with mlpond.connect(database) as session:
        session.sql("create table p as select i % 10 as x, hash(i) % 7 as z, i % 10 + hash(i, 1) % 9 > 9 as y from range(600) r(i)")  # fmt: skip
        create(session, "num_trials = 3, l2_reg = hparam_range(0, 10), cross_validation = 2",
               kind="logistic_reg", query="select * from p")  # fmt: skip
        (objective,) = rows(session, "select distinct objective from ml.trials")
        assert objective == ("roc_auc",)
        expected = rows(session, "select roc_auc, trial_id from ml.evaluate('m')")
        predicted = record(session, "from ml.predict('m@trial_2', '(select 3 x, 1 z)')")
    (found,) = shell(database, "select roc_auc, trial_id from ml.evaluate('m')")
    assert found["trial_id"] == expected[0][1]
    assert found["roc_auc"] == pytest.approx(expected[0][0], rel=1e-12)
    assert len(shell(database, "from ml.trial_info('m')")) == 3
    assert len(shell(database, "from ml.out_of_fold('m')")) > 400
    assert len(shell(database, "from ml.cross_validation('m')")) == 6
    (plain,) = shell(database, "select predicted_y_probs[1].prob as p from ml.predict('m@trial_2', '(select 3 x, 1 z)')")  # fmt: skip
    assert plain["p"] == pytest.approx(predicted["predicted_y_probs"][0]["prob"], rel=1e-9)


def test_progress_is_told_by_trial(pond):
    told = []
    pond.on_progress = lambda message, share: told.append((message, share))
    try:
        create(pond, "num_trials = 2, hparam_tuning_algorithm = 'grid_search', l2_reg = hparam_candidates([1, 2])")  # fmt: skip
    finally:
        pond.on_progress = None
    ends = [(m, s) for m, s in told if "r2_score" in m]
    assert [s for _, s in ends] == [0.5, 1.0]
    assert ends[0][0].startswith("trial 1 of 2: l2_reg = 1.0: r2_score 0.")


@pytest.mark.slow
def test_an_interrupt_leaves_the_database_as_before(database):
    def interrupt(message, share):
        if message.startswith("trial 2"):
            raise KeyboardInterrupt

    with mlpond.connect(database) as session:
        session.sql("create table s as select i as x, i + hash(i) % 5 as y from range(40) r(i)")
        session.sql("create model m options (model_type = 'linear_reg', input_label_cols = ['y']) as select * from s")  # fmt: skip
        session.on_progress = interrupt
        with pytest.raises(KeyboardInterrupt):
            create(session, f"{GRID}, cross_validation = 2, learning_curve = [0.5]", query="select * from s")  # fmt: skip
    with mlpond.connect(database) as session:
        assert rows(session, "select version, aliases from ml.models") == [(1, ["default"])]
        for table in ("trials", "cross_validation", "learning_curve"):
            assert rows(session, f"select count(*) from ml.{table}") == [(0,)]
        assert len(rows(session, "from ml.weights('m')")) == 2


@pytest.mark.parametrize(
    "options, message",
    [
        ("l2_reg = hparam_range(0, 1)", "needs num_trials"),
        ("num_trials = 0", "integer of at least 1"),
        ("num_trials = 2, l2_reg = hparam_range(1, 0)", "the smaller one first"),
        ("num_trials = 2, l2_reg = hparam_range(-1, 1)", r"HPARAM_RANGE\(-1, 1\) leaves at least 0"),
        ("num_trials = 2, l2_reg = hparam_candidates([-1])", "number of at least 0"),
        ("num_trials = 2, l2_reg = hparam_candidates(1)", "needs one array"),
        ("num_trials = 2, l2_reg = hparam_list([1])", "accepted are HPARAM_RANGE and HPARAM_CAND"),
        ("num_trials = 2, optimize_strategy = hparam_range(0, 1)", "is no number"),
        ("num_trials = 2, data_split_method = hparam_candidates(['seq'])", "cannot be tuned"),
        ("num_trials = 2, l1_reg = 0, l2_reg = 0", "no option is tuned"),
        ("num_trials = 2, hparam_tuning_objectives = ['roc_auc']", "accepted are: r2_score"),
        ("num_trials = 2, data_split_test_fraction = 0.9", "leave no rows to train on"),
        ("num_trials = 2, warm_start = true", "cannot be tuned with num_trials"),
        ("hparam_tuning_algorithm = 'grid_search'", "belongs to tuning; add num_trials"),
        ("num_trials = 2, data_split_method = 'custom', data_split_col = 'd'", "needs VARCHAR"),
    ],
)  # fmt: skip
def test_what_is_refused(pond, options, message):
    with pytest.raises(InputError, match=message):
        create(pond, options)


def test_trial_ids_that_mean_nothing(pond):
    create(pond, "num_trials = 1, l2_reg = hparam_candidates([1])")
    with pytest.raises(StatementError, match="names another"):
        rows(pond, "select * from ML.WEIGHTS(MODEL m@2, STRUCT(1 AS trial_id))")
    with pytest.raises(InputError, match="means a trial of the default version"):
        pond.sql("alter model m set options (alias = 'trial_9')")


def test_a_type_without_a_label(pond):
    pond.sql(
        "create or replace table ratings as select u, i, 3 + sin(u) * cos(i) as r from range(12) a(u), range(9) b(i)"
    )
    for feedback, objective in (("explicit", "mean_squared_error"), ("implicit", "average_rank")):
        pond.sql(
            "create or replace model mf options (model_type = 'matrix_factorization', user_col = 'u', item_col = 'i', "
            f"rating_col = 'r', feedback_type = '{feedback}', num_trials = 2, max_iterations = 3, "
            f"hparam_tuning_objectives = ['{objective}'], tuning_folds = 2) as select * from ratings"
        )
        found = job(pond, "mf")
        assert {trial["status"] for trial in found} == {"SUCCEEDED"}
        searched = {"num_factors", "l2_reg"} | ({"wals_alpha"} if feedback == "implicit" else set())
        assert set(found[0]["hyperparameters"]) == searched
        assert list(found[0]["hparam_tuning_evaluation_metrics"]) == [objective]


@pytest.mark.slow
def test_clusters_and_neighbours(pond):
    pond.sql("create or replace table points as select (i % 3) * 10 + sin(i) as a, (i % 3) * 10 + cos(i) as b, i % 3 as y from range(90) r(i)")  # fmt: skip
    pond.sql("create or replace model k options (model_type = 'kmeans', kmeans_init_method = 'kmeans++', num_trials = 3, "
             "hparam_tuning_algorithm = 'grid_search', num_clusters = hparam_candidates([2, 3, 6])) as select a, b from points")  # fmt: skip
    best = next(trial for trial in job(pond, "k") if trial["is_optimal"])
    assert best["hyperparameters"]["num_clusters"] == 3
    assert list(best["hparam_tuning_evaluation_metrics"]) == ["davies_bouldin_index"]
    create(pond, "num_trials = 2, num_neighbors = hparam_candidates([1, 60]), cross_validation = 2",
           name="n", kind="knn_classifier", query="select a, b, y from points")  # fmt: skip
    assert [trial["is_optimal"] for trial in job(pond, "n")] == [True, False]
