"""Conjugate posteriors, against scipy's distributions and against the grid."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

# The quantiles are within 1e-13 of mpmath, scipy's within 1e-10 or so where the tail is small.
QUANTILE = 1e-9
EXACT = 1e-13


def call(con, name, *arguments, **named):
    given_ = ", ".join([*(["?"] * len(arguments)), *(f"{key} := ?" for key in named)])
    return con.execute(
        f"select ml.{name}_posterior({given_})", [*arguments, *named.values()]
    ).fetchall()[0][0]


def cases(con, name, columns, arguments):
    """Posteriors of many cases at once: a quantile takes DuckDB a second to plan."""
    con.register("cases", pa.table(columns))
    found = con.execute(f"select unnest(ml.{name}_posterior({arguments})) from cases").fetchnumpy()
    con.unregister("cases")
    return found


def test_beta_binomial(con):
    rng = np.random.default_rng(1)
    trials = rng.integers(0, 1000, 100)
    k = rng.binomial(trials, rng.random(100))
    a, b = rng.uniform(0.5, 5, (2, 100))
    level = rng.choice([0.5, 0.95, 0.99], 100)
    found = cases(
        con, "beta_binomial", {"k": k, "n": trials, "a": a, "b": b, "level": level},
        "k, n, prior_alpha := a, prior_beta := b, confidence_level := level, next_trials := 7",
    )  # fmt: skip
    expected = stats.beta(a + k, b + trials - k)
    assert found["alpha"] == pytest.approx(a + k, rel=EXACT)
    assert found["beta"] == pytest.approx(b + trials - k, rel=EXACT)
    assert found["mean"] == pytest.approx(expected.mean(), rel=EXACT)
    assert found["sd"] == pytest.approx(expected.std(), rel=1e-12)
    low, high = expected.interval(level)
    assert found["ci_lower"] == pytest.approx(low, rel=QUANTILE)
    assert found["ci_upper"] == pytest.approx(high, rel=QUANTILE)
    predicted = stats.betabinom(7, found["alpha"], found["beta"])
    assert found["predictive_mean"] == pytest.approx(predicted.mean(), rel=1e-12)
    assert found["predictive_sd"] == pytest.approx(predicted.std(), rel=1e-10)


def test_gamma_poisson(con):
    rng = np.random.default_rng(2)
    k = rng.integers(0, 300, 100)
    exposure, shape, rate = rng.uniform([[0.1], [0.5], [0]], [[50], [5], [5]], (3, 100))
    found = cases(
        con, "gamma_poisson", {"k": k, "t": exposure, "shape": shape, "rate": rate},
        "k, t, prior_shape := shape, prior_rate := rate, next_exposure := 2",
    )  # fmt: skip
    expected = stats.gamma(shape + k, scale=1 / (rate + exposure))
    assert found["mean"] == pytest.approx(expected.mean(), rel=EXACT)
    assert found["sd"] == pytest.approx(expected.std(), rel=EXACT)
    low, high = expected.interval(0.95)
    assert found["ci_lower"] == pytest.approx(low, rel=QUANTILE)
    assert found["ci_upper"] == pytest.approx(high, rel=QUANTILE)
    predicted = stats.nbinom(found["shape"], found["rate"] / (found["rate"] + 2))
    assert found["predictive_mean"] == pytest.approx(predicted.mean(), rel=1e-12)
    assert found["predictive_sd"] == pytest.approx(predicted.std(), rel=1e-12)


@given(
    mean=st.floats(-100, 100), n=st.integers(1, 1000), sd=st.floats(0.1, 10),
    prior_mean=st.floats(-100, 100), prior_sd=st.floats(0.1, 10),
)  # fmt: skip
def test_normal_normal_is_the_product_of_the_densities(con, mean, n, sd, prior_mean, prior_sd):
    found = call(con, "normal_normal", mean, n, sd, prior_mean, prior_sd)
    precision = n / sd**2 + 1 / prior_sd**2
    # Means of up to 100 are weighed by shares: abs where they cancel.
    assert found["mean"] == pytest.approx(
        (mean * n / sd**2 + prior_mean / prior_sd**2) / precision, rel=1e-12, abs=1e-12
    )
    assert found["sd"] == pytest.approx(precision**-0.5, rel=EXACT)
    assert found["predictive_sd"] == pytest.approx(np.hypot(sd, found["sd"]), rel=EXACT)
    # The log of the posterior less those of prior and likelihood is the same at every point.
    points = np.linspace(found["ci_lower"], found["ci_upper"], 5)
    constant = (
        stats.norm.logpdf(points, found["mean"], found["sd"])
        - stats.norm.logpdf(points, prior_mean, prior_sd)
        - stats.norm.logpdf(mean, points, sd / np.sqrt(n))
    )
    # the logarithms reach (200 / 0.1 · sqrt(1000))² / 2 = 2e9 and are rounded at 2**-53 of that
    assert np.ptp(constant) < 1e-5


def test_a_flat_prior_gives_the_interval_of_the_data(con):
    found = call(con, "normal_normal", 5, 4, 2, 0, float("inf"))
    assert (found["mean"], found["sd"], found["data_weight"]) == (5, 1, 1)
    assert found["ci_upper"] == pytest.approx(5 + 1.959963984540054, rel=EXACT)


def test_updating_twice_is_updating_once(con):
    first = call(con, "normal_normal", 3, 10, 2, 0, 5)
    second = call(con, "normal_normal", 4, 10, 2, first["mean"], first["sd"])
    once = call(con, "normal_normal", 3.5, 20, 2, 0, 5)
    assert [second[key] for key in ("mean", "sd", "ci_lower", "predictive_sd")] == pytest.approx(
        [once[key] for key in ("mean", "sd", "ci_lower", "predictive_sd")], rel=EXACT
    )


def test_arguments_may_be_aggregates(con):
    query = """
        select species, ml.beta_binomial_posterior(count(*) filter (sex = 'male'), count(sex))
        from penguins group by species order by species
    """
    found = dict(con.execute(query).fetchall())
    # Of 119 Gentoos whose sex is known 61 are males.
    assert (found["Gentoo"]["alpha"], found["Gentoo"]["beta"]) == (62, 59)
    assert found["Gentoo"]["mean"] == pytest.approx(62 / 121, rel=EXACT)
    assert len(found) == 3


def test_null_gives_null(con):
    assert call(con, "beta_binomial", None, 10) is None
    assert call(con, "normal_normal", None, 1, 1, 0, 1) is None


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("beta_binomial", (11, 10), "successes is 11.0; it must lie between 0 and trials"),
        ("beta_binomial", (1, 10, 0), "prior_alpha is 0.0"),
        ("beta_binomial", (1, 10, 1, 1, 95), "confidence_level is 95.0"),
        ("gamma_poisson", (-1, 10), "events is -1.0"),
        ("gamma_poisson", (1, 0), "exposure is 0.0; it or prior_rate"),
        ("normal_normal", (0, 1, 0, 0, 1), "sd is 0.0"),
        ("normal_normal", (0, 1, 1, 0, 0), "prior_sd is 0.0"),
    ],
)
def test_bad_parameters_are_errors(con, name, arguments, message):
    with pytest.raises(duckdb.Error, match=f"ml.{name}_posterior: {message}"):
        call(con, name, *arguments)
