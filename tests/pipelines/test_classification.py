"""The pipeline classification: its numbers against scikit-learn's, and its rules, which can fail."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from pytest import approx
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

import mlpond
from mlpond.pipelines.runner import RunFailedError, run_pipeline
from mlpond.session import Session

pytestmark = pytest.mark.slow  # a whole pipeline


@pytest.fixture(scope="module")
def ran() -> Iterator[Session]:
    """A session in which the pipeline has run."""
    with mlpond.connect() as pond:
        run_pipeline(pond, "classification")
        yield pond


def scores(pond: Session, model: str) -> tuple[np.ndarray, np.ndarray]:
    columns = pond.con.execute(
        "select is_malignant, probability from classification.tumour_scores "
        "where part = 'test' and model = ? order by sample_id",
        [model],
    ).fetchnumpy()
    return columns["is_malignant"], columns["probability"]


def test_the_metrics_are_scikit_learns(ran):
    rows = ran.con.execute(
        "select model, accuracy, precision, recall, matthews_correlation, roc_auc, log_loss, "
        "brier_score from classification.evaluation"
    ).fetchall()
    assert len(rows) == 5
    for model, *found in rows:
        y, p = scores(ran, model)
        called = p >= 0.5
        # sums of 171 terms of order 1
        assert found == approx([
            metrics.accuracy_score(y, called), metrics.precision_score(y, called),
            metrics.recall_score(y, called), metrics.matthews_corrcoef(y, called),
            metrics.roc_auc_score(y, p), metrics.log_loss(y, p), metrics.brier_score_loss(y, p),
        ], rel=1e-12)  # fmt: skip


def test_the_model_is_scikit_learns(ran):
    training = ran.con.execute(
        "select columns('_worst'), diagnosis = 'malignant' as y from classification.tumours "
        "where part = 'training'"
    ).fetchnumpy()
    y = training.pop("y")
    scaler = StandardScaler().fit(np.column_stack(list(training.values())))
    model = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000)
    model.fit(scaler.transform(np.column_stack(list(training.values()))), y)
    test = ran.con.execute(
        "select columns('_worst') from classification.tumours where part = 'test' order by sample_id"
    ).fetchnumpy()
    expected = model.predict_proba(scaler.transform(np.column_stack(list(test.values()))))[:, 1]
    # both stop where the loss no longer falls, a few 1e-6 from the optimum in the weights; and our
    # scaler divides by the standard deviation of a sample, by n - 1: 0.2 % of a weight's penalty
    np.testing.assert_allclose(scores(ran, "malignant")[1], expected, atol=2e-3)


def test_the_thresholds_cost_what_they_cost(ran):
    y, p = scores(ran, "malignant")
    rows = ran.con.execute(
        "select rule, threshold, total_cost from classification.threshold_costs"
    ).fetchall()
    costs = {t: np.sum((p >= t) & ~y) + 20 * np.sum((p < t) & y) for t in [*p, 2.0]}
    for rule, threshold, total_cost in rows:
        assert total_cost == np.sum((p >= threshold) & ~y) + 20 * np.sum((p < threshold) & y)
        if rule == "least cost in hindsight":
            assert total_cost == min(costs.values())
    assert {row[0]: row[1] for row in rows}["ratio of the costs"] == approx(1 / 21, rel=1e-15)


def test_the_species_report_is_scikit_learns(ran):
    columns = ran.con.execute(
        "select species, predicted_species from classification.species_predictions"
    ).fetchnumpy()
    expected = metrics.classification_report(*columns.values(), output_dict=True)
    rows = ran.con.execute(
        "select class, precision, recall, f_score, support from classification.species_report "
        "where class is not null"
    ).fetchall()
    assert len(rows) == 3
    for name, *found in rows:
        assert found == approx(list(expected[name].values()), rel=1e-14)


def test_a_model_that_is_wrong_too_often_fails_the_run(ran):
    with pytest.raises(RunFailedError, match=r"Each model is right on at least min_accuracy"):
        run_pipeline(
            ran, "classification", params={"min_accuracy": 0.999},
            select="models_are_right_often_enough",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("scores_are_probabilities", "tumour_scores set probability = 1.5 where sample_id in (select max(sample_id) from classification.tumour_scores)"),
        ("counts_add_up", "tumour_confusion set n = n + 1"),
        ("attributions_add_up", "reasons set baseline = baseline + 0.1"),
        ("parts_are_stratified", "tumours set part = 'test' where sample_id < 20"),
        ("calibration_mends_the_probabilities", "evaluation set log_loss = 1 where model = 'malignant_platt'"),
        ("hindsight_is_cheapest", "threshold_costs set total_cost = 0 where rule = 'one half'"),
    ],
)  # fmt: skip
def test_a_check_finds_what_is_wrong(ran, broken_by, check, change):
    assert broken_by(ran, "classification", check, change) > 0


def test_the_report_has_its_charts(ran, tmp_path):
    done = ran.write_report("classification", tmp_path / "report.html")
    assert (done.charts, done.path.stat().st_size > 50_000) == (5, True)
