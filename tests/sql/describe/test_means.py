"""Weighted, trimmed, winsorized, geometric and harmonic means."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.weightstats import DescrStatsW

# Sums of at most 60 terms of one sign, or of values that are exact in eighths.
CLOSE = 1e-12
VALUES = st.lists(st.integers(-800, 800).map(lambda v: v / 8), min_size=1, max_size=60)


def one(con, expression):
    return con.execute(f"select {expression} from t").fetchall()[0][0]


def weighted(con, x, w):
    con.execute(
        "create or replace table t as select unnest(?)::double as x, unnest(?)::double as w",
        [list(x), list(w)],
    )


PAIRS = st.lists(
    st.tuples(st.integers(-800, 800).map(lambda v: v / 8), st.integers(0, 40)), min_size=1, max_size=50
)  # fmt: skip


@given(pairs=PAIRS)
def test_weighted_mean_and_variance(con, pairs):
    x, w = map(np.array, zip(*pairs, strict=True))
    weighted(con, x.tolist(), w.tolist())
    if w.sum() == 0:
        assert one(con, "ml.weighted_mean(x, w)") is None
        assert one(con, "ml.weighted_variance(x, w)") is None
        return
    expected = DescrStatsW(x, weights=w, ddof=1)
    # the terms cancel; they are at most 100 each
    assert one(con, "ml.weighted_mean(x, w)") == pytest.approx(expected.mean, rel=CLOSE, abs=1e-12)
    population = DescrStatsW(x, weights=w).var
    found = one(con, "ml.weighted_variance(x, w, weights := 'population')")
    assert found == pytest.approx(population, rel=CLOSE, abs=1e-10)
    found = one(con, "ml.weighted_variance(x, w)")
    if w.sum() > 1:
        assert found == pytest.approx(expected.var, rel=CLOSE, abs=1e-10)
    else:
        assert found is None
    found = one(con, "ml.weighted_variance(x, w, weights := 'reliability')")
    if (w > 0).sum() > 1:
        assert found == pytest.approx(np.cov(x, aweights=w), rel=CLOSE, abs=1e-10)
    else:
        assert found is None


@given(pairs=PAIRS)
def test_a_frequency_is_a_number_of_rows(con, pairs):
    weighted(con, *zip(*pairs, strict=True))
    mean, variance = (one(con, f"ml.weighted_{name}(x, w)") for name in ("mean", "variance"))
    con.execute("create or replace table t as select x from t, range(w::bigint)")
    for weighted_one, plain in ((mean, "avg(x)"), (variance, "var_samp(x)")):
        expected = one(con, plain)
        if expected is None:
            assert weighted_one is None
        else:
            assert weighted_one == pytest.approx(expected, rel=CLOSE, abs=1e-10)


def test_a_large_mean_does_not_swallow_the_weighted_variance(con):
    rng = np.random.default_rng(1)
    x, w = np.round(rng.normal(size=200), 4), rng.integers(1, 9, 200)
    weighted(con, (x + 1e8).tolist(), w.tolist())
    # x + 1e8 is rounded by 7e-9; sum(w x²) - (sum w x)² / sum w would keep no digit of 1e16
    assert one(con, "ml.weighted_variance(x, w)") == pytest.approx(
        DescrStatsW(x, weights=w, ddof=1).var, rel=1e-7
    )


@given(values=VALUES, share=st.sampled_from([0.0, 0.1, 0.2, 0.25, 0.29, 0.49]))
def test_trimmed_and_winsorized(con, column, values, share):
    column(values)
    assert one(con, f"ml.trimmed_mean(x, {share})") == pytest.approx(
        stats.trim_mean(values, share), rel=CLOSE, abs=1e-12
    )
    expected = stats.mstats.winsorize(np.array(values), limits=(share, share)).mean()
    assert one(con, f"ml.winsorized_mean(x, {share})") == pytest.approx(
        expected, rel=CLOSE, abs=1e-12
    )


@given(values=st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=60))
def test_geometric_and_harmonic(con, column, values):
    column(values)
    geometric, harmonic = one(con, "ml.geomean(x)"), one(con, "ml.harmonic_mean(x)")
    # the mean of logarithms up to 14 in size is rounded, and made a power
    assert geometric == pytest.approx(stats.gmean(values), rel=1e-13)
    assert harmonic == pytest.approx(stats.hmean(values), rel=1e-13)
    assert harmonic <= geometric * (1 + 1e-13) <= np.mean(values) * (1 + 2e-13)


def test_they_work_by_group_and_leave_out_what_is_missing(con):
    con.execute(
        "create or replace table t as from (values ('a', 1, 1), ('a', 4, 1), ('a', null, 1), "
        "('a', 5, null), ('b', 'nan'::double, 1), ('b', 9, 2)) as v(g, x, w)"
    )
    found = con.execute(
        "select g, ml.weighted_mean(x::double, w), ml.geomean(x::double), "
        "ml.trimmed_mean(x::double, 0.4), ml.harmonic_mean(x::double) from t group by g order by g"
    ).fetchall()
    assert found[0][1:] == pytest.approx((2.5, 20 ** (1 / 3), 4, 3 / 1.45), rel=1e-14)
    assert found[1][1:] == pytest.approx((9, 9, 9, 9), rel=1e-14)


def test_the_thin(con, column):
    column([])
    names = ("trimmed_mean(x, 0.1)", "winsorized_mean(x, 0.1)", "geomean(x)", "harmonic_mean(x)")
    assert [one(con, f"ml.{name}") for name in names] == [None] * 4
    assert one(con, "ml.weighted_mean(x, x)") is None
    assert one(con, "ml.weighted_variance(x, x)") is None
    column([4, 0])
    assert (one(con, "ml.geomean(x)"), one(con, "ml.harmonic_mean(x)")) == (0, 0)
    column([4, -1])
    assert (one(con, "ml.geomean(x)"), one(con, "ml.harmonic_mean(x)")) == (None, None)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("weighted_mean(x, -x)", "ml.weighted_mean: a weight is -2"),
        ("weighted_variance(x, -x)", "ml.weighted_variance: a weight is -2"),
        ("weighted_variance(x, x, weights := 'f')", "weights is f; it must be frequency"),
        ("trimmed_mean(x, 0.5)", r"ml.trimmed_mean: share is 0.5; it must lie in \[0, 0.5\)"),
        ("winsorized_mean(x, -0.1)", "ml.winsorized_mean: share is -0.1"),
    ],
)
def test_bad_parameters_are_errors(con, column, expression, message):
    column([1, 2])
    with pytest.raises(duckdb.Error, match=message):
        one(con, f"ml.{expression}")
