"""A hook of mkdocs: writes the pages that are made from the code, for this build alone.

reference/<field>.md   every function of a field, from the headers of its templates
reference/index.md     the list of them
contributing.md        CONTRIBUTING.md of the repository

Run as a script, it prints the pages.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from mlpond.sql import Entry, everything

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parent.parent
KINDS = {"transform": "Written in TRANSFORM (…) of CREATE MODEL, or in a query of a session"}
LEVELS = {
    "partial": "its parts can be computed apart and merged",
    "keyed": "works within a key",
    "global": "needs all rows in one place",
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of the reference into the navigation."""
    pages = [name for name in generated() if name.startswith("reference/")]
    config.nav = [
        {"Reference": sorted(pages, key=lambda name: (not name.endswith("index.md"), name))}
        if isinstance(entry, dict) and "Reference" in entry
        else entry
        for entry in config.nav or []
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those of the folder."""
    from mkdocs.structure.files import File

    for name, text in generated().items():
        files.append(File.generated(config, name, content=text))
    return files


def generated() -> dict[str, str]:
    """Every generated page: its path in the site and its text."""
    entries = sorted(everything(), key=lambda entry: (entry.field, entry.name))
    fields = {field: list(group) for field, group in groupby(entries, lambda entry: entry.field)}
    pages = {f"reference/{field}.md": _field_page(field, group) for field, group in fields.items()}
    return {
        "reference/index.md": _index_page(fields),
        **pages,
        "contributing.md": _repository_page("CONTRIBUTING.md"),
    }


def _index_page(fields: dict[str, list[Entry]]) -> str:
    parts = [
        "# Reference",
        "Every function of schema `ml`, and those of TRANSFORM. These pages are made from the "
        "headers of the SQL templates, which the renderer enforces and tests hold against DuckDB. "
        "`mlpond list` and `mlpond help NAME` print the same in a terminal.",
    ]
    for field, entries in fields.items():
        parts.append(f"## [{_title(field)}]({field}.md)")
        rows = [
            (f"[`{entry.signature}`]({field}.md#{entry.name})", entry.kind, _text(entry.summary))
            for entry in entries
        ]
        parts.append(_table(("Function", "Kind", "What it gives"), rows))
    return "\n\n".join(parts) + "\n"


def _field_page(field: str, entries: list[Entry]) -> str:
    return "\n\n".join([f"# {_title(field)}", *(_function(entry) for entry in entries)]) + "\n"


def _function(entry: Entry) -> str:
    gives = "a table" if entry.kind == "table" else f"`{entry.result}`"
    kind = KINDS.get(entry.kind, f"{entry.kind.capitalize()} function")
    parts = [
        f"## {entry.name}",
        f"```sql\n{entry.signature}\n```",
        _text(entry.summary),
        f"{kind}; gives {gives}{_level(entry)}.",
    ]
    if entry.parameters:
        rows = [
            (f"`{p.name}`", p.type, f"`{p.default}`" if p.default else "", _text(p.meaning))
            for p in entry.parameters
        ]
        parts.append(_table(("Parameter", "Type", "Default", "Meaning"), rows))
    if entry.columns:
        rows = [(f"`{c.name}`", _text(c.type), _text(c.meaning)) for c in entry.columns]
        parts.append(_table(("Column", "Type", "Meaning"), rows))
    if entry.example:
        parts.append(f"```sql\n{entry.example}\n```")
    source = f"Source: {_text(entry.source)}. " if entry.source else ""
    template = "" if entry.kind == "transform" else f"Template: `sql/{entry.path}`."
    parts.append(f"*{source}{template}".rstrip() + "*")
    return "\n\n".join(parts)


def _level(entry: Entry) -> str:
    """How the work could be divided; a function of one row always can be."""
    return "" if entry.kind in ("scalar", "transform") else f"; {LEVELS[entry.level]}"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in lines)


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|") or " "


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _text(text: str) -> str:
    """Plain text as Markdown, on one line."""
    return re.sub(r"([\\`*_\[\]])", r"\\\1", html.escape(_line(text), quote=False))


def _title(field: str) -> str:
    return field.replace("_", " ").capitalize()


def _repository_page(name: str) -> str:
    """A page of the repository; its links into docs/ hold in the site as well."""
    return (ROOT / name).read_text(encoding="utf-8").replace("](docs/", "](")


if __name__ == "__main__":
    for path, text in generated().items():
        print(f"<!-- {path} -->\n{text}")
