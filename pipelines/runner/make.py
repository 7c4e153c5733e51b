"""Make what one step makes. The caller has opened the transaction."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpond.errors import PipelineError
from mlpond.pipelines.runner.catalog import Catalog
from mlpond.pipelines.runner.parameters import Value
from mlpond.pipelines.runner.plan import Node
from mlpond.pipelines.runner.protocol import Pond
from mlpond.seeds.loader import load

_SHOWN_ROWS = 5


@dataclass(frozen=True)
class Made:
    """What a step has made: rows, where it has rows, and what a check warns of.

    The rows of a check are those that it warns of.
    """

    rows: int | None
    warning: str | None = None


NOTHING = Made(None)


class RuleBrokenError(PipelineError):
    """A check found rows; ``rows`` is how many."""

    def __init__(self, message: str, rows: int) -> None:
        super().__init__(message)
        self.rows = rows


def make(pond: Pond, catalog: Catalog, node: Node, values: Mapping[str, Value]) -> Made:
    """Run one step."""
    if node.kind == "seed":
        return Made(sum(load(pond, node.name).values()))
    if node.kind == "check":
        return _check(pond, node)
    if node.kind == "model":
        pond.sql(node.sql)
        return Made(catalog.training_rows(node.name))
    relation = catalog.relation(node.name)
    kind = catalog.kind(catalog.schema, node.name)
    if node.kind == "python":
        _python(pond, node.file.path if node.file else Path(), values)
        made = catalog.kind(catalog.schema, node.name)
        if made is None:
            raise PipelineError(
                f"run(pond, params) has ended, but there is no relation "
                f"{catalog.pipeline}.{node.name}; it must make one of the file's name."
            )
    else:
        if kind is not None and kind != node.kind:  # OR REPLACE does not change the kind
            pond.sql(f"drop {kind} {relation}")
        # on one line with the first of the step, so that DuckDB's line numbers are the file's
        pond.sql(f"create or replace {node.kind} {relation} as {node.sql}")
        made = node.kind
    catalog.claim(node.name, made)
    if made == "view":
        return NOTHING
    rows: int = pond.con.execute(f"select count(*) from {relation}").fetchall()[0][0]
    return Made(rows)


def _check(pond: Pond, node: Node) -> Made:
    """Raise if the query returns rows: they are what breaks the rule.

    Rows with a column ``severity`` that is something else than 'error' are a warning.
    """
    sql = node.sql
    names = [c[0] for c in pond.con.execute(f"from (\n{sql}\n) limit 0").description or ()]
    is_error = "coalesce(severity = 'error', true)" if "severity" in names else "true"
    rule = node.file.description.split("\n\n")[0].replace("\n", " ") if node.file else ""

    def broken(condition: str) -> tuple[int, str]:
        rows = pond.con.execute(
            f"select count(*) over (), columns(*)::varchar from (\n{sql}\n) "
            f"where {condition} limit {_SHOWN_ROWS}"
        ).fetchall()
        return (rows[0][0], _complaint(rule, names, rows)) if rows else (0, "")

    count, error = broken(is_error)
    if count:
        raise RuleBrokenError(error, count)
    count, warning = broken(f"not {is_error}") if "severity" in names else (0, "")
    return Made(count, warning or None)


def _complaint(rule: str, names: list[str], rows: list[tuple[Any, ...]]) -> str:
    """How many rows break a rule, and the first of them; each begins with how many."""
    count = rows[0][0]
    lines = [f"{count:,} {'row breaks' if count == 1 else 'rows break'} the rule"]
    lines[0] += f": {rule}" if rule else ""
    lines += [
        "  " + ", ".join(f"{name} = {value}" for name, value in zip(names, row[1:], strict=True))
        for row in rows
    ]
    if count > len(rows):
        lines.append(f"  and {count - len(rows):,} more")
    return "\n".join(lines)


def _python(pond: Pond, path: Path, values: Mapping[str, Value]) -> None:
    """Load a Python step by its path and run it."""
    spec = importlib.util.spec_from_file_location(f"mlpond_step_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise PipelineError(f"{path} cannot be loaded as a Python module.")
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.run(pond, dict(values))
