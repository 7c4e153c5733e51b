"""Tall-skinny QR: the triangular root R of M'M, from blocks of rows, without squaring M.

R of rows A over rows B is the R of R_A over R_B, so it folds and merges like a sum. Its error is
that of Householder's QR, cond · eps, where a Gram matrix has cond² · eps.
Source: Demmel, Grigori, Hoemmen & Langou (2012), SIAM J. Sci. Comput. 34(1).
"""

from __future__ import annotations

from typing import cast

import numpy as np

from mlpond.udfs.design import Array, Block, Layout
from mlpond.udfs.linear.gram import pieces


def empty_root(columns: int) -> Array:
    """The root of no rows."""
    return np.zeros((columns, columns))


def triangle(rows: Array) -> Array:
    """R of the QR decomposition."""
    return cast(Array, np.linalg.qr(rows, mode="r"))


def merge_roots(a: Array, b: Array) -> Array:
    """The root of the rows behind a and those behind b."""
    return triangle(np.vstack([a, b]))


def root(
    block: Block,
    layout: Layout,
    shift: Array,
    ones: bool,
    extra: Array,
    weight: Array | None = None,
) -> Array:
    """The root of M = [1, X - shift, extra], its rows times sqrt(weight); shape (q, q)."""
    scale = None if weight is None else np.sqrt(weight)
    total = empty_root(int(ones) + layout.width + extra.shape[1])
    # a piece under the q rows of the root so far: twice as many rows make it worth the work
    for rows, M in pieces(block, layout, shift, ones, extra, at_least=2 * total.shape[0]):
        if scale is not None:
            M *= scale[rows, None]
        total = merge_roots(total, M)
    return total
