"""The Cramér–von Mises test of two samples against scipy, and laws of its own."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx
from scipy import stats

from tests.sql.ranks.samples import TIED, is_unknown, load, normal, record


def cramer(con, options=""):
    return record(con, f"from ml.cramer_von_mises_2samp('t', 'y', 'g'{options})")


@given(a=TIED, b=TIED, method=st.sampled_from(["auto", "asymptotic"]))
def test_agrees_with_scipy(con, a, b, method):
    load(con, {"a": a, "b": b})
    row = cramer(con, f", method := '{method}'")
    expected = stats.cramervonmises_2samp(a, b, method=method)
    # T is a difference of numbers up to (n + m) / 6
    assert row["statistic"] == approx(expected.statistic, rel=1e-11, abs=1e-13)
    assert row["method"] == (
        "exact" if method == "auto" and max(len(a), len(b)) <= 20 else "asymptotic"
    )
    # counts below 2**53 are exact in both; the limit has 1e-13, absolutely
    assert row["p_value"] == approx(expected.pvalue, rel=1e-11, abs=1e-12)
    assert row["n"] == len(a) + len(b)


@pytest.mark.parametrize("digits", [0, 6])
def test_many_rows_agree_with_scipy(con, digits):
    a, b = normal(1, 3000).round(digits), normal(2, 2000, 0.05).round(digits)
    load(con, {"a": a.tolist(), "b": b.tolist()})
    expected = stats.cramervonmises_2samp(a, b)
    row = cramer(con)
    # scipy subtracts 4 n m / (6 (n + m)) = 800 from a number as large
    assert row["statistic"] == approx(expected.statistic, rel=1e-10)
    # scipy takes its tail from 1: of 4e-12, the p of the values with ties, no digit is left
    assert row["p_value"] == approx(expected.pvalue, rel=1e-9, abs=1e-11)


@given(a=TIED, b=TIED)
def test_neither_the_scale_nor_the_names_of_the_groups_matter(con, a, b):
    load(con, {"a": a, "b": b})
    one = cramer(con)
    load(con, {"b": [math.exp(x) for x in a], "a": [math.exp(x) for x in b]})
    other = cramer(con)
    assert one["statistic"] == approx(other["statistic"], rel=1e-12, abs=1e-14)
    assert one["p_value"] == approx(other["p_value"], rel=1e-12)


@pytest.mark.parametrize("groups", [{}, {"a": [1.0, 2.0]}, {"a": [1.0], "b": [1.0, 3.0, 4.0]}])
def test_thin_data_is_unknown(con, groups):
    load(con, groups)
    assert is_unknown(cramer(con))


def test_missing_is_counted(con):
    load(con, {"a": [1.0, 2.0, None], "b": [3.0, math.nan, 4.0]})
    row = cramer(con)
    assert (row["n"], row["n_missing"]) == (4, 2)


def test_the_exact_count_is_refused_for_many_rows(con):
    load(con, {"a": np.arange(21.0).tolist(), "b": [1.0, 2.0]})
    with pytest.raises(duckdb.Error, match="at most 20 a group"):
        cramer(con, ", method := 'exact'")
    with pytest.raises(duckdb.Error, match="method is bootstrap; it must be auto"):
        cramer(con, ", method := 'bootstrap'")
