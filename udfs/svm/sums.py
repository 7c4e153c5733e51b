"""Sums over one block at one point, its columns written out once for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlpond.udfs.design import Array, Block, BoolArray, Layout
from mlpond.udfs.linear.gram import counts, cross_products, pieces
from mlpond.udfs.svm.losses import Margin

SHORTER = (0.5, 0.2, 0.05, 0.005)  # steps that are tried beside the whole one


@dataclass
class Sums:
    """What one pass leaves, in the shifted columns and the intercept.

    Attributes:
        exact: Sum of the losses asked for.
        smooth: Sum of the smooth losses.
        shorter: The same at the steps of SHORTER, shape (4,).
        gradient: Shape (p + 1,).
        path: Its derivative in the width, shape (p + 1,).
        hessian: Shape (p + 1, p + 1).
        gap: How far the smooth optimum may be from that of the hinge.
        bent: Rows that have a part in the Hessian.
        absolute: Sum of the absolute scores less the label.
        rows: Number of rows.
        weight: Sum of their weights.
        incomplete: Whether some row has no category, for each categorical feature.
    """

    exact: float
    smooth: float
    shorter: Array
    gradient: Array
    path: Array
    hessian: Array
    gap: float
    bent: int
    absolute: float
    rows: int
    weight: float
    incomplete: BoolArray

    @classmethod
    def empty(cls, layout: Layout) -> Sums:
        """No rows."""
        q = layout.width + 1
        return cls(
            0.0, 0.0, np.zeros(len(SHORTER)), np.zeros(q), np.zeros(q), np.zeros((q, q)), 0.0, 0,
            0.0, 0, 0.0, np.zeros(len(layout.cardinalities), dtype=bool),
        )  # fmt: skip

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.exact + other.exact, self.smooth + other.smooth, self.shorter + other.shorter,
            self.gradient + other.gradient, self.path + other.path, self.hessian + other.hessian,
            self.gap + other.gap, self.bent + other.bent, self.absolute + other.absolute,
            self.rows + other.rows, self.weight + other.weight, self.incomplete | other.incomplete,
        )  # fmt: skip


def add_block(
    sums: Sums,
    block: Block,
    layout: Layout,
    shift: Array,
    margin: Margin,
    width: float,
    far: float,
    w: Array,
    direction: Array | None,
) -> None:
    """Add a block to the sums.

    Args:
        sums: Changed.
        block: The rows.
        layout: The columns.
        shift: Of the dense columns, shape (dense,).
        margin: Which loss.
        width: Of the smooth hinge.
        far: Widths beyond which a row has no part in the Hessian.
        w: Weights of the raw columns and the intercept, shape (p + 1,).
        direction: The step by which w was reached, shape (p + 1,), or None.
    """
    sums.rows += block.rows
    sums.weight += float(block.rows if block.weight is None else np.sum(block.weight))
    sums.incomplete |= np.array([bool(np.any(codes < 0)) for codes in block.codes], dtype=bool)
    weight = np.ones(block.rows) if block.weight is None else block.weight
    for rows, M, z, dz in _scores(block, layout, shift, w, direction):
        y, v = block.y[rows], weight[rows]
        sums.exact += float(margin.loss(z, y) @ v)
        sums.absolute += float(np.abs(z - y) @ v)
        if dz is not None:
            for k, length in enumerate(SHORTER):  # z is that of the whole step
                sums.shorter[k] += float(margin.loss(z - (1.0 - length) * dz, y, width) @ v)
        at = margin.derivatives(z, y, width, far)
        sums.smooth += float(at.loss @ v)
        sums.gap += float(at.gap @ v)
        slope, path, curvature = at.slope * v, at.path * v, at.curvature * v
        if M is None:
            sums.gradient += np.r_[block.rmatvec(layout, slope, shift), slope.sum()]
            if not margin.squared:
                sums.path += np.r_[block.rmatvec(layout, path, shift), path.sum()]
            sums.bent += block.rows
            H = cross_products(block, layout, shift, True, None, curvature)
        else:
            sums.gradient += _last(slope @ M)
            if not margin.squared:
                sums.path += _last(path @ M)
            count = int(np.count_nonzero(at.bent))
            sums.bent += count
            if count == 0:
                continue
            bent = M[at.bent]
            bent *= np.sqrt(curvature[at.bent])[:, None]
            H = bent.T @ bent
        order = np.r_[1 : w.size, 0]
        sums.hessian += H[np.ix_(order, order)]


def _scores(
    block: Block, layout: Layout, shift: Array, w: Array, direction: Array | None
) -> Iterator[tuple[slice, Array | None, Array, Array | None]]:
    """Rows, M = [1, X - shift] if it is written out, scores, and their change along the step."""
    if counts(layout):  # many one-hot columns: sums by category
        z = block.matvec(layout, w[:-1], shift) + w[-1]
        dz = None
        if direction is not None:
            dz = block.matvec(layout, direction[:-1], shift) + direction[-1]
        yield slice(0, block.rows), None, z, dz
        return
    both = w[:, None] if direction is None else np.c_[w, direction]
    both = np.vstack([both[-1:], both[:-1]])  # in M the ones come first
    for rows, M in pieces(block, layout, shift, True, None):
        scores = M @ both  # (m, 1 or 2)
        yield rows, M, scores[:, 0], None if direction is None else scores[:, 1]


def _last(first: Array) -> Array:
    """The entry of the intercept moved from the front to the end."""
    return np.append(first[1:], first[0])
