"""Correlations and covariances of columns, against pandas, scipy and Anscombe."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.conftest import rows

NAMES = ["a", "b b", 'c"c']
COLUMNS = "['a', 'b b', 'c\"c']"
TESTS = {
    "pearson": stats.pearsonr,
    "spearman": stats.spearmanr,
    "kendall": lambda x, y: stats.kendalltau(x, y, method="asymptotic"),
}


def load(con, frame):
    con.register("frame", frame)
    con.execute("create or replace table t as from frame")
    con.unregister("frame")


def matrix(con, function, value, options=""):
    found = con.execute(f"from ml.{function}('t', {COLUMNS}{options})").df()
    square = found.pivot(index="column_1", columns="column_2", values=value)
    return found, square.loc[NAMES, NAMES].to_numpy(dtype=float)


VALUE = st.one_of(st.integers(-4, 4).map(float), st.none())
FRAMES = st.lists(st.tuples(VALUE, VALUE, VALUE), min_size=1, max_size=30).map(
    lambda data: pd.DataFrame(data, columns=NAMES, dtype=float)
)


@pytest.mark.parametrize("method", TESTS)
@given(frame=FRAMES)
@settings(max_examples=6)
def test_correlations_and_their_tests(con, method, frame):
    load(con, frame)
    for missing in ("pairwise", "complete"):
        found, square = matrix(
            con, "correlation_matrix", "correlation",
            f", method := '{method}', missing := '{missing}'",
        )  # fmt: skip
        used = frame if missing == "pairwise" else frame.dropna()
        with np.errstate(all="ignore"):
            expected = used.corr(method=method).to_numpy(copy=True)
        # NULL on the diagonal of a constant column, where pandas' kendall alone has 1
        for i, name in enumerate(NAMES):
            if used[name].nunique() < 2:
                expected[i, i] = np.nan
        # correlations of small whole numbers are rounded a few times, near 0 absolutely
        assert square == pytest.approx(expected, rel=1e-12, abs=1e-13, nan_ok=True)
        for row in found.itertuples():
            pair = used[[row.column_1, row.column_2]].dropna().to_numpy()
            if row.column_1 == row.column_2:
                pair = used[[row.column_1]].dropna().to_numpy().repeat(2, axis=1)
            assert row.n == len(pair)
            if row.column_1 == row.column_2 or np.isnan(row.correlation) or row.n < 3:
                assert pd.isna(row.p_value)
                continue
            if method == "kendall":
                p = TESTS[method](pair[:, 0], pair[:, 1]).pvalue
            elif abs(row.correlation) > 1 - 1e-14:
                # a rounding of r: p moves by its root, with three rows from 0 to 3e-8
                assert row.p_value < 1e-7
                continue
            else:  # of our correlation, for near 1 a rounding of the peer's costs it digits
                r, df = row.correlation, row.n - 2
                p = 2 * stats.t.sf(abs(r) * np.sqrt(df / ((1 - r) * (1 + r))), df)
            assert row.p_value == pytest.approx(p, rel=1e-9)


def test_the_methods_on_continuous_data_with_gaps(con):
    rng = np.random.default_rng(4)
    data = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 3))
    data[rng.random(data.shape) < 0.1] = np.nan
    frame = pd.DataFrame(data, columns=NAMES)
    load(con, frame)
    for method in TESTS:
        found, square = matrix(con, "correlation_matrix", "correlation", f", method := '{method}'")
        assert square == pytest.approx(frame.corr(method=method).to_numpy(), rel=1e-12)
        pair = frame[["a", "b b"]].dropna()
        expected = TESTS[method](pair["a"], pair["b b"])
        row = found[(found.column_1 == "a") & (found.column_2 == "b b")].iloc[0]
        assert row.p_value == pytest.approx(expected.pvalue, rel=1e-9)


def test_anscombe(pond):
    # Anscombe (1973): r = 0.8164205163448 in the first set; p as of the slope, 0.00216962887
    found = rows(
        pond,
        "from ml.correlation_matrix('(from textbook.anscombe where quartet = 1)', ['x', 'y'])",
    )
    assert found[1][:2] == ("x", "y")
    assert found[1][2] == pytest.approx(0.8164205163448, rel=1e-13)
    assert found[1][4] == pytest.approx(0.00216962887, rel=1e-8)  # as printed


def test_rank_correlation_does_not_see_monotone_transformations(pond, con):
    con.execute(
        "create or replace table t as select x, exp(x) as y, ml.normal_random(2, i) + x as z "
        "from (select i, ml.normal_random(1, i) as x from range(80) r(i))"
    )
    for method in ("spearman", "kendall"):
        found = {
            row[:2]: row[2]
            for row in rows(
                pond, f"from ml.correlation_matrix('t', ['x', 'y', 'z'], method := '{method}')"
            )
        }
        assert found["x", "y"] == pytest.approx(1, rel=1e-15)
        assert found["x", "z"] == pytest.approx(found["y", "z"], rel=1e-15)
        assert found["z", "x"] == found["x", "z"]


@given(frame=FRAMES)
@settings(max_examples=6)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # numpy's, of too few rows
def test_covariances(con, frame):
    load(con, frame)
    found, square = matrix(con, "covariance_matrix", "covariance")
    assert square == pytest.approx(frame.cov().to_numpy(), rel=1e-12, abs=1e-13, nan_ok=True)
    _, square = matrix(con, "covariance_matrix", "covariance", ", missing := 'complete'")
    expected = frame.dropna().cov().to_numpy()
    assert square == pytest.approx(expected, rel=1e-12, abs=1e-13, nan_ok=True)


def test_decimals_keep_their_digits(pond, con):
    con.execute(
        "create or replace table t as select (10000000 + (i % 3) / 10)::decimal(18, 1) as a, "
        "(i % 7)::decimal(5, 2) as b from range(210) r(i)"
    )
    expected = con.execute(
        "select covar_samp((i % 3) / 10, i % 7), var_samp((i % 3) / 10) from range(210) r(i)"
    ).fetchall()[0]
    found = {row[:2]: row[2] for row in rows(pond, "from ml.covariance_matrix('t', ['a', 'b'])")}
    # the covariance of the full cycles is 0 but for rounding: 210 terms of size 0.3
    assert found["a", "b"] == pytest.approx(expected[0], abs=1e-14)
    assert found["a", "a"] == pytest.approx(expected[1], rel=1e-13)


def test_the_thin(pond, con):
    con.execute("create or replace table t (x double, y double)")
    query = "from ml.correlation_matrix('t', ['x', 'y'], method := '{}')"
    for method in TESTS:
        assert {row[2:] for row in rows(pond, query.format(method))} == {(None, 0, None)}
    con.execute("insert into t values (1, 2), (1, 3), (1, 4), ('nan', 5)")
    for method in TESTS:
        found = {row[:2]: row[2:] for row in rows(pond, query.format(method))}
        assert found["x", "y"] == (None, 3, None)
        assert found["x", "x"] == (None, 3, None)
        assert found["y", "y"] == (1, 4, None)
    assert len(rows(pond, "from ml.correlation_matrix('t', ['y'])")) == 1


@pytest.mark.parametrize("function", ["correlation_matrix", "covariance_matrix"])
def test_bad_parameters_are_errors(con, function):
    con.execute("create or replace table t as select 1 as x, 2 as y")
    with pytest.raises(duckdb.Error, match=f"ml.{function}: missing is none; it must be one of"):
        con.execute(f"from ml.{function}('t', ['x'], missing := 'none')")
    with pytest.raises(duckdb.Error, match="list of columns is empty"):
        con.execute(f"from ml.{function}('t', [])")
    with pytest.raises(duckdb.Error, match="method is tau; it must be one of pearson"):
        con.execute("from ml.correlation_matrix('t', ['x'], method := 'tau')")
