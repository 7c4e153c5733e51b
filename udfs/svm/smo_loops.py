"""The inner loop of SMO, compiled. See smo.py for the problem and the letters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

FLAT = 1e-12  # curvature of a pair that counts as none
MOST_UNTIL_SHRINKING = 1000  # steps


@njit(cache=True, nogil=True)
def touch(slot: int, before: Any, after: Any) -> None:
    """Move a slot to the end of the ring: it is the one used last."""
    head = before.size - 1
    after[before[slot]] = after[slot]
    before[after[slot]] = before[slot]
    last = before[head]
    after[last] = slot
    before[slot] = last
    after[slot] = head
    before[head] = slot


@njit(cache=True, nogil=True)
def improve(
    data: Any, slot_of: Any, before: Any, after: Any, diagonal: Any, row: Any, b: Any, g: Any,
    lower: Any, upper: Any, active: Any, tolerance: float, most: int, until_shrinking: int,
) -> Any:  # fmt: skip
    """Improve pairs of the active variables until none is left, or a row of K is missing.

    Changes b, g of the active variables, and the order of the cache.

    Returns:
        The steps taken, the variables still active, the steps until shrinking, whether the active
        ones are optimal, and the row that is missing (-1 for none).
    """
    steps = 0
    while True:
        # the variable that wants most to rise, and how low the others go
        i = -1
        up = -np.inf
        low = np.inf
        for k in range(active.size):
            t = active[k]
            if b[t] < upper[t] and -g[t] > up:
                up = -g[t]
                i = t
            if b[t] > lower[t] and -g[t] < low:
                low = -g[t]
        if i < 0 or up - low <= tolerance:
            return steps, active, until_shrinking, True, -1
        if steps >= most:
            return steps, active, until_shrinking, False, -1
        if until_shrinking <= 0:
            until_shrinking = min(b.size, MOST_UNTIL_SHRINKING)
            kept = 0
            still = np.empty(active.size, np.int64)
            for k in range(active.size):
                t = active[k]
                # at its upper bound and wanting more, or at its lower and wanting less
                done = (b[t] >= upper[t] and -g[t] > up) or (b[t] <= lower[t] and -g[t] < low)
                if not done:
                    still[kept] = t
                    kept += 1
            active = still[:kept].copy()

        slot = slot_of[row[i]]
        if slot < 0:
            return steps, active, until_shrinking, False, row[i]
        touch(slot, before, after)
        ki = data[slot]
        # of those that can pay for it, the one with the largest decrease (up + g)² / curvature
        j = -1
        best = -1.0
        own = diagonal[row[i]]
        for k in range(active.size):
            t = active[k]
            gap = up + g[t]
            if gap > 0.0 and b[t] > lower[t]:
                a = own + diagonal[row[t]] - 2.0 * ki[row[t]]
                if a < FLAT:
                    a = FLAT
                gain = gap * gap / a
                if gain > best:
                    best = gain
                    j = t
        slot = slot_of[row[j]]
        if slot < 0:
            return steps, active, until_shrinking, False, row[j]
        touch(slot, before, after)
        kj = data[slot]

        a = own + diagonal[row[j]] - 2.0 * ki[row[j]]
        if a < FLAT:
            a = FLAT
        move = (up + g[j]) / a
        room_i = upper[i] - b[i]
        room_j = b[j] - lower[j]
        # at a bound exactly there, not an ulp beside it
        if move >= room_i and room_i <= room_j:
            move = room_i
            b[i] = upper[i]
            b[j] = lower[j] if room_j == room_i else b[j] - move
        elif move >= room_j:
            move = room_j
            b[j] = lower[j]
            b[i] += move
        else:
            b[i] += move
            b[j] -= move
        for k in range(active.size):
            t = active[k]
            g[t] += move * (ki[row[t]] - kj[row[t]])
        steps += 1
        until_shrinking -= 1
