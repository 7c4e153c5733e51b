"""What a page is made of: plain values, without a trace of HTML except that charts are SVG."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Heading:
    """The head of a column."""

    name: str
    type: str
    unit: str
    is_number: bool


@dataclass(frozen=True)
class TableView:
    """The first rows of a table, as text, and how much there is of it."""

    name: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str
    command: str
    """What prints all of it in a terminal; empty if everything is shown."""


@dataclass(frozen=True)
class Figure:
    """A chart as SVG, its title, and its words."""

    svg: str
    title: str
    summary: str


@dataclass(frozen=True)
class Folded:
    """SQL that unfolds."""

    title: str
    sql: str


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    anchor: str
    title: str
    paragraphs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What the author of the SQL says of it; paragraphs."""
    figures: tuple[Figure, ...] = ()
    tables: tuple[TableView, ...] = ()
    folded: tuple[Folded, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """A rule, and whether the data keeps it."""

    name: str
    description: str
    status: str  # passed, warned, failed, or not run
    detail: str


@dataclass(frozen=True)
class Page:
    """Everything that a page shows."""

    title: str
    pipeline: str
    description: str
    lead: tuple[str, ...]
    status: str
    error: str
    facts: tuple[tuple[str, str], ...]
    """When, how long, from which versions."""
    parameters: TableView | None
    figures: tuple[tuple[str, str], ...]
    """The headline: names and numbers."""
    sentences: tuple[str, ...]
    sections: tuple[Section, ...]
    checks: tuple[Check, ...]
    tables: tuple[Section, ...]
    """Steps that no section shows."""
    runs: TableView
    steps: TableView
    version: str
