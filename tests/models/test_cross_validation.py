"""CREATE MODEL with cross-validation and learning curves: against scikit-learn on the same folds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import linear_model, metrics

import mlpond
from mlpond.errors import InputError, TrainingError
from mlpond.models.families import MODEL_TYPES
from tests.conftest import rows


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        rng = np.random.default_rng(5)
        X = rng.normal(size=(150, 3))
        y = X @ [2.0, -1.0, 0.5] + rng.normal(size=150)
        session.con.execute(
            "create table t (a double, b double, c double, y double, k varchar, g integer, day date)"
        )
        session.con.executemany(
            "insert into t values (?, ?, ?, ?, ?, ?, date '2024-01-01' + ?::integer)",
            [
                [*X[i].tolist(), y[i], "yes" if y[i] > 0.7 else "no", i % 11, i // 2]
                for i in range(150)
            ],
        )
        yield session


def create(pond, options, *, name="m", kind="linear_reg", label="y", columns="a, b, c, y"):
    pond.sql(
        f"create or replace model {name} options (model_type = '{kind}', "
        f"input_label_cols = ['{label}'], {options}) as select {columns} from t"
    )


def values(pond, name="m"):
    return {row[0]: row for row in rows(pond, f"from ml.cross_validation('{name}')")}


def folds(pond, columns, **arguments):
    """X, the label and the fold of each row, as ml.folds deals them."""
    named = ", ".join(f"{key} := {value!r}" for key, value in arguments.items())
    found = pond.con.execute(
        f"select a, b, c, {columns}, fold from ml.folds('(select a, b, c, {columns} from t)', {named})"
    ).fetchall()
    return np.array([row[:3] for row in found]), [row[3] for row in found], np.array([row[-1] for row in found])  # fmt: skip


def test_regression_agrees_with_scikit_learn_on_the_same_folds(pond):
    create(pond, "cross_validation = 4, l2_reg = 3.0, seed = 7")
    X, y, fold = folds(pond, "y", k=4, seed=7)
    y = np.array(y)
    expected, predicted = [], np.empty(150)
    for f in range(1, 5):
        train = fold != f
        mean, sd = X[train].mean(axis=0), X[train].std(axis=0, ddof=1)
        fit = linear_model.Ridge(alpha=3.0).fit((X[train] - mean) / sd, y[train])
        predicted[~train] = fit.predict((X[~train] - mean) / sd)
        expected.append(metrics.r2_score(y[~train], predicted[~train]))
    metric, mean, error, training, n, each = values(pond)["r2_score"]
    assert (metric, n) == ("r2_score", 4)
    assert each == pytest.approx(expected, rel=1e-9)  # two solvers of condition about 1
    assert mean == pytest.approx(np.mean(expected), rel=1e-9)
    assert error == pytest.approx(np.std(expected, ddof=1) / 2, rel=1e-8)
    assert training > mean
    found = rows(pond, "select a, fold, predicted_y from ml.out_of_fold('m') order by a")
    order = np.argsort(X[:, 0])
    assert [row[0] for row in found] == X[order, 0].tolist()
    assert [row[1] for row in found] == fold[order].tolist()
    assert [row[2] for row in found] == pytest.approx(predicted[order], rel=1e-9, abs=1e-12)


def test_classes_are_stratified_and_agree_with_scikit_learn(pond):
    create(pond, "cross_validation = 3, l2_reg = 1.0", kind="logistic_reg", label="k",
           columns="a, b, c, k")  # fmt: skip
    X, k, fold = folds(pond, "k", k=3, method="stratified", fold_col="k")
    label = np.array([text == "yes" for text in k])
    expected = []
    for f in range(1, 4):
        train = fold != f
        mean, sd = X[train].mean(axis=0), X[train].std(axis=0, ddof=1)
        fit = linear_model.LogisticRegression(C=1.0, tol=1e-10, max_iter=1000)
        fit.fit((X[train] - mean) / sd, label[train])
        expected.append(metrics.log_loss(label[~train], fit.predict_proba((X[~train] - mean) / sd)))
    # scikit-learn stops at a gradient of 1e-10
    assert values(pond)["log_loss"][5] == pytest.approx(expected, rel=1e-6)
    shares = rows(pond, "select count(*) filter (k = 'yes') from ml.out_of_fold('m') group by fold")
    assert max(shares)[0] - min(shares)[0] <= 1


def test_the_final_model_is_trained_on_all_rows(pond):
    create(pond, "cross_validation = 3", name="folded")
    create(pond, "data_split_method = 'no_split'", name="plain")
    assert rows(pond, "from ml.weights('folded')") == rows(pond, "from ml.weights('plain')")
    assert rows(pond, "select training_rows from ml.models where name = 'folded'") == [(150,)]
    # nothing but the model itself is left of the models of the folds
    left = rows(pond, "select distinct model from ml.coefficients where model like '%passing%'")
    assert left == []
    assert rows(pond, "select count(*) from duckdb_functions() where function_name like '%passing%'") == [(0,)]  # fmt: skip
    assert rows(pond, "select count(*) from duckdb_tables() where table_name like 'mlpond%'") == [(0,)]  # fmt: skip


def test_groups_stay_together_and_are_no_feature(pond):
    create(pond, "cross_validation = 3, fold_method = 'grouped', fold_col = 'g'",
           columns="a, b, c, y, g")  # fmt: skip
    found = rows(pond, "select g, count(distinct fold) from ml.out_of_fold('m') group by g")
    assert len(found) == 11
    assert {row[1] for row in found} == {1}
    features = rows(pond, "select features from ml.models where list_contains(aliases, 'default') and name = 'm'")  # fmt: skip
    assert features == [(["a", "b", "c"],)]


def test_rolling_origin_predicts_the_future_from_the_past(pond):
    create(pond, "cross_validation = 4, fold_method = 'rolling_origin', fold_col = 'day'",
           columns="a, b, c, y, day")  # fmt: skip
    found = rows(
        pond, "select fold, min(day), max(day) from ml.out_of_fold('m') group by fold order by fold"
    )
    assert [row[0] for row in found] == [1, 2, 3, 4]
    assert all(before[2] < after[1] for before, after in zip(found, found[1:], strict=False))
    sizes = rows(pond, "select distinct fold, training_rows from ml.cross_validation "
                 "where model = 'm' and version = (ml.version_of('m')).version order by fold")  # fmt: skip
    assert sizes == [(1, 30), (2, 60), (3, 90), (4, 120)]


def test_folds_of_ones_own(pond):
    create(pond, "cross_validation = 2, fold_method = 'custom', fold_col = 'fold'",
           columns="a, b, c, y, case when g < 3 then 'x' when g < 8 then 'z' end as fold")  # fmt: skip
    assert values(pond)["r2_score"][4] == 2
    assert rows(pond, "select distinct fold from ml.out_of_fold('m') order by fold") == [("x",), ("z",)]  # fmt: skip


def test_rows_held_out_are_in_no_fold(pond):
    create(pond, "cross_validation = 3, data_split_method = 'random', "
                 "data_split_eval_fraction = 0.2")  # fmt: skip
    kept, held = rows(pond, "select training_rows, evaluation_rows from ml.models "
                            "where name = 'm' and list_contains(aliases, 'default')")[0]  # fmt: skip
    assert kept + held == 150
    assert rows(pond, "select count(*) from ml.out_of_fold('m')") == [(kept,)]


def test_learning_curve(pond):
    create(pond, "learning_curve = [0.2, 0.5, 1.0], data_split_method = 'random'")
    found = rows(pond, "select training_share, training_rows, training_value, value, standard_error "
                       "from ml.learning_curve('m') where metric = 'mean_squared_error'")  # fmt: skip
    n = rows(pond, "select training_rows from ml.models where name = 'm' "
                   "and list_contains(aliases, 'default')")[0][0]  # fmt: skip
    assert [row[0] for row in found] == [0.2, 0.5, 1.0]
    assert [row[1] for row in found] == [round(0.2 * n), round(0.5 * n), n]
    whole = rows(pond, "select mean_squared_error from ml.evaluate('m')")[0][0]
    assert found[2][3] == pytest.approx(whole, rel=1e-9)
    assert found[0][2] < found[2][2]  # few rows are fitted more closely
    assert {row[4] for row in found} == {None}


def test_learning_curve_over_folds(pond):
    create(pond, "learning_curve = [0.3, 1.0], cross_validation = 3")
    found = rows(pond, "select value, standard_error from ml.learning_curve('m') "
                       "where metric = 'r2_score'")  # fmt: skip
    assert len(found) == 2
    assert found[1] == pytest.approx(values(pond)["r2_score"][1:3], rel=1e-9)


def test_nested_cross_validation(pond):
    create(pond, "cross_validation = 2, num_trials = 2, tuning_folds = 2, "
                 "hparam_tuning_algorithm = 'grid_search', l2_reg = hparam_candidates([0, 1000])")  # fmt: skip
    chosen = rows(pond, "select distinct fold, hyperparameters from ml.cross_validation where model = 'm' "
                        "and version = (ml.version_of('m')).version order by fold")  # fmt: skip
    assert [row[0] for row in chosen] == [1, 2]
    assert {row[1] for row in chosen} == {'{"l2_reg": 0.0}'}
    assert rows(pond, "select count(*) from ml.trial_info('m')") == [(2,)]
    assert rows(pond, "select count(*) from ml.out_of_fold('m')") == [(150,)]
    # the folds tell how good the method is, tuning included: not as good as the best trial's own
    assert math.isfinite(values(pond)["r2_score"][1])


def test_dropping_leaves_nothing(pond):
    create(pond, "cross_validation = 2, learning_curve = [0.5]", name="gone")
    pond.sql("drop model gone")
    for table in ("cross_validation", "learning_curve"):
        assert rows(pond, f"select count(*) from ml.{table} where model = 'gone'") == [(0,)]
    assert rows(pond, "select count(*) from duckdb_tables() where table_name like '%gone%'") == [(0,)]  # fmt: skip


@pytest.mark.parametrize(
    "options, error, message",
    [
        ("cross_validation = 1", InputError, "integer of at least 2"),
        ("cross_validation = 200", TrainingError, "fold 151 of 200 has no rows"),
        ("fold_method = 'grouped', fold_col = 'a'", InputError, "needs cross_validation"),
        ("cross_validation = 3, fold_method = 'grouped'", InputError, "GROUPED needs fold_col"),
        ("cross_validation = 3, fold_method = 'stratified'", InputError, "the column of the strata"),
        ("cross_validation = 3, fold_col = 'a'", InputError, "fold_col needs fold_method"),
        ("cross_validation = 3, fold_method = 'grouped', fold_col = 'x'", InputError, "'x' is not"),
        ("learning_curve = [0.5, 2]", InputError, "at most 1"),
        ("learning_curve = [0.5]", InputError, "needs rows that are not trained on"),
    ],
)  # fmt: skip
def test_what_is_refused(pond, options, error, message):
    before = rows(pond, "select count(*) from ml.models")
    with pytest.raises(error, match=message):
        create(pond, options)
    assert rows(pond, "select count(*) from ml.models") == before
    assert rows(pond, "select count(*) from duckdb_tables() where table_name like 'mlpond%'") == [(0,)]  # fmt: skip


def test_a_class_missing_from_the_rest_and_a_column_called_fold(pond):
    with pytest.raises(TrainingError, match="only 1 of 2 classes are left"):
        create(pond, "cross_validation = 2, fold_method = 'grouped', fold_col = 'side'",
               kind="logistic_reg", label="k", columns="a, k, k as side")  # fmt: skip
    with pytest.raises(InputError, match="has a column fold, the name"):
        create(pond, "cross_validation = 2", columns="a, y, b as fold")


@pytest.mark.parametrize(
    "kind, label, extra",
    [
        ("glm", "n", ", family = 'poisson'"),
        ("logistic_reg", "k", ", data_split_method = 'random', calibration_method = 'platt'"),
    ],
)
def test_other_types_and_calibrated_ones(pond, kind, label, extra):
    columns = f"a, b, {'(y + 10)::integer as n' if label == 'n' else 'k'}"
    create(pond, f"cross_validation = 2, num_trials = 2, tuning_folds = 2{extra}, "
                 "l2_reg = hparam_candidates([1, 10])", kind=kind, label=label, columns=columns)  # fmt: skip
    assert rows(pond, "select count(*), count(*) filter (status = 'SUCCEEDED') "
                      "from ml.trial_info('m')") == [(2, 2)]  # fmt: skip
    assert {row[4] for row in values(pond).values()} == {2}


NUMBER, CLASS = "input_label_cols = ['y']", "input_label_cols = ['k']"
# What each type needs besides, and its columns.
TYPES = {
    "LINEAR_REG": (NUMBER, "a, b, y"),
    "LOGISTIC_REG": (CLASS, "a, b, k"),
    "GLM": (NUMBER, "a, b, y"),
    "KNN_CLASSIFIER": (CLASS, "a, b, k"),
    "KNN_REGRESSOR": (NUMBER, "a, b, y"),
    "SVM_CLASSIFIER": (CLASS, "a, b, k"),
    "SVM_REGRESSOR": (NUMBER, "a, b, y"),
    "NAIVE_BAYES": (CLASS, "a, b, k"),
    "KMEANS": ("num_clusters = 2", "a, b"),
    "GAUSSIAN_MIXTURE": ("seed = 0", "a, b"),
    "PCA": ("num_principal_components = 1", "a, b"),
    "MATRIX_FACTORIZATION": (
        "user_col = 'g', item_col = 'item', rating_col = 'stars', max_iterations = 2",
        "distinct g, k as item, 3 as stars",
    ),
}


# Types that predict nothing, and what is said of it.
NEVER = {
    "TRANSFORM_ONLY": ("seed = 0", "a", "transform_only has no ml.evaluate"),
    "CONTRIBUTION_ANALYSIS": (
        "contribution_metric = 'SUM(y)', dimension_id_cols = ['g'], is_test_col = 'is_test'",
        "y, g, a > 0 as is_test", "nothing to tune or fit; leave out cross_validation",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", NEVER)
def test_what_predicts_nothing_is_not_cross_validated(pond, kind):
    options, columns, message = NEVER[kind]
    transform = "transform (a + 1 as a)" if kind == "TRANSFORM_ONLY" else ""
    with pytest.raises(InputError, match=message):
        pond.sql(
            f"create model never {transform} options (model_type = '{kind}', {options}, "
            f"cross_validation = 2) as select {columns} from t"
        )


@pytest.mark.parametrize("kind", [kind for kind in MODEL_TYPES if kind not in NEVER])
def test_every_type_can_be_cross_validated(pond, kind):
    assert kind in TYPES, "a new type: say what it needs"
    options, columns = TYPES[kind]
    pond.sql(
        f"create or replace model every options (model_type = '{kind}', {options}, cross_validation = 2) "
        f"as select {columns} from t"
    )
    assert max(row[4] for row in rows(pond, "from ml.cross_validation('every')")) == 2
    assert rows(pond, "select count(distinct fold) from ml.out_of_fold('every')") == [(2,)]
