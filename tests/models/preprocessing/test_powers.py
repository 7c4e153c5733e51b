"""ML.BOX_COX and ML.YEO_JOHNSON: λ by maximum likelihood, and the transforms."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from sklearn.preprocessing import PowerTransformer

import mlpond
from mlpond.errors import InputError
from tests.models.preprocessing.clause import apply, load, state

METHODS = {"BOX_COX": "box-cox", "YEO_JOHNSON": "yeo-johnson"}
rng = np.random.default_rng(11)
SAMPLES = {
    "skewed": rng.lognormal(size=200),
    "large": rng.gamma(2.0, 1000.0, size=200),
    "far from 0": rng.normal(8.0, 1.0, size=200),
    "many decades": np.exp(30.0 * rng.normal(size=100)),
    "both signs": rng.normal(size=200) ** 3,
    "heavy tails": rng.standard_cauchy(size=200),
    "negative": -rng.lognormal(size=200),
}


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        yield session


def exponent(pond, name, x):
    load(pond, x=x)
    return state(pond, f"ML.{name}(x) OVER () AS z").numbers["lambda"]


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_as_scikit_learn_finds_it(pond, name, sample):
    x = SAMPLES[sample]
    if name == "BOX_COX" and x.min() <= 0:
        pytest.skip("Box–Cox takes positive values")
    peer = PowerTransformer(METHODS[name], standardize=False).fit(x[:, None])
    # Brent's search of a maximum knows half the digits of a double, and scipy stops at 1.5e-8 of λ
    assert exponent(pond, name, x) == pytest.approx(peer.lambdas_[0], rel=2e-7, abs=2e-7)


def log_likelihood(name, x):
    """Of λ in many digits, from the definition: at λ = -35 all 100^λ - 1 are -1 in 60 of them."""

    def of(at):
        if name == "BOX_COX":
            z = [(mpmath.power(v, at) - 1) / at for v in x]
        else:
            z = [
                (mpmath.power(1 + v, at) - 1) / at
                if v >= 0
                else -(mpmath.power(1 - v, 2 - at) - 1) / (2 - at)
                for v in x
            ]
        n, mean = len(x), mpmath.fsum(z) / len(x)
        variance = mpmath.fsum((v - mean) ** 2 for v in z) / n
        jacobian = x if name == "BOX_COX" else [1 + abs(v) for v in x]
        signs = [1 if name == "BOX_COX" or v >= 0 else -1 for v in x]
        logs = mpmath.fsum(s * mpmath.log(v) for s, v in zip(signs, jacobian, strict=True))
        return -mpmath.mpf(n) / 2 * mpmath.log(variance) + (at - 1) * logs

    return of


@pytest.mark.parametrize(
    "name, x",
    [
        ("BOX_COX", [0.5, 1.25, 2.0, 8.0, 9.5, 31.0]),
        ("BOX_COX", [100.5, 101.25, 102.0, 108.0]),
        ("YEO_JOHNSON", [-4.0, -0.5, 0.25, 1.0, 7.5, 20.0]),
        ("YEO_JOHNSON", [-4.0, -0.5, -0.25, -7.5]),
    ],
)
def test_the_exponent_is_the_maximum_in_many_digits(pond, name, x):
    with mpmath.workdps(200):
        values = [mpmath.mpf(v) for v in x]
        near, likelihood = exponent(pond, name, x), log_likelihood(name, values)
        low, high = mpmath.mpf(near) - 0.5, mpmath.mpf(near) + 0.5
        for _ in range(45):  # halves the bracket to 1e-14
            best = (low + high) / 2
            low, high = (best, high) if mpmath.diff(likelihood, best) > 0 else (low, best)
    # the sums of squares round at 1e-16, and where the curve is flat, as at 100, that moves λ
    assert near == pytest.approx(float(best), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("name", METHODS)
def test_the_values_are_those_of_scipy(pond, name):
    x = SAMPLES["skewed" if name == "BOX_COX" else "both signs"]
    at = exponent(pond, name, x)
    expected = special.boxcox(x, at)
    if name == "YEO_JOHNSON":
        expected = np.where(
            x >= 0, special.boxcox1p(np.abs(x), at), -special.boxcox1p(np.abs(x), 2 - at)
        )
    # x^λ - 1 cancels where it is near 0
    assert apply(pond, f"ML.{name}(x) OVER () AS z") == pytest.approx(
        expected, rel=1e-12, abs=1e-13
    )


@pytest.mark.parametrize("name", METHODS)
def test_standardized_as_scikit_learn_does(pond, name):
    x = SAMPLES["large" if name == "BOX_COX" else "both signs"]
    load(pond, x=x)
    peer = PowerTransformer(METHODS[name]).fit_transform(x[:, None])[:, 0]
    found = apply(pond, f"ML.{name}(x, TRUE) OVER () AS z")
    assert np.mean(found) == pytest.approx(0.0, abs=1e-13)
    assert np.std(found) == pytest.approx(1.0, rel=1e-13)
    assert found == pytest.approx(peer, abs=1e-6)  # the λs differ by 1e-7


@settings(deadline=None, max_examples=6)
@given(
    x=st.lists(st.integers(1, 400), min_size=3, max_size=30).filter(lambda v: len(set(v)) > 2),
    scale=st.sampled_from([0.01, 3.0, 1000.0]),
)
def test_a_unit_changes_nothing_of_box_cox(pond, x, scale):
    values = [v / 8.0 for v in x]
    scaled = exponent(pond, "BOX_COX", [scale * v for v in values])
    assert scaled == pytest.approx(exponent(pond, "BOX_COX", values), rel=1e-8, abs=1e-8)


def test_the_sign_mirrors_yeo_johnson(pond):
    x = SAMPLES["both signs"]
    mirrored = exponent(pond, "YEO_JOHNSON", -x)
    assert mirrored == pytest.approx(2.0 - exponent(pond, "YEO_JOHNSON", x), rel=1e-10)


def test_what_box_cox_cannot_take(pond):
    load(pond, x=[1.0, 0.0, -2.0])
    with pytest.raises(InputError, match="ML.BOX_COX: 2 values are 0 or less.*ML.YEO_JOHNSON"):
        apply(pond, "ML.BOX_COX(x) OVER () AS z")
    load(pond, x=[1.0, 2.0, 4.0])
    load(pond, "new", x=[0.0, -1.0, None, 2.0])
    found = apply(pond, "ML.BOX_COX(x) OVER () AS z", "new")
    assert found[:3] == [None, None, None]  # outside of what it is made for
    assert found[3] is not None


@pytest.mark.parametrize("name", METHODS)
def test_constant_and_empty_columns(pond, name):
    load(pond, x=[3.0, 3.0, None])
    assert state(pond, f"ML.{name}(x) OVER () AS z").numbers["lambda"] == 1.0
    assert apply(pond, f"ML.{name}(x, TRUE) OVER () AS z") == [0.0, 0.0, None]
    for source in ("(select null::double as x)", "(select 1.0 as x where false)"):
        assert apply(pond, f"ML.{name}(x, TRUE) OVER () AS z", "t", source) == [None] * 3


def test_neither_extreme_overflows(pond):
    # of values that hardly vary the likelihood asks for an exponent of 1e6
    for x in (1e8 + rng.normal(size=50), 1e-300 * np.arange(1, 9), 1e300 * np.arange(1, 9)):
        load(pond, x=x)
        found = apply(pond, "ML.BOX_COX(x) OVER () AS z")
        assert np.all(np.isfinite(found))
        assert np.all(np.diff(np.array(found)[np.argsort(x)]) >= 0)
