"""Reports of many classes against scikit-learn."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from pytest import approx
from sklearn import metrics

from tests.sql.ranks.samples import record, records


@pytest.mark.parametrize("beta", [1, 0.5])
@pytest.mark.parametrize("weight", ["", ", weight := 'w'"])
def test_report_agrees_with_scikit_learn(rows, data, beta, weight):
    w = data.w if weight else None
    table = records(rows, f"from ml.classification_report('t', 'k', 'g', beta := {beta}{weight})")
    expected = metrics.precision_recall_fscore_support(
        data.k, data.g, beta=beta, sample_weight=w, zero_division=0
    )
    found = [
        [row[name] or 0 for row in table[:5]]
        for name in ("precision", "recall", "f_score", "support")
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert [row["class"] for row in table[:5]] == ["0", "1", "2", "3", "4"]
    assert table[4]["recall"] is None  # class 4 never happens
    for row in table[5:]:
        expected = metrics.precision_recall_fscore_support(
            data.k, data.g, beta=beta, sample_weight=w, zero_division=0, average=row["average"]
        )
        assert [row[name] for name in ("precision", "recall", "f_score")] == approx(
            expected[:3], rel=1e-12
        )


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.parametrize("weight", ["", ", weight := 'w'"])
def test_metrics_agree_with_scikit_learn(rows, data, weight):
    w = data.w if weight else None
    row = record(rows, f"from ml.classification_metrics('t', 'k', 'g'{weight})")
    expected = {
        "accuracy": metrics.accuracy_score(data.k, data.g, sample_weight=w),
        "balanced_accuracy": metrics.balanced_accuracy_score(data.k, data.g, sample_weight=w),
        "f1_score": metrics.f1_score(data.k, data.g, average="macro", sample_weight=w),
        "matthews_correlation": metrics.matthews_corrcoef(data.k, data.g, sample_weight=w),
        "cohen_kappa": metrics.cohen_kappa_score(data.k, data.g, sample_weight=w),
    }
    for name, value in expected.items():
        assert row[name] == approx(value, rel=1e-12), name
    assert row["n_classes"] == 5


def test_confusion_table(rows, data):
    table = records(rows, "from ml.confusion_table('t', 'k', 'g', weight := 'w')")
    expected = metrics.confusion_matrix(data.k, data.g, sample_weight=data.w)
    found = np.array([row["n"] for row in table]).reshape(5, 5)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    shares = np.array([row["share_of_expected"] or 0 for row in table]).reshape(5, 5)
    np.testing.assert_allclose(shares[:4].sum(axis=1), 1, rtol=1e-12)


def test_text_and_numbers_are_compared_as_text(rows):
    row = record(
        rows, "from ml.classification_metrics('(select k, k::varchar as text from t)', 'k', 'text')"
    )
    found = (row["accuracy"], row["cohen_kappa"], row["matthews_correlation"])
    assert found == approx((1, 1, 1), rel=1e-14)  # a square root and a product of two


def test_one_class_and_nothing(con):
    source = "(select ''a'' as y, ''a'' as p from range(3))"
    row = record(con, f"from ml.classification_metrics('{source}', 'y', 'p')")
    assert (row["accuracy"], row["cohen_kappa"], row["matthews_correlation"]) == (1, None, None)
    source = "(select null as y, ''a'' as p from range(3))"
    row = record(con, f"from ml.classification_metrics('{source}', 'y', 'p')")
    assert (row["accuracy"], row["n"], row["n_missing"], row["n_classes"]) == (None, 0, 3, 0)
    assert con.execute(f"from ml.confusion_table('{source}', 'y', 'p')").fetchall() == []
    with pytest.raises(duckdb.Error, match="weight is -1"):
        con.execute(
            "from ml.classification_report('(select 1 as y, 1 as p, -1 as w)', 'y', 'p', weight := 'w')"
        ).fetchall()
