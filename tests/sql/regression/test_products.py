"""The matrices of a regression in SQL, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st


def value(session, query):
    return session.con.execute(f"select {query}").fetchone()[0]


@pytest.mark.parametrize("columns", [1, 3, 60])
def test_sums_of_products_are_a_weighted_gram_matrix(session, columns):
    rng = np.random.default_rng(columns)
    Z, w = rng.normal(size=(50, columns)), rng.uniform(size=50)
    names = ", ".join(f"__z{j} double" for j in range(columns))
    session.con.execute(f"create or replace table z ({names}, __w double)")
    session.con.executemany(
        f"insert into z values ({', '.join('?' * (columns + 1))})", np.column_stack([Z, w]).tolist()
    )
    products, n = session.con.execute(
        f"from ml.sums_of_products('z', 0, {columns - 1}, also := ', count(*) as n')"
    ).fetchone()
    expected = (Z.T * w) @ Z
    # 50 summands
    assert products == pytest.approx(expected[np.tril_indices(columns)], rel=1e-12, abs=1e-13)
    assert n == 50
    matrix = session.con.execute("select ml.square_matrix($1)", [products]).fetchone()[0]
    assert np.array(matrix) == pytest.approx(expected, rel=1e-12, abs=1e-13)


def test_a_cte_of_the_query_around_is_seen(session):
    found = session.con.execute(
        "with mine as (select 2e0 as __w, 3e0 as __z1) select products "
        "from (from ml.sums_of_products('mine', 1, 1))"
    ).fetchone()
    assert found == ([18.0],)


def test_pairs_come_in_the_order_of_the_sums(session):
    session.con.execute("create or replace table p as select 1e0 as __w, 2e0 as __z1, 3e0 as __z2")
    assert session.con.execute(
        f"from {value(session, '''ml.pairs_of('p', 1, 2)''')}"
    ).fetchall() == [(1.0, 4.0, 6.0, 9.0)]


@given(factor=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8), seed=st.integers(0, 2**32))
def test_products_of_a_factor_give_the_quadratic_form(session, factor, seed):
    n = len(factor)
    root = np.random.default_rng(seed).normal(size=(n, n))
    matrix = root @ root.T
    form = session.con.execute(
        "select list_dot_product(ml.products_of($1::double[]), $2::double[])",
        [factor, matrix[np.tril_indices(n)].tolist()],
    ).fetchone()[0]
    v = np.array(factor)
    # 36 products of both signs
    assert form == pytest.approx(v @ matrix @ v, rel=1e-9, abs=1e-12 * (v @ v))


@given(n=st.integers(1, 12), seed=st.integers(0, 2**32))
def test_projection_is_least_squares(session, n, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(30, n)) * 10.0 ** rng.integers(-3, 4, n)
    y = rng.normal(size=30)
    copies = X[:, rng.integers(0, n, 2)] @ rng.normal(size=(2, 2))  # dependent on the others
    M = np.column_stack([X, copies, y])
    found = value(session, f"ml.projection({(M.T @ M).tolist()}::double[][])")
    Q = np.linalg.qr(X)[0]
    # the condition of 12 random columns of 30 is about 10, and the Gram matrix squares it
    assert found["explained"] == pytest.approx(np.sum((Q.T @ y) ** 2), rel=1e-9)
    assert found["rank"] == n


def test_nothing_explains_nothing(session):
    assert value(session, "ml.projection([[4e0]])") == {"explained": 0.0, "rank": 0}
    assert value(session, "ml.projection([[0e0, 0e0], [0e0, 4e0]])") == {
        "explained": 0.0,
        "rank": 0,
    }
