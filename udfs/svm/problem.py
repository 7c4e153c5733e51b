"""The primal problem of a linear machine: columns, loss and penalty, and the way to its Fit.

Throughout: theta (1, p + 1), the weights of the standardised columns with the intercept last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

from mlpond.udfs.design import Array, Block, BoolArray, Layout
from mlpond.udfs.linear.fit import Fit, FitWarning, Iteration, Moments, Scaling
from mlpond.udfs.svm.fit import Options
from mlpond.udfs.svm.sums import Sums


@dataclass(frozen=True)
class SvmFit(Fit):
    """A linear machine.

    Attributes:
        widths: Of the smooth hinge at the end, one a weight vector: alpha of a row follows from it.
    """

    widths: tuple[float, ...] = ()


@dataclass(frozen=True)
class Problem:
    """What is minimised.

    Attributes:
        layout: The columns.
        moments: Of the training rows.
        options: Loss and penalty.
    """

    layout: Layout
    moments: Moments
    options: Options

    @cached_property
    def scaling(self) -> Scaling:
        """From raw to standardised columns."""
        return Scaling.of(self.layout, self.moments, self.options.fit_intercept)

    @cached_property
    def varying(self) -> BoolArray:
        """Which coefficients may differ from 0, shape (p + 1,)."""
        return self.moments.varying(self.layout, self.options.fit_intercept)

    def of_share(self, share: float) -> Problem:
        """The same problem on a share of the rows, its penalty in proportion."""
        return replace(self, options=replace(self.options, l2_reg=share * self.options.l2_reg))

    def scores(self, block: Block, theta: Array) -> Array:
        """z = X w + intercept, shape (n,)."""
        w = theta[0, :-1] / self.scaling.scale
        return block.matvec(self.layout, w, self.scaling.shift) + float(theta[0, -1])

    def penalty(self, theta: Array) -> float:
        """The part of the objective that is no loss."""
        w = theta[0, :-1]
        return self.options.l2_reg / 2 * float(w @ w)

    def check_sums(self, rows: int, weight: float, loss: float) -> None:
        """Raise unless the sums of a pass can be used."""
        if rows == 0 or not weight > 0:
            raise ValueError("svm: there are no training rows; pass at least one.")
        if not math.isfinite(loss):
            raise ValueError(
                "svm: the sum of losses is not finite. A feature, label or weight holds NaN or "
                "infinity, or is too large."
            )

    def fit(
        self,
        theta: Array,
        sums: Sums,
        constant: tuple[int, ...],
        log: tuple[Iteration, ...],
        converged: bool,
        passes: int,
        width: float,
    ) -> SvmFit:
        """The Fit of theta, at which the sums were taken."""
        w, intercept = theta[:, :-1], theta[:, -1]
        raw, raw_intercept = self.scaling.to_raw(w, intercept)
        warnings = [
            FitWarning("constant", (j,), f"column {j} has one value; its weight is 0")
            for j in constant
        ]
        if not converged:
            said = f"the margin was still moving after {len(log)} passes; raise max_iterations"
            warnings.append(FitWarning("not_converged", (), said))
        return SvmFit(
            coefficients=raw, intercept=raw_intercept, standardised=w,
            standardised_intercept=intercept, rows=sums.rows, weight=sums.weight,
            loss=sums.exact / sums.weight, objective=sums.exact + self.penalty(theta),
            iterations=log, converged=converged, condition_number=math.nan,
            warnings=tuple(warnings), inference=None, passes=passes, widths=(width,),
        )  # fmt: skip
