"""The empirical distribution function and its band."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.distributions.empirical_distribution import _conf_set

from tests.conftest import rows


@given(
    values=st.lists(st.integers(-20, 20), min_size=1, max_size=50),
    level=st.sampled_from([0.5, 0.95]),
)
def test_agrees_with_scipy_and_statsmodels(con, column, values, level):
    column(values)
    query = f"from ml.ecdf('t', 'x', confidence_level := {level})"
    found = con.execute(query).fetchnumpy()
    expected = stats.ecdf(values).cdf
    assert found["value"].tolist() == expected.quantiles.tolist()
    assert found["ecdf"] == pytest.approx(expected.probabilities, rel=1e-15)
    low, high = _conf_set(np.repeat(found["ecdf"], found["n_equal"]), alpha=1 - level)
    ends = np.cumsum(found["n_equal"]) - 1  # statsmodels takes n from the length
    assert found["ci_lower"] == pytest.approx(low[ends], rel=1e-12, abs=1e-15)
    assert found["ci_upper"] == pytest.approx(high[ends], rel=1e-12)
    assert found["n_cumulative"][-1] == found["n"][0] == len(values)


def test_the_band_holds_the_true_function_as_often_as_it_says(con):
    # 200 samples of 100 uniform numbers; the bound is nearly attained (Massart), so that of 200
    # about 10 bands miss at 95 %. More than 22 have a chance below 1e-3.
    query = """
        select count(*) filter (missed) from (
            select sample, max(abs(x - rank / 100)) > sqrt(ln(2 / 5e-2) / 200)
                or max(abs(x - (rank - 1) / 100)) > sqrt(ln(2 / 5e-2) / 200) as missed
            from (
                select i // 100 as sample, ml.random_uniform(5, i) as x,
                    row_number() over (partition by i // 100 order by x) as rank
                from range(20000) r(i)
            ) group by sample
        )
    """
    assert con.execute(query).fetchall()[0][0] <= 22
    # and ecdf has that half width
    con.execute("create or replace table t as select i as x from range(100) r(i)")
    ((half,),) = con.execute("select ci_upper - ecdf from ml.ecdf('t', 'x') limit 1").fetchall()
    assert half == pytest.approx(math.sqrt(math.log(40) / 200), rel=1e-14)


def test_missing_values_and_none(pond, column):
    column([1, None, "nan"])
    assert rows(pond, "select n, n_missing, ecdf from ml.ecdf('t', 'x')") == [(1, 2, 1)]
    column([None])
    assert rows(pond, "from ml.ecdf('t', 'x')") == []


def test_a_wrong_level_is_an_error(con):
    with pytest.raises(duckdb.Error, match="ml.ecdf: confidence_level is 1"):
        con.execute("from ml.ecdf('penguins', 'year', confidence_level := 1)").fetchall()
