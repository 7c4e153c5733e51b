"""What regression inference needs of a linear model: rows of factors, and the design as macros.

The functions of sql/regression work on the orthonormal columns z of the design, whatever the
features are. ``ml."design_<model>"(data)`` makes them for any rows, ``residuals_<model>`` adds
label and residual, and ``products_<model>`` sums the products of the columns. A model to which
inference does not apply has these macros too: they raise an error that says why.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from mlpond.engine import Engine
from mlpond.models import linear
from mlpond.models.options import Options
from mlpond.models.registry import Macro, Version, install_macros, text_or_relation
from mlpond.models.stream import Rows
from mlpond.models.task import Task
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.quoting import double, identifier, string
from mlpond.sql.templates.renderer import render_file
from mlpond.udfs.linear.fit import DESIGN_COLUMNS, Design, Fit

# White's test regresses on all squares and products of the columns.
WHITE_COLUMNS = 15

_DATA = (("data", "null"),)
_SUMS: tuple[tuple[str, str | None], ...] = (("data", "null"), ("also", "''"), ("squares", "false"))
_PARAMETERS = {"design": _DATA, "residuals": _DATA, "products": _SUMS}


def factor_rows(rows: Rows, fit: Fit) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of ml.coefficient_factors, without model and version.

    The category that dummy encoding leaves out has none.
    """
    design = fit.design
    if design is None:
        return
    first = [0.0] if design.has_intercept else []
    listed = list(linear.columns(rows))
    for position, (feature, index, _) in enumerate(listed):
        if index != feature.dropped:
            factor = [*first, *design.root[position].tolist()]
            yield position, factor, float(design.sum_of_squares[position])
    if design.has_intercept:
        moved = [
            -math.fsum(products) for products in (design.center[:, None] * design.root).T.tolist()
        ]
        yield len(listed), [1.0 / math.sqrt(fit.weight), *moved], None


def inference_macros(
    version: Version,
    rows: Rows,
    task: Task,
    fit: Fit,
    options: Options,
    transform: list[tuple[str, str]],
    training: str,
) -> list[Macro]:
    """Write the macros design, residuals and products of a version.

    Args:
        version: The version they belong to.
        rows: The features.
        task: What it predicts.
        fit: Its fit.
        options: Of CREATE MODEL.
        transform: (alias, SQL) of the columns that TRANSFORM makes.
        training: The training rows, which are taken where no data are given.
    """
    if fit.design is None or not (fit.design.has_intercept or fit.design.root.shape[1]):
        return refusals(version, _reason(version, task, options, rows))
    data = {"data": text_or_relation("data", training)}
    names = _names(fit.design)
    body = _design_body(rows, fit, fit.design, names, transform)
    call = f"ml.{identifier(f'design_{version.full_name}')}({mark('data')})"
    label = f"{identifier(task.label)}::double"
    residuals = (
        f"select __y - __predicted as __residual, * from (select "
        f"case when not isnan({label}) then {label} end as __y, * from {call})"
    )
    quoted = {"data": f"'''' || replace({data['data']}, '''', '''''') || ''''"}
    return [
        Macro("design", _DATA, body, data),
        Macro("residuals", _DATA, residuals, quoted),
        _products(version, fit.design, names),
    ]


def refusals(version: Version, reason: str) -> list[Macro]:
    """Write the macros of a model to which regression inference does not apply."""
    # DuckDB evaluates the query's text when the call is bound; the argument keeps it from doing so
    # when the macro is made
    refusal = {"data": f"error({string(reason)} || left(coalesce(data::varchar, ''), 0))"}
    return [Macro(name, _PARAMETERS[name], mark("data"), refusal) for name in _PARAMETERS]


def refuse_older(engine: Engine) -> None:
    """Give the models of an older mlpond, which lack the macros, those that tell to retrain."""
    older = engine.rows(
        "select name, version, aliases, model_type from ml.models as m where not exists ("
        "from duckdb_functions() where schema_name = 'ml' "
        "and function_name = 'design_' || m.name || '@' || m.version)"
    )
    for name, number, aliases, model_type in older:
        version = Version(name, number, tuple(aliases))
        reason = f"model {version.full_name} was trained by an mlpond that did not keep what "
        reason += "regression inference needs; train it again with CREATE OR REPLACE MODEL"
        if model_type != "LINEAR_REG":
            reason = _not_linear(version, model_type)
        macros = refusals(version, reason)
        install_macros(engine, version, macros)
        names = [f"{name}@{alias}" for alias in aliases if alias != "default"]
        for target in names + ([name] if "default" in aliases else []):
            for macro in macros:
                declared = ", ".join(f"{p} := {default}" for p, default in macro.parameters)
                passed = ", ".join(f"{p} := {p}" for p, _ in macro.parameters)
                engine.execute(
                    f"create or replace macro ml.{identifier(f'{macro.function}_{target}')}"
                    f"({declared}) as table from "
                    f"ml.{identifier(f'{macro.function}_{version.full_name}')}({passed})"
                )


def _names(design: Design) -> list[str]:
    first = 0 if design.has_intercept else 1
    return [f"__z{k}" for k in range(first, design.root.shape[1] + 1)]


def _not_linear(version: Version, model_type: str) -> str:
    return (
        f"regression inference: model {version.full_name} is a {model_type.lower()}; "
        "it applies to linear_reg"
    )


def _reason(version: Version, task: Task, options: Options, rows: Rows) -> str:
    who = f"regression inference: model {version.full_name}"
    if options.model_type != "LINEAR_REG":
        return _not_linear(version, options.model_type)
    if options["instance_weight_col"] is not None:
        return (
            f"{who} was trained with instance_weight_col, which the functions of regression "
            "inference do not know. Train it without; ml.coefficients has the weighted tests"
        )
    if options["regularization_path"]:
        return (
            f"{who} was trained with regularization_path; a penalty pulls the weights towards 0, "
            "and their standard errors would be of no use. Train it without a penalty"
        )
    for name in ("l1_reg", "l2_reg"):
        if options[name] > 0:
            return (
                f"{who} was trained with {name} = {options[name]:g}; a penalty pulls the weights "
                f"towards 0, and their standard errors would be of no use. Train it without {name}"
            )
    if options["optimize_strategy"] == "BATCH_GRADIENT_DESCENT":
        return (
            f"{who} was trained with optimize_strategy = 'BATCH_GRADIENT_DESCENT', which stops "
            "before the optimum; train it with 'NORMAL_EQUATION'"
        )
    if rows.layout.width > DESIGN_COLUMNS:
        return (
            f"{who} has {rows.layout.width} columns; at most {DESIGN_COLUMNS} are accepted. "
            "Leave out features with many categories"
        )
    return f"{who} has no intercept and no feature that varies"


def _design_body(
    rows: Rows, fit: Fit, design: Design, names: list[str], transform: list[tuple[str, str]]
) -> str:
    inputs: list[str] = []  # a feature each
    entries: list[str] = []  # a column of the design each
    shift: list[float] = []
    for feature in rows.in_layout_order:
        if transform:
            feature = feature.within("__mlpond")
        column, width = f"__input{len(inputs)}", len(feature.labels())
        if feature.atom.kind == "numeric":
            # centred at the mean, which is also what stands in for NULL
            mean = feature.mean if design.has_intercept else 0.0
            inputs.append(
                f"coalesce({feature.atom.expression}, {double(feature.mean)}) - {double(mean)}"
            )
            entries.append(column)
            shift.append(mean)
            continue
        shift += [0.0] * width
        if feature.atom.kind == "category":
            inputs.append(feature.code_sql())
            entries += [f"({column} = {index})::double" for index in range(width)]
        else:
            inputs.append(feature.sparse_sql())
            entries += [
                f"coalesce(list_sum(list_transform(list_filter({column}, lambda __e: __e.index = "
                f"{index}), lambda __e: __e.value)), 0e0)"
                for index in range(width)
            ]
    off = [s - c for s, c in zip(shift, design.center.tolist(), strict=True)]
    columns = [
        {
            "root": [float(v) for v in root],
            "constant": math.fsum(o * v for o, v in zip(off, root, strict=True)),
        }
        for root in design.root.T.tolist()
    ]
    return render_file(
        "scoring/design.sql.j2",
        names=names,
        columns=columns,
        intercept=1.0 / math.sqrt(fit.weight) if design.has_intercept else None,
        weights=[float(w) for w in fit.coefficients[0]],
        constant=float(fit.standardised_intercept[0] if design.has_intercept else 0.0),
        inputs=inputs,
        entries=entries,
        transform=transform,
        source=mark("data"),
    )


def _products(version: Version, design: Design, names: list[str]) -> Macro:
    """The sums of products of a relation with the columns z and a weight w."""
    first, last, size = int(names[0][3:]), int(names[-1][3:]), len(names)
    wide = (
        f"ml.white_test: model {version.full_name} has {size} columns, with "
        f"{size * (size + 1) // 2} squares and products; at most {WHITE_COLUMNS} columns are "
        "accepted"
    )
    data = "ml.literal(data)"
    end = str(last)
    if size > WHITE_COLUMNS:
        data = f"case when squares then error({string(wide)}) else ml.literal(data) end"
    else:
        pairs = size * (size + 1) // 2
        data = (
            f"ml.literal(case when squares then ml.pairs_of(data, {first}, {last}) else data end)"
        )
        end = f"case when squares then {first + pairs - 1} else {last} end"
    arguments = {"data": data, "last": f"({end})::varchar", "also": "ml.literal(also)"}
    body = (
        f"from ml.sums_of_products({mark('data')}, {first}, {mark('last')}, also := {mark('also')})"
    )
    return Macro("products", _SUMS, body, arguments)
