"""The families linear_reg and logistic_reg."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mlpond.models import features, inference, linear
from mlpond.models.explanation import linear_explanation
from mlpond.models.families.family import Family, Fitted, Table, Training, timed
from mlpond.models.macros import supervised_macros
from mlpond.models.option import CLASSES, LABELLED, WEIGHTED, Option, Range, refuse
from mlpond.models.stream import Rows
from mlpond.models.warm import warm_start
from mlpond.sql.templates.installer import mark
from mlpond.udfs.linear.fit import Fit

if TYPE_CHECKING:
    from mlpond.models.options import Options
    from mlpond.models.registry import Macro
    from mlpond.models.request import Request

PENALTIES = (
    Option("l1_reg", "float", 0.0, low=0.0, tune=Range(0, 10, log=True, open_low=True)),
    Option("l2_reg", "float", 0.0, low=0.0, tune=Range(0, 10, log=True, open_low=True)),
    Option("regularization_path", "integer", 0, low=0),  # ours: how many penalties to try
    Option("l1_ratio", "float", 1.0, low=0.0, high=1.0),  # ours: share of l1 in those
)
LEARN_RATES = (
    Option("learn_rate_strategy", "string", "LINE_SEARCH", ("LINE_SEARCH", "CONSTANT")),
    Option("learn_rate", "float", None, low=0.0, open_low=True),
    Option("ls_init_learn_rate", "float", None, low=0.0, open_low=True),
)
LINEAR = (
    *LABELLED,
    Option("warm_start", "boolean", False),
    Option("optimize_strategy", "string", "AUTO_STRATEGY",
           ("AUTO_STRATEGY", "BATCH_GRADIENT_DESCENT", "NORMAL_EQUATION")),
    *LEARN_RATES,
    Option("calculate_p_values", "boolean", False),
    Option("fit_intercept", "boolean", True),
    Option("category_encoding_method", "string", "ONE_HOT_ENCODING",
           ("ONE_HOT_ENCODING", "DUMMY_ENCODING")),
    *WEIGHTED,
    *PENALTIES,
)  # fmt: skip


def _check_options(who: str, options: Options) -> None:
    check_learn_rate(who, options)
    if options["optimize_strategy"] == "NORMAL_EQUATION":
        if options.model_type != "LINEAR_REG":
            refuse(who, "optimize_strategy NORMAL_EQUATION is for linear_reg only.")
        if options["l1_reg"] > 0 or options["warm_start"]:
            refuse(who, "optimize_strategy NORMAL_EQUATION excludes l1_reg and warm_start.")
    check_p_values(who, options)
    check_path(who, options)
    if options.values.get("auto_class_weights") and options.values.get("class_weights"):
        refuse(who, "auto_class_weights and class_weights exclude each other; keep one of them.")


def check_learn_rate(who: str, options: Options) -> None:
    """Refuse a rate that the strategy does not look at."""
    if options["learn_rate"] is not None and options["learn_rate_strategy"] == "LINE_SEARCH":
        refuse(
            who,
            "learn_rate is for learn_rate_strategy = 'CONSTANT'; with LINE_SEARCH set "
            "ls_init_learn_rate instead.",
        )


def check_p_values(who: str, options: Options) -> None:
    """Refuse p-values of weights that are not identified, or penalised by l1_reg."""
    if options["calculate_p_values"]:
        if options["category_encoding_method"] != "DUMMY_ENCODING":
            refuse(
                who,
                "calculate_p_values needs category_encoding_method = 'DUMMY_ENCODING', so that "
                "the coefficients are identified.",
            )
        if options["l1_reg"] > 0:
            refuse(who, "calculate_p_values excludes l1_reg: its standard errors are not defined.")


def check_path(who: str, options: Options) -> None:
    """Check regularization_path and l1_ratio against the other options.

    Raises:
        InputError: they contradict each other.
    """
    tried = options["regularization_path"]
    if not tried:
        if "l1_ratio" in options.given:
            refuse(who, "l1_ratio is for regularization_path; set l1_reg and l2_reg instead.")
        return
    if tried == 1:
        refuse(who, "regularization_path is 1; it must be the number of penalties to try, from 2.")
    others = [
        name for name in ("l1_reg", "l2_reg", "calculate_p_values", "warm_start") if options[name]
    ]
    if options["optimize_strategy"] != "AUTO_STRATEGY":
        others.append("optimize_strategy")
    if others:
        refuse(
            who, f"regularization_path chooses the penalty itself and excludes {', '.join(others)}."
        )


def check_choice(training: Training) -> None:
    """Refuse a path of which no step can be chosen.

    Raises:
        InputError: there are no held-out rows, and all steps have the same number of weights.
    """
    options = training.options
    if options["regularization_path"] and options["l1_ratio"] == 0 and not training.n_held_out:
        refuse(
            training.request.who,
            "with l1_ratio = 0 all weights stay, so that only held-out rows can choose the "
            "penalty; set data_split_method, or an l1_ratio above 0.",
        )


def _may_gather(request: Request) -> bool:
    """Tell whether the first pass may gather the moments.

    Nothing that the fit rests on may need them before: no penalty, no NULL to fill (the caller
    counts them), no TRANSFORM, and only numbers.
    """
    options = request.options
    return (
        request.transform is None
        and all(features.is_number(kind) for _, kind in request.input_columns)
        and options["fit_intercept"]
        and not options["calculate_p_values"]
        and options["l1_reg"] == options["l2_reg"] == options["regularization_path"] == 0
        and options["instance_weight_col"] is None
    )


def _train(training: Training) -> Fitted:
    rows, task, options = training.rows, training.task, training.options
    check_choice(training)
    label_mean = 0.0
    if task.kind == "regression":  # near it is enough, so that the first rows tell
        label_mean = training.engine.value(
            f"select avg({rows.label}) from (from {rows.relation} limit 1000)"
        )
    run, warm = warm_start(training)
    first = linear.first_pass(rows, task, options, training.n, label_mean, warm)
    near = np.array([feature.mean for feature in rows.features]) if training.gathers else None
    fit, durations, sums = training.stream(first, near)
    info = training.info
    if sums is not None and near is not None:
        rows, info = linear.with_moments(rows, info, sums, near)
        fit = linear.standardise(rows, fit)
    return replace(_fitted(training, rows, fit, durations), run=run, info=info)


def _fitted(training: Training, rows: Rows, fit: Fit, durations: list[int]) -> Fitted:
    task, version, made = training.task, training.version, training.made
    if training.options["instance_weight_col"] is not None:
        fit = replace(fit, design=None)  # the functions of regression inference know no weights
    body = linear.prediction_body(
        rows, task, fit, model=version.name, version=version.version, source=mark("data"),
        threshold=mark("threshold"), transform=made,
    )  # fmt: skip
    macros = supervised_macros(version, task, body, training.evaluation_query)
    return linear_fitted(training, rows, fit, durations, macros)


def linear_fitted(
    training: Training, rows: Rows, fit: Fit, durations: list[int], predicting: list[Macro]
) -> Fitted:
    """Put together what is stored of a linear model.

    Args:
        training: What it was trained on.
        rows: Its features.
        fit: Its weights.
        durations: Of every pass, in milliseconds.
        predicting: Its functions ``predict``, ``evaluate`` and so on.
    """
    task, version = training.task, training.version
    macros = [
        *predicting,
        linear.weights_macro(version, task),
        linear_explanation(training, rows, fit),
        *inference.inference_macros(
            version, rows, task, fit, training.options, training.made, training.training_query
        ),
    ]
    return Fitted(
        macros,
        tables={
            "coefficients": Table(
                linear.COEFFICIENT_COLUMNS, linear.coefficient_rows(rows, task, fit)
            ),
            "coefficient_factors": Table(
                ("position", "factor", "sum_of_squares"), inference.factor_rows(rows, fit)
            ),
            **linear.path_tables(task, fit),
        },
        iterations=timed(linear.iterations(fit), durations),
        loss=fit.loss,
        warnings=linear.warnings_of(rows, fit),
        statistics=linear.fit_statistics(task, fit),
    )


LINEAR_REG = Family(
    "LINEAR_REG", "number", LINEAR, _train, check_options=_check_options, may_gather=_may_gather
)
LOGISTIC_REG = Family(
    "LOGISTIC_REG", "class", LINEAR + CLASSES, _train,
    check_options=_check_options, may_gather=_may_gather,
)  # fmt: skip
