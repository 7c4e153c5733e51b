"""A user's tables and columns cannot be taken for the parameters of our lambdas."""

from __future__ import annotations

import re

import pytest

import mlpond
from mlpond.sql import catalog
from mlpond.sql.templates.catalog import templates
from mlpond.sql.templates.installer import statements
from mlpond.sql.templates.lambdas import PREFIX, rename_parameters
from mlpond.sql.templates.renderer import render_text


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("f(l, lambda v: v.x + v)", "f(l, lambda @v: @v.x + @v)"),
        ("f(l, lambda v: v.v + 1), v", "f(l, lambda @v: @v.v + 1), v"),
        ("f(l, lambda a, k: g(a, k)) + k", "f(l, lambda @a, @k: g(@a, @k)) + k"),
        (
            "f(l, lambda v: {'v': v, v: 1, x: v::double})",
            "f(l, lambda @v: {'v': @v, v: 1, x: @v::double})",
        ),
        (
            "f(f(l, lambda v: v + 1), lambda w: v + w)",
            "f(f(l, lambda @v: @v + 1), lambda @w: v + @w)",
        ),
        (
            "f(l, lambda v: f(v, lambda w: v + w) + v)",
            "f(l, lambda @v: f(@v, lambda @w: @v + @w) + @v)",
        ),
        ("f(l, lambda v: 'v.x' || v -- v\n)", "f(l, lambda @v: 'v.x' || @v -- v\n)"),
        ("f(l, lambda v: g(v := v.x), v)", "f(l, lambda @v: g(v := @v.x), v)"),
        ("f(l, lambda v: v.a.b.c)", "f(l, lambda @v: (@v.a).b.c)"),
        ("f(l, lambda k: 1e0 + k * 2e0)", "f(l, lambda @k: 1e0 + @k * 2e0)"),
    ],
)
def test_parameters_and_nothing_else_are_renamed(sql, expected):
    assert rename_parameters(sql) == expected.replace("@", PREFIX)


def test_every_lambda_installed_is_renamed():
    for path, sql in statements():
        names = re.findall(r"(?<!')\blambda ([^:]*):", sql)
        outside = [n for n in names if not all(p.strip().startswith(PREFIX) for p in n.split(","))]
        # lambdas in text that a macro puts together run on relations of its own
        assert not outside or "from query(" in sql, (path, outside)


@pytest.mark.slow
def test_a_table_called_like_a_parameter_changes_nothing():
    """Every scalar function, from a table that has every parameter's name and every field's."""
    parameters, fields = set(), set()
    for template in templates():
        if template.header.functions:
            sql = render_text(template.text, {}, template.path)
            for listed in re.findall(r"\blambda ([^:]*):", sql):
                parameters |= {name.strip() for name in listed.split(",")}
            fields |= set(re.findall(r"'(\w+)':", sql))
    columns = ", ".join(f'100e0 as "{name}"' for name in sorted(parameters | fields))
    calls = [
        entry.example.removeprefix("SELECT ").rstrip(";")
        for entry in catalog()
        if entry.kind == "scalar" and entry.field in ("special", "distributions", "inference")
        if entry.example and "FROM" not in entry.example
    ]
    assert len(calls) > 150
    with mlpond.connect() as session:
        plain = session.con.execute(f"select {', '.join(calls)}").fetchall()
        for name in ("v", "s", "t"):
            assert name in parameters
            session.con.execute(f'create or replace table "{name}" as select {columns}')
            assert (
                session.con.execute(f'select {", ".join(calls)} from "{name}"').fetchall() == plain
            )
