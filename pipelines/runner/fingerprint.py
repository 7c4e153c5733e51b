"""Must a step run, and why?

A step is skipped when nothing that it is made from has changed since it last ran, and what it made
is still there. Otherwise the reason says what did change.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mlpond.pipelines.runner.plan import Node

UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Fingerprint:
    """What a step is made from."""

    sql: str
    parameters: Mapping[str, str]
    inputs: Mapping[str, str]
    version: str
    fragments: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """The text kept in ml.steps."""
        return json.dumps(self.__dict__, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Fingerprint:
        """The fingerprint kept in ml.steps."""
        return Fingerprint(**json.loads(text))


def fingerprint(node: Node, inputs: Mapping[str, str], version: str) -> Fingerprint:
    """The fingerprint of a step whose inputs have the given identities."""
    materialize = node.kind if node.kind in ("table", "view") else ""
    return Fingerprint(
        _digest(f"{materialize}\n{node.text}"),
        {name: show(value) for name, value in node.parameters.items()},
        dict(inputs),
        version,
        {name: _digest(text) for name, text in node.fragments.items()},
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def show(value: object) -> str:
    """A parameter's value as in a reason."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value)


def reason_to_run(
    node: Node,
    now: Fingerprint,
    last: Fingerprint | None,
    *,
    last_status: str | None,
    full_refresh: bool,
    is_there: bool,
    describe_input: Callable[[str], str],
) -> str | None:
    """Why a step must run, or None if it need not.

    Args:
        node: The step.
        now: Its fingerprint now.
        last: Its fingerprint when it last succeeded, if it ever did.
        last_status: How its last attempt ended, skipping aside.
        full_refresh: Whether everything is to run.
        is_there: Whether what it makes is in the database.
        describe_input: From an input that changed to the words for it.
    """
    if full_refresh:
        return "full refresh"
    if last_status in ("failed", "interrupted"):
        return f"last run {'failed' if last_status == 'failed' else 'was interrupted'}"
    if last is None:
        return "first run"
    if last.version != now.version:
        return f"library upgraded {last.version} → {now.version}"
    if last.sql != now.sql:
        return {"python": "code", "seed": "data"}.get(node.kind, "SQL") + " changed"
    for name, digest in now.fragments.items():
        if last.fragments.get(name) != digest:
            return f"fragment {name} changed"
    for name, value in now.parameters.items():
        if last.parameters.get(name) != value:
            before = last.parameters.get(name)
            return f"parameter {name} " + (f"changed {before} → {value}" if before else "is new")
    for name, identity in now.inputs.items():
        if last.inputs.get(name) != identity:
            return describe_input(name)
    if not is_there:
        return f"{'model' if node.kind == 'model' else 'relation'} is missing"
    return None
