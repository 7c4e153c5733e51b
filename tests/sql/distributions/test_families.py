"""The special functions and the families that stand on them, against mpmath at 50 digits."""

from __future__ import annotations

import math
import random

import duckdb
import mpmath as mp
import pytest
from scipy import stats

from tests.sql.distributions.accuracy import CASES, Case, points

# Ends of a double's range: below it a product of logarithms has fewer digits than the result.
SMALLEST = mp.mpf("1e-300")


def values(con, function, found):
    arguments = ", ".join(f"r[{i + 1}]" for i in range(len(found[0])))
    query = f"select ml.{function}({arguments}) from (select unnest(?) as r)"
    return [row[0] for row in con.execute(query, [[list(point) for point in found]]).fetchall()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.function)
def test_agrees_with_mpmath(con, case: Case):
    found = points(case, 150)
    compared = 0
    for value, point in zip(values(con, case.function, found), found, strict=True):
        expected = case.exact(*map(mp.mpf, point))
        if abs(expected) < SMALLEST:
            continue
        compared += 1
        # exp magnifies the rounding of its argument, 2**-53 times up to 690, and the argument is a
        # sum of a handful; logarithms and digamma have zeros, near which only 2**-52 absolute holds
        size = abs(mp.log(abs(expected)))
        bound = mp.mpf("3e-14") + mp.mpf("6e-16") * size
        absolute = mp.mpf("3e-16") if "log" in case.function or case.function == "digamma" else 0
        assert abs(mp.mpf(value) - expected) <= bound * abs(expected) + absolute, (point, value)
    assert compared > 60


QUANTILES = {
    "t": [(0.5,), (1,), (3,), (30,), (1e7,)],
    "chi2": [(0.1,), (1,), (5,), (300,), (1e7,)],
    "gamma": [(0.05, 1), (1, 2), (30, 1), (1e6, 1)],
    "beta": [(0.1, 0.2), (2, 3), (500, 2), (1e5, 1e6)],
    "f": [(1, 1), (3, 20), (1000, 5), (200, 1e6)],
    "lognormal": [(0.5, 1), (2, 3)],
    "weibull": [(0.5, 1), (3, 2)],
}


@pytest.mark.parametrize("name", QUANTILES)
def test_the_quantile_inverts_the_nearer_tail(con, name):
    r = random.Random(3)
    ps = [r.random() for _ in range(20)] + [10 ** r.uniform(-250, -1) for _ in range(20)]
    ps += [1 - 10 ** r.uniform(-12, -1) for _ in range(20)]
    listed = [[p, *parameters] for p in ps for parameters in QUANTILES[name]]
    given_ = ", ".join(f"r[{i + 1}]" for i in range(1, len(listed[0])))
    found = con.execute(
        f"with points as (select r, ml.{name}_quantile(r[1], {given_}) as x from (select unnest(?) as r)) "
        f"select r[1], x, ml.{name}_cdf(x, {given_}), ml.{name}_sf(x, {given_}), "
        f"ml.{name}_pdf(x, {given_}) from points",
        [listed],
    ).fetchall()
    for p, x, low, high, density in found:
        if x == 0 or not math.isfinite(x) or not math.isfinite(density):
            continue  # a tiny shape or df: the quantile is beyond the doubles
        tail, target = (low, p) if p <= 0.5 else (high, 1 - p)
        # x itself is rounded, by 2**-53 of it or of its logarithm: that moves the tail by its density
        moved = density * abs(x) * 2.3e-16 * (1 + abs(math.log(abs(x))))
        # and a tail of 1e-250 carries 6e-16 of rounding for each of its 575 e-folds
        assert tail == pytest.approx(target, rel=6e-13, abs=2 * moved), (p, x)


DISCRETE = {
    "binomial": (stats.binom, [(10, 0.5), (1000, 0.01), (10**6, 0.3), (7, 0.999)]),
    "poisson": (stats.poisson, [(0.01,), (2.5,), (1000.0,)]),
    "geometric": (stats.geom, [(0.25,), (0.001,), (0.9,)]),
    "negative_binomial": (stats.nbinom, [(5, 0.5), (0.3, 0.01), (100, 0.9)]),
    "hypergeometric": (stats.hypergeom, [(50, 20, 10), (1000, 3, 500), (20, 20, 5)]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", DISCRETE)
def test_the_quantile_of_a_discrete_family_is_the_smallest_k(con, name):
    peer, parameters = DISCRETE[name]
    for given_ in parameters:
        for p in (1e-9, 0.01, 0.3, 0.51, 0.77, 0.99, 1 - 1e-9):
            listed = ", ".join(map(str, given_))
            ((k, at_k, below),) = con.execute(
                f"select k, ml.{name}_cdf(k, {listed}), ml.{name}_cdf(k - 1, {listed}) "
                f"from (select ml.{name}_quantile({p}, {listed}) as k)"
            ).fetchall()
            assert below < p <= at_k * (1 + 2e-14)  # a tie may be off by rounding
            assert k == peer.ppf(p, *given_)


MOMENTS = {
    "lognormal": "0.5, 2", "gamma": "2.5, 3", "beta": "2, 3", "chi2": "5", "t": "12", "f": "5, 20",
    "weibull": "1.5, 2", "binomial": "40, 0.3", "poisson": "7.5", "geometric": "0.3",
    "negative_binomial": "4, 0.4", "hypergeometric": "60, 25, 20",
}  # fmt: skip


@pytest.mark.parametrize("name", MOMENTS)
def test_draws_have_the_mean_and_variance(con, name):
    n, given_ = 20_000, MOMENTS[name]
    ((mean, variance, drawn_mean, drawn_variance),) = con.execute(
        f"select ml.{name}_mean({given_}), ml.{name}_variance({given_}), avg(x), var_samp(x) "
        f"from (select ml.{name}_random(1, i, {given_}) as x from range({n}) r(i))"
    ).fetchall()
    assert drawn_mean == pytest.approx(mean, abs=5 * math.sqrt(variance / n))
    # the kurtosis of these is below 40, so the variance of the sample variance below 40 / n
    assert drawn_variance == pytest.approx(variance, rel=5 * math.sqrt(40 / n))


@pytest.mark.parametrize("name", MOMENTS)
def test_mass_and_tails_add_up(con, name):
    given_ = MOMENTS[name]
    rows = con.execute(
        f"select ml.{name}_cdf(x, {given_}), ml.{name}_sf(x, {given_}), "
        f"exp(ml.{name}_logcdf(x, {given_})), exp(ml.{name}_logsf(x, {given_})) "
        "from (values (0.2e0), (0.7e0), (1e0), (3e0), (12e0)) t(x)"
    ).fetchall()
    for low, high, log_low, log_high in rows:
        # each is rounded once or twice near 1
        assert low + high == pytest.approx(1, abs=4e-16)
        assert (log_low, log_high) == (
            pytest.approx(low, rel=1e-14),
            pytest.approx(high, rel=1e-14),
        )


@pytest.mark.parametrize(
    "call, message",
    [
        ("t_sf(1, 0)", "ml.t_sf: df is 0.0; it must be greater than 0"),
        ("t_quantile(1.5, 3)", r"p is 1.5; it must lie in \[0, 1\]"),
        ("chi2_cdf(1, -1)", "ml.chi2_cdf: df is -1.0"),
        ("f_sf(1, 2, 0)", "ml.f_sf: df2 is 0.0"),
        ("beta_cdf(0.5, 0, 1)", "ml.beta_cdf: a is 0.0"),
        ("binomial_pmf(1, 2.5, 0.5)", "n is 2.5; it must be a whole number"),
        ("binomial_cdf(1, 2, 1.5)", r"p is 1.5; it must lie in \[0, 1\]"),
        ("binomial_quantile(-1, 2, 0.5)", r"q is -1.0; it must lie in \[0, 1\]"),
        ("poisson_sf(1, -2)", "rate is -2.0"),
        ("geometric_pmf(1, 0)", r"p is 0.0; it must lie in \(0, 1\]"),
        ("hypergeometric_pmf(1, 10, 11, 3)", "successes is 11.0"),
        ("gamma_inc(0, 1)", "ml.gamma_inc: a is 0.0"),
        ("noncentral_t_cdf(1, 0, 1)", "df is 0.0"),
        ("noncentral_f_sf(1, 2, 3, -1)", "noncentrality is -1.0"),
        ("studentized_range_sf(1, 1, 3)", "k is 1.0; it must be 2 or more"),
    ],
)
def test_a_parameter_outside_its_domain_is_an_error(con, call, message):
    with pytest.raises(duckdb.Error, match=message):
        con.execute(f"select ml.{call}").fetchall()


@pytest.mark.parametrize("name", [*MOMENTS, "normal", "cauchy"])
def test_null_and_nan_pass_through(con, name):
    given_ = MOMENTS.get(name, "0, 1")
    null, nan, null_parameter = con.execute(
        f"select ml.{name}_cdf(null, {given_}), ml.{name}_cdf('nan'::double, {given_}), "
        f"ml.{name}_cdf(1, {', '.join(['null'] * len(given_.split(',')))})"
    ).fetchall()[0]
    assert null is None
    assert math.isnan(nan)
    assert null_parameter is None


def test_the_ends_of_the_support(con):
    ((*found,),) = con.execute(
        "select ml.t_sf('inf'::double, 3), ml.t_cdf('-inf'::double, 3), ml.t_sf(0, 3), "
        "ml.gamma_cdf(-1, 2), ml.gamma_sf('inf'::double, 2), ml.beta_cdf(2, 1, 1), "
        "ml.binomial_cdf(-1, 5, 0.5), ml.binomial_cdf(5, 5, 0.5), ml.binomial_pmf(1.5, 5, 0.5), "
        "ml.t_quantile(0.5, 3), ml.chi2_quantile(0, 3), ml.f_quantile(1, 3, 4)"
    ).fetchall()
    assert found == [0, 0, 0.5, 0, 0, 1, 0, 1, 0, 0, 0, math.inf]


def test_infinite_degrees_of_freedom_are_the_normal_distribution(con):
    rows = con.execute(
        "select ml.t_sf(x, 'inf'::double), ml.normal_sf(x), ml.t_sf(x, 1e12), "
        "ml.t_quantile(ml.normal_cdf(-x), 'inf'::double), -x from (values (0.3e0), (2e0), (9e0)) t(x)"
    ).fetchall()
    for at_inf, normal, nearly, quantile, x in rows:
        assert at_inf == pytest.approx(normal, rel=1e-14)
        assert nearly == pytest.approx(normal, rel=1e-8)  # x⁴ / (4 df) at 9
        assert quantile == pytest.approx(x, rel=1e-13)
