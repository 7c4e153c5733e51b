"""``mlpond list`` and ``mlpond help``: what there is to use, read from the templates' headers."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mlpond.cli.render import console
from mlpond.errors import InputError

if TYPE_CHECKING:
    from mlpond.sql import Entry

INDENT = 2


def list_command(word: str | None) -> None:
    """List functions by field, then pipelines, then seeds; all that contain the word."""
    sections = [
        (title, rows)
        for title, everything in _sections()
        if (rows := [row for row in everything if _contains(row, title, word)])
    ]
    if not sections:
        raise InputError(f"list: nothing contains {word!r}; `mlpond list` shows everything.")
    out = console()
    # One width for all, so that the columns of the sections stand below each other.
    widest = max(len(name) for _, rows in sections for name, _ in rows)
    for number, (title, rows) in enumerate(sections):
        if number:
            out.print()
        out.print(Text(title, style="bold"))
        out.print(_indented(_pairs(rows, min(widest, out.width // 2))))


def help_command(name: str) -> None:
    """Explain a function, a pipeline or a seed; an unknown name is met with the nearest ones."""
    from mlpond.sql import everything

    entries = {entry.name: entry for entry in everything()}
    wanted = name.strip().removesuffix("()").lower().removeprefix("ml.")
    if wanted in entries:
        console().print(_explain(entries[wanted]))
        return
    pipelines, seeds = dict(_pipelines()), dict(_seeds())
    if wanted in pipelines:
        console().print(_explain_pipeline(wanted))
    if wanted in seeds:
        if wanted in pipelines:
            console().print()
        console().print(_explain_seed(wanted))
    if wanted in pipelines or wanted in seeds:
        return
    raise InputError(_unknown(name, wanted, [*entries, *pipelines, *seeds]))


def seed_command(name: str, database: str | None, parameters: Mapping[str, Any]) -> None:
    """Load the tables of a seed, in place of what is there, and say how many rows they have."""
    from mlpond.cli.opening import DEFAULT, open_pond
    from mlpond.cli.progress import progress_line
    from mlpond.seeds.loader import find_seed, load, refuse_same_name

    seed = find_seed(name)  # before a file is made for nothing
    seed.given(**parameters)
    refuse_same_name(Path(database or DEFAULT).stem, seed.schema, f"seed {name}")
    with open_pond(database or DEFAULT) as pond:
        with progress_line(pond):
            loaded = load(pond, name, **parameters)
        for table, rows in loaded.items():
            relation = table if seed.schema == "main" else f"{seed.schema}.{table}"
            print(f"{relation}: {rows:,} rows")
    print(f"Source: {seed.source}. Licence: {seed.licence}.")


def _unknown(name: str, wanted: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    near += [other for other in known if wanted in other and other not in near][: 3 - len(near)]
    hint = f"did you mean {' or '.join(near)}?" if near else "`mlpond list` shows what there is."
    return f"help: there is no function, pipeline or seed {name!r}; {hint}"


def _sections() -> list[tuple[str, list[tuple[str, str]]]]:
    from mlpond.sql import everything

    fields: dict[str, list[tuple[str, str]]] = {}
    for entry in everything():
        fields.setdefault(entry.field, []).append((entry.signature, _sentence(entry.summary)))
    return [
        *((f"Functions: {field}", sorted(rows)) for field, rows in sorted(fields.items())),
        ("Pipelines (mlpond run NAME)", _pipelines()),
        ("Seeds (mlpond seed NAME)", _seeds()),
    ]


def _pipelines() -> list[tuple[str, str]]:
    from mlpond.pipelines.runner import list_pipelines

    return list(list_pipelines().items())


def _seeds() -> list[tuple[str, str]]:
    from mlpond.seeds.loader import list_seeds

    return [(seed.name, seed.description) for seed in list_seeds().values()]


def _explain_pipeline(name: str) -> RenderableType:
    """What a pipeline answers, its parameters, its steps in the words of their files."""
    from mlpond.pipelines.runner import find_project

    project = find_project(name)
    parts: list[RenderableType] = [
        Text.assemble((f"mlpond run {name}", "bold"), ("  pipeline", "dim")),
        Text(project.description),
    ]
    if project.parameters:
        rows = [(p.name, p.type, f"{p.meaning} (default {p.default})") for p in project.parameters]
        parts.append(_section("Parameters (--param NAME=VALUE)", _triples(rows)))
    steps = [(file.key, _sentence(file.description)) for file in project.files]
    width = max((len(key) for key, _ in steps), default=0)
    parts.append(_section("Steps", _pairs(steps, width)))
    return Group(*parts)


def _explain_seed(name: str) -> RenderableType:
    """What a seed is of, what it can be told, its tables and where they come from."""
    from mlpond.seeds.loader import find_seed

    seed = find_seed(name)
    where = "" if seed.schema == "main" else f"{seed.schema}."
    parts: list[RenderableType] = [
        Text.assemble((f"mlpond seed {name}", "bold"), ("  seed", "dim")),
        Text(seed.description),
    ]
    if seed.parameters:
        options = [f"--{option} {value}" for option, value in seed.parameters.items()]
        parts.append(_section("Options, with their defaults", Text("\n".join(options))))
    tables = "\n".join(f"{where}{table}" for table in seed.tables)
    parts.append(_section("Tables", Text(tables)))
    parts.append(_section("Source", Text(f"{seed.source}. Licence: {seed.licence}.")))
    return Group(*parts)


def _contains(row: tuple[str, str], title: str, word: str | None) -> bool:
    return word is None or word.lower() in " ".join((*row, title)).lower()


def _explain(entry: Entry) -> RenderableType:
    """A function's header as a page of the terminal."""
    parts: list[RenderableType] = [
        Text.assemble((entry.signature, "bold"), (f"  {_kind(entry)}", "dim")),
        Text(entry.summary),
    ]
    if entry.parameters:
        rows = [
            (p.name, p.type, p.meaning + (f" (default {p.default})" if p.default else ""))
            for p in entry.parameters
        ]
        parts.append(_section("Parameters", _triples(rows)))
    if entry.columns:
        rows = [(column.name, column.type, column.meaning) for column in entry.columns]
        parts.append(_section("Columns", _triples(rows)))
    if entry.example:
        parts.append(_section("Example", Text(entry.example)))
    if entry.source:
        parts.append(_section("Source", Text(entry.source)))
    return Group(*parts)


def _kind(entry: Entry) -> str:
    if entry.kind == "transform":
        return f"in TRANSFORM (…) of CREATE MODEL, and in a query of a session → {entry.result}"
    return "table function" if entry.kind == "table" else f"{entry.kind} function → {entry.result}"


def _section(title: str, body: RenderableType) -> RenderableType:
    return Group("", Text(title, style="bold"), _indented(body))


def _indented(body: RenderableType) -> Padding:
    return Padding(body, (0, 0, 0, INDENT), expand=False)


def _pairs(rows: Iterable[tuple[str, str]], width: int) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=width, overflow="fold")
    grid.add_column(overflow="fold")
    for name, meaning in rows:
        grid.add_row(Text(name, style="cyan"), Text(meaning))
    return grid


def _triples(rows: Iterable[tuple[str, str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    for name, type_, meaning in rows:
        grid.add_row(Text(name, style="cyan"), Text(type_, style="dim"), Text(meaning))
    return grid


def _sentence(text: str) -> str:
    """The first sentence of the first paragraph, on one line, without its full stop."""
    return " ".join(text.split("\n\n")[0].split()).split(". ")[0].rstrip(".")
