from __future__ import annotations

import duckdb
import pytest
from hypothesis import assume, given, settings
from pytest import approx
from scipy import stats

from tests.sql.grouped import ask, groups, load, named, of_kind

TUKEY = "from ml.tukey_hsd('samples', 'y', 'level')"


def test_plant_growth(con):
    rows = ask(con, "from ml.tukey_hsd('textbook.plant_growth', 'weight_g', 'treatment')")
    # R: TukeyHSD(aov(weight ~ group, PlantGrowth)), digits printed
    printed = [
        ("ctrl", "trt1", -0.371, -1.0622161, 0.3202161, 0.3908711),
        ("ctrl", "trt2", 0.494, -0.1972161, 1.1852161, 0.1979960),
        ("trt1", "trt2", 0.865, 0.1737839, 1.5562161, 0.0120064),
    ]
    for row, (first, second, difference, lower, upper, p) in zip(rows, printed, strict=True):
        assert (row["group_1"], row["group_2"]) == (first, second)
        assert row["estimate"] == approx(difference, rel=1e-12)
        assert (row["ci_lower"], row["ci_upper"]) == approx((lower, upper), abs=5e-8)
        assert row["p_value"] == approx(p, abs=5e-8)
        assert row["df"] == 27


@pytest.mark.slow
@settings(max_examples=6)
@given(samples=groups(least=3).map(lambda s: s[:4]))
def test_agrees_with_scipy(con, samples):
    assume(any(len(set(sample)) > 1 for sample in samples))
    load(con, named(samples))
    rows = ask(con, TUKEY)
    expected = stats.tukey_hsd(*samples)
    interval = expected.confidence_interval()
    pairs = [(i, j) for i in range(len(samples)) for j in range(i + 1, len(samples))]
    for row, (i, j) in zip(rows, pairs, strict=True):
        # scipy's studentized range is asked for 1e-11; its intervals come from a root of it
        assert row["estimate"] == approx(expected.statistic[j, i], rel=1e-9, abs=1e-11)
        assert row["p_value"] == approx(expected.pvalue[j, i], rel=1e-7, abs=1e-10)
        assert row["ci_lower"] == approx(interval.low[j, i], rel=1e-7, abs=1e-7)
        assert row["ci_upper"] == approx(interval.high[j, i], rel=1e-7, abs=1e-7)


def test_two_groups_are_a_t_test(con):
    samples = {"a": [1.0, 2.5, 3.0, 7.0], "b": [4.0, 5.5, 6.0]}
    load(con, samples)
    (row,) = ask(con, TUKEY)
    expected = stats.ttest_ind(samples["b"], samples["a"])
    interval = expected.confidence_interval()
    # the range of two is the root of 2 times t; the studentized range has 1e-10
    assert row["p_value"] == approx(expected.pvalue, rel=1e-9)
    assert (row["ci_lower"], row["ci_upper"]) == approx((interval.low, interval.high), rel=1e-8)
    assert row["effect_size"] == approx(expected.statistic * (1 / 4 + 1 / 3) ** 0.5, rel=1e-12)


def test_missing_values_are_counted_by_pair(con):
    rows = ask(con, "from ml.tukey_hsd('penguins', 'body_mass_g', 'species')")
    assert [(row["n"], row["n_missing"]) for row in rows] == [(219, 1), (274, 2), (191, 1)]


@pytest.mark.parametrize(
    "samples, pairs",
    [
        ({}, 0),
        ({"a": [1.0, 2.0]}, 0),
        ({"a": [1.0], "b": [2.0]}, 1),
        ({"a": [1.0, 1.0], "b": [2.0, 2.0]}, 1),
    ],
    ids=["empty", "one group", "one row each", "constant"],
)
def test_thin_data_give_null(con, samples, pairs):
    load(con, samples)
    rows = ask(con, TUKEY)
    assert len(rows) == pairs
    for row in rows:
        assert list(row) == ["group_1", "group_2", *of_kind("t")]
        for field in ("statistic", "p_value", "log10_p_value", "ci_lower", "ci_upper"):
            assert row[field] is None


def test_a_confidence_level_beyond_1_is_named(con):
    load(con, {"a": [1.0, 2.0], "b": [2.0, 4.0]})
    with pytest.raises(duckdb.Error, match="confidence_level is 95"):
        ask(con, TUKEY.replace("level')", "level', confidence_level := 95)"))
