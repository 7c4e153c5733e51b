"""Linear models: from options to a trainer, from its fit to rows and SQL."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from mlpond.models.families.family import Iteration, Table
from mlpond.models.options import Options
from mlpond.models.profile import Feature
from mlpond.models.registry import Macro, Version
from mlpond.models.stream import Rows
from mlpond.models.task import Task
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.quoting import identifier
from mlpond.sql.templates.renderer import render_file
from mlpond.udfs.linear.fit import CoefficientTests, Fit, Moments
from mlpond.udfs.linear.fit import Options as FitOptions
from mlpond.udfs.linear.warn import separated
from mlpond.udfs.moments import Sums
from mlpond.udfs.trainer import Pass

INTERCEPT = "__INTERCEPT__"
COEFFICIENT_COLUMNS = (
    "class_label", "position", "processed_input", "category", "weight", "standardized_weight",
    "standard_error", "standardized_error", "statistic", "p_value", "ci_lower", "ci_upper",
)  # fmt: skip
# Beyond so many categories the weights are joined, not written into the macro.
JOIN_ABOVE = 2_000


def moments_of(rows: Rows, n: int, label_mean: float = 0.0) -> Moments:
    """What the trainers are told of the n training rows."""
    return Moments(
        mean=np.array([f.mean for f in rows.dense], dtype=np.float64),
        sd=np.array([f.stddev for f in rows.dense], dtype=np.float64),
        rows=n,
        label_mean=label_mean,
    )


def fit_options(options: Options) -> FitOptions:
    """The options of the trainers."""
    values = {
        name: options[name]
        for name in (
            "l1_reg", "l2_reg", "fit_intercept", "optimize_strategy", "learn_rate_strategy",
            "early_stop", "min_rel_progress", "calculate_p_values", "regularization_path",
            "l1_ratio",
        )
    }  # fmt: skip
    for name in ("learn_rate", "ls_init_learn_rate"):
        if options[name] is not None:
            values[name] = options[name]
    if "max_iterations" in options.given:
        values["max_iterations"] = options["max_iterations"]
    return FitOptions(**values)


def first_pass(
    rows: Rows,
    task: Task,
    options: Options,
    n: int,
    label_mean: float,
    warm_start: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]] | None,
) -> Pass[Any]:
    """Build the trainer of a linear or logistic regression."""
    moments, chosen = moments_of(rows, n, label_mean), fit_options(options)
    if task.kind == "regression":
        from mlpond.udfs.linear.linear_regression import linear_regression

        return linear_regression(rows.layout, moments, chosen, warm_start)
    from mlpond.udfs.linear.logistic_regression import logistic_regression

    return logistic_regression(rows.layout, moments, chosen, len(task.classes), warm_start)


def with_moments(
    rows: Rows, info: list[tuple[Any, ...]], sums: Sums, near: np.ndarray[Any, Any]
) -> tuple[Rows, list[tuple[Any, ...]]]:
    """Put exact moments where those of a sample were."""
    means, sds, medians = sums.mean(near).tolist(), sums.sd().tolist(), sums.median().tolist()
    learnt = [
        # a column that never varies keeps its exact mean and a deviation of 0
        feature if feature.is_constant else replace(feature, mean=mean, stddev=sd)
        for feature, mean, sd in zip(rows.features, means, sds, strict=True)
    ]
    described = [
        (*row[:5], feature.mean, middle, feature.stddev, *row[8:])
        for row, feature, middle in zip(info, learnt, medians, strict=True)
    ]
    return replace(rows, features=learnt), described


def standardise(rows: Rows, fit: Fit) -> Fit:
    """Take the standardised coefficients anew from moments that are better than the fit's were.

    All columns are dense and none has a missing value.
    """
    mean = np.array([feature.mean for feature in rows.dense])
    sd = np.array([feature.stddev for feature in rows.dense])
    intercept = [
        math.fsum([c, *(w * mean)]) for c, w in zip(fit.intercept, fit.coefficients, strict=True)
    ]
    return replace(
        fit, standardised=fit.coefficients * sd, standardised_intercept=np.array(intercept)
    )


def columns(rows: Rows) -> Iterator[tuple[Feature, int, str | None]]:
    """Yield (feature, index in it, category) of every column of the design, in its order."""
    for feature in rows.in_layout_order:
        for index, category in enumerate(feature.labels()):
            yield feature, index, category


def column_name(rows: Rows, column: int) -> str:
    """Name a column of the design in messages."""
    for position, (feature, _, category) in enumerate(columns(rows)):
        if position == column:
            return feature.atom.name if category is None else f"{feature.atom.name} = {category!r}"
    return "the intercept"


def coefficient_rows(rows: Rows, task: Task, fit: Fit) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of ml.coefficients, without model and version."""
    raw = fit.inference.raw if fit.inference else None
    scaled = fit.inference.standardised if fit.inference else None
    listed = list(columns(rows))
    infinite = {j for w in fit.warnings if w.kind == "separation" for j in w.columns}
    for k, label in enumerate(task.class_labels):
        weights = [*fit.coefficients[k], fit.intercept[k]]
        standardised = [*fit.standardised[k], fit.standardised_intercept[k]]
        for position, weight in enumerate(weights):
            is_intercept = position == len(listed)
            feature, index, category = (None, 0, None) if is_intercept else listed[position]
            name = INTERCEPT if feature is None else feature.atom.name
            tests: list[float | None] = [None] * 6
            if feature is not None and index == feature.dropped:
                tests = [math.nan] * 6  # the category that dummy encoding leaves out
            elif position in infinite or (infinite and is_intercept and _unknown(raw, position)):
                pass  # NULL: the best weight is infinite
            elif raw is not None and scaled is not None:
                tests = [
                    float(raw.standard_error[position]),
                    float(scaled.standard_error[position]),
                    float(raw.statistic[position]),
                    float(raw.p_value[position]),
                    float(raw.ci_lower[position]),
                    float(raw.ci_upper[position]),
                ]
            yield (
                label, position, name, category, float(weight), float(standardised[position]),
                *tests,
            )  # fmt: skip


def _unknown(tests: CoefficientTests | None, position: int) -> bool:
    return tests is not None and math.isnan(tests.standard_error[position])


def iterations(fit: Fit) -> list[Iteration]:
    """The training log as ml.training_info has it, without durations."""
    return [
        Iteration(step.iteration, step.loss, step.eval_loss, step.learning_rate)
        for step in fit.iterations
    ]


def path_tables(task: Task, fit: Fit) -> dict[str, Table]:
    """The rows of ml.regularization_path and ml.path_weights; none if there was no path."""
    steps = [
        (number, step.l1_reg, step.l2_reg, step.df, step.loss, step.eval_loss, step.is_chosen)
        for number, step in enumerate(fit.path)
    ]
    weights = [
        (number, label, position, float(weight))
        for number, step in enumerate(fit.path)
        for k, label in enumerate(task.class_labels)
        for position, weight in enumerate([*step.coefficients[k], step.intercept[k]])
        if weight != 0 or position == step.coefficients.shape[1]
    ]
    return {
        "regularization_path": Table(
            ("step", "l1_reg", "l2_reg", "df", "loss", "eval_loss", "is_chosen"), steps
        ),
        "path_weights": Table(("step", "class_label", "position", "weight"), weights),
    }


def fit_statistics(task: Task, fit: Fit) -> dict[str, float]:
    """Return the numbers that describe the whole fit."""
    found = {
        "condition_number": fit.condition_number,
        "objective": fit.objective,
        "passes": float(fit.passes),
        "converged": float(fit.converged),
    }
    if fit.deviances is not None:
        found |= {name: float(value) for name, value in asdict(fit.deviances).items()}
    if fit.inference is not None:
        names = ["df", "log_likelihood", "aic", "bic", "residual_sd", "r_squared",
                 "adjusted_r_squared", "f_statistic", "f_df"]  # fmt: skip
        found |= {name: float(getattr(fit.inference, name)) for name in names}
    return {name: value for name, value in found.items() if not math.isnan(value)}


def warnings_of(rows: Rows, fit: Fit) -> list[str]:
    """Say the trainer's warnings with the names of the columns."""
    said = [
        f"constant: {feature.atom.name} has one value in all training rows, or none; "
        "its weight is 0"
        for feature in rows.features
        if feature.is_constant
    ]
    for warning in fit.warnings:
        if warning.kind == "constant":  # said above, for a whole feature at once
            continue
        if warning.kind == "separation":
            warning = separated(_without_dummies(rows, warning.columns))
        text = warning.message
        for column in sorted(warning.columns, reverse=True):
            text = text.replace(f"column {column}", column_name(rows, column))
        said.append(f"{warning.kind}: {text}")
    return said


def _without_dummies(rows: Rows, named: tuple[int, ...]) -> tuple[int, ...]:
    """Name the category that dummy encoding leaves out instead of all others of its feature."""
    kept, first = set(named), 0
    for feature in rows.in_layout_order:
        width = len(feature.labels())
        if feature.dropped is not None:
            others = set(range(first, first + width)) - {first + feature.dropped}
            if others and others <= kept:
                kept = kept - others | {first + feature.dropped}
        first += width
    return tuple(sorted(kept))


@dataclass(frozen=True)
class Terms:
    """A linear score as its terms, for scoring/terms.sql.j2.

    Attributes:
        features: A feature each: its SQL and its weights in every score.
        intercepts: The constant of every score.
        joins: Tables of coefficients to join, for features with very many categories.
    """

    features: list[dict[str, Any]]
    intercepts: list[float]
    joins: list[dict[str, Any]]


def terms(
    rows: Rows, fit: Fit, *, model: str, version: int, transform: list[tuple[str, str]]
) -> Terms:
    """Write the score of a fit as terms over the columns of the data.

    Args:
        rows: The features.
        fit: Their weights.
        model: Name of the model, and
        version: its version, where ml.coefficients has the weights of many categories.
        transform: (alias, SQL) of the columns that TRANSFORM makes.
    """
    features: list[dict[str, Any]] = []
    joins: list[dict[str, Any]] = []
    offset = 0
    intercepts = [float(value) for value in fit.intercept]
    for feature in rows.in_layout_order:
        if transform:
            feature = feature.within("__mlpond")
        width = len(feature.labels())
        block = fit.coefficients[:, offset : offset + width]  # (C, width)
        offset += width
        entry: dict[str, Any] = {
            "kind": "sparse" if feature.atom.kind == "multi_hot" else feature.atom.kind,
            "input": feature.atom.input,
            "x": feature.atom.expression,
            "weights": [[float(v) for v in weights] for weights in block],
        }
        if feature.atom.kind == "numeric":
            # centred where there is an intercept: NULL, which is the mean, then adds nothing
            shift = feature.mean if _has_intercept(fit) else 0.0
            entry["shift"] = shift
            entry["null_terms"] = [(feature.mean - shift) * float(w[0]) for w in block]
            intercepts = [c + shift * float(w[0]) for c, w in zip(intercepts, block, strict=True)]
        elif feature.atom.kind == "category":
            _add_category(entry, feature, joins, model, version)
        else:
            entry["x"] = feature.sparse_sql()
        features.append(entry)
    if _has_intercept(fit):  # the same sum as the loop's, without its rounding
        intercepts = [float(value) for value in fit.standardised_intercept]
    return Terms(features, intercepts, joins)


def prediction_body(
    rows: Rows,
    task: Task,
    fit: Fit,
    *,
    model: str,
    version: int,
    transform: list[tuple[str, str]],
    source: str,
    threshold: str,
    template: str | None = None,
    **more: Any,
) -> str:
    """Write the query that scores a relation in plain SQL.

    Args:
        rows: The features.
        task: What is predicted.
        fit: The weights.
        model: Name of the model.
        version: Its version.
        transform: (alias, SQL) of the columns that TRANSFORM makes.
        source: What to score.
        threshold: Probability from which a row is called positive.
        template: Of the query; by default that of the task.
        more: Further values that the template needs.
    """
    score = terms(rows, fit, model=model, version=version, transform=transform)
    template = (
        template
        or {
            "regression": "predict_linear_reg",
            "binary": "predict_logistic_binary",
            "multiclass": "predict_logistic_multiclass",
        }[task.kind]
    )
    return render_file(
        f"scoring/{template}.sql.j2",
        features=score.features,
        intercepts=score.intercepts,
        joins=score.joins,
        transform=transform,
        source=source,
        threshold=threshold,
        predicted=f"predicted_{task.label}",
        probabilities=f"predicted_{task.label}_probs",
        classes=task.literals(),
        **more,
    )


def _has_intercept(fit: Fit) -> bool:
    return bool(np.any(fit.standardised_intercept != 0.0))


def _add_category(
    entry: dict[str, Any], feature: Feature, joins: list[dict[str, Any]], model: str, version: int
) -> None:
    entry["categories"] = list(feature.categories)
    entry["has_null"] = feature.has_null
    if feature.dropped is not None:
        for weights in entry["weights"]:
            weights[feature.dropped] = 0.0
    if len(feature.categories) <= JOIN_ABOVE:
        return
    alias = f"__join_{len(joins)}"
    entry["join"] = alias
    null = f"coalesce({entry['x']}, '_null_filler')" if feature.has_null else entry["x"]
    joins.append(
        {"alias": alias, "x": null, "input": feature.atom.name, "model": model, "version": version}
    )


def macro_name(function: str, version: Version) -> str:
    """The quoted name of a function of a version, in schema ml."""
    return identifier(f"{function}_{version.full_name}")


def weights_macro(version: Version, task: Task) -> Macro:
    """Write the macro of ML.WEIGHTS."""
    body = render_file(
        "scoring/weights.sql.j2",
        weight=mark("standardize"),
        model=version.name,
        version=version.version,
        multiclass=task.kind == "multiclass",
    )
    chosen = "case when standardize then 'standardized_weight' else 'weight' end"
    return Macro("weights", (("standardize", "false"),), body, {"standardize": chosen})
