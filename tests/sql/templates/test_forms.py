"""Other forms of an argument: the same from Python and in an installed macro."""

from __future__ import annotations

import duckdb
import pytest

from mlpond.errors import InputError
from mlpond.sql.templates.catalog import Template
from mlpond.sql.templates.header import read_header
from mlpond.sql.templates.installer import table_macro
from mlpond.sql.templates.renderer import render

TEXT = '''{#
A test.

Parameters
    keys := NULL     columns   names
    way := 'up'      string    up or down
    width := NULL    duration  a length of time
    prefix := ''     string    before a name

Columns
    n  BIGINT  rows

Level: partial
Source: none
#}
select
    {{ keys | each("max({})", " + ", before="0 + ", after=" + 1", none="-1") }} as total,
    {{ way | choose({"up": "max(" ~ (keys | each("{}", " + ", none="0")) ~ ")", "down": "-9"}, "ml.forms: way") }} as chosen,
    {{ width | given("timestamp '2024-01-31' + " ~ width, "null") }} as later,
    {{ width | given(keys | given("'both'", "'width'"), keys | given("'keys'", "'neither'")) }} as found,
    1 as "{{ prefix | inside }}one",
from (select 2 as a, 3 as "b ""c, d""", 'it`s {}' as e)
'''
CALLS = (
    {},
    {"keys": ["a"]},
    {"keys": ["a", 'b "c, d"'], "width": "1 month", "prefix": 'my "odd"'},
    {"way": "down", "width": "1 day"},
)


@pytest.fixture(scope="module")
def template():
    return Template("field/forms.sql.j2", TEXT, read_header(TEXT, "field/forms.sql.j2"))


@pytest.mark.parametrize("arguments", CALLS, ids=str)
def test_a_macro_and_python_write_the_same(con, template, arguments):
    con.execute(table_macro(template))
    listed = ", ".join(
        f"{name} := $${value}$$"
        if isinstance(value, str)
        else f"{name} := [{', '.join('$$' + item + '$$' for item in value)}]"
        for name, value in arguments.items()
    )
    called = con.execute(f"from ml.forms({listed})")
    names, rows = [column[0] for column in called.description], called.fetchall()
    rendered = con.execute(render(template, arguments))
    assert [column[0] for column in rendered.description] == names
    assert rendered.fetchall() == rows
    n_keys = len(arguments.get("keys", []))
    assert rows[0][0] == (-1, 3, 6)[n_keys]
    words = {(0, 0): "neither", (1, 0): "keys", (0, 1): "width", (1, 1): "both"}
    assert rows[0][names.index("found")] == words[n_keys > 0, "width" in arguments]
    assert names[-1] == arguments.get("prefix", "") + "one"


def test_what_is_not_among_the_choices_is_named(con, template):
    con.execute(table_macro(template))
    for value in ("'sideways'", "NULL"):
        with pytest.raises(
            duckdb.Error,
            match=f"ml.forms: way is {value.strip(chr(39))}; it must be one of up, down",
        ):
            con.execute(f"from ml.forms(way := {value})")
    with pytest.raises(InputError, match="ml.forms: way is sideways; it must be one of up, down"):
        render(template, {"way": "sideways"})


@pytest.mark.parametrize(
    "given, text",
    [
        ("'30 minutes'", "'30 minutes'::interval"),
        ("interval 90 minutes", "'01:30:00'::interval"),
        ("7", "7"),
        ("1.5", "1.5"),
        ("null", "NULL"),
        ("'it''s'", "'it''s'::interval"),
    ],
)
def test_durations(con, given, text):
    assert con.execute(f"select ml.duration({given})").fetchall() == [(text,)]


STEPS = """{#
A test.

Parameters
    steps   conditions  what is looked for
    event := NULL  column  what happened
    width := NULL  integer  a number

Columns
    number  BIGINT  which hold

Level: partial
Source: none
#}
select
    {{ steps }} as number,
    {{ steps | each_step("<i> - <j> + <n>", ", ", "[", "]", first="0") }} as numbers,
    {{ steps | at_most(2, "'few'", "'many'") }} as few,
    list_transform([1, 2], lambda e: {{ width | given("e * e + " ~ width, "e") }}) as raised,
from (select 'b' as event, 3 as e)
"""


@pytest.mark.parametrize(
    "arguments, expected",
    [
        # the highest bit is that of the first condition
        ({"steps": ["a", "b"], "event": "event"}, (1, [0, 3], "few", [1, 2])),
        ({"steps": ["b", "a", "b"], "event": "event"}, (5, [0, 4, 4], "many", [1, 2])),
        ({"steps": ["e > 2", "e > 3"]}, (2, [0, 3], "few", [1, 2])),
        # the parameter of a lambda is meant inside a form, too, and not the column
        ({"steps": ["e > 2"], "width": 1}, (1, [0], "few", [2, 5])),
    ],
    ids=str,
)
def test_conditions(con, arguments, expected):
    template = Template("field/steps.sql.j2", STEPS, read_header(STEPS, "field/steps.sql.j2"))
    con.execute(table_macro(template))
    listed = ", ".join(f"{name} := {value!r}" for name, value in arguments.items())
    assert con.execute(f"from ml.steps({listed})").fetchall() == [expected]
    assert con.execute(render(template, arguments)).fetchall() == [expected]
