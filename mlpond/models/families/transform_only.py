"""The family transform_only: a TRANSFORM clause, fitted, without a model behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlpond.errors import StatementError
from mlpond.models.families.family import Family, Fitted, Training
from mlpond.models.option import Option, refuse

if TYPE_CHECKING:
    from mlpond.models.options import Options
    from mlpond.models.request import Request


def _check_options(who: str, options: Options) -> None:
    if options["group_cols"] is not None:
        refuse(who, "transform_only learns from all rows; group_cols is for models of a label.")


def _check_columns(request: Request) -> None:
    if request.transform is None:
        raise StatementError(
            f"{request.who}: transform_only is a TRANSFORM clause alone; write TRANSFORM (…) "
            "before OPTIONS."
        )


def _train(training: Training) -> Fitted:
    transform = training.transform
    assert transform is not None  # _check_columns
    said = [
        f"nothing_learnt: {item.alias} had no value to learn from; it will be NULL"
        for item, states in zip(transform.items, transform.learnt, strict=True)
        for learnt in states
        if learnt.numbers and all(value is None for value in learnt.numbers.values())
    ]
    return Fitted([], warnings=said)


TRANSFORM_ONLY = Family(
    "TRANSFORM_ONLY", "none", (Option("data_split_method", "string", "NO_SPLIT", ("NO_SPLIT",)),),
    _train, check_options=_check_options, check_columns=_check_columns, uses_features=False,
    describes_inputs=False, task="transformation",
)  # fmt: skip
