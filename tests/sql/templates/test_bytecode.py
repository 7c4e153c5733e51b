"""Compiled templates kept in the user's cache folder: never needed, never trusted blindly."""

from __future__ import annotations

import jinja2
import pytest

from mlpond.sql.templates import bytecode


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(bytecode, "user_cache_path", lambda name: tmp_path / name)
    return tmp_path / "mlpond" / "templates"


def rendered(text="{{ 1 + 1 }}"):
    environment = jinja2.Environment(
        loader=jinja2.DictLoader({"a": text}), bytecode_cache=bytecode.compiled_templates()
    )
    return environment.get_template("a").render()


def test_code_is_kept_and_used_again(folder):
    assert rendered() == rendered() == "2"
    (kept,) = folder.iterdir()
    assert rendered("{{ 2 + 2 }}") == "4"  # another text under the name is compiled anew
    kept.write_bytes(b"no code")
    assert rendered() == "2"


def test_a_folder_that_cannot_be_made_is_done_without(folder):
    folder.parent.write_text("a file in its place")
    assert bytecode.compiled_templates() is None
    assert rendered() == "2"


def test_a_kept_file_that_cannot_be_written_is_done_without(folder):
    assert rendered() == "2"
    (kept,) = folder.iterdir()
    kept.unlink()
    kept.mkdir()  # neither to be read nor replaced
    assert rendered() == "2"
