"""CREATE MODEL with svm_classifier and svm_regressor: scikit-learn, margins as rows, plain shell."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from pytest import approx
from sklearn.svm import SVC, SVR

import mlpond
from mlpond.errors import InputError, TrainingError
from tests.conftest import record, records, rows

MODELS = {
    "flat": ("svm_classifier", "two", ""),
    "squared": ("svm_classifier", "two", ", loss = 'squared_hinge', l2_reg = 0.5"),
    "three": ("svm_classifier", "three", ""),
    "round": ("svm_classifier", "two", ", kernel = 'rbf'"),
    "rounds": ("svm_classifier", "three", ", kernel = 'polynomial', coef0 = 1, degree = 2"),
    "waves": ("svm_classifier", "two", ", kernel = 'rbf', svm_solver = 'random_features', num_random_features = 60"),
    "number": ("svm_regressor", "y", ", epsilon = 0.5"),
    "curve": ("svm_regressor", "y", ", epsilon = 0.5, kernel = 'rbf', l2_reg = 0.1"),
}  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A database with machines of every kind over numbers and a category."""
    path = tmp_path_factory.mktemp("svm") / "pond.duckdb"
    rng = np.random.default_rng(11)
    X = rng.normal(size=(240, 2)) * [2, 5] + [10, -3]
    y = (X[:, 0] - 10) * 2 + (X[:, 1] + 3) ** 2 / 10 + rng.normal(size=240)
    with mlpond.connect(path) as session:
        session.con.execute(
            "create table t (a double, b double, c varchar, y double, two varchar, three integer)"
        )
        session.con.executemany(
            "insert into t values (?, ?, ?, ?, ?, ?)",
            [
                (*x, "uvw"[i % 3], v, "yes" if v > 2 else "no", int(np.digitize(v, [0, 4])))
                for i, (x, v) in enumerate(zip(X.tolist(), y.tolist(), strict=True))
            ],
        )
        for name, (kind, label, options) in MODELS.items():
            create(session, name, kind, label, options)
    return path


def create(session, name, kind, label, options="", columns="a, b, c", source="t"):
    session.sql(
        f"create or replace model {name} options (model_type = '{kind}', input_label_cols = ['{label}'], "
        f"data_split_method = 'no_split'{options}) as select {columns}, {label} from {source}"
    )


@pytest.fixture(scope="module")
def trained(file):
    with mlpond.connect(file) as session:
        yield session


def design(session):
    """The standardised columns a, b and one a category."""
    X = np.array(rows(session, "select a, b from t"))
    c = np.array([row[0] for row in rows(session, "select c from t")])
    Z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    return np.hstack([Z, (c[:, None] == ["u", "v", "w"]).astype(float)])


def column(session, query):
    return np.array([row[0] for row in rows(session, query)])


def test_linear_scores_are_those_of_the_weights(trained):
    Z = design(trained)
    theirs = SVC(kernel="linear", tol=1e-6).fit(Z, column(trained, "select two from t"))
    score = column(trained, "select predicted_two_scores[1].score from ml.predict('flat', 't')")
    # a distance of 1e-7 in the flat objective is some 1e-3 in a score
    assert score == approx(theirs.decision_function(Z), abs=5e-3)
    weights = {row[0]: (row[1], row[2]) for row in rows(trained, "from ML.WEIGHTS(MODEL flat)")}
    assert set(weights) == {"a", "b", "c", "__INTERCEPT__"}
    X = np.array(rows(trained, "select a, b from t"))
    c = {entry["category"]: entry["weight"] for entry in weights["c"][1]}
    own = np.array([c[v] for v in column(trained, "select c from t")])
    by_hand = X @ [weights["a"][0], weights["b"][0]] + own + weights["__INTERCEPT__"][0]
    assert score == approx(by_hand, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", ["round", "rounds", "curve"])
def test_kernel_scores_are_libsvms(trained, name):
    Z = design(trained)
    kind, label, _ = MODELS[name]
    y = column(trained, f"select {label} from t")
    if name == "round":
        theirs = SVC(kernel="rbf", tol=1e-6).fit(Z, y).decision_function(Z)
        found = column(
            trained, "select predicted_two_scores[1].score from ml.predict('round', 't')"
        )
    elif name == "curve":
        theirs = SVR(kernel="rbf", epsilon=0.5, C=10, tol=1e-6).fit(Z, y).predict(Z)
        found = column(trained, "select predicted_y from ml.predict('curve', 't')")
    else:
        one = SVC(kernel="poly", degree=2, coef0=1, tol=1e-6).fit(Z, y == 2)
        theirs = one.decision_function(Z)
        found = column(
            trained, "select predicted_three_scores[1].score from ml.predict('rounds', 't')"
        )
    # the variance behind gamma is that of n - 1; a tolerance of 1e-5 moves a score by some 1e-4
    assert found == approx(theirs, abs=2e-2)


def test_the_class_is_that_of_the_greatest_score(trained):
    found = rows(
        trained, "select predicted_three, predicted_three_scores from ml.predict('three', 't')"
    )
    for predicted, scores in found:
        assert [entry["label"] for entry in scores] == [2, 1, 0]
        assert predicted == max(scores, key=lambda entry: entry["score"])["label"]
    two = rows(
        trained, "select predicted_two, predicted_two_scores[1] from ml.predict('round', 't')"
    )
    assert all((p == "yes") == (s["score"] >= 0) and s["label"] == "yes" for p, s in two)


def test_margins_hold_the_intuition(trained):
    found = rows(
        trained, "select class_label, score, margin, alpha, two from ml.margins('flat', 't')"
    )
    for label, score, margin, alpha, own in found:
        assert label == own
        assert margin == (score if own == "yes" else -score)
        assert 0 <= alpha <= 1
        # beyond the margin a row weighs nothing, within it all it may
        if margin > 1.05:
            assert alpha < 0.01
        if margin < 0.95:
            assert alpha > 0.99
    signed = sum(alpha if own == "yes" else -alpha for *_, alpha, own in found)
    # the intercept is where both sides pull alike: the objective rests to 1e-7, its slope to the root
    assert signed == approx(0.0, abs=0.5)
    vectors = rows(trained, "from ml.support_vectors('flat')")
    assert 0 < len(vectors) < 240
    assert len(vectors) == sum(alpha > 1e-3 for *_, alpha, own in found)


def test_squared_hinge_and_regression_weigh_by_distance(trained):
    found = rows(trained, "select margin, alpha from ml.margins('squared', 't')")
    for margin, alpha in found:
        assert alpha == approx(2 * 2 * max(0.0, 1 - margin), rel=1e-12)
    for name in ("number", "curve"):
        found = rows(trained, f"select score, margin, y from ml.margins('{name}', 't')")
        for score, margin, y in found:
            assert margin == approx(0.5 - abs(y - score), abs=1e-12)


def test_support_vectors_of_a_kernel_are_training_rows(trained):
    found = rows(
        trained,
        'select class_label, score, margin, alpha, a, b, "c=u", "c=v", "c=w" from ml.support_vectors(\'round\')',
    )
    known = {
        (round(a, 9), round(b, 9)): (two, c)
        for a, b, two, c in rows(trained, "select a, b, two, c from t")
    }
    scores = {
        (round(a, 9), round(b, 9)): s
        for s, a, b in rows(
            trained, "select predicted_two_scores[1].score, a, b from ml.predict('round', 't')"
        )
    }
    assert 0 < len(found) < 240
    for label, score, margin, alpha, a, b, *one_hot in found:
        two, c = known[round(a, 9), round(b, 9)]
        assert (label, one_hot.index(1.0)) == (two, "uvw".index(c))
        assert score == approx(scores[round(a, 9), round(b, 9)], abs=1e-7)
        assert 0 < alpha <= 1
        assert margin <= 1 + 1e-4
        assert margin == approx(1.0, abs=1e-4) if alpha < 1 - 1e-9 else margin <= 1 + 1e-4
    three = rows(
        trained,
        "select class_label, count(*) from ml.support_vectors('rounds') group by all order by all",
    )
    assert [row[0] for row in three] == ["0", "1", "2"]


def test_evaluation_ranks_by_the_score(trained):
    from sklearn.metrics import accuracy_score, roc_auc_score

    y = column(trained, "select two from t")
    score = column(trained, "select predicted_two_scores[1].score from ml.predict('round', 't')")
    found = record(trained, "from ML.EVALUATE(MODEL round)")
    assert found["accuracy"] == approx(accuracy_score(y == "yes", score >= 0), rel=1e-12)
    assert found["roc_auc"] == approx(roc_auc_score(y == "yes", score), rel=1e-12)
    assert found["log_loss"] is None
    assert record(trained, "from ml.evaluate('three')")["log_loss"] is None
    assert record(trained, "from ml.evaluate('number')")["r2_score"] > 0.4
    assert len(rows(trained, "from ml.confusion_matrix('rounds')")) == 3
    assert len(rows(trained, "from ml.roc_curve('flat')")) > 10


EXPLAINED = ("flat", "three", "round", "rounds", "waves")


@pytest.mark.parametrize("name", EXPLAINED)
def test_explanations_speak_of_the_score(trained, name):
    label = MODELS[name][1]
    data = "(from t limit 2)"
    for row in records(trained, f"from ml.explain_predict('{name}', '{data}')"):
        found = {e["feature"]: e["attribution"] for e in row["top_feature_attributions"]}
        assert set(found) == {"a", "b", "c"}
        assert row["probability"] is None
        # a walk of every row ends at the score; what is left over is the sampled background
        total = row["baseline_prediction_value"] + sum(found.values())
        assert row["prediction_value"] == approx(total, abs=row["approximation_error"] + 1e-9)
    scored = records(trained, f"from ml.predict('{name}', '{data}')")
    scores = [row[f"predicted_{label}_scores"][0]["score"] for row in scored]
    assert column(trained, f"select __score from ml.scores('{name}', '{data}')") == approx(scores)
    assert len(rows(trained, f"from ml.global_explain('{name}', '{data}')")) == 3
    assert len(rows(trained, f"from ml.partial_dependence('{name}', 'a', points := 3)")) == 3
    assert len(rows(trained, f"from ml.accumulated_local_effects('{name}', 'a', points := 3)")) == 3
    ice = "ml.individual_conditional_expectation"
    assert len(rows(trained, f"from {ice}('{name}', 'a', points := 3)")) == 3 * 240


@pytest.mark.parametrize("name", ["flat", "three"])
def test_linear_attributions_of_scores_are_exact(trained, name):
    label = MODELS[name][1]
    for row in records(trained, f"from ml.explain_predict('{name}', 't')"):
        (score,) = (
            row["prediction_value"] if label == "three" or row["predicted_two"] == "yes"
            else -row["prediction_value"],
        )  # fmt: skip
        assert row["approximation_error"] == 0
        assert score >= -1.0 if label == "three" else score >= 0.0


def test_importance_is_by_the_hinge_loss(trained):
    from sklearn.metrics import hinge_loss

    y = column(trained, "select two from t")
    score = column(trained, "select __score from ml.scores('round', 't')")
    (loss,) = set(column(trained, "select loss from ml.permutation_importance('round', 't')"))
    assert loss == approx(hinge_loss(y == "yes", score), rel=1e-12)
    # a class that the model does not know: no score can be right
    unknown = "(select * replace (''maybe'' as two) from t)"
    (loss,) = set(
        column(trained, f"select loss from ml.permutation_importance('round', '{unknown}')")
    )
    assert loss == approx(np.mean(1 + np.abs(score)), rel=1e-12)


def test_sets_of_scores_hold_the_share_that_is_asked_for(trained):
    held, fresh = "(from t limit 120)", "(from t offset 120)"
    for name in ("round", "three"):
        label = MODELS[name][1]
        found = record(
            trained,
            f"select avg(list_contains(prediction_set, {label})::int) as share from ml.conformal("
            f"'{name}', '{fresh}', confidence_level := 0.8, calibration := '{held}')",
        )
        # two samples of 120: four standard deviations of the difference of their shares
        assert found["share"] > 0.8 - 4 * np.sqrt(2 * 0.16 / 120)
    with pytest.raises(Exception, match="adaptive needs probabilities.*set|train it with calib"):
        rows(
            trained,
            f"from ml.conformal('round', 't', method := 'adaptive', calibration := '{held}')",
        )


def test_a_plain_shell_scores_the_same(trained, file, shell, tmp_path):
    copy = shutil.copy(file, tmp_path)  # the session holds the lock of the file itself
    for name, (_, label, _) in MODELS.items():
        what = (
            "predicted_y"
            if label == "y"
            else f"list_transform(predicted_{label}_scores, lambda s: s.score)"
        )
        query = f"select {what} as found from ml.predict('{name}', 't')"
        expected = [row[0] for row in rows(trained, query)]
        found = [row["found"] for row in shell(copy, query)]
        assert np.array(found) == approx(np.array(expected), rel=1e-9, abs=1e-9)


def test_random_features_come_near_the_kernel(trained):
    exact = column(trained, "select predicted_two from ml.predict('round', 't')")
    near = column(trained, "select predicted_two from ml.predict('waves', 't')")
    assert (exact == near).mean() > 0.9
    found = rows(
        trained,
        "select position, len(frequencies), weights from ml.random_features where model = 'waves'",
    )
    assert len(found) == 60
    assert found[0][1] == 5


def test_large_data_take_random_features(trained, monkeypatch):
    from mlpond.models.families import svm

    monkeypatch.setattr(svm, "EXACT_ROWS", 100)
    create(trained, "many", "svm_classifier", "two", ", kernel = 'rbf', num_random_features = 20")
    said = record(trained, "select warnings from ml.models where name = 'many'")["warnings"]
    assert any(text.startswith("approximate: 240 rows are more than 100") for text in said)


def test_class_weights_move_the_boundary(trained):
    create(trained, "heavy", "svm_classifier", "two", ", class_weights = [('yes', 5.0)]")
    plain = column(trained, "select predicted_two = 'yes' from ml.predict('flat', 't')").sum()
    heavy = column(trained, "select predicted_two = 'yes' from ml.predict('heavy', 't')").sum()
    assert heavy > plain
    most = record(trained, "select max(alpha) as most from ml.margins('heavy', 't')")["most"]
    assert most == approx(5.0, rel=1e-3)


def test_transform_and_new_rows(trained):
    trained.sql(
        "create or replace model m transform (ML.STANDARD_SCALER(a) over () as a, b * b as square, c, two) "
        "options (model_type = 'svm_classifier', input_label_cols = ['two'], kernel = 'rbf', "
        "data_split_method = 'no_split') as select a, b, c, two from t"
    )
    found = record(
        trained,
        "select predicted_two from ml.predict('m', '(select null::double as a, 3.0 as b, ''new'' as c)')",
    )
    assert found["predicted_two"] in ("yes", "no")
    assert record(trained, "select count(*) as n from ml.support_vectors('m')")["n"] > 0


def test_bad_input(trained):
    for label, options, columns, error, message in [
        ("two", ", kernel = 'sigmoid'", "a", InputError, "LINEAR, RBF, POLYNOMIAL"),
        ("two", ", l2_reg = 0", "a", InputError, "above 0"),
        ("two", ", gamma = 1", "a", InputError, "gamma is for kernel RBF and POLYNOMIAL"),
        ("two", ", kernel = 'rbf', loss = 'squared_hinge'", "a", InputError, "kernel LINEAR"),
        ("two", ", svm_solver = 'random_features'", "a", InputError, "for kernel RBF"),
        ("two", ", epsilon = 1", "a", InputError, "epsilon"),
        ("one", "", "a, 'x' as one", TrainingError, "only the class"),
        ("two", "", "a / 0 as a", TrainingError, "NaN or infinity"),
    ]:
        with pytest.raises(error, match=message):
            create(
                trained,
                "bad",
                "svm_classifier",
                label,
                options,
                columns,
                source="t" if label == "two" else "(select a, 'x' as one from t)",
            )
    with pytest.raises(InputError, match="needs a number"):
        create(trained, "bad", "svm_regressor", "two")
    create(trained, "flats", "svm_classifier", "two", columns="a, 1.0 as constant")
    said = record(trained, "select warnings from ml.models where name = 'flats'")["warnings"]
    assert [text for text in said if text.startswith("constant: constant")]
