from __future__ import annotations

import pytest
from hypothesis import assume, given
from pytest import approx
from scipy import stats

from tests.sql.grouped import groups, load, named, of_kind, one

BARTLETT = "from ml.bartlett('samples', 'y', 'level')"


def test_insect_sprays(con):
    row = one(con, "from ml.bartlett('textbook.insect_sprays', 'n_insects', 'spray')")
    # R: bartlett.test(InsectSprays$count, InsectSprays$spray), digits printed
    assert row["statistic"] == approx(25.96, abs=5e-3)
    assert row["p_value"] == approx(9.085e-05, rel=1e-4)
    assert row["df"] == 5


@given(samples=groups(smallest=3))
def test_agrees_with_scipy(con, samples):
    assume(all(len(set(sample)) > 1 for sample in samples))
    load(con, named(samples))
    row = one(con, BARTLETT)
    expected = stats.bartlett(*samples)
    # scipy takes the difference of two sums of logarithms, up to 1e3 each: 1e-13 remains of it
    assert row["statistic"] == approx(expected.statistic, rel=1e-10, abs=1e-11)
    # of our statistic: with two groups, near 0 a rounding of scipy's would move p by its root
    p = stats.chi2.sf(row["statistic"], len(samples) - 1)
    assert row["p_value"] == approx(p, rel=1e-11)


@given(samples=groups(smallest=3))
def test_the_unit_does_not_matter(con, samples):
    assume(all(len(set(sample)) > 1 for sample in samples))
    load(con, named(samples))
    inches = BARTLETT.replace("'samples'", "'(select y / 2.54e0 as y, level from samples)'")
    # dividing rounds every value by 1e-16 of its size, and variances may be 1e4 times smaller
    assert one(con, inches)["statistic"] == approx(
        one(con, BARTLETT)["statistic"], rel=1e-8, abs=1e-10
    )


@pytest.mark.parametrize(
    "samples",
    [{}, {"a": [1.0, 2.0]}, {"a": [1.0], "b": [1.0, 2.0]}, {"a": [1.0, 1.0], "b": [1.0, 2.0]}],
    ids=["empty", "one group", "one row", "constant"],
)
def test_thin_data_give_null(con, samples):
    load(con, samples)
    row = one(con, BARTLETT)
    for field in ("statistic", "p_value", "log10_p_value"):
        assert row[field] is None
    assert list(row) == list(of_kind("t"))
