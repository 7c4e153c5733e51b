"""The headers of TRANSFORM's functions say what the functions say of themselves."""

from __future__ import annotations

import pytest

import mlpond
from mlpond.models.preprocessing import FUNCTIONS
from mlpond.models.preprocessing.function import BEHIND, REQUIRED
from mlpond.seeds import load
from mlpond.sql import catalog, everything
from mlpond.sql.templates.quoting import literal

ENTRIES = [entry for entry in everything() if entry.kind == "transform"]


@pytest.fixture(scope="module")
def session():
    with mlpond.connect() as session:
        load(session, "penguins")
        yield session


def test_every_function_is_told_of_once():
    macros = {entry.name.upper() for entry in catalog()}
    assert [entry.name.upper() for entry in ENTRIES] == sorted(set(FUNCTIONS) - macros)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_call_and_defaults_are_those_of_the_function(entry):
    function = FUNCTIONS[entry.name.upper()]
    behind = BEHIND[function.over]
    assert entry.signature == f"ML.{function.name}{function.usage} {behind}".rstrip()
    assert {p.name: p.default for p in entry.parameters} == {
        **{argument.name: None for argument in function.arguments},
        **{
            setting.name: None if setting.default is REQUIRED else literal(setting.default)
            for setting in function.settings
        },
    }


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_example_runs_and_gives_the_type(session, entry):
    found = session.sql(entry.example)
    kind, *of = entry.result.split(" of ")
    assert found.types[0].id == ("list" if kind == "DOUBLE[]" else kind.lower())
    if of:
        assert {str(child) for _, child in found.types[0].children} == set(of)
    assert any(value is not None for (value,) in found.fetchall())
