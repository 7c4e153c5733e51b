"""ml.describe_data and ML.DESCRIBE_DATA: every column of a table, of whatever type."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlpond
from mlpond.seeds import load

EVERY_TYPE = """
    select * from (values
        (1, 'a', true, date '2020-01-01', [1, 2], {'x': 1}, 1.5::decimal(4, 2), interval 1 day, 'x'::blob,
            map {'a': 1}, [1, 2]::int[2], 'nan'::double, ['nan'::double, 0], null::int),
        (null, null, null, null, null, null, null, null, null, null, null, null, null, null),
        (0, 'nan', false, null, [], null, 0, null, null, null, null, 'inf'::double, [10, 9], null)
    ) t(i, s, b, d, l, st, de, iv, bl, m, ar, "my ""odd"" col", fl, nothing)
"""


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        load(session, "penguins")
        session.con.execute(f"create table every_type as {EVERY_TYPE}")
        yield session


def described(pond, query):
    found = pond.con.sql(query) if "ml." in query else pond.sql(query)
    return {row[0]: dict(zip(found.columns, row, strict=True)) for row in found.fetchall()}


def test_agrees_with_pandas(pond):
    found = described(pond, "from ml.describe_data('penguins', num_quantiles := 4, top_k := 2)")
    frame = pond.con.sql("from penguins").df()
    assert list(found) == list(frame.columns)
    for name, row in found.items():
        column = frame[name]
        assert (row["num_rows"], row["num_nulls"]) == (344, column.isna().sum())
        assert (row["num_values"], row["unique"]) == (column.count(), column.nunique())
        if pd.api.types.is_numeric_dtype(column):
            expected = column.describe()
            assert row["mean"] == pytest.approx(expected["mean"], rel=1e-13)
            assert row["stdev"] == pytest.approx(expected["std"], rel=1e-12)
            assert row["quantiles"] == pytest.approx(expected[3:].tolist(), rel=1e-13)
            assert row["avg_string_length"] is None
        else:
            assert row["avg_string_length"] == pytest.approx(column.dropna().str.len().mean())
            assert row["mean"] is None
            top = column.value_counts().head(2)
            assert row["top_values"] == [
                {"value": value, "count": count} for value, count in top.items()
            ]


def test_every_type_has_a_row(pond):
    found = described(pond, "from ml.describe_data('every_type', num_array_length_quantiles := 2)")
    assert len(found) == 14
    assert (found["i"]["num_zeros"], found["i"]["min"], found["i"]["max"]) == (1, "0", "1")
    assert (found["s"]["max"], found["s"]["num_nulls"]) == ("nan", 1)  # a word, not a number
    odd = found['my "odd" col']
    assert (odd["num_nulls"], odd["mean"], odd["max"]) == (2, None, "inf")
    assert (found["nothing"]["num_nulls"], found["nothing"]["min"]) == (3, None)
    lists = found["l"]
    assert (lists["min_array_length"], lists["max_array_length"], lists["dimension"]) == (
        0,
        2,
        None,
    )
    assert (lists["total_array_length"], lists["array_length_quantiles"]) == (2, [0.0, 1.0, 2.0])
    assert (lists["mean"], lists["num_values"], lists["num_nulls"]) == (1.5, 2, 1)
    numbers = found["fl"]  # the greatest of numbers, not of words: 10, not 9
    assert (numbers["max"], numbers["num_values"], numbers["dimension"]) == ("10.0", 3, 2)
    assert found["st"]["type"] == "STRUCT(x INTEGER)"
    nested = described(pond, "from ml.describe_data('(select [[2, 3], [1]] as x)')")["x"]
    assert (nested["min"], nested["mean"], nested["unique"]) == ("[1]", None, 2)


def test_no_rows(pond):
    found = described(pond, "from ml.describe_data('(from every_type limit 0)')")
    assert len(found) == 14
    assert {(row["num_rows"], row["num_nulls"], row["unique"]) for row in found.values()} == {
        (0, 0, 0)
    }
    assert found["i"]["num_zeros"] == 0


def test_the_statement_is_the_function(pond):
    expected = pond.con.sql("from ml.describe_data('penguins', top_k := 3)").fetchall()
    statement = "select * from ML.DESCRIBE_DATA(TABLE penguins, STRUCT(3 AS top_k))"
    assert pond.sql(statement).fetchall() == expected
    statement = "SELECT * FROM ML.DESCRIBE_DATA((SELECT * FROM penguins), STRUCT(3 AS top_k))"
    assert pond.sql(statement).fetchall() == expected


def test_impossible_numbers_of_quantiles(pond):
    with pytest.raises(duckdb.Error, match="ml.describe_data: num_quantiles"):
        pond.con.sql("from ml.describe_data('penguins', num_quantiles := 0)").fetchall()


@given(st.lists(st.none() | st.integers(-9, 9), max_size=30))
@settings(max_examples=20, deadline=None)
def test_counts_add_up(pond, values):
    pond.con.execute("create or replace table drawn (x int)")
    pond.con.execute("insert into drawn select unnest(?::int[])", [values])
    row = described(pond, "from ml.describe_data('drawn', top_k := 100)")["x"]
    known = [value for value in values if value is not None]
    assert row["num_rows"] == row["num_nulls"] + row["num_values"] == len(values)
    assert sum(item["count"] for item in row["top_values"] or []) == len(known)
    assert len(row["top_values"] or []) == row["unique"]
    assert (row["num_zeros"], row["median"]) == (
        known.count(0), pytest.approx(np.median(known)) if known else None
    )  # fmt: skip
