import threading
from dataclasses import dataclass

import numpy as np
import pytest
from fitting import blocks

from mlpond.udfs import blas
from mlpond.udfs.blas import one_thread
from mlpond.udfs.trainer import Pass, fold


@dataclass(frozen=True)
class Visits:
    """The order in which labels were merged."""

    sample: float | None = None
    evaluation: None = None

    def start(self):
        return []

    def step(self, state, block):
        if np.isnan(block.y[0]):
            raise ValueError("a bad block")
        return [*state, float(block.y[0])]

    def merge(self, a, b):
        return a + b

    def finish(self, state, evaluation=None):
        return state


def numbered(n):
    return (blocks(np.empty((1, 0)), [float(i)])[0] for i in range(n))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_blocks_are_merged_in_their_order(threads):
    assert isinstance(Visits(), Pass)
    assert fold(Visits(), numbered(50), threads) == list(range(50))
    assert fold(Visits(), [], threads) == []


def test_the_source_is_read_a_bounded_way_ahead():
    release, handed = threading.Event(), []

    class Slow(Visits):
        def step(self, state, block):
            release.wait(10)
            return super().step(state, block)

    def source():
        for i, block in enumerate(numbered(20)):
            handed.append(i)
            if i == 2:  # threads + 1 blocks are out, and none is done: nobody may ask for more
                threading.Timer(0.2, release.set).start()
            assert release.is_set() or i <= 2
            yield block

    assert fold(Slow(), source(), 2) == list(range(20))


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_a_block_comes_out(threads):
    bad = blocks(np.empty((1, 0)), [np.nan])
    with pytest.raises(ValueError, match="a bad block"):
        fold(Visits(), [*numbered(3), *bad, *numbered(30)], threads)


def test_threads_below_one_are_refused():
    with pytest.raises(ValueError, match="threads is 0; pass 1 or more"):
        fold(Visits(), [], 0)


def test_blas_gets_its_threads_back():
    functions = blas._functions()
    if functions is None:
        pytest.skip("numpy does not use OpenBLAS here")
    get, _ = functions
    before = get()
    with one_thread():
        with one_thread():
            assert get() == 1
        assert get() == 1
    assert get() == before
