"""mlpond: statistics, experiments and machine learning inside DuckDB.

    import mlpond
    pond = mlpond.connect("shop.duckdb")
    pond.sql("FROM ml.models")

The names below are loaded when first used, so that ``import mlpond`` is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlpond.errors import MlpondError

if TYPE_CHECKING:
    from mlpond.reports.write import report
    from mlpond.session import Session, connect, run

__version__ = "0.1.0"
__all__ = ["MlpondError", "Session", "__version__", "connect", "report", "run"]


def __getattr__(name: str) -> Any:
    if name in ("Session", "connect", "run"):
        from mlpond import session

        return getattr(session, name)
    if name == "report":
        from mlpond.reports.write import report

        return report
    raise AttributeError(f"module 'mlpond' has no attribute {name!r}")
