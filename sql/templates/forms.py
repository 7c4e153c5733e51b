"""Other forms of an argument than its plain one: filters of a template.

    {{ keys | each("l.{} = r.{}", " and ", none="true") }}   columns: a pattern for each of them
    {{ direction | choose({"backward": ">=", "forward": "<="}) }}   text: one of a few, as SQL
    {{ tolerance | given("and …", "") }}                     anything: whether it is not NULL; a
                                                             long text is a macro's: given(t.cut())
    {{ steps | each_step("s<i>", ", ") }}                    conditions: a pattern for each number
    {{ steps | at_most(5, "bigint", "hugeint") }}            conditions: whether they are so few
    {{ prefix | inside }}                                    text: inside a quoted name

SQL that is chosen may hold arguments in turn.

An argument is SQL text when Python renders a template, and a mark when a macro is made of it; a
mark of a form carries what the form asks, and ``Forms`` writes the SQL that makes its text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from mlpond.errors import InputError
from mlpond.sql.templates import quoting

MARK = "\x01"  # around the name of a parameter; never part of SQL
_PART = "\x02"
_DEEPEST = 200  # pieces that are joined in one go


class Conditions(str):
    """Conditions as one number in SQL; ``texts`` is the list of them as they came, in SQL."""

    texts: str
    n: int

    def __new__(cls, number: str, texts: str, n: int = 0) -> Conditions:
        """Hold all; how many they are is not known to a macro."""
        self = super().__new__(cls, number)
        self.texts, self.n = texts, n
        return self


def each(columns: str, pattern: str, joined_by: str = ", ", before: str = "", after: str = "",
         none: str = "") -> str:  # fmt: skip
    """Write a pattern for each column, joined; ``none`` if there are no columns."""
    if columns.startswith(MARK):
        return _mark(columns, "each", [pattern, joined_by, before, after, none])
    names = re.findall(r'"(?:[^"]|"")+"', columns)
    if not names:
        return none
    return before + joined_by.join(pattern.replace("{}", name) for name in names) + after


def choose(text: str, among: Mapping[str, str], where: str = "") -> str:
    """Write what stands for a text; one that is not among them is an error.

    Args:
        text: The argument.
        among: The accepted texts, and the SQL of each.
        where: The function and its parameter, for the message.
    """
    if text.startswith(MARK):
        return _mark(text, "choose", [where, list(among.items())])
    value = _unquoted(text)
    if value not in among:
        raise InputError(_not_among(where, among) % value)
    return among[value]


def given(argument: str, then: str, otherwise: str = "") -> str:
    """Write ``then`` if an argument is not NULL, else ``otherwise``."""
    if argument.startswith(MARK):
        return _mark(argument, "given", [then, otherwise])
    return otherwise if argument in ("NULL", "true") else then  # without a condition all rows hold


def each_step(
    steps: Conditions, pattern: str, joined_by: str = ", ", before: str = "", after: str = "",
    first: str | None = None,
) -> str:  # fmt: skip
    """Write a pattern for each of some conditions: <i> is its number from 1, <j> the one before.

    Args:
        steps: The conditions.
        pattern: SQL; in it <n> is how many conditions there are.
        joined_by: What stands between two of them.
        before: What stands before the first.
        after: What stands after the last.
        first: The pattern of the first, if it has another.
    """
    if steps.startswith(MARK):
        patterns = [pattern, pattern if first is None else first]
        return _mark(steps, "each_step", [*patterns, joined_by, before, after])
    written = [
        (pattern if i > 1 or first is None else first)
        .replace("<i>", str(i)).replace("<j>", str(i - 1)).replace("<n>", str(steps.n))
        for i in range(1, steps.n + 1)
    ]  # fmt: skip
    return before + joined_by.join(written) + after


def at_most(steps: Conditions, n: int, then: str, otherwise: str) -> str:
    """Write ``then`` if there are at most n conditions, else ``otherwise``."""
    if steps.startswith(MARK):
        return _mark(steps, "at_most", [n, then, otherwise])
    return then if steps.n <= n else otherwise


def inside(text: str) -> str:
    """Write a text as a part of a quoted name."""
    if text.startswith(MARK):
        return _mark(text, "inside", [])
    return "" if text == "NULL" else _unquoted(text).replace('"', '""')


def with_written(mark: str, change: Callable[[str], str]) -> str:
    """Change the SQL that a mark may write."""
    name, *form = mark.strip(MARK).split(_PART)
    if not form:
        return mark
    asked: list[Any] = json.loads(form[1])
    if form[0] == "choose":
        where, among = asked
        changed = [where, [[text, change(sql)] for text, sql in among]]
    else:
        changed = [change(text) if isinstance(text, str) else text for text in asked]
    return _mark(name, form[0], changed)


class Forms(dict[str, str]):
    """The SQL of each mark: that of a plain one as given, that of a form made from it."""

    def __missing__(self, piece: str) -> str:
        """Write the SQL that gives the text of a form."""
        name, form, asked = piece.split(_PART)
        arguments = json.loads(asked)
        if form == "inside":
            return f"replace(coalesce({name}, ''), '\"', '\"\"')"
        if form == "each":
            pattern, joined_by, before, after, none = map(quoting.string, arguments)
            return (
                f"coalesce({before} || list_aggregate(list_transform({name}::varchar[], lambda c: "
                f"replace({pattern}, '{{}}', ml.identifier(c))), 'string_agg', {joined_by}) "
                f"|| {after}, {none})"
            )
        if form == "each_step":
            pattern, first, joined_by, before, after = map(self.written, arguments)
            chosen = (
                pattern if first == pattern else f"case when i = 1 then {first} else {pattern} end"
            )
            for mark, number in (("<i>", "i"), ("<j>", "i - 1"), ("<n>", f"len({name})")):
                chosen = f"replace({chosen}, '{mark}', ({number})::varchar)"
            return (
                f"({before} || coalesce(list_aggregate(list_transform(range(1, len({name}) + 1), "
                f"lambda i: {chosen}), 'string_agg', {joined_by}), '') || {after})"
            )
        if form == "at_most":
            then, otherwise = map(self.written, arguments[1:])
            return f"case when len({name}) <= {arguments[0]} then {then} else {otherwise} end"
        if form == "given":
            then, otherwise = map(self.written, arguments)
            return f"case when {name} is not null then {then} else {otherwise} end"
        where, among = arguments
        cases = " ".join(
            f"when {quoting.string(text)} then {self.written(sql)}" for text, sql in among
        )
        before, after = _not_among(where, dict(among)).split("%s")
        return (
            f"case {name}::varchar {cases} else error({quoting.string(before)} || "
            f"coalesce({name}::varchar, 'NULL') || {quoting.string(after)}) end"
        )

    def written(self, text: str) -> str:
        """Write the SQL that gives a text with marks."""
        pieces = [
            self[piece] if index % 2 else quoting.string(piece)
            for index, piece in enumerate(text.split(MARK))
            if piece
        ] or ["''"]
        while len(pieces) > _DEEPEST:  # DuckDB limits the depth of an expression
            pieces = [
                f"({' || '.join(pieces[i : i + _DEEPEST])})"
                for i in range(0, len(pieces), _DEEPEST)
            ]
        return "(" + "\n    || ".join(pieces) + ")"


def _mark(mark: str, form: str, asked: list[object]) -> str:
    return MARK + _PART.join([mark.strip(MARK), form, json.dumps(asked)]) + MARK


def _unquoted(text: str) -> str:
    """Read a string literal; a word such as true is itself."""
    return text[1:-1].replace("''", "'") if text.startswith("'") else text


def _not_among(where: str, among: Mapping[str, str]) -> str:
    return f"{where} is %s; it must be one of {', '.join(among)}"
