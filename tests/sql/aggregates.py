"""What the tests of aggregate functions share: columns in, one STRUCT out."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

FIELDS = [
    "statistic", "df", "p_value", "log10_p_value", "estimate", "standard_error", "ci_lower",
    "ci_upper", "effect_size", "n", "n_missing",
]  # fmt: skip
# Quarters: exact in binary, with ties, and never so near each other that rounding decides.
values = st.integers(-40, 40).map(lambda i: i / 4)
samples = st.lists(values, min_size=3, max_size=25).filter(lambda x: len(set(x)) > 1)


def struct(con: duckdb.DuckDBPyConnection, call: str, **columns: Any) -> dict[str, Any]:
    """The STRUCT that ``ml.<call>`` gives for a table of these columns."""
    con.register("given_rows", pa.table(columns))
    found = con.execute(f"select ml.{call} from given_rows").fetchall()
    con.unregister("given_rows")
    return found[0][0]


def arms(treatment: Any, control: Any) -> dict[str, Any]:
    """Two samples as columns x and treated."""
    x = pa.array(np.concatenate([np.asarray(treatment, float), np.asarray(control, float)]))
    return {"x": x, "treated": pa.array([True] * len(treatment) + [False] * len(control))}
