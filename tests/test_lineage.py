"""What a statement reads, from its tree."""

from __future__ import annotations

import pytest

from mlpond.errors import StatementError
from mlpond.lineage import references


@pytest.mark.parametrize(
    "sql, reads",
    [
        ("with a as (from b) select * from a join s.t using (x)", ("b", "s.t")),
        ("with t as (select * from t) from t", ("t",)),
        ("with recursive r as (select 1 union all select * from r) select * from r", ()),
        ("with a as (from x), b as (from a) from b", ("x",)),
        ("from (with a as (from x) from a) as q join a on true", ("x", "a")),
        ("select (select max(x) from z) from unnest([1])", ("z",)),
        ("from t asof join w on t.a >= w.b", ("t", "w")),
        ("pivot t on x using sum(y)", ("t",)),
        ("from query('from z')", ("z",)),
        ("from query_table('s.z')", ("s.z",)),
        ('from "a b"."c.d"', ('a b."c.d"',)),
        ("from read_parquet('x.parquet'), range(3)", ()),
        ("from ml.predict('m', 'flights.features', threshold := 0.3)", ("flights.features",)),
        ("from ML.PREDICT(MODEL m, (SELECT * FROM q JOIN r USING (x)))", ("q", "r")),
        ("from ml.evaluate('m', data := 't')", ("t",)),
        ("from ml.sign_test('(pivot s.t on v using first(y))', 'a', 'b')", ("s.t",)),
        ("from ml.anova('(from s.t where x > 0)', 'y', 'g')", ("s.t",)),
        ("from ml.anova('(with a as (from s.t) from a)', 'y', 'g')", ("s.t",)),
    ],
)
def test_relations_read(sql, reads):
    assert references(sql).reads == reads


def test_models_read_and_made():
    found = references("create or replace model m as select * from ml.predict('a', 't')")
    assert (found.kind, found.model_created, found.models_read) == ("create_model", "m", ("a",))
    assert found.reads == ("t",)
    assert references("from ml.evaluate('m')").models_read == ("m",)
    assert references("drop table x").kind == "other"


@pytest.mark.parametrize("sql", ["select 1; select 2", "", "select from from"])
def test_one_statement_is_needed(sql):
    with pytest.raises(StatementError, match="references:"):
        references(sql)
