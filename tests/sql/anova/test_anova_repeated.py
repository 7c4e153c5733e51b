from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pytest import approx
from statsmodels.stats.anova import AnovaRM

from tests.sql.grouped import of_kind, one

REPEATED = "from ml.anova_repeated('measures', 'y', 'subject', 'condition')"


def make(con, seed, subjects, conditions):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "subject": np.repeat(np.arange(subjects), conditions),
            "condition": np.tile(np.arange(conditions), subjects),
        }
    )
    of_subject = rng.normal(size=subjects) * 3
    y = 20 + of_subject[table.subject] * (1 + 0.2 * table.condition) + 0.4 * table.condition
    table["y"] = np.round(y + rng.normal(size=len(table)), 3)
    con.execute("create or replace table measures (subject integer, condition integer, y double)")
    con.executemany("insert into measures values (?, ?, ?)", table.to_numpy().tolist())
    return table


DESIGNS = [(1, 8, 4), (2, 3, 2), (3, 30, 3), (4, 5, 7)]


@pytest.mark.parametrize("seed, subjects, conditions", DESIGNS)
def test_agrees_with_statsmodels(con, seed, subjects, conditions):
    table = make(con, seed, subjects, conditions)
    row = one(con, REPEATED)
    expected = AnovaRM(table, "y", "subject", within=["condition"]).fit().anova_table.iloc[0]
    # least squares of values of 20 with residuals of 1
    assert row["statistic"] == approx(expected["F Value"], rel=1e-9)
    assert (row["df_between"], row["df_within"]) == (expected["Num DF"], expected["Den DF"])
    assert row["p_value"] == approx(expected["Pr > F"], rel=1e-9)
    # Greenhouse and Geisser's formula, of the covariance matrix of the conditions
    S = table.pivot(index="subject", columns="condition", values="y").cov().to_numpy()
    k = conditions
    top = (k * (S.diagonal().mean() - S.mean())) ** 2
    bottom = (k - 1) * ((S**2).sum() - 2 * k * (S.mean(1) ** 2).sum() + (k * S.mean()) ** 2)
    assert row["epsilon"] == approx(top / bottom, rel=1e-9)


@pytest.mark.parametrize("seed, subjects, conditions", DESIGNS)
def test_agrees_with_pingouin(con, seed, subjects, conditions):
    pingouin = pytest.importorskip("pingouin")  # not among the dependencies of the tests
    table = make(con, seed, subjects, conditions)
    row = one(con, REPEATED)
    options = {
        "data": table,
        "dv": "y",
        "within": "condition",
        "subject": "subject",
        "correction": True,
    }
    expected = pingouin.rm_anova(**options, effsize="np2").iloc[0]
    # pingouin's sums of squares are not centred: values of 20 and their squares round at 1e-13
    assert row["statistic"] == approx(expected["F"], rel=1e-9)
    assert (row["df_between"], row["df_within"]) == (expected["ddof1"], expected["ddof2"])
    assert row["p_value"] == approx(expected["p_unc"], rel=1e-9)
    assert row["effect_size"] == approx(expected["np2"], rel=1e-9)
    assert row["epsilon"] == approx(expected["eps"], rel=1e-9)
    if conditions > 2:
        assert row["p_value_corrected"] == approx(expected["p_GG_corr"], rel=1e-8)
    expected = pingouin.rm_anova(**options, effsize="ng2").iloc[0]
    assert row["generalized_eta_squared"] == approx(expected["ng2"], rel=1e-9)


def test_two_conditions_are_a_paired_t_test(con):
    from scipy import stats

    table = make(con, 5, 12, 2).pivot(index="subject", columns="condition", values="y")
    row = one(con, REPEATED)
    t = stats.ttest_rel(table[0], table[1])
    assert row["statistic"] == approx(t.statistic**2, rel=1e-11)  # squares of 12 differences
    assert row["p_value"] == approx(t.pvalue, rel=1e-11)
    assert row["epsilon"] == approx(1, rel=1e-12)


def test_what_is_common_to_a_subject_does_not_matter(con):
    make(con, 6, 9, 3)
    before = one(con, REPEATED)
    con.execute("update measures set y = y + 100 * subject")
    after = one(con, REPEATED)
    # values of 900 instead of 20 round 40 times as coarsely
    for field in ("statistic", "epsilon", "p_value_corrected"):
        assert after[field] == approx(before[field], rel=1e-10)


def test_incomplete_subjects_are_left_out(con):
    make(con, 7, 10, 3)
    whole = one(con, REPEATED.replace("'measures'", "'(from measures where subject > 1)'"))
    con.execute("update measures set y = null where subject = 0 and condition = 1")
    con.execute("delete from measures where subject = 1 and condition = 2")
    row = one(con, REPEATED)
    assert (row["n"], row["n_missing"]) == (8, 2)
    assert row["statistic"] == approx(whole["statistic"], rel=1e-12)


@pytest.mark.parametrize("condition", ["false", "subject = 0", "condition = 0"])
def test_thin_data_give_null(con, condition):
    make(con, 8, 5, 3)
    row = one(con, REPEATED.replace("'measures'", f"'(from measures where {condition})'"))
    for field in (
        "statistic",
        "p_value",
        "log10_p_value",
        "epsilon",
        "p_value_corrected",
        "effect_size",
    ):
        assert row[field] is None
    assert list(row)[:12] == list(of_kind("F"))
