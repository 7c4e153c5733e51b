"""Missing numbers from the rows that are most alike.

ML.KNN_IMPUTER(STRUCT(a, b, …) [, n_neighbors [, weights [, donors]]])   a STRUCT, its NULLs filled

It keeps so many donors: rows of the training data that have a value, chosen by a hash of what they
hold, or all if there are no more. A row is filled from them as ml.knn_impute fills it.
"""

from __future__ import annotations

from functools import partial
from statistics import fmean

from mlpond.engine import Engine
from mlpond.models.preprocessing.crosses import check_numbers
from mlpond.models.preprocessing.function import (
    STRUCT,
    Call,
    Entry,
    Function,
    Learnt,
    Setting,
    at_least,
    number,
    one_of,
)
from mlpond.sql.templates.lambdas import PREFIX
from mlpond.sql.templates.quoting import string

P = f"{PREFIX}p"  # parameter of a lambda: the row, filled
MOST_FIELDS, MOST_DONORS = 100, 100_000


def _values(call: Call) -> list[str]:
    return [f"ml.finite({sql})" for _, sql, _ in call.fields()]


def _fit(engine: Engine, source: str, call: Call) -> Learnt:
    names = [name for name, _, _ in call.fields()]
    numbers = [f"v{i}" for i in range(len(names))]
    columns = ", ".join(f"{v} as {n}" for v, n in zip(_values(call), numbers, strict=True))
    donors = engine.rows(
        f"select * from (select {columns} from {source}) "
        f"where coalesce({', '.join(numbers)}) is not null "
        f"order by hash({', '.join(numbers)}), {', '.join(numbers)} limit {call['donors']}"
    )
    means: dict[str, float | None] = {}
    entries = []
    for name, values in zip(
        names, zip(*donors, strict=True) if donors else [()] * len(names), strict=True
    ):
        entries += [Entry(f"donor {name}", j, number=v) for j, v in enumerate(values, start=1)]
        known = [v for v in values if v is not None]
        means[f"mean {name}"] = fmean(known) if known else None
    return Learnt(means, tuple(entries))


def _filled(call: Call, learnt: Learnt) -> str:
    names = [name for name, _, _ in call.fields()]
    donors = zip(
        *([e.number for e in learnt.listed(f"donor {name}")] for name in names), strict=True
    )
    rows = ", ".join(
        f"[{', '.join('NULL' if v is None else repr(v) for v in row)}]" for row in donors
    )
    fields = ", ".join(
        f"{string(name)}: coalesce({P}[{i}], {number(learnt.numbers[f'mean {name}'])})::double"
        for i, name in enumerate(names, start=1)
    )
    filled = (
        f"ml.knn_fill([{', '.join(_values(call))}], '[{rows}]'::double[][], "
        f"n_neighbors := {call['n_neighbors']}, weights := {string(call['weights'])})"
    )
    return f"list_transform([{filled}], lambda {P}: {{{fields}}})[1]"


FUNCTIONS = (
    Function(
        "KNN_IMPUTER",
        _filled,
        arguments=(STRUCT,),
        settings=(
            Setting("n_neighbors", 5, *at_least(1)),
            Setting("weights", "uniform", *one_of("uniform", "distance")),
            Setting("donors", 1000, *at_least(1, MOST_DONORS)),
        ),
        fit=_fit,
        check=partial(check_numbers, most=MOST_FIELDS),
    ),
)
