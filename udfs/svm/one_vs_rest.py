"""One machine a class against all others, trained side by side in the same passes.

Throughout: K classes, class k a problem of its own whose label is 1 for its rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlpond.udfs.design import Block
from mlpond.udfs.linear.fit import Iteration
from mlpond.udfs.svm.problem import SvmFit
from mlpond.udfs.trainer import Pass


@dataclass(frozen=True)
class OneVsRest:
    """A pass of every problem that is not done yet.

    Attributes:
        problems: A pass or, once it is done, an SvmFit for each class.
        passes: This one included.
    """

    problems: tuple[Any, ...]
    passes: int = 1

    @property
    def sample(self) -> float | None:
        """All problems want the same; they begin together."""
        share: float | None = next(p for p in self.problems if isinstance(p, Pass)).sample
        return share

    @property
    def evaluation(self) -> OneVsRest | None:
        """The evaluations of all, if they have any."""
        judges = tuple(p.evaluation if isinstance(p, Pass) else None for p in self.problems)
        return None if all(judge is None for judge in judges) else replace(self, problems=judges)

    def start(self) -> list[Any]:
        """No rows."""
        return [p.start() if isinstance(p, Pass) else None for p in self.problems]

    def step(self, state: list[Any], block: Block) -> list[Any]:
        """Add a block."""
        for k, problem in enumerate(self.problems):
            if isinstance(problem, Pass):
                own = replace(block, y=(block.y == k).astype(np.float64))
                state[k] = problem.step(state[k], own)
        return state

    def merge(self, a: list[Any], b: list[Any]) -> list[Any]:
        """Merge the states of every problem."""
        return [
            p.merge(x, y) if isinstance(p, Pass) else None
            for p, x, y in zip(self.problems, a, b, strict=True)
        ]

    def finish(self, state: list[Any], evaluation: list[Any] | None = None) -> OneVsRest | SvmFit:
        """The next passes, or the fits side by side."""
        judged = evaluation or [None] * len(state)
        onwards: tuple[Any, ...] = tuple(
            p.finish(s, e) if isinstance(p, Pass) else p
            for p, s, e in zip(self.problems, state, judged, strict=True)
        )
        if any(isinstance(p, Pass) for p in onwards):
            return OneVsRest(onwards, self.passes + 1)
        return _side_by_side(onwards, self.passes)


def _side_by_side(fits: tuple[SvmFit, ...], passes: int) -> SvmFit:
    """One fit with a row of weights a class; losses are means over the classes."""
    longest = max(len(fit.iterations) for fit in fits)
    log = []
    for i in range(longest):
        # a problem that is done stays where it ended
        at = [fit.iterations[min(i, len(fit.iterations) - 1)] for fit in fits]
        held_out = [entry.eval_loss for entry in at if entry.eval_loss is not None]
        log.append(
            Iteration(
                i,
                float(np.mean([entry.loss for entry in at])),
                float(np.mean(held_out)) if held_out else None,
            )
        )
    said = {warning.message: warning for fit in fits for warning in fit.warnings}
    return replace(
        fits[0],
        coefficients=np.vstack([fit.coefficients for fit in fits]),
        intercept=np.concatenate([fit.intercept for fit in fits]),
        standardised=np.vstack([fit.standardised for fit in fits]),
        standardised_intercept=np.concatenate([fit.standardised_intercept for fit in fits]),
        loss=float(np.mean([fit.loss for fit in fits])),
        objective=float(np.sum([fit.objective for fit in fits])),
        iterations=tuple(log),
        converged=all(fit.converged for fit in fits),
        condition_number=max(fit.condition_number for fit in fits),
        warnings=tuple(said.values()),
        passes=passes,
        widths=tuple(width for fit in fits for width in fit.widths),
    )
