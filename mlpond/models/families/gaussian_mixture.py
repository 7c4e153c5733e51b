"""The family gaussian_mixture, which is ours: BigQuery ML has no mixtures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mlpond.errors import TrainingError
from mlpond.models import linear
from mlpond.models.clustering import (
    MODEL_SPLITS,
    call,
    constant_inputs,
    entries,
    moments,
    over_given,
)
from mlpond.models.encoding import encoding
from mlpond.models.families.family import Family, Fitted, Iteration, Table, Training, timed
from mlpond.models.option import Option
from mlpond.models.registry import Macro
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.renderer import render_file

if TYPE_CHECKING:
    from mlpond.udfs.clustering.mixture_fit import Fit

OPTIONS = (
    MODEL_SPLITS,
    Option("num_components", "integer", 2, low=1, high=1_000),
    Option("covariance_type", "string", "FULL", ("FULL", "TIED", "DIAG", "SPHERICAL")),
    Option("reg_covar", "float", 1e-6, low=0.0),
    Option("standardize_features", "boolean", True),
    Option("tolerance", "float", None, low=0.0),
    Option("max_iterations", "integer", None, low=1),
    Option("num_init", "integer", 1, low=1),
)


def _train(training: Training) -> Fitted:
    from mlpond.udfs.clustering.mixture import gaussian_mixture
    from mlpond.udfs.clustering.mixture_fit import Options as FitOptions

    options, rows = training.options, training.rows
    chosen = FitOptions(
        **{
            name: options[name]
            for name in (
                "num_components", "covariance_type", "reg_covar", "standardize_features",
                "tolerance", "max_iterations", "num_init", "seed",
            )
        }
    )  # fmt: skip
    try:
        first = gaussian_mixture(rows.layout, *moments(rows), training.n, chosen)
    except ValueError as error:
        raise TrainingError(f"{training.request.who}: {error}") from error
    fit, durations, _ = training.stream(first)
    said = constant_inputs(rows)
    if not fit.converged:
        said.append(
            f"not_converged: the likelihood was still rising after {len(fit.log)} iterations; "
            "raise max_iterations"
        )
    iterations = [Iteration(number, -mean) for number, mean in enumerate(fit.log)]
    listed = list(linear.columns(rows))
    return Fitted(
        _macros(training, fit, chosen.standardize_features),
        tables={
            "mixture_components": Table(
                ("component", "weight", "log_constant"),
                [
                    (k + 1, weight, constant)
                    for k, (weight, constant) in enumerate(
                        zip(fit.weights.tolist(), fit.log_constant.tolist(), strict=True)
                    )
                ],
            ),
            "mixture_means": Table(
                ("component", "position", "feature", "category", "mean", "standardized_mean"),
                (
                    (k + 1, j, feature.atom.name, category, float(fit.means[k, j]),
                     float(fit.space_means[k, j]))
                    for k in range(len(fit.weights))
                    for j, (feature, _, category) in enumerate(listed)
                ),
            ),
            "mixture_covariances": Table(
                ("component", "position", "other_position", "covariance", "whitening"),
                _covariance_rows(fit),
            ),
        },
        iterations=timed(iterations, durations),
        loss=-fit.log_likelihood / fit.rows,
        warnings=said,
        statistics={
            "log_likelihood": fit.log_likelihood,
            "aic": fit.aic,
            "bic": fit.bic,
            "parameters": float(fit.parameters),
            "passes": float(fit.passes),
            "converged": float(fit.converged),
        },
    )  # fmt: skip


def _covariance_rows(fit: Fit) -> Iterator[tuple[Any, ...]]:
    for k, (spread, factor) in enumerate(zip(fit.covariances, fit.whitening, strict=True)):
        if spread.ndim == 1:
            for j, (variance, whitening) in enumerate(
                zip(spread.tolist(), factor.tolist(), strict=True)
            ):
                yield k + 1, j, j, variance, whitening
            continue
        for i in range(len(spread)):
            for j in range(len(spread)):
                yield k + 1, i, j, float(spread[i, j]), float(factor[i, j])


def _macros(training: Training, fit: Fit, standardize: bool) -> list[Macro]:
    version, rows, made = training.version, training.rows, training.made
    e = encoding(rows, made)
    predict = render_file(
        "scoring/predict_gaussian_mixture.sql.j2", e=e, transform=made, source=mark("data"),
        entries=entries(rows, e, standardize=standardize), diagonal=fit.whitening.ndim == 2,
        model=version.name, version=version.version,
    )  # fmt: skip
    evaluate = render_file(
        "scoring/evaluate_gaussian_mixture.sql.j2",
        source=call(version, "predict", mark("data")),
        parameters=float(fit.parameters),
    )
    return [
        Macro("predict", (("data", None),), predict, {"data": "ml.relation(data)"}),
        Macro("evaluate", (("data", "null"),), evaluate, over_given(training.evaluation_query)),
    ]


GAUSSIAN_MIXTURE = Family(
    "GAUSSIAN_MIXTURE", "none", OPTIONS, _train, task="clustering",
    objectives=lambda options: ("MEAN_LOG_LIKELIHOOD",),
)  # fmt: skip
