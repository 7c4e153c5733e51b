"""The functions of one model version, each a table macro of plain SQL."""

from __future__ import annotations

from mlpond.models.registry import Macro, Version, text_or_relation
from mlpond.models.task import PROBABILITIES, ClassScores, Task
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.quoting import identifier, is_plain
from mlpond.sql.templates.renderer import render_file

_NUMBER = "coalesce({0}::double::varchar || '::double', 'NULL')"


def supervised_macros(
    version: Version,
    task: Task,
    prediction: str,
    evaluation: str,
    *,
    class_scores: ClassScores = PROBABILITIES,
) -> list[Macro]:
    """Write the macros predict, evaluate, confusion_matrix and roc_curve of a supervised model.

    Args:
        version: The version they belong to.
        task: What it predicts.
        prediction: The scoring query, with marks for ``data`` and ``threshold``.
        evaluation: The rows that are looked at when no data are given.
        class_scores: How its classes are scored; a binary model with probabilities is asked for
            the one from which a row is positive.
    """
    arguments = {
        "data": "ml.relation(data)",
        "threshold": _NUMBER.format("threshold"),
    }
    parameters: tuple[tuple[str, str | None], ...] = (("data", None),)
    has_threshold = class_scores == PROBABILITIES and task.kind == "binary"
    if has_threshold:
        parameters += (("threshold", "5e-1"),)
    macros = [Macro("predict", parameters, prediction, arguments)]
    # scores of the given rows, or of those that the model kept aside
    scored = dict(
        arguments,
        data=f"'''' || replace({text_or_relation('data', evaluation)}, '''', '''''') || ''''",
    )
    call = f"ml.{identifier(f'predict_{version.full_name}')}({mark('data')}"
    if has_threshold:
        call += f", threshold := {mark('threshold')}"
    values = {
        "source": f"{call})",
        "label": task.label,
        "predicted": f"predicted_{task.label}",
        "probabilities": class_scores.column(task.label),
        "field": class_scores.field,
        "classes": list(task.classes),
    }
    optional: tuple[tuple[str, str | None], ...] = (("data", "null"), *parameters[1:])
    template = "regression" if task.kind == "regression" else task.kind
    body = render_file(f"scoring/evaluate_{template}.sql.j2", **values)
    macros.append(Macro("evaluate", optional, body, scored))
    if task.kind != "regression":
        body = render_file(
            "scoring/confusion_matrix.sql.j2", columns=_class_columns(task.classes), **values
        )
        macros.append(Macro("confusion_matrix", optional, body, scored))
    if task.kind == "binary":
        values["source"] = f"{call.split(', threshold')[0]})"
        body = render_file("scoring/roc_curve.sql.j2", thresholds=mark("thresholds"), **values)
        scored["thresholds"] = "coalesce(thresholds::double[]::varchar, 'NULL') || '::double[]'"
        macros.append(Macro("roc_curve", (("data", "null"), ("thresholds", "null")), body, scored))
    return macros


def _class_columns(classes: tuple[str, ...]) -> list[str]:
    """Name the columns of a confusion matrix; an underscore leads what is no identifier."""
    return [text if is_plain(text) else f"_{text}" for text in classes]
