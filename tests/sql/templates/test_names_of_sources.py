"""Tables that are called like a step of a template's query are still the user's."""

from __future__ import annotations

import re

import pytest

from mlpond.sql.templates import installer
from mlpond.sql.templates.catalog import templates
from mlpond.sql.templates.quoting import relation
from mlpond.sql.templates.renderer import render_text

NAMES = ["given", "origin", "options", "asked", "arms", "levels", "measured", "observed"]
CALLS = (
    "select statistic from ml.anova('{t}', 'y', 'g')",
    "select statistic from ml.levene('(select * from {t})', 'y', 'g')",
    "select statistic from ml.mann_whitney('(select * from {t})', 'y', 'g')",
    "select statistic from ml.ks_2samp('{t}', 'y', 'g')",
    "select mean from ml.describe_column('{t}', 'y')",
    "select count(*) from ml.folds('(select * from {t})', k := 3)",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_the_name_of_a_step(con, name):
    query = "select i * i % 17 as y, i % 2 = 0 as g from range(40) r(i)"
    con.execute(f"create or replace table {name} as {query}").fetchall()
    con.execute(f"create or replace table mine as {query}").fetchall()
    for call in CALLS:
        found = con.execute(call.format(t=name)).fetchall()
        assert found == con.execute(call.format(t="mine")).fetchall(), call
    con.execute(f"drop table {name}").fetchall()


def test_a_source_is_read_before_a_step_has_a_plain_name():
    """A relation behind FROM binds to a step of the same name that comes before it."""
    for template in templates():
        if template.header.functions:
            continue
        parameters = template.header.parameters
        marks = installer.marks(template)
        body = render_text(template.text, marks, template.path)
        steps = [
            (found.start(), found.group(1))
            for found in re.finditer(r"^(?:with\s+)?(\w+) as (?:\w+ )*\($", body, re.MULTILINE)
        ]
        for source in (p.name for p in parameters if p.type == "relation"):
            last = body.rfind(marks[source])
            before = [name for start, name in steps if start < last][:-1]
            assert all(name.startswith("__") for name in before), (template.path, before)


@pytest.mark.parametrize(
    "name",
    ["t", "s.t", "c.s.t", '"s s".t', '"t.x"', 's."t.x"', '"a ""b"', 'c."a ""b.c".x', '"a""".".b"'],
)
def test_a_dot_inside_quotes_parts_nothing(con, name):
    """A file may be a table: FROM ml.islands('"sales.csv"', 'id')."""
    (written,) = con.execute("select ml.relation($name)", {"name": name}).fetchone()
    assert written == relation(name)
