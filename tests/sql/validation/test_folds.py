"""Folds: each row in exactly one, and what each method promises."""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

keys = st.lists(st.one_of(st.integers(0, 5), st.none()), min_size=1, max_size=40)
folds = st.integers(2, 6)


def load(con, keys):
    con.execute("create or replace table t (i integer, key integer)")
    con.execute("insert into t select unnest(range(len($1))), unnest($1::integer[])", [list(keys)])


def assign(con, method, k, seed=0, source="t"):
    """(i, key, fold) of every row, by i."""
    return con.execute(
        "select i, key, fold from ml.folds($1, method := $2, k := $3, fold_col := 'key', seed := $4) "
        "order by i",
        [source, method, k, seed],
    ).fetchall()


@settings(deadline=None, max_examples=10)
@given(keys=keys, k=folds)
def test_every_row_is_in_one_fold_and_folds_are_even(con, keys, k):
    load(con, keys)
    found = assign(con, "random", k)
    assert [row[0] for row in found] == list(range(len(keys)))
    sizes = Counter(row[2] for row in found)
    assert set(sizes) <= set(range(1, k + 1))
    assert max(sizes.values()) - min(sizes[f] for f in range(1, k + 1)) <= 1


@settings(deadline=None, max_examples=10)
@given(keys=keys, k=folds)
def test_strata_are_even_in_every_fold(con, keys, k):
    load(con, keys)
    found = assign(con, "stratified", k)
    assert [row[0] for row in found] == list(range(len(keys)))
    for key in set(keys):
        counts = Counter(row[2] for row in found if row[1] == key)
        assert max(counts.values()) - min(counts[f] for f in range(1, k + 1)) <= 1
    sizes = Counter(row[2] for row in found)
    assert max(sizes.values()) - min(sizes[f] for f in range(1, k + 1)) <= 1


@settings(deadline=None, max_examples=10)
@given(keys=keys, k=folds)
def test_groups_stay_together(con, keys, k):
    load(con, keys)
    found = assign(con, "grouped", k)
    assert [row[0] for row in found] == list(range(len(keys)))
    assert {row[2] for row in found} <= set(range(1, k + 1))
    for key in set(keys):
        assert len({row[2] for row in found if row[1] == key}) == 1
    # the fold with the most rows was the one with the fewest before it took its last group
    sizes = Counter(row[2] for row in found)
    least = min(sizes[f] for f in range(1, k + 1))
    assert max(sizes.values()) - least <= max(Counter(keys).values())


@settings(deadline=None, max_examples=10)
@given(keys=keys, k=folds)
def test_rolling_origin_never_trains_on_the_future(con, keys, k):
    load(con, keys)
    found = assign(con, "rolling_origin", k)
    assert [row[0] for row in found] == list(range(len(keys)))
    assert all(row[2] == 0 for row in found if row[1] is None)
    timed = [row for row in found if row[1] is not None]
    for _, at, fold in timed:
        assert 0 <= fold <= k
        assert all(other < at for _, other, earlier in timed if earlier < fold)


def test_greatest_groups_first(con):
    load(con, [0] * 10 + list(range(1, 11)))
    sizes = Counter(row[2] for row in assign(con, "grouped", 2))
    assert sizes == {1: 10, 2: 10}  # one group of ten against ten of one


def test_many_groups(con):
    con.execute("create or replace table t as select i, i // 2 as key from range(12_002) r(i)")
    found = assign(con, "grouped", 4)  # 6,001 groups: more than are dealt greedily
    assert len({(key, fold) for _, key, fold in found}) == 6001
    sizes = Counter(row[2] for row in found)
    assert max(sizes.values()) - min(sizes.values()) <= 4


def test_neither_order_nor_threads_matter_but_the_seed_does(con):
    con.execute("create or replace table t as select i, i % 7 as key from range(10_000) r(i)")
    for method in ("random", "stratified", "grouped"):
        found = assign(con, method, 3)
        con.execute("set threads = 1")
        again = assign(con, method, 3, source="(select * from t order by hash(i))")
        con.execute("reset threads")
        assert found == again
        if method != "grouped":
            assert found != assign(con, method, 3, seed=1)


def test_columns_of_the_source_stay(con):
    con.execute("create or replace table t as select 1 as \"a b\", {'c': 2} as s, [3] as l")
    relation = con.sql("from ml.folds('t')")
    assert relation.columns == ["a b", "s", "l", "fold"]
    assert relation.fetchall() == [(1, {"c": 2}, [3], 1)]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("k := 1", "k is 1; it must be at least 2"),
        ("method := 'loo'", "method is loo; accepted are random, stratified"),
        ("method := 'grouped'", "grouped needs fold_col"),
        ("method := null", "method is NULL"),
    ],
)
def test_what_is_refused(con, arguments, message):
    load(con, [1, 2, 3])
    with pytest.raises(duckdb.Error, match=message):
        con.sql(f"from ml.folds('t', {arguments})").fetchall()


def test_an_empty_table_has_no_folds(con):
    load(con, [])
    for method in ("random", "stratified", "grouped", "rolling_origin"):
        assert assign(con, method, 3) == []
