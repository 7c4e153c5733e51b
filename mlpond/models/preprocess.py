"""The preprocessing functions of TRANSFORM: what each learns, and its SQL with that in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mlpond.engine import Engine
from mlpond.errors import StatementError
from mlpond.sql.templates.quoting import double, string


@dataclass(frozen=True)
class Learnt:
    """What a call learnt from the training rows: numbers, and categories by their index."""

    numbers: dict[str, float | None]
    categories: tuple[tuple[int, str], ...] = ()
    dropped: str | None = None


@dataclass(frozen=True)
class Setting:
    """A constant argument behind the first one."""

    name: str
    default: Any
    accepts: Callable[[Any], bool]
    expected: str


@dataclass(frozen=True)
class Function:
    """A preprocessing function: how it is fitted and how it is written."""

    name: str
    settings: tuple[Setting, ...]
    fit: Callable[[Engine, str, str, tuple[Any, ...]], Learnt]
    sql: Callable[[str, Learnt], str]

    @property
    def usage(self) -> str:
        """The form of a call, for messages."""
        optional = "".join(f" [, {setting.name}]" for setting in self.settings)
        return f"(x{optional})"

    def check(self, who: str, given: tuple[Any, ...]) -> tuple[Any, ...]:
        """Check the settings and fill in defaults."""
        values = []
        for position, setting in enumerate(self.settings):
            value = given[position] if position < len(given) else setting.default
            if not setting.accepts(value):
                raise StatementError(
                    f"{who}: ML.{self.name}: {setting.name} is {value!r}; "
                    f"it must be {setting.expected}."
                )
            values.append(value)
        return tuple(values)


def _fit_standard_scaler(
    engine: Engine, source: str, argument: str, settings: tuple[Any, ...]
) -> Learnt:
    mean, stddev = engine.row(
        f"select avg(({argument})::double), stddev_samp(({argument})::double) from {source}"
    )
    return Learnt({"mean": mean, "stddev": stddev})


def _standard_scaler_sql(argument: str, learnt: Learnt) -> str:
    mean, stddev = learnt.numbers["mean"], learnt.numbers["stddev"]
    if mean is None:  # no value at all
        return "NULL::double"
    # a column that never varies has nothing to scale; it becomes 0, and NULL stays NULL
    scale = double(1.0 / stddev) if stddev else "0e0"
    return f"((({argument})::double - {double(mean)}) * {scale})"


def _fit_one_hot_encoder(
    engine: Engine, source: str, argument: str, settings: tuple[Any, ...]
) -> Learnt:
    drop, top_k, threshold = settings
    counts = engine.rows(
        f"select ({argument})::varchar as category, count(*) as n from {source} "
        "where category is not null group by category order by n desc, category"
    )
    kept = [row for row in counts if row[1] >= threshold][:top_k]
    dropped = kept[0][0] if drop == "most_frequent" and kept else None
    ordered = sorted(row[0] for row in kept)
    return Learnt({}, tuple(enumerate(ordered, start=1)), dropped)


def _one_hot_encoder_sql(argument: str, learnt: Learnt) -> str:
    if not learnt.categories:
        return "[{'index': 0::bigint, 'value': 1e0}]"
    names = ", ".join(string(text) for _, text in learnt.categories)
    # an ENUM numbers its values from 0, and a value outside it is NULL: index 0
    code = f"coalesce(enum_code(try_cast(({argument})::varchar as enum({names})))::bigint + 1, 0)"
    value = "1e0"
    if learnt.dropped is not None:
        value = f"case when ({argument})::varchar = {string(learnt.dropped)} then 0e0 else 1e0 end"
    return f"[{{'index': {code}, 'value': {value}}}]"


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


FUNCTIONS = {
    function.name: function
    for function in (
        Function("STANDARD_SCALER", (), _fit_standard_scaler, _standard_scaler_sql),
        Function(
            "ONE_HOT_ENCODER",
            (
                Setting(
                    "drop",
                    "none",
                    lambda v: v in ("none", "most_frequent"),
                    "'none' or 'most_frequent'",
                ),
                Setting(
                    "top_k", 32_000, lambda v: _is_count(v) and v >= 1, "an integer of at least 1"
                ),
                Setting("frequency_threshold", 5, _is_count, "an integer of at least 0"),
            ),
            _fit_one_hot_encoder,
            _one_hot_encoder_sql,
        ),
    )
}
