"""Warm start: the coefficients of the version before as the point to begin from."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpond.errors import ModelError
from mlpond.models import linear, registry
from mlpond.models.families.family import Training


def warm_start(
    training: Training,
) -> tuple[int, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None]:
    """Return the number of the training run, and the coefficients to start from."""
    engine, request, existing = training.engine, training.request, training.existing
    rows, task = training.rows, training.task
    if not request.options["warm_start"] or not existing:
        return 0, None
    last = next(v for v in existing if registry.DEFAULT in v.aliases)
    kind, label, run = engine.row(
        "select model_type, label, training_run from ml.models where name = ? and version = ?",
        [last.name, last.version],
    )
    if (kind, label) != (request.options.model_type, request.label):
        raise ModelError(
            f"{request.who}: warm_start needs the same model_type and label; version "
            f"{last.version} is a {kind} of {label}."
        )
    stored = {
        (row[0], row[1], row[2]): row[3]
        for row in engine.rows(
            "select class_label, processed_input, category, weight from ml.coefficients "
            "where model = ? and version = ?",
            [last.name, last.version],
        )
    }
    listed = list(linear.columns(rows))
    classes = task.class_labels
    weights = np.zeros((len(classes), len(listed)))
    intercept = np.zeros(len(classes))
    for k, label_ in enumerate(classes):
        intercept[k] = stored.get((label_, linear.INTERCEPT, None), 0.0)
        for j, (feature, _, category) in enumerate(listed):
            value = stored.get((label_, feature.atom.name, category))
            if value is None and feature.atom.kind == "numeric":
                raise ModelError(
                    f"{request.who}: warm_start needs the same features; version {last.version} "
                    f"has none named {feature.atom.name}."
                )
            weights[k, j] = value or 0.0
    return run + 1, (weights, intercept)
