"""Kruskal–Wallis and Dunn against scipy, R's help page and the formulas."""

from __future__ import annotations

import itertools
import math

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx
from scipy import stats
from statsmodels.stats.multitest import multipletests

import mlpond
from mlpond.seeds import load as load_seed
from tests.sql.ranks.samples import TIED, is_unknown, load, normal, record, records

GROUPS = st.lists(TIED, min_size=2, max_size=5)


@pytest.fixture(scope="module")
def con():
    with mlpond.connect() as session:
        load_seed(session, "textbook")
        yield session.con


def kruskal_wallis(con, source="t", metric="y", factor="g"):
    return record(con, f"from ml.kruskal_wallis('{source}', '{metric}', '{factor}')")


def test_insect_sprays_as_on_the_help_page_of_r(con):
    row = kruskal_wallis(con, "textbook.insect_sprays", "n_insects", "spray")
    # R, ?kruskal.test: Kruskal-Wallis chi-squared = 54.691, df = 5, p-value = 1.511e-10
    assert row["statistic"] == approx(54.691, abs=5e-4)
    assert row["df"] == 5
    assert row["p_value"] == approx(1.511e-10, abs=5e-14)


@given(groups=GROUPS)
def test_agrees_with_scipy(con, groups):
    load(con, dict(zip("abcde", groups, strict=False)))
    row = kruskal_wallis(con)
    values = np.concatenate(groups)
    if len(set(values)) == 1:
        assert row["statistic"] is None
        return
    expected = stats.kruskal(*groups)
    # scipy subtracts 3(N+1) from numbers as large: N = 125 loses three digits
    assert row["statistic"] == approx(expected.statistic, rel=1e-11, abs=1e-11)
    # of our H: near 0, where scipy's is off by 1e-14, p with one degree falls as the root of H
    p = stats.chi2.sf(row["statistic"], len(groups) - 1)
    assert row["p_value"] == approx(p, rel=1e-12)
    assert row["log10_p_value"] == approx(math.log10(p), rel=1e-12, abs=1e-12)
    assert row["effect_size"] == approx(
        expected.statistic / (len(values) - 1), rel=1e-11, abs=1e-11
    )


@given(a=TIED, b=TIED)
def test_two_groups_give_the_square_of_mann_whitney(con, a, b):
    load(con, {"a": a, "b": b})
    h = kruskal_wallis(con)
    u = record(
        con,
        "from ml.mann_whitney('t', 'y', 'g', method := 'normal', is_continuity_corrected := false)",
    )
    if h["p_value"] is not None:
        # the tail of chi-squared with one degree is that of the normal at the root
        assert h["p_value"] == approx(u["p_value"], rel=1e-11)


@pytest.mark.parametrize("digits", [0, 6])
def test_many_rows_agree_with_scipy(con, digits):
    groups = [normal(seed, 20_000, seed / 100).round(digits) for seed in range(3)]
    load(con, dict(zip("abc", [group.tolist() for group in groups], strict=True)))
    # scipy's subtraction of 3(N+1) = 1.8e5 leaves 1e-11 of H, near 5
    assert kruskal_wallis(con)["statistic"] == approx(stats.kruskal(*groups).statistic, rel=1e-10)


@pytest.mark.parametrize("groups", [{}, {"a": [1.0, 2.0]}, {"a": [None], "b": [1.0]}])
def test_thin_data_is_unknown(con, groups):
    load(con, groups)
    assert is_unknown(kruskal_wallis(con))


def test_missing_is_counted(con):
    load(con, {"a": [1.0, 2.0, None], "b": [3.0, math.nan]})
    row = kruskal_wallis(con)
    assert (row["n"], row["n_missing"]) == (3, 2)


ADJUSTMENTS = {
    "none": None, "holm": "holm", "bonferroni": "bonferroni", "benjamini_hochberg": "fdr_bh",
}  # fmt: skip


@given(groups=GROUPS, adjustment=st.sampled_from(list(ADJUSTMENTS)))
def test_dunn_agrees_with_its_formula(con, groups, adjustment):
    named = dict(zip("abcde", groups, strict=False))
    load(con, named)
    rows = records(con, f"from ml.dunn('t', 'y', 'g', p_adjustment := '{adjustment}')")
    values = np.concatenate(groups)
    n = len(values)
    ranks = dict(
        zip(
            named,
            np.split(stats.rankdata(values), np.cumsum([len(g) for g in groups])[:-1]),
            strict=True,
        )
    )
    ties = sum(t**3 - t for t in np.unique(values, return_counts=True)[1].tolist())
    variance = (n * (n + 1) - ties / (n - 1)) / 12
    pairs = list(itertools.combinations(named, 2))
    assert [(row["group_1"], row["group_2"]) for row in rows] == pairs
    if variance < 1e-9:
        assert all(row["p_value"] is None for row in rows)
        return
    z = [
        (ranks[j].mean() - ranks[i].mean())
        / math.sqrt(variance * (1 / len(ranks[i]) + 1 / len(ranks[j])))
        for i, j in pairs
    ]
    p = 2 * stats.norm.sf(np.abs(z))
    adjusted = p if adjustment == "none" else multipletests(p, method=ADJUSTMENTS[adjustment])[1]
    # mean ranks round to 1e-15 of n <= 125, which the tail at z < 9 magnifies 80 times
    assert [row["statistic"] for row in rows] == approx(z, rel=1e-11, abs=1e-12)
    assert [row["p_unadjusted"] for row in rows] == approx(p.tolist(), rel=1e-10)
    assert [row["p_value"] for row in rows] == approx(adjusted.tolist(), rel=1e-10)


def test_dunn_refuses_an_unknown_adjustment(con):
    load(con, {"a": [1.0, 2.0], "b": [3.0, 5.0]})
    with pytest.raises(duckdb.Error, match="p_adjustment is sidak; it must be holm"):
        con.execute("from ml.dunn('t', 'y', 'g', p_adjustment := 'sidak')").fetchall()
