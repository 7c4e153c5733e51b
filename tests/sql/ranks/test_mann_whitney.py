"""Mann–Whitney against scipy, R's help page, and its own symmetries."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx
from scipy import stats

import mlpond
from mlpond.seeds import load as load_seed
from tests.sql.ranks.samples import DISTINCT, TIED, is_unknown, load, normal, record

ALTERNATIVES = st.sampled_from(["two-sided", "less", "greater"])


@pytest.fixture(scope="module")
def con():
    with mlpond.connect() as session:
        load_seed(session, "textbook")
        yield session.con


def mann_whitney(con, options="", source="t", metric="y", factor="g"):
    return record(con, f"from ml.mann_whitney('{source}', '{metric}', '{factor}'{options})")


def test_permeability_as_on_the_help_page_of_r(con):
    row = mann_whitney(
        con, ", alternative := 'greater'", "textbook.permeability", "constant", "gestation"
    )
    # R, ?wilcox.test: W = 35, p-value = 0.1272; Hollander & Wolfe (1973), page 69
    assert (row["statistic"], row["method"], row["n"]) == (35.0, "exact", 15)
    assert row["p_value"] == approx(0.127206127206127, rel=1e-13)
    # R, conf.int = TRUE: the estimate 0.305 and the interval (-0.76, 0.15) of the other direction
    row = mann_whitney(
        con, ", treatment := '12-26 weeks'", "textbook.permeability", "constant", "gestation"
    )
    assert row["estimate"] == approx(-0.305, abs=1e-12)
    assert (row["ci_lower"], row["ci_upper"]) == approx((-0.76, 0.15), abs=1e-12)


@given(a=TIED, b=TIED, alternative=ALTERNATIVES, correct=st.booleans())
def test_normal_agrees_with_scipy(con, a, b, alternative, correct):
    load(con, {"a": a, "b": b})
    row = mann_whitney(
        con,
        f", method := 'normal', alternative := '{alternative}', is_continuity_corrected := {correct}",
    )
    expected = stats.mannwhitneyu(
        b, a, use_continuity=correct, alternative=alternative, method="asymptotic"
    )
    assert row["statistic"] == expected.statistic
    if math.isnan(expected.pvalue):
        assert row["p_value"] is None
    else:
        # z has some 10 roundings, and the tail at |z| < 8 magnifies them at most 64 times
        assert row["p_value"] == approx(expected.pvalue, rel=1e-12)
        assert row["log10_p_value"] == approx(math.log10(expected.pvalue), rel=1e-12, abs=1e-12)


@given(values=DISTINCT, share=st.integers(1, 23), alternative=ALTERNATIVES)
def test_exact_agrees_with_scipy(con, values, share, alternative):
    a, b = values[:share], values[share:]
    load(con, {"a": a, "b": b})
    row = mann_whitney(con, f", alternative := '{alternative}'")
    expected = stats.mannwhitneyu(b, a, alternative=alternative, method="exact")
    assert row["method"] == "exact"
    # counts below 2**53 are exact in both; their sum and quotient round a few times
    assert row["p_value"] == approx(expected.pvalue, rel=1e-12)
    differences = np.subtract.outer(b, a)
    assert row["estimate"] == approx(np.median(differences), rel=1e-12, abs=1e-12)
    assert row["effect_size"] == approx(np.sign(differences).mean(), rel=1e-12, abs=1e-12)


def test_exact_at_its_largest(con):
    a, b = normal(1, 100), normal(2, 100, 0.4)
    load(con, {"a": a.tolist(), "b": b.tolist()})
    row = mann_whitney(con)
    assert row["method"] == "exact"
    expected = stats.mannwhitneyu(b, a, method="exact")
    # 1e58 arrangements are counted in doubles, by sums of up to 5,000 terms of both signs
    assert row["p_value"] == approx(expected.pvalue, rel=1e-11)


def test_interval_holds_the_level(con):
    # Against the definition: D_(k) and D_(mn + 1 - k), with P(U <= k - 1) <= 0.025 < P(U <= k)
    a, b = normal(3, 7).tolist(), normal(4, 9).tolist()
    load(con, {"a": a, "b": b})
    row = mann_whitney(con)
    differences = np.sort(np.subtract.outer(b, a).ravel())
    from scipy.stats._mannwhitneyu import _MWU

    cdf = np.cumsum(_MWU(7, 9).build_u_freqs_array(31))
    k = int(np.searchsorted(cdf, 0.025, side="right"))
    assert (row["ci_lower"], row["ci_upper"]) == (differences[k - 1], differences[-k])
    less = mann_whitney(con, ", alternative := 'less'")
    assert less["ci_lower"] == -math.inf


def test_few_rows_have_no_interval(con):
    load(con, {"a": [1.0, 2.0], "b": [3.0, 4.0]})
    row = mann_whitney(con)  # the widest interval has level 1 - 2/6
    assert (row["ci_lower"], row["ci_upper"]) == (None, None)
    assert row["p_value"] == approx(1 / 3, rel=1e-15)


@pytest.mark.parametrize("digits", [0, 1, 6])
def test_many_rows_agree_with_scipy(con, digits):
    # 0 digits: counted by value first; 6 digits: ties among values sorted at once
    a, b = normal(5, 20_000).round(digits), normal(6, 30_000, 0.02).round(digits)
    load(con, {"a": a.tolist(), "b": b.tolist()})
    row = mann_whitney(con)
    expected = stats.mannwhitneyu(b, a)
    assert row["statistic"] == expected.statistic
    assert row["p_value"] == approx(expected.pvalue, rel=1e-11)
    assert row["estimate"] is None  # 6e8 differences


def test_p_value_below_the_smallest_double(con):
    con.execute(
        "create or replace table t as select i::double as y, i >= 10000 as g from range(20000) r(i)"
    )
    row = mann_whitney(con)
    assert row["p_value"] == 0.0
    z = (1e8 / 2 - 0.5) / math.sqrt(1e8 / 12 * 20001)
    expected = (math.log(2) + stats.norm.logsf(z)) / math.log(10)
    assert row["log10_p_value"] == approx(expected, rel=1e-12)  # -3,200: some roundings of z²


@given(a=TIED, b=TIED)
def test_swapping_the_arms_mirrors_the_result(con, a, b):
    load(con, {"a": a, "b": b})
    one, other = mann_whitney(con), mann_whitney(con, ", treatment := 'a'")
    assert one["statistic"] + other["statistic"] == len(a) * len(b)
    assert one["p_value"] == other["p_value"]
    assert one["estimate"] == -other["estimate"]
    assert one["effect_size"] == approx(-other["effect_size"], abs=1e-15)


def test_infinities_are_values_and_missing_is_counted(con):
    load(con, {"a": [1.0, None, math.nan, -math.inf], "b": [2.0, math.inf, 3.0]})
    row = mann_whitney(con)
    assert (row["n"], row["n_missing"], row["statistic"]) == (5, 2, 6.0)


@pytest.mark.parametrize(
    "groups", [{}, {"a": [1.0, 2.0]}, {"a": [None], "b": [None]}, {"a": [1.0], "b": [None]}]
)
def test_thin_data_is_unknown(con, groups):
    load(con, groups)
    assert is_unknown(mann_whitney(con))


def test_equal_values_have_no_p_value(con):
    load(con, {"a": [1.0, 1.0], "b": [1.0, 1.0, 1.0]})
    row = mann_whitney(con)
    assert (row["statistic"], row["p_value"], row["log10_p_value"], row["effect_size"]) == (
        3.0,
        None,
        None,
        0.0,
    )


@pytest.mark.parametrize(
    "options, message",
    [
        (", alternative := 'more'", "alternative is 'more'"),
        (", confidence_level := 1.5", "confidence_level is 1.5"),
        (", method := 'fast'", "method is fast; it must be auto, exact or normal"),
        (", method := 'exact'", "method is exact, but there are ties"),
        (", treatment := 'c'", "treatment is c; the group column has a, b"),
    ],
)
def test_a_wrong_parameter_is_an_error(con, options, message):
    load(con, {"a": [1.0, 2.0], "b": [2.0, 4.0]})
    with pytest.raises(duckdb.Error, match=message):
        mann_whitney(con, options)


def test_three_arms_are_an_error(con):
    load(con, {"a": [1.0], "b": [2.0], "c": [3.0]})
    with pytest.raises(duckdb.Error, match=r"3 values \(a, b, c\); a test of two arms takes 2"):
        mann_whitney(con)
