"""Metrics of ranked lists against scikit-learn and their definitions."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from pytest import approx
from sklearn.metrics import ndcg_score

from tests.sql.ranks.samples import record, records

N_USERS, N_ITEMS, K = 30, 25, 7


@pytest.fixture(scope="module")
def lists(con):
    rng = np.random.default_rng(5)
    scores = rng.random((N_USERS, N_ITEMS))
    relevance = rng.integers(0, 4, (N_USERS, N_ITEMS)) * (rng.random((N_USERS, N_ITEMS)) < 0.4)
    relevance[0] = 0  # a user without a relevant item
    vectors = rng.normal(size=(N_ITEMS, 3))
    user, item = np.divmod(np.arange(N_USERS * N_ITEMS), N_ITEMS)
    con.register("arrays", pa.table({
        "u": user, "i": item, "s": scores.ravel(), "r": relevance.ravel(), "v": list(vectors[item]),
    }))  # fmt: skip
    con.execute("create or replace table lists as from arrays order by hash(s)").fetchall()
    return scores, relevance, vectors


def naive(scores, relevance):
    """The metrics of one user, from their definitions."""
    order = np.argsort(-scores)[:K]
    hits = relevance[order] > 0
    precisions = np.cumsum(hits) / np.arange(1, K + 1)
    n = (relevance > 0).sum()
    return {
        "precision_at_k": hits.mean(), "recall_at_k": hits.sum() / n,
        "average_precision": (precisions * hits).sum() / min(n, K),
        "reciprocal_rank": 1 / (1 + np.argmax(hits)) if hits.any() else 0.0,
        "normalized_discounted_cumulative_gain": ndcg_score([relevance], [scores], k=K),
    }  # fmt: skip


def test_users_agree_with_the_definitions(con, lists):
    scores, relevance, vectors = lists
    table = records(
        con, f"from ml.ranking_by_user('lists', 'u', 'i', 's', 'r', k := {K}, item_vector := 'v')"
    )
    table = {int(row["user_id"]): row for row in table}
    assert table[0]["recall_at_k"] is None
    for user in range(1, N_USERS):
        for name, value in naive(scores[user], relevance[user]).items():
            assert table[user][name] == approx(value, rel=1e-12), name
        u = vectors[np.argsort(-scores[user])[:K]]
        u /= np.linalg.norm(u, axis=1)[:, None]
        cosine = (u @ u.T)[np.triu_indices(K, 1)].mean()
        assert table[user]["diversity"] == approx(1 - cosine, rel=1e-11)
        share = np.argsort(np.argsort(-scores[user])) / (N_ITEMS - 1)
        expected = (share * relevance[user]).sum() / relevance[user].sum()
        assert table[user]["average_rank"] == approx(expected, rel=1e-12)


def test_means_over_users(con, lists):
    scores, relevance, _ = lists
    row = record(
        con, f"from ml.ranking_metrics('lists', 'u', 'i', 's', 'r', k := {K}, item_vector := 'v')"
    )
    table = [naive(scores[user], relevance[user]) for user in range(1, N_USERS)]
    names = {
        "average_precision": "mean_average_precision",
        "reciprocal_rank": "mean_reciprocal_rank",
    }
    for name in table[0]:
        assert row[names.get(name, name)] == approx(np.mean([t[name] for t in table]), rel=1e-12)
    listed = {item for user in range(N_USERS) for item in np.argsort(-scores[user])[:K]}
    assert row["coverage"] == approx(len(listed) / N_ITEMS, rel=1e-14)
    assert (row["n_users"], row["n_users_without"], row["n_missing"]) == (N_USERS - 1, 1, 0)


def test_exponential_gain(con, lists):
    scores, relevance, _ = lists
    row = record(
        con,
        f"from ml.ranking_metrics('lists', 'u', 'i', 's', 'r', k := {K}, gain := 'exponential')",
    )
    expected = np.mean(
        [ndcg_score([2.0 ** relevance[u] - 1], [scores[u]], k=K) for u in range(1, N_USERS)]
    )
    assert row["normalized_discounted_cumulative_gain"] == approx(expected, rel=1e-12)


def test_relevant_items_without_a_score_count_in_recall(con):
    values = (
        "(values (1, 'a', 0.9, 1), (1, 'b', 0.8, 0), (1, 'c', null, 1), (1, 'd', 'nan'::double, 1))"
    )
    row = record(
        con,
        f"from ml.ranking_metrics('(select * from {values.replace(chr(39), chr(39) * 2)} as t(u, i, s, r))', 'u', 'i', 's', 'r', k := 2)",
    )
    assert (row["precision_at_k"], row["recall_at_k"], row["mean_reciprocal_rank"]) == (
        0.5,
        approx(1 / 3),
        1,
    )
    assert row["mean_average_precision"] == 0.5


def test_nothing_and_bad_arguments(con, lists):
    row = record(con, "from ml.ranking_metrics('(from lists where false)', 'u', 'i', 's', 'r')")
    assert (row["precision_at_k"], row["coverage"], row["n_users"]) == (None, None, 0)
    for options, message in [
        (", k := 0", "k is 0; it must be at least 1"),
        (", gain := 'square'", "gain is 'square'; accepted are 'linear' and 'exponential'"),
    ]:
        with pytest.raises(duckdb.Error, match=message):
            record(con, f"from ml.ranking_metrics('lists', 'u', 'i', 's', 'r'{options})")
    with pytest.raises(duckdb.Error, match="ml.ranking_metrics: a relevance is -"):
        record(
            con,
            "from ml.ranking_metrics('(select u, i, s, r - 1 as r from lists)', 'u', 'i', 's', 'r')",
        )
