"""Permutation and bootstrap: against scipy where the answer is known, and their own laws."""

from __future__ import annotations

import itertools
import math

import duckdb
import numpy as np
import pytest
from pytest import approx
from scipy import stats

from tests.sql.ranks.samples import columns, is_unknown, load, normal, record


def permutation(con, options="", source="t"):
    return record(con, f"from ml.permutation_test('{source}', 'y', 'g'{options})")


def bootstrap(con, options="", source="t"):
    return record(con, f"from ml.bootstrap_ci('{source}', 'y'{options})")


@pytest.mark.parametrize("statistic, function", [("mean", np.mean), ("median", np.median)])
@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
def test_splits_are_drawn_evenly(con, statistic, function, alternative):
    a, b = [1.2, 3.4, 2.2, 5.1], [4.0, 3.9, 6.1, 2.5, 7.7]
    load(con, {"a": a, "b": b})
    row = permutation(con, f", alternative := '{alternative}', statistic := '{statistic}'")
    pooled = np.array(a + b)
    differences = []
    for chosen in itertools.combinations(range(9), 5):
        mask = np.isin(np.arange(9), chosen)
        differences.append(function(pooled[mask]) - function(pooled[~mask]))
    observed = function(b) - function(a)
    assert row["estimate"] == approx(observed, rel=1e-14)
    greater = np.mean(np.array(differences) >= observed - 1e-12)
    less = np.mean(np.array(differences) <= observed + 1e-12)
    expected = {"greater": greater, "less": less, "two-sided": min(1, 2 * min(greater, less))}[
        alternative
    ]
    # 9,999 draws: three standard errors of the share, doubled where p is twice a share
    assert row["p_value"] == approx(expected, abs=2 * 3 * 0.5 / math.sqrt(9999))
    assert row["standard_error"] == approx(np.std(differences), rel=0.03)  # 1/√(2·9999) is 0.7 %


def test_the_effect_is_in_standard_deviations_within_the_groups(con):
    a, b = [1.2, 3.4, 2.2, 5.1], [4.0, 3.9, 6.1, 2.5, 7.7]
    load(con, {"a": a, "b": b})
    sd = math.sqrt((3 * np.var(a, ddof=1) + 4 * np.var(b, ddof=1)) / 7)
    for statistic, function in (("mean", np.mean), ("median", np.median)):
        row = permutation(con, f", n_resamples := 9, statistic := '{statistic}'")
        # centred sums of nine squares
        assert row["effect_size"] == approx((function(b) - function(a)) / sd, rel=1e-13)
    load(con, {"a": [1.0, 1.0], "b": [2.0, 2.0]})
    assert permutation(con, ", n_resamples := 9")["effect_size"] is None


def test_p_is_never_zero(con):
    load(con, {"a": list(range(20)), "b": list(range(100, 120))})
    row = permutation(con, ", n_resamples := 99")
    assert row["p_value"] == approx(0.02, rel=1e-14)  # 2 (0 + 1) / (99 + 1)


@pytest.mark.parametrize("threads", [1, 4])
def test_the_order_of_rows_and_threads_do_not_matter(con, threads):
    load(con, {"a": normal(1, 300).round(1).tolist(), "b": normal(2, 200).round(1).tolist()})
    expected = permutation(con, ", n_resamples := 200"), bootstrap(con, ", n_resamples := 200")
    con.execute(f"set threads = {threads}")
    for key in ("y", "hash(y * 17)"):
        source = f"(from t order by {key})"
        again = permutation(con, ", n_resamples := 200", source)
        assert again["p_value"] == expected[0]["p_value"]
        # sums of the same rows in another order
        assert again["standard_error"] == approx(expected[0]["standard_error"], rel=1e-13)
        assert bootstrap(con, ", n_resamples := 200", source)["ci_lower"] == approx(
            expected[1]["ci_lower"], rel=1e-13
        )
    con.execute("reset threads")
    assert permutation(con, ", n_resamples := 200, seed := 1")["p_value"] != expected[0]["p_value"]


def test_permutation_refuses_and_knows_nothing(con):
    load(con, {"a": [1.0, None]})
    assert is_unknown(permutation(con), ("n", "n_missing", "n_resamples"))
    load(con, {"a": [1.0], "b": [2.0]})
    with pytest.raises(duckdb.Error, match="n_resamples is 0; it must be at least 1"):
        permutation(con, ", n_resamples := 0")
    with pytest.raises(duckdb.Error, match="alternative is 'up'"):
        permutation(con, ", alternative := 'up'")


@pytest.mark.parametrize("method", ["percentile", "basic", "bca"])
@pytest.mark.parametrize(
    "statistic, function",
    [
        ("mean", np.mean),
        ("median", np.median),
        ("stddev_samp", lambda y, axis: np.std(y, axis=axis, ddof=1)),
    ],
)
def test_ends_are_near_those_of_scipy(con, method, statistic, function):
    y = np.random.default_rng(5).gamma(2.0, 1.0, 150)
    columns(con, y=y)
    row = bootstrap(con, f", statistic := '{statistic}', method := '{method}', n_resamples := 4000")
    expected = stats.bootstrap(
        (y,), function, method="BCa" if method == "bca" else method, n_resamples=9999, rng=1
    )
    error = expected.standard_error
    assert row["standard_error"] == approx(error, rel=0.08)
    # an end is a quantile of 4,000 draws, known to 0.04 standard errors; twice that in the tail of BCa,
    # and a Poisson number of rows adds some
    assert row["ci_lower"] == approx(expected.confidence_interval.low, abs=0.25 * error)
    assert row["ci_upper"] == approx(expected.confidence_interval.high, abs=0.25 * error)


def test_the_mean_has_its_standard_error(con):
    y = normal(3, 2000)
    columns(con, y=y)
    row = bootstrap(con)
    assert row["estimate"] == approx(y.mean(), rel=1e-12)
    assert row["standard_error"] == approx(
        stats.sem(y), rel=0.1
    )  # 1/√2000 of 1,000 resamples is 2 %
    assert abs(row["bias"]) < 0.15 * row["standard_error"]
    one_sided = bootstrap(con, ", alternative := 'greater'")
    assert one_sided["ci_upper"] == math.inf
    assert one_sided["ci_lower"] > row["ci_lower"]


def test_a_shift_moves_the_interval(con):
    y = normal(4, 60).tolist()
    columns(con, y=y)
    one = bootstrap(con, ", 'median', method := 'bca'")
    columns(con, y=[v + 8 for v in y])
    other = bootstrap(con, ", 'median', method := 'bca'")
    # the same draws; adding 8 rounds to 1e-15
    assert other["ci_lower"] == approx(one["ci_lower"] + 8, rel=1e-12)
    assert other["ci_upper"] == approx(one["ci_upper"] + 8, rel=1e-12)


def test_bootstrap_of_thin_data_is_unknown(con):
    for y in ([], [1.0], [None, math.nan, 2.0]):
        columns(con, y=y)
        row = bootstrap(con)
        assert is_unknown(row, ("n", "n_missing", "n_resamples"))
    assert (row["n"], row["n_missing"]) == (1, 2)
    columns(con, y=[2.0, 2.0, 2.0])
    row = bootstrap(con)
    assert (row["estimate"], row["ci_lower"], row["ci_upper"]) == (2.0, 2.0, 2.0)
    for options, message in (
        (", method := 'bc'", "method is bc; it must be percentile, basic or bca"),
        (", n_resamples := 1", "n_resamples is 1; it must be at least 2"),
        (", confidence_level := 2", "confidence_level is"),
    ):
        with pytest.raises(duckdb.Error, match=message):
            bootstrap(con, options)
