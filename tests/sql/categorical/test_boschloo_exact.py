from __future__ import annotations

import duckdb
import numpy as np
import pytest
from pytest import approx
from scipy import special, stats

from tests.sql.grouped import of_kind, one, tabulate

BOSCHLOO = "from ml.boschloo_exact('cells', 'a', 'b', weight := 'n')"
TABLES = [
    [[3, 1], [1, 3]],
    [[7, 12], [8, 3]],
    [[0, 5], [3, 1]],
    [[15, 2], [9, 9]],
    [[1, 30], [6, 20]],
    [[4, 4], [5, 6]],
]


def asked(query, alternative):
    return query[:-1] + f", alternative := '{alternative}')"


def greatest(table, alternative):
    """The maximum over 20,001 shares, each by a sum over all outcomes."""
    if alternative == "two-sided":
        return min(1, 2 * min(greatest(table, "less"), greatest(table, "greater")))
    (f1, x1), (f2, x2) = table
    n1, n2 = f1 + x1, f2 + x2
    i, j = np.ogrid[: n1 + 1, : n2 + 1]
    s, total = i + j, n1 + n2
    family = stats.hypergeom(total, s, n2)
    fisher = (
        family.cdf(np.broadcast_to(j, s.shape))
        if alternative == "less"
        else family.sf(np.broadcast_to(j, s.shape) - 1)
    )
    extreme = fisher <= fisher[x1, x2] * (1 + 1e-9)
    weight = np.where(extreme, special.binom(n1, i) * special.binom(n2, j), 0)
    by_s = np.bincount(s.ravel(), weight.ravel(), total + 1)
    share = np.sin(np.linspace(0, np.pi / 2, 20_001)[1:-1]) ** 2
    k = np.arange(total + 1)
    return (by_s * share[:, None] ** k * (1 - share[:, None]) ** (total - k)).sum(1).max()


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
@pytest.mark.parametrize("table", TABLES)
def test_agrees_with_scipy(con, table, alternative):
    tabulate(con, table)
    row = one(con, asked(BOSCHLOO, alternative))
    # scipy's groups are the columns, and its first group and row are our second
    turned = np.array(table).T[::-1, ::-1]
    expected = stats.boschloo_exact(turned, alternative=alternative, n=128)
    assert row["statistic"] == approx(expected.statistic, rel=1e-12)
    # scipy's maximum is one of those it found, and so never above the true one; a hill is flat at
    # its top, and both find the top to 1e-6
    assert row["p_value"] == approx(greatest(table, alternative), rel=1e-6)
    assert row["p_value"] >= expected.pvalue * (1 - 1e-10)


def test_two_arms_of_conversions(con):
    tabulate(con, [[352, 151], [320, 177]])
    row = one(con, BOSCHLOO)
    # scipy.stats.boschloo_exact, also in the documentation of tea-tasting
    assert row["p_value"] == approx(0.0633869905714, rel=1e-10)
    assert row["estimate"] == approx(177 / 497 - 151 / 503, rel=1e-13)


def test_exchanging_the_groups_mirrors_the_alternative(con):
    tabulate(con, [[7, 12], [8, 3]])
    less = one(con, asked(BOSCHLOO, "less"))
    greater = one(
        con, asked(BOSCHLOO.replace("'cells'", "'(select -a as a, b, n from cells)'"), "greater")
    )
    assert less["p_value"] == approx(greater["p_value"], rel=1e-10)


@pytest.mark.parametrize("table", TABLES)
def test_one_sided_it_never_exceeds_fishers_test(con, table):
    tabulate(con, table)
    for alternative in ("less", "greater"):
        row = one(con, asked(BOSCHLOO, alternative))
        fisher = one(con, asked(BOSCHLOO.replace("boschloo", "fisher"), alternative))
        assert row["statistic"] == approx(fisher["p_value"], rel=1e-12)
        assert row["p_value"] <= fisher["p_value"] * (1 + 1e-12)


@pytest.mark.parametrize(
    "table",
    [[[0, 0], [0, 0]], [[5, 3], [0, 0]], [[5, 0], [7, 0]]],
    ids=["empty", "one group", "one outcome"],
)
def test_thin_data_give_null(con, table):
    tabulate(con, table)
    row = one(con, BOSCHLOO)
    for field in ("statistic", "p_value", "log10_p_value", "estimate", "effect_size"):
        assert row[field] is None
    assert list(row) == list(of_kind("t"))


def test_bad_requests_are_named(con):
    for table in ([[3, 1], [1, 3]], [[0, 0], [0, 0]]):
        tabulate(con, table)
        with pytest.raises(duckdb.Error, match="alternative is 'both'"):
            one(con, asked(BOSCHLOO, "both"))
    with pytest.raises(duckdb.Error, match="second factor has 3 levels"):
        one(con, "from ml.boschloo_exact('penguins', 'sex', 'species')")


@pytest.mark.parametrize("table", TABLES)
def test_the_interval_is_the_score_interval(con, table):
    tabulate(con, table)
    (f1, x1), (f2, x2) = table
    for alternative, level in (("two-sided", 0.95), ("less", 0.9), ("greater", 0.9)):
        row = one(con, asked(BOSCHLOO, alternative))
        # tests/sql/intervals holds it against the definition; one-sided it has one end of that at 90 %
        low, high = con.execute(
            "select i.ci_lower, i.ci_upper from (select ml.proportion_difference_interval("
            "$1, $2, $3, $4, 'score', confidence_level := $5) as i)",
            [x2, f2 + x2, x1, f1 + x1, level],
        ).fetchone()
        expected = (-1 if alternative == "less" else low, 1 if alternative == "greater" else high)
        assert (row["ci_lower"], row["ci_upper"]) == approx(expected, rel=1e-14)
