"""Options of validation that depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpond.models.option import refuse
from mlpond.models.validation.objectives import objective_of

if TYPE_CHECKING:
    from mlpond.models.options import Options

_TUNING = (
    "max_parallel_trials", "hparam_tuning_algorithm", "hparam_tuning_objectives",
    "data_split_test_fraction", "tuning_folds",
)  # fmt: skip


def check_validation(who: str, options: Options) -> None:
    """Check the options of tuning, cross-validation and learning curves."""
    if options.space is None:
        for name in _TUNING:
            if name in options.given:
                refuse(who, f"option {name} belongs to tuning; add num_trials, or leave it out.")
    else:
        _check_tuning(who, options)
    folded = options["cross_validation"] is not None or options["tuning_folds"] is not None
    for name in ("fold_method", "fold_col"):
        if name in options.given and not folded:
            refuse(who, f"option {name} needs cross_validation = the number of folds; add it.")
    method = options["fold_method"]
    if method == "STRATIFIED" and options["fold_col"] is None and options.family.label != "class":
        refuse(who, "fold_method STRATIFIED needs fold_col, the column of the strata.")
    if method in ("GROUPED", "ROLLING_ORIGIN", "CUSTOM") and options["fold_col"] is None:
        refuse(who, f"fold_method {method} needs fold_col; name the column.")
    if method in (None, "RANDOM") and options["fold_col"] is not None:
        refuse(
            who, "fold_col needs fold_method STRATIFIED, GROUPED, ROLLING_ORIGIN or CUSTOM; add it."
        )


def _check_tuning(who: str, options: Options) -> None:
    objective_of(who, options)  # refuses unknown ones
    if options.values.get("warm_start"):
        refuse(who, "warm_start cannot be tuned with num_trials; leave one of them out.")
    test, evaluation = options["data_split_test_fraction"], options["data_split_eval_fraction"]
    if test + evaluation >= 1:
        refuse(
            who,
            f"data_split_eval_fraction {evaluation:g} and data_split_test_fraction {test:g} leave "
            "no rows to train on; their sum must be below 1.",
        )
