"""The families knn_classifier and knn_regressor, which are ours: BigQuery ML has none.

Training keeps the encoded rows in ml.neighbor_points. Prediction compares with all of them in SQL;
in a Python session ``ml_nearest`` does that part, a hundred times faster.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpond.errors import TrainingError
from mlpond.models import neighbors
from mlpond.models.clustering import constant_inputs, entries
from mlpond.models.encoding import encoding
from mlpond.models.families.family import Family, Fitted, Table, Training
from mlpond.models.macros import supervised_macros
from mlpond.models.option import CALIBRATED, LABELLED, Option, refuse
from mlpond.models.registry import Macro
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.quoting import identifier, string
from mlpond.sql.templates.renderer import render_file
from mlpond.udf import HAS_NEAREST, OFFERED

if TYPE_CHECKING:
    from mlpond.models.options import Options

WIDEST = 4_096  # columns of a point

OPTIONS = (
    *LABELLED,
    Option("num_neighbors", "integer", 5, low=1, high=1_000),
    Option("weight_type", "string", "UNIFORM", ("UNIFORM", "DISTANCE")),
    Option("distance_type", "string", "EUCLIDEAN", ("EUCLIDEAN", "COSINE", "MANHATTAN")),
    Option("standardize_features", "boolean", True),
    Option("index_type", "string", "NONE", ("NONE", "IVF")),
    Option("num_lists", "integer", None, low=1),
    Option("fraction_lists_to_search", "float", None, low=0.0, high=1.0, open_low=True),
)


def _check_options(who: str, options: Options) -> None:
    if options["index_type"] == "NONE":
        for name in ("num_lists", "fraction_lists_to_search"):
            if options[name] is not None:
                refuse(who, f"{name} belongs to index_type = 'IVF'; give both or leave it out.")
    elif options["distance_type"] == "MANHATTAN":
        refuse(who, "index_type = 'IVF' needs distance_type EUCLIDEAN or COSINE.")


def _train(training: Training) -> Fitted:
    options, rows, version = training.options, training.rows, training.version
    who, engine = training.request.who, training.engine
    k = options["num_neighbors"]
    if training.n < k:
        raise TrainingError(
            f"{who}: num_neighbors is {k}, but there are {training.n} training rows; "
            f"pass {training.n} or fewer."
        )
    if rows.layout.width > WIDEST:
        raise TrainingError(
            f"{who}: the features make {rows.layout.width} columns, of which a point may have "
            f"{WIDEST}; leave out columns with many categories."
        )
    training.report("keeping the training rows", None)
    e = encoding(rows, [])
    label = f"{identifier(training.task.label)}::varchar" if training.task.classes else "NULL"
    points = render_file(
        "scoring/neighbor_points.sql.j2", e=e, entries=_entries(training, e),
        source=rows.relation, transform=[], cosine=options["distance_type"] == "COSINE",
        label=label, value=rows.label,
    )  # fmt: skip
    engine.execute(
        "insert into ml.neighbor_points (model, version, point_id, label, value, point) "
        f"select $1, $2, point_id, label, value, point from ({points})",
        [version.name, version.version],
    )
    cells = _make_cells(training) if options["index_type"] == "IVF" else []
    return Fitted(
        _macros(training, len(cells)),
        tables={"neighbor_cells": Table(("cell", "center"), cells)},
        warnings=constant_inputs(rows),
    )


def _entries(training: Training, e: Any) -> list[str]:
    options = training.options
    standardize = options["standardize_features"]
    centred = standardize or options["distance_type"] != "COSINE"
    return entries(training.rows, e, standardize=standardize, centred=centred)


def _make_cells(training: Training) -> list[tuple[int, list[float]]]:
    """Sort the points into cells, and note in ml.neighbor_points which."""
    from mlpond.udfs.neighbours.inverted_file import cell_centers, cells

    options, engine, version = training.options, training.engine, training.version
    training.report("sorting the training rows into cells", None)
    lists = options["num_lists"] or max(1, round(math.sqrt(training.n)))
    metric = options["distance_type"].lower()
    Y, _ = neighbors.read_points(engine, version.name, version.version, training.n)
    try:
        centers = cell_centers(Y, lists, metric, options["seed"])
    except ValueError as error:
        raise TrainingError(f"{training.request.who}: {error}") from error
    label = cells(Y, centers, metric)
    engine.execute(
        "update ml.neighbor_points as p set cell = c.cell from ("
        "select unnest($1) as cell, unnest(range(1, len($1) + 1)) as point_id) as c "
        "where p.model = $2 and p.version = $3 and p.point_id = c.point_id",
        [label.tolist(), version.name, version.version],
    )
    return list(enumerate(np.asarray(centers).tolist()))


def _macros(training: Training, cells: int) -> list[Macro]:
    options, task, version, made = (
        training.options, training.task, training.version, training.made,
    )  # fmt: skip
    e = encoding(training.rows, made)
    probes = 0
    if cells:
        share = options["fraction_lists_to_search"] or neighbors.DEFAULT_SHARE
        probes = max(1, math.ceil(share * cells))
    metric = options["distance_type"].lower()
    here = {"model": version.name, "version": version.version, "k": options["num_neighbors"]}
    body = render_file(
        "scoring/predict_knn.sql.j2", e=e, entries=_entries(training, e),
        source=mark("data"), transform=made, cosine=metric == "cosine", search=mark("search"),
        by_distance=options["weight_type"] == "DISTANCE", threshold=mark("threshold"),
        predicted=f"predicted_{task.label}", probabilities=f"predicted_{task.label}_probs",
        classes=task.literals(),
    )  # fmt: skip
    macros = supervised_macros(version, task, body, training.evaluation_query)
    in_sql = render_file(
        "scoring/neighbors.sql.j2",
        metric=metric,
        probes=probes,
        width=training.rows.layout.width,
        **here,
    )
    rest = f", {version.version}, {here['k']}, {probes}, {string(metric)}, __z)"
    offered = f"coalesce(getvariable('{OFFERED}'), ['', ''])"
    # which of them is decided where the call is bound: a plain shell has no such variables
    search = (
        f"case when {offered}[1] = {string(version.full_name)} "
        f"then 'ml_nearest(' || {offered}[2] || {string(rest)} "
        f"when coalesce(getvariable('{HAS_NEAREST}'), false) "
        f"then {string(f'ml_nearest({string(version.name)}{rest}')} "
        f"else {string(in_sql.strip())} end"
    )
    predict = replace(macros[0], arguments=macros[0].arguments | {"search": search})
    return [predict, *macros[1:]]


KNN_CLASSIFIER = Family(
    "KNN_CLASSIFIER", "class", OPTIONS + CALIBRATED, _train, check_options=_check_options,
    max_classes=1_000,
)  # fmt: skip
KNN_REGRESSOR = Family("KNN_REGRESSOR", "number", OPTIONS, _train, check_options=_check_options)
