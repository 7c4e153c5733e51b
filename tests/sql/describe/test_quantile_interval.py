"""Distribution-free intervals of quantiles, against scipy.stats.quantile_test."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from scipy import stats


def one(con, arguments):
    return con.execute(f"select ml.quantile_interval({arguments}) from t").fetchall()[0][0]


@pytest.mark.parametrize("p", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("level", [0.5, 0.95])
def test_agrees_with_scipy(con, p, level):
    rng = np.random.default_rng(3)
    samples = [rng.integers(-50, 50, n) / 4 for n in (1, 2, 5, 8, 20, 33, 100, 1000)]
    con.execute(
        "create or replace table t as select unnest(?) as g, unnest(?)::double as x",
        [[i for i, s in enumerate(samples) for _ in s], [float(v) for s in samples for v in s]],
    )
    found = con.execute(
        f"select ml.quantile_interval(x, {p}, confidence_level := {level}) from t group by g order by g"
    ).fetchall()
    for (row,), x in zip(found, samples, strict=True):
        expected = stats.quantile_test(x, q=0, p=p).confidence_interval(level)
        low, high = (None if np.isnan(end) else end for end in expected)
        assert (row["ci_lower"], row["ci_upper"]) == (low, high)
        assert row["estimate"] == pytest.approx(np.quantile(x, p), rel=1e-13, abs=1e-13)
        assert row["coverage"] >= level
        assert (row["n"], row["n_missing"]) == (len(x), 0)


def test_the_coverage_is_that_of_the_ranks(con, column):
    # Conover (1999), chapter 3: the 4th and the 12th of 16 values... by the binomial distribution
    column(range(1, 17))
    row = one(con, "x, 0.75, confidence_level := 0.9")
    low, high = row["ci_lower"], row["ci_upper"]  # the values are their ranks
    expected = stats.binom.cdf(high - 1, 16, 0.75) - stats.binom.cdf(low - 1, 16, 0.75)
    assert row["coverage"] == pytest.approx(expected, rel=1e-13)


def test_monotone_transformations_carry_the_interval_along(con, column):
    column(range(1, 60))
    plain = one(con, "x, 0.3")
    powers = one(con, "exp(x / 10), 0.3")
    assert powers["ci_lower"] == pytest.approx(np.exp(plain["ci_lower"] / 10), rel=1e-15)
    assert powers["ci_upper"] == pytest.approx(np.exp(plain["ci_upper"] / 10), rel=1e-15)


def test_the_thin_and_the_missing(con, column):
    column([])
    row = one(con, "x, 0.5")
    assert (row["estimate"], row["ci_lower"], row["coverage"], row["n"]) == (None, None, None, 0)
    column([5, None, "nan"])
    row = one(con, "x, 0.5")
    assert (row["estimate"], row["ci_lower"], row["ci_upper"]) == (5, None, None)
    assert (row["n"], row["n_missing"]) == (1, 2)


@pytest.mark.parametrize(
    ("arguments", "message"), [("x, 0", "p is 0"), ("x, 0.5, 1", "confidence_level is 1")]
)
def test_bad_parameters_are_errors(con, column, arguments, message):
    column([1, 2, 3])
    with pytest.raises(duckdb.Error, match=f"ml.quantile_interval: {message}"):
        one(con, arguments)
