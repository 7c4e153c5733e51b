"""NIST Statistical Reference Datasets, linear least squares, as decimal strings.

The numbers are those of the seed `nist`, whose README.md says where they come from. They stay
strings where a test solves a problem again in exact arithmetic: it confirms the certified values
(test_nist.py), so a slip in copying would show.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SEED = Path(__file__).resolve().parents[2] / "seeds" / "nist"


@dataclass(frozen=True)
class Nist:
    """One problem: y on the powers of x, or on the columns given.

    Attributes:
        columns: Predictors without the intercept; decimal strings.
        degree: 0 to take the columns as they are, else the powers 1 to degree of the only one.
        has_intercept: Whether the model has one.
        estimate: Certified coefficients, the intercept (if any) first.
        standard_error: Certified standard errors in the same order.
        residual_sd: Certified residual standard deviation.
        r_squared: Certified; around 0 where there is no intercept.
    """

    y: tuple[str, ...]
    columns: tuple[tuple[str, ...], ...]
    degree: int
    has_intercept: bool
    estimate: tuple[str, ...]
    standard_error: tuple[str, ...]
    residual_sd: str
    r_squared: str


def _rows(table: str) -> Iterator[dict[str, str]]:
    with (SEED / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _read(name: str, degree: str, has_intercept: str) -> Nist:
    rows = [row for row in _rows("linear") if row["dataset"] == name]
    certified = {r["quantity"]: r["value"] for r in _rows("certified") if r["dataset"] == name}
    weights = [key for key in certified if f"{key}_standard_error" in certified]
    return Nist(
        tuple(row["y"] for row in rows),
        tuple(tuple(row[x] for row in rows) for x in rows[0] if x.startswith("x") and rows[0][x]),
        int(degree or 0),
        has_intercept == "true",
        tuple(certified[key] for key in weights),
        tuple(certified[f"{key}_standard_error"] for key in weights),
        certified["residual_sd"],
        certified["r_squared"],
    )


NIST = {
    row["dataset"]: _read(row["dataset"], row["polynomial_degree"], row["has_intercept"])
    for row in _rows("datasets")
    if row["collection"] == "linear"
}
