"""What the values of a column are, by the name of its type; ``sql/core/types.j2`` in Python."""

from __future__ import annotations

import re

_WHOLE = r"U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|BIGNUM"
_NUMBER = re.compile(rf"{_WHOLE}|FLOAT|DOUBLE|DECIMAL\([0-9]+,[0-9]+\)")
_TIME = re.compile(r"DATE|TIMESTAMP(TZ)?(_S|_MS|_NS)?( WITH TIME ZONE)?")


def is_number(type_: str) -> bool:
    """Whether a value is one number: no list of them, and no interval."""
    return _NUMBER.fullmatch(type_) is not None


def is_whole(type_: str) -> bool:
    """Whether a value is a whole number."""
    return re.fullmatch(_WHOLE, type_) is not None


def is_time(type_: str) -> bool:
    """Whether a value is a date or a moment."""
    return _TIME.fullmatch(type_) is not None
