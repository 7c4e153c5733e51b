"""The function transform of a model: its TRANSFORM clause as a query with constants in it."""

from __future__ import annotations

from mlpond.models.registry import Macro
from mlpond.models.transform import Transform
from mlpond.sql.templates.installer import mark
from mlpond.sql.templates.quoting import identifier


def transform_macro(transform: Transform) -> Macro:
    """Write the table macro that applies a fitted clause to the rows of any relation."""
    columns = ",\n".join(
        f"    {sql[1:-1]} as {identifier(alias)}"  # without the brackets around it
        for alias, sql in transform.select_list()
    )
    body = f"select\n{columns}\nfrom {mark('data')}"
    return Macro("transform", (("data", None),), body, {"data": "ml.relation(data)"})
