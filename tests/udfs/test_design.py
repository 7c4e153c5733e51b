import numpy as np
import pytest
from fitting import blocks, layout_of, one_hot
from hypothesis import given, settings
from hypothesis import strategies as st

from mlpond.udfs.design import Layout

approx = pytest.approx


@st.composite
def designs(draw):
    """A block, its layout, and the same design written out by hand."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n = draw(st.integers(1, 40))
    X = rng.normal(size=(n, draw(st.integers(0, 3))))
    sizes = draw(st.lists(st.integers(1, 5), max_size=2))
    codes = tuple(rng.integers(-1, k, n) for k in sizes)
    wide = tuple(
        rng.normal(size=(n, k)) * (rng.random((n, k)) < 0.3)
        for k in draw(st.lists(st.integers(1, 6), max_size=2))
    )
    (block,) = blocks(X, rng.normal(size=n), codes, sparse=wide)
    written = np.hstack([X, *(one_hot(c, k) for c, k in zip(codes, sizes, strict=True)), *wide])
    return block, layout_of(X, sizes, wide), written, rng


def test_columns_lie_dense_first_then_categories_then_sparse():
    layout = Layout(2, (3, 4), (5,))
    assert (layout.width, layout.code_offsets, layout.sparse_offsets) == (14, (2, 5), (9,))


@given(designs())
@settings(max_examples=50)
def test_products_equal_those_of_the_matrix(design):
    block, layout, M, rng = design
    shift = rng.normal(size=layout.dense)
    moved = M - np.r_[shift, np.zeros(layout.width - layout.dense)]
    w, W = rng.normal(size=layout.width), rng.normal(size=(layout.width, 2))
    r, R = rng.normal(size=block.rows), rng.normal(size=(block.rows, 2))
    # sums of at most 40 terms near 1: 40 · 2⁻⁵³, and some margin for terms of 4
    near = {"rel": 1e-13, "abs": 1e-13}
    assert (block.dense_matrix(layout) == M).all()
    assert block.matvec(layout, w) == approx(M @ w, **near)
    assert block.matvec(layout, W, shift) == approx(moved @ W, **near)
    assert block.rmatvec(layout, r) == approx(M.T @ r, **near)
    assert block.rmatvec(layout, R, shift) == approx(moved.T @ R, **near)
    weight = np.abs(r)
    assert block.squares(layout, weight, shift) == approx(weight @ moved**2, **near)


def test_a_million_categories_need_no_matrix():
    codes = np.array([0, 999_999, -1, 999_999])
    (block,) = blocks(np.empty((4, 0)), np.zeros(4), (codes,))
    layout = Layout(0, (1_000_000,))
    w = np.zeros(layout.width)
    w[-1] = 2.0
    assert block.matvec(layout, w).tolist() == [0, 2, 0, 2]
    assert block.rmatvec(layout, np.arange(4.0))[-1] == 4.0
