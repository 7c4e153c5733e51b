"""Every reason for which a step runs again, and that nothing else makes it run."""

from __future__ import annotations

import os

import pytest

from mlpond.pipelines.runner import RunFailedError, execute, run_pipeline

TOML = """
[parameters.delay_minutes]
type = "integer"
default = 30

[parameters.unused]
type = "integer"
default = 1
"""
FILES = {
    "legs.sql": "select x from numbers",
    "late.sql": "select x from p.legs where x > {{ delay_minutes }}",
    "total.sql": "select count(*) as n from p.late",
    "checks/some.sql": "select * from p.total where n < 0",
}


@pytest.fixture
def folder(pond, make_pipeline):
    pond.con.execute("create table numbers as select range as x from range(100)")
    return make_pipeline("p", FILES, TOML)


def reasons(result):
    return {step.name: step.reason for step in result.steps if step.status != "skipped"}


def test_first_run_then_nothing(pond, folder):
    first = run_pipeline(pond, folder)
    assert set(reasons(first).values()) == {"first run"}
    assert first.step("late").rows == 69
    second = run_pipeline(pond, folder)
    assert {(step.status, step.reason) for step in second.steps} == {("skipped", "unchanged")}


def test_sql_changed(pond, folder):
    run_pipeline(pond, folder)
    (folder / "late.sql").write_text("select x from p.legs where x >= {{ delay_minutes }}")
    assert reasons(run_pipeline(pond, folder)) == {
        "late": "SQL changed",
        "total": "input p.late was rebuilt",
        "checks/some": "input p.total was rebuilt",
    }


def test_parameter_changed(pond, folder):
    run_pipeline(pond, folder)
    result = run_pipeline(pond, folder, params={"delay_minutes": 45, "unused": 2})
    assert reasons(result)["late"] == "parameter delay_minutes changed 30 → 45"
    assert "legs" not in reasons(result)
    assert result.step("late").rows == 54


def test_a_table_from_elsewhere_changed(pond, folder):
    run_pipeline(pond, folder)
    pond.con.execute("update numbers set x = 1000 where x = 3")
    result = run_pipeline(pond, folder)
    assert reasons(result)["legs"] == "input numbers changed"
    assert reasons(run_pipeline(pond, folder)) == {}


def test_order_of_rows_is_no_change(pond, folder):
    run_pipeline(pond, folder)
    pond.con.execute("create or replace table numbers as from numbers order by x desc")
    assert reasons(run_pipeline(pond, folder)) == {}


def test_a_file_changed(pond, make_pipeline, tmp_path):
    data = tmp_path / "data.csv"
    data.write_text("x\n1\n")
    folder = make_pipeline("p", {"a.sql": f"select x from '{data}'"})
    run_pipeline(pond, folder)
    assert reasons(run_pipeline(pond, folder)) == {}
    data.write_text("x\n2\n")
    os.utime(data, ns=(1, 1))  # a file system may keep coarse times
    assert reasons(run_pipeline(pond, folder)) == {"a": f"input {data} changed"}


def test_relation_is_missing(pond, folder):
    run_pipeline(pond, folder)
    pond.con.execute("drop table p.late")
    assert reasons(run_pipeline(pond, folder))["late"] == "relation is missing"


def test_library_upgraded(pond, folder, monkeypatch):
    monkeypatch.setattr(execute, "__version__", "0.0.1")
    run_pipeline(pond, folder)
    monkeypatch.setattr(execute, "__version__", "0.0.2")
    result = run_pipeline(pond, folder)
    assert reasons(result)["legs"] == "library upgraded 0.0.1 → 0.0.2"


def test_full_refresh(pond, folder):
    run_pipeline(pond, folder)
    result = run_pipeline(pond, folder, full_refresh=True)
    assert set(reasons(result).values()) == {"full refresh"}


def test_last_run_failed(pond, folder):
    run_pipeline(pond, folder)
    good = (folder / "late.sql").read_text()
    (folder / "late.sql").write_text("select error('no') as x from p.legs")
    with pytest.raises(RunFailedError):
        run_pipeline(pond, folder)
    (folder / "late.sql").write_text(good)
    result = run_pipeline(pond, folder)
    assert reasons(result) == {
        "late": "last run failed",
        "total": "input p.late was rebuilt",
        "checks/some": "input p.total was rebuilt",
    }


def test_a_step_rebuilt_alone_makes_the_next_run_build_what_reads_it(pond, folder):
    run_pipeline(pond, folder)
    run_pipeline(pond, folder, select="legs", full_refresh=True)
    assert reasons(run_pipeline(pond, folder))["late"] == "input p.legs was rebuilt"


def test_a_table_becomes_a_view_and_back(pond, folder):
    run_pipeline(pond, folder)
    sql = (folder / "late.sql").read_text()
    (folder / "late.sql").write_text(f"-- materialize: view\n{sql}")
    result = run_pipeline(pond, folder)
    assert reasons(result)["late"] == "SQL changed"
    assert (result.step("late").kind, result.step("late").rows) == ("view", None)
    (folder / "late.sql").write_text(sql)
    assert run_pipeline(pond, folder).step("late").rows == 69


def test_a_view_of_a_changed_table_makes_its_readers_run(pond, folder):
    sql = (folder / "legs.sql").read_text()
    (folder / "legs.sql").write_text(f"-- materialize: view\n{sql}")
    run_pipeline(pond, folder)
    pond.con.execute("insert into numbers values (1000)")
    result = run_pipeline(pond, folder)
    assert reasons(result)["legs"] == "input numbers changed"
    assert result.step("late").rows == 70


def test_python_code_changed(pond, make_pipeline):
    code = (
        "READS = ()\n\n\ndef run(pond, params):\n"
        "    pond.sql('create or replace table p.a as select 1 as x')\n"
    )
    folder = make_pipeline("p", {"a.py": code})
    assert run_pipeline(pond, folder).step("a").rows == 1
    assert reasons(run_pipeline(pond, folder)) == {}
    (folder / "a.py").write_text(code.replace("select 1", "select 2"))
    assert reasons(run_pipeline(pond, folder)) == {"a": "code changed"}


def test_dry_run_says_what_would_run_and_changes_nothing(pond, folder):
    before = pond.con.execute("select count(*) from information_schema.schemata").fetchall()
    plan = run_pipeline(pond, folder, dry_run=True)
    assert reasons(plan) == dict.fromkeys(("legs", "late", "total", "checks/some"), "first run")
    assert "select x from p.legs where x > 30" in plan.step("late").sql
    after = pond.con.execute("select count(*) from information_schema.schemata").fetchall()
    assert before == after
    assert pond.con.execute("select count(*) from ml.runs").fetchall() == [(0,)]
    run_pipeline(pond, folder)
    changed = run_pipeline(pond, folder, params={"delay_minutes": 5}, dry_run=True)
    assert reasons(changed)["total"] == "input p.late will be rebuilt"
    assert pond.con.execute("select n from p.total").fetchall() == [(69,)]
