"""From HPARAM_RANGE and HPARAM_CANDIDATES to a space that can be searched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlpond.errors import InputError
from mlpond.models.option import Option, refuse
from mlpond.sql.dialect.values import Call
from mlpond.udfs.tuning.space import Choice, Interval, Point, Space

if TYPE_CHECKING:
    from mlpond.models.families import Family

RANGE, CANDIDATES = "HPARAM_RANGE", "HPARAM_CANDIDATES"
# Shared options that may be tuned besides those of the family.
_SHARED = ("max_iterations", "min_rel_progress")
# Types of options that name or weigh something in the data.
_FIXED = ("column", "label", "labels", "class_weights", "cloud", "shares", "objective")
_NEVER = ("warm_start", "enable_global_explain", "model_type")


def check_space(
    who: str,
    family: Family,
    values: dict[str, Any],
    tuned: Mapping[str, Call],
    given: frozenset[str],
) -> Space | None:
    """Check the hyperparameters of a statement.

    Args:
        who: The statement's name in messages.
        family: The model type.
        values: The checked options; an option that is tuned gets a value that it may take.
        tuned: The calls that stand where a value could.
        given: The options that the statement names.

    Returns:
        Where tuning searches: the ranges given, or if there are none those that the type has of
        itself. None if nothing is tuned.
    """
    if values["num_trials"] is None:
        if tuned:
            name, call = next(iter(tuned.items()))
            refuse(who, f"option {name} is {call.name}(…), which needs num_trials; add it.")
        return None
    specs = {option.name: option for option in family.accepted}
    own = {option.name for option in family.options}
    parameters = []
    for name, call in tuned.items():
        option = specs[name]
        if (name not in own and name not in _SHARED) or option.type in _FIXED or name in _NEVER:
            refuse(who, f"option {name} cannot be tuned; give one value.")
        parameters.append(_parameter(who, option, call))
    if not parameters:
        parameters = [
            _default_range(option)
            for option in family.options
            if option.tune is not None
            and option.name not in given
            and _may_vary(who, family, values, given, option)
        ]
    if not parameters:
        refuse(
            who,
            f"num_trials is given, but no option is tuned; write one of {family.name}'s as "
            "HPARAM_RANGE(min, max) or HPARAM_CANDIDATES([…]).",
        )
    for parameter in parameters:
        if not parameter.holds(values[parameter.name]):
            values[parameter.name] = restored(parameter.value(0.5))
    return Space(tuple(parameters))


def default_point(space: Space, family: Family) -> Point | None:
    """The documented defaults of the tuned options, if all of them have one."""
    defaults = {option.name: option.default for option in family.accepted}
    point = tuple(defaults[parameter.name] for parameter in space.parameters)
    return None if None in point else point


def restored(value: Any) -> Any:
    """The value of an option from that of a point, in which an array is a tuple."""
    return list(value) if isinstance(value, tuple) else value


def _may_vary(
    who: str, family: Family, values: Mapping[str, Any], given: frozenset[str], option: Option
) -> bool:
    """Tell whether an option that nobody named goes with those that are given."""
    from mlpond.models.options import Options

    varied = {**values, option.name: restored(_default_range(option).value(0.5))}
    try:
        family.check_options(who, Options(family, varied, given | {option.name}))
    except InputError:
        return False
    return True


def _parameter(who: str, option: Option, call: Call) -> Interval | Choice:
    if call.name == RANGE:
        return _interval(who, option, call)
    if call.name == CANDIDATES:
        return _choice(who, option, call)
    refuse(who, f"option {option.name} is {call.name}(…); accepted are {RANGE} and {CANDIDATES}.")


def _interval(who: str, option: Option, call: Call) -> Interval:
    numbers = [v for v in call.arguments if isinstance(v, int | float) and not isinstance(v, bool)]
    if option.type not in ("float", "integer"):
        refuse(who, f"option {option.name} is no number; tune it by {CANDIDATES}([…]).")
    if len(numbers) != 2 or len(call.arguments) != 2 or not numbers[0] < numbers[1]:
        refuse(who, f"option {option.name}: {RANGE} needs two numbers, the smaller one first.")
    low, high = numbers
    if (option.low is not None and low < option.low) or (
        option.high is not None and high > option.high
    ):
        limits = f"at least {option.low:g}" if option.low is not None else ""
        if option.high is not None:
            limits += f"{' and ' if limits else ''}at most {option.high:g}"
        refuse(who, f"option {option.name}: {RANGE}({low:g}, {high:g}) leaves {limits}.")
    log = option.tune is not None and option.tune.log
    open_low = option.open_low and low == option.low
    return Interval(option.name, low, high, log, option.type == "integer", open_low)


def _choice(who: str, option: Option, call: Call) -> Choice:
    from mlpond.models.options import check_value

    listed = call.arguments[0] if len(call.arguments) == 1 else None
    if not isinstance(listed, list) or not listed:
        refuse(who, f"option {option.name}: {CANDIDATES} needs one array, such as [1, 2].")
    values = []
    for value in listed:
        if isinstance(value, dict) and len(value) == 1:  # STRUCT([8, 4]): an array among candidates
            value = next(iter(value.values()))
        if isinstance(value, tuple) and len(value) == 1 and isinstance(value[0], list):
            value = value[0]
        checked = check_value(who, option, value)
        values.append(tuple(checked) if isinstance(checked, list) else checked)
    return Choice(option.name, tuple(dict.fromkeys(values)))


def _default_range(option: Option) -> Interval:
    assert option.tune is not None
    span = option.tune
    return Interval(
        option.name, span.low, span.high, span.log, option.type == "integer", span.open_low
    )
