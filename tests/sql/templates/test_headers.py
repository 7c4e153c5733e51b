"""Every header of the library says what DuckDB says of the installed function."""

from __future__ import annotations

import duckdb
import pytest

import mlpond
from mlpond.errors import InputError, TemplateError
from mlpond.sql import catalog, everything
from mlpond.sql.templates.catalog import Template, templates
from mlpond.sql.templates.header import read_header
from mlpond.sql.templates.installer import table_macro
from mlpond.sql.templates.renderer import render
from tests.conftest import load_small

ENTRIES = catalog()
# Arguments with which a function of models can be described.
SAMPLES = {
    "model": "'m'",
    "relation": "'penguins'",
    "boolean": "true",
    "string": "'penguins'",
    "column": "'island'",
}


@pytest.fixture(scope="module")
def con(load_penguins):
    with mlpond.connect() as session:
        load_penguins(session)
        load_small(session, "penguins", "flights")
        session.sql(
            "create model m options (model_type = 'linear_reg', calculate_p_values = true, "
            "category_encoding_method = 'dummy_encoding', input_label_cols = ['body_mass_g']) "
            "as select * from penguins where body_mass_g is not null"
        )
        yield session.con


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_parameters_are_those_of_the_macro(con, entry):
    found = con.execute(
        "select parameters, function_type from duckdb_functions() "
        "where schema_name = 'ml' and function_name = ?",
        [entry.name],
    ).fetchall()
    assert len(found) == 1
    parameters, function_type = found[0]
    assert tuple(parameters) == tuple(parameter.name for parameter in entry.parameters)
    assert function_type == ("table_macro" if entry.kind == "table" else "macro")


@pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if entry.columns], ids=lambda entry: entry.name
)
def test_columns_are_those_of_the_result(con, entry):
    if any(parameter.type == "model" for parameter in entry.parameters):
        arguments = ", ".join(
            SAMPLES[parameter.type] for parameter in entry.parameters if parameter.default is None
        )
        query = f"from ml.{entry.name}({arguments})"
    else:
        query = entry.example  # of a table of the seeds
    described = con.execute(f"describe {query}").fetchall()
    assert [(row[0], row[1]) for row in described] == [
        (column.name, column.type) for column in entry.columns
    ]


@pytest.mark.parametrize(
    "entry", [entry for entry in ENTRIES if entry.kind != "table"], ids=lambda entry: entry.name
)
def test_result_type_of_a_scalar_is_the_headers(con, entry):
    if entry.name in ("train", "version_of"):
        pytest.skip("needs a model or Python to be bound")
    assert entry.example is not None
    described = con.execute(f"describe {entry.example}").fetchall()
    assert described[0][1] == entry.result


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_function_is_explained(entry):
    assert entry.summary
    assert entry.source
    assert entry.level in ("partial", "keyed", "global")
    assert all(parameter.meaning for parameter in entry.parameters)
    assert entry.example is not None


def test_help_says_in_sql_what_the_headers_say(con):
    def told(name):
        return con.execute("from ml.help(?)", [name]).fetchall()

    listed = con.execute("select name, type from ml.help()").fetchall()
    assert listed == [(entry.called, entry.kind) for entry in everything()]
    assert told("ml.Spline")[0][1] == "ML.SPLINE"
    for name in ("anova", "kendall_tau_b"):
        entry = next((entry for entry in ENTRIES if entry.name == name), ENTRIES[0])
        rows = told(entry.name)
        assert rows[0] == (
            "function",
            f"ml.{entry.name}",
            entry.kind,
            " ".join(entry.summary.split()),
        )
        assert rows[1] == ("call", None, None, entry.signature)
        parts = {part: [row for row in rows if row[0] == part] for part, *_ in rows}
        assert [row[1] for row in parts["parameter"]] == [p.name for p in entry.parameters]
        assert [row[1:] for row in parts.get("column", [])] == [
            (column.name, column.type, column.meaning) for column in entry.columns
        ]
        assert parts["example"][0][3] == entry.example
        assert ("result" in parts) == (entry.kind != "table")
        assert told(f" ML.{entry.name.upper()}(x) ") == rows
    assert told("") == told(None) == con.execute("from ml.help()").fetchall()
    with pytest.raises(duckdb.Error, match=r"no function it's \(1\); did you mean .* or .*\?"):
        told("it's (1)")
    with pytest.raises(duckdb.Error, match="did you mean funnel or"):
        told("funel")


NOT_NULL = {
    "relation": "'penguins'", "column": "'island'", "columns": "['island']", "model": "'m'",
    "string": "'island'", "expression": "'island'", "distribution": "'normal'", "numbers": "[1, 2]",
    "conditions": "['Dream']", "list": "['island']", "any": "[1]", "integer": "1",
}  # fmt: skip


def test_a_required_argument_that_is_null_is_named(con):
    for entry in ENTRIES:
        required = [p for p in entry.parameters if p.default is None and not p.may_be_null]
        if entry.kind != "table" or not required:
            continue
        arguments = [
            "NULL" if parameter == required[-1] else NOT_NULL[parameter.type]
            for parameter in entry.parameters
            if parameter.default is None
        ]
        message = f"ml.{entry.name}: {required[-1].name} is NULL; give "
        with pytest.raises(duckdb.InvalidInputException, match=message):
            con.execute(f"from ml.{entry.name}({', '.join(arguments)})")


def test_a_null_among_names_of_columns_is_named(con):
    tested, samples = 0, {"tolerances": "[1]"}
    for entry in ENTRIES:
        named = [
            p for p in entry.parameters if p.type == "columns" or p.meaning.startswith("names of ")
        ]
        if entry.kind != "table" or not named:
            continue
        arguments = [
            f"{p.name} := {'[NULL]' if p == named[-1] else samples.get(p.name) or NOT_NULL[p.type]}"
            for p in entry.parameters
            if p.default is None or p == named[-1]
        ]
        message = f"ml.{entry.name}: {named[-1].name} has a NULL in it; give "
        with pytest.raises(duckdb.InvalidInputException, match=message):
            con.execute(f"from ml.{entry.name}({', '.join(arguments)})")
        tested += 1
    assert tested > 40


HEADER = """{#
A test.

Parameters
    source  relation  rows
    metric  column  a number
    share := 5e-1  double  a share

Columns
    n  BIGINT  rows

Level: partial
Source: none
#}
select count(*) as n from {{ source }} where {{ metric }} > {{ share }}
"""
FAMILY = """{#
A test.

Parameters
    shift         expression    SQL
    distribution  distribution  a family
    parameters    numbers       its parameters
    order_by := NULL  column    a column

Columns
    p      DOUBLE   probability
    first  INTEGER  least value

Level: partial
Source: none
#}
select
    max(ml.{{ distribution }}_cdf({{ shift }}, {{ parameters }})) as p,
    min({{ order_by }}) as first,
from range(1) as t(x)
"""


@pytest.fixture
def template():
    return Template("field/test.sql.j2", HEADER, read_header(HEADER, "field/test.sql.j2"))


def test_rendering_quotes_by_type(template):
    sql = render(template, {"source": 'my "odd".table', "metric": "a b", "share": 0.1})
    assert 'from "my ""odd"".table"' in sql  # a quote inside a part that is not quoted is its own
    assert '"a b" > 0.1e0' in sql


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"metric": "x"}, "parameter 'source' is missing"),
        ({"source": "t", "metrik": "x"}, "metrik.*Did you mean 'metric'"),
        ({"source": "t", "metric": 3}, "metric is 3 .int.; it must be of type column"),
        ({"source": "t", "metric": "x", "share": True}, "share is True"),
    ],
)
def test_arguments_are_checked_before_any_sql(template, arguments, message):
    with pytest.raises(InputError, match=message):
        render(template, arguments)


def test_a_default_is_quoted_by_its_type():
    found = {template.name: template for template in templates()}
    sql = render(found["ks_1samp"], {"source": "penguins", "metric": "body_mass_g"})
    assert "ml.normal_cdf(" in sql
    assert "'normal'_cdf" not in sql


@pytest.mark.parametrize(
    "template",
    [t for t in templates() if not t.header.functions and t.header.parameters],
    ids=lambda template: template.name,
)
def test_every_query_renders_in_python(template):
    """As a pipeline or Python would: with its required parameters, and the defaults."""
    values = {
        "relation": "penguins", "column": "body_mass_g", "columns": ["body_mass_g"],
        "expression": "true", "distribution": "normal", "numbers": [0, 1], "model": "m",
        "string": "x", "integer": 1, "double": 0.5, "boolean": True, "list": [1], "any": 1,
        "duration": 1,
        "conditions": ["true"], "strings": ["x"],
    }  # fmt: skip
    given = {p.name: values[p.type] for p in template.header.parameters if p.default is None}
    assert "{{" not in render(template, given)


def test_a_broken_template_names_its_line(template):
    broken = Template(template.path, HEADER.replace("{{ share }}", "{{ shar }}"), template.header)
    with pytest.raises(TemplateError, match=r"field/test.sql.j2, line 15.*shar"):
        render(broken, {"source": "t", "metric": "x"})


@pytest.fixture
def family():
    return Template("field/family.sql.j2", FAMILY, read_header(FAMILY, "field/family.sql.j2"))


def test_an_expression_a_distribution_and_numbers_go_into_the_query_as_sql(con, family):
    con.execute(table_macro(family))
    # Φ(2) with mean 3 and sd 2; the comment in the expression does not swallow what follows
    query = "from ml.family('1 + x + 1 -- two', 'normal', [3, 2], order_by := 'x')"
    assert con.execute(query).fetchall() == [(pytest.approx(0.308537538725987, rel=1e-14), 0)]
    rendered = render(
        family,
        {"shift": "2", "distribution": "normal", "parameters": [3, 2.0], "order_by": "x"},
    )
    assert con.execute(rendered).fetchall() == con.execute(query).fetchall()


def test_a_column_with_a_default_may_be_left_out(con, family):
    con.execute(table_macro(family))
    assert con.execute("from ml.family('0', 'normal', [0, 1])").fetchall() == [(0.5, None)]


def test_an_unknown_distribution_and_an_empty_list_are_errors(con, family):
    con.execute(table_macro(family))
    with pytest.raises(duckdb.Error, match="distribution is norm; it must be one of beta, "):
        con.execute("from ml.family('0', 'norm', [0, 1])")
    with pytest.raises(duckdb.Error, match="the list of numbers is empty"):
        con.execute("from ml.family('0', 'normal', [])")
    with pytest.raises(InputError, match="'normall' is not known.*Did you mean 'normal'"):
        render(family, {"shift": "0", "distribution": "normall", "parameters": [1]})
    with pytest.raises(
        InputError, match=r"parameters is \[\] \(list\); it must be of type numbers"
    ):
        render(family, {"shift": "0", "distribution": "normal", "parameters": []})


def test_every_family_has_the_name_of_a_distribution(con):
    families = {
        entry.name.removesuffix("_random")
        for entry in ENTRIES
        if entry.field == "distributions" and entry.name.endswith("_random")
    }
    for name in families:
        assert con.execute("select ml.distribution_name(?)", [name]).fetchall() == [(name,)]


def test_a_header_line_that_cannot_be_read_is_an_error():
    with pytest.raises(TemplateError, match="Level is 'some'"):
        read_header(HEADER.replace("Level: partial", "Level: some"), "x")
    with pytest.raises(TemplateError, match="type 'columnn'"):
        read_header(HEADER.replace("metric  column", "metric  columnn"), "x")


def test_there_is_a_template_for_every_entry():
    assert {entry.path for entry in ENTRIES} == {template.path for template in templates()}


def test_refused_sql_shows_template_line_and_excerpt(pond, monkeypatch):
    from mlpond import library
    from mlpond.sql.templates import installer

    monkeypatch.setattr(
        installer,
        "statements",
        lambda: iter([("core/broken.sql.j2", "select 1;\nselect from where")]),
    )
    with pytest.raises(TemplateError, match=r"core/broken.sql.j2, line 2") as caught:
        library.install(pond.engine)
    assert "select from where" in str(caught.value)
    with pytest.raises(duckdb.Error):
        pond.con.execute("select from where")
