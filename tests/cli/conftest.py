"""What the tests of the command line share."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from mlpond.cli.app import app


@pytest.fixture
def mlpond(tmp_path, monkeypatch):
    """Call the command line in an empty folder: mlpond("sql", "select 1") -> result."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    runner = CliRunner()

    def call(*arguments, stdin=None):
        return runner.invoke(app, [str(argument) for argument in arguments], input=stdin)

    return call
