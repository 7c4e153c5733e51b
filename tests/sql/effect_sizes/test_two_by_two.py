"""Ratios and phi of a 2 x 2 table against statsmodels and the delta method."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest import approx
from statsmodels.stats.contingency_tables import Table2x2

from tests.sql.aggregates import struct

cells = st.tuples(*[st.integers(1, 60)] * 4)


def table(a, b, c, d):
    outcome = [True] * a + [False] * b + [True] * c + [False] * d
    return {"outcome": outcome, "treated": [True] * (a + b) + [False] * (c + d)}


@given(counts=cells)
def test_ratios_agree_with_statsmodels(con, counts):
    expected = Table2x2(np.reshape(counts, (2, 2)))
    odds = struct(con, "odds_ratio(outcome, treated)", **table(*counts))
    assert odds["estimate"] == approx(expected.oddsratio, rel=1e-13)
    assert odds["standard_error"] == approx(expected.log_oddsratio_se, rel=1e-13)
    found = odds["ci_lower"], odds["ci_upper"]
    assert found == approx(tuple(map(float, expected.oddsratio_confint())), rel=1e-12)
    risk = struct(con, "risk_ratio(outcome, treated)", **table(*counts))
    assert risk["estimate"] == approx(expected.riskratio, rel=1e-13)
    # statsmodels subtracts 1/n from 1/a, which cancels up to two digits
    assert risk["standard_error"] == approx(expected.log_riskratio_se, rel=1e-11)
    found = risk["ci_lower"], risk["ci_upper"]
    assert found == approx(tuple(map(float, expected.riskratio_confint())), rel=1e-11)


@given(counts=cells)
def test_phi_and_its_error_by_the_delta_method(con, counts):
    found = struct(con, "phi(outcome, treated)", **table(*counts))
    columns = table(*counts)
    r = np.corrcoef(columns["outcome"], columns["treated"])[0, 1]
    assert found["estimate"] == approx(r, rel=1e-11, abs=1e-14)

    def phi(p):
        a, b, c, d = p
        return (a * d - b * c) / np.sqrt((a + b) * (c + d) * (a + c) * (b + d))

    n = sum(counts)
    p = np.array(counts) / n
    h = np.finfo(float).eps ** (1 / 3)
    gradient = np.array([(phi(p + h * e) - phi(p - h * e)) / (2 * h) for e in np.eye(4)])
    variance = (gradient**2 @ p - (gradient @ p) ** 2) / n
    # central differences: h² = 4e-11, over shares that can be as small as 1 / 200
    assert found["standard_error"] == approx(np.sqrt(variance), rel=1e-4)
    assert -1 <= found["ci_lower"] < found["estimate"] < found["ci_upper"] <= 1


def test_empty_cells_and_the_correction(con):
    found = struct(con, "odds_ratio(outcome, treated)", **table(0, 5, 3, 4))
    assert (found["estimate"], found["ci_lower"], found["standard_error"]) == (0, None, None)
    found = struct(con, "odds_ratio(outcome, treated, correction := 0.5)", **table(0, 5, 3, 4))
    expected = Table2x2(np.array([[0.5, 5.5], [3.5, 4.5]]))
    assert found["estimate"] == approx(expected.oddsratio, rel=1e-14)
    assert found["ci_upper"] == approx(float(expected.oddsratio_confint()[1]), rel=1e-12)
    assert struct(con, "odds_ratio(outcome, treated)", **table(5, 0, 3, 4))["estimate"] is None


def test_missing_values_are_counted_and_thin_data_gives_null(con):
    columns = {
        "outcome": pa.array([True, None, False, True]), "treated": pa.array([True, True, None, True])
    }  # fmt: skip
    for name in ("odds_ratio", "risk_ratio", "phi"):
        found = struct(con, f"{name}(outcome, treated)", **columns)
        assert list(found.values()) == [None] * 4 + [2, 2]
    assert struct(con, "counts_2x2(outcome, treated)", **columns)["a"] == 2


def test_a_bad_correction_is_an_error(con):
    with pytest.raises(duckdb.Error, match="correction is -1"):
        struct(con, "odds_ratio(outcome, treated, correction := -1)", **table(1, 1, 1, 1))
