"""The grammar of --select: ``a``, ``a+`` (and all after it), ``+b`` (and all before it), ``+c+``.

Several are parted by commas or spaces; a name with such characters is put in double quotes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from mlpond.errors import InputError
from mlpond.pipelines.runner.names import suggest

_TERM = re.compile(r'(\+?)("(?:[^"]|"")+"|[^\s,+"]+)(\+?)(?=[\s,]|$)')
_GAP = re.compile(r"[\s,]*")


def select(expression: str, before: Mapping[str, Collection[str]], pipeline: str) -> frozenset[str]:
    """The steps that an expression picks.

    Args:
        expression: The text after --select.
        before: For each step those it directly needs.
        pipeline: The pipeline's name, for errors.
    """
    after: dict[str, set[str]] = {key: set() for key in before}
    for key, needed in before.items():
        for other in needed:
            after[other].add(key)
    by_fold = {key.casefold(): key for key in before}
    for key in before:  # a check may be named without its folder
        by_fold.setdefault(key.removeprefix("checks/").casefold(), key)
    chosen: set[str] = set()
    position = _end_of_gap(expression, 0)
    if position == len(expression):
        raise InputError(f"pipeline {pipeline}: the selection is empty; name a step, such as a+.")
    while position < len(expression):
        term = _TERM.match(expression, position)
        if term is None:
            raise InputError(
                f"pipeline {pipeline}: cannot read the selection at {expression[position:]!r}; "
                "accepted are a, a+, +b and +c+, parted by commas or spaces."
            )
        upstream, name, downstream = term.groups()
        if name.startswith('"'):
            name = name[1:-1].replace('""', '"')
        if name.casefold() not in by_fold:
            raise InputError(
                f"pipeline {pipeline}: there is no step {name!r} to select; {suggest(name, before)}"
            )
        key = by_fold[name.casefold()]
        chosen.add(key)
        if upstream:
            chosen |= reachable(key, before)
        if downstream:
            chosen |= reachable(key, after)
        position = _end_of_gap(expression, term.end())
    return frozenset(chosen)


def reachable(start: str, edges: Mapping[str, Collection[str]]) -> set[str]:
    """Everything that edges lead to from start, without start."""
    found: set[str] = set()
    todo = [start]
    while todo:
        for key in edges[todo.pop()]:
            if key not in found:
                found.add(key)
                todo.append(key)
    return found


def _end_of_gap(text: str, position: int) -> int:
    gap = _GAP.match(text, position)
    return gap.end() if gap else position
