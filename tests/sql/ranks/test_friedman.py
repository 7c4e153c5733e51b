"""Friedman, Mood and Brunner–Munzel against scipy, R's help page and the formulas."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from pytest import approx
from scipy import stats

import mlpond
from mlpond.seeds import load as load_seed
from tests.sql.ranks.samples import TIED, is_unknown, load, normal, record


@pytest.fixture(scope="module")
def con():
    with mlpond.connect() as session:
        load_seed(session, "textbook")
        yield session.con


def friedman(con, source="t"):
    return record(con, f"from ml.friedman('{source}', 'y', 'subject', 'condition')")


def blocks(con, values):
    rows = [(i, j, float(y)) for (i, j), y in np.ndenumerate(np.asarray(values, dtype=float))]
    con.execute("create or replace table t(subject bigint, condition bigint, y double)")
    if rows:
        con.executemany("insert into t values (?, ?, ?)", rows[::-1])


def test_rounding_times_as_on_the_help_page_of_r(con):
    row = record(con, "from ml.friedman('textbook.rounding_times', 'seconds', 'player', 'method')")
    # R, ?friedman.test: Friedman chi-squared = 11.143, df = 2, p-value = 0.003805
    assert row["statistic"] == approx(11.143, abs=5e-4)
    assert row["p_value"] == approx(0.003805, abs=5e-7)
    assert (row["df"], row["n"]) == (2, 22)


@given(
    values=npst.arrays(
        int, st.tuples(st.integers(2, 12), st.integers(3, 5)), elements=st.integers(-3, 3)
    )
)
def test_friedman_agrees_with_scipy(con, values):
    blocks(con, values)
    row = friedman(con)
    n, k = values.shape
    if (values == values[:, :1]).all():
        assert row["statistic"] is None
        return
    expected = stats.friedmanchisquare(*values.T)
    # scipy subtracts 3n(k+1) <= 216 from a number as large
    assert row["statistic"] == approx(expected.statistic, rel=1e-11, abs=1e-11)
    assert row["p_value"] == approx(stats.chi2.sf(row["statistic"], k - 1), rel=1e-12)
    assert row["effect_size"] == approx(expected.statistic / (n * (k - 1)), rel=1e-11, abs=1e-11)


def test_incomplete_subjects_are_left_out(con):
    complete = normal(1, 30).reshape(10, 3)
    blocks(con, complete)
    expected = friedman(con)
    con.execute(
        "insert into t values (100, 0, 1), (100, 1, null), (101, 0, 2), (101, 1, 'nan'), (101, 2, 1)"
    )
    row = friedman(con)
    assert row["n_missing"] == 5
    assert {**row, "n_missing": 0} == expected


def test_a_repeated_measurement_is_an_error(con):
    blocks(con, [[1, 2], [3, 4]])
    con.execute("insert into t values (1, 1, 9)")
    with pytest.raises(duckdb.Error, match="subject 1 has more than one value"):
        friedman(con)


def test_friedman_of_thin_data_is_unknown(con):
    blocks(con, np.empty((0, 3)))
    assert is_unknown(friedman(con))
    blocks(con, [[1], [2]])
    assert is_unknown(friedman(con))


def mood(con, options=""):
    return record(con, f"from ml.mood_median('t', 'y', 'g'{options})")


@given(
    groups=st.lists(TIED, min_size=2, max_size=4),
    ties=st.sampled_from(["below", "above", "ignore"]),
    correct=st.booleans(),
)
def test_mood_agrees_with_scipy(con, groups, ties, correct):
    load(con, dict(zip("abcd", groups, strict=False)))
    row = mood(con, f", ties := '{ties}', is_continuity_corrected := {correct}")
    try:
        expected = stats.median_test(*groups, ties=ties, correction=correct)
    except ValueError:  # scipy's word for a table with an empty row or column
        assert row["p_value"] is None
        return
    assert row["statistic"] == approx(expected.statistic, rel=1e-12, abs=1e-12)
    # of our statistic: near 0 a rounding of scipy's would move p by its root
    assert row["p_value"] == approx(stats.chi2.sf(row["statistic"], len(groups) - 1), rel=1e-11)
    assert row["estimate"] == expected.median


def test_mood_of_thin_data_is_unknown(con):
    load(con, {"a": [1.0, 2.0, None]})
    row = mood(con)
    assert (row["statistic"], row["p_value"], row["n_missing"]) == (None, None, 1)
    with pytest.raises(duckdb.Error, match="ties is half; it must be below, above or ignore"):
        mood(con, ", ties := 'half'")


def brunner(con, options=""):
    return record(con, f"from ml.brunner_munzel('t', 'y', 'g'{options})")


@given(a=TIED, b=TIED, alternative=st.sampled_from(["two-sided", "less", "greater"]))
def test_brunner_munzel_agrees_with_scipy(con, a, b, alternative):
    load(con, {"a": a, "b": b})
    row = brunner(con, f", alternative := '{alternative}'")
    assert row["estimate"] == approx(
        (np.sign(np.subtract.outer(b, a)).mean() + 1) / 2, rel=1e-13, abs=1e-14
    )
    with np.errstate(all="ignore"):
        expected = stats.brunnermunzel(b, a, alternative=alternative)
    # arms that are wholly parted have no variance, of which scipy may keep a rounding
    if not abs(expected.statistic) < 1e7:
        assert row["statistic"] is None
        return
    # scipy's sign is that of control - treatment; its variance is of ranks up to 50
    assert row["statistic"] == approx(-expected.statistic, rel=1e-11, abs=1e-12)
    assert row["p_value"] == approx(expected.pvalue, rel=1e-10)


def test_brunner_munzel_on_the_pages_of_r(con):
    # R, lawstat, ?brunner.munzel.test: statistic 3.1375, df 17.683, p-value 0.005786,
    # interval (0.5952169, 0.9827052), P = 0.788961; data of Neuhäuser (2003)
    x = [1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1]
    y = [3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4]
    load(con, {"x": x, "y": y})
    row = brunner(con)
    assert row["statistic"] == approx(3.1375, abs=5e-5)
    assert row["df"] == approx(17.683, abs=5e-4)
    assert row["p_value"] == approx(0.005786, abs=5e-7)
    assert (row["ci_lower"], row["ci_upper"]) == approx((0.5952169, 0.9827052), abs=5e-8)
    assert row["estimate"] == approx(0.788961, abs=5e-7)


@pytest.mark.parametrize("digits", [0, 6])
def test_brunner_munzel_of_many_rows(con, digits):
    a, b = normal(1, 20_000).round(digits), normal(2, 30_000, 0.02).round(digits)
    load(con, {"a": a.tolist(), "b": b.tolist()})
    expected = stats.brunnermunzel(b, a)
    # scipy's ranks are up to 5e4 and their squares sum to 1e13
    assert brunner(con)["statistic"] == approx(-expected.statistic, rel=1e-9)


def test_groups_apart_have_an_estimate_but_no_test(con):
    load(con, {"a": [1.0, 2.0], "b": [3.0, 4.0]})
    row = brunner(con)
    assert (row["estimate"], row["statistic"], row["p_value"]) == (1.0, None, None)
    load(con, {})
    assert is_unknown(brunner(con))
