"""One row about a column, against scipy, pandas and NIST."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.conftest import record

COLUMNS = "from ml.describe_column('t', 'x')"
VALUES = st.lists(st.integers(-1000, 1000).map(lambda v: v / 8), min_size=1, max_size=60)


def close(expected):
    # Sums of up to 60 numbers of size 125, exact in eighths; powers of them are rounded at 2**-53
    # and added: 60 roundings of a result of any sign, hence the absolute part.
    return pytest.approx(expected, rel=1e-11, abs=1e-11)


@given(values=VALUES)
def test_agrees_with_scipy_and_numpy(pond, column, values):
    column(values)
    x, row = np.array(values), record(pond, COLUMNS)
    n = len(x)
    assert (row["n"], row["n_missing"], row["n_distinct"]) == (n, 0, len(set(values)))
    assert (row["min"], row["max"]) == (x.min(), x.max())
    assert row["mean"] == close(x.mean())
    assert [row["quartile_1"], row["median"], row["quartile_3"]] == close(
        np.quantile(x, [0.25, 0.5, 0.75]).tolist()
    )
    assert row["iqr"] == close(stats.iqr(x))
    assert row["mad"] == close(stats.median_abs_deviation(x))
    if n > 1:
        assert row["variance"] == close(x.var(ddof=1))
        assert row["sd"] == close(x.std(ddof=1))
        assert row["standard_error"] == close(stats.sem(x))
    else:
        assert (row["variance"], row["sd"], row["standard_error"]) == (None, None, None)
    constant = np.ptp(x) == 0
    if n >= 3 and not constant:
        assert row["skewness"] == close(stats.skew(x, bias=False))
    else:
        assert row["skewness"] is None
    if n >= 4 and not constant:
        assert row["kurtosis"] == close(stats.kurtosis(x, bias=False))
    else:
        assert row["kurtosis"] is None
    repeated = max(values.count(v) for v in values)
    mode = min(v for v in values if values.count(v) == repeated)
    assert row["mode"] == (mode if repeated > 1 or n == 1 else None)


@given(values=VALUES, shift=st.integers(-(10**9), 10**9))
def test_a_shift_moves_the_middle_and_leaves_the_shape(pond, column, values, shift):
    column(values)
    before = record(pond, COLUMNS)
    column([Decimal(v) + shift for v in values], "decimal(30, 3)")
    after = record(pond, COLUMNS)
    for name in ("mean", "min", "median", "max"):
        assert after[name] == pytest.approx(before[name] + shift, rel=1e-15, abs=1e-6)
    for name in ("sd", "skewness", "kurtosis"):
        # a column whose values are on both sides of 0 is not shifted: 1e9 · 2**-53 of its sd
        assert after[name] == (None if before[name] is None else close(before[name]))


def numacc4(con, kind):
    # NIST StRD NumAcc4: 10000000.2, then 10000000.1 and 10000000.3 in turn, 1001 values
    con.execute(
        f"create or replace table t as select i, case when i = 0 then '10000000.2' "
        f"when i % 2 = 1 then '10000000.1' else '10000000.3' end::{kind} as x from range(1001) r(i)"
    )


def test_a_decimal_column_loses_no_digit_of_nist_numacc4(pond):
    numacc4(pond.con, "decimal(18, 1)")
    row = record(pond, COLUMNS)
    # certified: 10000000.2 and 0.1; 13 digits and more
    assert row["mean"] == pytest.approx(10000000.2, rel=1e-15)
    assert row["sd"] == pytest.approx(0.1, rel=1e-14)
    numacc4(pond.con, "double")
    row = record(pond, COLUMNS)
    # 10000000.1 as a double is off by 9e-10 at most, a relative 1e-8 of the sd
    assert row["sd"] == pytest.approx(0.1, rel=1e-8)


def test_every_numeric_type(pond, column):
    for kind in ("tinyint", "utinyint", "integer", "bigint", "hugeint", "float", "decimal(5, 2)"):
        column([0, 100, 100, 5], kind)
        row = record(pond, COLUMNS)
        assert (row["mean"], row["mode"], row["max"]) == (51.25, 100, 100), kind
    column([-100, 100], "tinyint")
    assert record(pond, COLUMNS)["mean"] == 0
    column([True, False, True, None], "boolean")
    assert record(pond, COLUMNS)["mean"] == pytest.approx(2 / 3, rel=1e-15)


def test_the_thin_and_the_missing(pond, column):
    column([])
    row = record(pond, COLUMNS)
    assert (row["n"], row["n_missing"], row["n_distinct"]) == (0, 0, 0)
    assert all(row[name] is None for name in ("mean", "sd", "min", "median", "mad", "mode"))
    column([None, "nan", None])
    row = record(pond, COLUMNS)
    assert (row["n"], row["n_missing"], row["mean"]) == (0, 3, None)
    column([7, None, 7, 7, 7, "nan"])
    row = record(pond, COLUMNS)
    assert (row["n"], row["n_missing"], row["sd"], row["mad"]) == (4, 2, 0, 0)
    assert (row["skewness"], row["kurtosis"], row["mode"]) == (None, None, 7)
