"""The catalogue: every function of the library, as its template's header describes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from mlpond.sql.templates.header import Column, Function, Header, Parameter, read_header

__all__ = ["Column", "Entry", "Parameter", "Template", "catalog", "everything", "templates"]

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
TRANSFORM = "transform"  # the folder of functions that are headers alone
# What stands behind a call of these, by their level: each row alone, its series, all rows.
OVER = {"partial": "", "keyed": "OVER (PARTITION BY key ORDER BY time)", "global": "OVER ()"}


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
    """One function: a macro ``ml.<name>``, or one of TRANSFORM, ``ML.<NAME>``."""

    name: str
    field: str
    summary: str
    signature: str
    kind: str  # scalar, aggregate, table or transform
    result: str
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    level: str
    source: str
    path: str
    example: str | None

    @property
    def called(self) -> str:
        """What stands before the bracket of a call."""
        return self.signature.partition("(")[0]


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
    """Return every function that the library installs as a macro, sorted by name."""
    entries = [entry for template in templates() for entry in _entries(template)]
    return tuple(sorted(entries, key=lambda entry: entry.name))


@cache
def everything() -> tuple[Entry, ...]:
    """Return the catalogue with the functions of TRANSFORM that are no macros, sorted by name."""
    entries = list(catalog())
    for path in names(TRANSFORM, ".j2"):
        text = read_text(path)
        entries += _transforms(read_header(text, path), path)
    return tuple(sorted(entries, key=lambda entry: entry.name))


def _transforms(header: Header, path: str) -> list[Entry]:
    entries = []
    for function in header.functions:
        call = f"ML.{function.name.upper()}"
        arguments = usage((name, default is not None) for name, default in function.arguments)
        entries.append(
            Entry(
                name=function.name, field=TRANSFORM, summary=function.meaning, kind=TRANSFORM,
                result=function.result,
                signature=f"{call}{arguments} {OVER[header.level]}".rstrip(),
                parameters=_parameters(header, function), columns=(), level=header.level,
                source=header.source, path=path, example=_example(header, call),
            )
        )  # fmt: skip
    return entries


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
    entries = []
    for function in header.functions:
        arguments = ", ".join(_argument(name, default) for name, default in function.arguments)
        is_table = function.result == "TABLE"
        kind = "table" if is_table else "scalar"
        if function.result.startswith("AGGREGATE "):
            kind = "aggregate"
        entries.append(
            Entry(
                name=function.name, summary=function.meaning, kind=kind,
                result=function.result.removeprefix("AGGREGATE "),
                signature=f"ml.{function.name}({arguments})",
                parameters=_parameters(header, function),
                columns=header.columns if is_table else (),
                example=_example(header, f"ml.{function.name}"), **shared,
            )
        )  # fmt: skip
    return entries


def usage(arguments: Iterable[tuple[str, bool]]) -> str:
    """The brackets of a call whose arguments are told by their place, some of them optional."""
    listed = (f" [, {name}]" if is_optional else f", {name}" for name, is_optional in arguments)
    return f"({''.join(listed).removeprefix(', ')})"


def _argument(name: str, default: str | None) -> str:
    return name if default is None else f"{name} := {default}"


def _parameters(header: Header, function: Function) -> tuple[Parameter, ...]:
    """The parameters of one of a header's functions, with the defaults that it has there."""
    meanings = {parameter.name: parameter for parameter in header.parameters}
    return tuple(
        Parameter(name, meanings[name].type, default, meanings[name].meaning)
        for name, default in function.arguments
        if name in meanings
    )


def _example(header: Header, call: str) -> str | None:
    lines = (header.example or "").splitlines()
    return next((line for line in lines if f"{call}(" in line), None)


def _root() -> Traversable:
    return resources.files("mlpond.sql")
