"""Recommendations in plain SQL against their formulas written as matrices."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

from tests.sql.recommend.conftest import ITEMS, USERS
from tests.sql.recommend.test_neighbours import marked, number


def nearest(similarity, k):
    """Only the k greatest positive similarities of every row."""
    kept = np.zeros_like(similarity)
    np.fill_diagonal(similarity := similarity.copy(), -np.inf)
    for row, order in enumerate(np.argsort(-similarity, axis=1, kind="stable")):
        for column in order[:k]:
            kept[row, column] = max(similarity[row, column], 0)
    return kept


def check(rows, scores, rated, allowed):
    """Scores are those of a matrix, of pairs that are not rated, in order."""
    found = {}
    for user, item, score, rank in rows:
        u, i = number(user), number(item)
        assert not rated[u, i]
        assert score == pytest.approx(scores[u, i], rel=1e-11, abs=1e-12)
        found.setdefault(u, []).append(score)
        assert rank == len(found[u])
    for got in found.values():
        assert got == sorted(got, reverse=True)
    assert len(rows) == (allowed & ~rated).sum()


@pytest.mark.parametrize("method", ["cosine", "adjusted_cosine"])
def test_by_items_and_by_users(con, matrix, method):
    rated = ~np.isnan(matrix)
    X = marked(matrix, method)
    with np.errstate(invalid="ignore"):
        by_item = nearest(cosine_similarity(X.T), 4)
        by_user = nearest(cosine_similarity(X), 4)
    options = f"method := '{method}', neighbours := 4, shrinkage := 0, top_n := null"
    call = f"from ml.recommend_by_{{}}('ratings', 'user_name', 'item', 'stars', {options})"
    rows = con.execute(call.format("items")).fetchall()
    check(rows, X @ by_item.T, rated, (rated @ (by_item > 0).T) > 0)
    rows = con.execute(call.format("users")).fetchall()
    check(rows, by_user @ X, rated, ((by_user > 0).astype(int) @ rated) > 0)
    best = con.execute(call.format("items").replace("top_n := null", "top_n := 2")).fetchall()
    assert max(row[3] for row in best) == 2


def test_by_popularity(con, matrix):
    rated = ~np.isnan(matrix)
    everywhere = np.ones_like(rated)
    call = (
        "from ml.recommend_by_popularity('ratings', 'user_name', 'item', 'stars', top_n := null{})"
    )
    counts = np.broadcast_to(rated.sum(axis=0).astype(float), rated.shape)
    check(con.execute(call.format("")).fetchall(), counts, rated, everywhere)
    mean, n = np.nanmean(matrix), rated.sum(axis=0)
    damped = np.broadcast_to((np.nansum(matrix, axis=0) + 3 * mean) / (n + 3), rated.shape)
    rows = con.execute(call.format(", method := 'mean', shrinkage := 3")).fetchall()
    check(rows, damped, rated, everywhere)
    with pytest.raises(duckdb.Error, match="method is best; it must be count or mean"):
        con.execute(call.format(", method := 'best'"))


def test_popular_items(con, matrix):
    rated = ~np.isnan(matrix)
    rows = con.execute(
        "from ml.popular_items('(from ratings where user_name is not null and isfinite(stars) and "
        "user_name <> 7 union select * from ratings where user_name = 7)', 'item', 'stars', shrinkage := 2)"
    ).fetchall()
    mean = np.nanmean(matrix)
    for item, n, mean_rating, damped, _ in rows:
        column = matrix[:, number(item)]
        assert n == rated[:, number(item)].sum()
        assert mean_rating == pytest.approx(np.nanmean(column), rel=1e-14)
        assert damped == pytest.approx((np.nansum(column) + 2 * mean) / (n + 2), rel=1e-14)
    assert [row[4] for row in rows] == list(range(1, ITEMS + 1))
    assert [row[1] for row in rows] == sorted((row[1] for row in rows), reverse=True)
    # without ratings there is only a count
    assert con.execute("from ml.popular_items('(select 1 as i)', 'i')").fetchall() == [
        (1, 1, None, None, 1)
    ]


def test_by_content(con, matrix):
    rng = np.random.default_rng(0)
    F = rng.normal(size=(ITEMS + 1, 3))  # one item is new
    F[:, 2] = 7  # says nothing
    con.execute("create or replace table catalogue (item varchar, a double, b double, c double)")
    con.executemany(
        "insert into catalogue values (?, ?, ?, ?)",
        [[f"i{i:02d}", *F[i]] for i in range(ITEMS + 1)],
    )
    sd = F.std(axis=0)
    Z = (F - F.mean(axis=0)) / np.where(sd > 1e-12, sd, 1) * (sd > 1e-12)
    rated = ~np.isnan(matrix)
    taste = np.nan_to_num(matrix - np.nanmean(matrix, axis=1, keepdims=True))
    for u in range(USERS):
        if len(set(matrix[u][rated[u]])) == 1:
            taste[u] = rated[u]
    scores = cosine_similarity(taste @ Z[:ITEMS], Z)
    rated = np.hstack([rated, np.zeros((USERS, 1), bool)])
    call = (
        "from ml.recommend_by_content('ratings', 'user_name', 'item', 'catalogue', ['a', 'b', 'c'], "
        "rating := 'stars', top_n := {})"
    )
    rows = con.execute(call.format("null")).fetchall()
    check(rows, scores, rated, np.ones_like(rated))
    assert len(con.execute(call.format("1")).fetchall()) == USERS
    # without ratings the profile is the sum of the features
    (row,) = con.execute(
        "from ml.recommend_by_content('(select 1 as u, ''i00'' as item)', 'u', 'item', "
        "'(from catalogue where item <= ''i01'')', ['a', 'b'])"
    ).fetchall()
    assert row == (1, "i01", pytest.approx(-1), 1)  # two items lie on either side of their mean
