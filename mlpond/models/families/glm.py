"""The family glm, which is ours: generalized linear models with offsets and full inference."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlpond.errors import TrainingError
from mlpond.models import linear
from mlpond.models.families.family import Family, Fitted, Training
from mlpond.models.families.linear_reg import (
    LEARN_RATES,
    PENALTIES,
    check_choice,
    check_learn_rate,
    check_p_values,
    check_path,
    linear_fitted,
)
from mlpond.models.macros import supervised_macros
from mlpond.models.option import LABELLED, WEIGHTED, Option, refuse
from mlpond.models.registry import Macro
from mlpond.models.stream import Rows
from mlpond.models.warm import warm_start
from mlpond.models.weights import number_column
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.quoting import double
from mlpond.sql.templates.renderer import render_file
from mlpond.udfs.linear.fit import Fit
from mlpond.udfs.linear.likelihoods import FAMILIES

if TYPE_CHECKING:
    from mlpond.models.options import Options

TESTED = 1000  # columns up to which p-values are computed unasked
_FAMILIES = tuple(name.upper() for name in FAMILIES)
_LINKS = tuple(dict.fromkeys(link.upper() for f in FAMILIES.values() for link in f.links))

GLM_OPTIONS = (
    *LABELLED,
    Option("family", "string", "GAUSSIAN", _FAMILIES),
    Option("link", "string", None, _LINKS),
    Option("dispersion", "float", None, low=0.0, open_low=True),
    Option("offset_col", "column"),
    Option("exposure_col", "column"),
    *WEIGHTED,
    Option("max_iterations", "integer", 100, low=1),
    Option("warm_start", "boolean", False),
    Option("optimize_strategy", "string", "AUTO_STRATEGY",
           ("AUTO_STRATEGY", "BATCH_GRADIENT_DESCENT")),
    *LEARN_RATES,
    Option("calculate_p_values", "boolean", None),
    Option("fit_intercept", "boolean", True),
    Option("category_encoding_method", "string", "DUMMY_ENCODING",
           ("ONE_HOT_ENCODING", "DUMMY_ENCODING")),
    *PENALTIES,
)  # fmt: skip


def _family_of(options: Options) -> str:
    return str(options["family"]).lower()


def _link_of(options: Options) -> str:
    return str(options["link"] or FAMILIES[_family_of(options)].links[0]).lower()


def _check_options(who: str, options: Options) -> None:
    family = FAMILIES[_family_of(options)]
    link = _link_of(options)
    if link not in family.links:
        refuse(
            who,
            f"link {link} is not for family {family.name}, which takes {', '.join(family.links)}.",
        )
    if options["dispersion"] is not None and family.name != "negative_binomial":
        refuse(
            who,
            "dispersion is the alpha of family 'negative_binomial'; that of other families is "
            "estimated where they have one.",
        )
    if options["exposure_col"] is not None and link != "log":
        refuse(who, f"exposure_col is for the log link; with {link} use offset_col.")
    check_learn_rate(who, options)
    check_p_values(who, options)
    if options["regularization_path"] and (
        family.name == "negative_binomial" and options["dispersion"] is None
    ):
        refuse(who, "regularization_path needs the dispersion of a negative_binomial; give it.")
    check_path(who, options)


def _tests(training: Training) -> bool:
    """Whether standard errors are computed: when asked for, and unasked wherever they can be."""
    options = training.options
    if options["calculate_p_values"] is not None:
        return bool(options["calculate_p_values"])
    return (
        options["l1_reg"] == 0
        and not options["regularization_path"]
        and options["optimize_strategy"] == "AUTO_STRATEGY"
        and options["category_encoding_method"] == "DUMMY_ENCODING"
        and training.rows.layout.width <= TESTED
    )


def _check_label(training: Training) -> None:
    """Refuse labels that the family cannot have.

    Raises:
        TrainingError: says how many rows have one.
    """
    family = _family_of(training.options)
    label = training.rows.label
    bad, need = {
        "gaussian": ("false", ""),
        "poisson": ("y < 0", "0 or more"),
        "negative_binomial": ("y < 0 or y <> floor(y)", "a whole number of at least 0"),
        "gamma": ("y <= 0", "above 0"),
        "inverse_gaussian": ("y <= 0", "above 0"),
        "binomial": ("y < 0 or y > 1", "0, 1 or a share between them"),
    }[family]
    n = training.engine.value(
        f"select count(*) from (select {label} as y from {training.source.relation}) where {bad}"
    )
    if n:
        raise TrainingError(
            f"{training.request.who}: label {training.task.label} of family {family} must be "
            f"{need}, and is not in {n} rows; leave them out, or choose another family."
        )


@dataclass(frozen=True)
class _Offset:
    """SQL of the offset of a row, for training and for scoring; and about its size."""

    sql: str
    size: float


def _offset(training: Training) -> _Offset | None:
    engine, request, relation = training.engine, training.request, training.source.relation
    offset = number_column(engine, request, relation, "offset_col", "false", "a finite number")
    exposure = number_column(
        engine, request, relation, "exposure_col", "v <= 0", "a finite number above 0"
    )
    terms = [offset] if offset else []
    if exposure:
        terms.append(f"ln({exposure})")
    if not terms:
        return None
    sql = " + ".join(terms)
    return _Offset(sql, float(engine.value(f"select avg({sql}) from {relation}")))


def _train(training: Training) -> Fitted:
    from mlpond.udfs.linear.generalized import generalized_linear_model

    options = training.options
    check_choice(training)
    _check_label(training)
    offset = _offset(training)
    rows = replace(training.rows, offset=offset.sql if offset else None)
    training = replace(training, rows=rows)
    # zero-weight rows may move it a little, from which the fit only begins
    label_mean = training.engine.value(f"select avg({rows.label}) from {rows.relation}")
    run, warm = warm_start(training)
    chosen = replace(
        linear.fit_options(options), calculate_p_values=_tests(training),
        max_iterations=options["max_iterations"],
    )  # fmt: skip
    first = generalized_linear_model(
        rows.layout, linear.moments_of(rows, training.n, label_mean), chosen,
        _family_of(options), _link_of(options), options["dispersion"],
        has_offset=offset is not None, offset=offset.size if offset else 0.0, warm_start=warm,
    )  # fmt: skip
    fit, durations, _ = training.stream(first)
    return _fitted(training, rows, fit, durations, run)


def _fitted(training: Training, rows: Rows, fit: Fit, durations: list[int], run: int) -> Fitted:
    task, version, made = training.task, training.version, training.made
    body = linear.prediction_body(
        rows, task, fit, model=version.name, version=version.version, source=mark("data"),
        threshold="", transform=made, template="predict_glm", link=_link_of(training.options),
        offset=rows.offset,
    )  # fmt: skip
    macros = [
        _evaluate(training, fit, macro) if macro.function == "evaluate" else macro
        for macro in supervised_macros(version, task, body, training.evaluation_query)
    ]
    return replace(linear_fitted(training, rows, fit, durations, macros), run=run)


def _evaluate(training: Training, fit: Fit, macro: Macro) -> Macro:
    """The same macro with the columns of the deviance behind the others."""
    family = FAMILIES[_family_of(training.options)]
    alpha = fit.deviances.alpha if fit.deviances is not None else math.nan
    name = family.name
    if name == "negative_binomial" and not alpha > 0:
        name = "poisson"
    low, counts = family.lowest
    values: dict[str, Any] = {
        "source": f"ml.{linear.macro_name('predict', training.version)}({mark('data')})",
        "label": training.task.label,
        "predicted": f"predicted_{training.task.label}",
        "family": name,
        "alpha": alpha if alpha > 0 else 1.0,
        "lowest": double(low),
        "lowest_counts": counts,
        "inner": {"gaussian": "true", "binomial": "mean > 0e0 and mean < 1e0"}.get(
            name, "mean > 0e0"
        ),
    }
    return replace(macro, body=render_file("scoring/evaluate_glm.sql.j2", **values))


GLM = Family("GLM", "number", GLM_OPTIONS, _train, check_options=_check_options, boolean_label=True)
