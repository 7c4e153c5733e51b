"""What goes into the fit of a support vector machine."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mlpond.udfs.svm.losses import Margin

LOSSES = ("HINGE", "SQUARED_HINGE")


@dataclass(frozen=True)
class Options:
    """How to fit; the names are those of the options of CREATE MODEL.

    Attributes:
        is_regression: Whether the label is a number.
        l2_reg: Weight of half the sum of squared weights; 1 / C in other libraries.
        loss: HINGE or SQUARED_HINGE, of what is beyond the margin.
        epsilon: Error that costs nothing, in units of the label; regression only.
        fit_intercept: Whether there is an intercept.
        max_iterations: Passes of a linear machine; None for as many as it takes.
    """

    is_regression: bool = False
    l2_reg: float = 1.0
    loss: str = "HINGE"
    epsilon: float = 0.1
    fit_intercept: bool = True
    max_iterations: int | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.l2_reg) and self.l2_reg > 0):
            raise ValueError(
                f"svm: l2_reg is {self.l2_reg}; pass a finite number above 0 (1 / C elsewhere)."
            )
        if self.loss not in LOSSES:
            raise ValueError(f"svm: loss is {self.loss!r}; pass one of {', '.join(LOSSES)}.")
        if not (math.isfinite(self.epsilon) and self.epsilon >= 0):
            raise ValueError(f"svm: epsilon is {self.epsilon}; pass a finite number, 0 or more.")

    @property
    def squared(self) -> bool:
        """Whether what is beyond the margin is squared."""
        return self.loss == "SQUARED_HINGE"

    @property
    def margin(self) -> Margin:
        """The loss."""
        return Margin(self.squared, self.epsilon if self.is_regression else None)
