from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from pytest import approx
from statsmodels.stats.anova import anova_lm

from tests.sql.grouped import ask, of_kind

TERMS = ("factor_a", "factor_b", "interaction", "residual")
INDEX = ("C(a, Sum)", "C(b, Sum)", "C(a, Sum):C(b, Sum)", "Residual")


def make(con, seed, rows, levels_a, levels_b):
    rng = np.random.default_rng(seed)
    a = np.r_[np.repeat(np.arange(levels_a), levels_b), rng.integers(0, levels_a, rows)]
    b = np.r_[np.tile(np.arange(levels_b), levels_a), rng.integers(0, levels_b, rows)]
    y = np.round(50 + a * 0.3 - b * 0.2 + a * b * 0.1 + rng.normal(size=a.size), 3)
    table = pd.DataFrame({"a": a, "b": b, "y": y})
    con.execute("create or replace table design (a integer, b integer, y double)")
    con.executemany("insert into design values (?, ?, ?)", table.to_numpy().tolist())
    return table


def by_term(con, kind=2, source="design"):
    rows = ask(con, f"from ml.anova_two_way('{source}', 'y', 'a', 'b', type := {kind})")
    assert [row["term"] for row in rows] == list(TERMS)
    return dict(zip(TERMS, rows, strict=True))


def test_tooth_growth(con):
    rows = ask(
        con, "from ml.anova_two_way('textbook.tooth_growth', 'length_um', 'supplement', 'dose_mg')"
    )
    # R: anova(lm(len ~ supp * factor(dose), ToothGrowth)), digits printed
    printed = [(1, 205.35, 205.35, 15.572, 0.0002312), (2, 2426.43, 1213.22, 92.000, 4.046e-18),
               (2, 108.32, 54.16, 4.107, 0.0218603), (54, 712.11, 13.19, None, None)]  # fmt: skip
    for row, (df, squares, mean, f, p) in zip(rows, printed, strict=True):
        assert (row["df_within"] if f is None else row["df_between"]) == df
        assert row["sum_of_squares"] == approx(squares, abs=5e-3)
        assert row["mean_square"] == approx(mean, abs=5e-3)
        assert row["statistic"] == (None if f is None else approx(f, abs=5e-4))
        assert row["p_value"] == (None if p is None else approx(p, rel=2e-4))


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize(
    "seed, rows, a, b", [(1, 40, 3, 4), (2, 7, 2, 2), (3, 200, 5, 2), (4, 60, 2, 7)]
)
def test_agrees_with_statsmodels_on_unbalanced_data(con, kind, seed, rows, a, b):
    table = make(con, seed, rows, a, b)
    expected = anova_lm(smf.ols("y ~ C(a, Sum) * C(b, Sum)", table).fit(), typ=kind)
    found = by_term(con, kind)
    for term, index in zip(TERMS, INDEX, strict=True):
        row = found[term]
        # statsmodels solves for values of 50 with residuals of 1, by a pseudo-inverse: 1e-11
        assert row["sum_of_squares"] == approx(expected.loc[index, "sum_sq"], rel=1e-9, abs=1e-11)
        if term != "residual":
            assert row["df_between"] == expected.loc[index, "df"]
            assert row["statistic"] == approx(expected.loc[index, "F"], rel=1e-9, abs=1e-11)
            assert row["p_value"] == approx(expected.loc[index, "PR(>F)"], rel=1e-8)


@pytest.mark.parametrize("kind", [1, 2])
def test_combinations_that_never_occur(con, kind):
    table = make(con, 5, 60, 3, 4)
    table = table[~((table.a == 1) & (table.b == 2))]
    found = by_term(con, kind, "(from design where not (a = 1 and b = 2))")
    additive = anova_lm(smf.ols("y ~ C(a) + C(b)", table).fit(), typ=kind)
    saturated = smf.ols("y ~ C(a * 10 + b)", table).fit()
    # as above
    for term, index in (("factor_a", "C(a)"), ("factor_b", "C(b)")):
        assert found[term]["sum_of_squares"] == approx(additive.loc[index, "sum_sq"], rel=1e-9)
        assert found[term]["df_between"] == additive.loc[index, "df"]
    assert found["residual"]["sum_of_squares"] == approx(saturated.ssr, rel=1e-10)
    assert found["interaction"]["sum_of_squares"] == approx(
        additive.loc["Residual", "sum_sq"] - saturated.ssr, rel=1e-9
    )
    assert found["interaction"]["df_between"] == 5


def test_type_3_of_an_incomplete_table_is_not_said(con):
    make(con, 5, 60, 3, 4)
    found = by_term(con, 3, "(from design where not (a = 1 and b = 2))")
    for term in ("factor_a", "factor_b"):
        assert found[term]["sum_of_squares"] is None
        assert found[term]["p_value"] is None
    assert found["interaction"]["p_value"] is not None


def test_two_separate_blocks_share_no_comparison(con):
    # levels a 0, 1 occur with b 0, 1 alone, and 2, 3 with 2, 3: one comparison of blocks is lost
    make(con, 6, 300, 4, 4)
    found = by_term(con, 2, "(from design where (a < 2) = (b < 2))")
    assert (found["factor_a"]["df_between"], found["factor_b"]["df_between"]) == (2, 2)
    assert found["interaction"]["df_between"] == 8 - 4 - 2


def test_a_balanced_design_has_one_answer(con):
    con.execute(
        "create or replace table design as select i % 3 as a, i // 3 % 2 as b, hash(i) % 1000 / 1e2 as y from range(24) as t(i)"
    )
    first, second, third = (by_term(con, kind) for kind in (1, 2, 3))
    for term in TERMS:
        for other in (second, third):
            # sums of 24 squares, taken in different ways
            assert other[term]["sum_of_squares"] == approx(first[term]["sum_of_squares"], rel=1e-11)
    total = con.execute("select count(y) * var_pop(y) from design").fetchall()[0][0]
    assert sum(row["sum_of_squares"] for row in first.values()) == approx(total, rel=1e-12)


def test_order_of_the_factors_does_not_matter_to_type_2(con):
    make(con, 7, 50, 3, 4)
    swapped = dict(
        zip(TERMS, ask(con, "from ml.anova_two_way('design', 'y', 'b', 'a')"), strict=True)
    )
    found = by_term(con)
    # eliminated in another order
    assert swapped["factor_a"]["statistic"] == approx(found["factor_b"]["statistic"], rel=1e-10)
    assert swapped["interaction"]["statistic"] == approx(
        found["interaction"]["statistic"], rel=1e-10
    )


@pytest.mark.parametrize("condition", ["false", "a = 0", "a = 0 and b = 0"])
def test_thin_data_give_null(con, condition):
    make(con, 7, 50, 3, 4)
    found = by_term(con, 2, f"(from design where {condition})")
    for term in ("factor_a", "interaction", "residual"):
        assert found[term]["p_value"] is None
        assert found[term]["log10_p_value"] is None
    assert list(found["residual"])[1:13] == list(of_kind("F"))


def test_one_observation_a_cell_leaves_no_residual(con):
    con.execute(
        "create or replace table design as select i % 3 as a, i // 3 as b, i * i as y from range(12) as t(i)"
    )
    found = by_term(con)
    assert found["factor_a"]["sum_of_squares"] > 0
    assert found["factor_a"]["statistic"] is None


def test_a_wrong_type_is_named(con):
    make(con, 7, 50, 3, 4)
    with pytest.raises(duckdb.Error, match="type is 4; accepted are 1, 2 and 3"):
        by_term(con, 4)
