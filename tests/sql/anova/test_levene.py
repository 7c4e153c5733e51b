from __future__ import annotations

import duckdb
import pytest
from hypothesis import assume, given
from pytest import approx
from scipy import stats

from tests.sql.grouped import groups, load, named, of_kind, one

LEVENE = "from ml.levene('samples', 'y', 'level')"


def test_insect_sprays(con):
    row = one(con, "from ml.levene('textbook.insect_sprays', 'n_insects', 'spray')")
    # R: car::leveneTest(count ~ spray, InsectSprays), F = 3.8214 on 5 and 66, p = 0.004223
    assert row["statistic"] == approx(3.8214, abs=5e-5)
    assert row["p_value"] == approx(0.004223, abs=5e-7)
    assert (row["df_between"], row["df_within"]) == (5, 66)


@pytest.mark.parametrize("center", ["median", "mean", "trimmed"])
@given(samples=groups())
def test_agrees_with_scipy(con, center, samples):
    load(con, named(samples))
    row = one(con, LEVENE.replace("level')", f"level', center := '{center}', trim := 0.1)"))
    # else the deviations within a group are the same, up to rounding that only scipy has
    assume(row["statistic"] is not None and row["statistic"] < 1e8)
    expected = stats.levene(*samples, center=center, proportiontocut=0.1)
    # deviations are small differences of values of 100, rounded at 1e-14
    assert row["statistic"] == approx(expected.statistic, rel=1e-8, abs=1e-10)
    # of our statistic: with two groups, near 0 a rounding of scipy's would move p by its root
    p = stats.f.sf(row["statistic"], row["df_between"], row["df_within"])
    assert row["p_value"] == approx(p, rel=1e-11)


def test_a_mirror_image_has_the_same_spread(con):
    load(con, {"a": [1.0, 5.0, 2.5], "b": [9.0, 9.5, 12.0, 20.0]})
    mirrored = LEVENE.replace("'samples'", "'(select -y as y, level from samples)'")
    # the same numbers with another sign, and so with another origin
    assert one(con, mirrored)["statistic"] == approx(one(con, LEVENE)["statistic"], rel=1e-13)


@pytest.mark.parametrize(
    "samples",
    [{}, {"a": [1.0, 2.0]}, {"a": [1.0], "b": [2.0]}, {"a": [1.0, 1.0], "b": [2.0, 2.0]}],
    ids=["empty", "one group", "one row each", "constant"],
)
def test_thin_data_give_null(con, samples):
    load(con, samples)
    row = one(con, LEVENE)
    for field in ("statistic", "p_value", "log10_p_value"):
        assert row[field] is None
    assert list(row) == list(of_kind("F"))


@pytest.mark.parametrize(
    "argument, message",
    [("center := 'mode'", "center is 'mode'; accepted are 'median', 'mean' and 'trimmed'"),
     ("center := NULL", "center is NULL"),
     ("trim := 0.5", r"trim is 0.5; it must lie in \[0, 0.5\)")],
)  # fmt: skip
def test_bad_parameters_are_named(con, argument, message):
    load(con, {"a": [1.0, 2.0], "b": [3.0, 5.0]})
    with pytest.raises(duckdb.Error, match=message):
        one(con, LEVENE.replace("level')", f"level', {argument})"))
