"""The training query as a relation: scanned again where that is cheap, and sampled by stretches."""

from __future__ import annotations

import pytest

from mlpond.models.source import WINDOWS, columns_of, open_source
from tests.conftest import rows


@pytest.fixture
def table(pond):
    pond.sql(
        "create table t as select i, i * 2 as j from range(16000) r(i); create view v as from t"
    )
    return pond


@pytest.mark.parametrize(
    "query, is_scanned",
    [
        ("select * from t", True),
        ("from t", True),
        ("select i + 1 as k from main.t where j > 10", True),
        ("select * from v", False),
        ("select * from t limit 10", False),
        ("select *, row_number() over () as n from t", False),
        ("select random() as r, i from t", False),
        ("select count(*) as n from t", False),
        ("select * from t join t as u using (i)", False),
        ("with w as (from t) from w", False),
        ("select distinct i from t", False),
        ("select i from t where i in (select j from t)", False),
        ("from range(10)", False),
    ],
)
def test_only_a_plain_scan_is_run_again(table, query, is_scanned):
    columns = columns_of(table.engine, query)
    with open_source(table.engine, query, columns) as source:
        assert (source.relation == f"({query})") == is_scanned
        n = rows(table, f"select count(*) from {source.relation}")[0][0]
        assert n == rows(table, f"select count(*) from ({query})")[0][0]
    assert rows(table, "select count(*) from duckdb_tables() where temporary") == [(0,)]


def test_a_sample_is_spread_over_the_table_and_repeatable(table):
    with open_source(table.engine, "select * from t where j >= 0", []) as source:
        assert source.windows is not None
        first = rows(table, f"select i from {source.windows.sample(0.1)}")
        assert first == rows(table, f"select i from {source.windows.sample(0.1)}")
    assert len(first) == pytest.approx(1600, abs=WINDOWS)
    assert len({i // (16000 // WINDOWS) for (i,) in first}) == WINDOWS


def test_encoded_rows_beyond_memory_come_from_a_temporary_table(pond, monkeypatch):
    from mlpond.models import stream

    pond.sql(
        "create table t as select i % 5 as a, 'g' || hash(i) % 7 as g, hash(i) % 3 = 0 as y "
        "from range(4000) r(i)"
    )
    statement = (
        "create or replace model m options (model_type = 'logistic_reg', input_label_cols = ['y'], "
        "data_split_method = 'random', l2_reg = 0.1) as from t"
    )
    pond.sql(statement)
    kept = rows(pond, "select weight, category_weights from ml.weights('m')")
    monkeypatch.setattr(stream, "KEPT_BYTES", 0)
    pond.sql(statement)
    assert rows(pond, "select weight, category_weights from ml.weights('m')") == kept
    assert rows(pond, "select count(*) from duckdb_tables() where temporary") == [(0,)]


@pytest.mark.parametrize("condition", ["i between 500 and 1900", "i < 2000", "i >= 0"])
def test_a_sample_that_the_filter_leaves_empty_does_no_harm(pond, monkeypatch, condition):
    from mlpond.models import job
    from mlpond.udfs.linear import minimise

    pond.sql(
        "create table t as select i, hash(i) % 100 / 10 as a, hash(i + 100000) % 7 as b, "
        "hash(i) % 100 + hash(i + 300000) % 60 > 80 as y from range(16000) r(i)"
    )
    statement = (
        "create or replace model m options (model_type = 'logistic_reg', input_label_cols = ['y'], "
        f"data_split_method = 'no_split') as select a, b, y from t where {condition}"
    )
    pond.sql(statement)
    expected = rows(
        pond, "select processed_input, weight from ml.weights('m', standardize := true)"
    )
    # a tenth of each stretch of 2,000 rows is sampled: rows 0 to 199, 2,000 to 2,199, …
    monkeypatch.setattr(job, "GATHER_FROM", 100)
    monkeypatch.setattr(job, "GATHER_SAMPLE", 140)
    monkeypatch.setattr(minimise, "SAMPLED_FROM", 100)
    monkeypatch.setattr(minimise, "SAMPLE_ROWS", (140, 140))
    monkeypatch.setattr(minimise, "ROWS_PER_COEFFICIENT", 1)
    pond.sql(statement)
    found = rows(pond, "select processed_input, weight from ml.weights('m', standardize := true)")
    assert [row[0] for row in found] == [row[0] for row in expected]
    # Newton from another start: both are within 1e-9 of the optimum
    assert [row[1] for row in found] == pytest.approx([row[1] for row in expected], rel=1e-7)
    assert rows(pond, "select unnest(warnings) from ml.models") == []
