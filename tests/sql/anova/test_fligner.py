from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pytest import approx
from scipy import stats

from tests.sql.grouped import load, named, of_kind, one

FLIGNER = "from ml.fligner('samples', 'y', 'level')"
# halves of whole numbers, so that distances from a median are exact and ties are ties
samples = st.lists(
    st.lists(st.integers(-50, 50).map(lambda v: v / 2), min_size=2, max_size=30),
    min_size=2,
    max_size=5,
)


def test_insect_sprays(con):
    row = one(con, "from ml.fligner('textbook.insect_sprays', 'n_insects', 'spray')")
    # R: fligner.test(InsectSprays$count, InsectSprays$spray), digits printed
    assert row["statistic"] == approx(14.483, abs=5e-4)
    assert row["p_value"] == approx(0.01282, abs=5e-6)
    assert row["df"] == 5


@given(samples=samples)
def test_agrees_with_scipy(con, samples):
    distances = np.concatenate([np.abs(np.array(s) - np.median(s)) for s in samples])
    assume(len(set(distances)) > 1)
    load(con, named(samples))
    row = one(con, FLIGNER)
    expected = stats.fligner(*samples)
    # scores of one size each; those of the groups may cancel to nothing
    assert row["statistic"] == approx(expected.statistic, rel=1e-10, abs=1e-12)
    # of our statistic: with two groups, near 0 a rounding of scipy's would move p by its root
    p = stats.chi2.sf(row["statistic"], len(samples) - 1)
    assert row["p_value"] == approx(p, rel=1e-11)


@given(samples=samples)
def test_a_shift_of_one_group_changes_nothing(con, samples):
    load(con, named(samples))
    before = one(con, FLIGNER)
    con.execute("update samples set y = y + 1024 where level = 'g0'")
    # distances from the median are exact, but an update may move rows, and sums with them
    for field, value in one(con, FLIGNER).items():
        assert value == (None if before[field] is None else approx(before[field], rel=1e-12))


@pytest.mark.parametrize(
    "samples",
    [{}, {"a": [1.0, 2.0]}, {"a": [1.0], "b": [2.0]}, {"a": [1.0, 1.0], "b": [2.0, 2.0]}],
    ids=["empty", "one group", "one row each", "constant"],
)
def test_thin_data_give_null(con, samples):
    load(con, samples)
    row = one(con, FLIGNER)
    for field in ("statistic", "p_value", "log10_p_value"):
        assert row[field] is None
    assert list(row) == list(of_kind("t"))
