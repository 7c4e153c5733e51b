"""Rates of events against scipy, statsmodels and R's example."""

from __future__ import annotations

import math

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy import stats
from statsmodels.stats.rates import confint_poisson_2indep
from statsmodels.stats.rates import test_poisson_2indep as peer

from tests.sql.aggregates import FIELDS, struct

LARGER = {"two-sided": "two-sided", "less": "smaller", "greater": "larger"}
PEERS = {"exact": "exact-cond", "score": "score", "wald": "wald-log"}


def rate_test(con, k, s, j, t, options=""):
    return struct(
        con, f"poisson_rate_test(events, exposure, treated{options})",
        events=[k, j], exposure=[s, t], treated=[True, False],
    )  # fmt: skip


@pytest.mark.parametrize("method", PEERS)
@pytest.mark.parametrize("alternative", LARGER)
@given(k=st.integers(1, 60), j=st.integers(1, 60), t=st.integers(1, 12))
@settings(max_examples=6)
def test_agrees_with_statsmodels(con, method, alternative, k, j, t):
    found = rate_test(con, k, 3.0, j, float(t), f", '{method}', alternative := '{alternative}'")
    expected = peer(k, 3, j, t, method=PEERS[method], alternative=LARGER[alternative])
    assert list(found) == FIELDS
    # tails of sums up to 120 events, each good to 1e-13
    assert found["p_value"] == approx(float(expected.pvalue), rel=1e-10)
    assert found["log10_p_value"] == approx(math.log10(found["p_value"]), rel=1e-10, abs=1e-12)
    assert found["estimate"] == approx(k / 3 / (j / t), rel=1e-13)


def test_the_help_page_of_r(con):
    # R: poisson.test(c(11, 6 + 8 + 7), c(800, 1083 + 1050 + 878)); p-value = 0.07967, ratio 1.971488
    found = rate_test(con, 11, 800.0, 21, 3011.0)
    assert found["statistic"] == 11
    assert found["p_value"] == approx(0.07967, abs=5e-6)
    assert found["estimate"] == approx(1.971488, abs=5e-7)
    k, n, share = 11, 32, 800 / 3811
    assert found["p_value"] == approx(stats.binomtest(k, n, share).pvalue, rel=1e-11)
    low, high = stats.binomtest(k, n, share).proportion_ci(0.95, "exact")
    odds = [p / (1 - p) * 3011 / 800 for p in (low, high)]
    # scipy's interval is a root found to 2e-12
    assert (found["ci_lower"], found["ci_upper"]) == approx(tuple(odds), rel=1e-9)


def test_the_score_interval_is_the_test_turned_round(con):
    found = rate_test(con, 60, 51477.5, 30, 54308.7, ", 'score'")
    low, high = confint_poisson_2indep(60, 51477.5, 30, 54308.7, method="score")
    # statsmodels searches its ends to about 1e-9
    assert (found["ci_lower"], found["ci_upper"]) == approx((low, high), rel=1e-8)


def test_ties_of_likelihood_count(con):
    # Binomial(2, 1/4): the outcomes 1 and, no likelier, 2 have 6 / 16 + 1 / 16
    assert rate_test(con, 1, 3.0, 1, 9.0)["p_value"] == approx(7 / 16, rel=1e-13)
    assert rate_test(con, 3, 1.0, 3, 1.0)["p_value"] == approx(1.0, rel=1e-13)


def test_millions_of_events(con):
    found = rate_test(con, 2_000_000, 5.0, 2_003_000, 5.0)
    expected = stats.binomtest(2_000_000, 4_003_000, 0.5).pvalue
    assert found["p_value"] == approx(expected, rel=1e-10)


def test_no_events_in_an_arm(con):
    found = rate_test(con, 5, 10.0, 0, 10.0)
    assert (found["estimate"], found["standard_error"]) == (None, None)
    assert found["p_value"] == approx(2 / 32, rel=1e-12)
    share = 0.025**0.2  # the binomial share at which 5 of 5 have probability 0.025
    assert found["ci_lower"] == approx(share / (1 - share), rel=1e-12)
    assert found["ci_upper"] == math.inf
    assert rate_test(con, 0, 10.0, 5, 10.0)["estimate"] == 0
    nothing = rate_test(con, 0, 10.0, 0, 10.0)
    assert [nothing[name] for name in FIELDS] == [None] * 9 + [2, 0]


def test_rows_add_up_and_missing_ones_are_counted(con):
    found = struct(
        con, "poisson_rate_test(events, exposure, treated)",
        events=[6, None, 5, 23], exposure=[400.0, 1.0, 400.0, 3011.0],
        treated=[True, True, True, False],
    )  # fmt: skip
    assert (found["n"], found["n_missing"]) == (3, 1)
    assert found["p_value"] == approx(0.13663444706428, rel=1e-12)  # scipy, 11 of 34


@pytest.mark.parametrize(
    "arguments, options, message",
    [
        ((-1, 1.0, 2, 1.0), "", "the least of events and exposure is -1"),
        ((1, -1.0, 2, 1.0), "", "the least of events and exposure is -1"),
        ((1.5, 1.0, 2.0, 1.0), "", "the exact method takes whole numbers"),
        ((1, 1.0, 2, 1.0), ", 'etest'", "method is etest; it must be exact, score or wald"),
    ],
)
def test_bad_input_is_an_error(con, arguments, options, message):
    with pytest.raises(duckdb.Error, match=message):
        rate_test(con, *arguments, options)
