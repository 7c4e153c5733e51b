"""Neighbours against scikit-learn's distances, and their laws."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from sklearn.metrics import pairwise_distances
from sklearn.metrics.pairwise import cosine_similarity

from tests.sql.recommend.conftest import ITEMS

ALL = "neighbours := null"


def marked(matrix, method):
    """What the similarity looks at, users by items; 0 where there is no rating."""
    if method == "adjusted_cosine":
        matrix = matrix - np.nanmean(matrix, axis=1, keepdims=True)
    return np.nan_to_num(matrix)


def expected(matrix, method, side):
    rated = ~np.isnan(matrix)
    if method == "jaccard":
        rated = rated.T if side == "item" else rated
        return 1 - pairwise_distances(rated, metric="jaccard")
    X = marked(matrix, method)
    return cosine_similarity(X.T if side == "item" else X)


def number(name):
    return int(str(name).lstrip("i")) - (0 if str(name).startswith("i") else 1)


@pytest.mark.parametrize("side", ["item", "user"])
@pytest.mark.parametrize("method", ["cosine", "adjusted_cosine", "jaccard"])
def test_similarities_are_scikit_learns(con, matrix, side, method):
    rows = con.execute(
        f"from ml.{side}_neighbours('ratings', 'user_name', 'item', 'stars', method := '{method}', {ALL})"
    ).fetchall()
    want = expected(matrix, method, side)
    rated = ~np.isnan(matrix)
    common = rated.T.astype(int) @ rated if side == "item" else rated.astype(int) @ rated.T
    length = np.linalg.norm(marked(matrix, method), axis=0 if side == "item" else 1)
    defined = method == "jaccard" or (length[:, None] * length > 0)
    pairs = (common > 0) & ~np.eye(len(want), dtype=bool) & defined
    assert len(rows) == pairs.sum()
    for one, another, similarity, n_common, rank in rows:
        a, b = number(one), number(another)
        # sums of 25 products of whole numbers; of differences from a mean, each with an error
        assert similarity == pytest.approx(want[a, b], rel=1e-12, abs=1e-14)
        assert n_common == common[a, b]
        assert 1 <= rank < len(want)


def test_neighbours_are_ranked_and_shrunk(con, matrix):
    every = "from ml.item_neighbours('ratings', 'user_name', 'item', 'stars', {})"
    plain = con.execute(every.format(ALL)).fetchall()
    similarity = {row[:2]: row[2:4] for row in plain}
    assert all(similarity[b, a] == found for (a, b), found in similarity.items())
    shrunk = con.execute(every.format(f"{ALL}, shrinkage := 5")).fetchall()
    for a, b, found, n, _ in shrunk:
        assert found == pytest.approx(similarity[a, b][0] * n / (n + 5), rel=1e-14)
    best = con.execute(every.format("neighbours := 3")).fetchall()
    assert len(best) == 3 * ITEMS
    by_item = {}
    for a, _, found, _, rank in best:
        by_item.setdefault(a, []).append((found, rank))
        assert rank == len(by_item[a])
    for a, found in by_item.items():
        expected_best = sorted((s for (x, _), (s, _) in similarity.items() if x == a), reverse=True)
        assert [s for s, _ in found] == expected_best[:3]
    many = con.execute(every.format(f"{ALL}, min_common := 6")).fetchall()
    assert {row[:2] for row in many} == {row[:2] for row in plain if row[3] >= 6}


def test_without_ratings_every_row_counts_one(con, matrix):
    rows = con.execute(
        f"from ml.item_neighbours('(from ratings where isfinite(stars))', 'user_name', 'item', {ALL})"
    ).fetchall()
    want = cosine_similarity((~np.isnan(matrix)).T.astype(float))
    assert all(
        row[2] == pytest.approx(want[number(row[0]), number(row[1])], rel=1e-13) for row in rows
    )


def test_thin_data_give_no_neighbours(con):
    call = "from ml.{}_neighbours('(select * from (values {}) as t(u, i, r))', 'u', 'i', 'r')"
    assert con.execute(call.format("item", "(1, 1, 3)")).fetchall() == []
    assert con.execute(call.format("user", "(1, 1, 3), (1, 2, 3)")).fetchall() == []
    assert con.execute(call.format("item", "(1, 1, 0), (1, 2, 3)")).fetchall() == []  # no length
    assert con.execute(call.format("item", "(1, 1, 2), (1, 2, 3)")).fetchall() == [
        (1, 2, 1.0, 1, 1), (2, 1, 1.0, 1, 1),
    ]  # fmt: skip
    with pytest.raises(duckdb.Error, match="method is euclid; it must be one of cosine"):
        con.execute(
            "from ml.item_neighbours('(select 1 as u, 1 as i)', 'u', 'i', method := 'euclid')"
        )
