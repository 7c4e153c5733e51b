from __future__ import annotations

import io
import json

import duckdb
import pytest
from rich.cells import cell_len
from rich.console import Console

from mlpond.cli.formats import WRITERS
from mlpond.cli.render import page, show

TYPES = """
    select 1 as i, 1.5::decimal(9, 2) as d, 'text' as s, null as n, [1, null] as l,
        {'a': 1, 'b': 'x'} as r, map {1: 2} as m, date '2020-02-29' as day, interval 1 day as v,
        170141183460469231731687303715884105727::hugeint as h, 'nan'::double as nan
"""


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as con:
        yield con


def box(con, query, width=100):
    out = io.StringIO()
    show(page(con.sql(query)), Console(file=out, width=width, markup=False, emoji=False))
    return out.getvalue()


def written(con, query, format):
    out = io.StringIO()
    WRITERS[format](con.sql(query), out)
    return out.getvalue()


def test_a_box_has_names_types_and_values(con):
    assert box(con, "select 1 as a, 'x' as b union all select null, 'yy'") == (
        "┌─────────┬─────────┐\n"
        "│    a    │    b    │\n"
        "│ integer │ varchar │\n"
        "├─────────┼─────────┤\n"
        "│       1 │ x       │\n"
        "│    NULL │ yy      │\n"
        "└─────────┴─────────┘\n"
    )


def test_values_look_as_duckdb_writes_them(con):
    # one row too wide for the box is printed column under column
    shown = box(con, TYPES, width=60)
    varchars = con.sql(f"select columns(*)::varchar from ({TYPES})").fetchall()[0]
    for value in varchars:
        assert f" = {'NULL' if value is None else value}\n" in shown


def test_a_long_result_shows_both_ends_and_how_long_it_is(con):
    shown = box(con, "from range(1000) t(n)")
    rows = [line for line in shown.splitlines() if line.startswith("│") and line[2:-2].strip(" ·")]
    numbers = [int(row.strip("│ ")) for row in rows[2:]]
    assert numbers == [*range(20), *range(980, 1000)]
    assert "1,000 rows (40 shown)" in shown


@pytest.mark.parametrize("rows", [0, 1, 19, 20, 21, 39, 40, 41])
def test_every_row_up_to_forty_is_shown(con, rows):
    found = page(con.sql(f"from range({rows})"))
    assert found.total == rows
    assert len(found.rows) == min(rows, 40)


def test_an_empty_result_has_its_columns(con):
    shown = box(con, "select 1 as a where false")
    assert "integer" in shown
    assert "0 rows" in shown


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@pytest.mark.parametrize("columns", [1, 3, 30])
def test_a_box_fits_the_width(con, width, columns):
    names = ", ".join(f"repeat('é', {i * 5}) as column_{i}" for i in range(columns))
    shown = box(con, f"select {names} from range(2)", width)
    drawn = [line for line in shown.splitlines() if line[0] in "┌│├└"]
    assert max(cell_len(line) for line in drawn) <= max(width, 15)
    assert len({cell_len(line) for line in drawn}) == 1


def test_left_out_columns_are_counted(con):
    names = ", ".join(f"'a rather long value' as column_{i}" for i in range(30))
    assert "30 columns (" in box(con, f"select {names} from range(2)", 80)


def test_wide_characters_keep_the_lines_together(con):
    lines = box(con, "from (values ('日本'), ('é'), ('a')) t(s)").splitlines()
    assert len({cell_len(line) for line in lines}) == 1


def test_data_cannot_steer_the_terminal(con):
    shown = box(con, "select 'a\x1b[31mb' || chr(10) || 'c' as s")
    assert r"a\x1b[31mb\nc" in shown


def test_a_result_is_computed_once(con):
    con.execute("create or replace sequence counter")
    page(con.sql("select nextval('counter') from range(100)"))
    assert con.sql("select nextval('counter')").fetchall()[0] == (101,)


def test_csv_is_read_back(con, tmp_path):
    query = "select 1 as a, 'x,\"y\"\n' as b, null as c, 0.1::double as d"
    path = tmp_path / "out.csv"
    path.write_text(written(con, query, "csv"))
    assert con.sql(f"from '{path}'").fetchall() == con.sql(query).fetchall()


def test_json_is_read_back_by_any_reader(con):
    text = written(con, TYPES, "json")
    (row,) = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert (row["i"], row["s"], row["n"], row["l"], row["r"], row["nan"]) == (
        1, "text", None, [1, None], {"a": 1, "b": "x"}, None,
    )  # fmt: skip
    assert row["h"] == 2**127 - 1
    assert json.loads(written(con, "select 1 where false", "json")) == []


def test_markdown_aligns_numbers_and_escapes(con):
    assert written(con, "select 1 as n, 'a|b\nc' as s", "markdown") == (
        "| n | s |\n|---:|---|\n| 1 | a\\|b<br>c |\n"
    )


def test_lines_align_the_names(con):
    assert written(con, "select 1 as a, 2 as bbb", "line") == "  a = 1\nbbb = 2\n"
