"""The signed-rank and sign tests against scipy, R's help page and enumeration of all signs."""

from __future__ import annotations

import itertools
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
from tests.sql.ranks.samples import DISTINCT, columns, is_unknown, normal, record

ALTERNATIVES = st.sampled_from(["two-sided", "less", "greater"])
ZEROS = st.sampled_from(["wilcox", "pratt", "zsplit"])
DIFFERENCES = st.lists(st.integers(-4, 5).map(float), min_size=14, max_size=30)
PAIRS = (
    "(pivot textbook.depression on visit in (''first'', ''second'') "
    "using max(depression_scale) group by patient)"
)


@pytest.fixture(scope="module")
def con():
    with mlpond.connect() as session:
        load_seed(session, "textbook")
        yield session.con


def wilcoxon(con, options="", source="t", metric="d"):
    return record(con, f"from ml.wilcoxon_signed_rank('{source}', '{metric}'{options})")


def test_depression_as_on_the_help_page_of_r(con):
    row = wilcoxon(con, ", 'second', alternative := 'greater'", PAIRS, "first")
    # R, ?wilcox.test: V = 40, p-value = 0.01953; Hollander & Wolfe (1973), page 29
    assert (row["statistic"], row["p_value"], row["method"]) == (40.0, 0.01953125, "exact")
    # Hollander & Wolfe (1973), pages 33 and 35: estimate 0.46, of first - second
    assert row["estimate"] == approx(0.46, abs=1e-12)


@given(d=DIFFERENCES, alternative=ALTERNATIVES, zeros=ZEROS, correct=st.booleans())
def test_normal_agrees_with_scipy(con, d, alternative, zeros, correct):
    columns(con, d=d)
    row = wilcoxon(
        con,
        f", method := 'normal', alternative := '{alternative}', zero_method := '{zeros}', "
        f"is_continuity_corrected := {correct}",
    )
    if not any(d):
        assert row["p_value"] is None
        return
    expected = stats.wilcoxon(
        d, zero_method=zeros, correction=correct, alternative=alternative, method="asymptotic"
    )
    # z has some 10 roundings, and the tail at |z| < 6 magnifies them at most 36 times
    assert row["p_value"] == approx(expected.pvalue, rel=1e-12)
    if alternative != "two-sided":
        assert row["statistic"] == expected.statistic


@given(d=DISTINCT, alternative=ALTERNATIVES)
def test_exact_agrees_with_scipy(con, d, alternative):
    if len({abs(x) for x in d}) < len(d) or 0.0 in d:
        return
    columns(con, d=d)
    row = wilcoxon(con, f", alternative := '{alternative}'")
    expected = stats.wilcoxon(d, alternative=alternative, method="exact")
    assert row["method"] == "exact"
    assert row["p_value"] == approx(expected.pvalue, rel=1e-12)  # sums of up to 820 terms
    walsh = [(x + y) / 2 for x, y in itertools.combinations_with_replacement(d, 2)]
    assert row["estimate"] == approx(np.median(walsh), rel=1e-12, abs=1e-12)


@given(
    d=st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=9),
    alternative=ALTERNATIVES,
    zeros=ZEROS,
)
def test_exact_with_ties_counts_all_signs(con, d, alternative, zeros):
    columns(con, d=d)
    row = wilcoxon(con, f", alternative := '{alternative}', zero_method := '{zeros}'")
    if not any(d):
        assert row["p_value"] is None
        return
    assert row["method"] == "exact"
    kept = [x for x in d if x] if zeros == "wilcox" else d
    ranks = stats.rankdata(np.abs(kept))
    free = [r for r, x in zip(ranks, kept, strict=True) if x]
    observed = sum(r for r, x in zip(ranks, kept, strict=True) if x > 0)
    sums = [
        sum(itertools.compress(free, signs))
        for signs in itertools.product([0, 1], repeat=len(free))
    ]
    greater = sum(s >= observed for s in sums) / len(sums)
    less = sum(s <= observed for s in sums) / len(sums)
    expected = {"greater": greater, "less": less, "two-sided": min(1, 2 * min(greater, less))}
    # all terms are multiples of 2^-9 and exact
    assert row["p_value"] == approx(expected[alternative], rel=1e-14)


def test_two_columns_are_their_difference(con):
    a, b = normal(1, 30), normal(2, 30, 0.5)
    columns(con, a=a, b=b, d=a - b)
    one, other = wilcoxon(con), record(con, "from ml.wilcoxon_signed_rank('t', 'a', 'b')")
    assert one == other
    mirrored = record(con, "from ml.wilcoxon_signed_rank('t', 'b', 'a')")
    assert mirrored["estimate"] == -one["estimate"]
    assert mirrored["p_value"] == approx(one["p_value"], rel=1e-13)


def test_interval_as_defined(con):
    d = normal(3, 12).tolist()
    columns(con, d=d)
    row = wilcoxon(con)
    # R, psignrank(13, 12) = 0.02099609, psignrank(14, 12) = 0.02612305: the 14th from each end
    walsh = sorted((x + y) / 2 for x, y in itertools.combinations_with_replacement(d, 2))
    assert (row["ci_lower"], row["ci_upper"]) == approx((walsh[13], walsh[-14]), rel=1e-14)
    columns(con, d=d[:4])
    assert wilcoxon(con)["ci_lower"] is None  # the widest has level 1 - 2/16


def test_many_rows_agree_with_scipy(con):
    d = normal(4, 100_000, 0.005)
    columns(con, d=d)
    row = wilcoxon(con)
    assert row["p_value"] == approx(stats.wilcoxon(d).pvalue, rel=1e-11)
    assert row["method"] == "normal"


def test_thin_data(con):
    columns(con, d=[])
    assert is_unknown(wilcoxon(con))
    columns(con, d=[0.0, 0.0, None])
    row = wilcoxon(con)
    assert (row["statistic"], row["p_value"], row["n"], row["n_missing"]) == (None, None, 2, 1)


@pytest.mark.parametrize(
    "options, message",
    [
        (", zero_method := 'drop'", "zero_method is drop; it must be wilcox, pratt or zsplit"),
        (", method := 'fast'", "method is fast"),
        (", alternative := 'more'", "alternative is 'more'"),
    ],
)
def test_a_wrong_parameter_is_an_error(con, options, message):
    columns(con, d=[1.0, 2.0, -3.0])
    with pytest.raises(duckdb.Error, match=message):
        wilcoxon(con, options)


def sign_test(con, options=""):
    return record(con, f"from ml.sign_test('t', 'd'{options})")


@given(d=DIFFERENCES, center=st.integers(-2, 2), alternative=ALTERNATIVES)
def test_signs_agree_with_the_binomial_test(con, d, center, alternative):
    columns(con, d=d)
    row = sign_test(con, f", center := {center}, alternative := '{alternative}'")
    positive, negative = sum(x > center for x in d), sum(x < center for x in d)
    assert row["estimate"] == np.median(d)
    if positive + negative == 0:
        assert row["p_value"] is None
        return
    expected = stats.binomtest(positive, positive + negative, alternative=alternative).pvalue
    assert row["p_value"] == approx(expected, rel=1e-11)  # through its logarithm
    assert row["log10_p_value"] == approx(math.log10(expected), rel=1e-11, abs=1e-12)
    assert row["statistic"] == positive


def test_interval_of_the_median(con):
    d = sorted(normal(5, 20).tolist())
    columns(con, d=d)
    row = sign_test(con)
    # binomial(20, 1/2): P(X <= 5) = 0.0207 <= 0.025 < P(X <= 6), so the 6th from each end
    assert (row["ci_lower"], row["ci_upper"]) == (d[5], d[-6])
    columns(con, d=d[:5])
    assert sign_test(con)["ci_lower"] is None
    columns(con, d=[None])
    assert is_unknown(sign_test(con))
