"""The family pca: BigQuery ML's principal component analysis."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpond.models import features, linear, profile
from mlpond.models.encoding import encoding
from mlpond.models.families.family import Family, Fitted, Iteration, Table, Training, timed
from mlpond.models.option import Option, refuse
from mlpond.models.registry import Macro
from mlpond.models.stream import Rows
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.renderer import render_file

if TYPE_CHECKING:
    from mlpond.models.options import Options
    from mlpond.models.request import Request
    from mlpond.udfs.decomposition.components import PcaFit

OPTIONS = (
    Option("data_split_method", "string", "NO_SPLIT", ("NO_SPLIT",)),
    Option("num_principal_components", "integer", None, low=1),
    Option("pca_explained_variance_ratio", "float", None, low=0.0, high=1.0, open_low=True),
    Option("scale_features", "boolean", True),
    Option("pca_solver", "string", "AUTO", ("AUTO", "FULL", "RANDOMIZED")),
)


def _check_options(who: str, options: Options) -> None:
    count, share = options["num_principal_components"], options["pca_explained_variance_ratio"]
    if (count is None) == (share is None):
        refuse(
            who,
            "pca needs exactly one of num_principal_components and pca_explained_variance_ratio, "
            f"and {'none' if count is None else 'both'} was given.",
        )
    if share == 1.0:
        refuse(who, "pca_explained_variance_ratio is 1.0; it must be a share below 1.")


def _may_gather(request: Request) -> bool:
    """Tell whether one scan can do: the Gram matrix knows the moments of columns without NULL."""
    return request.transform is None and all(
        features.is_number(kind) for _, kind in request.input_columns
    )


def _train(training: Training) -> Fitted:
    from mlpond.udfs.decomposition.components import Options as PcaOptions
    from mlpond.udfs.decomposition.pca import pca

    rows, options = training.rows, training.options
    chosen = PcaOptions(
        **{
            name: options[name]
            for name in (
                "num_principal_components", "pca_explained_variance_ratio", "scale_features",
                "pca_solver", "seed",
            )
        },
        gathers=training.gathers,
    )  # fmt: skip
    try:
        first = pca(rows.layout, linear.moments_of(rows, training.n), chosen)
    except ValueError as error:
        refuse(training.request.who, str(error).removeprefix("pca: "))
    info, near = training.info, None
    if training.gathers and not chosen.is_full(rows.layout.width):
        near = np.array([f.mean for f in rows.features])
    fit, durations, sums = training.stream(first, near)
    if sums is not None and near is not None:
        rows, info = linear.with_moments(rows, info, sums, near)
    elif training.gathers:  # the Gram matrix knows them
        known = zip(fit.mean.tolist(), fit.median.tolist(), fit.sd.tolist(), strict=True)
        info = profile.described(training.info, [f.atom.name for f in rows.features], known)
    said = [
        f"constant: {feature.atom.name} has one value in all training rows, or none; it has no "
        "part in any component"
        for feature in rows.features
        if feature.is_constant
    ]
    if not fit.converged:
        said.append(
            f"not_converged: the components were still turning after {fit.passes} passes; their "
            "eigenvalues lie close together. pca_solver = 'FULL' needs no iterations."
        )
    explained = float(fit.explained_variance_ratio.sum())
    return Fitted(
        _macros(training, rows, fit),
        tables={
            "principal_components": Table(
                ("principal_component_id", "position", "feature", "category", "value"),
                _component_rows(rows, fit),
            ),
            "principal_component_info": Table(
                ("principal_component_id", "eigenvalue", "explained_variance_ratio"),
                [
                    (i, value, share if math.isfinite(share) else None)
                    for i, (value, share) in enumerate(
                        zip(
                            fit.eigenvalues.tolist(),
                            fit.explained_variance_ratio.tolist(),
                            strict=True,
                        )
                    )
                ],
            ),
        },
        iterations=timed([Iteration(0, None)], durations),
        warnings=said,
        statistics={
            "total_variance": fit.total_variance,
            "passes": float(fit.passes),
            "converged": float(fit.converged),
            **({"explained_variance_ratio": explained} if math.isfinite(explained) else {}),
        },
        info=info,
    )


def _component_rows(rows: Rows, fit: PcaFit) -> Iterator[tuple[Any, ...]]:
    listed = list(linear.columns(rows))
    for i, component in enumerate(fit.components.tolist()):
        for position, (value, (feature, _, category)) in enumerate(
            zip(component, listed, strict=True)
        ):
            yield i, position, feature.atom.name, category, value


def _macros(training: Training, rows: Rows, fit: PcaFit) -> list[Macro]:
    made, version = training.made, training.version
    e = encoding(rows, made)
    weights = fit.components / fit.scale  # (k, p), over columns centred at the means
    off = np.array([f.mean for f in rows.dense]) - fit.mean
    values = {
        "e": e,
        "components": e.maps(weights, weights[:, : off.size] @ off),
        "scale": fit.scale[: off.size].tolist(),
        "transform": made,
        "source": mark("data"),
    }
    data = {"data": "ml.relation(data)"}
    kept = "case when keep_original_columns then '* exclude (__x" + "".join(
        f", {name}" for name in e.names
    )
    predict = Macro(
        "predict",
        (("data", None), ("keep_original_columns", "false")),
        render_file("scoring/predict_pca.sql.j2", kept=mark("keep_original_columns"), **values),
        data | {"keep_original_columns": f"{kept}),' else '' end"},
    )
    anomalies = Macro(
        "detect_anomalies",
        (("data", None), ("contamination", "1e-1")),
        render_file(
            "scoring/detect_anomalies_pca.sql.j2",
            training=training.training_query,
            contamination=mark("contamination"),
            inputs=len(training.request.input_columns),
            **values,
        ),
        data
        | {
            "contamination": "case when contamination between 0 and 0.5 then "
            "contamination::double::varchar || '::double' else error('ml.detect_anomalies: "
            "contamination is ' || coalesce(contamination::varchar, 'NULL') || '; pass a share "
            "from 0 to 0.5') end"
        },
    )
    evaluate = Macro(
        "evaluate",
        (("data", "null"),),
        render_file("scoring/evaluate_pca.sql.j2", model=version.name, version=version.version),
        {},
    )
    return [predict, anomalies, evaluate]


PCA = Family(
    "PCA", "none", OPTIONS, _train, check_options=_check_options, may_gather=_may_gather,
    task="decomposition",
)  # fmt: skip
