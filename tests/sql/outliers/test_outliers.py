"""Outliers by limits, tests, distances and scores."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from scipy import stats
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor

# Rosner (1983), as in NIST's handbook, 1.3.5.17.3: three outliers of ten steps.
ROSNER = [
    -0.25, 0.68, 0.94, 1.15, 1.20, 1.26, 1.26, 1.34, 1.38, 1.43, 1.49, 1.49, 1.55, 1.56, 1.58, 1.65,
    1.69, 1.70, 1.76, 1.77, 1.81, 1.91, 1.94, 1.96, 1.99, 2.06, 2.09, 2.10, 2.14, 2.15, 2.23, 2.24,
    2.26, 2.35, 2.37, 2.40, 2.47, 2.54, 2.62, 2.64, 2.90, 2.92, 2.92, 2.93, 3.21, 3.26, 3.30, 3.59,
    3.68, 4.30, 4.64, 5.34, 5.42, 6.01,
]  # fmt: skip
X = ["a", "b", 'odd "name']


@pytest.fixture(scope="module")
def table(con):
    rng = np.random.default_rng(2)
    con.execute('create or replace table seen (g varchar, a double, b double, "odd ""name" double)')
    values = rng.normal(size=(240, 3)) @ [[1, 0.5, 0], [0, 1, 0.3], [0, 0, 1]]
    values[7] = [6, -4, 3]
    con.executemany(
        "insert into seen values (?, ?, ?, ?)",
        [[[None, "x"][i % 2], *row] for i, row in enumerate(values.tolist())],
    )
    con.execute(
        "insert into seen values ('x', 'nan', null, 1), ('x', 'inf', 0, 0), ('alone', 1, 2, 3)"
    )
    con.execute("create or replace table rosner as select unnest(?) as v", [ROSNER])
    return con


def dicts(con, query):
    relation = con.sql(query)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def known(table, where="true"):
    return np.array(
        table.sql(f'select a, b, "odd ""name" from seen where isfinite(a) and {where}').fetchall()
    )


LIMITS = {
    "z": lambda x: (x.mean() - 3 * x.std(ddof=1), x.mean() + 3 * x.std(ddof=1)),
    "modified_z": lambda x: tuple(
        np.median(x) + s * 3.5 * stats.median_abs_deviation(x, scale="normal") for s in (-1, 1)
    ),
    "iqr": lambda x: (
        np.quantile(x, 0.25) - 1.5 * stats.iqr(x), np.quantile(x, 0.75) + 1.5 * stats.iqr(x)
    ),
}  # fmt: skip


@pytest.mark.parametrize("method", LIMITS)
def test_limits_of_groups(table, method):
    found = dicts(table, f"from ml.outlier_limits('seen', ['a', 'b'], method := '{method}', groups := ['g'])")  # fmt: skip
    assert [(row["g"], row["column"]) for row in found] == [
        ("alone", "a"), ("alone", "b"), ("x", "a"), ("x", "b"), (None, "a"), (None, "b")
    ]  # fmt: skip
    for row in found[2:]:
        where = "g is null" if row["g"] is None else "g = 'x'"
        column = known(table, where)[:, X.index(row["column"])]
        if row["g"] == "x" and row["column"] == "b":
            column = np.append(column, 0.0)  # the row with an infinite a
        low, high = LIMITS[method](column)
        assert (row["lower_limit"], row["upper_limit"]) == pytest.approx((low, high), rel=1e-9)
        assert row["n"] == len(column)
        beyond = int((column < low).sum()), int((column > high).sum())
        infinite = row["g"] == "x" and row["column"] == "a"
        assert (row["n_below"], row["n_above"]) == (beyond[0], beyond[1] + infinite)


def test_rows_keep_their_columns_and_say_where_they_are_out(table):
    found = dicts(table, "from ml.outliers('seen', ['a', 'b'], method := 'z')")
    assert len(found) == 243
    far = [row for row in found if row["is_outlier"]]
    assert {tuple(row["outlier_columns"]) for row in far} >= {("a", "b"), ("a",)}
    by_a = {row["a"]: row for row in found}
    assert by_a[float("inf")]["outlier_score"] == float("inf")
    a, b = known(table)[:, 0], np.append(known(table)[:, 1], 0.0)
    right = max(abs(6 - a.mean()) / a.std(ddof=1), abs(-4 - b.mean()) / b.std(ddof=1))
    assert by_a[6.0]["outlier_score"] == pytest.approx(right, rel=1e-12)
    missing = next(row for row in found if row["b"] is None)
    assert missing["outlier_score"] is None
    assert not missing["is_outlier"]


def test_more_than_half_of_the_values_equal(con):
    data = "(select unnest([1, 1, 1, 1, 1, 7, null]) as x)"
    (row,) = dicts(con, f"from ml.outlier_limits('{data}', ['x'], method := 'modified_z')")
    assert row["scale"] == pytest.approx(1.2533141373155003)  # the mean distance from the median, 1
    found = dicts(con, f"from ml.outliers('{data}', ['x'], method := 'iqr')")
    assert [row["x"] for row in found if row["is_outlier"]] == [7]
    found = dicts(con, "from ml.outliers('(select 5 as x from range(4))', ['x'], method := 'z')")
    assert not any(row["is_outlier"] for row in found)


@pytest.mark.parametrize("method", LIMITS)
@pytest.mark.parametrize(
    "values", ["1e0", "1e0, 'nan'", "null", "'inf', '-inf', '-inf'", "1e0, 'inf'"]
)
def test_limits_count_what_outliers_names(con, method, values):
    con.execute(f"create or replace view thin as select unnest([{values}]::double[]) as x")
    call = f"('thin', ['x'], method := '{method}')"
    (row,) = dicts(con, f"from ml.outlier_limits{call}")
    out = [one["x"] for one in dicts(con, f"from ml.outliers{call}") if one["is_outlier"]]
    assert (row["n_below"], row["n_above"]) == (sum(x < 0 for x in out), sum(x > 0 for x in out))


def test_esd_of_rosner(table):
    found = dicts(table, "from ml.esd_test('rosner', 'v', max_outliers := 10)")
    assert [round(row["statistic"], 3) for row in found[:4]] == [3.119, 2.943, 3.179, 2.810]
    assert [round(row["critical_value"], 3) for row in found[:4]] == [3.159, 3.151, 3.144, 3.136]
    assert [row["value"] for row in found if row["is_outlier"]] == [6.01, 5.42, 5.34]


def test_one_step_is_grubbs_and_groups_are_samples_of_their_own(table):
    found = dicts(table, "from ml.esd_test('seen', 'a', max_outliers := 1, groups := ['g'])")
    assert [row["g"] for row in found] == ["x", None]  # of one value nothing can be said
    x = known(table, "g is null")[:, 0]
    G = np.max(np.abs(x - x.mean())) / x.std(ddof=1)
    n = len(x)
    t = stats.t.ppf(1 - 0.05 / (2 * n), n - 2)
    assert found[1]["statistic"] == pytest.approx(G, rel=1e-12)
    assert found[1]["critical_value"] == pytest.approx(
        (n - 1) / np.sqrt(n) * np.sqrt(t**2 / (n - 2 + t**2)), rel=1e-10
    )
    for wrong in ("max_outliers := 0", "alpha := 1"):
        with pytest.raises(duckdb.Error, match="ml.esd_test"):
            table.sql(f"from ml.esd_test('seen', 'a', {wrong})").fetchall()


def test_mahalanobis_distances_and_their_distribution(table):
    query = """select * from ml.mahalanobis('seen', ['a', 'b', 'odd "name'])"""
    rows = dicts(table, query)
    found = [row for row in rows if row["mahalanobis_distance"] is not None]
    x = np.array([[row[name] for name in X] for row in found])
    centred = x - x.mean(0)
    d2 = np.einsum("ij,jk,ik->i", centred, np.linalg.inv(np.cov(x.T)), centred)
    assert [row["mahalanobis_distance"] ** 2 for row in found] == pytest.approx(d2, rel=1e-9)
    n, p = x.shape
    right = stats.beta.sf(d2 * n / (n - 1) ** 2, p / 2, (n - p - 1) / 2)
    assert [row["p_value"] for row in found] == pytest.approx(right, rel=1e-8, abs=1e-12)
    assert [row["a"] for row in rows if row["is_outlier"]] == [6.0]
    assert {row["p_value"] for row in rows if row["mahalanobis_distance"] is None} == {None}


def test_a_combined_column_changes_no_distance(table):
    plain = table.sql("select mahalanobis_distance, p_value from ml.mahalanobis('seen', ['a', 'b'], groups := ['g']) order by all").fetchall()  # fmt: skip
    more = table.sql("select mahalanobis_distance, p_value from ml.mahalanobis('(select *, a - 2 * b as c, 1 as k from seen)', ['a', 'b', 'c', 'k'], groups := ['g']) order by all").fetchall()  # fmt: skip
    assert len(plain) == 243
    for (d, p), (e, q) in zip(plain, more, strict=True):
        assert (d is None and e is None) or d == pytest.approx(e, rel=1e-6)
        assert (p is None and q is None) or p == pytest.approx(q, rel=1e-5)


def test_the_factor_is_that_of_scikit_learn(table):
    found = dicts(table, "from ml.local_outlier_factor('seen', ['a', 'b', 'odd \"name'], neighbours := 10, standardize := false)")  # fmt: skip
    kept = [row for row in found if row["local_outlier_factor"] is not None]
    x = np.array([[row[name] for name in X] for row in kept])
    right = -LocalOutlierFactor(10).fit(x).negative_outlier_factor_
    assert [row["local_outlier_factor"] for row in kept] == pytest.approx(right, rel=1e-9)
    assert len(found) - len(kept) == 2
    few = dicts(table, "from ml.local_outlier_factor('seen', ['a', 'b'], groups := ['g'], contamination := 0.01)")  # fmt: skip
    assert sum(row["is_outlier"] for row in few) == 4
    assert next(row for row in few if row["g"] == "alone")["local_outlier_factor"] is None


@pytest.mark.slow
def test_the_forest_is_that_of_scikit_learn_but_for_chance(table):
    call = "ml.isolation_forest('seen', ['a', 'b', 'odd \"name'], trees := 400, seed := 3)"
    found = [row for row in dicts(table, f"from {call}") if row["isolation_score"] is not None]
    x = np.array([[row[name] for name in X] for row in found])
    right = -IsolationForest(n_estimators=400, random_state=0).fit(x).score_samples(x)
    ours = np.array([row["isolation_score"] for row in found])
    assert ours == pytest.approx(right, abs=0.04)  # the scores of 400 trees vary by 0.01
    assert np.corrcoef(ours, right)[0, 1] > 0.98
    again = f"select isolation_score from {call} order by all"
    assert table.sql(again).fetchall() == table.sql(again).fetchall()
    assert found[int(np.argmax(ours))]["a"] == 6.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("outliers('seen', ['a'], method := 'sigma')", "method is sigma; it must be one of z, modified_z, iqr"),
        ("outliers('seen', ['a'], threshold := -1)", "threshold is -1"),
        ("outliers('seen', []::varchar[])", "list of columns is empty"),
        ("isolation_forest('seen', ['a'], trees := 0)", "trees is 0; it must be at least 1"),
        ("local_outlier_factor('seen', ['a'], neighbours := 0)", "neighbours is 0"),
        ("local_outlier_factor('seen', ['a'], contamination := 1)", "contamination is 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(table, call, message):
    with pytest.raises(duckdb.Error, match=message):
        table.sql(f"from ml.{call}").fetchall()


@pytest.mark.parametrize("call", ["isolation_forest", "local_outlier_factor"])
def test_a_share_of_rows_that_are_all_alike_is_none(con, call):
    found = dicts(con, f"from ml.{call}('(select 5 as x from range(50))', ['x'], contamination := 0.1)")  # fmt: skip
    assert [row["is_outlier"] for row in found] == [False] * 50


@pytest.mark.parametrize("name", ["value", "n", "place", "i"])
@pytest.mark.parametrize("call", ["esd_test('{}', 'a'", "outlier_limits('{}', ['a']"])
def test_groups_may_be_called_like_what_we_compute(table, call, name):
    table.execute(
        f'create or replace view renamed as select g as "{name}", * exclude (g) from seen'
    )
    found = table.sql(f"from ml.{call.format('renamed')}, groups := ['{name}'])")
    right = table.sql(f"from ml.{call.format('seen')}, groups := ['g'])")
    assert found.fetchall() == right.fetchall()
    assert found.columns[0] == name


@pytest.mark.parametrize(
    "call", ["outliers", "outlier_limits", "mahalanobis", "isolation_forest", "local_outlier_factor"]
)  # fmt: skip
def test_no_rows_give_no_rows(con, call):
    con.execute("create or replace table empty_rows (a double, b double)")
    assert con.sql(f"from ml.{call}('empty_rows', ['a', 'b'])").fetchall() == []
