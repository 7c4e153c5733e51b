from __future__ import annotations

import math

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx
from statsmodels.stats.contingency_tables import mcnemar

from tests.sql.grouped import of_kind, one, tabulate

CELLS = "from ml.mcnemar('cells', 'a', 'b', weight := 'n')"
APPROVAL = (
    "from ml.mcnemar('textbook.approval', 'first_survey', 'second_survey', weight := 'n_people')"
)


def test_approval(con):
    # Agresti (2002), section 10.1.1: z² = 17.36; statsmodels and R have the further digits
    plain = one(con, APPROVAL.replace("_people')", "_people', method := 'plain')"))
    assert (plain["statistic"], plain["p_value"]) == approx((17.3559322034, 3.0992934e-5), rel=1e-8)
    corrected = one(con, APPROVAL.replace("_people')", "_people', method := 'corrected')"))
    assert (corrected["statistic"], corrected["p_value"]) == approx(
        (16.8177966102, 4.1145623e-5), rel=1e-8
    )
    exact = one(con, APPROVAL)
    assert exact["p_value"] == approx(3.7159361e-5, rel=1e-7)  # eight digits given
    assert (exact["statistic"], exact["df"], exact["n"]) == (None, None, 1600)
    # Agresti, page 411: the difference of the shares is 0.04 with standard error 0.0095
    assert exact["estimate"] == approx(0.04, rel=1e-12)
    assert exact["standard_error"] == approx(0.0095, abs=5e-5)
    assert (exact["ci_lower"], exact["ci_upper"]) == approx((0.02, 0.06), abs=2e-3)
    assert exact["effect_size"] == approx(150 / 86, rel=1e-13)


@pytest.mark.parametrize("method", ["exact", "corrected", "plain"])
@given(
    table=st.lists(st.lists(st.integers(1, 5000), min_size=2, max_size=2), min_size=2, max_size=2)
)
def test_agrees_with_statsmodels(con, method, table):
    tabulate(con, table)
    row = one(con, CELLS.replace("'n')", f"'n', method := '{method}')"))
    expected = mcnemar(table, exact=method == "exact", correction=method == "corrected")
    if method == "corrected" and table[0][1] == table[1][0]:
        # statsmodels squares |b - c| - 1 = -1; the correction must not go past 0
        assert (row["statistic"], row["p_value"]) == (0, 1)
        return
    if method != "exact":
        assert row["statistic"] == approx(expected.statistic, rel=1e-12)
    # tails of the binomial distribution: 1e-13
    assert row["p_value"] == approx(expected.pvalue, rel=1e-10, abs=1e-300)
    assert (row["n_to_greater"], row["n_from_greater"]) == (table[0][1], table[1][0])


def test_the_success_may_be_named(con):
    tabulate(con, [[10, 7], [2, 30]])
    greater = one(con, CELLS)
    levels = [
        row[0] for row in con.execute("select distinct a::varchar from cells order by a").fetchall()
    ]
    named = [one(con, CELLS.replace("'n')", f"'n', success := '{level}')")) for level in levels]
    assert named[1] == greater
    assert (named[0]["n_to_greater"], named[0]["n_from_greater"]) == (2, 7)
    assert named[0]["estimate"] == -greater["estimate"]
    assert named[0]["p_value"] == greater["p_value"]
    with pytest.raises(duckdb.Error, match="mcnemar: success is perhaps; the answers are"):
        one(con, CELLS.replace("'n')", "'n', success := 'perhaps')"))


def test_exchanging_the_surveys_turns_the_sign(con):
    tabulate(con, [[10, 7], [2, 30]])
    there, back = one(con, CELLS), one(con, CELLS.replace("'a', 'b'", "'b', 'a'"))
    assert there["p_value"] == back["p_value"]
    assert there["estimate"] == -back["estimate"]


def test_millions_keep_the_logarithm(con):
    tabulate(con, [[0, 2_000_000], [1_900_000, 0]])
    row = one(con, CELLS)
    # 3,900,000 coins and 50,000 too few heads, that is 50.6 standard deviations: by the first term
    # of the expansion of the tail, times 2 / sqrt(2 pi) z, which is right to 1/z²
    z = 100_000 / math.sqrt(3_900_000)
    expected = math.log10(2) - (z**2 / 2 + math.log(z * math.sqrt(2 * math.pi))) / math.log(10)
    assert row["p_value"] == 0 or row["p_value"] < 1e-300
    assert row["log10_p_value"] == approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    "table", [[[0, 0], [0, 0]], [[5, 0], [0, 7]]], ids=["empty", "nobody changed"]
)
def test_thin_data_give_null(con, table):
    tabulate(con, table)
    for method in ("exact", "plain", "corrected"):
        row = one(con, CELLS.replace("'n')", f"'n', method := '{method}')"))
        for field in ("statistic", "p_value", "log10_p_value", "effect_size"):
            assert row[field] is None
        assert list(row)[:11] == list(of_kind("t"))


def test_bad_requests_are_named(con):
    with pytest.raises(
        duckdb.Error, match="method is 'x'; accepted are 'exact', 'corrected' and 'plain'"
    ):
        one(con, APPROVAL.replace("_people')", "_people', method := 'x')"))
    with pytest.raises(duckdb.Error, match=r"answers have 3 levels \(0, 1, 2\); it takes 2"):
        tabulate(con, [[1, 2, 3]])
        one(con, CELLS)
    with pytest.raises(duckdb.Error, match="confidence_level is 2"):
        one(con, APPROVAL.replace("_people')", "_people', confidence_level := 2)"))
