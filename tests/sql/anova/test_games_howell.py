from __future__ import annotations

import duckdb
import pytest
from hypothesis import assume, given, settings
from pytest import approx
from scipy import stats

from tests.sql.grouped import ask, groups, load, named, of_kind

GAMES = "from ml.games_howell('samples', 'y', 'level')"


@settings(max_examples=3)
@given(samples=groups(least=3, smallest=3).map(lambda s: s[:3]))
def test_agrees_with_scipys_parts(con, samples):
    assume(all(len(set(sample)) > 1 for sample in samples))
    load(con, named(samples))
    pairs = [(0, 1), (0, 2), (1, 2)]
    for row, (i, j) in zip(ask(con, GAMES), pairs, strict=True):
        t = stats.ttest_ind(samples[j], samples[i], equal_var=False)
        # variances of values of 100 with two decimals, at 1e-13
        assert row["df"] == approx(t.df, rel=1e-9)
        assert row["statistic"] == approx(abs(t.statistic) * 2**0.5, rel=1e-9, abs=1e-11)
        # scipy's studentized range is asked for 1e-11, and may exceed 1
        p = stats.studentized_range.sf(abs(t.statistic) * 2**0.5, 3, t.df)
        assert row["p_value"] == approx(min(p, 1), rel=1e-7, abs=1e-9)


def test_penguins(con):
    rows = ask(con, "from ml.games_howell('penguins', 'body_mass_g', 'species')")
    # pingouin 0.7: pairwise_gameshowell(penguins, dv="body_mass_g", between="species"), rounded: the
    # difference of first and second, its standard error, degrees of freedom, p
    printed = [
        (-32.426, 59.706, 152.455, 0.85),
        (-1375.354, 58.811, 249.643, 0.0),
        (-1342.928, 65.103, 170.404, 0.0),
    ]
    for row, (difference, error, df, p) in zip(rows, printed, strict=True):
        assert row["estimate"] == approx(-difference, abs=5e-4)
        assert row["standard_error"] == approx(error, abs=5e-4)
        assert row["df"] == approx(df, abs=5e-4)
        assert row["p_value"] == approx(p, abs=5e-3)


def test_two_groups_are_welchs_t_test(con):
    samples = {"a": [1.0, 2.5, 3.0, 7.0], "b": [4.0, 5.5, 6.0]}
    load(con, samples)
    (row,) = ask(con, GAMES)
    expected = stats.ttest_ind(samples["b"], samples["a"], equal_var=False)
    interval = expected.confidence_interval()
    # the range of two is the root of 2 times t; the studentized range has 1e-10
    assert row["p_value"] == approx(expected.pvalue, rel=1e-9)
    assert (row["ci_lower"], row["ci_upper"]) == approx((interval.low, interval.high), rel=1e-8)


@pytest.mark.parametrize(
    "samples, pairs",
    [
        ({}, 0),
        ({"a": [1.0, 2.0]}, 0),
        ({"a": [1.0], "b": [2.0, 3.0]}, 1),
        ({"a": [1.0, 1.0], "b": [2.0, 2.0]}, 1),
    ],
    ids=["empty", "one group", "one row", "constant"],
)
def test_thin_data_give_null(con, samples, pairs):
    load(con, samples)
    rows = ask(con, GAMES)
    assert len(rows) == pairs
    for row in rows:
        assert list(row) == ["group_1", "group_2", *of_kind("t")]
        for field in ("statistic", "df", "p_value", "log10_p_value", "ci_lower", "ci_upper"):
            assert row[field] is None


def test_a_confidence_level_beyond_1_is_named(con):
    load(con, {"a": [1.0, 2.0], "b": [2.0, 4.0]})
    with pytest.raises(duckdb.Error, match="confidence_level is 95"):
        ask(con, GAMES.replace("level')", "level', confidence_level := 95)"))
