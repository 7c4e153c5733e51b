"""Noncentral distributions and the studentized range, against mpmath, published values and identities."""

from __future__ import annotations

import mpmath as mp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

mp.mp.dps = 30


def value(con, call):
    ((found,),) = con.execute(f"select ml.{call}").fetchall()
    return found


# 40-digit quadrature of the mixture, from the acceptance table of the issue
@pytest.mark.parametrize(
    "call, expected",
    [
        ("noncentral_t_cdf(2, 10, 1.5)", 0.6591540724421908),
        ("noncentral_t_cdf(1.9789, 126, 2.8284)", 0.1985292619824904),
        ("noncentral_t_cdf(-1, 5, 2)", 0.002316375654075119),
        ("noncentral_t_cdf(3, 2.5, 4)", 0.2096450076919211),
        ("noncentral_t_cdf(1.96, 1e5, 2.8)", 0.2004550811854894),
    ],
)
def test_noncentral_t_published(con, call, expected):
    assert value(con, call) == pytest.approx(expected, rel=2e-14)  # 16 digits printed


def mixture_of_normals(t, df, delta):
    """P(T <= t) as the mean of the normal cdf over the chi distribution."""

    def integrand(s):
        density = mp.exp(mp.log(2) + df / 2 * mp.log(df / 2) - mp.loggamma(df / 2)
                         + (df - 1) * mp.log(s) - df * s * s / 2)  # fmt: skip
        return density * mp.erfc((delta - t * s) / mp.sqrt(2)) / 2

    middle = mp.mpf(1)
    width = 12 / mp.sqrt(2 * df)
    low = max(mp.mpf(0), middle - width)
    return mp.quad(integrand, [low, middle, middle + width] if low else [0, 0.25, 1, 1 + width])


@pytest.mark.parametrize("df", [1, 4, 30, 1000])
@pytest.mark.parametrize("delta", [-1.5, 0.0, 3.0])
def test_noncentral_t_agrees_with_quadrature(con, df, delta):
    for t in (-2.5, 0.5, 4.0):
        expected = mixture_of_normals(mp.mpf(t), mp.mpf(df), mp.mpf(delta))
        # the rule is exact to rounding; the quadrature here to some 1e-16
        assert value(con, f"noncentral_t_cdf({t}, {df}, {delta})") == pytest.approx(
            float(expected), rel=1e-12, abs=3e-16
        )


@given(t=st.floats(-30, 60), df=st.floats(0.5, 1e5))
def test_without_noncentrality_it_is_the_central_one(con, t, df):
    ((a, b, c, d, e, f),) = con.execute(
        "select ml.noncentral_t_sf($1, $2, 0), ml.t_sf($1, $2), ml.noncentral_chi2_sf(abs($1), $2, 0), "
        "ml.chi2_sf(abs($1), $2), ml.noncentral_f_cdf(abs($1), 3, $2, 0), ml.f_cdf(abs($1), 3, $2)",
        [t, df],
    ).fetchall()
    # tails down to 1e-300 carry 6e-16 of relative rounding for each e-fold
    assert a == pytest.approx(b, rel=1e-12)
    assert (c, e) == (pytest.approx(d, rel=1e-15), pytest.approx(f, rel=1e-15))


def chi2_mixture(x, df, nc, upper):
    total = mp.mpf(0)
    for j in range(400):
        weight = mp.exp(-nc / 2 + j * mp.log(nc / 2) - mp.loggamma(j + 1))
        a = df / 2 + j
        tail = mp.gammainc(a, x / 2, regularized=True) if upper else mp.gammainc(a, 0, x / 2, regularized=True)  # fmt: skip
        total += weight * tail
    return total


@pytest.mark.parametrize("df, nc", [(0.5, 0.3), (3, 2), (7, 40), (100, 150)])
def test_noncentral_chi2_agrees_with_the_poisson_mixture(con, df, nc):
    for x in (0.5, float(df + nc), 4.0 * (df + nc)):
        for upper, name in ((False, "cdf"), (True, "sf")):
            expected = chi2_mixture(mp.mpf(x), mp.mpf(df), mp.mpf(nc), upper)
            assert value(con, f"noncentral_chi2_{name}({x}, {df}, {nc})") == pytest.approx(
                float(expected), rel=1e-13
            )


@given(x=st.floats(0.05, 20), d1=st.floats(1, 50), d2=st.floats(1, 500), nc=st.floats(0.01, 60))
def test_noncentral_f_agrees_with_scipy_and_adds_up(con, x, d1, d2, nc):
    ((low, high),) = con.execute(
        "select ml.noncentral_f_cdf($1, $2, $3, $4), ml.noncentral_f_sf($1, $2, $3, $4)",
        [x, d1, d2, nc],
    ).fetchall()
    assert low + high == pytest.approx(1, abs=2e-15)  # a sum of up to 100 weighted tails
    # scipy (Boost) promises about 1e-12 here
    assert low == pytest.approx(stats.ncf.cdf(x, d1, d2, nc), rel=1e-9, abs=1e-13)


def test_power_of_a_t_test_from_r(con):
    # R 4: power.t.test(n = 20, delta = 1, sd = 1, strict = TRUE) gives 0.8689530
    power = con.execute(
        "select ml.noncentral_t_sf(t, 38, sqrt(10)) + ml.noncentral_t_cdf(-t, 38, sqrt(10)) "
        "from (select ml.t_quantile(0.975, 38) as t)"
    ).fetchall()[0][0]
    assert power == pytest.approx(0.8689530277, abs=5e-11)  # ten digits


# Tables of the studentized range, Copenhaver & Holland (1988), to the printed digits
@pytest.mark.parametrize(
    "p, k, df, expected",
    [(0.95, 3, 10, 3.877), (0.95, 5, 20, 4.232), (0.99, 4, 30, 4.799), (0.95, 10, 120, 4.560)],
)
def test_studentized_range_tables(con, p, k, df, expected):
    assert value(con, f"studentized_range_quantile({p}, {k}, {df})") == pytest.approx(
        expected, abs=6e-4
    )


@pytest.mark.parametrize("q, k, df", [(1.0, 3, 5), (3.5, 3, 20), (4.2, 10, 50), (9.0, 5, 8)])
def test_studentized_range_agrees_with_scipy(con, q, k, df):
    # scipy integrates to about 1e-11
    found = value(con, f"studentized_range_sf({q}, {k}, {df})")
    assert found == pytest.approx(stats.studentized_range.sf(q, k, df), rel=1e-8, abs=1e-10)
    assert found + value(con, f"studentized_range_cdf({q}, {k}, {df})") == pytest.approx(
        1, abs=1e-13
    )


@pytest.mark.parametrize("q", [0.3, 2.0, 7.0, 40.0])
def test_the_range_of_two_means_is_students_t(con, q):
    # |x1 - x2| / s = sqrt(2) |t|
    for df in (2, 15, 1000):
        expected = 2 * value(con, f"t_sf({q} / sqrt(2), {df})")
        assert value(con, f"studentized_range_sf({q}, 2, {df})") == pytest.approx(
            expected, rel=1e-12
        )


@pytest.mark.slow
def test_studentized_range_quantile_inverts(con):
    rows = con.execute(
        "with points(p, k, df) as (values (0.001, 2, 1), (0.2, 40, 3), (0.6, 3, 1e4), (0.95, 3, 20), "
        "(0.9999, 12, 7.5), (0.5, 30, 1), (0.999999, 3, 1)) select p, ml.studentized_range_cdf(x, k, df), ml.studentized_range_sf(x, k, df) "
        "from (select *, ml.studentized_range_quantile(p, k, df) as x from points)"
    ).fetchall()
    for p, low, high in rows:
        # the quantile's relative 1e-13, times the slope of the tail in ln x, up to 10
        assert (low, high) == (
            pytest.approx(float(p), rel=2e-12),
            pytest.approx(1 - float(p), rel=2e-12),
        )
