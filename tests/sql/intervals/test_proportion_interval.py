"""Intervals of proportions against Newcombe's tables, statsmodels and the definition."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import approx
from scipy import optimize, stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

METHODS = {"wilson": "wilson", "wald": "normal", "agresti-coull": "agresti_coull",
           "clopper-pearson": "beta", "jeffreys": "jeffreys"}  # fmt: skip
DIFFERENCES = {"newcombe": "newcomb", "wald": "wald", "agresti-caffo": "agresti-caffo"}
counts = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def ends(con, call):
    found = con.execute(f"select ml.{call}").fetchall()[0][0]
    return found["ci_lower"], found["ci_upper"]


@pytest.mark.parametrize(
    "k, n, method, expected",
    [  # Newcombe (1998), Statistics in Medicine 17, 857-872, table I; digits recomputed
        (81, 263, "wilson", (0.2552885199, 0.3662095770)),
        (81, 263, "clopper-pearson", (0.2527367456, 0.3676219226)),
        (15, 148, "wilson", (0.0623863995, 0.1604872417)),
        (15, 148, "clopper-pearson", (0.0578440101, 0.1616504903)),
        (0, 20, "wilson", (0, 0.1611251581)),
        (0, 20, "clopper-pearson", (0, 0.1684334710)),
        (1, 29, "wilson", (0.0061132143, 0.1717552188)),
        (1, 29, "clopper-pearson", (0.0008726469, 0.1776442955)),
    ],
)
def test_newcombes_examples(con, k, n, method, expected):
    # ten decimals are quoted
    assert ends(con, f"proportion_interval({k}, {n}, '{method}')") == approx(expected, abs=5e-11)


@pytest.mark.parametrize("method", METHODS)
@given(count=counts, level=st.sampled_from([0.5, 0.8, 0.95, 0.999]))
@settings(max_examples=8)
def test_agrees_with_statsmodels(con, method, count, level):
    k, n = count
    expected = proportion_confint(k, n, 1 - level, METHODS[method])
    call = f"proportion_interval({k}, {n}, '{method}', confidence_level := {level})"
    # statsmodels subtracts numbers near 1: an absolute error of a few 2**-53
    assert ends(con, call) == approx(tuple(map(float, expected)), rel=1e-10, abs=1e-14)


@pytest.mark.parametrize("method", DIFFERENCES)
@given(a=counts, b=counts)
@settings(max_examples=8)
def test_differences_agree_with_statsmodels(con, method, a, b):
    low, high = confint_proportions_2indep(*a, *b, method=DIFFERENCES[method], compare="diff")
    found = ends(con, f"proportion_difference_interval({a[0]}, {a[1]}, {b[0]}, {b[1]}, '{method}')")
    # statsmodels lets the ends leave [-1, 1]
    expected = max(float(low), -1.0), min(float(high), 1.0)
    assert found == approx(expected, rel=1e-10, abs=1e-14)


def score_p_value(k, n, j, m, difference):
    """Two-sided p of Miettinen and Nurminen's test, the likelihood maximised by search."""
    found = optimize.minimize_scalar(
        lambda p: -(stats.binom.logpmf(k, n, p) + stats.binom.logpmf(j, m, p - difference)),
        bounds=(max(0, difference) + 1e-12, min(1, 1 + difference) - 1e-12),
        method="bounded", options={"xatol": 1e-12},
    )  # fmt: skip
    p, q = found.x, found.x - difference
    variance = (p * (1 - p) / n + q * (1 - q) / m) * (n + m) / (n + m - 1)
    return 2 * stats.norm.sf(abs(k / n - j / m - difference) / variance**0.5)


@pytest.mark.parametrize("a, b", [((56, 70), (48, 80)), ((9, 10), (3, 10)), ((5, 56), (0, 29)),
                                  ((120, 10000), (100, 9000))])  # fmt: skip
def test_the_ends_of_the_score_interval_are_just_rejected(con, a, b):
    # statsmodels' own score interval is (0.0526, 0.3440) for the first, whose p is 0.041 above
    low, high = ends(
        con, f"proportion_difference_interval({a[0]}, {a[1]}, {b[0]}, {b[1]}, 'score')"
    )
    for end in (low, high):
        # the search finds the maximum of a flat function to 1e-8
        assert score_p_value(*a, *b, end) == approx(0.05, abs=1e-6)
    turned = ends(con, f"proportion_difference_interval({b[0]}, {b[1]}, {a[0]}, {a[1]}, 'score')")
    assert turned == approx((-high, -low), rel=1e-12, abs=1e-15)


def test_newcombes_difference(con):
    # 56 of 70 against 48 of 80, the first example of Newcombe (1998), Statistics in Medicine 17,
    # 873-890; R's package cicalc prints Wald's interval as (0.0575, 0.3425)
    assert ends(con, "proportion_difference_interval(56, 70, 48, 80, 'wald')") == approx(
        (0.0575, 0.3425), abs=5e-5
    )


@given(count=counts)
@settings(max_examples=8)
def test_failures_mirror_successes(con, count):
    k, n = count
    low, high = ends(con, f"proportion_interval({k}, {n})")
    other = ends(con, f"proportion_interval({n - k}, {n})")
    assert other == approx((1 - high, 1 - low), abs=1e-15)


def test_rare_events_keep_their_digits(con):
    low, high = ends(con, "proportion_interval(3, 1000000000, 'clopper-pearson')")
    expected = stats.beta.ppf(0.025, 3, 999999998), stats.beta.ppf(0.975, 4, 999999997)
    assert (low, high) == approx(expected, rel=1e-10)


@pytest.mark.parametrize("call", ["proportion_interval(0, 0)", "proportion_interval(NULL, 5)",
                                  "proportion_interval(1, NULL)",
                                  "proportion_difference_interval(0, 0, 2, 3)",
                                  "proportion_difference_interval(1, 3, NULL, 3, 'score')"])  # fmt: skip
def test_nothing_known_gives_null(con, call):
    found = con.execute(f"select ml.{call}").fetchall()[0][0]
    assert (found["estimate"], found["ci_lower"], found["ci_upper"]) == (None, None, None)


@pytest.mark.parametrize(
    "call, message",
    [
        ("proportion_interval(6, 5)", "successes is 6; it must lie between 0 and n, which is 5"),
        ("proportion_interval(-1, 5)", "successes is -1"),
        ("proportion_interval(1, 5, 'exact')", "method is exact; it must be wilson, wald"),
        ("proportion_interval(1, 5, confidence_level := 95)", "confidence_level is 95"),
        ("proportion_difference_interval(1, 5, 7, 6)", "successes_control is 7"),
        ("proportion_difference_interval(1, 5, 4, 6, 'x')", "method is x; it must be newcombe"),
    ],
)
def test_a_bad_parameter_is_an_error(con, call, message):
    with pytest.raises(duckdb.Error, match=message):
        con.execute(f"select ml.{call}").fetchall()
