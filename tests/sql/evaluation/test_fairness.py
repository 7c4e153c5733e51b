"""Rates by group: scikit-learn's, group by group; and their differences."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from pytest import approx
from sklearn.metrics import confusion_matrix, precision_score, recall_score

RATES = ("selection_rate", "true_positive_rate", "false_positive_rate", "precision")


def fairness(con: duckdb.DuckDBPyConnection, arguments: str, source: str = "t") -> dict:
    cursor = con.execute(f"from ml.fairness('{source}', {arguments})")
    names = [column[0] for column in cursor.description]
    return {row[0]: dict(zip(names, row, strict=True)) for row in cursor.fetchall()}


@pytest.mark.parametrize("weighted", [False, True])
def test_rates_are_scikit_learns(rows, data, weighted):
    extra = ", weight := 'w'" if weighted else ""
    found = fairness(rows, f"'y', 'called', 'k', probability := 'p'{extra}")
    assert list(found) == [str(max(range(4), key=lambda k: _weight(data, k, weighted)))] + [
        name for name in "0123" if name != next(iter(found))
    ]
    for k in range(4):
        use = data.k == k
        y, called, p = data.y[use], data.called[use], data.p[use]
        w = data.w[use] if weighted else np.ones(use.sum())
        tn, fp, _, _ = confusion_matrix(y, called, sample_weight=w).ravel()
        row = found[str(k)]
        # sums of 100 terms of order 1
        assert [row[rate] for rate in RATES] == approx([
            np.average(called, weights=w), recall_score(y, called, sample_weight=w),
            fp / (tn + fp), precision_score(y, called, sample_weight=w),
        ], rel=1e-12)  # fmt: skip
        assert row["calibration_gap"] == approx(np.average(p - y, weights=w), abs=1e-14)
        assert (row["n"], row["n_missing"]) == (approx(w.sum(), rel=1e-14), 0)


def _weight(data, k: int, weighted: bool) -> float:
    return (data.w[data.k == k] if weighted else np.ones(np.sum(data.k == k))).sum()


def test_differences_and_ratios_are_to_the_reference(rows):
    found = fairness(rows, "'y', 'called', 'k', reference := '2'")
    base = found["2"]
    assert [row["is_reference"] for row in found.values()] == [True, False, False, False]
    for row in found.values():
        for rate in RATES:
            assert row[f"{rate}_difference"] == approx(row[rate] - base[rate], abs=1e-15)
            assert row[f"{rate}_ratio"] == approx(row[rate] / base[rate], rel=1e-14)
        # without probabilities the gap is that of the decisions
        assert row["calibration_gap"] == approx(row["selection_rate"] - row["positive_rate"])


@pytest.mark.parametrize(
    ("columns", "extra"),
    [
        ("if(y, 'yes', 'no') as y, if(called, 'yes', 'no') as called", ""),
        ("if(y, 'yes', 'no') as y, called", ""),
        ("y::int as y, called::int as called", ""),
        ("y, called::int as called", ""),
        ("if(y, 'b', 'c') as y, if(called, 'b', 'c') as called", ", positive := 'b'"),
    ],
)
def test_labels_of_any_type(rows, columns, extra):
    expected = fairness(rows, "'y', 'called', 'k'")
    source = f"(select {columns}, k from t)".replace("'", "''")
    assert fairness(rows, f"'y', 'called', 'k'{extra}", source) == expected


def test_what_is_not_known_is_counted(con):
    values = (
        "(true, true, 'a'), (false, null, 'a'), (null, true, 'b'), (false, false, null), "
        "(true, false, null), (true, true, null)"
    )
    found = fairness(
        con, "'y', 'p', 'g'", f"(from (values {values}) as v(y, p, g))".replace("'", "''")
    )
    # the group that is not known has most rows, and is no reference unless there is no other
    assert list(found) == ["a", "b", None]
    assert [(row["n"], row["n_missing"]) for row in found.values()] == [(1, 1), (0, 1), (3, 0)]
    assert found["b"]["selection_rate"] is None
    assert found["a"]["false_positive_rate"] is None
    assert found[None]["true_positive_rate"] == 0.5
    assert found[None]["true_positive_rate_ratio"] == 0.5


def test_a_source_may_be_called_as_a_part_of_the_query(rows):
    expected = fairness(rows, "'y', 'called', 'k', probability := 'p'")
    for name in ("scored", "given", "classes", "called", "profiles", "chosen"):
        rows.execute(f"create or replace temp table {name} as from t")
        assert (
            fairness(rows, "'y', 'called', 'k', probability := 'p'", f"(from {name})") == expected
        )
        rows.execute(f"drop table {name}")


def test_no_rows(con):
    assert fairness(con, "'y', 'y', 'y'", "(select true as y limit 0)") == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("'y', 'called', 'k', reference := '7'", r"reference is 7; the groups are 0, 1, 2, 3"),
        ("'k', 'k', 'y'", r"the label column has 4 values \(0, 1, 2, 3\); name one of them"),
        ("'y', 'called', 'k', probability := 'score'", r"a probability is .*; it must lie in"),
    ],
)
def test_errors(rows, arguments, message):
    with pytest.raises(duckdb.InvalidInputException, match=rf"ml.fairness: .*{message}"):
        fairness(rows, arguments)
