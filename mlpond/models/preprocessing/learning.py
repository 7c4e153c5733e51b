"""Learning what the calls of a clause need, in as few scans of the training rows as it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlpond.engine import Engine
from mlpond.models.preprocessing.function import Call, Found, Function, Learnt, Tally

Groups = list[tuple[tuple[Any, ...], dict[str, Any]]]  # keys' values, aggregates by name


def learn(engine: Engine, source: str, calls: list[tuple[Function, Call]]) -> list[Learnt]:
    """Learn all calls: one scan for aggregates, one query for each distinct list of keys.

    Args:
        engine: Runs the queries.
        source: The training rows, as they can stand behind FROM.
        calls: Each function with its call.

    Returns:
        What each call learnt, in the order of the calls.
    """
    wanted = [function.aggregates(call) if function.aggregates else {} for function, call in calls]
    tallies = [function.tally(call) if function.tally else None for function, call in calls]
    values = _aggregate(engine, source, wanted)
    groups = _group(engine, source, tallies)
    learnt = []
    for (function, call), own, rows in zip(calls, values, groups, strict=True):
        if function.fit is not None:
            learnt.append(function.fit(engine, source, call))
        elif function.over == "learns":
            learnt.append(function.learn(call, Found(own, rows)))
        else:
            learnt.append(Learnt())
    return learnt


def _aggregate(
    engine: Engine, source: str, wanted: list[Mapping[str, str]]
) -> list[dict[str, Any]]:
    """Compute every distinct aggregate once, all in one scan."""
    distinct = {sql: None for aggregates in wanted for sql in aggregates.values()}
    if not distinct:
        return [{} for _ in wanted]
    row = engine.row(f"select {', '.join(distinct)} from {source}")
    found = dict(zip(distinct, row, strict=True))
    return [{key: found[sql] for key, sql in aggregates.items()} for aggregates in wanted]


def _group(engine: Engine, source: str, tallies: list[Tally | None]) -> list[Groups]:
    """Run one query for each distinct list of keys, with the aggregates of all its tallies."""
    wanted: dict[tuple[Any, ...], dict[str, None]] = {}
    for tally in tallies:
        if tally is not None:
            key = (tally.keys, tally.rows(source), tally.tail)
            wanted.setdefault(key, {}).update(dict.fromkeys(tally.aggregates.values()))
    rows = {
        (keys, relation, tail): engine.rows(
            f"select {', '.join((*keys, *aggregates))} from {relation} "
            f"group by {', '.join(str(i + 1) for i in range(len(keys)))} {tail}"
        )
        for (keys, relation, tail), aggregates in wanted.items()
    }
    found: list[Groups] = []
    for tally in tallies:
        if tally is None:
            found.append([])
            continue
        key = (tally.keys, tally.rows(source), tally.tail)
        width, order = len(tally.keys), list(wanted[key])
        places = {name: width + order.index(sql) for name, sql in tally.aggregates.items()}
        found.append(
            [
                (tuple(row[:width]), {name: row[at] for name, at in places.items()})
                for row in rows[key]
            ]
        )
    return found
