"""What tuning may optimise: the columns of ML.EVALUATE, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlpond.models.option import refuse
from mlpond.sql.templates.renderer import unknown

if TYPE_CHECKING:
    from mlpond.models.options import Options

REGRESSION = (
    "R2_SCORE", "EXPLAINED_VARIANCE", "MEDIAN_ABSOLUTE_ERROR", "MEAN_ABSOLUTE_ERROR",
    "MEAN_SQUARED_ERROR", "MEAN_SQUARED_LOG_ERROR",
)  # fmt: skip
CLASSIFICATION = ("ROC_AUC", "PRECISION", "RECALL", "ACCURACY", "F1_SCORE", "LOG_LOSS")
# Objectives of which more is better; of all others less is.
_GREATER = frozenset(CLASSIFICATION[:-1]) | {
    "R2_SCORE", "EXPLAINED_VARIANCE", "MEAN_AVERAGE_PRECISION",
    "NORMALIZED_DISCOUNTED_CUMULATIVE_GAIN", "TOTAL_EXPLAINED_VARIANCE_RATIO",
    "MEAN_LOG_LIKELIHOOD",
}  # fmt: skip


@dataclass(frozen=True)
class Objective:
    """One objective, by BigQuery ML's name."""

    name: str

    @property
    def column(self) -> str:
        """The column of ML.EVALUATE that it is."""
        return self.name.lower()

    def loss(self, value: float) -> float:
        """The value, turned so that less is better."""
        return -value if self.name in _GREATER else value


def objective_of(who: str, options: Options) -> Objective:
    """The objective that the options name, or the type's first."""
    family = options.family
    accepted = family.objectives(options) or {"number": REGRESSION, "class": CLASSIFICATION}.get(
        family.label, ()
    )
    if not accepted:
        refuse(who, f"{family.name} has no objective to tune for; leave num_trials out.")
    named = options["hparam_tuning_objectives"]
    if named is None:
        return Objective(accepted[0])
    name = str(named[0]).upper()
    if name not in accepted:
        refuse(
            who, unknown("hparam_tuning_objectives", str(named[0]), [a.lower() for a in accepted])
        )
    return Objective(name)
