"""The family naive_bayes: class priors and one distribution a feature and class; ours."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpond.errors import TrainingError
from mlpond.models import features, profile
from mlpond.models.encoding import encoding
from mlpond.models.families.family import Family, Fitted, Iteration, Table, Training
from mlpond.models.macros import supervised_macros
from mlpond.models.naive_bayes import Array, Kinds, Learnt, complement, gaussian_constant, learn
from mlpond.models.option import CALIBRATED, LABELLED, Option, refuse
from mlpond.models.profile import Feature
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.renderer import render_file

if TYPE_CHECKING:
    from mlpond.models.options import Options
    from mlpond.models.request import Request

PRIOR = "__PRIOR__"
MEDIAN_ROWS = 100_000  # that the medians of a large table come from
DISTRIBUTIONS = ("GAUSSIAN", "BERNOULLI", "MULTINOMIAL")
NAMED = {f"{name.lower()}_cols": name for name in DISTRIBUTIONS}

OPTIONS = (
    *LABELLED,
    *CALIBRATED,
    Option("distribution", "string", "GAUSSIAN", DISTRIBUTIONS),  # of the numbers
    *(Option(name, "names", []) for name in NAMED),  # columns that depart from it
    Option("smoothing", "float", 1.0, low=0.0),
    Option("var_smoothing", "float", 1e-9, low=0.0),
    Option("fit_prior", "boolean", True),
    Option("class_prior", "class_weights"),
)


def _check_options(who: str, options: Options) -> None:
    if options["class_prior"] and "fit_prior" in options.given and options["fit_prior"]:
        refuse(who, "class_prior and fit_prior exclude each other; keep one of them.")
    seen: dict[str, str] = {}
    for option in NAMED:
        for name in options[option]:
            if name.lower() in seen:
                refuse(who, f"column {name} is in {seen[name.lower()]} and {option}; keep one.")
            seen[name.lower()] = option


def _check_columns(request: Request) -> None:
    known = {name.lower(): kind for name, kind in request.input_columns}
    for option in NAMED:
        for name in request.options[option]:
            if request.transform is None and name.lower() not in known:
                refuse(
                    request.who,
                    f"{option} names {name!r}, which is no feature; the features are "
                    f"{', '.join(name for name, _ in request.input_columns)}.",
                )


def _may_gather(request: Request) -> bool:
    """Tell whether one scan can do: the aggregate knows the moments of gaussians without NULL."""
    return (
        request.transform is None
        and all(features.is_number(kind) for _, kind in request.input_columns)
        and request.options["distribution"] == "GAUSSIAN"
        and not any(request.options[option] for option in NAMED)
    )


def _kinds(training: Training) -> Kinds:
    """Sort the features by their distribution."""
    options, kinds = training.options, Kinds()
    named = {name.lower(): kind for option, kind in NAMED.items() for name in options[option]}
    for feature in training.rows.in_layout_order:
        kind = feature.atom.kind
        if kind == "category":
            kinds.categorical.append(feature)
        elif kind == "multi_hot":
            kinds.bernoulli.append(feature)
        elif kind == "sparse":
            kinds.multinomial.append(feature)
        else:
            chosen = named.get(feature.atom.name.lower()) or named.get(feature.atom.input.lower())
            wanted = chosen or options["distribution"]
            if wanted == "GAUSSIAN" and feature.is_constant:
                continue  # says the same of every class
            getattr(kinds, wanted.lower()).append(feature)
    for feature in kinds.multinomial:
        _check_counts(training, feature)
    return kinds


def _check_counts(training: Training, feature: Feature) -> None:
    if feature.atom.kind == "numeric":
        least = next((row[3] for row in training.info if row[1] == feature.atom.input), None)
    else:  # signed counts, as of ML.HASHED_FEATURES, are no counts either
        least = training.engine.value(
            f"select min(e.value) from (select unnest({feature.sparse_sql()}) as e "
            f"from {training.rows.relation})"
        )
    if least is not None and least < 0:
        is_number = feature.atom.kind == "numeric"
        raise TrainingError(
            f"{training.request.who}: column {feature.atom.name} has values down to {least}; a "
            "multinomial counts, so they must be 0 or more. Use "
            + ("distribution = 'GAUSSIAN'." if is_number else "ML.ONE_HOT_ENCODER or the like.")
        )


def _train(training: Training) -> Fitted:
    kinds, task, options = _kinds(training), training.task, training.options
    training.report("counting by class", None)
    found = learn(training.engine, training.rows, kinds, len(task.classes), options)
    flat = np.argwhere(found.variance <= 0.0)
    if len(flat):
        k, j = flat[0]
        raise TrainingError(
            f"{training.request.who}: column {kinds.gaussian[j].atom.name} has one value in class "
            f"{task.classes[k]}, so its variance is 0; set var_smoothing above 0."
        )
    prior = _log_prior(training, found)
    info = training.info
    if training.gathers:
        expressions = [f.atom.expression for f in kinds.gaussian]
        relation, n = training.relation, training.n
        if training.rows.sampled is not None and n > MEDIAN_ROWS:
            # whole stretches of rows: a fifth of the time of single ones
            relation, n = training.rows.sampled(MEDIAN_ROWS / n), MEDIAN_ROWS
        medians = profile.medians(training.engine, relation, expressions, n)
        known = zip(found.total_mean.tolist(), medians, found.total_sd.tolist(), strict=True)
        info = profile.described(info, [f.atom.name for f in kinds.gaussian], known)
    said = [
        f"constant: {feature.atom.name} has one value in all training rows, or none; it tells "
        "nothing of the class"
        for feature in training.rows.features
        if feature.is_constant
    ]
    parameters = Table(
        ("class_label", "position", "processed_input", "category", "distribution", "mean",
         "variance", "log_probability"),
        _parameter_rows(training, kinds, found, prior),
    )  # fmt: skip
    body = _prediction(training, kinds, found, prior)
    return Fitted(
        supervised_macros(training.version, task, body, training.evaluation_query),
        tables={"class_parameters": parameters},
        iterations=[Iteration(0, None)],
        warnings=said,
        info=info,
    )


def _log_prior(training: Training, found: Learnt) -> Array:
    """ln p(k): of the rows, given, or the same for every class."""
    options, classes = training.options, training.task.classes
    if options["class_prior"]:
        given = dict(options["class_prior"])
        if set(given) != set(classes):
            refuse(
                training.request.who,
                f"class_prior names {', '.join(given)}; the label has {', '.join(classes)}, and "
                "each needs a prior.",
            )
        weights = np.array([given[text] for text in classes])
    elif options["fit_prior"]:
        weights = found.rows
    else:
        weights = np.ones(len(classes))
    if not np.all(weights > 0):
        text = classes[int(np.argmin(weights))]
        refuse(
            training.request.who,
            f"class {text} has a prior of 0 (no training row, or class_prior); no row could ever "
            "be given it. Give it a prior above 0, or hold out other rows.",
        )
    return np.asarray(np.log(weights / weights.sum()))


def _parameter_rows(
    training: Training, kinds: Kinds, found: Learnt, prior: Array
) -> Iterator[tuple[Any, ...]]:
    for k, label in enumerate(training.task.classes):
        yield label, 0, PRIOR, None, "prior", None, None, float(prior[k])
        position = 1
        for j, feature in enumerate(kinds.gaussian):
            mean, variance = float(found.mean[k, j]), float(found.variance[k, j])
            yield label, position, feature.atom.name, None, "gaussian", mean, variance, None
            position += 1
        for kind in ("bernoulli", "multinomial", "categorical"):
            for feature in getattr(kinds, kind):
                table = found.log_probability[feature.atom.name]
                for value, category in zip(table[k].tolist(), feature.labels(), strict=True):
                    known = value if math.isfinite(value) else None
                    yield label, position, feature.atom.name, category, kind, None, None, known
                    position += 1


def _prediction(training: Training, kinds: Kinds, found: Learnt, prior: Array) -> str:
    rows, made, task = training.rows, training.made, training.task
    linear = [
        f for f in rows.in_layout_order if f not in kinds.gaussian and not _is_left_out(f, kinds)
    ]
    constants = prior.copy()
    blocks = []
    bernoulli = {f.atom.name for f in kinds.bernoulli}
    for feature in linear:
        table = found.log_probability[feature.atom.name]
        if feature.atom.name in bernoulli:
            off = complement(table)
            constants += off.sum(axis=1)
            table = table - off
        blocks.append(table)
    weights = np.hstack(blocks) if blocks else np.zeros((len(prior), 0))
    if not np.all(np.isfinite(weights)):
        raise TrainingError(
            f"{training.request.who}: a value that never meets a class has probability 0, and its "
            "logarithm is no number; set smoothing above 0."
        )
    counted = replace(rows, features=linear)
    e = encoding(counted, made)
    # counts and flags are not centred: what is not known counts 0
    numbers = []
    for feature in counted.dense:
        placed = feature.within("__mlpond") if made else feature
        x = placed.atom.expression
        is_flag = feature.atom.name in bernoulli
        numbers.append(f"coalesce(({x} > 0)::double, 0e0)" if is_flag else f"coalesce({x}, 0e0)")
    e = replace(e, numbers=numbers)
    gaussians = [f.within("__mlpond") if made else f for f in kinds.gaussian]
    joints = [
        {
            "map": one,
            "gaussians": [
                {
                    "column": j,
                    "constant": gaussian_constant(float(found.variance[k, j])),
                    "mean": float(found.mean[k, j]),
                    "factor": 0.5 / float(found.variance[k, j]),
                }
                for j in range(len(gaussians))
            ],
        }
        for k, one in enumerate(e.maps(weights, constants))
    ]
    return render_file(
        "scoring/predict_naive_bayes.sql.j2",
        joints=joints,
        e=e,
        numbers={f"__n{j}": f.atom.expression for j, f in enumerate(gaussians)},
        binary=task.kind == "binary",
        transform=made,
        source=mark("data"),
        threshold=mark("threshold"),
        predicted=f"predicted_{task.label}",
        probabilities=f"predicted_{task.label}_probs",
        classes=task.literals(),
    )


def _is_left_out(feature: Feature, kinds: Kinds) -> bool:
    """Whether a number was left out because it is constant."""
    listed = (*kinds.bernoulli, *kinds.multinomial, *kinds.categorical)
    return feature not in listed


NAIVE_BAYES = Family(
    "NAIVE_BAYES", "class", OPTIONS, _train, check_options=_check_options,
    check_columns=_check_columns, may_gather=_may_gather,
)  # fmt: skip
