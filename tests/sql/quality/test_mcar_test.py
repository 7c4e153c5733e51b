"""Little's test, against EM in numpy that goes through the rows."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import mlpond
from tests.conftest import records
from tests.sql.quality.test_missing import dicts

NAMES = ['my "odd" one', "it's", "n", "d"]  # n, d and others are names inside the macro too


def drawn(seed, n, p, share=0.25, offset=0.0):
    """Correlated normal columns with values missing completely at random."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ rng.normal(size=(p, p)) + offset
    X[rng.random((n, p)) < share] = np.nan
    return X


def mcar(con, X, extra="", columns=None):
    names = NAMES[: X.shape[1]]
    con.register("holes_frame", pd.DataFrame(X, columns=names))
    con.execute("create or replace table holes as from holes_frame")
    given_names = ", ".join("'" + name.replace("'", "''") + "'" for name in columns or names)
    (row,) = dicts(con, f"from ml.mcar_test('holes', [{given_names}]{extra})")
    return row


def littles_test(X):
    """Statistic, df and patterns, by EM row by row until nothing moves."""
    X = X[~np.isnan(X).all(axis=1)]
    n, p = X.shape
    Z = (X - np.nanmean(X, axis=0)) / np.nanstd(X, axis=0)
    known, of_row = np.unique(~np.isnan(Z), axis=0, return_inverse=True)
    of_row = of_row.ravel()
    mu, sigma = np.zeros(p), np.eye(p)
    for _ in range(20_000):
        filled, left = np.zeros((n, p)), np.zeros((p, p))
        for j, o in enumerate(known):
            rows, m = of_row == j, ~o
            weights = np.linalg.solve(sigma[np.ix_(o, o)], sigma[np.ix_(o, m)])
            filled[np.ix_(rows, o)] = Z[np.ix_(rows, o)]
            filled[np.ix_(rows, m)] = mu[m] + (Z[np.ix_(rows, o)] - mu[o]) @ weights
            left[np.ix_(m, m)] += rows.sum() * (sigma[np.ix_(m, m)] - sigma[np.ix_(m, o)] @ weights)
        before = np.append(mu, sigma)
        mu = filled.mean(axis=0)
        sigma = ((filled - mu).T @ (filled - mu) + left) / n
        if np.abs(np.append(mu, sigma) - before).max() < 1e-13:
            break
    statistic = 0.0
    for j, o in enumerate(known):
        d = Z[np.ix_(of_row == j, o)].mean(axis=0) - mu[o]
        statistic += (of_row == j).sum() * d @ np.linalg.solve(sigma[np.ix_(o, o)], d)
    return statistic, known.sum() - p, len(known)


@pytest.mark.parametrize(
    "X",
    [
        drawn(1, 150, 3),
        drawn(2, 60, 3, share=0.3, offset=1e6),
        drawn(3, 300, 2, share=0.5),
        # the third column leaves 2e-5 of the variance of the second
        drawn(4, 100, 2, share=0.1)[:, [0, 1, 1]]
        + np.random.default_rng(4).normal(size=(100, 3)) * [0, 0, 0.005],
    ],
    ids=["three", "far from 0", "half missing", "nearly alike"],
)
def test_agrees_with_em_over_the_rows(con, X):
    row = mcar(con, X)
    statistic, df, n_patterns = littles_test(X)
    # estimates are within 1e-9 standard deviations; means differ by some tenths of one, and each
    # of n rows counts: 1e-8 and more would be a wrong formula
    assert row["statistic"] == pytest.approx(statistic, rel=1e-7)
    assert (row["df"], row["n_patterns"], row["n_columns"]) == (df, n_patterns, X.shape[1])
    assert row["p_value"] == pytest.approx(stats.chi2.sf(statistic, df), rel=1e-6)
    nothing = np.isnan(X).all(axis=1).sum()
    assert (row["n"], row["n_left_out"]) == (len(X) - nothing, nothing)
    assert row["is_converged"]


def test_two_columns_have_a_closed_form(con):
    # With x always known, the mean of y is that of the regression of y on x; of n1 rows with y and
    # n0 without, the statistic is n1 n0 / n (difference of the means of x)² / variance of x.
    X = drawn(4, 80, 2, share=0)
    X[::3, 1] = np.nan
    absent = np.isnan(X[:, 1])
    n1, n0 = (~absent).sum(), absent.sum()
    gap = X[absent, 0].mean() - X[~absent, 0].mean()
    row = mcar(con, X)
    expected = n1 * n0 / 80 * gap**2 / X[:, 0].var()
    assert row["statistic"] == pytest.approx(expected, rel=1e-8)
    assert row["df"] == 1


@given(st.lists(st.tuples(st.floats(0.01, 100), st.floats(-100, 100)), min_size=2, max_size=2))
@settings(max_examples=3, deadline=None)
def test_units_do_not_matter(con, units):
    X = drawn(5, 40, 2)
    scale, shift = np.transpose(units)
    row = mcar(con, X * -scale + shift)
    # a shift of 100 units of 0.01 loses 4 of 16 digits
    assert row["statistic"] == pytest.approx(littles_test(X)[0], rel=1e-7)


def test_what_depends_on_a_known_column_is_found(con):
    X = drawn(6, 400, 2, share=0)
    X[(X[:, 0] > 0) & (np.arange(400) % 3 > 0), 1] = np.nan
    assert mcar(con, X)["p_value"] < 1e-10


@pytest.mark.slow
def test_p_values_are_uniform_if_nothing_matters(con):
    values = [mcar(con, drawn(100 + i, 400, 3, share=0.15))["p_value"] for i in range(60)]
    assert stats.kstest(values, "uniform").pvalue > 0.01


def test_columns_that_say_nothing(con):
    X = drawn(7, 100, 4)
    whole = mcar(con, X[:, :2])
    X[:, 2], X[:, 3] = np.nan, 7  # all NULL, constant
    assert mcar(con, X) == pytest.approx(whole, rel=1e-9)
    X[:, 2:] = 3 * X[:, :2] + 1  # copies, in other units
    row = mcar(con, X)
    assert row["statistic"] == pytest.approx(whole["statistic"], rel=1e-6)
    assert (row["df"], row["n_columns"]) == (whole["df"], 2)
    X[::4, 2] = np.nan  # where a copy is missing tells as much as where another column is
    assert mcar(con, X)["df"] > whole["df"]


def test_nan_and_infinity_are_missing(con):
    X = drawn(8, 60, 2)
    expected = mcar(con, X)
    X[np.isnan(X[:, 0]), 0] = np.inf
    assert mcar(con, X) == expected


def test_too_little_for_a_test(con):
    full = drawn(9, 30, 2, share=0)
    row = mcar(con, full)
    assert (row["statistic"], row["df"], row["p_value"], row["n_patterns"]) == (0, 0, None, 1)
    one = mcar(con, drawn(9, 30, 1))
    assert (one["statistic"], one["df"], one["p_value"]) == (0, 0, None)
    apart = full.copy()
    apart[::2, 0] = apart[1::2, 1] = np.nan
    row = mcar(con, apart)
    assert (row["statistic"], row["df"], row["p_value"], row["n_patterns"]) == (0, 0, None, 2)
    for X in (full[:0], full[:2], full * np.nan):
        row = mcar(con, X)
        assert (row["statistic"], row["df"], row["p_value"]) == (None, None, None)
        assert row["n"] + row["n_left_out"] == len(X)
    row = mcar(con, drawn(10, 30, 2), ", max_iterations := 2")
    assert (row["statistic"], row["iterations"], row["is_converged"]) == (None, 2, False)


def test_what_is_no_number_is_an_error(con):
    table = "(select i, i > 2 as flag, ''a'' || i as word, null as nothing from range(5) t(i))"
    for columns, message in [
        ("['i', 'word']", "ml.mcar_test: column word is VARCHAR; it must be a number or BOOLEAN"),
        ("[]", "ml.mcar_test: the list of columns is empty"),
        ("null", "ml.mcar_test: columns is NULL; give names of columns of numbers"),
        ("['i', 'nowhere']", "nowhere"),
        ("['i'], max_iterations := 0", "ml.mcar_test: max_iterations is 0; it must be at least 1"),
    ]:
        with pytest.raises(duckdb.Error, match=message.replace("[", r"\[")):
            con.sql(f"from ml.mcar_test('{table}', {columns})").fetchall()
    (row,) = dicts(con, f"from ml.mcar_test('{table}', ['i', 'flag', 'nothing'])")
    assert (row["n"], row["n_columns"], row["df"]) == (5, 2, 0)


@pytest.mark.slow
def test_a_plain_shell_has_the_same(database, shell, load_penguins):
    query = """
        from ml.mcar_test(
            '(select *, if(hash(body_mass_g, year) % 4 > 0, bill_depth_mm, null) as depth from penguins)',
            ['bill_length_mm', 'depth', 'body_mass_g']
        )
    """
    with mlpond.connect(database) as session:
        load_penguins(session)
        expected = records(session, query)
    assert shell(database, query) == [pytest.approx(expected[0], rel=1e-9)]
