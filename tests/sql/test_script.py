from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlpond.sql.script import is_complete, split, statements

QUOTED = [
    "select ';'",
    "select 'it''s; fine'",
    "select E'a\\';b'",
    'select 1 as "a;""b"',
    "select $$ a;b $$",
    "select $tag$ $$;$$ $tag$",
    "select 1 /* ; */ + 1",
    "select 1 /* a /* ; */ b ; */ + 1",
    "select 1 -- ;\n+ 1",
    "create model `a;b` options (x = ';') as select 1",
    "select $1 + $2",
]


@pytest.mark.parametrize("text", QUOTED)
def test_a_quoted_semicolon_ends_nothing(text):
    assert statements(f"{text}; {text};select 2") == (text, text, "select 2")


@pytest.mark.parametrize("text", ["", " \n", "-- only a comment", ";;", "/* a */;"])
def test_what_says_nothing_is_no_statement(text):
    assert statements(text) == ()


@pytest.mark.parametrize(
    "text", ["select 'abc;", 'select "abc;', "select $$;", "/* ;", "/* /* */ ;", "a `b;"]
)
def test_what_is_not_closed_is_open(text):
    assert split(text).is_open
    assert not is_complete(text)


def test_is_complete_wants_the_last_statement_ended():
    assert is_complete("select 1; select 2; -- end")
    assert not is_complete("select 1; select 2")


pieces = st.sampled_from(
    ["select", "';'", '"a;"', "1", ";", "--;\n", "/*;*/", "/*;", "*/", "$$;$$", " ", "\n"]
)


@given(st.lists(pieces, max_size=12).map(" ".join))
def test_cuts_where_duckdb_cuts(text):
    try:
        theirs = duckdb.extract_statements(text)
    except duckdb.Error:  # no SQL: DuckDB parses as it splits
        return
    assert len(statements(text)) == len(theirs)
