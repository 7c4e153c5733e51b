"""ML.QUANTILE_TRANSFORMER, ML.WINSORIZER, ML.KBINS and ML.SPLINE against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import KBinsDiscretizer, QuantileTransformer, SplineTransformer

import mlpond
from mlpond.errors import InputError, StatementError
from tests.models.preprocessing.clause import apply, load, state

rng = np.random.default_rng(5)
SAMPLES = {
    "normal": rng.normal(size=400),
    "ties": rng.integers(0, 9, 398).astype(float),
    "skewed": rng.lognormal(size=700),
    "outliers": np.r_[rng.normal(size=50), 1000.0, 1001.0, 5000.0],
    "two": np.array([1.0, 2.0]),
}
EMPTY = ("(select null::double as x)", "(select 1.0 as x where false)")


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        yield session


def both(pond, x):
    """Load x, and as other rows values on, beside and beyond it."""
    load(pond, x=x)
    new = np.r_[x, x + 1e-3, x.min() - 1.0, x.max() + 1.0]
    load(pond, "new", x=new)
    return new[:, None]


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("n", [10, 1000])
@pytest.mark.parametrize("output", ["uniform", "normal"])
def test_quantile_transformer(pond, sample, n, output):
    x = SAMPLES[sample]
    new = both(pond, x)
    peer = QuantileTransformer(n_quantiles=n, output_distribution=output, subsample=None)
    expected = peer.fit(x[:, None]).transform(new)[:, 0]
    found = apply(pond, f"ML.QUANTILE_TRANSFORMER(x, {n}, '{output}') OVER () AS z", "new")
    # near its ends the normal quantile magnifies a rounding of the share a million times, and
    # beside a gap of 1000 scikit-learn's rounded position gives a quantile 1e-13 off its value
    exact = output == "uniform" and sample != "outliers"
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12 if exact else 1e-9)


def test_a_quantile_is_never_a_rounding_beside_a_value(pond):
    # 499 steps among 500 values with ties: at 0.7 · 499 scikit-learn's position rounds, and of a
    # run of equal quantiles its first one is lost; in fractions each stands where it should
    x = np.sort(rng.integers(0, 9, 500)).astype(float)
    load(pond, x=x)
    found = np.array(apply(pond, "ML.QUANTILE_TRANSFORMER(x) OVER () AS z"))
    for value in range(1, 8):
        places = np.flatnonzero(x == value)
        assert found[places] == pytest.approx((places[0] + places[-1]) / 2 / 499, abs=1e-15)


@settings(deadline=None, max_examples=15)
@given(x=st.lists(st.integers(-50, 50), min_size=1, max_size=30))
def test_a_share_grows_with_the_value(pond, x):
    load(pond, x=[v / 4.0 for v in x])
    found = np.array(apply(pond, "ML.QUANTILE_TRANSFORMER(x) OVER () AS z"))
    assert np.all((found >= 0.0) & (found <= 1.0))
    assert np.all(np.diff(found[np.argsort(x, kind="stable")]) >= 0.0)


@pytest.mark.parametrize("x", [[1.0, 2.0, 3.0], [5.0, 5.0]])
@pytest.mark.parametrize("output, low, high", [("uniform", 0.0, 1.0), ("normal", -5.2, 5.2)])
def test_null_has_no_rank_and_infinities_are_the_ends(pond, x, output, low, high):
    load(pond, x=x)
    load(pond, "new", x=[None, np.nan, np.inf, -np.inf, 99.0, -99.0])
    found = apply(pond, f"ML.QUANTILE_TRANSFORMER(x, 10, '{output}') OVER () AS z", "new")
    assert found[0] is None
    assert np.isnan(found[1])
    # the ends of the normal output are ±5.19934, the quantile of 1e-7
    assert found[2:] == pytest.approx([high, low, high, low], abs=1e-3)


def test_winsorizer(pond):
    x = SAMPLES["skewed"]
    load(pond, x=np.r_[x, np.nan])
    low, high = np.quantile(x, [0.1, 0.8])
    found = apply(pond, "ML.WINSORIZER(x, 0.1, 0.8) OVER () AS z", source="(from t where x < 1e9)")
    assert found[:-1] == pytest.approx(np.clip(x, low, high), rel=1e-14)
    learnt = state(pond, "ML.WINSORIZER(x) OVER () AS z", "(from t where x < 1e9)").numbers
    assert learnt == {
        "lower_limit": pytest.approx(np.quantile(x, 0.05), rel=1e-14),
        "upper_limit": pytest.approx(np.quantile(x, 0.95), rel=1e-14),
    }


@pytest.mark.parametrize("sample", ["normal", "ties", "skewed", "outliers"])
@pytest.mark.parametrize("strategy", ["uniform", "quantile", "kmeans"])
@pytest.mark.parametrize("n", [2, 5, 20])
def test_bins(pond, sample, strategy, n):
    x = SAMPLES[sample]
    if strategy == "kmeans" and sample == "ties" and n == 20:
        pytest.skip("9 values for 20 centres: see test_fewer_distinct_values_than_bins")
    new = both(pond, x)
    peer = KBinsDiscretizer(
        n, encode="ordinal", strategy=strategy, subsample=None, quantile_method="linear"
    )
    peer.fit(x[:, None])
    clause = f"ML.KBINS(x, {n}, '{strategy}', 'bucket_numbers') OVER () AS z"
    edges = [entry.number for entry in state(pond, clause).listed("edge")]
    assert edges == pytest.approx(peer.bin_edges_[0], rel=1e-12, abs=1e-12)
    found = np.array(apply(pond, clause, "new"))
    inner = peer.bin_edges_[0][1:-1]
    aside = np.all(np.abs(new - inner) > 1e-12 * (1.0 + np.abs(inner)), axis=1)  # of the roundings
    assert aside.sum() > 0.9 * len(new) or sample == "ties"
    assert np.array_equal(found[aside], 1 + peer.transform(new)[aside, 0])


def test_bins_do_not_hang_on_the_unit(pond):
    x = np.r_[SAMPLES["normal"], 0.0, 9.0]
    load(pond, x=x)
    load(pond, "huge", x=x * 2.0**900)  # whose squares overflow
    clause = "ML.KBINS(x, 5, 'kmeans') OVER () AS z"
    assert apply(pond, clause, "huge", "huge") == apply(pond, clause)


def test_fewer_distinct_values_than_bins(pond):
    load(pond, x=[0.0, 0.0, 0.0, 1.0, 3.0])
    expected = {"uniform": [1, 1, 1, 4, 10], "quantile": [1, 1, 1, 3, 5], "kmeans": [1, 1, 1, 2, 3]}
    for strategy, numbers in expected.items():
        found = apply(pond, f"ML.KBINS(x, 10, '{strategy}', 'bucket_numbers') OVER () AS z")
        assert found == numbers, strategy
    load(pond, x=[4.0, 4.0, None])
    load(pond, "new", x=[3.0, 4.0, 5.0, None])
    for strategy in expected:
        clause = f"ML.KBINS(x, 3, '{strategy}') OVER () AS z"
        assert apply(pond, clause, "new") == ["bin_1", "bin_1", "bin_1", None]


@pytest.mark.parametrize("degree", [1, 2, 3, 5])
@pytest.mark.parametrize("knots", ["uniform", "quantile"])
@pytest.mark.parametrize("beyond", ["constant", "linear"])
def test_splines(pond, degree, knots, beyond):
    x = 1e3 + SAMPLES["skewed"]
    new = both(pond, x)
    for n, bias in ((2, True), (5, False), (12, True)):
        peer = SplineTransformer(n, degree, knots=knots, extrapolation=beyond, include_bias=bias)
        expected = peer.fit(x[:, None]).transform(new)
        settings = f"{n}, {degree}, '{knots}', '{beyond}', {bias}"
        found = apply(pond, f"ML.SPLINE(x, {settings}) OVER () AS z", "new")
        assert np.array(found) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_splines_sum_to_one_and_steps_are_splines_of_degree_0(pond):
    x = np.linspace(0.0, 4.0, 41)
    load(pond, x=x)
    found = np.array(apply(pond, "ML.SPLINE(x, 5, 3) OVER () AS z"))
    assert found.sum(axis=1) == pytest.approx(1.0, rel=1e-14)
    steps = np.array(apply(pond, "ML.SPLINE(x, 5, 0) OVER () AS z"))
    assert np.array_equal(steps.argmax(axis=1), np.minimum(np.floor(x), 3))


def test_splines_of_few_values(pond):
    load(pond, x=[2.0, 2.0, 2.0, 2.0, 2.0, 7.0, None])
    found = apply(pond, "ML.SPLINE(x, 5, 1, 'quantile') OVER () AS z")
    assert found == [[1.0, 0.0]] * 5 + [[0.0, 1.0], None]  # knots at 2 are one knot
    load(pond, x=[2.0, None, 2.0])
    with pytest.raises(InputError, match="ML.SPLINE: all 2 values are 2.0.*leave the column out"):
        apply(pond, "ML.SPLINE(x) OVER () AS z")


@pytest.mark.parametrize(
    "call", ["QUANTILE_TRANSFORMER(x)", "WINSORIZER(x)", "KBINS(x)", "SPLINE(x)"]
)
def test_nothing_to_learn_from_gives_null(pond, call):
    load(pond, x=[1.0, None])
    for source in EMPTY:
        assert apply(pond, f"ML.{call} OVER () AS z", source=source) == [None, None]


@pytest.mark.parametrize(
    "call, message",
    [
        ("WINSORIZER(x, 0.9, 0.1)", "lower is 0.9 and upper 0.1; lower must be less"),
        ("WINSORIZER(x, -0.1)", "lower is -0.1; it must be a number in"),
        ("KBINS(x, 1)", "n_bins is 1; it must be an integer from 2"),
        ("KBINS(x, 4, 'tree')", "strategy is 'tree'; it must be 'uniform', 'quantile' or 'kmeans'"),
        ("QUANTILE_TRANSFORMER(x, 0)", "n_quantiles is 0"),
        ("SPLINE(x, 1)", "n_knots is 1"),
    ],
)  # fmt: skip
def test_settings_are_checked(pond, call, message):
    load(pond, x=[1.0, 2.0])
    with pytest.raises((InputError, StatementError), match=message):
        apply(pond, f"ML.{call} OVER () AS z")
