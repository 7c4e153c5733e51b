"""Calibrated probabilities, and predictions with a promise."""

from __future__ import annotations

import numpy as np
import pytest
from pytest import approx
from scipy import special
from sklearn.calibration import _sigmoid_calibration

import mlpond
from mlpond.errors import InputError
from mlpond.udfs.calibration.isotonic import isotonic
from mlpond.udfs.calibration.scaling import logits, platt, temperature
from tests.conftest import record, rows

SPLIT = "data_split_method = 'CUSTOM', data_split_col = 'held'"


@pytest.fixture(scope="module")
def pond():
    """Rows whose class and number depend on x, half of them held out."""
    with mlpond.connect() as session:
        session.sql(
            "create table t as select x, (i % 2 = 0) as held, "
            "case when ml.random_uniform(2, i) < 1 / (1 + exp(-3 * x)) then 'yes' else 'no' end as y, "
            "['a', 'b', 'c'][1 + (ml.random_uniform(3, i) * (1 + (x > 0)::int * 2))::int % 3] as c, "
            "2 * x + ml.normal_random(4, i) as z "
            "from (select i, ml.normal_random(1, i) as x from range(2000) r(i))"
        )
        yield session


def create(session, name, kind, label, settings="", source="t"):
    session.sql(
        f"create or replace model {name} options (model_type = '{kind}', {SPLIT}, "
        f"input_label_cols = ['{label}'] {settings}) as select x, held, {label} from {source}"
    )


def raw(session, label, classes):
    """Index of the class and probabilities before calibration of the rows held out."""
    picked = ", ".join(
        f"list_filter(predicted_{label}_probs, lambda e: e.label = '{text}')[1].prob"
        for text in classes
    )
    table = rows(
        session,
        f"select list_position({classes}, {label}) - 1, {picked} "
        f"from ml.\"uncalibrated_m\"('(from t where held)')",
    )
    array = np.array(table, dtype=float)
    return array[:, 0].astype(int), array[:, 1:]


@pytest.mark.parametrize("method", ["PLATT", "ISOTONIC", "TEMPERATURE"])
def test_two_classes(pond, method):
    create(pond, "m", "logistic_reg", "y", f", l2_reg = 500.0, calibration_method = '{method}'")
    y, p = raw(pond, "y", ["no", "yes"])
    found = np.array(rows(pond, "select __score from ml.scores('m', '(from t where held)')"))[:, 0]
    if method == "PLATT":
        slope, intercept = platt(logits(p[:, 1]), y.astype(float))
        expected = special.expit(slope * logits(p[:, 1]) + intercept)
    elif method == "ISOTONIC":
        expected = np.interp(p[:, 1], *isotonic(p[:, 1], y.astype(float)))
    else:
        expected = special.softmax(np.log(p) / temperature(np.log(p), y), axis=1)[:, 1]
    assert found == approx(expected, rel=1e-9, abs=1e-12)
    # the heavy penalty made the scores timid; calibration makes up for it
    loss = {
        name: -np.mean(np.log(np.clip(np.where(y == 1, q, 1 - q), 1e-15, 1)))
        for name, q in (("before", p[:, 1]), ("after", found))
    }
    assert loss["after"] < loss["before"] - 0.01
    methods = rows(pond, "select distinct method from ml.calibration where model = 'm'")
    assert (method,) in methods


@pytest.mark.parametrize("method", ["PLATT", "ISOTONIC", "TEMPERATURE"])
def test_three_classes(pond, method):
    create(pond, "m", "logistic_reg", "c", f", calibration_method = '{method}'")
    _, p = raw(pond, "c", ["a", "b", "c"])
    table = rows(pond, "select predicted_c, predicted_c_probs from ml.predict('m', 't')")
    for predicted, probabilities in table:
        assert sum(e["prob"] for e in probabilities) == approx(1.0, rel=1e-12)
        assert predicted == max(probabilities, key=lambda e: e["prob"])["label"]
    assert p.shape == (1000, 3)


KINDS = {
    "flat": ("svm_classifier", ""),
    "round": ("svm_classifier", ", kernel = 'rbf', l2_reg = 10.0"),
    "waves": (
        "svm_classifier",
        ", kernel = 'rbf', svm_solver = 'random_features', num_random_features = 40",
    ),
}


@pytest.mark.parametrize("method", ["PLATT", "ISOTONIC", "TEMPERATURE"])
@pytest.mark.parametrize("name", KINDS)
def test_scores_of_a_support_vector_machine_become_probabilities(pond, name, method):
    """Platt's sigmoid is of the raw score, as scikit-learn's of decision_function."""
    kind, settings = KINDS[name]
    create(pond, "m", kind, "y", f"{settings}, calibration_method = '{method}'")
    table = rows(
        pond,
        "select (y = 'yes')::int, list_filter(predicted_y_scores, lambda e: e.label = 'yes')[1].score "
        "from ml.\"uncalibrated_m\"('(from t where held)')",
    )
    y, s = np.array(table).T
    found = np.array(
        rows(pond, "select predicted_y_probs[1].prob, predicted_y_probs[2].prob, predicted_y = 'yes' "
             "from ml.predict('m', '(from t where held)')")
    )  # fmt: skip
    if method == "PLATT":
        # scikit-learn: the same targets and loss, by BFGS to a gradient of 1e-5 or so a row
        a, b = _sigmoid_calibration(s, y)
        assert found[:, 0] == approx(special.expit(-(a * s + b)), abs=1e-3)
        slope, intercept = platt(s, y)
        expected = special.expit(slope * s + intercept)
    elif method == "ISOTONIC":
        expected = np.interp(s, *isotonic(s, y))
    else:
        pair = np.stack([-s, s], axis=1)
        expected = special.softmax(pair / temperature(pair, y.astype(int)), axis=1)[:, 1]
    assert found[:, 0] == approx(expected, rel=1e-9, abs=1e-12)
    assert found.sum(axis=1) - found[:, 2] == approx(np.ones(len(y)), rel=1e-12)
    assert (found[:, 2] == (found[:, 0] >= 0.5)).all()
    metrics = record(pond, "from ml.evaluate('m')")
    p = np.where(y == 1, found[:, 0], 1 - found[:, 0])
    tiny = np.finfo(float).eps
    assert metrics["log_loss"] == approx(-np.mean(np.log(np.maximum(p, tiny))), rel=1e-9)
    assert rows(pond, "from ml.predict('m', 't', threshold := 0.3) limit 1")
    assert rows(pond, "from ml.conformal('m', 't', method := 'adaptive') limit 1")
    assert rows(pond, "from ml.explain_predict('m', '(from t limit 2)')")
    assert rows(pond, "from ml.permutation_importance('m')")


@pytest.mark.parametrize("method", ["PLATT", "ISOTONIC", "TEMPERATURE"])
@pytest.mark.parametrize("kind", ["svm_classifier", "knn_classifier", "naive_bayes"])
def test_three_classes_of_other_models(pond, kind, method):
    settings = ", num_neighbors = 50" if kind == "knn_classifier" else ""
    create(pond, "m", kind, "c", f"{settings}, calibration_method = '{method}'")
    table = rows(pond, "select predicted_c, predicted_c_probs from ml.predict('m', 't')")
    for predicted, probabilities in table:
        assert [e["label"] for e in probabilities] == ["c", "b", "a"]
        assert sum(e["prob"] for e in probabilities) == approx(1.0, rel=1e-12)
        by_label = {e["label"]: e["prob"] for e in probabilities}
        assert by_label[predicted] == max(by_label.values())
    if kind == "svm_classifier" and method == "TEMPERATURE":
        return  # machines of a class against the rest, on scores of their own: no T makes them fit
    # better than the shares of the classes, which is what a model would give that is not stored yet
    n = rows(pond, "select count(*) from t where held group by c")
    shares = np.array([row[0] for row in n]) / 1000
    found = record(pond, "from ml.evaluate('m')")
    assert found["log_loss"] < -np.sum(shares * np.log(shares)) - 0.01


@pytest.mark.parametrize("method", ["PLATT", "ISOTONIC", "TEMPERATURE"])
def test_neighbours_are_calibrated(pond, method):
    create(pond, "m", "knn_classifier", "y", f", calibration_method = '{method}'")
    y, p = raw(pond, "y", ["no", "yes"])
    (found,) = np.array(
        rows(pond, "select predicted_y_probs[1].prob from ml.predict('m', '(from t where held)')")
    ).T
    if method == "PLATT":
        slope, intercept = platt(logits(p[:, 1]), y.astype(float))
        expected = special.expit(slope * logits(p[:, 1]) + intercept)
    elif method == "ISOTONIC":
        expected = np.interp(p[:, 1], *isotonic(p[:, 1], y.astype(float)))
    else:
        z = np.log(np.clip(p, 1e-15, 1))
        expected = special.softmax(z / temperature(z, y), axis=1)[:, 1]
    assert found == approx(expected, rel=1e-9, abs=1e-12)


def test_categories_that_are_looked_up_in_a_table_are_calibrated(pond):
    """From 2,000 categories on a score reads its weights from a table, which must be there."""
    pond.sql(
        "create or replace model m options (model_type = 'logistic_reg', l2_reg = 1.0, "
        "data_split_method = 'RANDOM', calibration_method = 'PLATT', input_label_cols = ['y']) "
        "as select 'k' || (i % 2500) as k, i as x, (i % 2500) % 2 = 0 as y from range(15000) r(i)"
    )
    assert record(pond, "from ml.evaluate('m')")["accuracy"] > 0.99


def test_it_needs_rows_held_out(pond):
    with pytest.raises(InputError, match="calibration_method needs rows"):
        pond.sql(
            "create model n options (model_type = 'logistic_reg', data_split_method = 'NO_SPLIT', "
            "input_label_cols = ['y'], calibration_method = 'PLATT') as select x, y from t"
        )


def test_intervals_hold_the_share_that_is_asked_for(pond):
    create(pond, "number", "linear_reg", "z")
    fresh = "(from t where not held)"
    for level in (0.5, 0.9):
        found = record(
            pond,
            "select avg((z between prediction_interval_lower_bound and "
            "prediction_interval_upper_bound)::int) as share, "
            "min(prediction_interval_upper_bound - predicted_z) as margin "
            f"from ml.conformal('number', '{fresh}', confidence_level := {level})",
        )
        errors = sorted(
            row[0]
            for row in rows(
                pond, "select abs(z - predicted_z) from ml.predict('number', '(from t where held)')"
            )
        )
        # Lei et al.: the ceil((n + 1) level)-th smallest error
        margin = errors[int(np.ceil(1001 * level)) - 1]
        assert found["margin"] == approx(margin, rel=1e-9)
        # two samples of 1000: four standard deviations of the difference of their shares
        assert found["share"] == approx(level, abs=4 * np.sqrt(2 * level * (1 - level) / 1000))


@pytest.mark.parametrize("method", ["threshold", "adaptive"])
def test_sets_hold_the_share_that_is_asked_for(pond, method):
    create(pond, "class", "logistic_reg", "c")
    found = record(
        pond,
        "select avg(list_contains(prediction_set, c)::int) as share, avg(len(prediction_set)) as n "
        "from ml.conformal('class', '(from t where not held)', confidence_level := 0.8, "
        f"method := '{method}')",
    )
    # adaptive sets are not randomised, so that they may hold more than asked for
    assert found["share"] > 0.8 - 4 * np.sqrt(2 * 0.16 / 1000)
    assert 1 <= found["n"] < 3


def test_bad_requests(pond):
    create(pond, "number", "linear_reg", "z")
    with pytest.raises(Exception, match="confidence_level is 1.5; it must lie between 0 and 1"):
        rows(pond, "from ml.conformal('number', 't', confidence_level := 1.5)")
    pond.sql(
        "create or replace model whole options (model_type = 'linear_reg', "
        "data_split_method = 'NO_SPLIT', input_label_cols = ['z']) as select x, z from t"
    )
    with pytest.raises(Exception, match="held out no rows; give rows"):
        rows(pond, "from ml.conformal('whole', 't')")
    (few,) = rows(
        pond,
        "select distinct prediction_interval_upper_bound "
        "from ml.conformal('whole', 't', calibration := '(from t limit 5)')",
    )
    assert few == (np.inf,)  # five rows cannot promise nine in ten
