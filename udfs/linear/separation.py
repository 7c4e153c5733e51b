"""Separation: labels that some columns tell apart without error, so that no best weight exists.

Along such columns the loss falls to its infimum without reaching it. A fit that goes there is told
by its steps, and the columns by what still moves.
Source: Albert & Anderson (1984), "On the existence of maximum likelihood estimates in logistic
regression models", Biometrika 71.
"""

from __future__ import annotations

import numpy as np

from mlpond.udfs.design import Array, Block, IntArray, Layout

DIVERGING = 0.1  # step of a standardised weight that is no convergence where the gain is nothing
DONE = 1e-2  # curvature of separated rows, as a share of that of others
SEPARATED = 1e-3  # mean log loss of classes that are as good as told apart


def slow_steps(before: int, length: float, d: Array, gains: tuple[float, ...]) -> int:
    """Count steps that look like the way to infinity: long ones that gain 1/e of the last.

    A Newton step towards an optimum gains the square of the last; one along a direction in which
    the loss falls to 0 as exp(-t) has length 1 in t, and leaves 1/e of what was left.

    Args:
        before: The count before this step.
        length: The share of the last step that was taken.
        d: This step, shape (C, p + 1).
        gains: Gains promised so far, newest last.
    """
    if len(gains) < 2 or length < 1.0:
        return 0
    ratio = gains[-1] / gains[-2] if gains[-2] > 0 else 0.0
    is_slow = 0.2 < ratio < 0.6 and float(np.max(np.abs(d))) > DIVERGING
    return before + 1 if is_slow else 0


def longest(d: Array) -> IntArray:
    """The columns (p for the intercept) whose weights still move."""
    size = np.max(np.abs(d), axis=0)
    return np.flatnonzero(size > max(DIVERGING, 0.5 * float(np.max(size))))


def culprits_among(
    diverging: tuple[int, ...], layout: Layout, curvature: Array, weight: Array
) -> tuple[int, ...]:
    """The diverging columns, of one-hot columns only those whose rows are done.

    With one category the others of a feature move too, the other way. But the separated one has
    rows that are predicted without error, whose curvature is next to nothing.

    Args:
        diverging: Columns whose weights still move.
        layout: The columns.
        curvature: Diagonal of the Hessian, shape (p + 1,).
        weight: Sum of the row weights of every one-hot column, shape (p,).
    """
    kept = {j for j in diverging if j < layout.width}
    for first, size in zip(layout.code_offsets, layout.cardinalities, strict=True):
        own = range(first, first + size)
        if not kept.intersection(own):
            continue
        usual = curvature[own].sum() / max(weight[own].sum(), 1e-300)
        done = {j for j in own if 0 < curvature[j] <= DONE * usual * weight[j]}
        if done:
            kept = kept.difference(own) | done
    return tuple(sorted(kept))


def add_column_weights(total: Array, layout: Layout, block: Block) -> None:
    """Add the row weights of every category of a block to total, shape (p,)."""
    for codes, first, size in zip(
        block.codes, layout.code_offsets, layout.cardinalities, strict=True
    ):
        # code -1 is counted in front and dropped
        total[first : first + size] += np.bincount(codes + 1, block.weight, size + 1)[1:]
