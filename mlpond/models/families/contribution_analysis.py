"""The family contribution_analysis: BigQuery ML's analysis of what explains a change of a metric.

There is nothing to fit: one query finds the segments, that of ``ml.contribution``; they are stored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpond.errors import InputError, TrainingError
from mlpond.models import features
from mlpond.models.families.family import Family, Fitted, Table, Training
from mlpond.models.option import VALIDATION_OPTIONS, Option, refuse
from mlpond.models.registry import Macro
from mlpond.models.source import Source
from mlpond.sql.templates.catalog import templates
from mlpond.sql.templates.quoting import identifier, string
from mlpond.sql.templates.renderer import Raw, render

if TYPE_CHECKING:
    from mlpond.models.options import Options
    from mlpond.models.request import Request

MOST_DIMENSIONS = 50
MOST_WITHOUT_SUPPORT = 13  # if no segment is too small

OPTIONS = (
    Option("data_split_method", "string", "NO_SPLIT", ("NO_SPLIT",)),
    Option("contribution_metric", "string"),
    Option("is_test_col", "column"),
    Option("dimension_id_cols", "names"),
    Option("min_apriori_support", "float", None, low=0.0, high=1.0),
    Option("top_k_insights_by_apriori_support", "integer", None, low=1, high=1e6),
    Option("pruning_method", "string", "NO_PRUNING", ("NO_PRUNING", "PRUNE_REDUNDANT_INSIGHTS")),
)

# Columns of ml.insights that each kind of metric has, between the dimensions and the support.
_SHOWN = {
    "sum": (
        "difference", "relative_difference", "unexpected_difference",
        "relative_unexpected_difference",
    ),
    "ratio": (
        "metric_test_over_metric_control", "metric_test_over_complement",
        "metric_control_over_complement", "aumann_shapley_attribution",
    ),
    "category": (
        "difference", "relative_difference", "metric_test_over_population",
        "metric_control_over_population",
    ),
}  # fmt: skip
_STORED = (
    "metric_test", "metric_control", "difference", "relative_difference", "unexpected_difference",
    "relative_unexpected_difference", "metric_test_over_metric_control",
    "metric_test_over_complement", "metric_control_over_complement", "aumann_shapley_attribution",
    "metric_test_over_population", "metric_control_over_population", "apriori_support",
    "contribution",
)  # fmt: skip

_NAME = r"(?:`([^`]+)`|\"([^\"]+)\"|(\w+))"
_SUM = rf"sum\s*\(\s*{_NAME}\s*\)"
_FORMS = (
    ("sum", rf"{_SUM}"),
    ("ratio", rf"{_SUM}\s*/\s*{_SUM}"),
    ("category", rf"{_SUM}\s*/\s*count\s*\(\s*distinct\s+{_NAME}\s*\)"),
)


@dataclass(frozen=True)
class _Metric:
    """What is compared: its kind, and the columns in the order in which it names them."""

    kind: str  # sum, ratio or category
    columns: tuple[str, ...]


def _metric(who: str, text: str) -> _Metric:
    for kind, form in _FORMS:
        found = re.fullmatch(form, text.strip(), re.IGNORECASE)
        if found is not None:
            return _Metric(kind, tuple(filter(None, found.groups())))
    refuse(
        who,
        f"contribution_metric is {text!r}; accepted are SUM(x), SUM(a)/SUM(b) and "
        "SUM(x)/COUNT(DISTINCT c), each of a column.",
    )


def _check_options(who: str, options: Options) -> None:
    for name in ("contribution_metric", "is_test_col"):
        if options[name] is None:
            refuse(who, f"contribution_analysis needs the option {name}.")
    _metric(who, options["contribution_metric"])
    pair = ("min_apriori_support", "top_k_insights_by_apriori_support")
    if all(name in options.given for name in pair):
        refuse(who, f"{pair[0]} and {pair[1]} are both given; choose one of them.")
    others = sorted(options.given & VALIDATION_OPTIONS)
    if options["group_cols"] is not None:
        others.append("group_cols")
    if others:
        refuse(who, f"contribution_analysis has nothing to tune or fit; leave out {others[0]}.")


def _most_dimensions(options: Options) -> int:
    """How many dimensions there may be: fewer if segments of any size count."""
    free = options["top_k_insights_by_apriori_support"] is not None
    return MOST_WITHOUT_SUPPORT if free or options["min_apriori_support"] == 0 else MOST_DIMENSIONS


def _check_columns(request: Request) -> None:
    who = request.who
    if request.transform is not None:
        raise InputError(
            f"{who}: contribution_analysis has no features for TRANSFORM; leave it out."
        )
    metric, is_test, dimensions = _columns(request)
    kinds = dict(request.columns)
    if kinds[is_test].id != "boolean":
        raise InputError(
            f"{who}: is_test_col {is_test} has type {kinds[is_test]}; it must be BOOLEAN, TRUE in "
            "the rows of the test set."
        )
    for name in metric.columns[: 1 if metric.kind == "category" else 2]:
        if not features.is_number(kinds[name]):
            raise InputError(
                f"{who}: {name} of contribution_metric has type {kinds[name]}; a sum needs a "
                "number."
            )
    most = _most_dimensions(request.options)
    if not 1 <= len(dimensions) <= most:
        raise InputError(
            f"{who}: there are {len(dimensions)} dimensions; name 1 to {most} columns besides the "
            "metric and is_test_col in dimension_id_cols."
        )
    used = {is_test.lower(), *(name.lower() for name in metric.columns)}
    both = [name for name in dimensions if name.lower() in used]
    if both:
        raise InputError(
            f"{who}: dimension_id_cols names {both[0]}, which is a column of the metric or "
            "is_test_col; a dimension is a column of its own."
        )


def _columns(request: Request) -> tuple[_Metric, str, list[str]]:
    """Find the columns of the metric, the test and the dimensions, as the query spells them."""
    who, options, source = request.who, request.options, Source("", request.columns)
    metric = _metric(who, options["contribution_metric"])
    named = tuple(source.column(f"{who}: contribution_metric: column", c) for c in metric.columns)
    is_test = source.column(f"{who}: is_test_col: column", options["is_test_col"])
    dimensions = options["dimension_id_cols"]
    if dimensions is None:
        used = {is_test, *named}
        found = [name for name, _ in request.columns if name not in used]
    else:
        found = [source.column(f"{who}: dimension_id_cols: column", c) for c in dimensions]
    return _Metric(metric.kind, named), is_test, list(dict.fromkeys(found))


def _train(training: Training) -> Fitted:
    request, options = training.request, training.options
    metric, is_test, dimensions = _columns(request)
    _check_sets(training, is_test)
    conditions = " and ".join(f"{identifier(name)} is not null" for name in dimensions)
    complete = f"(select * from {training.relation} where {conditions})"
    training.report("looking at the segments", None)
    second = {"ratio": "denominator", "category": "category"}
    arguments: dict[str, Any] = {
        "source": Raw(complete),
        "dimensions": dimensions,
        "is_test": is_test,
        "metric": metric.columns[0],
        "pruning_method": options["pruning_method"],
    }
    if metric.kind in second:
        arguments[second[metric.kind]] = metric.columns[1]
    for name in ("min_apriori_support", "top_k_insights_by_apriori_support"):
        if options[name] is not None:
            arguments[name] = options[name]
    template = next(found for found in templates() if found.name == "contribution")
    rows = [
        (position, contributors, [segment.get(name) for name in dimensions], *values)
        for position, (contributors, segment, *values) in enumerate(
            training.engine.rows(render(template, arguments)), start=1
        )
    ]
    warnings = _unused(training, metric, is_test, dimensions, complete)
    if len(rows) == 1:
        warnings.append(
            "no_segments: no segment holds enough of the population; lower min_apriori_support"
        )
    return Fitted(
        [_get_insights(training, metric.kind, dimensions)],
        tables={
            "insights": Table(("position", "contributors", "dimension_values", *_STORED), rows)
        },
        warnings=warnings,
        statistics={"insights": float(len(rows))},
    )


def _unused(
    training: Training, metric: _Metric, is_test: str, dimensions: list[str], complete: str
) -> list[str]:
    """Say which rows and columns are not looked at."""
    used = {is_test, *metric.columns, *dimensions}
    said = [
        f"unused: {name} is neither metric, is_test_col nor dimension and is not looked at"
        for name, _ in training.request.columns
        if name not in used
    ]
    missing = training.n - training.engine.value(f"select count(*) from {complete}")
    if missing:
        said.append(
            f"null_dimension: {missing} of {training.n} rows have NULL in a dimension and are left "
            "out; write coalesce(…) in the query to keep them"
        )
    return said


def _check_sets(training: Training, is_test: str) -> None:
    column = identifier(is_test)
    test, control = training.engine.row(
        f"select count_if({column}), count_if(not {column}) from {training.relation}"
    )
    if not test or not control:
        raise TrainingError(
            f"{training.request.who}: is_test_col {is_test} is {'FALSE' if test else 'TRUE'} in no "
            "row; two sets are compared, so it must be TRUE in some rows and FALSE in others."
        )


def _get_insights(training: Training, kind: str, dimensions: list[str]) -> Macro:
    version, kinds = training.version, dict(training.request.columns)
    shown = ["contributors"]
    for position, name in enumerate(dimensions, start=1):
        target = "VARCHAR" if kinds[name].id == "enum" else str(kinds[name])
        shown.append(f"dimension_values[{position}]::{target} as {identifier(name)}")
    shown += ["metric_test", "metric_control", *_SHOWN[kind], "apriori_support", "contribution"]
    query = (
        f"select {', '.join(shown)} from ml.insights as __insights "
        f"where __insights.model = {string(version.name)} "
        f"and __insights.version = {version.version} order by __insights.position"
    )
    return Macro("get_insights", (), query, {})


CONTRIBUTION_ANALYSIS = Family(
    "CONTRIBUTION_ANALYSIS", "none", OPTIONS, _train,
    check_options=_check_options, check_columns=_check_columns, uses_features=False,
    task="contribution analysis",
)  # fmt: skip
