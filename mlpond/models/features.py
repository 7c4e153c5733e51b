"""From the columns of a training query to features: which there are and of which kind.

numeric column                     one number
BOOLEAN, text, DATE, TIME, …       a category
TIMESTAMP                          unix seconds, and calendar parts as categories
STRUCT                             a feature a field, named struct_field
ARRAY or LIST of numbers           a number an element
LIST of anything else              multi-hot: a set of categories
LIST of STRUCT(index, value)       a sparse vector, as the encoders of TRANSFORM make
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from mlpond.errors import InputError
from mlpond.sql.templates.quoting import identifier, string

NUMBERS = frozenset(
    ["tinyint", "smallint", "integer", "bigint", "hugeint", "utinyint", "usmallint", "uinteger",
     "ubigint", "uhugeint", "float", "double", "decimal", "bignum"]
)  # fmt: skip
CATEGORIES = frozenset(
    [
        "boolean",
        "varchar",
        "blob",
        "date",
        "time",
        "time with time zone",
        "uuid",
        "enum",
        "bit",
        "null",
    ]
)
TIMESTAMPS = frozenset(
    ["timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone"]
)

# BigQuery ML's names for the parts of a timestamp, and what they are in DuckDB.
TIMESTAMP_PARTS = (
    ("_TS_DOM_", "day"), ("_TS_DOW_", "dayofweek"), ("_TS_MOY_", "month"), ("_TS_HOD_", "hour"),
    ("_TS_MOH_", "minute"), ("_TS_WOY_", "week"), ("_TS_YEAR_", "year"),
)  # fmt: skip


# Stands in an expression where the row comes before the name of the column, as in row."name".
ROW = "\x02"


@dataclass(frozen=True)
class Atom:
    """One feature before anything is learnt about it."""

    name: str  # processed_input
    input: str  # the column of the query it comes from
    form: str  # SQL over the columns of the query, each behind the mark ROW
    kind: str  # numeric, category, multi_hot or sparse
    null_category: bool = True  # whether NULL is a category of its own, or all zeros
    names: dict[str, str] = field(default_factory=dict)  # what a category is called in outputs

    @property
    def expression(self) -> str:
        """The SQL of the feature over the columns as they stand."""
        return self.form.replace(ROW, "")

    def within(self, struct: str) -> Atom:
        """The same feature where the columns are fields of a struct."""
        return replace(self, form=self.form.replace(ROW, f"{struct}."))


def atoms(model: str, columns: list[tuple[str, Any]], lengths: dict[str, int]) -> list[Atom]:
    """Expand columns into features.

    Args:
        model: For messages.
        columns: (name, DuckDB type) of the feature columns.
        lengths: The longest list of each column that is a LIST of numbers.

    Raises:
        InputError: a column has a type that is no feature.
    """
    found: list[Atom] = []
    for name, kind in columns:
        found += _expand(model, name, name, ROW + identifier(name), kind, lengths)
    return found


def numeric_lists(columns: list[tuple[str, Any]]) -> list[str]:
    """Return the columns that are a LIST of numbers, whose length only the data tells."""
    return [
        name for name, kind in columns if kind.id == "list" and kind.children[0][1].id in NUMBERS
    ]


def is_number(kind: Any) -> bool:
    """Tell whether a DuckDB type is a number."""
    return kind.id in NUMBERS


def _expand(
    model: str, name: str, column: str, expression: str, kind: Any, lengths: dict[str, int]
) -> list[Atom]:
    if kind.id in NUMBERS:
        return [Atom(name, column, f"({expression})::double", "numeric")]
    if kind.id in CATEGORIES:
        return [Atom(name, column, f"({expression})::varchar", "category")]
    if kind.id in TIMESTAMPS:
        # epoch_us is the same in every session; parts of a TIMESTAMPTZ would follow its time zone
        utc = f"make_timestamp(epoch_us({expression}))"
        seconds = Atom(name, column, f"epoch_us({expression}) / 1e6", "numeric")
        parts = [
            Atom(
                f"{prefix}{name}",
                column,
                f"date_part('{part}', {utc})::bigint::varchar",
                "category",
            )
            for prefix, part in TIMESTAMP_PARTS
        ]
        return [seconds, *parts]
    if kind.id == "struct":
        found = []
        for child, child_kind in kind.children:
            inner = f"struct_extract({expression}, {string(child)})"
            found += _expand(model, f"{name}_{child}", column, inner, child_kind, lengths)
        return found
    if kind.id in ("list", "array"):
        return _expand_list(model, name, column, expression, kind, lengths)
    raise InputError(
        f"CREATE MODEL {model}: column {column} has type {kind}, which is no feature; accepted are "
        "numbers, BOOLEAN, VARCHAR, BLOB, DATE, TIME, TIMESTAMP, UUID, ENUM, and STRUCTs and lists "
        "of these. Leave it out of the query or convert it."
    )


def _expand_list(
    model: str, name: str, column: str, expression: str, kind: Any, lengths: dict[str, int]
) -> list[Atom]:
    element = kind.children[0][1]
    if element.id == "struct" and [child for child, _ in element.children] == ["index", "value"]:
        return [Atom(name, column, expression, "sparse")]
    if element.id in NUMBERS:
        size = kind.children[1][1] if kind.id == "array" else lengths.get(column, 0)
        return [
            Atom(f"{name}_{i}", column, f"({expression})[{i + 1}]::double", "numeric")
            for i in range(int(size))
        ]
    if element.id in CATEGORIES:
        return [Atom(name, column, f"({expression})::varchar[]", "multi_hot")]
    raise InputError(
        f"CREATE MODEL {model}: column {column} has type {kind}; of lists, those of numbers, of "
        "categories and of STRUCT(index, value) are accepted."
    )
