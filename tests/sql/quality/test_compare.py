"""Two tables compared: columns, rows and values."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def tables(con):
    con.execute("""
        create or replace table before as select * from (values
            (1, 1.50, 'a', null, 'x'), (2, 'nan'::double, 'b', 1, 'x'), (null, 3, 'c', 2, 'x'), (4, 0, 'd', 0, 'x')
        ) t(id, v, w, "my ""odd"" col", gone)
    """)
    con.execute("""
        create or replace table after as select * from (values
            (null, null, 3, 5), (1, 'a', 1.5, null), (2, 'B', 'nan'::double, 1), (7, 'e', 7, 7)
        ) t(ID, w, v, "my ""odd"" col")
    """)
    con.execute("alter table after add column fresh date")
    return con


def test_schemas(tables):
    found = tables.sql("from ml.compare_schemas('before', 'after')").fetchall()
    assert [row[:2] for row in found] == [
        ("ID", "name"),
        ("w", "position"),
        ("v", "position"),
        ("gone", "removed"),
        ("fresh", "added"),
    ]
    by_change = {row[1]: row for row in found}
    assert by_change["added"][2:] == (None, "DATE", None, 5)
    assert by_change["removed"][2:] == ("VARCHAR", None, 5, None)
    assert tables.sql("from ml.compare_schemas('before', 'before')").fetchall() == []
    typed = "(select * replace (v::decimal(4, 2) as v) from before limit 0)"
    assert tables.sql(f"from ml.compare_schemas('before', '{typed}')").fetchall() == [
        ("v", "type", "DOUBLE", "DECIMAL(4,2)", 2, 2)
    ]


def test_rows_and_values(tables):
    found = tables.sql("from ml.compare_tables('before', 'after', ['id'])").fetchall()
    assert found == [
        ("rows added", None, 1, 0.25, ["id = 7"]),
        ("rows removed", None, 1, 0.25, ["id = 4"]),
        ("rows changed", None, 2, 2 / 3, ["id = 2", "id = NULL"]),
        ("rows unchanged", None, 1, 1 / 3, None),
        ("values changed", "w", 2, 2 / 3, ["id = 2: b → B", "id = NULL: c → NULL"]),
        ("values changed", "v", 0, 0, None),
        ("values changed", 'my "odd" col', 1, 1 / 3, ["id = NULL: 2 → 5"]),
    ]
    one = tables.sql("from ml.compare_tables('before', 'after', ['id'], examples := 1)").fetchall()
    assert one[4][4] == ["id = 2: b → B"]


def test_keys_that_do_not_tell_rows_apart_are_reported(tables):
    twice = "(from after union all from after)"
    found = tables.sql(f"from ml.compare_tables('after', '{twice}', ['id'])").fetchall()
    assert [row[2] for row in found if row[0] == "duplicate keys"] == [4]


def test_wrong_keys(tables):
    with pytest.raises(duckdb.Error, match="ml.compare_tables: the list of keys is empty"):
        tables.sql("from ml.compare_tables('before', 'after', [])").fetchall()
    with pytest.raises(duckdb.Error, match="nowhere"):
        tables.sql("from ml.compare_tables('before', 'after', ['nowhere'])").fetchall()
    with pytest.raises(duckdb.Error, match="examples is 0"):
        tables.sql("from ml.compare_tables('before', 'after', ['id'], examples := 0)").fetchall()


@given(*[st.dictionaries(st.integers(0, 9), st.none() | st.integers(0, 2), max_size=8)] * 2)
@settings(max_examples=20, deadline=None)
def test_counts_are_those_of_dictionaries(con, before, after):
    for name, rows in (("drawn_a", before), ("drawn_b", after)):
        con.execute(f"create or replace table {name} (k int, v int)")
        if rows:
            con.executemany(f"insert into {name} values (?, ?)", list(rows.items()))
    found = con.sql("from ml.compare_tables('drawn_a', 'drawn_b', ['k'])").fetchall()
    both = before.keys() & after.keys()
    changed = sum(before[key] != after[key] for key in both)
    assert [row[2] for row in found] == [
        len(after.keys() - both), len(before.keys() - both), changed, len(both) - changed, changed
    ]  # fmt: skip
