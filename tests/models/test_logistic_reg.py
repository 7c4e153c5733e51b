"""CREATE MODEL with logistic_reg: against scikit-learn and statsmodels, and in the plain shell."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

import mlpond
from tests.conftest import record, rows


@pytest.fixture
def binary(pond):
    rng = np.random.default_rng(11)
    X = rng.normal(size=(800, 3)) * [1, 5, 0.2] + [0, 10, 1]
    p = 1 / (1 + np.exp(-(X @ [1.0, -0.3, 2.0] + 1)))
    y = rng.random(800) < p
    pond.con.execute("create table t (a double, b double, c double, y boolean)")
    pond.con.executemany(
        "insert into t values (?, ?, ?, ?)",
        [[*map(float, x), bool(v)] for x, v in zip(X, y, strict=True)],
    )
    return X, y


def create(pond, options="", query="select * from t", name="m", label="y"):
    pond.sql(
        f"create or replace model {name} options (model_type = 'logistic_reg', "
        f"input_label_cols = ['{label}'], data_split_method = 'no_split'{options}) as {query}"
    )


def test_agrees_with_statsmodels(pond, binary):
    X, y = binary
    create(pond, ", calculate_p_values = true, category_encoding_method = 'dummy_encoding'")
    fit = sm.Logit(y.astype(float), sm.add_constant(X)).fit(disp=0, tol=1e-14, maxiter=100)
    found = np.array(
        rows(
            pond,
            "select weight, standard_error, statistic, p_value from ml.coefficients order by position",
        )
    )
    expected = np.column_stack([fit.params, fit.bse, fit.tvalues, fit.pvalues])
    # z² reaches 100: a relative 1e-10 in z is 1e-8 in p
    assert found[[3, 0, 1, 2]] == pytest.approx(expected, rel=1e-8)
    statistics = dict(rows(pond, "select name, value from ml.fit_statistics"))
    assert statistics["log_likelihood"] == pytest.approx(fit.llf, rel=1e-10)
    assert statistics["aic"] == pytest.approx(fit.aic, rel=1e-10)


def test_agrees_with_scikit_learn_under_a_penalty(pond, binary):
    X, y = binary
    Z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    create(pond, ", l2_reg = 4.0")
    theirs = LogisticRegression(C=1 / 4.0, tol=1e-12, max_iter=10_000).fit(Z, y)
    found = dict(
        rows(pond, "select processed_input, weight from ml.weights('m', standardize := true)")
    )
    assert [found[k] for k in "abc"] == pytest.approx(theirs.coef_[0], rel=1e-5)
    p = np.array(
        [r[0] for r in rows(pond, "select predicted_y_probs[1].prob from ml.predict('m', 't')")]
    )
    assert p == pytest.approx(theirs.predict_proba(Z)[:, 1], rel=1e-5)


def test_predictions_have_bigquerys_shape(pond, binary):
    create(pond)
    relation = pond.sql("from ML.PREDICT(MODEL m, TABLE t)")
    assert relation.columns == ["predicted_y", "predicted_y_probs", "a", "b", "c", "y"]
    assert [str(t).replace('"', '') for t in relation.types[:2]] == [
        'BOOLEAN', 'STRUCT(label BOOLEAN, prob DOUBLE)[]',
    ]  # fmt: skip
    first = relation.limit(1).fetchall()[0]
    assert [entry["label"] for entry in first[1]] == [True, False]
    assert sum(entry["prob"] for entry in first[1]) == pytest.approx(1, abs=1e-15)


def test_the_threshold_decides(pond, binary):
    create(pond)
    counts = [
        rows(pond, f"select count(*) filter (predicted_y) from ml.predict('m', 't'{threshold})")[0][
            0
        ]
        for threshold in ("", ", threshold := 0.9", ", threshold := 0", ", threshold := 1.1")
    ]
    assert counts[1] < counts[0] < counts[2] == 800
    assert counts[3] == 0
    half = record(pond, "from ml.evaluate('m')")
    strict = record(pond, "from ML.EVALUATE(MODEL m, TABLE t, STRUCT(0.9 AS threshold))")
    assert strict["recall"] < half["recall"]
    assert strict["roc_auc"] == half["roc_auc"]


def test_evaluate_agrees_with_scikit_learn(pond, binary):
    X, y = binary
    create(pond)
    p = np.array(
        [r[0] for r in rows(pond, "select predicted_y_probs[1].prob from ml.predict('m', 't')")]
    )
    found = record(pond, "from ml.evaluate('m')")
    hard = p >= 0.5
    assert found == pytest.approx(
        {
            "precision": metrics.precision_score(y, hard), "recall": metrics.recall_score(y, hard),
            "accuracy": metrics.accuracy_score(y, hard), "f1_score": metrics.f1_score(y, hard),
            "log_loss": metrics.log_loss(y, p), "roc_auc": metrics.roc_auc_score(y, p),
        },
        rel=1e-12,
    )  # fmt: skip


def test_roc_auc_counts_ties_one_half(pond):
    pond.sql(
        "create table t as select (i % 4)::double as x, (hash(i) % 3 = 0) as y from range(300) r(i)"
    )
    create(pond)
    p = rows(pond, "select predicted_y_probs[1].prob, y from ml.predict('m', 't')")
    expected = metrics.roc_auc_score([r[1] for r in p], [r[0] for r in p])
    assert record(pond, "from ml.evaluate('m')")["roc_auc"] == pytest.approx(expected, rel=1e-12)


def test_roc_curve(pond, binary):
    X, y = binary
    create(pond)
    p = np.array(
        [r[0] for r in rows(pond, "select predicted_y_probs[1].prob from ml.predict('m', 't')")]
    )
    found = rows(pond, "from ml.roc_curve('m', thresholds := [0.2, 0.5, 1.5])")
    for (threshold, recall, fpr, tp, fp, tn, fn), wanted in zip(
        found, [1.5, 0.5, 0.2], strict=True
    ):
        called = p >= wanted
        assert threshold == wanted
        assert (tp, fp) == (int((called & y).sum()), int((called & ~y).sum()))
        assert (tn, fn) == (int((~called & ~y).sum()), int((~called & y).sum()))
        assert (recall, fpr) == (tp / (tp + fn), fp / (fp + tn))
    default = rows(pond, "from ML.ROC_CURVE(MODEL m)")
    assert 95 <= len(default) <= 101  # the percentiles of the score
    spaced = rows(
        pond, "select threshold from ML.ROC_CURVE(MODEL m, TABLE t, GENERATE_ARRAY(0.2, 0.4, 0.1))"
    )
    assert [row[0] for row in spaced] == pytest.approx([0.4, 0.3, 0.2])


def test_confusion_matrix(pond, binary):
    X, y = binary
    create(pond)
    relation = pond.sql("from ml.confusion_matrix('m')")
    assert relation.columns == ["expected_label", "false", "true"]
    p = np.array([r[0] for r in rows(pond, "select predicted_y from ml.predict('m', 't')")])
    assert [row[1:] for row in relation.fetchall()] == [
        tuple(row) for row in metrics.confusion_matrix(y, p).tolist()
    ]


def test_columns_of_a_confusion_matrix_that_are_no_identifiers(pond, binary):
    create(pond, query="select a, b, y::int as y from t")
    assert pond.sql("from ml.confusion_matrix('m')").columns == ["expected_label", "_0", "_1"]


def test_three_classes(pond, load_penguins):
    load_penguins(pond)
    create(pond, ", l2_reg = 1.0", label="species", query=(
        "select species, bill_length_mm, bill_depth_mm, flipper_length_mm from penguins "
        "where bill_length_mm is not null"
    ))  # fmt: skip
    data = pond.con.execute(
        "select bill_length_mm, bill_depth_mm, flipper_length_mm, species from penguins "
        "where bill_length_mm is not null"
    ).fetchall()
    X, y = np.array([r[:3] for r in data], dtype=float), np.array([r[3] for r in data])
    Z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    theirs = LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000).fit(Z, y)
    relation = pond.sql(
        "select predicted_species, predicted_species_probs from ml.predict('m', 'penguins') "
        "where bill_length_mm is not null"
    )
    found = relation.fetchall()
    assert [entry["label"] for entry in found[0][1]] == ["Gentoo", "Chinstrap", "Adelie"]
    ours = np.array([[entry["prob"] for entry in reversed(row[1])] for row in found])
    assert ours == pytest.approx(theirs.predict_proba(Z), abs=1e-5)
    assert [row[0] for row in found] == list(theirs.predict(Z))
    weights = pond.sql("from ml.weights('m')")
    assert weights.columns[0] == "class_label"
    assert len(weights.fetchall()) == 12
    evaluated = record(pond, "from ml.evaluate('m')")
    predicted = [row[0] for row in found]
    assert evaluated["precision"] == pytest.approx(
        metrics.precision_score(y, predicted, average="macro")
    )
    assert evaluated["f1_score"] == pytest.approx(metrics.f1_score(y, predicted, average="macro"))
    assert evaluated["log_loss"] == pytest.approx(metrics.log_loss(y, ours), rel=1e-12)
    assert evaluated["roc_auc"] == pytest.approx(
        metrics.roc_auc_score(y, ours, multi_class="ovr", average="macro"), rel=1e-12
    )


def test_class_weights(pond, binary):
    X, y = binary
    create(pond, ", class_weights = [(true, 3.0)]")
    sklearn_fit = LogisticRegression(
        C=1e12, tol=1e-12, max_iter=10_000, class_weight={True: 3.0, False: 1.0}
    ).fit(X, y)
    found = dict(rows(pond, "select processed_input, weight from ml.weights('m')"))
    assert [found[k] for k in "abc"] == pytest.approx(sklearn_fit.coef_[0], rel=1e-4)
    create(pond, ", auto_class_weights = true")
    sklearn_fit = LogisticRegression(
        C=1e12, tol=1e-12, max_iter=10_000, class_weight="balanced"
    ).fit(X, y)
    found = dict(rows(pond, "select processed_input, weight from ml.weights('m')"))
    assert [found[k] for k in "abc"] == pytest.approx(sklearn_fit.coef_[0], rel=1e-4)


def test_lasso_drops_features(pond, binary):
    X, y = binary
    Z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    create(pond, ", l1_reg = 60.0")
    theirs = LogisticRegression(
        l1_ratio=1.0, solver="saga", C=1 / 60.0, tol=1e-10, max_iter=50_000, random_state=0
    ).fit(Z, y)
    found = dict(
        rows(pond, "select processed_input, weight from ml.weights('m', standardize := true)")
    )
    assert [found[k] for k in "abc"] == pytest.approx(theirs.coef_[0], rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(
    "kind, first, second",
    [
        ("bigint", 0, 1),
        ("varchar", "'no'", "'yes'"),
        ("date", "date '2024-01-01'", "date '2024-02-01'"),
    ],
)
def test_labels_of_every_simple_type(pond, binary, kind, first, second):
    create(
        pond,
        query=f"select a, b, c, case when y then {second} else {first} end::{kind} as y from t",
    )
    relation = pond.sql("select predicted_y from ml.predict('m', 't')")
    assert str(relation.types[0]) == kind.upper()
    assert (
        record(
            pond,
            f"from ml.evaluate('m', '(select a, b, c, case when y then {second} else {first} end as y from t)')".replace(
                "'no'", "''no''"
            )
            .replace("'yes'", "''yes''")
            .replace("'2024-01-01'", "''2024-01-01''")
            .replace("'2024-02-01'", "''2024-02-01''"),
        )["accuracy"]
        > 0.6
    )


def test_separation_is_said_with_its_column(pond):
    pond.sql(
        "create table s as select i::double as x, (hash(i) % 7)::double as z, i >= 50 as y from range(100) r(i)"
    )
    create(pond, query="select * from s")
    (warnings,) = rows(pond, "select warnings from ml.models")
    assert any("separation" in text and "x" in text for text in warnings[0])
    found = rows(pond, "select weight from ml.weights('m')")
    assert all(math.isfinite(row[0]) for row in found)


def test_evaluation_loss_is_recorded(pond, binary):
    pond.sql(
        "create model h options (model_type = 'logistic_reg', input_label_cols = ['y'], "
        "data_split_method = 'random', data_split_eval_fraction = 0.25) as from t"
    )
    last = rows(
        pond, "select loss, eval_loss from ml.training_info('h') order by iteration desc limit 1"
    )[0]
    assert last[1] == pytest.approx(record(pond, "from ml.evaluate('h')")["log_loss"], rel=1e-6)


@pytest.mark.slow
def test_the_plain_shell_scores_and_evaluates_alike(database, shell, load_penguins):
    with mlpond.connect(database) as pond:
        load_penguins(pond)
        create(pond, ", l2_reg = 0.5", label="species", name="three",
               query="select * exclude (year) from penguins")  # fmt: skip
        create(pond, ", l2_reg = 0.5", label="sex", name="two",
               query="select * exclude (year) from penguins where sex is not null")  # fmt: skip
        expected = {
            name: (
                record(pond, f"from ml.evaluate('{name}')"),
                rows(pond, f"from ml.weights('{name}')"),
            )
            for name in ("two", "three")
        }
        probabilities = rows(
            pond, "select predicted_sex_probs[1].prob from ml.predict('two', 'penguins')"
        )
    for name, (metrics_, weights) in expected.items():
        (found,) = shell(database, f"from ml.evaluate('{name}')")
        assert found == pytest.approx(metrics_, rel=1e-9)
        assert len(shell(database, f"from ml.weights('{name}')")) == len(weights)
        assert shell(database, f"from ml.confusion_matrix('{name}')")
        assert shell(database, f"from ml.training_info('{name}')")
        assert shell(database, f"from ml.feature_info('{name}')")
    found = shell(
        database, "select predicted_sex_probs[1].prob as p from ml.predict('two', 'penguins')"
    )
    assert [row["p"] for row in found] == pytest.approx([row[0] for row in probabilities], rel=1e-9)
    assert shell(database, "from ml.roc_curve('two')")


def test_a_feature_may_have_the_name_of_a_parameter(pond):
    """A column c is not taken for the class that a lambda of the scoring query calls c."""
    pond.sql("create table t as select i % 7 as c, i % 5 as e, i % 3 as y from range(300) r(i)")
    pond.sql(
        "create model m options (model_type = 'logistic_reg', input_label_cols = ['y']) as from t"
    )
    found = rows(
        pond, "select list_sort([p.label for p in predicted_y_probs]) from ml.predict('m', 't')"
    )
    assert {tuple(row[0]) for row in found} == {(0, 1, 2)}
