from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pytest import approx
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable

from tests.sql.grouped import of_kind, one

STRATA = "from ml.cochran_mantel_haenszel('strata', 'a', 'b', 's', weight := 'n')"
BERKELEY = (
    "from ml.cochran_mantel_haenszel('textbook.ucb_admissions', 'gender', 'is_admitted', "
    "'department', weight := 'n_applicants')"
)
tables = st.lists(st.lists(st.integers(0, 60), min_size=4, max_size=4), min_size=1, max_size=6)


def load(con, strata):
    con.execute("create or replace table strata (s integer, a integer, b integer, n double)")
    rows = [(s, i // 2, i % 2, n) for s, cells in enumerate(strata) for i, n in enumerate(cells)]
    if rows:
        con.executemany("insert into strata values (?, ?, ?, ?)", rows)


def test_berkeley(con):
    # R: mantelhaen.test(UCBAdmissions): M² = 1.4269, p = 0.2323, odds ratio 0.9046968 in
    # 0.7719074 to 1.0603298; without the correction M² = 1.5246. R's table has its columns the
    # other way round, and its rows too.
    row = one(con, BERKELEY)
    assert row["statistic"] == approx(1.4269, abs=5e-5)
    assert row["p_value"] == approx(0.2323, abs=5e-5)
    assert row["estimate"] == approx(0.9046968, abs=5e-8)
    assert (row["ci_lower"], row["ci_upper"]) == approx((0.7719074, 1.0603298), abs=5e-8)
    assert (row["df"], row["n"], row["n_strata"]) == (1, 4526, 6)
    plain = one(con, BERKELEY.replace("applicants')", "applicants', correction := false)"))
    assert plain["statistic"] == approx(1.5246, abs=5e-5)


@given(strata=tables)
def test_agrees_with_statsmodels(con, strata):
    array = [np.array(cells, dtype=float).reshape(2, 2) for cells in strata]
    used = [t for t in array if t.sum() > 1 and (t.sum(0) > 0).all() and (t.sum(1) > 0).all()]
    assume(used)
    load(con, strata)
    row = one(con, STRATA.replace("'n')", "'n', correction := false)"))
    expected = StratifiedTable(used)
    null = expected.test_null_odds(correction=False)
    # expected counts of 60 round by 1e-14, and the difference may vanish
    assert row["statistic"] == approx(null.statistic, rel=1e-10, abs=1e-12)
    # of our statistic: near 0 a rounding of the peer's would move p by its root
    assert row["p_value"] == approx(stats.chi2.sf(row["statistic"], 1), rel=1e-11)
    if sum(t[0, 0] * t[1, 1] for t in used) > 0 and sum(t[0, 1] * t[1, 0] for t in used) > 0:
        assert row["estimate"] == approx(expected.oddsratio_pooled, rel=1e-12)
        assert row["standard_error"] == approx(expected.logodds_pooled_se, rel=1e-10)
        assert (row["ci_lower"], row["ci_upper"]) == approx(
            expected.oddsratio_pooled_confint(), rel=1e-10
        )
    assert row["n_strata"] == len(used)


@given(strata=tables)
def test_exchanging_the_levels_inverts_the_ratio(con, strata):
    load(con, strata)
    row, turned = (
        one(con, STRATA),
        one(con, STRATA.replace("'strata'", "'(select -a as a, b, s, n from strata)'")),
    )
    if row["estimate"] and turned["estimate"]:
        assert row["estimate"] * turned["estimate"] == approx(1, rel=1e-12)
        assert row["p_value"] == approx(turned["p_value"], rel=1e-9)


@pytest.mark.parametrize(
    "strata", [[], [[1, 0, 0, 0]], [[5, 3, 0, 0]]], ids=["empty", "one", "empty margin"]
)
def test_thin_data_give_null(con, strata):
    load(con, strata)
    row = one(con, STRATA)
    for field in ("statistic", "df", "p_value", "log10_p_value", "estimate", "ci_lower"):
        assert row[field] is None
    assert list(row)[:11] == list(of_kind("t"))
    assert row["n_strata"] == 0


def test_missing_values_are_counted(con):
    load(con, [[3, 4, 5, 6], [2, 3, 4, 5]])
    con.execute("insert into strata values (null, 0, 0, 7), (0, null, 1, 2), (1, 1, 1, null)")
    assert one(con, STRATA)["n_missing"] == 10


def test_bad_requests_are_named(con):
    with pytest.raises(duckdb.Error, match="the first factor has 6 levels"):
        one(con, BERKELEY.replace("'gender'", "'department'"))
    with pytest.raises(duckdb.Error, match="confidence_level is 0"):
        one(con, BERKELEY.replace("applicants')", "applicants', confidence_level := 0)"))
