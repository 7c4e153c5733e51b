"""Ctrl-C and kill -9 in the middle of a run, each followed by a rerun."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import mlpond
from mlpond.pipelines.runner import run_pipeline

# Long enough that no signal comes too late: it ends only by the signal. The Python steps tell
# by a file that they have begun, which needs no guess at how fast the machine is.
SLOW_SQL = "select count(*) as x from p.begun, range(100000000) a, range(100000000) b"
BEGIN = """
READS = ('p.a',)


def run(pond, params):
    pond.sql('create or replace table p.begun as select 1 as x')
    open({path!r}, 'w').close()
"""
PROGRAM = """
import sys
import mlpond
from mlpond.pipelines.runner import run_pipeline

with mlpond.connect(sys.argv[1]) as pond:
    try:
        run_pipeline(pond, sys.argv[2])
    except KeyboardInterrupt:
        # the connection still answers
        print("interrupted", pond.con.execute("select x from p.a").fetchall()[0][0])
        sys.exit(130)
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


@pytest.fixture
def interrupted(tmp_path, make_pipeline):
    """Start a run in a process of its own, and return when its last step is at work."""
    begun = tmp_path / "begun"
    files = {"a.sql": "select 1 as x", "begun.py": BEGIN.format(path=str(begun)), "c.sql": SLOW_SQL}
    folder = make_pipeline("p", files)
    database = tmp_path / "pond.duckdb"
    command = [sys.executable, "-c", PROGRAM, str(database), str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not begun.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    time.sleep(0.5)  # for the commit of that step and the start of the slow one
    yield process, database, folder
    process.kill()
    process.communicate()


def rerun(database: Path, folder: Path) -> dict[str, tuple[str, str]]:
    (folder / "c.sql").write_text("select count(*) as x from p.begun")
    with mlpond.connect(database) as pond:
        result = run_pipeline(pond, folder)
        return {step.name: (step.status, step.reason) for step in result.steps}


def runs(database: Path) -> list[tuple[str, str]]:
    with mlpond.connect(database) as pond:
        query = "select status from ml.runs order by started_at"
        return [row[0] for row in pond.con.execute(query).fetchall()]


def test_ctrl_c(interrupted):
    process, database, folder = interrupted
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert out.strip() == "interrupted 1"
    assert runs(database) == ["interrupted"]
    assert rerun(database, folder) == {
        "a": ("skipped", "unchanged"),
        "begun": ("skipped", "unchanged"),
        "c": ("run", "last run was interrupted"),
    }
    assert runs(database) == ["interrupted", "succeeded"]


def test_kill_9(interrupted):
    process, database, folder = interrupted
    process.kill()
    process.communicate(timeout=30)
    assert rerun(database, folder) == {
        "a": ("skipped", "unchanged"),
        "begun": ("skipped", "unchanged"),
        "c": ("run", "first run"),
    }
    assert runs(database) == ["killed", "succeeded"]
