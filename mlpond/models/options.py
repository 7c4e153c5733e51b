"""Options of CREATE MODEL: which there are, their types and defaults, and the check of them.

Names, types and defaults are BigQuery ML's; those marked ours go beyond it.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlpond.errors import InputError
from mlpond.models.families import MODEL_TYPES, Family, find_family
from mlpond.models.option import VALIDATION_OPTIONS, Option, refuse
from mlpond.models.validation.check import check_validation
from mlpond.models.validation.space import check_space
from mlpond.sql.dialect.values import Call
from mlpond.sql.templates.renderer import unknown
from mlpond.udfs.tuning.space import Space


@dataclass(frozen=True)
class Options:
    """Checked options: every accepted name has its value or its default.

    Attributes:
        family: The model type.
        values: The values; of an option that is tuned one that it may take.
        given: Which options the statement names.
        space: Where tuning searches, or None.
    """

    family: Family
    values: Mapping[str, Any]
    given: frozenset[str]
    space: Space | None = None

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def model_type(self) -> str:
        """The model type in upper case."""
        return self.family.model_type

    @property
    def label(self) -> str | None:
        """The name of the label column; None for a model without a label."""
        found = self.values.get("input_label_cols")
        return str(found[0]) if found else None

    @property
    def columns(self) -> list[tuple[str, str]]:
        """(option, column) of the columns that options name: they are no features.

        A column by which folds are only stratified may be one.
        """
        feature = "fold_col" if self.values["fold_method"] == "STRATIFIED" else None
        found = [
            (option.name, str(self.values[option.name]))
            for option in self.family.accepted
            if option.type == "column" and option.name != feature
            and self.values[option.name] is not None
        ]  # fmt: skip
        return found + [("group_cols", name) for name in self.values["group_cols"] or ()]


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
    family = find_family(kind.upper())
    specs = {option.name: option for option in family.accepted}
    values = {option.name: option.default for option in specs.values()}
    tuned: dict[str, Call] = {}
    for name, value in given.items():
        if name not in specs:
            raise InputError(unknown(f"{who}: option", name, sorted(specs)))
        if isinstance(value, Call):
            tuned[name] = value
        else:
            values[name] = _check(who, specs[name], value)
    space = check_space(who, family, values, tuned, frozenset(given))
    options = Options(family, values, frozenset(given), space)
    _check_split(who, options)
    _check_groups(who, options)
    check_validation(who, options)
    family.check_options(who, options)
    return options


def _check(who: str, option: Option, value: Any) -> Any:
    if option.type == "cloud":
        warnings.warn(
            f"{who}: option {option.name} concerns Google Cloud only and is ignored.", stacklevel=6
        )
        return value
    return check_value(who, option, value)


def check_value(who: str, option: Option, value: Any) -> Any:
    """Return a value in its option's type.

    Raises:
        InputError: it does not fit.
    """
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
    if kind in ("label", "objective"):
        if isinstance(value, str):
            value = [value]
        one = isinstance(value, list) and len(value) == 1 and isinstance(value[0], str)
        return value if one else None
    if kind == "names":
        listed = isinstance(value, list) and all(isinstance(v, str) and v for v in value)
        return value if listed else None
    if kind == "labels":
        return value if isinstance(value, list) else None
    if kind == "class_weights":
        return _class_weights(value)
    if kind == "shares":
        return _shares(value)
    return None


def _shares(value: Any) -> list[float] | None:
    if not isinstance(value, list) or not value:
        return None
    if any(isinstance(v, bool) or not isinstance(v, int | float) for v in value):
        return None
    return sorted({float(v) for v in value}) if all(0 < v <= 1 for v in value) else None


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
        "names": "an array of names of columns, such as ['a', 'b']",
        "objective": "an array with the name of one objective, such as ['r2_score']",
        "labels": "an array of (key, value) structs",
        "shares": "an array of shares above 0 and at most 1, such as [0.1, 0.5, 1.0]",
        "class_weights": "an array of (label, weight) structs with weights of at least 0",
    }[option.type]


def _check_split(who: str, options: Options) -> None:
    split, column = options["data_split_method"], options["data_split_col"]
    if split in ("CUSTOM", "SEQ") and column is None:
        refuse(who, f"data_split_method {split} needs the option data_split_col; name the column.")
    if split not in ("CUSTOM", "SEQ") and column is not None:
        refuse(
            who, f"data_split_col is given, but data_split_method is {split}; use CUSTOM or SEQ."
        )


def _check_groups(who: str, options: Options) -> None:
    columns = options["group_cols"]
    if columns is None:
        return
    if not columns or len({name.lower() for name in columns}) < len(columns):
        refuse(who, f"group_cols is {columns}; give the names of different columns.")
    others = sorted(options.given & VALIDATION_OPTIONS)
    if options.values.get("warm_start"):
        others.append("warm_start")
    if others:
        refuse(
            who,
            f"group_cols excludes {', '.join(others)}; leave them out, or train on one group: "
            f"AS SELECT … WHERE {columns[0]} = ….",
        )
