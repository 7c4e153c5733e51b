"""The family kmeans: BigQuery ML's k-means."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpond.errors import TrainingError
from mlpond.models import linear
from mlpond.models.clustering import (
    MODEL_SPLITS,
    call,
    constant_inputs,
    contamination,
    entries,
    moments,
    over_given,
)
from mlpond.models.encoding import encoding
from mlpond.models.families.family import Family, Fitted, Iteration, Table, Training, timed
from mlpond.models.option import Option, Range, refuse
from mlpond.models.registry import Macro
from mlpond.models.stream import blocks
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.quoting import identifier, string
from mlpond.sql.templates.renderer import render_file

if TYPE_CHECKING:
    from mlpond.models.options import Options
    from mlpond.models.request import Request
    from mlpond.udfs.clustering.kmeans_fit import Fit

OPTIONS = (
    MODEL_SPLITS,
    Option("num_clusters", "integer", None, low=1, high=10_000, tune=Range(2, 10)),
    Option("kmeans_init_method", "string", "RANDOM", ("RANDOM", "KMEANS++", "CUSTOM")),
    Option("kmeans_init_col", "column"),
    Option("distance_type", "string", "EUCLIDEAN", ("EUCLIDEAN", "COSINE")),
    Option("standardize_features", "boolean", True),
    Option("max_iterations", "integer", None, low=1),
    Option("num_init", "integer", None, low=1),  # ours: starts, of which the best goes on
    Option("batch_size", "integer", None, low=1),  # ours: rows of a mini-batch
)


def _check_options(who: str, options: Options) -> None:
    custom = options["kmeans_init_method"] == "CUSTOM"
    if custom != (options["kmeans_init_col"] is not None):
        refuse(
            who,
            "kmeans_init_method = 'CUSTOM' and kmeans_init_col, the column that marks the rows to "
            "start from, are given together or not at all.",
        )
    if custom and options["num_init"] not in (None, 1):
        refuse(who, "num_init is for random starts; with CUSTOM there is one start, the given one.")


def _check_columns(request: Request) -> None:
    name = request.options["kmeans_init_col"]
    if name is None:
        return
    kind = next(kind for column, kind in request.columns if column.lower() == name.lower())
    if kind.id != "boolean":
        refuse(
            request.who,
            f"kmeans_init_col {name} has type {kind}; it must be BOOLEAN, TRUE for the rows to "
            "start from.",
        )


def _train(training: Training) -> Fitted:
    from mlpond.udfs.clustering.kmeans import kmeans
    from mlpond.udfs.clustering.kmeans_fit import Options as FitOptions

    options, rows = training.options, training.rows
    clusters = options["num_clusters"]
    if clusters is None:  # BigQuery ML's default
        clusters = max(2, round(math.log10(training.n)))
    chosen = FitOptions(
        clusters,
        **{
            name: options[name]
            for name in (
                "kmeans_init_method", "distance_type", "standardize_features", "max_iterations",
                "early_stop", "min_rel_progress", "num_init", "batch_size", "seed",
            )
        },
    )  # fmt: skip
    try:
        given = _given(training) if chosen.kmeans_init_method == "CUSTOM" else None
        first = kmeans(rows.layout, *moments(rows), training.n, chosen, given)
    except ValueError as error:
        raise TrainingError(f"{training.request.who}: {error}") from error
    fit, durations, _ = training.stream(first)
    said = constant_inputs(rows)
    if not fit.converged:
        said.append(
            f"not_converged: the centroids were still moving after {len(fit.iterations)} "
            "iterations; raise max_iterations"
        )
    iterations = [Iteration(step.iteration, step.loss) for step in fit.iterations]
    return Fitted(
        _macros(training, fit, chosen),
        tables={
            "centroids": Table(
                ("centroid_id", "position", "feature", "category", "value", "standardized_value"),
                _centroid_rows(training, fit),
            ),
            "clusters": Table(
                ("iteration", "centroid_id", "cluster_radius", "cluster_size"), _clusters(fit)
            ),
        },
        iterations=timed(iterations, durations),
        loss=fit.loss,
        warnings=said,
        statistics={
            "inertia": fit.loss * fit.rows,
            "passes": float(fit.passes),
            "converged": float(fit.converged),
        },
    )


def _given(training: Training) -> np.ndarray[Any, Any]:
    """The rows that are marked to start from, encoded, shape (K, p)."""
    rows = training.rows
    column = identifier(training.options["kmeans_init_col"])
    query = rows.query(rows.relation, f" where {column}")
    found = [block.dense_matrix(rows.layout) for block in blocks(training.engine, rows, query)]
    return np.concatenate(found) if found else np.empty((0, rows.layout.width))


def _centroid_rows(training: Training, fit: Fit) -> Iterator[tuple[Any, ...]]:
    listed = list(linear.columns(training.rows))
    for k, (raw, standard) in enumerate(zip(fit.centroids, fit.standardised, strict=True)):
        for position, (feature, _, category) in enumerate(listed):
            yield (
                k + 1, position, feature.atom.name, category, float(raw[position]),
                float(standard[position]),
            )  # fmt: skip


def _clusters(fit: Fit) -> Iterator[tuple[Any, ...]]:
    steps = [(step.iteration, step.radii, step.sizes) for step in fit.iterations]
    for iteration, radii, sizes in [*steps, (None, fit.radii, fit.sizes)]:
        for k, (radius, size) in enumerate(zip(radii.tolist(), sizes.tolist(), strict=True)):
            yield iteration, k + 1, radius, size


def _macros(training: Training, fit: Fit, options: Any) -> list[Macro]:
    version, rows, made = training.version, training.rows, training.made
    cosine = options.distance_type == "COSINE"
    e = encoding(rows, made)
    values: dict[str, Any] = {
        "model": version.name, "version": version.version, "cosine": cosine,
    }  # fmt: skip
    predict = render_file(
        "scoring/predict_kmeans.sql.j2", e=e, transform=made, source=mark("data"),
        entries=entries(
            rows, e, standardize=options.standardize_features,
            centred=options.standardize_features or not cosine,
        ),
        **values,
    )  # fmt: skip
    source = call(version, "predict", mark("data"))
    evaluate = render_file("scoring/evaluate_kmeans.sql.j2", source=source, **values)
    anomalies = render_file(
        "scoring/detect_anomalies_kmeans.sql.j2",
        source=source,
        training=call(version, "predict", string(training.training_query)),
        contamination=mark("contamination"),
        **values,
    )
    centroids = render_file("scoring/centroids.sql.j2", value=mark("standardize"), **values)
    chosen = "case when standardize then 'c.standardized_value' else 'c.value' end"
    return [
        Macro("centroids", (("standardize", "false"),), centroids, {"standardize": chosen}),
        Macro("predict", (("data", None),), predict, {"data": "ml.relation(data)"}),
        Macro("evaluate", (("data", "null"),), evaluate, over_given(training.evaluation_query)),
        Macro(
            "detect_anomalies",
            (("data", None), ("contamination", "1e-1")),
            anomalies,
            {"data": "ml.literal(ml.relation(data))", "contamination": contamination()},
        ),
    ]


KMEANS = Family(
    "KMEANS", "none", OPTIONS, _train,
    check_options=_check_options, check_columns=_check_columns, task="clustering",
    objectives=lambda options: ("DAVIES_BOULDIN_INDEX", "MEAN_SQUARED_DISTANCE"),
)  # fmt: skip
