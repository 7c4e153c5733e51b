"""What is missing: how much, together with what, and whether it goes with other values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats


@pytest.fixture(scope="module")
def table(con):
    rng = np.random.default_rng(4)
    n = 300
    frame = pd.DataFrame({
        "x": rng.normal(size=n),
        "kind": rng.choice(["a", "b", "c"], size=n),
        "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, n), unit="D"),
        "place": np.arange(n),
    })  # fmt: skip
    frame['my "odd"'] = np.where(frame["x"] > 0.5, np.nan, rng.normal(size=n))
    frame["tag"] = np.where(rng.random(n) < 0.2, None, "t")
    frame.loc[3:5, "tag"] = None
    con.register("gaps_frame", frame)
    con.execute("create or replace table gaps as select * from gaps_frame")
    return frame


def dicts(con, query):
    relation = con.sql(query)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def test_counts_and_runs(con, table):
    found = {
        r["name"]: r for r in dicts(con, "from ml.missing_values('gaps', order_by := 'place')")
    }
    for name, row in found.items():
        absent = table[name].isna()
        assert (row["n"], row["n_missing"]) == (300, absent.sum())
        assert row["share"] == pytest.approx(absent.mean())
        runs = absent.groupby((absent != absent.shift()).cumsum()).sum()
        assert row["longest_run"] == runs.max()
    plain = dicts(con, "from ml.missing_values('gaps')")
    assert {row["longest_run"] for row in plain} == {None}
    assert plain[0]["n_missing"] == max(row["n_missing"] for row in plain)


def test_a_column_called_n_is_a_column(con):
    found = dicts(con, "from ml.missing_values('(select 1 as n, null as i)')")
    assert [(row["name"], row["n_missing"]) for row in found] == [("i", 1), ("n", 0)]


def test_the_longest_run_of_rows_equal_in_the_order_is_that_of_their_columns(con):
    rows = (
        "(select * from (values (1, ''c'', null), (1, ''a'', 2), (1, ''b'', null)) as t(day, v, x))"
    )
    (row, *_) = dicts(con, f"from ml.missing_values('{rows}', order_by := 'day')")
    assert (row["name"], row["longest_run"]) == ("x", 2)


def test_patterns_part_the_rows(con, table):
    found = dicts(con, "from ml.missing_patterns('gaps')")
    expected = table.isna().value_counts()
    assert [row["n"] for row in found] == sorted(expected.tolist(), reverse=True)
    for row in found:
        flags = tuple(name in row["missing"] for name in table.columns)
        assert expected[flags] == row["n"]
        assert row["n_columns"] == len(row["missing"])
    assert sum(row["share"] for row in found) == pytest.approx(1)


def test_patterns_of_columns_called_like_what_we_compute(con):
    rows = "(select 1 as flags, null as n, 2 as names)"
    (row,) = dicts(con, f"from ml.missing_patterns('{rows}')")
    assert (row["missing"], row["n"]) == (["n"], 1)


def test_relations_are_the_tests_of_the_books(con, table):
    found = {
        (r["missing_column"], r["name"], r["compared"]): r
        for r in dicts(con, "from ml.missing_relations('gaps')")
    }
    absent = table['my "odd"'].isna()
    row = found['my "odd"', "x", "mean"]
    a, b = table["x"][absent], table["x"][~absent]
    assert row["p_value"] == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, rel=1e-8)
    assert row["if_missing"] == pytest.approx(a.mean(), rel=1e-12)
    assert row["effect_size"] == pytest.approx((a.mean() - b.mean()) / table["x"].std(), rel=1e-10)
    seconds = table["day"].astype("datetime64[s]").astype("int64")
    expected = stats.ttest_ind(seconds[absent], seconds[~absent], equal_var=False).pvalue
    assert found['my "odd"', "day", "mean"]["p_value"] == pytest.approx(expected, rel=1e-8)
    chi2 = stats.chi2_contingency(pd.crosstab(absent, table["kind"]), correction=False)
    row = found['my "odd"', "kind", "categories"]
    assert row["p_value"] == pytest.approx(chi2.pvalue, rel=1e-10)
    assert row["effect_size"] == pytest.approx(np.sqrt(chi2.statistic / 300), rel=1e-10)
    both = stats.chi2_contingency(pd.crosstab(absent, table["tag"].isna()), correction=False)
    assert found['my "odd"', "tag", "missing"]["p_value"] == pytest.approx(both.pvalue, rel=1e-10)
    tested = [row for row in found.values() if row["p_value"] is not None]
    smallest = min(tested, key=lambda row: row["p_value"])
    assert smallest["name"] == "x"  # the planted relation
    assert smallest["p_adjusted"] == pytest.approx(smallest["p_value"] * len(tested), rel=1e-12)


@pytest.mark.parametrize("function", ["missing_values", "missing_patterns", "missing_relations"])
def test_no_rows_no_values_and_nothing_missing(con, table, function):
    empty = dicts(con, f"from ml.{function}('(from gaps limit 0)')")
    assert len(empty) == (6 if function == "missing_values" else 0)
    void = dicts(con, f"from ml.{function}('(select null::int as a, null as b from range(4))')")
    assert (
        len(void) == {"missing_values": 2, "missing_patterns": 1, "missing_relations": 1}[function]
    )
    assert all(row.get("p_value") is None for row in void)
    full = dicts(con, f"from ml.{function}('(select 1 as a, 2 as b)')")
    assert (
        len(full) == {"missing_values": 2, "missing_patterns": 1, "missing_relations": 0}[function]
    )


def test_a_column_that_never_varies_has_its_mean_on_both_sides(con):
    rows = "(select 7 as x, case when i > 1 then i end as gap from range(5) as r(i))"
    (row,) = (
        r for r in dicts(con, f"from ml.missing_relations('{rows}')") if r["compared"] == "mean"
    )
    assert (row["if_missing"], row["if_known"], row["n_if_missing"]) == (7, 7, 2)
    assert (row["effect_size"], row["p_value"]) == (None, None)  # in units of a spread that is 0
