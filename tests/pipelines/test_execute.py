from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from mlpond.errors import PipelineError
from mlpond.pipelines.runner import (
    RunFailedError,
    plain_display,
    run_pipeline,
    terminal_display,
)
from mlpond.pipelines.runner.catalog import Catalog
from mlpond.pipelines.runner.history import History


def steps(pond, columns="step, status"):
    query = f"select {columns} from ml.steps order by started_at, step"
    return pond.con.execute(query).fetchall()


def test_a_failing_step_leaves_what_was_there_and_stops_what_needs_it(pond, make_pipeline):
    files = {
        "a.sql": "select 1 as x",
        "b.sql": "select x from p.a",
        "c.sql": "select x from p.b",
        "d.sql": "select 4 as x",
    }
    folder = make_pipeline("p", files)
    run_pipeline(pond, folder)
    (folder / "a.sql").write_text("select 2 as x")
    (folder / "b.sql").write_text("-- two\nselect\n    x,\n    error('boom') as y\nfrom p.a")
    with pytest.raises(RunFailedError, match=r"pipeline p: step b failed \(.*b\.sql\)") as caught:
        run_pipeline(pond, folder)
    statuses = {step.name: (step.status, step.reason) for step in caught.value.result.steps}
    assert statuses == {
        "a": ("run", "SQL changed"),
        "b": ("failed", "SQL changed"),
        "c": ("blocked", "b failed"),
        "d": ("skipped", "unchanged"),
    }
    assert pond.con.execute("select * from p.a").fetchall() == [(2,)]  # committed before
    assert pond.con.execute("select * from p.b").fetchall() == [(1,)]  # rolled back
    (row,) = pond.con.execute("select sql, error from ml.steps where status = 'failed'").fetchall()
    assert "error('boom')" in row[0]
    assert "boom" in row[1]
    run = pond.con.execute("select status, error from ml.runs order by started_at").fetchall()
    assert [status for status, _ in run] == ["succeeded", "failed"]
    assert "step b failed" in run[1][1]


def test_the_line_of_an_error_is_that_of_the_file(pond, make_pipeline):
    folder = make_pipeline("p", {"a.sql": "-- one\nselect\n    1 as x,\n    nobody as y"})
    with pytest.raises(RunFailedError, match=r"LINE 4: +nobody as y"):
        run_pipeline(pond, folder)


def test_a_failing_check_shows_its_rows_and_stops_what_follows(pond, make_pipeline):
    files = {
        "a.sql": "select range as x, timestamptz '2013-01-01 00:00+00' as t from range(10)",
        "b.sql": "select * from p.a",
        "c.sql": "select 1 as y",
        "checks/small.sql": "-- No x is large.\nselect * from p.a where x > 2",
    }
    with pytest.raises(RunFailedError) as caught:
        run_pipeline(pond, make_pipeline("p", files))
    message = str(caught.value)
    assert "check small failed" in message
    assert "7 rows break the rule: No x is large." in message
    assert "x = 3, t = 2013-01-01" in message
    assert "and 2 more" in message
    result = caught.value.result
    assert (result.step("checks/small").status, result.step("checks/small").rows) == ("failed", 7)
    assert (result.step("b").status, result.step("b").reason) == ("blocked", "checks/small failed")
    assert result.step("c").status == "run"
    assert pond.con.execute("select count(*) from p.a").fetchall() == [(10,)]
    assert ("checks/small", "failed", 7) in steps(pond, "step, status, rows")


def test_everything_is_recorded(pond, make_pipeline):
    toml = "[parameters.k]\ntype = 'date'\ndefault = 2013-10-01"
    folder = make_pipeline("p", {"a.sql": "select {{ k }} as x"}, toml)
    result = run_pipeline(pond, folder)
    (run,) = pond.con.execute(
        "select run_id, pipeline, status, parameters, error, finished_at >= started_at from ml.runs"
    ).fetchall()
    assert run[:3] == (result.run_id, "p", "succeeded")
    assert json.loads(run[3]) == {"k": "2013-10-01"}
    assert run[4:] == (None, True)
    (step,) = steps(pond, "step, kind, status, reason, rows, sql, seconds > 0")
    assert step[:5] == ("a", "table", "run", "first run", 1)
    assert "2013-10-01" in step[5]
    assert step[6] is True


def test_names_with_spaces_quotes_and_sql(pond, make_pipeline):
    odd = 'odd "name"; drop table t'
    files = {
        f"{odd}.sql": "select 1 as x",
        "next one.sql": 'select x + 1 as x from "my pipe\'s"."odd ""name""; drop table t"',
        "checks/a b.sql": 'select * from "my pipe\'s"."next one" where x <> 2',
    }
    folder = make_pipeline("my pipe's", files)
    result = run_pipeline(pond, folder)
    assert [step.name for step in result.steps] == [odd, "next one", "checks/a b"]
    assert pond.con.execute('select x from "my pipe\'s"."next one"').fetchall() == [(2,)]
    again = run_pipeline(pond, folder, select='"next one"')
    assert {step.status for step in again.steps} == {"skipped"}


def test_a_python_step_reads_and_makes_relations(pond, make_pipeline):
    code = (
        "READS = ('p.a',)\n"
        "def run(pond, params):\n"
        "    k = params['k']\n"
        "    pond.sql(f'create or replace table p.b as select x * {k} as x from p.a')\n"
    )
    toml = "[parameters.k]\ntype = 'integer'\ndefault = 3"
    files = {"a.sql": "select 2 as x", "b.py": code, "c.sql": "select x from p.b"}
    result = run_pipeline(pond, make_pipeline("p", files, toml))
    assert [step.name for step in result.steps] == ["a", "b", "c"]
    assert pond.con.execute("select x from p.c").fetchall() == [(6,)]


def test_a_python_step_that_makes_nothing_or_raises(pond, make_pipeline):
    folder = make_pipeline("p", {"a.py": "READS = ()\ndef run(pond, params): ..."})
    with pytest.raises(RunFailedError, match=r"there is no relation p\.a; it must make one"):
        run_pipeline(pond, folder)
    code = (
        "READS = ()\n"
        "def run(pond, params):\n"
        "    pond.con.execute('create table p.a as select 1 as x')\n"
        "    raise ZeroDivisionError('by hand')\n"
    )
    (folder / "a.py").write_text(code)
    with pytest.raises(RunFailedError, match="by hand"):
        run_pipeline(pond, folder)
    tables = "select count(*) from information_schema.tables where table_schema = 'p'"
    assert pond.con.execute(tables).fetchall() == [(0,)]


def test_an_open_transaction_is_refused_and_kept(pond, make_pipeline):
    folder = make_pipeline("p", {"a.sql": "select 1 as x"})
    pond.con.begin()
    pond.con.execute("create table mine as select 1 as x")
    with pytest.raises(PipelineError, match="a transaction is open"):
        run_pipeline(pond, folder)
    pond.con.commit()
    assert pond.con.execute("select * from mine").fetchall() == [(1,)]


def test_a_run_left_running_is_marked_killed(pond, make_pipeline):
    for run_id in ("dead", "alive"):
        pond.con.execute(
            "insert into ml.runs (run_id, pipeline, status, started_at, parameters, "
            "mlpond_version, pid, host) "
            "values (?, 'p', 'running', now()::timestamp, '{}', '0', 1, 'h')",
            [run_id],
        )
    folder = make_pipeline("p", {"a.sql": "select 1 as x"})
    with History(pond, Catalog(pond, "q"), "q").alive("alive"):  # in another session
        run_pipeline(pond, folder)
    query = "select status from ml.runs where run_id in ('dead', 'alive') order by run_id"
    assert pond.con.execute(query).fetchall() == [("running",), ("killed",)]


SUMMARY = """
description = "Two [bold]tables[/bold]"
[summary]
headline = "select x as answer from p.a"
queries = ["FROM p.a", 'SELECT "x" FROM p.a']
"""


def test_plain_lines(pond, make_pipeline):
    out = io.StringIO()
    folder = make_pipeline("p", {"a.sql": "select 42 as x"}, SUMMARY)
    result = run_pipeline(pond, folder, display=plain_display(out))
    text = out.getvalue()
    assert "a: started (first run)" in text
    assert "a: done (1 row, " in text
    assert "answer: 42" in text
    assert "pond.sql('FROM p.a')" in text
    assert "answer: 42" in result.summary


def test_the_terminal_display_names_commands(tmp_path, make_pipeline):
    import mlpond

    console = Console(file=io.StringIO(), force_terminal=True, width=100, record=True)
    folder = make_pipeline("p", {"a.sql": "select 42 as x"}, SUMMARY)
    with mlpond.connect(tmp_path / "my data.duckdb") as pond:
        run_pipeline(pond, folder, display=terminal_display(console))
    text = console.export_text()
    assert "[bold]tables[/bold]" in text  # shown as written, not as markup
    assert "first run" in text
    assert 'my data.duckdb" "FROM p.a"' in text
    assert '"SELECT \\"x\\" FROM p.a"' in text
    assert 'mlpond sql "FROM p.a" --db "' in text


def test_the_watcher_of_progress_is_put_back(pond, make_pipeline):
    def watcher(message, fraction):
        pass

    pond.on_progress = watcher
    run_pipeline(pond, make_pipeline("p", {"a.sql": "select 1 as x"}))
    assert pond.on_progress is watcher
