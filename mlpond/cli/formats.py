"""Rows as CSV, JSON, Markdown or lines, for programs and documents to read; nothing is left out."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TextIO

from mlpond.cli.render import SHOWN, Row, lines, requery
from mlpond.type_names import is_number

if TYPE_CHECKING:
    import duckdb

BATCH = 10_000


def write_csv(relation: duckdb.DuckDBPyRelation, to: TextIO) -> None:
    """Write a header and the rows; NULL is an empty field."""
    writer = csv.writer(to, lineterminator="\n")
    writer.writerow(relation.columns)
    writer.writerows(_rows(relation))


def write_json(relation: duckdb.DuckDBPyRelation, to: TextIO) -> None:
    """Write an array with an object for each row; what is not finite becomes null."""
    objects = requery(relation, f"select to_json({SHOWN})::varchar from {SHOWN}")
    separator = "[\n"
    for (text,) in _batches(objects):
        to.write(separator + _finite(text or "null"))
        separator = ",\n"
    to.write("[]\n" if separator == "[\n" else "\n]\n")


def write_markdown(relation: duckdb.DuckDBPyRelation, to: TextIO) -> None:
    """Write a Markdown table with numbers aligned to the right."""
    to.write(_markdown_row(tuple(relation.columns)))
    numeric = [is_number(str(type_)) for type_ in relation.types]
    to.write("|" + "|".join("---:" if right else "---" for right in numeric) + "|\n")
    for row in _rows(relation):
        to.write(_markdown_row(row))


def write_lines(relation: duckdb.DuckDBPyRelation, to: TextIO) -> None:
    """Write every column on a line of its own, and an empty line between rows."""
    columns = relation.columns
    for number, row in enumerate(_rows(relation)):
        if number:
            to.write("\n")
        to.writelines(f"{line}\n" for line in lines(columns, row))


WRITERS: dict[str, Callable[[duckdb.DuckDBPyRelation, TextIO], None]] = {
    "csv": write_csv,
    "json": write_json,
    "markdown": write_markdown,
    "line": write_lines,
}


def _rows(relation: duckdb.DuckDBPyRelation) -> Iterator[Row]:
    return _batches(requery(relation, f"select columns(*)::varchar from {SHOWN}"))


def _batches(relation: duckdb.DuckDBPyRelation) -> Iterator[Row]:
    """Stream rows of text, so that a result larger than memory can be written."""
    reader = relation.to_arrow_reader(BATCH)
    for batch in reader:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _markdown_row(values: Row) -> str:
    texts = ("NULL" if value is None else value for value in values)
    escaped = (text.replace("|", "\\|").replace("\n", "<br>") for text in texts)
    return "| " + " | ".join(escaped) + " |\n"


def _finite(text: str) -> str:
    """DuckDB writes NaN and Infinity as JSON forbids; a row that may hold one is read again."""
    if "NaN" not in text and "Infinity" not in text:
        return text
    row = json.loads(text, parse_constant=lambda _: None)
    return json.dumps(row, ensure_ascii=False, separators=(",", ":"))
