"""Values and numbers as people read them."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import re
from collections.abc import Mapping

from mlpond.errors import InputError
from mlpond.sql.templates.renderer import unknown

MISSING = "—"
"""How NULL is shown."""
DIGITS = 4
"""Significant digits of a number with a fraction."""
LONGEST = 120
"""Characters of a text in a cell."""

_PLACE = re.compile(r"\{\{|\}\}|\{([A-Za-z_]\w*)(?::([^{}]*))?\}")
_UNITS = {
    "minutes": "min", "seconds": "s", "hours": "h", "days": "d", "years": "y", "ms": "ms",
    "g": "g", "kg": "kg", "mm": "mm", "cm": "cm", "um": "µm", "miles": "mi", "mph": "mph",
    "f": "°F", "c": "°C", "in": "in", "mb": "mbar", "percent": "%", "usd": "USD", "eur": "EUR",
}  # fmt: skip


def number(value: float) -> str:
    """A number with its thousands apart, to four significant digits if it has a fraction."""
    if isinstance(value, int):
        return f"{value:,}".replace("-", "−")
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "NaN")
    size = abs(value)
    if value == 0:
        return "0"
    if size >= 1e15 or size < 1e-4:
        return f"{value:.{DIGITS - 1}g}".replace("-", "−")
    if size >= 1000:
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:.{DIGITS}g}".replace("-", "−")


def show(value: object) -> str:
    """A value of any type in a cell."""
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, decimal.Decimal):
        value = int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, dt.datetime):
        return moment(value)
    if isinstance(value, dict):
        text = ", ".join(f"{key}: {show(item)}" for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        text = "; ".join(map(show, value))
    else:
        text = str(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def moment(value: dt.datetime) -> str:
    """A moment to the minute, or to the second where it has seconds."""
    return f"{value:%Y-%m-%d %H:%M:%S}" if value.second else f"{value:%Y-%m-%d %H:%M}"


def duration(seconds: float) -> str:
    """A time span in the unit that suits it."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def count(n: int, noun: str) -> str:
    """A number of things: 1 row, 2 rows."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def listing(items: list[str]) -> str:
    """Items as a sentence has them: a, b and c."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def unit(column: str) -> str:
    """The unit that a column's name ends with, such as min for delay_minutes; empty if none."""
    head, _, last = column.lower().rpartition("_")
    return _UNITS.get(last, "") if head else ""


def fill(text: str, values: Mapping[str, object], where: str) -> str:
    """Put values for ``{name}`` and ``{name:.3f}``; ``{{`` and ``}}`` are braces.

    Raises:
        InputError: a name is not among the values, or a format does not suit its value.
    """

    def place(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        name, spec = match[1], match[2]
        if name not in values:
            raise InputError(unknown(f"report: {where}: name", name, list(values)))
        value = values[name]
        if value is None or spec is None:
            return show(value)
        try:
            text = format(value, spec)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"report: {where}: {match[0]} cannot show {value!r}: {error}; "
                "write a format as in Python, such as {share:.3f} or {n:,}."
            ) from error
        return text.replace("-", "−", 1) if text[:1] == "-" else text

    return _PLACE.sub(place, text)
