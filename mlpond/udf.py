"""Functions that need Python, registered on a session's connection."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlpond.session import Session


def register(session: Session) -> None:
    """Make ``ml_train(model, query, options)`` callable from SQL on this session.

    The UDF runs inside a query of the caller, so it trains on a cursor: it sees committed tables
    only, and its model is committed when it returns.
    """
    owner = weakref.ref(session)

    def ml_train(model: str, query: str, options: str) -> str:
        pond = owner()
        if pond is None:
            raise RuntimeError("ml_train: the session is closed.")
        from mlpond.models.execute import train_from_sql

        return train_from_sql(pond, model, query, options)

    session.con.create_function("ml_train", ml_train, side_effects=True)
