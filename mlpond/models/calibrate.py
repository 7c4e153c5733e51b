"""Calibration of a classifier: its probabilities mapped so that they are shares on rows held out.

What the family says stays as the function ``uncalibrated``; ``predict`` maps it. A family may give
probabilities or raw scores, such as the margins of a support vector machine, for which Platt made
his method: either way ``predict`` gives probabilities after it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mlpond.errors import InputError, TrainingError
from mlpond.models import registry
from mlpond.models.families.family import Fitted, Table, Training
from mlpond.models.macros import supervised_macros
from mlpond.models.store import insert_tables
from mlpond.models.task import PROBABILITIES, ClassScores
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.quoting import identifier, string
from mlpond.sql.templates.renderer import render_file
from mlpond.udfs.calibration.isotonic import isotonic
from mlpond.udfs.calibration.scaling import TINY, logits, platt, temperature

COLUMNS = ("method", "class_label", "parameter", "position", "score", "value")


def calibrate(training: Training, fitted: Fitted) -> Fitted:
    """Map what a fitted classifier says by the option calibration_method, if that is given.

    Raises:
        InputError: no rows are held out to calibrate on.
        TrainingError: the rows held out lack a class.
    """
    options = training.options
    method = options.values.get("calibration_method")
    if method is None:
        return fitted
    held_out = training.split.evaluation_rows(training.source.relation)
    if held_out is None:
        raise InputError(
            f"{training.request.who}: calibration_method needs rows that the model has not seen, "
            "but none are held out; choose a data_split_method such as 'RANDOM'."
        )
    training.report("calibrating", None)
    (predict,) = (macro for macro in fitted.macros if macro.function == "predict")
    scores = replace(predict, function="uncalibrated")
    insert_tables(training, fitted.tables)  # which the scores may be read from
    registry.install_macros(training.engine, training.version, [scores])
    p, y = _held_out_scores(training, held_out, fitted.class_scores)
    is_probability = fitted.class_scores == PROBABILITIES
    try:
        maps = _maps(method, p, y, training.task.kind, is_probability)
    except ValueError as error:
        raise TrainingError(f"{training.request.who}: calibration: {error}") from error
    task, classes = training.task, training.task.classes
    body = render_file(
        "scoring/calibrated.sql.j2",
        source=f"ml.{identifier(f'uncalibrated_{training.version.full_name}')}({mark('data')})",
        threshold=mark("threshold"),
        kind=task.kind,
        maps=maps,
        classes=list(classes),
        literals=task.literals(),
        predicted=f"predicted_{task.label}",
        given=fitted.class_scores.column(task.label),
        field=fitted.class_scores.field,
        probabilities=PROBABILITIES.column(task.label),
        tiny=TINY,
    )
    macros = supervised_macros(training.version, task, body, training.evaluation_query)
    quoted = dict(macros[0].arguments)
    quoted["data"] = f"'''' || replace({quoted['data']}, '''', '''''') || ''''"
    macros[0] = replace(macros[0], arguments=quoted)
    own = {macro.function for macro in macros}
    macros += [scores, *(macro for macro in fitted.macros if macro.function not in own)]
    table = Table(COLUMNS, list(_rows(method, maps, classes)))
    return replace(
        fitted, macros=macros, tables={"calibration": table},
        class_scores=PROBABILITIES,
    )  # fmt: skip


def _held_out_scores(
    training: Training, held_out: str, class_scores: ClassScores
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return what is said of each class (n, K) for the rows held out, and the index of theirs."""
    label, classes = training.task.label, training.task.classes
    names = ", ".join(string(text) for text in classes)
    given = identifier(class_scores.column(label))
    columns = training.engine.con.sql(
        f"select list_position([{names}], {identifier(label)}::varchar) - 1 as y, "
        + ", ".join(
            f"list_filter({given}, lambda __e: __e.label::varchar = {string(text)})[1]"
            f".{class_scores.field} as p{k}"
            for k, text in enumerate(classes)
        )
        + f" from ml.{identifier(f'uncalibrated_{training.version.full_name}')}({string(held_out)})"
    ).fetchnumpy()
    p = np.stack([np.asarray(columns[f"p{k}"], dtype=float) for k in range(len(classes))], axis=1)
    return p, np.asarray(columns["y"]).astype(np.int64)


def _maps(
    method: str,
    p: np.ndarray[Any, Any],
    y: np.ndarray[Any, Any],
    kind: str,
    is_probability: bool,
) -> list[dict[str, Any]]:
    """Fit one map for all classes (temperature), the positive class, or each class."""
    if method == "TEMPERATURE":
        z = np.log(np.clip(p, TINY, 1)) if is_probability else p
        return [{"kind": "temperature", "temperature": temperature(z, y)}]
    chosen = [1] if kind == "binary" else list(range(p.shape[1]))
    maps: list[dict[str, Any]] = []
    for k in chosen:
        is_class = (y == k).astype(float)
        if method == "PLATT":
            slope, intercept = platt(logits(p[:, k]) if is_probability else p[:, k], is_class)
            maps.append({"kind": "platt", "class": k, "slope": slope, "intercept": intercept})
        else:
            knots, values = isotonic(p[:, k], is_class)
            maps.append(
                {"kind": "isotonic", "class": k, "knots": knots.tolist(), "values": values.tolist()}
            )
    return maps


def _rows(method: str, maps: list[dict[str, Any]], classes: tuple[str, ...]) -> Any:
    """Yield the rows of ml.calibration."""
    for found in maps:
        label = classes[found["class"]] if "class" in found else None
        for name in ("temperature", "slope", "intercept"):
            if name in found:
                yield method, label, name, 0, None, found[name]
        for i, (knot, value) in enumerate(
            zip(found.get("knots", []), found.get("values", []), strict=True)
        ):
            yield method, label, "knot", i, knot, value
