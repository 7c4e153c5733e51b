"""Tests of one column against a distribution: scipy, statsmodels, and laws of theirs."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx
from scipy import stats
from statsmodels.stats.diagnostic import normal_ad

import mlpond
from mlpond.seeds import load as load_seed
from tests.sql.ranks.samples import columns, is_unknown, normal, record

VALUES = st.lists(st.floats(-3, 3).map(lambda x: round(x, 3)), min_size=3, max_size=60)
ALTERNATIVES = st.sampled_from(["two-sided", "less", "greater"])


@pytest.fixture(scope="module")
def con():
    with mlpond.connect() as session:
        load_seed(session, "textbook")
        yield session.con


def ks(con, options=""):
    return record(con, f"from ml.ks_1samp('t', 'y'{options})")


@given(y=VALUES, alternative=ALTERNATIVES)
def test_kolmogorov_agrees_with_scipy(con, y, alternative):
    columns(con, y=y)
    row = ks(con, f", alternative := '{alternative}'")
    expected = stats.kstest(y, "norm", alternative=alternative)
    assert row["statistic"] == approx(expected.statistic, rel=1e-13, abs=1e-15)
    # near D = 2/√n, 1 - cdf loses four digits of the matrix's product, in scipy as here
    assert row["p_value"] == approx(expected.pvalue, rel=1e-10)


@pytest.mark.parametrize(
    "distribution, parameters, name, arguments",
    [
        ("exponential", [2.0], "expon", (0, 2.0)),
        ("uniform", [-1.0, 5.0], "uniform", (-1.0, 6.0)),
        ("t", [4.0], "t", (4.0,)),
        ("gamma", [2.0, 0.5], "gamma", (2.0, 0, 0.5)),
        ("logistic", [0.5, 1.5], "logistic", (0.5, 1.5)),
    ],
)
def test_any_distribution_will_do(con, distribution, parameters, name, arguments):
    y = np.random.default_rng(3).gamma(2.0, 0.7, 80)
    columns(con, y=y)
    row = ks(con, f", '{distribution}', {parameters}")
    expected = stats.kstest(y, name, arguments)
    assert row["statistic"] == approx(expected.statistic, rel=1e-12)
    assert row["p_value"] == approx(expected.pvalue, rel=1e-10)
    row = record(con, f"from ml.cramer_von_mises('t', 'y', '{distribution}', {parameters})")
    expected = stats.cramervonmises(y, name, arguments)
    assert row["statistic"] == approx(expected.statistic, rel=1e-12)
    # scipy ends its series at terms of 1e-7, which leaves some 1e-9
    assert row["p_value"] == approx(expected.pvalue, rel=1e-9, abs=2e-9)


@pytest.mark.parametrize("n", [141, 500, 1500])
@pytest.mark.parametrize("z", [0.6, 1.0, 1.4, 1.9])
def test_exact_where_scipy_expands(con, n, z):
    from scipy.stats._ksstats import _kolmogn_DMTW

    # n equally spaced points, moved by d, have D = d + 1/n of a uniform, or a little more
    d = z / math.sqrt(n)
    con.execute(
        f"create or replace table t as select (i + 1) / {n}e0 - {d!r}::double as y from range({n}) r(i)"
    )
    row = ks(con, ", 'uniform', [0, 1]")
    exact = 1 - _kolmogn_DMTW(n, row["statistic"], cdf=True)
    # a product of n matrices rounds to n · 1e-16, and 1 - cdf leaves that of p >= 1e-3
    assert row["p_value"] == approx(exact, rel=1e-9)


@pytest.mark.parametrize("n", [3_000, 200_000])
@pytest.mark.parametrize("z", [0.3, 0.7, 1.4, 1.7, 3.0, 8.0])
def test_kolmogorov_of_many_rows(con, n, z):
    d = z / math.sqrt(n)
    con.execute(
        f"create or replace table t as select (i + 1) / {n}e0 - {d!r}::double as y from range({n}) r(i)"
    )
    row = ks(con, ", 'uniform', [0, 1]")
    expected = stats.kstwo.sf(row["statistic"], n)
    # scipy leaves out that both sides may pass, a share of 2e-6 of p; and near n = 3000 it expands
    # in 1/√n where the sum here is exact
    assert row["p_value"] == approx(expected, rel=4e-6)


@pytest.mark.slow
@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
def test_bins_find_the_same_distance_as_sorting(con, alternative):
    con.execute(
        "create or replace table t as "
        "select ml.normal_quantile(((i * 7919) % 700001 + 5e-1) / 700001) * 1.01 + 1e-2 as y from range(700001) r(i)"
    )
    row = ks(con, f", alternative := '{alternative}'")
    y = np.array(con.execute("select y from t").fetchnumpy()["y"])
    # cdf values of both round to 1e-16 of 1
    assert row["statistic"] == approx(
        stats.kstest(y, "norm", alternative=alternative).statistic, abs=1e-14
    )


@given(y=VALUES)
def test_anderson_and_shapiro_agree(con, y):
    columns(con, y=y)
    anderson = record(con, "from ml.anderson_darling('t', 'y')")
    shapiro = record(con, "from ml.shapiro_wilk('t', 'y')")
    if len(set(y)) == 1:
        assert anderson["statistic"] is None
        assert shapiro["statistic"] is None
        return
    statistic, p = normal_ad(np.array(y))
    # a sum of n terms as large as n minus n
    assert anderson["statistic"] == approx(statistic, rel=1e-10, abs=1e-11)
    if anderson["statistic"] * (1 + 0.75 / len(y) + 2.25 / len(y) ** 2) < 13:
        assert anderson["p_value"] == approx(p, rel=1e-8)  # exp of 14 to 250 times the statistic
    expected = stats.shapiro(y)
    # scipy's normal quantiles are AS 111's, good to 1e-9; p is a function of ln(1 - W)
    assert shapiro["statistic"] == approx(expected.statistic, rel=1e-8)
    magnified = max(1.0, 1e-2 / max(1 - shapiro["statistic"], 1e-8))
    assert shapiro["p_value"] == approx(expected.pvalue, rel=1e-5 * magnified, abs=1e-12)


def test_shapiro_of_the_paper(con):
    # Royston (1995), weights of men of Shapiro & Wilk (1965): W = 0.79, p = 0.00967 by R's shapiro.test
    columns(con, y=[148, 154, 158, 160, 161, 162, 166, 170, 182, 195, 236])
    row = record(con, "from ml.shapiro_wilk('t', 'y')")
    assert row["statistic"] == approx(0.79, abs=5e-3)
    assert row["p_value"] == approx(0.0067, abs=5e-4)


@given(y=VALUES, shift=st.integers(-5, 5), scale=st.sampled_from([0.5, 2.0, 4.0]))
def test_normality_does_not_depend_on_the_unit(con, y, shift, scale):
    for name in ("anderson_darling", "shapiro_wilk"):
        columns(con, y=y)
        one = record(con, f"from ml.{name}('t', 'y')")
        columns(con, y=[x * scale + shift for x in y])
        other = record(con, f"from ml.{name}('t', 'y')")
        if one["statistic"] is None or max(y) - min(y) < 1e-2:
            continue
        # a shift by 5 rounds values that differ by a hundredth, in their 13th digit
        assert one["statistic"] == approx(other["statistic"], rel=1e-8)


@pytest.mark.parametrize("n", [5, 30, 1000])
def test_cramer_von_mises_agrees_with_scipy(con, n):
    for seed in range(5):
        y = normal(seed, n, seed / 10)
        columns(con, y=y)
        row = record(con, "from ml.cramer_von_mises('t', 'y')")
        expected = stats.cramervonmises(y, "norm")
        assert row["statistic"] == approx(expected.statistic, rel=1e-12)
        # scipy ends its series at terms of 1e-7, which leaves some 1e-9
        assert row["p_value"] == approx(expected.pvalue, rel=1e-9, abs=2e-9)


def test_nile(con):
    # R 4: shapiro.test(Nile): W = 0.97343, p-value = 0.04072
    row = record(con, "from ml.shapiro_wilk('textbook.nile', 'flow_1e8_m3')")
    assert (row["statistic"], row["p_value"]) == approx((0.97343, 0.04072), abs=5e-6)


@pytest.mark.parametrize(
    "name", ["ks_1samp", "anderson_darling", "cramer_von_mises", "shapiro_wilk"]
)
def test_thin_data_is_unknown(con, name):
    columns(con, y=[None, math.nan])
    row = record(con, f"from ml.{name}('t', 'y')")
    assert is_unknown(row)
    assert (row["n"], row["n_missing"]) == (0, 2)
    if name in ("anderson_darling", "shapiro_wilk"):
        for y in ([1.0], [2.0, 2.0, 2.0]):
            columns(con, y=y)
            assert is_unknown(record(con, f"from ml.{name}('t', 'y')"))


def test_shapiro_beyond_its_tables_is_unknown(con):
    con.execute("create or replace table t as select i::double as y from range(5001) r(i)")
    assert is_unknown(record(con, "from ml.shapiro_wilk('t', 'y')"))


def test_an_unknown_distribution_is_an_error(con):
    columns(con, y=[1.0, 2.0])
    with pytest.raises(duckdb.Error, match="distribution is gauss; it must be one of"):
        ks(con, ", 'gauss'")
    with pytest.raises(duckdb.Error, match="sd is"):
        ks(con, ", 'normal', [0, -1]")
