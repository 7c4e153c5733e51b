"""Predictions with a promise: intervals and sets that hold the truth as often as asked.

Source: Vovk, Gammerman & Shafer (2005), Algorithmic learning in a random world; split conformal as
    Lei, G'Sell, Rinaldo, Tibshirani & Wasserman (2018), JASA 113; sets as Sadinle, Lei & Wasserman
    (2019), JASA 114, and Romano, Sesia & Candès (2020), NeurIPS 33.
"""

from __future__ import annotations

from mlpond.models.families.family import Training
from mlpond.models.registry import Macro
from mlpond.models.task import ClassScores
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.quoting import identifier, string
from mlpond.sql.templates.renderer import render_file


def conformal_macro(training: Training, class_scores: ClassScores) -> Macro:
    """Write the function ``conformal`` of a supervised model.

    It looks at rows that the model has not been trained on: those held out, or rows given. The
    method adaptive adds probabilities up, so that a model with raw scores has threshold alone.
    """
    task, name = training.task, training.version.full_name
    held_out = training.split.reported_rows(f"({training.request.statement.query})")
    default = string(held_out) if held_out else (
        f"error({string(_none_held_out(name))} || left(coalesce(calibration::varchar, ''), 0))"
    )  # fmt: skip
    body = render_file(
        "scoring/conformal.sql.j2",
        predict=f"ml.{identifier(f'predict_{name}')}",
        source=mark("data"),
        calibration=mark("calibration"),
        level=mark("confidence_level"),
        method=mark("method"),
        kind=task.kind,
        label=task.label,
        predicted=f"predicted_{task.label}",
        model=name,
        probabilities=class_scores.column(task.label),
        field=class_scores.field,
        label_type=task.label_type,
    )
    parameters: tuple[tuple[str, str | None], ...] = (
        ("data", None), ("confidence_level", "9e-1"), ("method", "'threshold'"),
        ("calibration", "null"),
    )  # fmt: skip
    quoted = "'''' || replace({0}, '''', '''''') || ''''"
    arguments = {
        "data": quoted.format("ml.relation(data)"),
        "calibration": f"case when calibration is null then {default} "
        "else ml.relation(calibration) end",
        "confidence_level": "coalesce(confidence_level::double::varchar || '::double', 'NULL')",
        "method": "ml.literal(method)",
    }
    return Macro("conformal", parameters, body, arguments)


def _none_held_out(name: str) -> str:
    return (
        f"ml.conformal: model {name} held out no rows; give rows that it was not trained on, "
        "calibration := ''(select …)''"
    )
