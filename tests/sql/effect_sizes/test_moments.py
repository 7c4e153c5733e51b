"""Moments of samples, arms and pairs against numpy."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from pytest import approx
from scipy import stats

from tests.sql.aggregates import arms, samples, struct


@given(a=samples, b=samples)
def test_agrees_with_numpy(con, a, b):
    found = struct(con, "arm_moments(x, treated)", **arms(a, b))
    assert (found["n_treatment"], found["n_control"]) == (len(a), len(b))
    # quarters have exact sums; Welford's divisions round by 2**-53 a row
    assert found["mean_difference"] == approx(np.mean(a) - np.mean(b), rel=1e-14, abs=1e-15)
    assert found["variance_treatment"] == approx(np.var(a, ddof=1), rel=1e-13)
    expected = stats.ttest_ind(a, b, equal_var=False)
    assert found["welch_df"] == approx(expected.df, rel=1e-12)
    one = struct(con, "sample_moments(x)", x=a)
    assert (one["n"], one["mean"]) == (len(a), approx(np.mean(a), rel=1e-15, abs=1e-15))


def test_means_of_many_rows_far_from_zero(con):
    # 2 million integers and halves: the mean of i / 2 - (i - 1) / 2 … is known, 0.25 by symmetry
    ((mean,),) = con.execute(
        "select (ml.sample_moments(1e8 + (i % 2) / 2e0)).mean - 1e8 from range(2000000) r(i)"
    ).fetchall()
    assert mean == approx(0.25, abs=1.5e-8)  # the spacing of doubles at 1e8


def test_what_is_left_out(con):
    x = pa.array([1.0, None, float("nan"), 4.0, 5.0])
    found = struct(con, "arm_moments(x, treated)", x=x, treated=[True, True, False, False, None])
    assert (found["n"], found["n_missing"], found["mean_difference"]) == (2, 3, -3.0)
    found = struct(con, "pair_moments(x, y)", x=x, y=[1.0, 2.0, 3.0, float("nan"), 9.0])
    assert (found["n"], found["n_missing"]) == (2, 3)
