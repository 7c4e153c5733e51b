"""Make what one step makes. The caller has opened the transaction."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlpond.errors import PipelineError
from mlpond.pipelines.runner.catalog import Catalog
from mlpond.pipelines.runner.parameters import Value
from mlpond.pipelines.runner.plan import Node, Plan
from mlpond.pipelines.runner.protocol import Pond
from mlpond.seeds.loader import load

_SHOWN_ROWS = 5


class RuleBrokenError(PipelineError):
    """A check found rows; ``rows`` is how many."""

    def __init__(self, message: str, rows: int) -> None:
        super().__init__(message)
        self.rows = rows


def make(
    pond: Pond, catalog: Catalog, plan: Plan, node: Node, values: Mapping[str, Value]
) -> int | None:
    """Run one step and return the rows of what it made, where it has rows."""
    if node.kind == "seed":
        return sum(load(pond, node.name).values())
    sql = catalog.readable(node.sql, plan.relations) if node.kind != "python" else ""
    if node.kind == "check":
        _check(pond, node, sql)
        return 0
    if node.kind == "model":
        pond.sql(sql)
        return catalog.training_rows(node.name)
    relation = catalog.relation(node.name)
    kind = catalog.kind(catalog.schema, node.name)
    if node.kind == "python":
        _python(pond, node.file.path if node.file else Path(), values)
        made = catalog.kind(catalog.schema, node.name)
        if made is None:
            raise PipelineError(
                f"run(pond, params) has ended, but there is no relation "
                f"{catalog.schema}.{node.name}; it must make one of the file's name."
            )
    else:
        if kind is not None and kind != node.kind:  # OR REPLACE does not change the kind
            pond.sql(f"drop {kind} {relation}")
        # on one line with the first of the step, so that DuckDB's line numbers are the file's
        pond.sql(f"create or replace {node.kind} {relation} as {sql}")
        made = node.kind
    if made == "view":
        return None
    rows: int = pond.con.execute(f"select count(*) from {relation}").fetchall()[0][0]
    return rows


def _check(pond: Pond, node: Node, sql: str) -> None:
    """Raise if the query returns rows: they are what breaks the rule."""
    cursor = pond.con.execute(
        f"select count(*) over (), columns(*)::varchar from (\n{sql}\n) limit {_SHOWN_ROWS}"
    )
    names = [column[0] for column in cursor.description or ()][1:]
    rows = cursor.fetchall()
    if not rows:
        return
    count = rows[0][0]
    rule = node.file.description.split("\n\n")[0].replace("\n", " ") if node.file else ""
    lines = [f"{count:,} {'row breaks' if count == 1 else 'rows break'} the rule"]
    lines[0] += f": {rule}" if rule else ""
    lines += [
        "  " + ", ".join(f"{name} = {value}" for name, value in zip(names, row[1:], strict=True))
        for row in rows
    ]
    if count > len(rows):
        lines.append(f"  and {count - len(rows):,} more")
    raise RuleBrokenError("\n".join(lines), count)


def _python(pond: Pond, path: Path, values: Mapping[str, Value]) -> None:
    """Load a Python step by its path and run it."""
    spec = importlib.util.spec_from_file_location(f"mlpond_step_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise PipelineError(f"{path} cannot be loaded as a Python module.")
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.run(pond, dict(values))
