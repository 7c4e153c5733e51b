"""What a fit tells the user about the data; column j of the design is called "column j"."""

from __future__ import annotations

import math
from collections.abc import Iterable

from mlpond.udfs.linear.fit import FitWarning, Options
from mlpond.udfs.linear.solve import COLLINEAR, Solution

NAMED = 5  # columns that a message lists


def constant_warnings(columns: Iterable[int]) -> list[FitWarning]:
    """One for each column that does not vary."""
    return [
        FitWarning("constant", (int(j),), f"column {j} does not vary; its weight is 0.")
        for j in columns
    ]


def dependence_warnings(solution: Solution, options: Options) -> list[FitWarning]:
    """One for each group of dependent columns; a penalty makes the answer unique and stable."""
    if options.l1_reg > 0 or options.l2_reg > 0:
        return []
    return [_dependent(group, solution) for group in solution.dependent]


def _dependent(group: tuple[int, ...], solution: Solution) -> FitWarning:
    names = _names(group)
    if solution.is_singular:
        return FitWarning(
            "singular",
            group,
            f"{names} are linearly dependent, or there are fewer rows than columns: no single "
            "answer exists. The shortest of all weights is given. Drop a column, or set l2_reg "
            "above 0.",
        )
    condition = solution.condition_number
    digits = max(0, round(16 - math.log10(condition)))
    return FitWarning(
        "collinear",
        group,
        f"{names} are nearly dependent (condition number {condition:.1e}, above "
        f"{COLLINEAR:.0e}): about {digits} digits of their weights are certain. Drop a column, or "
        "set l2_reg above 0.",
    )


def separated(columns: tuple[int, ...]) -> FitWarning:
    """The classes are told apart without error."""
    named = columns[:NAMED]
    names = _names(named) if columns else "the intercept"
    if len(columns) > NAMED:
        names += f" and {len(columns) - NAMED} more"
    tells = "tells" if len(columns) < 2 else "tell"
    return FitWarning(
        "separation",
        columns,
        f"{names} {tells} the labels apart without error on some rows, so that the best weight is "
        "infinite; the one given is where the fit was stopped, and has no standard error. Set "
        "l2_reg above 0, and look for a feature that gives the label away.",
    )


def not_converged(options: Options, done: int) -> FitWarning:
    """The fit ran out of iterations."""
    advice = "raise max_iterations, or set l2_reg above 0"
    if options.descends:
        advice = "raise max_iterations, or use optimize_strategy = 'AUTO_STRATEGY'"
    return FitWarning(
        "not_converged",
        (),
        f"the fit stopped after {done} iterations, before the optimum; {advice}.",
    )


def _names(columns: tuple[int, ...]) -> str:
    return ", ".join(f"column {j}" for j in columns)
