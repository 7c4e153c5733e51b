"""Columns of the source that are called like those that a recipe adds keep their meaning."""

from __future__ import annotations

import pytest

from tests.sql.relations import rows

ROWS = """(values
    (1, 1, date '2024-01-01', 'a', false), (1, 2, date '2024-01-02', 'a', true), (1, 4, date '2024-01-03', 'b', null),
    (2, 9, date '2024-01-01', 'a', true), (2, 7, date '2024-01-02', null, false), (2, 8, date '2024-01-03', 'b', true)
)"""
CALLS = [
    ("streak", "ml.streaks({source}, 'day', 'x > 2', keys := ['{name}'])", "id"),
    ("island", "ml.islands({source}, 'x', keys := ['{name}'])", "id"),
    ("island", "ml.gaps({source}, 'x', keys := ['{name}'])", "id"),
    ("valid_to", "ml.scd2({source}, ['{name}'], 'day', ['y'])", "id"),
    ("valid_to", "ml.scd2({source}, ['id'], 'day', ['{name}'])", "y"),
    ("valid_to", "ml.scd2_from_snapshots({source}, ['id'], 'day', ['{name}'])", "y"),
    ("rank", "ml.top_n({source}, 'x', keys := ['id'], n := 2)", "y"),
    ("rank", "ml.top_n({source}, '{name}', keys := ['id'], n := 1)", "x"),
    ("is_placed", "ml.session_lags({source}, 'id', 'id', 'day', 'x')", "z"),
    ("total", "ml.percent_of_total({source}, 'x', ['{name}'])", "y"),
    ("previous_value", "ml.compare_periods({source}, 'day', 'x', keys := ['{name}'])", "y"),
    ("balance", "ml.balances({source}, 'day', 'x', {source}, 'day', keys := ['{name}'])", "id"),
]


@pytest.mark.parametrize(("name", "call", "of"), CALLS)
def test_a_column_of_the_name_of_a_result(con, name, call, of):
    plain = f"select * from {ROWS} as t(id, x, day, y, z)"
    renamed = f"select * rename ({of} as {name}) from ({plain})"
    found, expected = (
        rows(con, "from " + call.format(source="'(" + query.replace("'", "''") + ")'", name=column))
        for query, column in ((renamed, name), (plain, of))
    )
    assert sorted(map(repr, found)) == sorted(map(repr, expected))
