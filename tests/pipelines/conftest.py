from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import pytest

import mlpond
from mlpond.session import Session

MakePipeline = Callable[..., Path]


@pytest.fixture
def pond() -> Iterator[Session]:
    with mlpond.connect() as session:
        yield session


@pytest.fixture
def make_pipeline(tmp_path: Path) -> MakePipeline:
    """Write a pipeline: make("name", {"a.sql": "select 1 as x"}, toml="...")."""

    def make(name: str, files: dict[str, str], toml: str = "") -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "pipeline.toml").write_text(toml, encoding="utf-8")
        for path, text in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        return folder

    return make


@pytest.fixture
def broken_by() -> Callable[[Session, str, str, str], int]:
    """Count the rows that break a check after a change, which is taken back.

    broken_by(pond, "flights", "counts_add_up", "scores set n = 0"): the change is an UPDATE of a
    table of the pipeline.
    """

    def count(pond: Session, pipeline: str, check: str, change: str) -> int:
        rule = resources.files("mlpond.pipelines") / pipeline / "checks" / f"{check}.sql"
        pond.con.execute("begin")
        try:
            pond.con.execute(f"update {pipeline}.{change}")
            return len(pond.con.execute(rule.read_text(encoding="utf-8")).fetchall())
        finally:
            pond.con.execute("rollback")

    return count
