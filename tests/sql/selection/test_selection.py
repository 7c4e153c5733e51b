"""Feature selection, against scikit-learn and scipy and by hand."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from scipy import stats
from sklearn.feature_selection import (
    f_classif,
    f_regression,
    mutual_info_classif,
    mutual_info_regression,
)
from sklearn.metrics import mutual_info_score

NUMBERS = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]


@pytest.fixture(scope="module")
def table(con):
    rng = np.random.default_rng(3)
    n = 400
    y = rng.integers(0, 3, n)
    con.execute(
        "create or replace table drawn (y varchar, z double, a double, b double, c double, "
        'k integer, g varchar, "odd ""name" double)'
    )
    X = rng.normal(size=(n, 3)) + np.outer(y, [1.0, 0.3, 0.0])
    z = X[:, 0] ** 2 + 0.5 * rng.normal(size=n)
    g = np.where(rng.random(n) < 0.7, y, rng.integers(0, 3, n))
    con.executemany(
        "insert into drawn values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            [f"c{y[i]}", z[i], *X[i].tolist(), int(i % 4), None if g[i] == 2 else f"g{g[i]}", X[i, 0]]
            for i in range(n)
        ],
    )  # fmt: skip
    return con


def frame(table):
    return table.sql("from drawn").df()


def selected(table, call):
    relation = table.sql(f"from ml.{call}")
    return {row[0]: dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()}


def test_anova_and_correlation_are_those_of_scikit_learn(table):
    d = frame(table)
    found = selected(
        table, "select_features('drawn', 'y', ['a', 'b', 'c', 'g'], method := 'anova')"
    )
    F, p = f_classif(d[["a", "b", "c"]], d["y"])
    assert [found[name]["score"] for name in "abc"] == pytest.approx(F, rel=1e-10)
    assert [found[name]["p_value"] for name in "abc"] == pytest.approx(p, rel=1e-9)
    assert found["g"]["score"] is None
    assert not found["g"]["is_selected"]
    found = selected(
        table, "select_features('drawn', 'z', ['a', 'b', 'c'], method := 'correlation')"
    )
    F, p = f_regression(d[["a", "b", "c"]], d["z"])
    assert [found[name]["score"] for name in "abc"] == pytest.approx(F, rel=1e-9)
    assert [found[name]["p_value"] for name in "abc"] == pytest.approx(p, rel=1e-9)


def test_categories_are_counted_with_null_as_one_of_them(table):
    d = frame(table)
    g = d["g"].astype(object).where(d["g"].notna(), "none")
    cells = np.array(
        [[((g == v) & (d["y"] == w)).sum() for w in sorted(set(d["y"]))] for v in sorted(set(g))]
    )
    found = selected(table, "select_features('drawn', 'y', ['g', 'k'], method := 'chi2')")
    result = stats.chi2_contingency(cells, correction=False)
    assert found["g"]["score"] == pytest.approx(result.statistic, rel=1e-12)
    assert found["g"]["p_value"] == pytest.approx(result.pvalue, rel=1e-9)
    found = selected(table, "select_features('drawn', 'y', ['g', 'k'])")
    assert found["g"]["score"] == pytest.approx(mutual_info_score(g, d["y"]), rel=1e-12)
    assert found["k"]["score"] == pytest.approx(mutual_info_score(d["k"], d["y"]), rel=1e-9)
    g_test = stats.chi2_contingency(cells, correction=False, lambda_="log-likelihood")
    assert found["g"]["p_value"] == pytest.approx(g_test.pvalue, rel=1e-9)


def test_neighbours_estimate_mutual_information_as_scikit_learn_does(table):
    d = frame(table)
    for label, peer in (("y", mutual_info_classif), ("z", mutual_info_regression)):
        found = selected(
            table,
            f"select_features('drawn', '{label}', ['a', 'b', 'c'], method := 'knn_mutual_information')",
        )
        right = peer(d[["a", "b", "c"]], d[label], random_state=0)
        # scikit-learn's noise of 1e-10 may swap neighbours
        assert [found[name]["score"] for name in "abc"] == pytest.approx(right, abs=2e-3)


def test_variance_is_that_of_the_population(table):
    d = frame(table)
    found = selected(
        table,
        "select_features('drawn', NULL, ['a', 'k', 'g'], method := 'variance', threshold := 1.2)",
    )
    assert found["a"]["score"] == pytest.approx(d["a"].var(ddof=0), rel=1e-12)
    assert [name for name in found if found[name]["is_selected"]] == ["a", "k"]


def test_information_value_of_the_reference(con):
    # a 10 events of 100, b 30 of 100, c 60 of 100
    con.execute(
        "create or replace table woe as select v, i < n as event from (values ('a', 10), ('b', 30), "
        "('c', 60)) as t(v, n), range(100) as r(i)"
    )
    found = selected(con, "select_features('woe', 'event', ['v'], method := 'information_value')")
    assert found["v"]["score"] == pytest.approx(0.9735795383, abs=1e-10)
    with pytest.raises(duckdb.Error, match="needs a label of two classes; this one has 3"):
        con.sql(
            "from ml.select_features('woe', 'v', ['event'], method := 'information_value')"
        ).fetchall()


def test_what_decides(table):
    call = "select_features('drawn', 'y', ['a', 'b', 'c', 'g'], method := 'chi2'"
    assert [v["is_selected"] for v in selected(table, f"{call}, top_k := 1)").values()] == [
        True, False, False, False
    ]  # fmt: skip
    raw = selected(table, f"{call})")
    for name, peer in (("bonferroni", "bonferroni"), ("fdr", "fdr_bh")):
        from statsmodels.stats.multitest import multipletests

        found = selected(table, f"{call}, adjust := '{name}')")
        right = multipletests([row["p_value"] for row in raw.values()], method=peer)[1]
        assert [row["p_adjusted"] for row in found.values()] == pytest.approx(right, rel=1e-12)
        found = selected(table, f"select_features('drawn', 'y', ['a', 'g'], method := 'anova', adjust := '{name}')")  # fmt: skip
        assert found["g"]["p_adjusted"] is None  # no test, and not p = 1
        assert found["a"]["p_adjusted"] == found["a"]["p_value"]


def test_the_last_of_two_columns_that_say_the_same_is_not_kept(table):
    relation = table.sql(
        "from ml.correlation_clusters('drawn', ['c', 'a', 'odd \"name', 'b'], label := 'z')"
    )
    rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    found = {row["feature"]: row for row in rows}
    assert found["a"]["cluster"] == found['odd "name']["cluster"] != found["b"]["cluster"]
    assert found["a"]["is_selected"]
    assert not found['odd "name']["is_selected"]


def test_mrmr_leaves_out_what_is_known_already(table):
    found = selected(table, "mrmr('drawn', 'y', ['a', 'odd \"name', 'b', 'g'], top_k := 3)")
    order = sorted((row["rank"], name) for name, row in found.items() if row["is_selected"])
    d = frame(table)

    def cut(x):
        edges = np.quantile(x, np.arange(1, 10) / 10, method="inverted_cdf")
        return np.searchsorted(edges, x, side="left")

    columns = {"a": cut(d["a"]), 'odd "name': cut(d["a"]), "b": cut(d["b"]),
               "g": d["g"].astype(object).where(d["g"].notna(), "none")}  # fmt: skip
    names, chosen = list(columns), []
    while len(chosen) < 3:
        scores = {
            name: mutual_info_score(columns[name], d["y"])
            - (np.mean([mutual_info_score(columns[name], columns[c]) for c in chosen]) if chosen else 0)
            for name in names
            if name not in chosen
        }  # fmt: skip
        chosen.append(max(scores, key=scores.get))
        assert found[chosen[-1]]["score"] == pytest.approx(scores[chosen[-1]], rel=1e-9, abs=1e-12)
    assert [name for _, name in order] == chosen
    assert {"a", 'odd "name'} - set(chosen)


@pytest.mark.parametrize("method", ["mutual_information", "chi2"])
def test_features_that_say_the_same_share_a_rank(table, method):
    for _ in range(6):
        found = selected(
            table, f"select_features('drawn', 'y', ['odd \"name', 'g', 'a'], method := '{method}')"
        )
        assert found["a"]["rank"] == found['odd "name']["rank"]
        assert found["a"]["score"] == found['odd "name']["score"]


def test_the_stability_index_of_the_reference(con):
    new = [5, 6, 8, 9, 10, 11, 12, 13, 13, 13]
    con.execute("create or replace table old_rows as select i // 10 as v from range(100) as r(i)")
    con.execute(
        f"create or replace table new_rows as select v from (select unnest({new}) as n, "
        "generate_subscripts([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 1) - 1 as v), range(100) as r(i) where i < n"
    )
    found = selected(con, "population_stability('old_rows', 'new_rows', ['v'])")["v"]
    assert found["score"] == pytest.approx(0.0888191769, abs=1e-10)
    assert found["p_value"] == pytest.approx(stats.chi2.sf(0.0888191769 * 50, 9), rel=1e-8)
    assert found["is_selected"]
    for by in ("threshold := 0.1", "alpha := 0.05"):  # nothing is known without new rows
        none = selected(con, f"population_stability('old_rows', '(from new_rows where false)', ['v'], {by})")["v"]  # fmt: skip
        assert (none["score"], none["is_selected"]) == (None, False)


def test_without_drift_the_p_value_is_spread_evenly(con):
    con.execute("create or replace table halves as select i, hash(i * 1000 + j) / 1.8e19 as x, j from range(1000) as r(i), range(40) as s(j)")  # fmt: skip
    values = [
        selected(con, f"population_stability('(from halves where j = {j} and i < 500)', '(from halves where j = {j} and i >= 500)', ['x'])")["x"]["p_value"]
        for j in range(40)
    ]  # fmt: skip
    assert stats.kstest(values, "uniform").pvalue > 0.01


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("select_features('drawn', 'y', ['a'], method := 'gini')", "method is gini; it must be one of"),
        ("select_features('drawn', NULL, ['a'])", "label is NULL"),
        ("select_features('drawn', 'y', []::varchar[])", "list of columns is empty"),
        ("correlation_clusters('drawn', ['a', 'b'], threshold := 0)", "threshold is 0"),
        ("mrmr('drawn', 'y', ['a', 'b'], scheme := 'sum')", "scheme is sum; it must be one of"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(table, call, message):
    with pytest.raises(duckdb.Error, match=message):
        table.sql(f"from ml.{call}").fetchall()


def test_no_rows_and_constant_and_empty_columns_have_an_outcome(con):
    con.execute("create or replace table bare (y varchar, a double, g varchar)")
    for method in ("mutual_information", "chi2", "anova", "variance", "knn_mutual_information"):
        found = con.sql(f"from ml.select_features('bare', 'y', ['a', 'g'], method := '{method}')").fetchall()  # fmt: skip
        assert found == [("a", None, None, None, None, False), ("g", None, None, None, None, False)]
    found = con.sql("from ml.mrmr('bare', 'y', ['a', 'g'])").fetchall()
    assert found == [(name, None, None, None, None, False) for name in "ag"]
    found = con.sql("from ml.population_stability('bare', 'bare', ['a', 'g'])").fetchall()
    assert found == [(name, None, None, 0, 1, False) for name in "ag"]
    con.execute("insert into bare select 'c' || i % 2, case when i % 2 = 0 then 'nan' else '1' end::double, null from range(30) as r(i)")  # fmt: skip
    for method in ("mutual_information", "chi2", "anova", "variance", "knn_mutual_information"):
        found = selected(con, f"select_features('bare', 'y', ['a', 'g'], method := '{method}')")
        assert not found["g"]["is_selected"]
    assert con.sql("from ml.mrmr('bare', 'y', ['a', 'g'])").fetchall()
    assert con.sql("from ml.correlation_clusters('bare', ['a'])").fetchall()


def test_a_column_that_never_varies_has_no_correlation(con):
    rows = "(select i, i * i as y, 1.0::double as one from range(9) as r(i))"
    found = selected(con, f"select_features('{rows}', 'y', ['one', 'i'], method := 'correlation')")
    # not NaN, which would be the greatest of all scores
    assert (found["one"]["score"], found["one"]["rank"], found["i"]["rank"]) == (None, None, 1)
