"""Functions of a supervised model that say why: attributions of a prediction, and importance.

Every supervised model has ``scores``, ``explain_predict``, ``global_explain`` and
``permutation_importance``. A family that knows its Shapley values in closed form brings its own
``explain_predict``; for all others they are sampled, in SQL, from predictions of mixed rows.
"""

from __future__ import annotations

import math
from typing import Any

from mlpond.models import linear
from mlpond.models.families.family import Fitted, Training
from mlpond.models.registry import Macro, text_or_relation
from mlpond.models.stream import Rows
from mlpond.models.task import PROBABILITIES, ClassScores
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.quoting import identifier
from mlpond.sql.templates.renderer import render_file
from mlpond.udfs.linear.fit import Fit

BACKGROUND_ROWS = 100  # rows that stand for a feature that is not known
EXPLAINED_ROWS = 200  # rows that a global explanation samples attributions of

_INTEGERS = {name: f"coalesce({name}::bigint::varchar, 'NULL')" for name in
             ("top_k_features", "permutations", "repeats", "seed")}  # fmt: skip
_EXPLAIN: tuple[tuple[str, str | None], ...] = (
    ("data", None), ("top_k_features", "5"), ("permutations", "20"), ("seed", "0"),
)  # fmt: skip
_CLASS = "ml.literal(class)"


def explanation_macros(training: Training, fitted: Fitted) -> list[Macro]:
    """Write the explanation functions of a supervised model, those apart that it has.

    Args:
        training: What the model was trained on.
        fitted: What was found, with the functions it has.
    """
    present = {macro.function for macro in fitted.macros}
    if training.task.kind not in ("regression", "binary", "multiclass") or "predict" not in present:
        return []
    values = _values(training, fitted.class_scores)
    evaluation = {"data": text_or_relation("data", training.evaluation_query)}
    macros = [
        _scores(training, values),
        Macro(
            "permutation_importance",
            (("data", "null"), ("repeats", "5"), ("seed", "0")),
            render_file(
                "scoring/permutation_importance.sql.j2",
                source=mark("data"), repeats=mark("repeats"), seed=mark("seed"), **values,
            ),
            evaluation | _INTEGERS,
        ),
    ]  # fmt: skip
    sampled = "explain_predict" not in present
    if sampled:
        body = render_file(
            "scoring/explain_sampled.sql.j2",
            source=mark("data"), background=training.evaluation_query,
            background_rows=BACKGROUND_ROWS, top_k_features=mark("top_k_features"),
            permutations=mark("permutations"), seed=mark("seed"), **values,
        )  # fmt: skip
        macros.append(
            Macro("explain_predict", _EXPLAIN, body, {"data": "ml.relation(data)"} | _INTEGERS)
        )
    body = render_file(
        "scoring/global_explain.sql.j2",
        source=mark("data"),
        function=f"explain_predict_{training.version.full_name}",
        rows=EXPLAINED_ROWS if sampled else None,
        **values,
    )
    macros.append(Macro("global_explain", (("data", "null"),), body, evaluation))
    return [macro for macro in macros if macro.function not in present]


def linear_explanation(
    training: Training, rows: Rows, fit: Fit, class_scores: ClassScores = PROBABILITIES
) -> Macro:
    """Write explain_predict of a linear score: exact Shapley values, against the training rows.

    The attribution of a feature is its term of the score less the mean of that term over the
    training rows, which is its Shapley value if features are taken to be independent (Strumbelj &
    Kononenko 2014). Features made from one column are added up.
    """
    version = training.version
    score = linear.terms(
        rows, fit, model=version.name, version=version.version, transform=training.made
    )
    means = [
        _mean_terms(training, feature, entry, len(score.intercepts))
        for feature, entry in zip(rows.in_layout_order, score.features, strict=True)
    ]
    baselines = [
        math.fsum([constant, *(mean[k] for mean in means)])
        for k, constant in enumerate(score.intercepts)
    ]
    inputs: dict[str, list[tuple[dict[str, Any], list[float]]]] = {}
    for entry, mean in zip(score.features, means, strict=True):
        inputs.setdefault(entry["input"], []).append((entry, mean))
    body = render_file(
        "scoring/explain_linear.sql.j2",
        inputs=inputs,
        joins=score.joins,
        baselines=baselines,
        transform=training.made,
        source=mark("data"),
        top_k_features=mark("top_k_features"),
        **_values(training, class_scores),
    )
    return Macro("explain_predict", _EXPLAIN, body, {"data": "ml.relation(data)"} | _INTEGERS)


def _values(training: Training, class_scores: ClassScores) -> dict[str, Any]:
    task, name = training.task, training.version.full_name
    return {
        "predict": f"ml.{identifier(f'predict_{name}')}",
        "kind": task.kind,
        "label": task.label,
        "classes": list(task.classes),
        "predicted": f"predicted_{task.label}",
        "probabilities": class_scores.column(task.label),
        "field": class_scores.field,
        "features": [column for column, _ in training.request.input_columns],
    }


def _scores(training: Training, values: dict[str, Any]) -> Macro:
    body = render_file("scoring/scores.sql.j2", source=mark("data"), chosen=mark("class"), **values)
    data = text_or_relation("data", training.evaluation_query)
    quoted = {"data": f"'''' || replace({data}, '''', '''''') || ''''", "class": _CLASS}
    return Macro("scores", (("data", "null"), ("class", "null")), body, quoted)


def _mean_terms(
    training: Training, feature: Any, entry: dict[str, Any], scores: int
) -> list[float]:
    """The mean of a feature's term over the training rows, in every score."""
    weights = entry["weights"]
    if entry["kind"] == "numeric":  # null_terms is the term at the mean
        return list(entry["null_terms"])
    if entry["kind"] == "category":
        shares = [count / training.n for count in feature.counts]
    else:
        sums = dict(
            training.engine.rows(
                "select e.index, sum(e.value) from "
                f"(select unnest({feature.sparse_sql()}) as e from {training.rows.relation}) "
                "group by all"
            )
        )
        shares = [sums.get(j, 0.0) / training.n for j in range(len(weights[0]))]
    return [
        math.fsum(s * w for s, w in zip(shares, weights[k], strict=True)) for k in range(scores)
    ]
