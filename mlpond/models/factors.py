"""A fitted factorisation as rows of ml.factors and as functions in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlpond.models.registry import Macro, Version, text_or_relation
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.quoting import identifier, string
from mlpond.sql.templates.renderer import render_file

if TYPE_CHECKING:
    from mlpond.udfs.recommend.fit import Fit

FACTOR_COLUMNS = ("side", "position", "id", "factors", "intercept", "ratings")

# What the names of predicted columns end in.
_ENDINGS = {"EXPLICIT": "", "IMPLICIT": "_confidence", "BPR": "_score"}


@dataclass(frozen=True)
class Named:
    """The columns of the ratings and what is known of them before training."""

    user: str
    item: str
    rating: str | None  # None where BPR has no such column
    rating_col: str  # its name, if there is one or not
    user_type: str
    item_type: str
    feedback: str

    @property
    def predicted(self) -> str:
        """The name of the column of scores."""
        return f"predicted_{self.rating or self.rating_col}{_ENDINGS[self.feedback]}"


@dataclass(frozen=True)
class FactorRows:
    """The rows of ml.factors, without model and version, made one by one as they are asked for."""

    fit: Fit
    users: Sequence[str]
    items: Sequence[str]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        sides = (("user", self.fit.users, self.users), ("item", self.fit.items, self.items))
        for name, side, ids in sides:
            parts = zip(side.factors, side.intercept, side.ratings, strict=True)
            for at, (id_, (factors, intercept, ratings)) in enumerate(zip(ids, parts, strict=True)):
                yield name, at, id_, factors.tolist(), float(intercept), int(ratings)
        yield "global", 0, None, None, self.fit.global_intercept, self.fit.rows


def factorization_macros(
    version: Version, names: Named, fit: Fit, evaluation: str, training: str
) -> list[Macro]:
    """Write the macros predict, recommend, evaluate and weights.

    Args:
        version: The version they belong to.
        names: The columns.
        fit: The fit.
        evaluation: The query that evaluate looks at when no data are given.
        training: The query of the training rows: the pairs that are seen.
    """
    values = {
        "user": names.user,
        "item": names.item,
        "user_type": names.user_type,
        "item_type": names.item_type,
        "predicted": names.predicted,
        "model": version.name,
        "version": version.version,
        "global_intercept": fit.global_intercept,
    }
    body = render_file("scoring/predict_factorization.sql.j2", source=mark("data"), **values)
    return [
        Macro("predict", (("data", None),), body, {"data": "ml.relation(data)"}),
        _recommend(values, names, training),
        _evaluate(version, values, names, evaluation),
        Macro(
            "weights",
            (("standardize", "false"),),
            render_file("scoring/weights_factorization.sql.j2", **values),
            {},
        ),
    ]


def _recommend(values: dict[str, Any], names: Named, training: str) -> Macro:
    nothing = f"(select null as {identifier(names.user)}, null as {identifier(names.item)})"
    seen = ", ".join(
        f"try_cast({identifier(name)} as {kind})::varchar as {side}_id"
        for name, kind, side in (
            (names.user, names.user_type, "user"),
            (names.item, names.item_type, "item"),
        )
    )
    anti = f"anti join (select distinct {seen} from {training}) using (user_id, item_id)"
    every = render_file("scoring/recommend_chosen.sql.j2", top_n=None, **values)
    best = render_file("scoring/recommend_chosen.sql.j2", top_n=mark("top_n"), **values)
    before, _, after = best.split(mark("top_n")[0])
    return Macro(
        "recommend",
        (("data", "null"), ("top_n", "null"), ("exclude_seen", "null")),
        render_file(
            "scoring/recommend.sql.j2",
            source=mark("data"), unseen=mark("unseen"), chosen=mark("chosen"), **values,
        ),
        {
            "data": f"case when data is null then {string(nothing)} else ml.relation(data) end",
            "unseen": f"case when exclude_seen then {string(anti)} else '' end",
            "chosen": f"case when top_n is null then {string(every)} "
            f"when top_n >= 1 then {string(before)} || top_n::bigint || {string(after)} "
            "else error('ml.recommend: top_n is ' || top_n || '; it must be at least 1') end",
        },
    )  # fmt: skip


def _evaluate(version: Version, values: dict[str, Any], names: Named, evaluation: str) -> Macro:
    rows = text_or_relation("data", evaluation)
    if names.feedback == "EXPLICIT":
        source = f"ml.{identifier(f'predict_{version.full_name}')}({mark('data')})"
        body = render_file(
            "scoring/evaluate_regression.sql.j2",
            source=source, label=names.rating, predicted=names.predicted,
        )  # fmt: skip
        rows = f"'''' || replace({rows}, '''', '''''') || ''''"
    else:
        body = render_file(
            "scoring/evaluate_ranking.sql.j2",
            source=mark("data"),
            rating="1" if names.rating is None else identifier(names.rating),
            is_confidence=names.feedback == "IMPLICIT",
            **values,
        )
    return Macro("evaluate", (("data", "null"),), body, {"data": rows})
