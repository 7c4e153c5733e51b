"""Two-sample Kolmogorov–Smirnov against scipy: exact, asymptotic, and found by bins."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx
from scipy import stats

from tests.sql.ranks.samples import TIED, is_unknown, load, normal, record

ALTERNATIVES = st.sampled_from(["two-sided", "less", "greater"])


def ks_2samp(con, options=""):
    return record(con, f"from ml.ks_2samp('t', 'y', 'g'{options})")


@given(a=TIED, b=TIED, alternative=ALTERNATIVES, method=st.sampled_from(["exact", "asymp"]))
def test_agrees_with_scipy(con, a, b, alternative, method):
    load(con, {"a": a, "b": b})
    name = {"exact": "exact", "asymp": "asymptotic"}[method]
    row = ks_2samp(con, f", alternative := '{alternative}', method := '{name}'")
    expected = stats.ks_2samp(b, a, alternative=alternative, method=method)
    assert row["statistic"] == approx(expected.statistic, rel=1e-14, abs=1e-15)
    # up to 50 steps of sums, products and quotients of positive numbers, and a logarithm
    assert row["p_value"] == approx(expected.pvalue, rel=1e-12)
    assert row["log10_p_value"] == approx(math.log10(expected.pvalue), rel=1e-12, abs=1e-12)
    if expected.statistic > 0:
        below = [np.mean(np.array(sample) <= row["location"]) for sample in (b, a)]
        assert abs(below[0] - below[1]) == approx(expected.statistic, rel=1e-14)


# one-sided, scipy counts in whole numbers, which overflow for many unequal rows
@pytest.mark.parametrize(
    "sizes, alternative",
    [((300, 300), "less"), ((300, 300), "greater"), ((60, 90), "greater"),
     ((300, 300), "two-sided"), ((700, 450), "two-sided"), ((997, 1009), "two-sided")],
)  # fmt: skip
def test_exact_of_some_hundreds(con, sizes, alternative):
    a, b = normal(1, sizes[0]), normal(2, sizes[1], 0.1)
    load(con, {"a": a.tolist(), "b": b.tolist()})
    row = ks_2samp(con, f", alternative := '{alternative}'")
    assert row["method"] == "exact"
    expected = stats.ks_2samp(b, a, alternative=alternative, method="exact")
    assert row["p_value"] == approx(expected.pvalue, rel=1e-11)  # 2,000 steps


@pytest.mark.parametrize("shape", ["normal", "cauchy", "integers", "two scales", "half"])
@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
def test_bins_find_the_same_distance_as_sorting(con, shape, alternative):
    rng = np.random.default_rng(7)
    n = 600_000
    y = {
        "normal": lambda: rng.normal(size=n),
        "cauchy": lambda: rng.standard_cauchy(n),
        "integers": lambda: rng.integers(0, 50, n).astype(float),
        "two scales": lambda: rng.normal(size=n) * np.where(rng.random(n) < 0.5, 1, 1e6),
        "half": lambda: np.where(rng.random(n) < 0.5, 0.0, rng.normal(size=n)),
    }[shape]()
    treated = rng.random(n) < 0.4
    con.register("frame", _frame(y, treated))
    con.execute("create or replace table t as select * from frame")
    row = ks_2samp(con, f", alternative := '{alternative}'")
    expected = stats.ks_2samp(y[treated], y[~treated], alternative=alternative, method="asymp")
    assert row["statistic"] == approx(expected.statistic, rel=1e-12)
    # the one-sided statistic of 144,000 is a sum of 5,000 terms of a rounded logarithm; scipy leaves
    # out the chance that both sides pass, 2 exp(-8z²), a share of 2e-6 of p from z² = 2.2 on
    assert row["p_value"] == approx(expected.pvalue, rel=4e-6)


def _frame(y, treated):
    import pyarrow as pa

    return pa.table({"y": y, "g": treated})


@given(a=TIED, b=TIED)
def test_a_monotone_change_of_scale_changes_nothing(con, a, b):
    load(con, {"a": a, "b": b})
    one = ks_2samp(con)
    load(con, {"a": [math.exp(x) for x in a], "b": [math.exp(x) for x in b]})
    other = ks_2samp(con)
    assert (one["statistic"], one["p_value"]) == (other["statistic"], other["p_value"])


def test_infinities_missing_and_thin_data(con):
    load(con, {"a": [1.0, None, -math.inf], "b": [2.0, math.inf, math.nan]})
    row = ks_2samp(con)
    assert (row["n"], row["n_missing"], row["statistic"]) == (4, 2, 1.0)
    for groups in ({}, {"a": [1.0]}, {"a": [1.0], "b": [None]}):
        load(con, groups)
        assert is_unknown(ks_2samp(con)), groups
    load(con, {"a": [1.0, 1.0], "b": [1.0]})
    assert ks_2samp(con)["p_value"] == 1.0


@pytest.mark.parametrize(
    "options, message",
    [(", method := 'fast'", "method is fast"), (", alternative := 'up'", "alternative is 'up'")],
)
def test_a_wrong_parameter_is_an_error(con, options, message):
    load(con, {"a": [1.0, 2.0], "b": [2.0, 4.0]})
    with pytest.raises(duckdb.Error, match=message):
        ks_2samp(con, options)
