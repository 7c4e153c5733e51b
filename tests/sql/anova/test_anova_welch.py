from __future__ import annotations

import pytest
from hypothesis import assume, given
from pytest import approx
from scipy import stats

from tests.sql.grouped import groups, load, named, of_kind, one

WELCH = "from ml.anova_welch('samples', 'y', 'level')"


def test_insect_sprays(con):
    row = one(con, "from ml.anova_welch('textbook.insect_sprays', 'n_insects', 'spray')")
    # R: oneway.test(count ~ spray, InsectSprays), F = 36.065, denominator df = 30.043, p = 8e-12
    assert row["statistic"] == approx(36.065, abs=5e-4)
    assert row["df_within"] == approx(30.043, abs=5e-4)
    assert row["p_value"] == approx(7.999e-12, rel=1e-4)


@given(samples=groups(smallest=3))
def test_agrees_with_scipy(con, samples):
    assume(all(len(set(sample)) > 1 for sample in samples))
    load(con, named(samples))
    row = one(con, WELCH)
    expected = stats.f_oneway(*samples, equal_var=False)
    # Variances of ties and outliers weigh groups 1e6 apart; scipy does not shift its means
    assert row["statistic"] == approx(expected.statistic, rel=1e-9, abs=1e-11)
    # of our statistic: with two groups, near 0 a rounding of scipy's would move p by its root
    p = stats.f.sf(row["statistic"], row["df_between"], row["df_within"])
    assert row["p_value"] == approx(p, rel=1e-11)


@given(samples=groups(smallest=3).map(lambda s: s[:2]))
def test_two_groups_give_the_square_of_welchs_t(con, samples):
    assume(all(len(set(sample)) > 1 for sample in samples))
    load(con, named(samples))
    row = one(con, WELCH)
    t = stats.ttest_ind(*samples, equal_var=False)
    # near 0 the means differ by rounding, which is squared
    assert row["statistic"] == approx(t.statistic**2, rel=1e-9, abs=1e-11)
    assert row["df_within"] == approx(t.df, rel=1e-10)


@pytest.mark.parametrize(
    "samples",
    [{}, {"a": [1.0, 2.0]}, {"a": [1.0], "b": [1.0, 2.0]}, {"a": [1.0, 1.0], "b": [1.0, 2.0]}],
    ids=["empty", "one group", "one row", "constant"],
)
def test_thin_data_give_null(con, samples):
    load(con, samples)
    row = one(con, WELCH)
    for field in ("statistic", "df_within", "p_value", "log10_p_value"):
        assert row[field] is None
    assert list(row) == list(of_kind("F"))
