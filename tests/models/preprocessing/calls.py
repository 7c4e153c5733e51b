"""One call of TRANSFORM, fitted on values and applied to the same or to others."""

from __future__ import annotations

from typing import Any

from mlpond.session import Session


def transformed(
    pond: Session, call: str, values: str, new: str | None = None, options: str = ""
) -> list[Any]:
    """Fit ``call`` on the column x of the rows ``values``, give the results for the rows ``new``.

    Args:
        pond: The session.
        call: Such as ``ML.MIN_MAX_SCALER(x) OVER ()``.
        values: SQL of the values, in brackets and with commas, as behind VALUES.
        new: Those to transform; the same if None.
        options: SQL of the type of x.
    """

    def relation(rows: str) -> str:
        kind = f"::{options}" if options else ""
        return f"(select i, x{kind} as x from (select unnest(range(100)) as i, unnest([{rows}]) as x) where i < len([{rows}]))"

    pond.sql(
        f"create or replace model m transform ({call} as out, i) options (model_type = "
        f"'transform_only') as select * from {relation(values)}"
    )
    found = pond.sql(
        "select out from ml.transform('m', $1) order by i", params=[relation(new or values)]
    )
    assert found is not None
    return [row[0] for row in found.fetchall()]


def state(pond: Session) -> dict[str, Any]:
    """What the last version of the model learnt, by key; entries of one key in a list."""
    rows = pond.engine.rows(
        "select key, coalesce(number::varchar, text) from ml.transform_state where model = 'm' and "
        "version = (select max(version) from ml.models where name = 'm') order by position"
    )
    found: dict[str, Any] = {}
    for key, value in rows:
        found.setdefault(key, []).append(value)
    return found
