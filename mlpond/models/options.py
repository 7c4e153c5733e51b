"""Options of CREATE MODEL: which there are, their types and defaults, and the check of them.

Names, types and defaults are BigQuery ML's; those marked ours go beyond it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlpond.errors import InputError
from mlpond.sql.dialect.values import Call
from mlpond.sql.templates.renderer import unknown


@dataclass(frozen=True)
class Option:
    """One option: its type and what values it accepts."""

    name: str
    type: str  # string, float, integer, boolean, column, label, class_weights, cloud
    default: Any = None
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    open_low: bool = False  # whether `low` itself is out


_SPLITS = ("AUTO_SPLIT", "RANDOM", "CUSTOM", "SEQ", "NO_SPLIT")
_CLOUD = (
    "kms_key_name", "model_registry", "vertex_ai_model_id", "vertex_ai_model_version_aliases",
)  # fmt: skip
_TUNING = (
    "num_trials", "max_parallel_trials", "hparam_tuning_algorithm", "hparam_tuning_objectives",
    "data_split_test_fraction",
)  # fmt: skip

SHARED = (
    Option("model_type", "string"),
    Option("input_label_cols", "label", ["label"]),
    Option("data_split_method", "string", "AUTO_SPLIT", _SPLITS),
    Option("data_split_eval_fraction", "float", 0.2, low=0.0, high=1.0),
    Option("data_split_col", "column"),
    Option("max_iterations", "integer", 20, low=1),
    Option("early_stop", "boolean", True),
    Option("min_rel_progress", "float", None, low=0.0),
    Option("warm_start", "boolean", False),
    Option("enable_global_explain", "boolean", False),
    Option("description", "string"),
    Option("labels", "labels"),
    Option("seed", "integer", 0),  # ours: chooses the rows of a random split
    *(Option(name, "cloud") for name in _CLOUD),
    *(Option(name, "tuning") for name in _TUNING),
)

LINEAR = (
    Option("optimize_strategy", "string", "AUTO_STRATEGY",
           ("AUTO_STRATEGY", "BATCH_GRADIENT_DESCENT", "NORMAL_EQUATION")),
    Option("learn_rate_strategy", "string", "LINE_SEARCH", ("LINE_SEARCH", "CONSTANT")),
    Option("learn_rate", "float", None, low=0.0, open_low=True),
    Option("ls_init_learn_rate", "float", None, low=0.0, open_low=True),
    Option("calculate_p_values", "boolean", False),
    Option("fit_intercept", "boolean", True),
    Option("category_encoding_method", "string", "ONE_HOT_ENCODING",
           ("ONE_HOT_ENCODING", "DUMMY_ENCODING")),
    Option("l1_reg", "float", 0.0, low=0.0),
    Option("l2_reg", "float", 0.0, low=0.0),
)  # fmt: skip

CLASSES = (
    Option("auto_class_weights", "boolean", False),
    Option("class_weights", "class_weights"),
)

MODEL_TYPES: dict[str, tuple[Option, ...]] = {
    "LINEAR_REG": SHARED + LINEAR,
    "LOGISTIC_REG": SHARED + LINEAR + CLASSES,
}


@dataclass(frozen=True)
class Options:
    """Checked options: every accepted name has its value or its default."""

    model_type: str
    values: Mapping[str, Any]
    given: frozenset[str]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def label(self) -> str:
        """The name of the label column."""
        return str(self.values["input_label_cols"][0])


def check_options(model: str, given: Mapping[str, Any]) -> Options:
    """Check the options of a CREATE MODEL statement.

    Raises:
        InputError: an option is unknown, of the wrong type, out of range, or contradicts another.
    """
    who = f"CREATE MODEL {model}"
    kind = given.get("model_type")
    accepted = [name.lower() for name in MODEL_TYPES]
    if kind is None:
        raise InputError(
            f"{who}: option model_type is missing; accepted are {', '.join(accepted)}."
        )
    if not isinstance(kind, str) or kind.upper() not in MODEL_TYPES:
        raise InputError(unknown(f"{who}: model_type", str(kind), accepted))
    specs = {option.name: option for option in MODEL_TYPES[kind.upper()]}
    values = {option.name: option.default for option in specs.values()}
    for name, value in given.items():
        if name not in specs:
            raise InputError(unknown(f"{who}: option", name, sorted(specs)))
        values[name] = _check(who, specs[name], value)
    options = Options(kind.upper(), values, frozenset(given))
    _check_together(who, options)
    return options


def _check(who: str, option: Option, value: Any) -> Any:
    if isinstance(value, Call):
        raise InputError(
            f"{who}: option {option.name} is {value.name}(…): hyperparameter tuning is not "
            "available in this version; give one value."
        )
    if option.type == "tuning":
        raise InputError(
            f"{who}: option {option.name} belongs to hyperparameter tuning, which is not "
            "available in this version; leave it out."
        )
    if option.type == "cloud":
        warnings.warn(
            f"{who}: option {option.name} concerns Google Cloud only and is ignored.", stacklevel=6
        )
        return value
    checked = _typed(option, value)
    if checked is None:
        raise InputError(
            f"{who}: option {option.name} is {value!r}; it must be {_expected(option)}."
        )
    return checked


def _typed(option: Option, value: Any) -> Any:
    """Return the value in its option's type, or None if it does not fit."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    kind = option.type
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if kind in ("string", "column"):
        if not isinstance(value, str) or not value:
            return None
        if option.choices:
            return value.upper() if value.upper() in option.choices else None
        return value
    if kind in ("float", "integer") and number:
        if kind == "integer" and not float(value).is_integer():
            return None
        if option.low is not None and (
            value < option.low or (option.open_low and value == option.low)
        ):
            return None
        if option.high is not None and value > option.high:
            return None
        return int(value) if kind == "integer" else float(value)
    if kind == "label":
        if isinstance(value, str):
            value = [value]
        one = isinstance(value, list) and len(value) == 1 and isinstance(value[0], str)
        return value if one else None
    if kind == "labels":
        return value if isinstance(value, list) else None
    if kind == "class_weights":
        return _class_weights(value)
    return None


def _class_weights(value: Any) -> list[tuple[str, float]] | None:
    if not isinstance(value, list) or not value:
        return None
    weights = []
    for pair in value:
        if isinstance(pair, dict):
            pair = tuple(pair.values())
        if not isinstance(pair, tuple) or len(pair) != 2:
            return None
        label, weight = pair
        if isinstance(weight, bool) or not isinstance(weight, int | float) or weight < 0:
            return None
        text = str(label).lower() if isinstance(label, bool) else str(label)
        weights.append((text, float(weight)))
    return weights


def _expected(option: Option) -> str:
    if option.choices:
        return "one of " + ", ".join(option.choices)
    above = "above" if option.open_low else "of at least"
    limits = ""
    if option.low is not None:
        limits = f" {above} {option.low:g}"
    if option.high is not None:
        limits += f" and at most {option.high:g}"
    return {
        "boolean": "TRUE or FALSE",
        "string": "a string",
        "column": "the name of a column, as a string",
        "float": f"a number{limits}",
        "integer": f"an integer{limits}",
        "label": "an array with the name of one column, such as ['label']",
        "labels": "an array of (key, value) structs",
        "class_weights": "an array of (label, weight) structs with weights of at least 0",
    }[option.type]


def _check_together(who: str, options: Options) -> None:
    values = options.values

    def refuse(message: str) -> None:
        raise InputError(f"{who}: {message}")

    split, column = values["data_split_method"], values["data_split_col"]
    if split in ("CUSTOM", "SEQ") and column is None:
        refuse(f"data_split_method {split} needs the option data_split_col; name the column.")
    if split not in ("CUSTOM", "SEQ") and column is not None:
        refuse(f"data_split_col is given, but data_split_method is {split}; use CUSTOM or SEQ.")
    if values["learn_rate"] is not None and values["learn_rate_strategy"] == "LINE_SEARCH":
        refuse(
            "learn_rate is for learn_rate_strategy = 'CONSTANT'; with LINE_SEARCH set "
            "ls_init_learn_rate instead."
        )
    strategy = values["optimize_strategy"]
    if strategy == "NORMAL_EQUATION":
        if options.model_type != "LINEAR_REG":
            refuse("optimize_strategy NORMAL_EQUATION is for linear_reg only.")
        if values["l1_reg"] > 0 or values["warm_start"]:
            refuse("optimize_strategy NORMAL_EQUATION excludes l1_reg and warm_start.")
    if values["calculate_p_values"]:
        if values["category_encoding_method"] != "DUMMY_ENCODING":
            refuse(
                "calculate_p_values needs category_encoding_method = 'DUMMY_ENCODING', so that "
                "the coefficients are identified."
            )
        if values["l1_reg"] > 0:
            refuse("calculate_p_values excludes l1_reg: its standard errors are not defined.")
    if values.get("auto_class_weights") and values.get("class_weights"):
        refuse("auto_class_weights and class_weights exclude each other; keep one of them.")
