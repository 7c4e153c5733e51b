"""`mlpond init` and `mlpond run` together: the starter works as it is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest


@pytest.fixture
def starter(mlpond, monkeypatch):
    """The folder of a starter pipeline named demo, in which we stand."""
    assert mlpond("init", "demo").exit_code == 0
    monkeypatch.chdir("demo")
    return Path.cwd()


def statuses(where="pond.duckdb"):
    with duckdb.connect(where, read_only=True) as con:
        return dict(
            con.sql("""
                select step, status from ml.steps
                where run_id = (select max_by(run_id, started_at) from ml.runs)
            """).fetchall()
        )


def test_the_first_run_of_a_starter_works(mlpond, starter):
    result = mlpond("run", ".")
    assert result.exit_code == 0
    assert set(statuses().values()) == {"run"}
    shown = mlpond("sql", "from demo.mistakes", "--db", "pond.duckdb", "--format", "csv").stdout
    assert [line.split(",")[0] for line in shown.splitlines()] == [
        "species", "Adelie", "Chinstrap", "Gentoo",
    ]  # fmt: skip
    # 0.9 of the held-out penguins are judged right; guessing would give half of them
    with duckdb.connect("pond.duckdb") as con:
        assert con.sql("select avg(is_right::int) > 0.8 from demo.judged").fetchall() == [(True,)]


def test_the_second_run_skips_everything(mlpond, starter):
    mlpond("run", ".")
    result = mlpond("run", ".")
    assert "unchanged" in result.stdout
    assert set(statuses().values()) == {"skipped"}


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--param", "held_out=2"], "Did you mean held_out_one_in"),
        (["--select", "measurd+"], "did you mean measured"),
    ],
)
def test_a_wrong_request_makes_no_file(mlpond, starter, arguments, said):
    result = mlpond("run", ".", *arguments)
    assert (result.exit_code, list(Path.cwd().glob("*.duckdb"))) == (1, [])
    assert said in result.stderr


def test_a_parameter_reaches_the_steps(mlpond, starter):
    assert mlpond("run", ".", "--param", "held_out_one_in=2").exit_code == 0
    with duckdb.connect("pond.duckdb") as con:
        # 333 penguins have a sex; every second one is held out
        assert con.sql("select count(*) from demo.judged").fetchall() == [(166,)]


def test_a_dry_run_changes_nothing(mlpond, starter):
    result = mlpond("run", ".", "--dry-run")
    assert result.exit_code == 0
    assert "planned" in result.stdout
    assert not Path("pond.duckdb").exists()


def test_a_failing_check_is_1(mlpond, starter):
    Path("checks/never.sql").write_text("select * from demo.measured")
    result = mlpond("run", ".")
    assert result.exit_code == 1
    assert "checks/never" in result.output


@pytest.mark.slow
def test_ctrl_c_is_130_and_the_next_run_goes_on(mlpond, starter):
    Path("slow.sql").write_text(
        "select sum(a.range * b.range) as s from range(10000000) a, range(10000000) b, demo.measured"
    )
    run = subprocess.Popen([sys.executable, "-m", "mlpond", "run", "."], stdout=subprocess.PIPE)
    for line in run.stdout:  # the slow step reads a step, so that one is done before it
        if b"slow: started" in line:
            break
    time.sleep(1)
    os.kill(run.pid, signal.SIGINT)
    assert run.wait(timeout=20) == 130
    assert statuses()["measured"] == "run"
    Path("slow.sql").unlink()
    assert mlpond("run", ".").exit_code == 0
    assert statuses()["measured"] == "skipped"


@pytest.mark.parametrize("name", ["with space", "select", "Ünïcode", 'quo"te', "it's", "1st"])
def test_a_starter_may_have_any_name(mlpond, monkeypatch, name):
    assert mlpond("init", name).exit_code == 0
    monkeypatch.chdir(name)
    result = mlpond("run", ".")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("name", ["pond", "main", "ml", "."])
def test_a_starter_is_not_put_where_it_cannot_be(mlpond, tmp_path, name):
    (tmp_path / "something").touch()
    result = mlpond("init", name)
    assert result.exit_code == 1
    assert "choose another name" in result.stderr


def test_init_takes_an_empty_folder(mlpond, tmp_path):
    (tmp_path / "demo").mkdir()
    assert mlpond("init", "demo").exit_code == 0


def test_every_file_of_the_starter_is_told_of_in_its_readme(starter):
    text = (starter / "README.md").read_text()
    names = [path.name for path in starter.glob("*.*") if path.name != "README.md"]
    assert names
    assert all(name in text for name in names)
    assert "__" not in text
