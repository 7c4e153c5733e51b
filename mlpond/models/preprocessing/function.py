"""What a preprocessing function has to say of itself: its call, what it learns, its SQL.

A function is one value of ``Function`` in the tuple ``FUNCTIONS`` of a module of this package.
It learns in one of three ways, of which the first is the cheapest:

    aggregates    numbers and texts by key, each a SQL aggregate over the training rows; those of
                  all calls of a clause are computed in one scan
    tally         aggregates by category: one GROUP BY query for each distinct list of keys
    fit           queries of its own, for what neither can say

The first two may be used together; ``learn`` makes what is stored of what they found, and may be
left out where every aggregate is a number that is stored under its key.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlpond.engine import Engine
from mlpond.errors import InputError, StatementError
from mlpond.models.features import is_number
from mlpond.sql.templates.catalog import OVER, usage
from mlpond.sql.templates.quoting import double, identifier

REQUIRED = object()  # the default of a setting that has none
# What stands behind a call.
SERIES = OVER["keyed"]
BEHIND = {"learns": OVER["global"], "none": OVER["partial"], "series": SERIES}


@dataclass(frozen=True)
class Entry:
    """One of many things under one key of a learnt state, such as a category with its index."""

    key: str
    position: int | None
    text: str | None = None
    number: float | None = None


@dataclass(frozen=True)
class Learnt:
    """What a call learnt from the training rows, as it is stored in ml.transform_state.

    Attributes:
        numbers: Numbers by key, such as mean; NULL where there was nothing to learn from.
        entries: Whatever comes in lists or is text: categories, cuts, n-grams.
    """

    numbers: Mapping[str, float | None] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()

    def listed(self, key: str) -> list[Entry]:
        """The entries of a key, in the order in which they were given."""
        return [entry for entry in self.entries if entry.key == key]

    def text(self, key: str) -> str | None:
        """The text of the only entry of a key, or None."""
        found = self.listed(key)
        return found[0].text if found else None

    def sequence(self, key: str) -> list[float]:
        """The numbers of the entries of a key, in their order."""
        return [entry.number for entry in self.listed(key) if entry.number is not None]

    def categories(self, key: str = "category") -> list[tuple[int, str]]:
        """The categories with their indices."""
        return [
            (entry.position, entry.text)
            for entry in self.listed(key)
            if entry.position is not None and entry.text is not None
        ]


def number_categories(names: list[str], key: str = "category") -> tuple[Entry, ...]:
    """Number categories from 1, in the order given."""
    return tuple(Entry(key, index, name) for index, name in enumerate(names, start=1))


def number_values(values: Iterable[float], key: str, first: int = 0) -> tuple[Entry, ...]:
    """Entries of a sequence of numbers, their positions counted from ``first``."""
    return tuple(Entry(key, i, number=float(v)) for i, v in enumerate(values, start=first))


@dataclass(frozen=True)
class Argument:
    """An expression over the columns of the query: a value, a label, a time, a group.

    Attributes:
        name: For messages.
        accepts: Tells whether an argument may have a DuckDB type; NULL's type is always accepted.
        expected: What ``accepts`` accepts, for messages.
        optional: Whether it may be left out, or NULL.
    """

    name: str
    accepts: Callable[[Any], bool] = lambda kind: True
    expected: str = "a simple type"
    optional: bool = False


def is_null(kind: Any) -> bool:
    """Tell whether a DuckDB type is that of a NULL of no other."""
    return kind.id in ("null", '"null"', "sqlnull")


def _is_number(kind: Any) -> bool:
    return is_number(kind) or kind.id == "boolean"


def _is_list(kind: Any) -> bool:
    return kind.id in ("list", "array")


def _is_simple(kind: Any) -> bool:
    return kind.id not in ("list", "array", "struct", "map", "union")


NUMBER = Argument("x", _is_number, "a number")
CATEGORY = Argument("x", _is_simple, "a simple type, such as text")
ARRAY = Argument("array", _is_list, "a list")
STRUCT = Argument("struct", lambda kind: kind.id == "struct", "a STRUCT, as STRUCT(a, b)")


@dataclass(frozen=True)
class Setting:
    """A constant argument behind the expressions: a number, text, list, struct or boolean."""

    name: str
    default: Any
    accepts: Callable[[Any], bool]
    expected: str


@dataclass(frozen=True)
class Series:
    """What stands in OVER (…): the columns that tell whose row it is, and the one that tells when.

    Attributes:
        keys: SQL of the columns behind PARTITION BY.
        time: SQL of the column behind ORDER BY.
        time_type: Its DuckDB type.
    """

    keys: tuple[str, ...]
    time: str
    time_type: Any

    @property
    def partition(self) -> str:
        """PARTITION BY …, or nothing."""
        return f"partition by {', '.join(self.keys)}" if self.keys else ""

    @property
    def window(self) -> str:
        """The window, without a frame."""
        return f"{self.partition} order by {self.time} nulls last".lstrip()


@dataclass(frozen=True)
class Call:
    """A call with its arguments: what the callables of a ``Function`` are given.

    Attributes:
        function: Its name, without ``ML.``, in upper case.
        arguments: SQL of the expressions; NULL stands for one that was left out.
        types: Their DuckDB types.
        settings: Checked, with defaults, by name.
        series: What stands in OVER (…), for functions whose ``over`` is "series".
        columns: All columns of the training query, quoted, for a hash of the row.
        who: The beginning of messages.
        parts: For each argument that is written STRUCT(…) the names and SQL of its fields.
    """

    function: str
    arguments: tuple[str, ...]
    types: tuple[Any, ...]
    settings: Mapping[str, Any]
    series: Series | None = None
    columns: tuple[str, ...] = ()
    who: str = ""
    parts: tuple[list[tuple[str, str]] | None, ...] = ()

    @property
    def x(self) -> str:
        """The first argument."""
        return self.arguments[0]

    def __getitem__(self, setting: str) -> Any:
        return self.settings[setting]

    def fields(self, argument: int = 0) -> list[tuple[str, str, Any]]:
        """(name, SQL, type) of the fields of an argument that is a STRUCT."""
        sql, kind = self.arguments[argument], self.types[argument]
        written = dict((self.parts[argument] if argument < len(self.parts) else None) or ())
        return [
            (name, written.get(name) or f"{sql}.{identifier(name)}", child)
            for name, child in kind.children
        ]

    def refuse(self, message: str) -> InputError:
        """The error that says what is wrong with this call."""
        return InputError(f"{self.who}: ML.{self.function}: {message}")


@dataclass(frozen=True)
class Tally:
    """A GROUP BY query over the training rows; rows in which a key is NULL are groups too.

    Attributes:
        keys: SQL of the expressions to group by.
        aggregates: SQL of aggregates by the name under which ``Found`` gives them.
        tail: What stands behind GROUP BY, such as HAVING … ORDER BY … LIMIT ….
        rows: Makes the relation of the rows to count from that of the training rows, where it is
            another, such as the elements of lists.

    Calls with the same keys, tail and rows share a query.
    """

    keys: tuple[str, ...]
    aggregates: Mapping[str, str]
    tail: str = ""
    rows: Callable[[str], str] = lambda source: source


@dataclass(frozen=True)
class Found:
    """What the scans found for one call.

    Attributes:
        values: The aggregates by key.
        groups: The rows of the tally: the keys' values, then the aggregates by name.
    """

    values: Mapping[str, Any]
    groups: list[tuple[tuple[Any, ...], dict[str, Any]]]


def store_numbers(call: Call, found: Found) -> Learnt:
    """Keep every aggregate as a number under its key."""
    return Learnt({key: _number(value) for key, value in found.values.items()})


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


@dataclass(frozen=True)
class Function:
    """A preprocessing function.

    Attributes:
        name: Without ``ML.``, in upper case.
        sql: Writes the expression for one row; ``Learnt()`` where nothing is learnt.
        arguments: The expressions that come first.
        settings: The constants behind them.
        over: "learns" if ``OVER ()`` must follow, "none" if nothing may (a function of its row
            alone), "series" if ``OVER ([PARTITION BY …] ORDER BY …)`` must follow: a window over
            the rows at hand.
        aggregates: See the module.
        tally: See the module.
        learn: See the module.
        fit: See the module.
        training_sql: Writes the expression for the rows that the call has learnt from, where it
            differs (an encoding from the other folds, so that no row sees its own label).
        check: Raises ``call.refuse(…)`` where arguments and settings do not fit together.
    """

    name: str
    sql: Callable[[Call, Learnt], str]
    arguments: tuple[Argument, ...] = (NUMBER,)
    settings: tuple[Setting, ...] = ()
    over: str = "learns"
    aggregates: Callable[[Call], Mapping[str, str]] | None = None
    tally: Callable[[Call], Tally | None] | None = None
    learn: Callable[[Call, Found], Learnt] = store_numbers
    fit: Callable[[Engine, str, Call], Learnt] | None = None
    training_sql: Callable[[Call, Learnt], str] | None = None
    check: Callable[[Call], None] = lambda call: None

    @property
    def needed(self) -> int:
        """How many arguments a call must have."""
        return sum(not argument.optional for argument in self.arguments) + sum(
            setting.default is REQUIRED for setting in self.settings
        )

    @property
    def usage(self) -> str:
        """The form of a call, for messages."""
        return usage(
            (
                *((argument.name, argument.optional) for argument in self.arguments),
                *((setting.name, setting.default is not REQUIRED) for setting in self.settings),
            )
        )

    def checked(self, who: str, given: tuple[Any, ...]) -> dict[str, Any]:
        """Check the settings and fill in defaults."""
        values = {}
        for position, setting in enumerate(self.settings):
            value = given[position] if position < len(given) else setting.default
            if not setting.accepts(value):
                raise StatementError(
                    f"{who}: ML.{self.name}: {setting.name} is {value!r}; "
                    f"it must be {setting.expected}."
                )
            values[setting.name] = value
        return values

    def check_call(self, call: Call) -> None:
        """Check the types of the arguments, and what the function checks itself."""
        for argument, kind in zip(self.arguments, call.types, strict=False):
            if not is_null(kind) and not argument.accepts(kind):
                raise call.refuse(
                    f"{argument.name} has type {kind}; it must be {argument.expected}."
                )
        self.check(call)


def finite(call: Call, argument: int = 0) -> str:
    """SQL of a number to learn from: NULL where it is NaN or infinite."""
    sql = call.arguments[argument]
    is_whole = call.types[argument].id not in ("float", "double")
    return f"{sql}::double" if is_whole else f"ml.finite({sql})"


def number(value: float | None) -> str:
    """SQL of a number that was learnt; NULL where there was nothing to learn from."""
    return "NULL" if value is None else double(value)


def is_boolean(value: Any) -> bool:
    """Tell whether a setting is TRUE or FALSE."""
    return isinstance(value, bool)


def is_count(value: Any) -> bool:
    """Tell whether a setting is an integer of at least 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_numeric(value: Any) -> bool:
    """Tell whether a setting is a number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_positive(value: Any, *, or_zero: bool = False) -> bool:
    """Tell whether a setting is a finite number above 0, or 0 too."""
    return is_numeric(value) and (0 < value < math.inf or (or_zero and value == 0))


def at_least(least: int, most: int | None = None) -> tuple[Callable[[Any], bool], str]:
    """The ``accepts`` and ``expected`` of a setting that is an integer."""
    if most is None:
        return lambda v: is_count(v) and v >= least, f"an integer of at least {least}"
    return lambda v: is_count(v) and least <= v <= most, f"an integer from {least} to {most}"


def one_of(*words: str) -> tuple[Callable[[Any], bool], str]:
    """The ``accepts`` and ``expected`` of a setting that is one of some words."""
    listed = ", ".join(f"'{word}'" for word in words[:-1])
    return lambda v: v in words, f"{listed} or '{words[-1]}'" if listed else f"'{words[0]}'"
