"""The laws of large numbers and of the central limit, simulated."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from scipy import stats

from mlpond.sql import catalog

# Every family with parameters of which mean and variance exist.
PARAMETERS = {
    "beta": [2, 3], "binomial": [10, 0.3], "chi2": [4], "exponential": [2], "f": [5, 10],
    "gamma": [2, 3], "geometric": [0.3], "hypergeometric": [50, 20, 10], "laplace": [1, 2],
    "logistic": [1, 2], "lognormal": [0.5, 1], "negative_binomial": [5, 0.4], "normal": [1, 2],
    "pareto": [5, 2], "poisson": [4], "t": [5], "uniform": [-1, 3], "weibull": [2, 3],
    "cauchy": [0, 1],
}  # fmt: skip
FAMILIES = sorted(
    entry.name.removesuffix("_random")
    for entry in catalog()
    if entry.field == "distributions" and entry.name.endswith("_random")
)


def lln(con, name, parameters, n, seed=42):
    query = f"from ml.simulate_lln('{name}', {parameters}, n := {n}, seed := {seed})"
    return con.execute(query).fetchnumpy()


def clt(con, name, parameters, size, samples, seed=42):
    return con.execute(
        f"from ml.simulate_clt('{name}', {parameters}, sample_size := {size}, "
        f"n_samples := {samples}, seed := {seed})"
    ).fetchnumpy()


@pytest.mark.parametrize("name", FAMILIES)
def test_every_distribution_can_be_simulated(con, name):
    found = lln(con, name, PARAMETERS[name], 300)
    assert found["n"].tolist() == list(range(1, 301))
    # sums of 300 numbers in another order
    means = np.cumsum(found["value"]) / found["n"]
    assert found["running_mean"] == pytest.approx(means, rel=1e-12, abs=1e-12)
    if name == "cauchy":
        assert np.ma.getmaskarray(found["mean"]).all()
        return
    # five standard errors: false once in two million times for a normal mean, and the seed is fixed
    assert abs(found["running_mean"][-1] - found["mean"][-1]) < 5 * found["standard_error"][-1]
    z = stats.norm.ppf(0.975)
    assert found["band_upper"] == pytest.approx(
        found["mean"] + z * found["standard_error"], rel=1e-12
    )


def test_draws_are_those_of_the_distribution(con):
    found = lln(con, "normal", [10, 2], 50, seed=7)["value"]
    expected = con.execute("select ml.normal_random(7, i, 10, 2) as x from range(1, 51) t(i)")
    assert found.tolist() == expected.fetchnumpy()["x"].tolist()


@pytest.mark.parametrize("name", ["exponential", "poisson"])
def test_the_distance_is_that_of_scipy(con, name):
    found = clt(con, name, PARAMETERS[name], 5, 200)
    distance = stats.kstest(found["z"], "norm").statistic
    assert len(set(found["kolmogorov_distance"].tolist())) == 1
    assert found["kolmogorov_distance"][0] == pytest.approx(distance, rel=1e-12)
    assert found["ecdf"] == pytest.approx(
        np.searchsorted(np.sort(found["z"]), found["z"], side="right") / 200, rel=1e-14
    )
    assert found["normal_cdf"] == pytest.approx(stats.norm.cdf(found["z"]), rel=1e-12)


def test_a_sum_is_that_of_its_own_draws(con):
    found = clt(con, "uniform", [0, 1], 600, 3)  # more than two pieces of 256
    for sample, mean in zip(found["sample"], found["mean"], strict=True):
        start = (sample - 1) * 600
        ((expected,),) = con.execute(
            "select avg(ml.uniform_random(42, i, 0, 1)) from range(?, ?) t(i)",
            [int(start), int(start) + 600],
        ).fetchall()
        assert mean == pytest.approx(expected, rel=1e-13)


def test_larger_samples_come_nearer_to_the_normal_distribution(con):
    distances = [
        clt(con, "exponential", [1], size, 4000)["kolmogorov_distance"][0] for size in (1, 5, 50)
    ]
    # 0.16 for one draw; Berry and Esseen bound the fall by 1 / sqrt(size); 4000 samples add
    # 0.0215 at the 95 % point of Kolmogorov's distribution
    assert distances[0] > distances[1] > 2 * distances[2]
    assert distances[0] == pytest.approx(stats.norm.cdf(-1), abs=0.03)


def test_rows_do_not_depend_on_threads(con):
    def all_rows():
        return [
            con.execute(query).fetchall()
            for query in (
                "from ml.simulate_lln('gamma', [2, 3], n := 20000)",
                "from ml.simulate_clt('lognormal', [1], sample_size := 300, n_samples := 3000)",
            )
        ]

    con.execute("set threads = 1")
    one = all_rows()
    con.execute("set threads = 4")
    assert all_rows() == one  # bit for bit
    con.execute("reset threads")
    assert lln(con, "normal", [0, 1], 5, seed=1)["value"].tolist() != (
        lln(con, "normal", [0, 1], 5, seed=2)["value"].tolist()
    )


def test_a_mean_or_a_variance_that_is_not_there_is_null(con):
    found = lln(con, "pareto", [1.5], 10)  # a mean of 3 and no variance
    assert found["mean"][0] == pytest.approx(3)
    assert np.ma.getmaskarray(found["standard_error"]).all()
    found = clt(con, "cauchy", [0, 1], 5, 20)
    for column in ("z", "ecdf", "normal_cdf", "kolmogorov_distance"):
        assert np.ma.getmaskarray(found[column]).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("simulate_lln('norm', [0, 1])", "distribution is norm; it must be one of"),
        ("simulate_lln('normal', [])", "list of numbers is empty"),
        ("simulate_lln('normal', [0, -1])", "sd is -1"),
        ("simulate_lln('normal', [0, 1], n := 0)", "simulate_lln: n is 0"),
        ("simulate_lln('normal', [0, 1], confidence_level := 1)", "confidence_level is 1"),
        ("simulate_clt('normal', [0, 1], sample_size := 0)", "sample_size is 0"),
        ("simulate_clt('normal', [0, 1], n_samples := -1)", "n_samples is -1"),
    ],
)
def test_bad_parameters_are_errors(con, call, message):
    with pytest.raises(duckdb.Error, match=message):
        con.execute(f"from ml.{call}").fetchall()
