"""The space of hyperparameters: intervals and lists of values.

A point is a tuple of values, one for each parameter. For a search every parameter is a coordinate
u in [0, 1]; for distances between points a list of texts becomes one coordinate a text.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlpond.udfs.design import Array

LEAST = 1e-14  # where a logarithmic interval begins that is given from 0
Point = tuple[Any, ...]


@dataclass(frozen=True)
class Interval:
    """Numbers from low to high.

    Attributes:
        name: Of the parameter.
        low: Least value; 0 means ``LEAST`` if ``log``.
        high: Greatest value.
        log: Whether ratios count, not differences.
        integer: Whether only integers are meant.
        open_low: Whether low itself is out.
    """

    name: str
    low: float
    high: float
    log: bool = False
    integer: bool = False
    open_low: bool = False

    @property
    def size(self) -> float:
        """How many values there are."""
        if not self.integer:
            return math.inf if self.high > self.low else 1
        return math.floor(self.high) - math.ceil(self.low) + 1

    def value(self, u: float) -> float | int:
        """The value at u in [0, 1]."""
        low, high = self._ends()
        if self.integer and not self.log:
            return int(min(low + math.floor(u * (high - low + 1)), high))
        if self.log:
            low, high = math.log(low), math.log(high)
        value = low + u * (high - low)
        value = min(max(math.exp(value), self._ends()[0]), self.high) if self.log else value
        return round(value) if self.integer else value

    def coordinates(self, value: Any) -> list[float]:
        """The inverse of ``value``, as the one coordinate for distances."""
        low, high = self._ends()
        if high == low:
            return [0.0]
        if self.log:
            return [math.log(max(value, low) / low) / math.log(high / low)]
        return [(value - low) / (high - low)]

    def unit(self, value: Any) -> float:
        """A u with ``self.value(u) == value``, up to rounding."""
        (u,) = self.coordinates(value)
        if self.integer and not self.log:
            return (u * (self.size - 1) + 0.5) / self.size
        return u

    def holds(self, value: Any) -> bool:
        """Whether a value lies in the interval; 0 does not if the interval is logarithmic."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        low, high = self._ends()
        return low <= value <= high and not (self.open_low and value == self.low)

    def grid(self, points: int) -> list[Any]:
        """So many values, evenly spaced."""
        skip = 1 if self.open_low and not self.log else 0
        if self.integer and not self.log:
            points = min(points, int(self.size))
            u = np.linspace(0.0, 1.0, points + skip)[skip:] if points > 1 else np.array([0.5])
            low, high = self._ends()
            return _distinct(round(low + v * (high - low)) for v in u.tolist())
        u = np.linspace(0.0, 1.0, points + skip)[skip:] if points > 1 else np.array([0.5])
        return _distinct(self.value(v) for v in u.tolist())

    def _ends(self) -> tuple[float, float]:
        low = LEAST if self.log and self.low <= 0 else self.low
        return (math.ceil(low), math.floor(self.high)) if self.integer else (low, self.high)


@dataclass(frozen=True)
class Choice:
    """A list of values; numbers are ordered, texts are not."""

    name: str
    values: tuple[Any, ...]

    @property
    def size(self) -> float:
        """How many values there are."""
        return len(self.values)

    def value(self, u: float) -> Any:
        """The value at u in [0, 1]."""
        return self.values[min(int(u * len(self.values)), len(self.values) - 1)]

    def coordinates(self, value: Any) -> list[float]:
        """Where it stands among numbers; for others one coordinate a value, all 1 apart."""
        if all(_is_number(v) for v in self.values):
            at = sorted(self.values).index(value)
            return [at / max(len(self.values) - 1, 1)]
        return [math.sqrt(0.5) * (value == v) for v in self.values]

    def unit(self, value: Any) -> float:
        """A u with ``self.value(u) == value``."""
        return (self.values.index(value) + 0.5) / len(self.values)

    def holds(self, value: Any) -> bool:
        """Whether a value is one of the list."""
        return any(value == v and type(value) is type(v) for v in self.values)

    def grid(self, points: int) -> list[Any]:
        """All the values."""
        return list(self.values)


@dataclass(frozen=True)
class Space:
    """The parameters that are searched, at least one."""

    parameters: tuple[Interval | Choice, ...]

    @property
    def size(self) -> float:
        """How many points there are."""
        return math.prod(parameter.size for parameter in self.parameters)

    def holds(self, point: Point) -> bool:
        """Whether every value is one of its parameter."""
        return all(p.holds(value) for p, value in zip(self.parameters, point, strict=True))

    def point(self, u: Array) -> Point:
        """The point at u in [0, 1]^d, shape (d,)."""
        return tuple(p.value(float(v)) for p, v in zip(self.parameters, u, strict=True))

    def unit(self, point: Point) -> Array:
        """A u in [0, 1]^d that ``point`` sends to the point, or near it, shape (d,)."""
        return np.array([p.unit(v) for p, v in zip(self.parameters, point, strict=True)])

    def coordinates(self, points: list[Point]) -> Array:
        """Where points lie for distances, shape (points, coordinates)."""
        rows = [
            [
                c
                for p, value in zip(self.parameters, point, strict=True)
                for c in p.coordinates(value)
            ]
            for point in points
        ]
        return np.array(rows, dtype=np.float64)

    def grid(self, most: int) -> list[Point]:
        """The points of the finest even grid of at most ``most``, the last parameter fastest.

        Lists have all their values even if that is more.
        """
        listed = math.prod(len(p.values) for p in self.parameters if isinstance(p, Choice))
        intervals = sum(isinstance(p, Interval) for p in self.parameters)
        each = 1
        while intervals and listed * (each + 1) ** intervals <= most:
            each += 1
        return list(itertools.product(*(p.grid(each) for p in self.parameters)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _distinct(values: Any) -> list[Any]:
    return list(dict.fromkeys(values))
