"""Metrics of yes-or-no predictions against scikit-learn."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from sklearn import metrics

CLASSES = {
    "accuracy": metrics.accuracy_score,
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
    "f_score": metrics.f1_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "matthews_correlation": metrics.matthews_corrcoef,
    "cohen_kappa": metrics.cohen_kappa_score,
}
PROBABILITIES = {"log_loss": metrics.log_loss, "brier_score": metrics.brier_score_loss}


def one(con, query):
    return con.execute(query).fetchall()[0][0]


# sums of 400 numbers, and differences of such sums: 1e-12 is asked for, rounding is 1e-14
@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("weight", ["", ", weight := w"])
def test_classes_agree_with_scikit_learn(rows, data, name, weight):
    weights = data.w if weight else None
    expected = CLASSES[name](data.y, data.called, sample_weight=weights)
    assert one(rows, f"select ml.{name}(y, called{weight}) from t") == approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", PROBABILITIES)
@pytest.mark.parametrize("weight", ["", ", weight := w"])
def test_probabilities_agree_with_scikit_learn(rows, data, name, weight):
    expected = PROBABILITIES[name](data.y, data.p, sample_weight=data.w if weight else None)
    assert one(rows, f"select ml.{name}(y, p{weight}) from t") == approx(expected, rel=1e-12)


def test_beta_and_specificity(rows, data):
    expected = metrics.fbeta_score(data.y, data.called, beta=2.5)
    found = one(rows, "select ml.f_score(y, called, beta := 2.5) from t")
    assert found == approx(expected, rel=1e-12)
    expected = metrics.recall_score(~data.y, ~data.called)
    assert one(rows, "select ml.specificity(y, called) from t") == approx(expected, rel=1e-12)


def test_groups_and_integer_labels(rows, data):
    found = dict(
        rows.execute("select k, ml.recall(y::int, called::int) from t group by k").fetchall()
    )
    for k in range(4):
        mask = data.k == k
        expected = metrics.recall_score(data.y[mask], data.called[mask])
        assert found[k] == approx(expected, rel=1e-12)


def test_rows_that_know_less_are_left_out(rows):
    both = "ml.log_loss(y, p), ml.brier_score(y, p), ml.recall(y, score > 0.4)"
    (expected,) = rows.execute(f"select {both} from t").fetchall()
    # NaN is greater than any number, so `score > 0.4` knows an answer for it
    (found,) = rows.execute(f"select {both} from holes where not isnan(score)").fetchall()
    assert found == approx(expected, rel=1e-13)
    assert one(rows, "select ml.log_loss(y, p) from holes") == approx(expected[0], rel=1e-13)


@pytest.mark.parametrize(
    "name", [*CLASSES, "specificity", "roc_auc_score", "log_loss", "brier_score"]
)
def test_no_rows_give_null(con, name):
    assert one(con, f"select ml.{name}(y, p) from (select true as y, 1 as p) where false") is None


def test_what_the_data_cannot_support_is_null(con):
    values = "(values (true, false), (true, false)) as t(y, x)"
    found = con.execute(
        "select ml.precision(y, x), ml.recall(y, x), ml.specificity(y, x), ml.f_score(y, x), "
        f"ml.balanced_accuracy(y, x), ml.matthews_correlation(y, x), ml.accuracy(y, x) from {values}"
    ).fetchall()[0]
    assert found == (None, 0, None, 0, None, None, 0)


@pytest.mark.parametrize(
    "call, message",
    [
        ("ml.recall(y, called, weight := -1)", "a weight is -1"),
        ("ml.accuracy(y, called, weight := -1)", "a weight is -1"),
        ("ml.log_loss(y, p + 1)", "ml.log_loss: a probability is 1.*must lie in"),
        ("ml.brier_score(y, p - 1)", "ml.brier_score: a probability is -"),
        ("ml.f_score(y, called, beta := -1)", "ml.f_score: beta is -1; it must be 0 or more"),
    ],
)
def test_bad_arguments_are_refused(rows, call, message):
    with pytest.raises(duckdb.Error, match=message):
        rows.execute(f"select {call} from t").fetchall()


def test_certain_and_wrong_is_a_large_finite_loss(con):
    found = one(con, "select ml.log_loss(y, p) from (values (true, 0), (false, 1.0)) as t(y, p)")
    assert found == approx(-np.log(np.finfo(float).eps), rel=1e-15)


@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=30))
@settings(deadline=None, max_examples=20)
def test_area_of_reversed_scores_is_the_rest(con, pairs):
    values = ", ".join(f"({y}, {s})" for y, s in pairs)
    a, b, c = con.execute(
        "select ml.roc_auc_score(y, s), ml.roc_auc_score(y, -s), ml.roc_auc_score(not y, s) "
        f"from (values {values}) as t(y, s)"
    ).fetchall()[0]
    if len({y for y, _ in pairs}) < 2:
        assert (a, b, c) == (None, None, None)
    else:
        assert a == approx(metrics.roc_auc_score(*zip(*pairs, strict=True)), rel=1e-14, abs=1e-15)
        assert (1 - a, 1 - a) == approx((b, c), abs=1e-14)
