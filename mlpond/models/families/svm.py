"""The families svm_classifier and svm_regressor; ours, for BigQuery ML has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpond.models import linear
from mlpond.models.encoding import Encoding, encoding
from mlpond.models.explanation import linear_explanation
from mlpond.models.families.family import Family, Fitted, Iteration, Table, Training, timed
from mlpond.models.macros import supervised_macros
from mlpond.models.option import CLASSES, LABELLED, Option, refuse
from mlpond.models.registry import Macro
from mlpond.models.task import PROBABILITIES, SCORES
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.renderer import render_file

if TYPE_CHECKING:
    from mlpond.models.options import Options
    from mlpond.models.stream import Rows
    from mlpond.udfs.linear.fit import Fit
    from mlpond.udfs.svm.fit import Options as SvmOptions

EXACT_ROWS = 20_000  # rows up to which AUTO solves a kernel machine exactly
MOST_COLUMNS = 5_000  # columns of a linear machine: its Hessian is 200 MB
SUPPORTS = 1e-3  # alpha from which a row counts as a support vector, as a share of the most

OPTIONS = (
    *LABELLED,
    Option("kernel", "string", "LINEAR", ("LINEAR", "RBF", "POLYNOMIAL")),
    Option("loss", "string", "HINGE", ("HINGE", "SQUARED_HINGE")),
    Option("l2_reg", "float", 1.0, low=0.0, open_low=True),
    Option("gamma", "float", None, low=0.0, open_low=True),
    Option("coef0", "float", 0.0),
    Option("degree", "integer", 3, low=1),
    Option("svm_solver", "string", "AUTO", ("AUTO", "EXACT", "RANDOM_FEATURES")),
    Option("num_random_features", "integer", 500, low=1, high=5000),
    Option("fit_intercept", "boolean", True),
)
REGRESSION = (Option("epsilon", "float", 0.1, low=0.0),)


def _check_options(who: str, options: Options) -> None:
    kernel, given = options["kernel"], options.given
    for name, kernels in {
        "gamma": ("RBF", "POLYNOMIAL"), "coef0": ("POLYNOMIAL",), "degree": ("POLYNOMIAL",),
        "num_random_features": ("RBF",),
    }.items():  # fmt: skip
        if name in given and kernel not in kernels:
            refuse(
                who, f"{name} is for kernel {' and '.join(kernels)}, and the kernel is {kernel}."
            )
    if options["svm_solver"] == "RANDOM_FEATURES" and kernel != "RBF":
        refuse(who, f"svm_solver RANDOM_FEATURES is for kernel RBF, and the kernel is {kernel}.")
    if kernel != "LINEAR" and not options["fit_intercept"]:
        refuse(who, "fit_intercept = FALSE is for kernel LINEAR.")
    if options["loss"] == "SQUARED_HINGE" and kernel != "LINEAR":
        refuse(who, f"loss SQUARED_HINGE is for kernel LINEAR, and the kernel is {kernel}.")
    if options.values.get("auto_class_weights") and options.values.get("class_weights"):
        refuse(who, "auto_class_weights and class_weights exclude each other; keep one of them.")


@dataclass(frozen=True)
class _Machine:
    """A trained machine in the form that the templates and the registry need.

    Attributes:
        values: What decisions.sql.j2 needs, without source and transform.
        tables: Parameter rows.
        widths: Of the smooth hinge, one a decision; none where alpha is not known from a score.
        warnings: What the user should know.
        statistics: Rows of ml.fit_statistics.
        columns: Names of the columns of the design.
        fit: The weights of a linear machine.
    """

    values: dict[str, Any]
    tables: dict[str, Table]
    widths: tuple[float, ...]
    warnings: list[str]
    statistics: dict[str, float]
    iterations: list[Iteration]
    loss: float
    columns: list[str]
    fit: Fit | None = None


def _svm_options(training: Training) -> SvmOptions:
    from mlpond.udfs.svm.fit import Options as SvmOptions

    options = training.options
    return SvmOptions(
        is_regression=training.task.kind == "regression",
        l2_reg=options["l2_reg"],
        loss=options["loss"],
        epsilon=options.values.get("epsilon", 0.0),
        fit_intercept=options["fit_intercept"],
        max_iterations=options["max_iterations"] if "max_iterations" in options.given else None,
    )


def _train(training: Training) -> Fitted:
    options, rows = training.options, training.rows
    if options["kernel"] == "LINEAR":
        machine = _linear(training)
    elif options["kernel"] == "RBF" and _is_approximate(training):
        machine = _random_features(training)
    else:
        machine = _kernel(training)
    said = [
        f"constant: {feature.atom.name} has one value in all training rows, or none; it has no say"
        for feature in rows.features
        if feature.is_constant
    ]
    return Fitted(
        _macros(training, machine),
        tables=machine.tables,
        iterations=machine.iterations,
        loss=machine.loss,
        warnings=said + machine.warnings,
        statistics=machine.statistics,
        class_scores=SCORES,
    )


def _is_approximate(training: Training) -> bool:
    solver = training.options["svm_solver"]
    return solver == "RANDOM_FEATURES" or (solver == "AUTO" and training.n > EXACT_ROWS)


def _label_mean(training: Training) -> float:
    """Near it is enough, so that the first rows tell."""
    if training.task.kind != "regression":
        return 0.0
    rows = training.rows
    return float(
        training.engine.value(f"select avg({rows.label}) from (from {rows.relation} limit 1000)")
    )


def _one_a_class(training: Training, problem: Any) -> Any:
    from mlpond.udfs.svm.one_vs_rest import OneVsRest

    classes = len(training.task.classes)
    return OneVsRest((problem,) * classes) if classes > 2 else problem


def _iterations(fit: Any, durations: list[int]) -> list[Iteration]:
    log = [Iteration(i.iteration, i.loss, i.eval_loss, i.learning_rate) for i in fit.iterations]
    return timed(log, durations)


def _warnings(fit: Any) -> list[str]:
    return [f"{w.kind}: {w.message}" for w in fit.warnings if w.kind != "constant"]


def _linear(training: Training) -> _Machine:
    from mlpond.udfs.svm.linear import linear_svm

    rows, task = training.rows, training.task
    width = rows.layout.width
    if width > MOST_COLUMNS:
        refuse(
            training.request.who,
            f"the features make {width} columns, and a linear machine takes {MOST_COLUMNS} at "
            "most; leave out inputs with many categories, or use logistic_reg.",
        )
    known = linear.moments_of(rows, training.n, _label_mean(training))
    first = linear_svm(rows.layout, known, _svm_options(training))
    fit, durations, _ = training.stream(_one_a_class(training, first))
    e = encoding(rows, training.made)
    coefficients = Table(linear.COEFFICIENT_COLUMNS, linear.coefficient_rows(rows, task, fit))
    return _Machine(
        {"machine": "linear", "decisions": e.maps(fit.coefficients, _constants(rows, fit)), "e": e},
        {"coefficients": coefficients},
        fit.widths,
        _warnings(fit),
        linear.fit_statistics(task, fit),
        _iterations(fit, durations),
        fit.loss,
        [],
        fit,
    )


def _constants(rows: Rows, fit: Fit) -> np.ndarray[Any, Any]:
    """The intercepts for columns that are centred at the means of the features."""
    means = np.array([f.mean for f in rows.dense])
    return np.asarray(fit.intercept + fit.coefficients[:, : means.size] @ means)


def _gamma(training: Training) -> float:
    """1 / (p variance) of the standardised design, its categories by their frequencies."""
    given = training.options["gamma"]
    if given is not None:
        return float(given)
    rows = training.rows
    p = rows.layout.width
    varying = sum(not f.is_constant for f in rows.dense)
    ones = sum(sum(f.counts) for f in (*rows.codes, *rows.sparse)) / training.n
    variance = (varying + ones) / p - (ones / p) ** 2
    return 1.0 / (p * variance) if variance > 0 else 1.0


def _random_features(training: Training) -> _Machine:
    from mlpond.udfs.design import Layout
    from mlpond.udfs.svm.linear import linear_svm
    from mlpond.udfs.svm.random_features import Mapped, feature_moments, random_features

    rows, options = training.rows, training.options
    D, gamma = options["num_random_features"], _gamma(training)
    known = linear.moments_of(rows, training.n, _label_mean(training))
    phi = random_features(rows.layout, known, gamma, D, options["seed"])
    inner = linear_svm(Layout(D), feature_moments(known, D), _svm_options(training))
    fit, durations, _ = training.stream(Mapped(_one_a_class(training, inner), rows.layout, phi))
    e = encoding(rows, training.made)
    phase = phi.phase + np.array([f.mean for f in rows.dense]) @ phi.omega[: len(rows.dense)]
    weights = fit.coefficients * np.sqrt(2.0 / D)  # (C, D)
    table = Table(
        ("position", "frequencies", "phase", "weights"),
        [(j, phi.omega[:, j].tolist(), float(phase[j]), weights[:, j].tolist()) for j in range(D)],
    )
    said = _warnings(fit)
    if options["svm_solver"] == "AUTO":
        said.append(
            f"approximate: {training.n} rows are more than {EXACT_ROWS}, so {D} random features "
            "take the place of the kernel; svm_solver = 'EXACT' solves the machine itself"
        )
    return _Machine(
        {
            "machine": "random_features",
            "decisions": [row.tolist() for row in weights],
            "intercepts": fit.intercept.tolist(),
            "waves": e.maps(phi.omega.T, phase),
            "e": e,
        },
        {"random_features": table},
        fit.widths,
        said,
        {"gamma": gamma, **linear.fit_statistics(training.task, fit)},
        _iterations(fit, durations),
        fit.loss,
        [],
    )


def _kernel(training: Training) -> _Machine:
    from mlpond.udfs.svm.kernel_machine import kernel_svm

    rows, options, task = training.rows, training.options, training.task
    first = kernel_svm(
        rows.layout,
        linear.moments_of(rows, training.n),
        _svm_options(training),
        options["kernel"],
        _gamma(training),
        options["coef0"],
        options["degree"],
        len(task.classes),
    )
    fit, durations, _ = training.stream(first)
    e: Encoding = encoding(rows, training.made)
    kernel = fit.kernel
    listed = zip(
        fit.label.tolist(), fit.raw.tolist(), fit.vectors.tolist(), fit.coefficients.T.tolist(),
        fit.scores.T.tolist(), strict=True,
    )  # fmt: skip
    table = Table(
        ("position", "label", "features", "vector", "coefficients", "scores"),
        [
            (i, task.classes[int(y)] if task.classes else repr(y), raw, vector, weights, scores)
            for i, (y, raw, vector, weights, scores) in enumerate(listed)
        ],
    )
    version = training.version
    return _Machine(
        {
            "machine": options["kernel"].lower(),
            "intercepts": fit.intercept.tolist(),
            "vector": e.vector(fit.scaling.scale[: len(rows.dense)]),
            "gamma": kernel.gamma,
            "coef0": kernel.coef0,
            "degree": kernel.degree,
            "model": version.name,
            "version": version.version,
            "e": e,
        },
        {"support_vectors": table},
        (),
        _warnings(fit),
        {
            "gamma": kernel.gamma,
            "objective": fit.objective,
            "support_vectors": float(len(fit.vectors)),
            "steps": float(fit.steps),
            "converged": float(fit.converged),
        },
        _iterations(fit, durations),
        fit.loss,
        [
            f.atom.name if category is None else f"{f.atom.name}={category}"
            for f, _, category in linear.columns(rows)
        ],
    )


def _macros(training: Training, machine: _Machine) -> list[Macro]:
    task, options, version = training.task, training.options, training.version

    def decisions(source: str) -> str:
        values = machine.values | {"source": source, "transform": training.made}
        return render_file("scoring/decisions.sql.j2", **values)

    predict = render_file(
        "scoring/predict_svm.sql.j2",
        decisions=decisions(mark("data")),
        classes=task.literals(),
        predicted=f"predicted_{task.label}",
        scores=SCORES.column(task.label),
    )
    macros = supervised_macros(
        version, task, predict, training.evaluation_query, class_scores=SCORES
    )
    if machine.fit is not None:
        scored = PROBABILITIES if options.values.get("calibration_method") else SCORES
        macros.append(linear.weights_macro(version, task))
        macros.append(linear_explanation(training, training.rows, machine.fit, scored))
    most = 1.0 / options["l2_reg"]
    values = {
        "classes": task.literals(),
        "texts": list(task.classes),
        "label": task.label,
        "epsilon": options.values.get("epsilon", 0.0),
        "squared": options["loss"] == "SQUARED_HINGE",
        "has_alpha": bool(machine.widths),
        "widths": list(machine.widths),
        "most": most,
        "weight": training.rows.weight,
    }
    margins = render_file("scoring/margins.sql.j2", decisions=decisions(mark("data")), **values)
    macros.append(Macro("margins", (("data", None),), margins, {"data": "ml.relation(data)"}))
    if machine.widths:
        of_training = render_file(
            "scoring/margins.sql.j2", decisions=decisions(training.training_query), **values
        )
        vectors = f"select * from (\n{of_training}\n) where alpha > {SUPPORTS * most!r}::double"
    else:
        vectors = render_file(
            "scoring/support_vectors.sql.j2",
            model=version.name, version=version.version, columns=machine.columns, **values,
        )  # fmt: skip
    macros.append(Macro("support_vectors", (), vectors, {}))
    return macros


SVM_CLASSIFIER = Family(
    "SVM_CLASSIFIER", "class", OPTIONS + CLASSES, _train, check_options=_check_options
)
SVM_REGRESSOR = Family(
    "SVM_REGRESSOR", "number", OPTIONS + REGRESSION, _train, check_options=_check_options
)
