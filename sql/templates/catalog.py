"""The catalogue: every function of the library, as its template's header describes it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from mlpond.sql.templates.header import Column, Header, Parameter, read_header

__all__ = ["Column", "Entry", "Parameter", "Template", "catalog", "templates"]

# Folders whose templates become functions of schema `ml`, in the order of installation.
FIELDS = (
    "core", "special", "distributions", "inference", "probability", "describe", "effect_sizes",
    "intervals", "means", "proportions", "variances", "correlation", "anova", "categorical",
    "ranks", "goodness_of_fit", "series", "resampling", "multiplicity", "regression", "model",
    "explanation", "validation", "features",
    "evaluation/classification", "evaluation/curves", "evaluation/regression",
    "evaluation/clustering", "evaluation/ranking", "evaluation/comparison", "evaluation/fairness",
    "sampling", "recommend", "selection", "outliers", "windows", "joins", "splits", "customers",
    "attribution", "baskets", "contribution", "preprocessing", "journeys", "quality",
)  # fmt: skip


@dataclass(frozen=True)
class Template:
    """A template file: its path below ``sql/``, its text and its header."""

    path: str
    text: str
    header: Header

    @property
    def name(self) -> str:
        """The name of the file without its endings."""
        return self.path.rsplit("/", 1)[-1].removesuffix(".sql.j2")

    @property
    def field(self) -> str:
        """The folder of the template: its field of study."""
        return self.path.split("/", 1)[0]


@dataclass(frozen=True)
class Entry:
    """One function that SQL can call as ``ml.<name>``."""

    name: str
    field: str
    summary: str
    signature: str
    kind: str  # scalar, aggregate or table
    result: str
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    level: str
    source: str
    path: str
    example: str | None


def read_text(path: str) -> str:
    """Return the text of a file below ``sql/``, wherever the package is installed."""
    return _root().joinpath(path).read_text(encoding="utf-8")


def names(folder: str, ending: str) -> list[str]:
    """List the paths of the files of a folder below ``sql/`` that end so, sorted."""
    directory = _root().joinpath(folder)
    if not directory.is_dir():
        return []
    return sorted(
        f"{folder}/{entry.name}" for entry in directory.iterdir() if entry.name.endswith(ending)
    )


@cache
def templates() -> tuple[Template, ...]:
    """Return every template that becomes functions, field by field."""
    found = []
    for field in FIELDS:
        for path in names(field, ".sql.j2"):
            text = read_text(path)
            found.append(Template(path, text, read_header(text, path)))
    return tuple(found)


@cache
def catalog() -> tuple[Entry, ...]:
    """Return every function of the library, sorted by name."""
    entries = [entry for template in templates() for entry in _entries(template)]
    return tuple(sorted(entries, key=lambda entry: entry.name))


def _entries(template: Template) -> list[Entry]:
    header = template.header
    shared = {
        "field": template.field,
        "level": header.level,
        "source": header.source,
        "path": template.path,
    }
    if not header.functions:
        arguments = ", ".join(_argument(p.name, p.default) for p in header.parameters)
        return [
            Entry(
                name=template.name, summary=header.summary, kind="table", result="TABLE",
                signature=f"ml.{template.name}({arguments})", parameters=header.parameters,
                columns=header.columns, example=header.example, **shared,
            )
        ]  # fmt: skip
    meanings = {parameter.name: parameter for parameter in header.parameters}
    entries = []
    for function in header.functions:
        arguments = ", ".join(_argument(name, default) for name, default in function.arguments)
        parameters = tuple(
            Parameter(name, meanings[name].type, default, meanings[name].meaning)
            for name, default in function.arguments
            if name in meanings
        )
        is_table = function.result == "TABLE"
        kind = "table" if is_table else "scalar"
        if function.result.startswith("AGGREGATE "):
            kind = "aggregate"
        entries.append(
            Entry(
                name=function.name, summary=function.meaning, kind=kind,
                result=function.result.removeprefix("AGGREGATE "),
                signature=f"ml.{function.name}({arguments})", parameters=parameters,
                columns=header.columns if is_table else (), example=_example(header, function.name),
                **shared,
            )
        )  # fmt: skip
    return entries


def _argument(name: str, default: str | None) -> str:
    return name if default is None else f"{name} := {default}"


def _example(header: Header, name: str) -> str | None:
    lines = (header.example or "").splitlines()
    return next((line for line in lines if f"ml.{name}(" in line), None)


def _root() -> Traversable:
    return resources.files("mlpond.sql")
