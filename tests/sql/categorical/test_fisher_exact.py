from __future__ import annotations

import math

import duckdb
import mpmath as mp
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pytest import approx
from scipy import stats
from scipy.stats.contingency import odds_ratio

from tests.sql.grouped import of_kind, one, tabulate

FISHER = "from ml.fisher_exact('cells', 'a', 'b', weight := 'n')"
TEA = "from ml.fisher_exact('textbook.tea_tasting', 'poured_first', 'guessed', weight := 'n_cups')"
tables = st.lists(st.lists(st.integers(0, 60), min_size=2, max_size=2), min_size=2, max_size=2)


def asked(query, **options):
    return query[:-1] + "".join(f", {k} := {v!r}" for k, v in options.items()) + ")"


def test_tea(con):
    # Fisher (1935); R: fisher.test(TeaTasting) and with alternative = "greater"
    row = one(con, TEA)
    assert row["p_value"] == approx(0.4857142857142857, rel=1e-13)
    assert row["effect_size"] == 9
    assert row["estimate"] == approx(6.408309, abs=1e-4)  # R's root is that coarse
    assert (row["ci_lower"], row["ci_upper"]) == approx((0.2117329, 621.9337505), rel=1e-2)
    row = one(con, asked(TEA, alternative="greater"))
    assert row["p_value"] == approx(0.24285714285714285, rel=1e-13)
    assert (row["ci_lower"], row["ci_upper"]) == (approx(0.3135693, rel=1e-4), math.inf)


def test_two_arms_of_conversions(con):
    tabulate(con, [[352, 151], [320, 177]])
    # scipy.stats.fisher_exact, also in the documentation of tea-tasting
    assert one(con, FISHER)["p_value"] == approx(0.0688829727018, rel=1e-11)


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
@given(table=tables)
def test_agrees_with_scipy(con, alternative, table):
    assume((np.sum(table, 0) > 0).all() and (np.sum(table, 1) > 0).all())
    tabulate(con, table)
    row = one(con, asked(FISHER, alternative=alternative))
    expected = stats.fisher_exact(table, alternative=alternative)
    # sums of up to 120 terms; scipy's hypergeometric terms have 1e-12
    assert row["p_value"] == approx(expected.pvalue, rel=1e-10)
    assert row["log10_p_value"] == approx(math.log10(expected.pvalue), rel=1e-9, abs=1e-11)
    conditional = odds_ratio(np.array(table))
    interval = conditional.confidence_interval(alternative=alternative)
    # scipy finds its roots to 1e-9 or so
    assert row["estimate"] == approx(conditional.statistic, rel=1e-7)
    assert row["ci_lower"] == approx(interval.low, rel=1e-7)
    assert row["ci_upper"] == approx(interval.high, rel=1e-7)


def test_roots_are_roots(con):
    tabulate(con, [[30, 12], [7, 25]])
    row = one(con, FISHER)
    mp.mp.dps = 30

    def tail(omega, side):
        weight = {
            k: mp.binomial(42, k) * mp.binomial(32, 37 - k) * mp.mpf(omega) ** k
            for k in range(5, 38)
        }
        return sum(w for k, w in weight.items() if (k >= 30 if side == "upper" else k <= 30)) / sum(
            weight.values()
        )

    # a relative error of 1e-12 in a root moves its tail by 1e-12 times the slope of its logarithm, 9
    assert tail(row["ci_lower"], "upper") == approx(0.025, rel=1e-11)
    assert tail(row["ci_upper"], "lower") == approx(0.025, rel=1e-11)
    weight = {
        k: mp.binomial(42, k) * mp.binomial(32, 37 - k) * mp.mpf(row["estimate"]) ** k
        for k in range(5, 38)
    }
    assert sum(k * w for k, w in weight.items()) / sum(weight.values()) == approx(30, rel=1e-12)


def test_large_counts(con):
    tabulate(con, [[352_000, 151_000], [350_500, 152_500]])
    row = one(con, FISHER)
    # half a million a row: the normal approximation with the correction is right to 1e-4
    expected = stats.chi2_contingency([[352_000, 151_000], [350_500, 152_500]])
    assert row["p_value"] == approx(expected.pvalue, rel=1e-3)
    assert row["estimate"] == approx(row["effect_size"], rel=1e-5)


def test_a_p_value_that_underflows_keeps_its_logarithm(con):
    tabulate(con, [[2000, 0], [0, 2000]])
    row = one(con, FISHER)
    # two tables of choose(4000, 2000)
    expected = mp.log10(2) - mp.log10(mp.binomial(4000, 2000))
    assert row["p_value"] == 0
    assert row["log10_p_value"] == approx(float(expected), rel=1e-12)
    assert (row["estimate"], row["effect_size"], row["ci_upper"]) == (math.inf,) * 3


@given(table=tables)
def test_exchanging_the_factors_changes_nothing(con, table):
    tabulate(con, table)
    row, turned = one(con, FISHER), one(con, FISHER.replace("'a', 'b'", "'b', 'a'"))
    for field, value in row.items():
        assert turned[field] == (None if value is None else approx(value, rel=1e-9))


@pytest.mark.parametrize(
    "table",
    [[[0, 0], [0, 0]], [[5, 3], [0, 0]], [[5, 0], [7, 0]]],
    ids=["empty", "one row", "one column"],
)
def test_thin_data_give_null(con, table):
    tabulate(con, table)
    row = one(con, FISHER)
    for field in ("p_value", "log10_p_value", "estimate", "ci_lower", "ci_upper", "effect_size"):
        assert row[field] is None
    assert list(row) == list(of_kind("t"))


@pytest.mark.parametrize(
    "query, message",
    [(asked(TEA, alternative="both"), "alternative is 'both'"),
     (asked(TEA, confidence_level=95), "confidence_level is 95"),
     ("from ml.fisher_exact('penguins', 'sex', 'species')", r"second factor has 3 levels \(Adelie, Chinstrap, Gentoo\)"),
     ("from ml.fisher_exact('penguins', 'species', 'sex')", r"first factor has 3 levels"),
     (TEA.replace("'textbook.tea_tasting'", "'(select * replace (n_cups / 2 as n_cups) from textbook.tea_tasting)'"), "not a whole number")],
)  # fmt: skip
def test_bad_requests_are_named(con, query, message):
    with pytest.raises(duckdb.Error, match=message):
        one(con, query)
