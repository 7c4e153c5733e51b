"""What every test shares: a session in memory, a session in a file, and a plain 1.5 shell.

Tests of laws (Hypothesis) draw the same examples in every run, so that a run fails only for a
change. ``make explore`` draws new ones, and more of them.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import mlpond
from mlpond.seeds import list_seeds, load
from mlpond.session import Session

ROOT = Path(__file__).resolve().parent.parent
PENGUINS = ROOT / "seeds" / "penguins" / "penguins.csv"

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=10)
settings.register_profile("explore", deadline=None, max_examples=60, print_blob=True)
settings.load_profile("repeatable")  # the default; --hypothesis-profile=explore comes after it

# A shell starts what runs in the background with Ctrl-C ignored, and so would be the programs that
# the tests of Ctrl-C send it to.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def pond() -> Iterator[Session]:
    with mlpond.connect() as session:
        yield session


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "test.duckdb"


@pytest.fixture(scope="session")
def load_penguins() -> Callable[[Session], None]:
    def load(session: Session) -> None:
        session.sql(f"create table penguins as from read_csv('{PENGUINS}', nullstr = 'NA')")

    return load


@pytest.fixture(scope="session")
def shell() -> Callable[..., Any]:
    """Run a query in the duckdb shell of the package duckdb-cli, without Python's library."""
    program = Path(sys.executable).with_name("duckdb")

    def run(database: Path, query: str) -> list[dict[str, Any]]:
        done = subprocess.run(
            [str(program), "-json", str(database), "-c", query],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else []

    return run


def load_small(session: Session, *without: str) -> None:
    """Every seed but some; of the generated ones a small size."""
    for name, seed in list_seeds().items():
        if name not in without:
            load(session, name, **({"scale": 0.02} if "scale" in seed.parameters else {}))


def rows(session: Session, query: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    relation = session.sql(query)
    assert relation is not None
    return relation.fetchall()


def record(session: Session, query: str) -> dict[str, Any]:
    """The one row of a query as a dictionary."""
    relation = session.sql(query)
    assert relation is not None
    found = relation.fetchall()
    assert len(found) == 1
    return dict(zip(relation.columns, found[0], strict=True))


def records(session: Session, query: str) -> list[dict[str, Any]]:
    """All rows of a query as dictionaries."""
    relation = session.sql(query)
    assert relation is not None
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
