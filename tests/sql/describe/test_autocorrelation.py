"""Autocorrelations, against statsmodels and NIST."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.tsa.stattools import acf

from tests.conftest import rows


def ours(con, options=""):
    return con.execute(f"from ml.autocorrelation('t', 'x', 'i'{options})").fetchnumpy()


def theirs(values, lags, alpha=0.05):
    return acf(
        np.array(values, dtype=float), nlags=lags, alpha=alpha, fft=False,
        missing="conservative", result_object=False,
    )  # fmt: skip


@given(
    values=st.lists(st.integers(-50, 50), min_size=2, max_size=60),
    lags=st.integers(1, 30),
    level=st.sampled_from([0.5, 0.95]),
)
def test_agrees_with_statsmodels(con, column, values, lags, level):
    column(values)
    found = ours(con, f", lags := {lags}, confidence_level := {level}")
    kept = min(lags, len(values) - 1)
    assert found["lag"].tolist() == list(range(kept + 1))
    if len(set(values)) == 1:
        assert np.ma.getmaskarray(found["autocorrelation"]).all()
        return
    r, interval = theirs(values, kept, 1 - level)
    # sums of at most 60 products of size 1, some of which cancel
    assert found["autocorrelation"] == pytest.approx(r, rel=1e-11, abs=1e-13)
    assert found["ci_lower"] == pytest.approx(interval[:, 0], rel=1e-11, abs=1e-12)
    assert found["ci_upper"] == pytest.approx(interval[:, 1], rel=1e-11, abs=1e-12)
    assert found["n_pairs"].tolist() == [len(values) - lag for lag in range(kept + 1)]


def test_a_gap_keeps_its_place(con, column):
    values = [1, 3, None, 2, 5, "nan", 4, 4, 1, 0, 3]
    column(values)
    found = ours(con, ", lags := 4")
    r = theirs([np.nan if v in (None, "nan") else v for v in values], 4)[0]
    assert found["autocorrelation"] == pytest.approx(r, rel=1e-12)
    assert found["n_pairs"].tolist()[:2] == [9, 6]


# NIST StRD: NumAcc2 to 4 are c + 0.2, then c + 0.1 and c + 0.3 in turn, 1001 values; r1 = -0.999
@pytest.mark.parametrize("c", [1, 1000000, 10000000])
def test_numacc_keeps_every_digit_in_decimals(con, c):
    con.execute(
        f"create or replace table t as select i, ({c} + case when i = 0 then 0.2 when i % 2 = 1 "
        "then 0.1 else 0.3 end)::decimal(18, 1) as x from range(1001) r(i)"
    )
    assert ours(con, ", lags := 1")["autocorrelation"][1] == pytest.approx(-0.999, rel=1e-13)


def test_the_order_of_time_is_what_counts(con, column):
    column([3, 1, 4, 1, 5, 9, 2, 6])
    forwards = ours(con, ", lags := 3")["autocorrelation"]
    con.execute("create or replace table t as select -i as i, x from t order by x")
    # read backwards a series has the same autocorrelations
    assert ours(con, ", lags := 3")["autocorrelation"] == pytest.approx(forwards, rel=1e-14)


def test_the_nile(pond):
    # R: acf(Nile)$acf[2:4] prints 0.498 0.385 0.328
    found = rows(
        pond,
        "select round(autocorrelation, 3) from "
        "ml.autocorrelation('textbook.nile', 'flow_1e8_m3', 'year', lags := 3) where lag > 0",
    )
    assert found == [(0.498,), (0.385,), (0.328,)]


def test_the_thin(con, column):
    column([])
    assert ours(con)["lag"].tolist() == []
    column([5])
    found = ours(con)
    assert found["lag"].tolist() == [0]
    assert np.ma.getmaskarray(found["autocorrelation"]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [(", lags := 0", "lags is 0"), (", confidence_level := 0", "confidence_level is 0")],
)
def test_bad_parameters_are_errors(con, column, options, message):
    column([1, 2, 3])
    with pytest.raises(duckdb.Error, match=f"ml.autocorrelation: {message}"):
        ours(con, options)
