"""One option of CREATE MODEL: what it is called and what it accepts; and those that types share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from mlpond.errors import InputError


@dataclass(frozen=True)
class Range:
    """Where tuning searches an option: BigQuery ML's default range."""

    low: float
    high: float
    log: bool = False  # whether ratios count, not differences
    open_low: bool = False  # whether `low` itself is out


@dataclass(frozen=True)
class Option:
    """One option: its type and what values it accepts."""

    name: str
    type: str  # string, float, integer, boolean, column, names, label, class_weights, shares, …
    default: Any = None
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    open_low: bool = False  # whether `low` itself is out
    tune: Range | None = None  # where tuning searches if no option says where


def refuse(who: str, message: str) -> NoReturn:
    """Raise an InputError of a statement."""
    raise InputError(f"{who}: {message}")


_SPLITS = ("AUTO_SPLIT", "RANDOM", "CUSTOM", "SEQ", "NO_SPLIT")
_CLOUD = (
    "kms_key_name", "model_registry", "vertex_ai_model_id", "vertex_ai_model_version_aliases",
)  # fmt: skip
ALGORITHMS = ("VIZIER_DEFAULT", "RANDOM_SEARCH", "GRID_SEARCH")
FOLD_METHODS = ("RANDOM", "STRATIFIED", "GROUPED", "ROLLING_ORIGIN", "CUSTOM")
_VALIDATION = (
    Option("num_trials", "integer", low=1, high=100),
    Option("max_parallel_trials", "integer", 1, low=1, high=5),
    Option("hparam_tuning_algorithm", "string", "VIZIER_DEFAULT", ALGORITHMS),
    Option("hparam_tuning_objectives", "objective"),
    Option("data_split_test_fraction", "float", 0.0, low=0.0, high=1.0),
    # ours
    Option("tuning_folds", "integer", low=2),
    Option("cross_validation", "integer", low=2),
    Option("fold_method", "string", None, FOLD_METHODS),
    Option("fold_col", "column"),
    Option("learning_curve", "shares"),
)

VALIDATION_OPTIONS = frozenset(option.name for option in _VALIDATION)

SHARED = (
    Option("model_type", "string"),
    Option("data_split_method", "string", "AUTO_SPLIT", _SPLITS),
    Option("data_split_eval_fraction", "float", 0.2, low=0.0, high=1.0),
    Option("data_split_col", "column"),
    Option("max_iterations", "integer", 20, low=1),
    Option("early_stop", "boolean", True),
    Option("min_rel_progress", "float", None, low=0.0),
    Option("description", "string"),
    Option("labels", "labels"),
    Option("seed", "integer", 0),  # ours: chooses the rows of a random split
    Option("group_cols", "names"),  # ours: a model for every group of rows
    *(Option(name, "cloud") for name in _CLOUD),
    *_VALIDATION,
)

# What supervised models have besides.
LABELLED = (
    Option("input_label_cols", "label", ["label"]),
    Option("enable_global_explain", "boolean", False),
)

# What models have that take a weight a row; ours for all but the boosted trees.
WEIGHTED = (Option("instance_weight_col", "column"),)

# What classifiers have besides; ours.
CALIBRATED = (Option("calibration_method", "string", None, ("PLATT", "ISOTONIC", "TEMPERATURE")),)

# What those have besides whose rows weigh by their class.
CLASSES = (
    Option("auto_class_weights", "boolean", False),
    Option("class_weights", "class_weights"),
    *CALIBRATED,
)
