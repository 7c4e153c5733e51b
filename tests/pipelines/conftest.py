from __future__ import annotations

from collections.abc import Callable, Iterator
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
