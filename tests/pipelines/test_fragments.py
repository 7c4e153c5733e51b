"""Files NAME.j2 of a pipeline's folder: SQL that its steps share."""

from __future__ import annotations

import re

import pytest

import mlpond
from mlpond.errors import PipelineError
from mlpond.pipelines.runner import run_pipeline
from mlpond.pipelines.runner.fingerprint import Fingerprint

TOML = """
[parameters.least]
type = "integer"
default = 3

[parameters.unused]
type = "integer"
default = 1
"""
FILES = {
    "large.j2": "{% import 'inner/limits.j2' as limits %}"
    "{% macro large(column) %}select {{ column }} from numbers where {{ limits.at_least(column) }}{% endmacro %}",
    "inner/limits.j2": "{% macro at_least(column) %}{{ column }} >= {{ least }}{% endmacro %}",
    "whole.j2": "select {{ columns }} from numbers",
    "xs.sql": "-- The large ones.\n{% import 'large.j2' as t %}\n{{ t.large('x') }}",
    "ys.sql": "{% import 'large.j2' as t %}{{ t.large('y') }}",
    "both.sql": "{% set columns = 'x, y' %}{% include 'whole.j2' %}",
    "alone.sql": "select x from numbers",
    "checks/rule.sql": "{% import 'inner/limits.j2' as t %}select * from p.xs where not {{ t.at_least('x') }}",
}


@pytest.fixture(scope="module")
def session():
    with mlpond.connect() as shared:
        yield shared


@pytest.fixture
def pond(session):
    """A session in which nothing has run: that of the file, for a new one takes half a second."""
    session.con.execute("drop schema if exists p cascade; truncate ml.steps; truncate ml.runs")
    return session


@pytest.fixture
def folder(pond, make_pipeline):
    pond.con.execute(
        "create or replace table numbers as select range as x, -range as y from range(10)"
    )
    return make_pipeline("p", FILES, TOML)


def reasons(result):
    return {step.name: step.reason for step in result.steps if step.status != "skipped"}


def test_steps_and_checks_share_sql(pond, folder):
    result = run_pipeline(pond, folder)
    assert {step.name: step.rows for step in result.steps} == {
        "xs": 7, "ys": 0, "both": 10, "alone": 10, "checks/rule": 0,
    }  # fmt: skip
    assert reasons(run_pipeline(pond, folder)) == {}


def test_the_sql_that_is_shown_is_the_rendered_one(pond, folder, tmp_path):
    expected = "-- The large ones.\nselect x from numbers where x >= 4"
    result = run_pipeline(pond, folder, params={"least": 4})
    assert result.step("xs").sql == expected
    kept = pond.con.execute("select sql from ml.steps where step = 'xs'").fetchall()
    assert kept == [(expected,)]
    planned = run_pipeline(pond, folder, params={"least": 5}, dry_run=True)
    assert planned.step("both").reason == "unchanged"
    assert planned.step("xs").sql == expected.replace("4", "5")
    page = tmp_path / "report.html"
    pond.write_report(folder, page)
    words = re.sub("<[^>]*>", "", page.read_text(encoding="utf-8"))
    assert "select x from numbers where x &gt;= 4" in words
    assert "t.large(" not in words


def test_a_changed_fragment_reruns_the_steps_that_use_it_and_only_these(pond, folder):
    run_pipeline(pond, folder)
    large = folder / "large.j2"
    large.write_text(large.read_text().replace("where", "where true and"))
    assert reasons(run_pipeline(pond, folder)) == {
        "xs": "fragment large.j2 changed",
        "ys": "fragment large.j2 changed",
        "checks/rule": "input p.xs was rebuilt",
    }
    (folder / "whole.j2").write_text("select {{ columns }} from numbers where true")
    assert reasons(run_pipeline(pond, folder)) == {"both": "fragment whole.j2 changed"}
    limits = folder / "inner/limits.j2"
    limits.write_text(limits.read_text().replace(">=", ">"))
    rehearsed = run_pipeline(pond, folder, dry_run=True)
    assert reasons(rehearsed) == {
        "xs": "fragment inner/limits.j2 changed",
        "ys": "fragment inner/limits.j2 changed",
        "checks/rule": "fragment inner/limits.j2 changed",
    }
    assert reasons(run_pipeline(pond, folder)) == reasons(rehearsed)
    (folder / "nobodys.j2").write_text("select 1")
    assert reasons(run_pipeline(pond, folder)) == {}


def test_a_parameter_of_a_fragment_is_one_of_the_step(pond, folder):
    run_pipeline(pond, folder)
    changed = reasons(run_pipeline(pond, folder, params={"least": 4, "unused": 2}))
    assert changed == dict.fromkeys(["xs", "ys", "checks/rule"], "parameter least changed 3 → 4")


def test_what_earlier_runs_left_is_read(pond):
    before = '{"sql": "a", "parameters": {}, "inputs": {}, "version": "1"}'
    assert Fingerprint.from_json(before).fragments == {}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.sql": "{% include '../other.j2' %}"}, r"step a .*'\.\./other\.j2' is outside of the"),
        ({"a.sql": "{% include '/etc/passwd' %}"}, "step a .*'/etc/passwd' is outside of the"),
        ({"a.sql": "{% include 'link.j2' %}"}, r"step a .*'link\.j2' is outside of the"),
        ({"a.sql": "{% include 'b.sql' %}"}, r"step a .*'b\.sql' must be a file .*ends in \.j2"),
        ({"a.sql": "{% include 'thee.j2' %}", "three.j2": ""}, r"step a .*'thee\.j2' is not in .*did you mean three\.j2"),
        ({"a.sql": "{% include 'none.j2' ignore missing %}"}, r"step a .*'none\.j2' is not in"),
        ({"a.sql": "{% import 'journeys/visits.j2' as v %}"}, "step a .*'journeys/visits.j2' is not in"),
        ({"a.sql": "{% set n = 'x.j2' %}{% include n %}"}, "step a .*is computed; write it out"),
        ({"a.sql": "{% include 'x.j2' %}", "x.j2": "{% include 'y.j2' %}", "y.j2": "{% include 'x.j2' %}"}, r"step a .*use each other: x\.j2 → y\.j2 → x\.j2 "),
        ({"checks/a.sql": "{% include 'x.j2' %}", "x.j2": "{% include 'x.j2' %}"}, r"step checks/a .*use each other: x\.j2 → x\.j2 "),
        ({"a.sql": "{% include 'x.j2' %}", "x.j2": "select 1\n{% if %}"}, r"step a: x\.j2, line 2: Expected an expression"),
        ({"a.sql": "{% include 'x.j2' %}", "x.j2": "select 1\n\n, {{ leest }}"}, r"step a .*template x\.j2, line 3: value 'leest' is not known; accepted are: least, unused"),
        ({"a.sql": "{% include 'x.j2' %}", "x.j2": "{{ 1 | nothing }}"}, r"step a: x\.j2, line 1: No filter named 'nothing'"),
    ],
)  # fmt: skip
def test_what_is_no_fragment(pond, make_pipeline, tmp_path, files, message):
    (tmp_path / "other.j2").write_text("select 1")
    folder = make_pipeline("p", {"b.sql": "select 1 as x", **files}, TOML)
    (folder / "link.j2").symlink_to(tmp_path / "other.j2")
    with pytest.raises(PipelineError, match=message):
        run_pipeline(pond, folder)
    assert pond.con.execute("select count(*) from ml.steps").fetchall() == [(0,)]


QUERIES = """
[summary]
headline = "{% import 'large.j2' as t %} select count(*) as n from ({{ t.large('x') }})"
queries = ["{% import 'large.j2' as t %}{{ t.large('y') }}"]

[report]
text = "There are {large_ones}."
facts = "{% import 'large.j2' as t %}select count(*) as large_ones from ({{ t.large('x') }})"

[[report.sections]]
title = "Large"
query = "{% import 'large.j2' as t %}{{ t.large('x') }}"
"""


def test_queries_of_the_summary_and_the_report_use_fragments(pond, folder, tmp_path):
    (folder / "pipeline.toml").write_text(TOML + QUERIES)
    result = run_pipeline(pond, folder, params={"least": 4})
    assert result.headline == (("n", 6),)
    assert result.queries == ("select y from numbers where y >= 4",)
    page = tmp_path / "report.html"
    pond.write_report(folder, page)
    words = re.sub("<[^>]*>", "", page.read_text(encoding="utf-8"))
    assert "There are 6." in words
    assert "select x from numbers where x &gt;= 4" in words


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{% include 'thee.j2' %}", r"p: summary\.queries \(.*toml\): .*'thee\.j2' is not in"),
        ("select 1\\n{% if %}", r"p: summary\.queries: line 2: Expected an expression"),
        ("select {{ leest }}", r"p: summary\.queries \(.*'leest' is not known"),
    ],
)
def test_a_query_that_cannot_be_filled_in_is_said_before_anything_runs(
    pond, folder, query, message
):
    (folder / "pipeline.toml").write_text(f'{TOML}[summary]\nqueries = ["{query}"]')
    with pytest.raises(PipelineError, match=message):
        run_pipeline(pond, folder)
    assert pond.con.execute("select count(*) from ml.steps").fetchall() == [(0,)]
    (folder / "pipeline.toml").write_text(TOML)
    run_pipeline(pond, folder)
    (folder / "pipeline.toml").write_text(f'{TOML}[report]\nfacts = "{query}"')
    with pytest.raises(
        PipelineError, match=message.replace(r"p: summary\.queries", "report: a query")
    ):
        pond.write_report(folder, folder / "report.html")
