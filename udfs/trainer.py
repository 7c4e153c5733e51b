"""Training as folds over blocks of rows.

A trainer is a chain of passes. A pass is immutable and says what one scan of the rows computes:

    start() → state        the state of no rows
    step(state, block)     that state with the rows of the block added
    merge(a, b)            the state of both sets of rows
    finish(state)          the next pass, or the fitted model

so a driver needs three lines:

    while isinstance(step := pass_.finish(fold(pass_, rows(pass_.sample), threads)), Pass):
        pass_ = step

Any engine that can scan can drive it, and memory is bounded by a few states and blocks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np

from mlpond.udfs.blas import one_thread
from mlpond.udfs.design import Block

State = TypeVar("State")


@runtime_checkable
class Pass(Protocol[State]):
    """One scan over the rows."""

    @property
    def sample(self) -> float | None:
        """Share of the rows that suffices, or None if all must be seen.

        Every pass that asks for a share must be given the same rows.
        """

    @property
    def evaluation(self) -> Pass[State] | None:
        """The pass to fold over held-out rows, or None where that would be of no use."""

    def start(self) -> State:
        """The state of no rows."""

    def step(self, state: State, block: Block) -> State:
        """Add the rows of a block; the state given may be changed and must not be used again."""

    def merge(self, a: State, b: State) -> State:
        """The state of the rows of a and b; associative up to rounding."""

    def finish(self, state: State, evaluation: State | None = None) -> object:
        """The next pass, or the fitted model.

        Args:
            state: All training rows.
            evaluation: All held-out rows, folded by the pass `evaluation`.
        """


@dataclass(frozen=True)
class Then:
    """A chain of passes, and what follows its result."""

    inner: Pass[Any]
    then: Callable[[Any], object]

    @property
    def sample(self) -> float | None:
        """As the inner pass has it."""
        return self.inner.sample

    @property
    def evaluation(self) -> Pass[Any] | None:
        """As the inner pass has it."""
        return self.inner.evaluation

    def start(self) -> Any:
        """No rows."""
        return self.inner.start()

    def step(self, state: Any, block: Block) -> Any:
        """Add a block."""
        return self.inner.step(state, block)

    def merge(self, a: Any, b: Any) -> Any:
        """Add two states."""
        return self.inner.merge(a, b)

    def finish(self, state: Any, evaluation: Any = None) -> object:
        """The next pass of the chain, or what follows it."""
        result = self.inner.finish(state, evaluation)
        return replace(self, inner=result) if isinstance(result, Pass) else self.then(result)


@dataclass(frozen=True)
class WithoutColumns:
    """A pass that sees labels, weights and offsets alone."""

    inner: Pass[Any]
    sample: float | None = None

    @property
    def evaluation(self) -> None:
        """Nothing is logged."""
        return

    def start(self) -> Any:
        """No rows."""
        return self.inner.start()

    def step(self, state: Any, block: Block) -> Any:
        """Add a block."""
        return self.inner.step(
            state, replace(block, X=np.empty((block.rows, 0)), codes=(), sparse=())
        )

    def merge(self, a: Any, b: Any) -> Any:
        """Add two states."""
        return self.inner.merge(a, b)

    def finish(self, state: Any, evaluation: Any = None) -> object:
        """The next pass, or the fit."""
        result = self.inner.finish(state, evaluation)
        return replace(self, inner=result) if isinstance(result, Pass) else result


class KeptBlocks:
    """A pass whose state is the blocks themselves: for a sample that is looked at as a whole."""

    def start(self) -> tuple[Block, ...]:
        """No rows."""
        return ()

    def step(self, state: tuple[Block, ...], block: Block) -> tuple[Block, ...]:
        """Keep a block."""
        return (*state, block)

    def merge(self, a: tuple[Block, ...], b: tuple[Block, ...]) -> tuple[Block, ...]:
        """All blocks, in order."""
        return a + b


def fold(pass_: Pass[State], blocks: Iterable[Block], threads: int = 1) -> State:
    """Fold the blocks, several at a time, into one state.

    Each block is folded from start() and the results are merged in the order of the blocks. The
    sum is therefore the same, bit for bit, whatever the number of threads. The iterable is read by
    the calling thread alone, at most threads + 1 blocks ahead of the merging.

    Args:
        pass_: What to compute.
        blocks: The rows.
        threads: How many blocks to work on at once.

    Raises:
        ValueError: If threads is less than 1.
    """
    if threads < 1:
        raise ValueError(f"fold: threads is {threads}; pass 1 or more.")
    with one_thread():
        return _fold(pass_, blocks, threads)


def _fold(pass_: Pass[State], blocks: Iterable[Block], threads: int) -> State:
    total = pass_.start()
    if threads == 1:
        for block in blocks:
            total = pass_.merge(total, _fold_one(pass_, block))
        return total
    pool = ThreadPoolExecutor(threads, thread_name_prefix="mlpond-fold")
    window: deque[Future[State]] = deque()
    try:
        for block in blocks:
            window.append(pool.submit(_fold_one, pass_, block))
            if len(window) > threads:
                total = pass_.merge(total, window.popleft().result())
        while window:
            total = pass_.merge(total, window.popleft().result())
    finally:
        # after an error or an interrupt, blocks that wait are dropped and running ones finish
        pool.shutdown(wait=True, cancel_futures=True)
    return total


def _fold_one(pass_: Pass[State], block: Block) -> State:
    return pass_.step(pass_.start(), block)
