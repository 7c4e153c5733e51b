"""Indices of clusterings against scikit-learn."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from sklearn import metrics

from tests.sql.ranks.samples import record, records


@pytest.fixture(scope="module")
def points(data):
    return np.column_stack([data.label, data.score, data.other])


CALL = "'t', ['label', 'score', 'other'], 'k'"


def test_indices_agree_with_scikit_learn(rows, data, points):
    found = record(rows, f"from ml.davies_bouldin({CALL})")
    assert found["davies_bouldin_index"] == approx(
        metrics.davies_bouldin_score(points, data.k), rel=1e-12
    )
    found = record(rows, f"from ml.calinski_harabasz({CALL})")
    assert found["calinski_harabasz_index"] == approx(
        metrics.calinski_harabasz_score(points, data.k), rel=1e-12
    )
    table = records(rows, f"from ml.silhouette({CALL})")
    widths = metrics.silhouette_samples(points, data.k)
    for row in table[:4]:
        assert row["silhouette"] == approx(widths[data.k == int(row["cluster"])].mean(), rel=1e-12)
    assert table[4]["silhouette"] == approx(widths.mean(), rel=1e-12)
    assert (table[4]["n"], table[4]["method"]) == (400, "exact")


def test_rms_radius_is_that_of_bigquery(rows, data, points):
    found = record(rows, f"from ml.davies_bouldin({CALL}, radius := 'rms')")
    centroids = np.array([points[data.k == k].mean(axis=0) for k in range(4)])
    radii = [
        np.sqrt(((points[data.k == k] - centroids[k]) ** 2).sum(axis=1).mean()) for k in range(4)
    ]
    worst = [
        max(
            (radii[a] + radii[b]) / np.linalg.norm(centroids[a] - centroids[b])
            for b in range(4)
            if b != a
        )
        for a in range(4)
    ]
    assert found["davies_bouldin_index"] == approx(np.mean(worst), rel=1e-12)


def test_other_silhouettes(rows, data, points):
    whole = records(rows, f"from ml.silhouette({CALL})")[-1]["silhouette"]
    sampled = records(rows, f"from ml.silhouette({CALL}, max_rows := 200)")
    assert sampled[-1]["method"] == "sampled"
    assert sampled[-1]["n"] == 200
    # the width of a row has a standard deviation near 0.15; three standard errors of 200 rows
    assert sampled[-1]["silhouette"] == approx(whole, abs=3 * 0.15 / np.sqrt(200))
    again = records(
        rows,
        "from ml.silhouette('(from t order by i)', ['label', 'score', 'other'], 'k', max_rows := 200)",
    )
    assert len(again) == len(sampled)
    for one, other in zip(again, sampled, strict=True):  # sums depend on the order of rows
        assert one == other | {"silhouette": approx(other["silhouette"], rel=1e-12)}
    simple = records(rows, f"from ml.silhouette({CALL}, method := 'simplified')")
    centroids = np.array([points[data.k == k].mean(axis=0) for k in range(4)])
    d = np.linalg.norm(points[:, None] - centroids[None], axis=2)
    a = d[np.arange(400), data.k]
    d[np.arange(400), data.k] = np.inf
    b = d.min(axis=1)
    assert simple[-1]["silhouette"] == approx(np.mean((b - a) / np.maximum(a, b)), rel=1e-12)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2, max_size=30))
@settings(deadline=None, max_examples=20)
def test_agreement_of_groupings(con, pairs):
    values = ", ".join(f"({a}, {b})" for a, b in pairs)
    source = f"'(select * from (values {values}) as t(a, b))', 'a', 'b'"
    a, b = zip(*pairs, strict=True)
    rand = record(con, f"from ml.adjusted_rand({source})")
    assert rand["adjusted_rand"] == approx(metrics.adjusted_rand_score(a, b), rel=1e-12, abs=1e-14)
    assert rand["rand_index"] == approx(metrics.rand_score(a, b), rel=1e-12)
    for average in ("arithmetic", "geometric", "min", "max"):
        row = record(
            con, f"from ml.normalized_mutual_information({source}, average := '{average}')"
        )
        expected = metrics.normalized_mutual_info_score(a, b, average_method=average)
        # information is a difference of logarithms near 1, so its rounding is absolute
        assert row["normalized_mutual_information"] == approx(expected, rel=1e-12, abs=1e-13)
    assert row["homogeneity"] == approx(metrics.homogeneity_score(a, b), rel=1e-12, abs=1e-13)
    assert row["completeness"] == approx(metrics.completeness_score(a, b), rel=1e-12, abs=1e-13)


def test_options_are_checked(rows):
    with pytest.raises(duckdb.Error, match="method is 'fast'; accepted are"):
        records(rows, f"from ml.silhouette({CALL}, method := 'fast')")
    with pytest.raises(duckdb.Error, match="max_rows is 1; it must be at least 2"):
        records(rows, f"from ml.silhouette({CALL}, max_rows := 1)")
    with pytest.raises(duckdb.Error, match="radius is 'max'; accepted are 'mean' and 'rms'"):
        records(rows, f"from ml.davies_bouldin({CALL}, radius := 'max')")


def test_thin_data(con):
    one = "'(select i as x, 1 as c from range(4) r(i))', ['x'], 'c'"
    assert record(con, f"from ml.davies_bouldin({one})")["davies_bouldin_index"] is None
    assert record(con, f"from ml.calinski_harabasz({one})")["calinski_harabasz_index"] is None
    assert [row["silhouette"] for row in records(con, f"from ml.silhouette({one})")] == [None, None]
    alone = "'(select i as x, i as c from range(3) r(i))', ['x'], 'c'"
    assert [row["silhouette"] for row in records(con, f"from ml.silhouette({alone})")] == [0] * 4
    same = "'(select 5 as x, i % 2 as c from range(6) r(i))', ['x'], 'c'"
    assert records(con, f"from ml.silhouette({same})")[-1]["silhouette"] == 0
    holes = "'(select case when i > 4 then ''nan''::double else i end as x, i % 2 as c from range(6) r(i))', ['x'], 'c'"
    row = record(con, f"from ml.calinski_harabasz({holes})")
    assert (row["n"], row["n_missing"]) == (5, 1)
    empty = "'(select 1 as x, 1 as c where false)', ['x'], 'c'"
    for function in ("davies_bouldin", "calinski_harabasz"):
        assert con.execute(f"from ml.{function}({empty})").fetchall()[0][0] is None
