"""SQL that the steps and queries of a pipeline share: files NAME.j2 of its folder.

    {% import "recent.j2" as recent %}    {{ recent.delays("carrier") }}    its macros
    {% include "recent.j2" %}                                              its text

A fragment sees the parameters as a step does, and may use other fragments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from jinja2 import Environment, TemplateSyntaxError, meta

from mlpond.errors import MlpondError, PipelineError
from mlpond.pipelines.runner.names import suggest
from mlpond.pipelines.runner.parameters import Value
from mlpond.pipelines.runner.protocol import Pond

ENDING = ".j2"


def fill(pond: Pond, folder: Path, text: str, values: Mapping[str, Value], where: str) -> str:
    """A query of pipeline.toml with its parameters and fragments in place.

    Raises:
        PipelineError: it is not Jinja, or asks for what is not there; says where it stands.
    """
    with told(where, folder / "pipeline.toml"):
        return pond.render(text, values, read_fragments(folder, text))


@contextmanager
def told(where: str, path: Path) -> Iterator[None]:
    """Let what is wrong with a text say where the text stands."""
    try:
        yield
    except TemplateSyntaxError as error:
        part = f"{error.name}, " if error.name else ""
        raise PipelineError(f"{where}: {part}line {error.lineno}: {error.message}") from error
    except MlpondError as error:
        raise PipelineError(f"{where} ({path}): {error}") from error


def read_fragments(folder: Path, text: str) -> dict[str, str]:
    """The fragments that a step uses, directly or through others: the text of each by its name.

    Raises:
        PipelineError: what is named is no fragment of the folder, or fragments use each other.
        TemplateSyntaxError: the step, or the fragment that the error names, is not Jinja.
    """
    found: dict[str, str] = {}
    _follow(folder, text, [], found)
    return found


def undeclared(text: str, fragments: Mapping[str, str]) -> set[str]:
    """The names that a step or one of its fragments asks for and does not make itself.

    Raises:
        TemplateSyntaxError: a filter is unknown; the error names the fragment.
    """
    asked: set[str] = set()
    for name, part in ((None, text), *fragments.items()):
        try:
            asked |= meta.find_undeclared_variables(Environment().parse(part))
        except TemplateSyntaxError as error:
            error.name = name  # Jinja says <introspection>
            raise
    return asked


def _follow(folder: Path, text: str, way: list[str], found: dict[str, str]) -> None:
    tree = Environment().parse(text, name=way[-1] if way else None)
    for name in meta.find_referenced_templates(tree):
        if name is None:
            raise PipelineError(
                "the name of a fragment is computed; write it out in quotes, so that it is known "
                "what the step is made from."
            )
        if name in way:
            cycle = " → ".join([*way[way.index(name) :], name])
            raise PipelineError(
                f"the fragments use each other: {cycle} (read → as 'uses'); one of them must do "
                "without."
            )
        if name not in found:
            found[name] = _read(folder, name)
            _follow(folder, found[name], [*way, name], found)


def _read(folder: Path, name: str) -> str:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise PipelineError(
            f"fragment {name!r} is outside of the pipeline's folder {folder}; steps share what is "
            "in it."
        )
    if path.suffix != ENDING:
        raise PipelineError(f"fragment {name!r} must be a file whose name ends in {ENDING}.")
    if not path.is_file():
        known = (file.relative_to(folder).as_posix() for file in folder.rglob(f"*{ENDING}"))
        raise PipelineError(f"fragment {name!r} is not in {folder}; {suggest(name, known)}")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PipelineError(f"{path} is not UTF-8 text: {error}") from error
