"""The preprocessing functions of TRANSFORM: what each learns, and its SQL with that in it."""

from __future__ import annotations

from mlpond.models.preprocessing import encoders, scalers
from mlpond.models.preprocessing.function import Call, Function, Learnt
from mlpond.models.preprocessing.learning import learn

FUNCTIONS: dict[str, Function] = {
    function.name: function for module in (encoders, scalers) for function in module.FUNCTIONS
}

__all__ = ["FUNCTIONS", "Call", "Function", "Learnt", "learn"]
