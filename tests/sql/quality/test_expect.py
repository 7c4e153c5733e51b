"""Expectations of a table: each kind met and broken, and what the values are that break it."""

from __future__ import annotations

import json

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROWS = """
    create or replace table watched as select * from (values
        (1, 'a', date '2020-01-01', 1.5, null, 1), (1, null, null, 'nan'::double, 1, 2),
        (0, 'nan', null, 'inf'::double, 2, 2)
    ) t(i, s, d, "my ""odd"" col", k, t)
"""
ODD = 'my "odd" col'
# expectation, whether it is met, rows that break it, their values or what was observed
CASES = [
    ({"expect": "not_null", "column": "i"}, True, 0, None),
    ({"expect": "not_null", "column": "s", "key": "t"}, False, 1, ["t = 2, s = NULL"]),
    ({"expect": "not_null", "column": ODD}, False, 1, [f"{ODD} = nan"]),
    ({"expect": "not_null", "column": ODD, "allowed": 0.4}, True, 1, [f"{ODD} = nan"]),
    ({"expect": "unique", "column": "i"}, False, 2, ["i = 1"]),
    ({"expect": "unique", "columns": ["i", "k"]}, True, 0, None),
    ({"expect": "unique", "columns": ["i", "s"]}, True, 0, None),
    ({"expect": "in_set", "column": "s", "values": ["a", "it's"]}, False, 1, ["s = nan"]),
    ({"expect": "in_set", "column": "i", "values": [0, 1]}, True, 0, None),
    ({"expect": "between", "column": "i", "min": 0, "max": 1}, True, 0, None),
    ({"expect": "between", "column": "i", "min": 0.5}, False, 1, ["i = 0"]),
    ({"expect": "between", "column": ODD, "min": 0}, False, 1, [f"{ODD} = nan"]),
    ({"expect": "between", "column": "d", "min": "2020-01-02"}, False, 1, ["d = 2020-01-01"]),
    ({"expect": "matches", "column": "s", "pattern": "^n.n$"}, False, 1, ["s = a"]),
    ({"expect": "condition", "condition": "i > 0 -- positive", "key": "k"}, False, 1, ["k = 2"]),
    ({"expect": "in_table", "column": "k", "table": "watched", "to": "i"}, False, 1, ["k = 2"]),
    ({"expect": "in_table", "column": "t", "table": "(select 1 as t)"}, False, 2, ["t = 2"]),
    ({"expect": "increasing", "column": "t", "order_by": "k"}, False, 2, ["t = 1", "t = 2"]),
    ({"expect": "increasing", "column": "t", "order_by": "k", "strictly": False}, False, 1,
     ["t = 1"]),
    ({"expect": "increasing", "column": "t", "order_by": "k", "groups": ["i"]}, False, 1, ["t = 1"]),
    ({"expect": "type", "column": "i", "type": "int"}, True, None, "INTEGER"),
    ({"expect": "type", "column": ODD, "type": "varchar"}, False, None, "DOUBLE"),
    ({"expect": "row_count", "min": 3}, True, None, "3"),
    ({"expect": "row_count", "max": 2}, False, None, "3"),
    ({"expect": "null_share", "column": "d", "max": 0.5}, False, None, "0.6666666666666666"),
    ({"expect": "mean", "column": "t", "min": 1.6, "max": 1.7}, True, None, "1.6666666666666667"),
    ({"expect": "sum", "column": "t", "max": 4}, False, None, "5"),
    ({"expect": "median", "column": "t", "min": 2}, True, None, "2.0"),
    ({"expect": "stddev", "column": "t", "max": 0.1}, False, None, "0.5773502691896257"),
    ({"expect": "quantile", "column": "i", "level": 0.25, "min": 0.5}, True, None, "0.5"),
    ({"expect": "n_distinct", "column": "s", "max": 1}, False, None, "2"),
    ({"expect": "fresh", "column": "d", "max_age": "2 days"}, False, None, "2020-01-01 00:00:00"),
    ({"expect": "fresh", "column": "d", "max_age": "2 days", "now": "2020-01-03"}, True, None,
     "2020-01-01 00:00:00"),
    ({"expect": "stable", "column": "i", "reference": "watched"}, True, None, "0.0"),
    ({"expect": "stable", "column": "i", "reference": "(select 7 as i from range(9))"}, False, None,
     None),
]  # fmt: skip


@pytest.fixture(scope="module")
def table(con):
    con.execute(ROWS)
    return con


def judged(con, source, expectations):
    text = expectations if isinstance(expectations, str) else json.dumps(expectations)
    relation = con.execute("select * from ml.expect($s, $e)".replace("$s", quoted(source)).replace("$e", quoted(text)))  # fmt: skip
    names = [column[0] for column in relation.description]
    return [dict(zip(names, row, strict=True)) for row in relation.fetchall()]


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def test_every_kind(table):
    found = judged(table, "watched", [expectation for expectation, *_ in CASES])
    assert [row["id"] for row in found] == list(range(1, len(CASES) + 1))
    for row, (expectation, passed, n_failing, values) in zip(found, CASES, strict=True):
        assert (row["passed"], row["n_failing"], row["n"]) == (passed, n_failing, 3), expectation
        if values is not None:
            assert (row["observed"] or row["examples"]) == values, expectation


def test_structs_json_and_variables_are_the_same(table):
    listed = (
        "[{'expect': 'not_null', 'column': 's'}, {'expect': 'between', 'column': 'i', 'min': 1}]"
    )
    by_structs = table.sql(f"from ml.expect('watched', {listed})").fetchall()
    table.execute(f"create or replace table rules as select unnest({listed}, recursive := true)")
    table.execute("set variable rules = (select list(r) from rules r)")
    assert table.sql("from ml.expect('watched', getvariable('rules'))").fetchall() == by_structs
    text = '[{"expect": "not_null", "column": "s"}, {"expect": "between", "column": "i", "min": 1}]'
    assert [tuple(row.values()) for row in judged(table, "watched", text)] == by_structs
    assert [row[1] for row in by_structs] == ["s not null", "i is from 1"]


def test_words_and_severity_are_kept(table):
    (row,) = judged(table, "watched", [
        {"expect": "not_null", "column": "s", "severity": "warning", "meaning": "it's named"}
    ])  # fmt: skip
    assert (row["rule"], row["severity"]) == ("it's named", "warning")


def test_no_rows_break_nothing_but_have_no_mean(table):
    found = judged(table, "(from watched limit 0)", [
        {"expect": "not_null", "column": "i"}, {"expect": "type", "column": "i", "type": "int"},
        {"expect": "mean", "column": "i", "min": 0}, {"expect": "fresh", "column": "d", "max_age": "1 day"},
        {"expect": "null_share", "column": "i", "max": 0}, {"expect": "row_count", "min": 1},
    ])  # fmt: skip
    assert [row["passed"] for row in found] == [True, True, False, False, True, False]
    assert {row["n"] for row in found} == {0}
    assert found[0]["share"] == 0


def test_what_increases_does_so_across_a_missing_value_and_in_one_moment(con):
    con.execute("create or replace table steps as select * from (values (1, 5), (2, null), (3, 4), (4, 7), (4, 6)) as t(day, v)")  # fmt: skip
    (row,) = judged(con, "steps", [{"expect": "increasing", "column": "v", "order_by": "day"}])
    assert (row["n_failing"], row["examples"]) == (1, ["v = 4"])


def test_what_is_fresh_is_so_at_this_moment(con):
    rows = "(select make_timestamp(epoch_us(now())) - interval '2 hours' as t)"
    found = judged(con, rows, [
        {"expect": "fresh", "column": "t", "max_age": age} for age in ("1 hour", "3 hours")
    ])  # fmt: skip
    assert [row["passed"] for row in found] == [False, True]


@pytest.mark.parametrize(
    ("expectations", "complaint"),
    [
        ([{"expect": "betwen"}], "expectation 1 is betwen; accepted are not_null"),
        ([{"expect": "between", "column": "i"}], r"expectation 1 \(between\) lacks min or max"),
        ([{"expect": "not_null"}], r"lacks column"),
        ([{"expect": "in_set", "column": "i"}], "lacks values"),
        ([{"expect": "not_null", "colum": "i"}], "field of an expectation is colum"),
        ([], "the list of expectations is empty"),
        ([{"expect": "not_null", "column": "nowhere"}], "nowhere"),
    ],
)
def test_what_is_wrong_is_said(table, expectations, complaint):
    with pytest.raises(duckdb.Error, match=complaint):
        judged(table, "watched", expectations)


@given(st.lists(st.none() | st.integers(-5, 5), max_size=30), st.integers(-5, 5))
@settings(max_examples=20, deadline=None)
def test_rows_that_break_a_bound_are_counted(con, values, bound):
    con.execute("create or replace table drawn_values (x int)")
    con.execute("insert into drawn_values select unnest(?::int[])", [values])
    (row,) = judged(con, "drawn_values", [{"expect": "between", "column": "x", "min": bound}])
    below = [value for value in values if value is not None and value < bound]
    assert (row["n"], row["n_failing"], row["passed"]) == (len(values), len(below), not below)
    expected = sorted({f"x = {value}" for value in below})[:5]
    assert row["examples"] == (expected or None)
