"""What pipeline.toml expects of the steps, as checks.

    [[steps.orders.expect]]
    expect = "between"
    column = "amount"
    min = 0

Each table has the fields of an expectation of ``ml.expect``, which judges them: one check a step,
in the SQL that a plain shell would run. Those with another severity than error warn.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlpond.errors import PipelineError
from mlpond.pipelines.runner.names import suggest
from mlpond.sql.templates.quoting import identifier, string

_KEYS = ("expect",)


@dataclass(frozen=True)
class Expectations:
    """What is expected of one step: the query of the rows that a check shows, and what it reads."""

    step: str
    text: str
    reads: tuple[str, ...]

    @property
    def description(self) -> str:
        """The rule in words."""
        return f"{self.step} is as [[steps.{self.step}.expect]] says"


def read_expectations(
    table: Any, schema: str, steps: Sequence[str], path: Path
) -> list[Expectations]:
    """Read the tables [steps.NAME] of a pipeline.toml."""
    if not isinstance(table, dict):
        raise PipelineError(f"{path}: steps is {table!r}; write tables, [[steps.NAME.expect]].")
    found = []
    for step, settings in table.items():
        where = f"steps.{step}"
        if step not in steps:
            raise PipelineError(f"{path}: {where} is no step; {suggest(step, steps)}")
        if not isinstance(settings, dict):
            raise PipelineError(f"{path}: {where} is {settings!r}; write [[{where}.expect]].")
        for key in settings:
            if key not in _KEYS:
                raise PipelineError(f"{path}: unknown key {where}.{key}; {suggest(key, _KEYS)}")
        listed = settings.get("expect", [])
        if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
            raise PipelineError(
                f"{path}: {where}.expect is {listed!r}; it must be a list of tables, "
                f"[[{where}.expect]]."
            )
        if listed:
            found.append(_expectations(schema, step, listed))
    return found


def _expectations(schema: str, step: str, listed: list[dict[str, Any]]) -> Expectations:
    source = f"{identifier(schema)}.{identifier(step)}"
    rules = json.dumps(listed, ensure_ascii=False, default=str)  # dates become text
    text = (
        "select rule, n_failing, share, observed, examples, severity\n"
        f"from ml.expect({string(source)}, {string(rules)})\n"
        "where not passed"
    )
    others = (item.get(key) for item in listed for key in ("table", "reference"))
    reads = [other for other in others if isinstance(other, str) and not other.startswith("(")]
    # patterns and conditions may hold braces, which are not Jinja's here
    return Expectations(step, f"{{% raw %}}{text}{{% endraw %}}", tuple(dict.fromkeys(reads)))
