import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from fitting import blocks, layout_of, moments, one_hot, train
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.genmod.families import family as sm_family
from statsmodels.genmod.families import links as sm_links

from mlpond.udfs.linear.fit import Options
from mlpond.udfs.linear.generalized import generalized_linear_model
from mlpond.udfs.linear.likelihoods import FAMILIES, Likelihood
from mlpond.udfs.linear.negative_binomial import curve, rising_sums
from mlpond.udfs.linear.newton import NewtonPass
from mlpond.udfs.linear.sample import SamplePass
from mlpond.udfs.linear.task import Task

approx = pytest.approx

N = 300
LINKS = {
    "identity": sm_links.Identity, "log": sm_links.Log, "inverse": sm_links.InversePower,
    "inverse_squared": sm_links.InverseSquared, "sqrt": sm_links.Sqrt, "logit": sm_links.Logit,
    "probit": sm_links.Probit, "cloglog": sm_links.CLogLog, "loglog": sm_links.LogLog,
}  # fmt: skip
PAIRS = [(family.name, link) for family in FAMILIES.values() for link in family.links]
ALPHA = 0.6


@pytest.fixture(scope="module")
def data():
    """Columns, offset and weights, and for each family and link labels drawn from the model."""
    rng = np.random.default_rng(8)
    X = np.c_[rng.normal(size=N), rng.uniform(1000, 1001, N)]
    code = rng.integers(0, 3, N)
    eta = 2.0 + 0.3 * X[:, 0] + 0.5 * (X[:, 1] - 1000.5) + 0.2 * code
    labels = {}
    for family, link in PAIRS:
        z = eta - 2.0 if family == "binomial" else eta
        mu = LINKS[link]().inverse(z)
        labels[family, link] = {
            "gaussian": lambda mu: mu + 0.1 * rng.normal(size=N),
            "poisson": rng.poisson,
            "negative_binomial": lambda mu: rng.poisson(mu * rng.gamma(1 / ALPHA, ALPHA, N)),
            "gamma": lambda mu: rng.gamma(4.0, mu / 4.0),
            "inverse_gaussian": lambda mu: rng.wald(mu, 20.0),
            "binomial": lambda mu: (rng.random(N) < mu).astype(float),
        }[family](mu).astype(float)
    offset, weight = 0.2 * rng.random(N), rng.integers(1, 4, N).astype(float)
    return X, code, labels, offset, weight


def peer_family(family, link, alpha=ALPHA):
    name = {"negative_binomial": "NegativeBinomial", "inverse_gaussian": "InverseGaussian"}
    kind = getattr(sm_family, name.get(family, family.capitalize()))
    more = {"alpha": alpha} if family == "negative_binomial" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some pairs are unusual
        return kind(LINKS[link](), **more)


def fit(X, y, family, link, *, codes=(), sizes=(), weight=None, offset=None, options=None, **more):
    sums = moments(X, y)
    first = generalized_linear_model(
        layout_of(X, sizes), sums, options or Options(calculate_p_values=True), family, link,
        has_offset=offset is not None, **more,
    )  # fmt: skip
    return train(first, blocks(X, y, codes, weight, [N // 3, len(y) - N // 3], offset=offset))


@pytest.mark.parametrize("family, link", PAIRS)
def test_agrees_with_statsmodels(data, family, link):
    X, code, labels, offset, weight = data
    y = labels[family, link]
    alpha = ALPHA if family == "negative_binomial" else None
    got = fit(
        X, y, family, link, codes=(code - 1,), sizes=(2,), weight=weight, offset=offset,
        alpha=alpha,
    )  # fmt: skip
    M = np.c_[X[:, 0], X[:, 1] - 1000.5, one_hot(code - 1, 2), np.ones(N)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = sm.GLM(
            y, M, family=peer_family(family, link), var_weights=weight, offset=offset
        ).fit(tol=1e-14, tol_criterion="params", maxiter=300)
    assert got.converged
    # the intercept of raw columns lies 1000.5 columns away, and is compared where they are
    moved = got.intercept[0] + 1000.5 * got.coefficients[0, 1]
    assert np.r_[got.coefficients[0], moved] == approx(peer.params, rel=1e-8)
    tests, found = got.inference.raw, got.deviances
    assert tests.standard_error[:-1] == approx(peer.bse[:-1], rel=1e-8)
    assert tests.statistic[:-1] == approx(peer.tvalues[:-1], rel=1e-7)
    # z² / 2 = 400 magnifies an error of z
    assert tests.normal_p_value[:-1] == approx(peer.pvalues[:-1], rel=1e-5)
    assert (found.deviance, found.pearson_chi2, found.dispersion) == approx(
        (peer.deviance, peer.pearson_chi2, peer.scale), rel=1e-9
    )
    assert (found.log_likelihood, found.aic, found.bic) == approx(
        (peer.llf, peer.aic, peer.bic_llf), rel=1e-9
    )
    assert found.df_residual == peer.df_resid
    assert found.null_deviance == approx(peer.null_deviance, rel=1e-7)  # the peer's tolerance 1e-8


# --- published outputs ----------------------------------------------------------------------


def test_agrees_with_dobsons_randomised_trial():
    """R's ?glm: counts of Dobson (1990), table p. 93, poisson, as summary.glm prints them."""
    counts = np.array([18, 17, 15, 20, 10, 20, 25, 13, 12], dtype=float)
    outcome, treatment = np.tile([0, 1, 2], 3), np.repeat([0, 1, 2], 3)
    got = fit(
        np.empty((9, 0)), counts, "poisson", "log", codes=(outcome - 1, treatment - 1), sizes=(2, 2)
    )
    tests, found = got.inference.raw, got.deviances
    # digits as printed; R's 1.3e-15 is its rounding of 0
    assert np.r_[got.intercept, got.coefficients[0]] == approx(
        [3.045, -0.4543, -0.2930, 0.0, 0.0], abs=5e-4
    )
    assert got.coefficients[0] == approx([-0.4543, -0.2930, 0.0, 0.0], abs=5e-5)
    errors = tests.standard_error
    assert errors == approx([0.2022, 0.1927, 0.2000, 0.2000, 0.1709], abs=5e-5)
    assert tests.statistic[[4, 0, 1]] == approx([17.815, -2.247, -1.520], abs=5e-4)
    assert tests.p_value[:2] == approx([0.0246, 0.1285], abs=5e-5)
    assert (found.null_deviance, found.deviance) == approx((10.5814, 5.1291), abs=5e-5)
    assert (found.df_null, found.df_residual) == (8, 4)
    assert found.aic == approx(56.76, abs=5e-3)


@pytest.mark.parametrize(
    "lot, estimates, errors, statistics, p_values, dispersion, null, deviance",
    [
        ([118, 58, 42, 35, 27, 25, 21, 19, 18], (-0.01655438, 0.01534311),
         (0.00092754, 0.00041496), (-17.85, 36.98), (4.28e-07, 2.75e-09), 0.002446059, 3.51283,
         0.01673),
        ([69, 35, 26, 21, 18, 16, 13, 12, 12], (-0.02390849, 0.02359922),
         (0.00132645, 0.00057678), (-18.02, 40.91), (4.00e-07, 1.36e-09), 0.001813354, 3.118557,
         0.012672),
    ],
)  # fmt: skip
def test_agrees_with_the_clotting_times(
    lot, estimates, errors, statistics, p_values, dispersion, null, deviance
):
    """R's ?glm: McCullagh & Nelder (1989), p. 300, gamma with the inverse link.

    R stops where the deviance gains 1e-8, one iteration before ours: six digits of the seven and
    more that it prints, five of what follows from its dispersion.
    """
    u = np.log([5.0, 10, 15, 20, 30, 40, 60, 80, 100])
    got = fit(u[:, None], np.array(lot, dtype=float), "gamma", None)
    tests, found = got.inference.raw, got.deviances
    assert np.r_[got.intercept, got.coefficients[0]] == approx(estimates, rel=2e-6)
    assert tests.standard_error[::-1] == approx(errors, rel=2e-5)
    assert tests.statistic[::-1] == approx(statistics, abs=6e-3)
    assert tests.p_value[::-1] == approx(p_values, rel=2e-3)  # Student's t with 7 degrees
    assert found.dispersion == approx(dispersion, rel=2e-5)
    assert (found.null_deviance, found.deviance) == approx((null, deviance), abs=5e-6)
    assert (found.df_null, found.df_residual) == (8, 7)


def test_agrees_with_the_budworms():
    """Venables & Ripley (2002), section 7.2: 20 moths a dose, shares with weights."""
    dose, sex = np.tile(np.arange(6.0), 2), np.repeat([1.0, 0.0], 6)
    dead = np.array([1, 4, 9, 13, 18, 20, 0, 2, 6, 10, 12, 16]) / 20
    got = fit(np.c_[sex, dose, sex * dose], dead, "binomial", None, weight=np.full(12, 20.0))
    tests, found = got.inference.raw, got.deviances
    assert np.r_[got.intercept, got.coefficients[0]] == approx(
        [-2.9935, 0.1750, 0.9060, 0.3529], abs=5e-5
    )
    assert tests.standard_error == approx([0.7783, 0.1671, 0.2700, 0.5527], abs=5e-5)
    assert (found.null_deviance, found.deviance) == approx((124.8756, 4.9937), abs=5e-5)
    assert found.aic == approx(43.104, abs=5e-4)


# --- the negative binomial's dispersion -------------------------------------------------------


def test_the_dispersion_is_that_of_maximum_likelihood(data):
    X, _, labels, _, _ = data
    y = labels["negative_binomial", "log"]
    got = fit(X, y, "negative_binomial", "log")
    M = sm.add_constant(X - [0, 1000.5], prepend=False)
    peer = sm.NegativeBinomial(y, M).fit(method="newton", maxiter=100, tol=1e-12, disp=0)
    found = got.deviances
    # the peer stops at a gradient of 1e-10 or so
    assert found.alpha == approx(peer.params[-1], rel=1e-7)
    assert got.coefficients[0] == approx(peer.params[:2], rel=1e-7)
    assert found.log_likelihood == approx(peer.llf, rel=1e-11)
    assert (found.aic, found.bic) == approx((peer.aic, peer.bic), rel=1e-11)
    # its Hessian is the observed one, with a term between weights and dispersion: n^(-1/2) apart
    assert found.alpha_error == approx(peer.bse[-1], rel=0.05)
    # the same tests as at that dispersion given
    given_ = fit(X, y, "negative_binomial", "log", alpha=found.alpha)
    assert got.inference.raw.standard_error == approx(given_.inference.raw.standard_error, rel=1e-9)
    assert given_.deviances.aic == approx(found.aic - 2, rel=1e-12)


def test_counts_that_vary_less_than_poissons_are_said():
    x = np.arange(12.0)
    y = np.tile([3.0, 4.0, 3.0], 4)
    got = fit(x[:, None], y, "negative_binomial", None)
    assert got.deviances.alpha == 0.0
    assert [w.kind for w in got.warnings] == ["no_overdispersion"]
    poisson = fit(x[:, None], y, "poisson", None)
    assert got.coefficients == approx(poisson.coefficients, rel=1e-9)
    assert got.deviances.log_likelihood == approx(poisson.deviances.log_likelihood, rel=1e-12)


@given(st.integers(0, 400), st.floats(1e-9, 50))
@settings(deadline=None, max_examples=20)
def test_rising_sums_are_log_gammas(y, alpha):
    import mpmath

    log, slope, curvature = (s[0] for s in rising_sums(np.array([float(y)]), alpha))
    with mpmath.workdps(40):
        a = mpmath.mpf(alpha)
        expected = mpmath.loggamma(y + 1 / a) - mpmath.loggamma(1 / a) + y * mpmath.log(a)
        first = mpmath.fsum(j / (1 + a * j) for j in range(y))
        second = mpmath.fsum((j / (1 + a * j)) ** 2 for j in range(y))
    # a sum of up to 400 terms of one sign
    assert (log, slope, curvature) == approx(
        (float(expected), float(first), float(second)), rel=1e-13, abs=1e-30
    )


def test_the_curve_keeps_its_digits_where_it_cancels():
    import mpmath

    t = np.r_[0.0, np.logspace(-12, 3, 61), 0.0099999, 0.01]
    g, slope = curve(t)
    with mpmath.workdps(60):

        def exact(v):
            v = mpmath.mpf(v)
            return mpmath.log(1 + v) / v**2 - 1 / (v * (1 + v))

        expected = [exact(v) for v in t[1:]]
        slopes = [mpmath.diff(exact, v, relative=True) for v in t[1:]]
    assert (g[0], slope[0]) == approx((1 / 2, -2 / 3), rel=1e-15)
    # at t = 0.01 the closed forms cancel 1 / t² and 1 / t³: 4 and 6 digits of 16
    assert g[1:] == approx(np.array(expected, dtype=float), rel=1e-11)
    assert slope[1:] == approx(np.array(slopes, dtype=float), rel=1e-9)


# --- laws -----------------------------------------------------------------------------------


@given(st.sampled_from(PAIRS), st.floats(0.2, 2.0), st.integers(0, 2**31))
@settings(deadline=None, max_examples=20)
def test_the_slope_is_a_central_difference(pair, score, seed):
    rng = np.random.default_rng(seed)
    likelihood = Likelihood.of(*pair, alpha=0.7)
    y = (
        rng.integers(0, 2, 4).astype(float)
        if pair[0] == "binomial"
        else rng.integers(1, 9, 4) / 1.0
    )
    z, h = np.full(4, score), np.finfo(float).eps ** (1 / 3)
    up, down = (likelihood.terms(z + s * h, y)[0] for s in (1, -1))
    loss, slope, curvature = likelihood.terms(z, y)
    # h² = 4e-11 times a third derivative, which is up to y² / 0.2⁵ = 3e5 here
    assert (up - down) / (2 * h) == approx(slope, abs=1e-4, rel=1e-7)
    assert (loss >= -1e-15).all()
    assert (curvature >= 0).all()


def test_order_blocks_and_threads_do_not_matter(data):
    X, code, labels, offset, weight = data
    y = labels["gamma", "log"]
    sums = moments(X, y)

    def trained(rows, sizes, threads):
        first = generalized_linear_model(
            layout_of(X, (3,)), sums, Options(calculate_p_values=True), "gamma", "log",
            has_offset=True,
        )  # fmt: skip
        parts = blocks(X[rows], y[rows], (code[rows],), weight[rows], sizes, offset=offset[rows])
        return train(first, parts, threads)

    one = trained(np.arange(N), [N], 1)
    other = trained(np.random.default_rng(0).permutation(N), [100, 0, 150, 50], 1)
    again = trained(np.random.default_rng(0).permutation(N), [100, 0, 150, 50], 2)
    assert other.coefficients == approx(one.coefficients, rel=1e-9)
    assert other.deviances.log_likelihood == approx(one.deviances.log_likelihood, rel=1e-12)
    assert (again.coefficients == other.coefficients).all()
    assert again.deviances == other.deviances or np.isnan(again.deviances.alpha)


def test_a_weight_of_zero_takes_a_row_out_and_integers_repeat_it(data):
    X, _, labels, offset, _ = data
    y = labels["poisson", "log"]
    weight = np.random.default_rng(3).integers(0, 3, N).astype(float)
    kept = np.repeat(np.arange(N), weight.astype(int))
    sums = moments(X[kept], y[kept])

    def trained(rows, weight):
        first = generalized_linear_model(
            layout_of(X), sums, Options(calculate_p_values=True), "poisson", has_offset=True
        )
        return train(first, blocks(X[rows], y[rows], weight=weight, offset=offset[rows]))

    weighted, repeated = trained(np.arange(N), weight), trained(kept, None)
    assert weighted.coefficients == approx(repeated.coefficients, rel=1e-9)
    assert weighted.inference.raw.standard_error == approx(
        repeated.inference.raw.standard_error, rel=1e-9
    )
    assert weighted.deviances.df_residual == np.count_nonzero(weight) - 3


def test_an_offset_that_is_a_column_is_a_coefficient_of_one(data):
    X, _, labels, _, _ = data
    y = labels["poisson", "log"]
    with_offset = fit(X[:, :1], y, "poisson", "log", offset=0.7 * (X[:, 1] - 1000))
    free = fit(X, y, "poisson", "log")
    # adding c to the offset takes c from the weight: the free fit, less 0.7
    again = fit(X, y, "poisson", "log", offset=0.7 * (X[:, 1] - 1000))
    assert again.coefficients[0] == approx(free.coefficients[0] - [0, 0.7], abs=1e-9)
    assert again.deviances.deviance == approx(free.deviances.deviance, rel=1e-12)
    assert with_offset.deviances.deviance >= free.deviances.deviance
    assert with_offset.deviances.null_deviance == approx(again.deviances.null_deviance, rel=1e-12)


@pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.DomainWarning")
@pytest.mark.parametrize("pair", [("gaussian", "identity"), ("gamma", "inverse"),
                                  ("inverse_gaussian", "inverse_squared"), ("poisson", "sqrt"),
                                  ("poisson", "log"), ("binomial", "probit")])  # fmt: skip
def test_no_intercept(data, pair):
    X, _, labels, _, _ = data
    y = labels[pair]
    M = np.c_[np.abs(X[:, 0]) / 3, X[:, 1] - 999.0]
    got = fit(M, y, *pair, options=Options(calculate_p_values=True, fit_intercept=False))
    peer = sm.GLM(y, M, family=peer_family(*pair)).fit(
        tol=1e-14, tol_criterion="params", maxiter=300
    )
    assert got.coefficients[0] == approx(peer.params, rel=1e-8)
    assert got.intercept == approx(0.0)
    assert got.inference.raw.standard_error[:-1] == approx(peer.bse, rel=1e-8)
    assert got.deviances.log_likelihood == approx(peer.llf, rel=1e-10)


def test_penalties_act_on_half_the_deviance(data):
    X, _, labels, _, _ = data
    y = labels["poisson", "log"]
    Z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)

    def objective(fit, l1, l2):
        w = fit.standardised[0]
        mu = np.exp(Z @ w + fit.standardised_intercept[0])
        half = np.sum(np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / mu), 0) - (y - mu))
        return half + l1 * np.abs(w).sum() + l2 / 2 * w @ w

    for l1, l2 in ((0.0, 30.0), (20.0, 0.0), (1e6, 0.0)):
        got = fit(X, y, "poisson", "log", options=Options(l1_reg=l1, l2_reg=l2))
        assert got.objective == approx(objective(got, l1, l2), rel=1e-12)
        # the gradient of the smooth part is -l1 · sign(w), or within ± l1 where w is 0
        w = got.standardised[0]
        mu = np.exp(Z @ w + got.standardised_intercept[0])
        gradient = Z.T @ (mu - y) + l2 * w
        assert np.where(w != 0, gradient + l1 * np.sign(w), 0) == approx(0, abs=1e-5)
        assert (np.abs(gradient) <= l1 + 1e-5).all()


@pytest.mark.parametrize("link", ["log", "inverse"])
def test_large_data_begin_with_a_sample(link):
    rng = np.random.default_rng(6)
    n = 60_000
    X = rng.normal(size=(n, 3))
    eta = 1 + 0.2 * X[:, 0] - 0.1 * X[:, 1]
    y = rng.gamma(3.0, (np.exp(eta) if link == "log" else 1 / np.maximum(eta, 0.1)) / 3.0)
    task = Task(Likelihood.of("gamma", link), layout_of(X), moments(X, y), Options(), 1)
    begin = task.start(None)
    begin[0, -1] = task.loss.start(y.mean(), 0.0)
    rows = blocks(X, y, sizes=[10_000] * 6)
    exact = train(NewtonPass(task, begin), rows)
    got = train(SamplePass(task, 0.5, begin).finish(tuple(rows[:3])), rows)
    # what is left of F, 1e-12 of 2e4, is 2e-8: 2e-4 standard errors of 0.004
    assert got.standardised == approx(exact.standardised, abs=1e-6)
    assert len(got.iterations) < len(exact.iterations)


def test_wide_designs_take_l_bfgs(data):
    X, _, labels, _, _ = data
    rng = np.random.default_rng(0)
    code = rng.integers(0, 3000, N)
    y = labels["poisson", "log"]
    got = fit(X, y, "poisson", "log", codes=(code,), sizes=(3000,), options=Options(l2_reg=1.0))
    assert got.converged
    seen, dense = np.unique(code, return_inverse=True)
    exact = fit(X, y, "poisson", "log", codes=(dense,), sizes=(len(seen),),
                options=Options(l2_reg=1.0))  # fmt: skip
    assert got.objective == approx(exact.objective, rel=1e-9)


# --- data that are not as they should be ----------------------------------------------------


def test_a_perfect_fit_stops():
    x = np.arange(10.0)
    for family, y in (
        ("gaussian", 3 + 2 * x),
        ("gamma", np.exp(x / 5)),
        ("poisson", np.exp(x / 5)),
    ):
        got = fit(x[:, None], y, family, "identity" if family == "gaussian" else "log")
        assert got.converged
        assert got.deviances.deviance == approx(0, abs=1e-12)


def test_a_category_of_zeros_is_said(data):
    X, code, labels, _, _ = data
    y = np.where(code == 2, 0.0, labels["poisson", "log"])
    got = fit(X, y, "poisson", "log", codes=(code - 1,), sizes=(2,))
    (warning,) = got.warnings
    assert (warning.kind, warning.columns) == ("separation", (3,))
    tests = got.inference.raw
    assert np.isnan(tests.p_value[3])
    # the others are those without the category
    rest = code != 2
    alone = fit(X[rest], y[rest], "poisson", "log", codes=(code[rest] - 1,), sizes=(1,))
    assert got.coefficients[0, :3] == approx(alone.coefficients[0], abs=1e-4)
    assert tests.p_value[:3] == approx(alone.inference.raw.p_value[:3], rel=1e-2)


@pytest.mark.parametrize("link", ["probit", "cloglog", "loglog"])
def test_separation_is_said_under_every_link(link):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    got = fit(X, (X[:, 1] > 0).astype(float), "binomial", link)
    assert [w.kind for w in got.warnings] == ["separation"]
    assert 1 in got.warnings[0].columns
    assert not got.converged


def test_a_step_out_of_the_means_is_taken_back():
    # an identity link may give a mean below 0 on the way
    x = np.array([0.0, 1, 2, 3, 4, 5, 6, 20])
    y = np.array([9.0, 0, 1, 0, 0, 1, 0, 30])
    got = fit(x[:, None], y, "poisson", "identity")
    assert np.isfinite(got.deviances.deviance)
    assert (got.intercept[0] + got.coefficients[0, 0] * x > 0).all()


def test_bad_requests_are_refused(data):
    X, _, _, _, _ = data
    layout, sums = layout_of(X), moments(X)
    for more, message in (
        ({"family": "tweedie"}, "family is 'tweedie'; pass one of gaussian, poisson"),
        ({"family": "poisson", "link": "probit"}, "'poisson' takes log, identity, sqrt"),
        ({"family": "poisson", "alpha": 1.0}, "it is for 'negative_binomial'"),
        ({"family": "negative_binomial", "alpha": 0.0}, "pass a number above 0"),
        ({"options": Options(optimize_strategy="NORMAL_EQUATION")}, "is for linear_reg"),
    ):
        with pytest.raises(ValueError, match=message):
            generalized_linear_model(layout, sums, **more)
    with pytest.raises(ValueError, match="must be a whole number"):
        fit(X, np.linspace(0.5, 3, N), "negative_binomial", None)
