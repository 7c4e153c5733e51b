"""Adjusted p-values, against statsmodels and Benjamini & Hochberg's example."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

import mlpond
from mlpond.seeds import load
from tests.conftest import rows

METHODS = {
    "bonferroni": "bonferroni", "sidak": "sidak", "holm": "holm", "hochberg": "simes-hochberg",
    "hommel": "hommel", "bh": "fdr_bh", "by": "fdr_by",
}  # fmt: skip


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        load(session, "textbook")
        yield session


def adjusted(con, p, method, options=""):
    con.execute("create or replace table t as select unnest(?)::double as p", [list(p)])
    query = f"from ml.p_adjust('t', 'p', method := '{method}'{options})"
    return con.execute(query).fetchnumpy()


def test_families_are_adjusted_by_themselves(pond):
    rng = np.random.default_rng(5)
    p, family = rng.random(60) ** 3, rng.integers(0, 4, 60)
    pond.con.execute(
        "create or replace table f as select unnest(?)::double as p, nullif(unnest(?), 0) as family",
        [p.tolist(), family.tolist()],
    )  # one family is that of the NULLs
    for method, name in METHODS.items():
        found = rows(
            pond, f"select p_adjusted from ml.p_adjust('f', 'p', '{method}', family := 'family')"
        )
        expected = np.empty(60)
        for value in range(4):
            expected[family == value] = multipletests(p[family == value], 0.05, name)[1]
        assert np.ravel(found) == pytest.approx(expected, rel=1e-13), method


P = st.one_of(
    st.floats(0, 1), st.floats(0, 1).map(lambda p: p**5), st.integers(0, 20).map(lambda k: k / 20)
)


@pytest.mark.parametrize("method", METHODS)
@given(p=st.lists(P, min_size=1, max_size=40))
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_agrees_with_statsmodels_with_ties(pond, method, p):
    found = adjusted(pond.con, p, method)
    rejected, expected, *_ = multipletests(p, 0.05, METHODS[method])
    assert found["p"].tolist() == p  # the rows keep their order
    # one product and one quotient a value; šidák's power by logarithms
    assert found["p_adjusted"] == pytest.approx(expected, rel=1e-13, abs=1e-300)
    border = np.isclose(expected, 0.05, rtol=1e-12)
    assert (found["is_rejected"] == rejected)[~border].all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_many_hypotheses(pond, method):
    rng = np.random.default_rng(6)
    p = np.concatenate([rng.random(1500), rng.random(300) ** 8, np.round(rng.random(200), 2)])
    expected = multipletests(p, 0.05, METHODS[method])[1]
    assert adjusted(pond.con, p, method)["p_adjusted"] == pytest.approx(expected, rel=1e-12)


def test_hommel_where_every_point_is_a_corner(pond):
    p = (np.arange(1, 301) / 300) ** 2
    expected = multipletests(p, 0.05, "hommel")[1]
    assert adjusted(pond.con, p, "hommel")["p_adjusted"] == pytest.approx(expected, rel=1e-12)


def test_benjamini_and_hochberg(pond):
    # Benjamini & Hochberg (1995), section 4.1: rejections at 0.05, and adjusted values by R
    rejected = {"bonferroni": 3, "holm": 3, "hochberg": 3, "hommel": 3, "bh": 4, "by": 3}
    query = "from ml.p_adjust('textbook.p_values', 'p_value', method := '{}')"
    for method, n in rejected.items():
        found = rows(pond, f"select count(*) filter (is_rejected) {query.format(method)}")
        assert found == [(n,)], method
    printed = {
        ("bh", 4): 0.035625,
        ("bh", 6): 0.0638571,
        ("by", 3): 0.0315232,
        ("hommel", 5): 0.1608,
    }
    for (method, hypothesis), value in printed.items():
        ((found,),) = rows(
            pond, f"select p_adjusted {query.format(method)} where hypothesis = {hypothesis}"
        )
        assert found == pytest.approx(value, abs=5e-8)


@given(p=st.lists(P, min_size=1, max_size=40))
@settings(max_examples=8)
def test_power_is_ordered(pond, p):
    names = ("bh", "hommel", "hochberg", "holm", "bonferroni")
    found = [adjusted(pond.con, p, name)["p_adjusted"] for name in names]
    for stronger, weaker in zip(found, found[1:], strict=False):
        assert (stronger <= weaker * (1 + 1e-14)).all()
    assert (found[0] >= np.array(p) * (1 - 1e-14)).all()


def test_null_and_nan_are_kept_and_not_counted(pond):
    pond.con.execute(
        "create or replace table named as from (values ('a', 0.01), ('b', null), ('c', 0.04), "
        "('d', 'nan'::double)) as v(name, p)"
    )
    for method in METHODS:
        found = rows(pond, f"from ml.p_adjust('named', 'p', method := '{method}')")
        assert [row[0] for row in found] == ["a", "b", "c", "d"]
        expected = multipletests([0.01, 0.04], 0.05, METHODS[method])[1]
        assert [found[0][2], found[2][2]] == pytest.approx(expected.tolist(), rel=1e-14)
        assert found[1][2:] == found[3][2:] == (None, None)


def test_tiny_p_values_keep_their_digits(pond):
    # 1 - (1 - p)^m would be 0
    assert adjusted(pond.con, [1e-200, 0.5], "sidak")["p_adjusted"][0] == pytest.approx(2e-200)


def test_no_hypotheses(pond):
    for method in METHODS:
        assert adjusted(pond.con, [], method)["p_adjusted"].tolist() == []
        assert np.ma.getmaskarray(adjusted(pond.con, [None], method)["p_adjusted"]).all()


def test_alpha(pond):
    found = adjusted(pond.con, [0.01, 0.2], "bonferroni", ", alpha := 0.5")
    assert found["is_rejected"].tolist() == [True, True]


@pytest.mark.parametrize(
    ("p", "options", "message"),
    [
        ([1.5], "", r"ml.p_adjust: a p-value is 1.5; it must lie in \[0, 1\]"),
        ([-0.1], "", "a p-value is -0.1"),
        ([0.1], ", alpha := 0", "alpha is 0"),
        ([0.1], ", alpha := 5", "alpha is 5"),
    ],
)
def test_bad_parameters_are_errors(pond, p, options, message):
    with pytest.raises(duckdb.Error, match=message):
        adjusted(pond.con, p, "holm", options)


def test_an_unknown_method_is_an_error(pond):
    with pytest.raises(duckdb.Error, match="method is fdr; it must be bonferroni, sidak"):
        adjusted(pond.con, [0.1], "fdr")
