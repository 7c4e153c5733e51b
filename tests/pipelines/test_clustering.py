"""The pipeline clustering: its numbers against scikit-learn's, and its rules, which can fail."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from pytest import approx
from sklearn import cluster, decomposition, metrics

import mlpond
from mlpond.pipelines.runner import RunFailedError, run_pipeline
from mlpond.session import Session

pytestmark = pytest.mark.slow  # a whole pipeline


@pytest.fixture(scope="module")
def ran() -> Iterator[Session]:
    """A session in which the pipeline has run."""
    with mlpond.connect() as pond:
        run_pipeline(pond, "clustering")
        yield pond


def matrix(pond: Session, query: str) -> np.ndarray:
    return np.column_stack(list(pond.con.execute(query).fetchnumpy().values()))


@pytest.fixture(scope="module")
def wines(ran: Session) -> np.ndarray:
    return matrix(
        ran, "select * exclude (wine_id, cultivar) from clustering.wines order by wine_id"
    )


def test_agreement_is_scikit_learns(ran):
    rows = ran.con.execute("from clustering.agreement").fetchall()
    assert len(rows) == 8
    for model, rand, information, n in rows:
        query = f"select cultivar, cluster from clustering.wine_clusters where model = '{model}'"
        if model.startswith("digit"):
            query = (
                f"select digit, cluster from clustering.digit_assignments where model = '{model}'"
            )
        truth, found = ran.con.execute(query).fetchnumpy().values()
        assert n == len(truth)
        # counts of pairs and sums of 30 logarithms
        assert rand == approx(metrics.adjusted_rand_score(truth, found), rel=1e-12)
        assert information == approx(metrics.normalized_mutual_info_score(truth, found), rel=1e-12)


def test_the_indices_are_scikit_learns(ran, wines):
    rows = ran.con.execute("from clustering.wine_choice").fetchall()
    for k, _, silhouette, davies_bouldin, calinski_harabasz in rows:
        labels = matrix(
            ran,
            f"select cluster from clustering.wine_clusters where model = 'wine_{k}' order by wine_id",
        ).ravel()
        # distances of 13 terms of order 1
        assert silhouette == approx(metrics.silhouette_score(wines, labels), rel=1e-10)
        assert davies_bouldin == approx(metrics.davies_bouldin_score(wines, labels), rel=1e-10)
        assert calinski_harabasz == approx(
            metrics.calinski_harabasz_score(wines, labels), rel=1e-10
        )


def test_clusters_are_as_near_as_scikit_learns(ran, wines):
    for k, distance in ran.con.execute(
        "select num_clusters, mean_squared_distance from clustering.wine_choice"
    ).fetchall():
        best = cluster.KMeans(k, n_init=10, random_state=0).fit(wines).inertia_
        # ours may be better; 1e-9 is rounding of 178 terms
        assert distance * len(wines) <= best * (1 + 1e-9)
    pixels = matrix(ran, "select * exclude (image_id, digit) from digits order by image_id")
    labels = matrix(
        ran,
        "select cluster from clustering.digit_assignments where model = 'digit_clusters' "
        "order by image_id",
    ).ravel()
    inertia = sum(
        ((pixels[labels == c] - pixels[labels == c].mean(0)) ** 2).sum() for c in range(1, 11)
    )
    best = cluster.KMeans(10, n_init=4, random_state=0).fit(pixels).inertia_
    # both end in a valley near the lowest known one
    assert inertia <= best * 1.005


def test_the_components_are_scikit_learns(ran, wines):
    expected = decomposition.PCA().fit(wines)
    rows = ran.con.execute("select eigenvalue from clustering.wine_variance").fetchall()
    # eigenvalues of a matrix of 13 x 13 of order 1
    np.testing.assert_allclose([row[0] for row in rows], expected.explained_variance_, rtol=1e-10)
    found = matrix(
        ran,
        "select principal_component_1, principal_component_2 from clustering.wine_map "
        "order by wine_id",
    )
    # a component and its negative are the same
    np.testing.assert_allclose(abs(found), abs(expected.transform(wines)[:, :2]), atol=1e-9)


def test_clusters_that_agree_too_little_fail_the_run(ran):
    with pytest.raises(RunFailedError, match="agree with the cultivars"):
        run_pipeline(
            ran, "clustering", params={"min_agreement_wine": 0.95},
            select="clusters_agree_with_the_truth",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("everyone_is_in_one_cluster", "wine_clusters set cluster = 1 where model = 'wine_4' and cluster = 4"),
        ("more_clusters_are_nearer", "wine_choice set mean_squared_distance = 8 where num_clusters = 4"),
        ("components_keep_the_variance", "wine_variance set eigenvalue = 5 where component = 1"),
        ("the_indices_find_three", "wine_choice set silhouette = 0.9 where num_clusters = 5"),
    ],
)  # fmt: skip
def test_a_check_finds_what_is_wrong(ran, broken_by, check, change):
    assert broken_by(ran, "clustering", check, change) > 0


def test_the_report_has_its_charts(ran, tmp_path):
    done = ran.write_report("clustering", tmp_path / "report.html")
    assert (done.charts, done.path.stat().st_size > 50_000) == (4, True)
