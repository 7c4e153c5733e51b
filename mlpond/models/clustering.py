"""What k-means, mixtures and nearest neighbours share: the space of their rows, in SQL."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlpond.models.encoding import Encoding
from mlpond.models.option import Option
from mlpond.models.registry import Version, text_or_relation
from mlpond.models.stream import Rows
from mlpond.sql.templates.quoting import double, identifier

Array = np.ndarray[Any, Any]

# All rows train: there is no label to be right about.
MODEL_SPLITS = Option(
    "data_split_method", "string", "NO_SPLIT", ("AUTO_SPLIT", "RANDOM", "CUSTOM", "SEQ", "NO_SPLIT")
)


def moments(rows: Rows) -> tuple[Array, Array]:
    """Means and sample standard deviations of the dense columns."""
    mean = np.array([f.mean for f in rows.dense], dtype=np.float64)
    return mean, np.array([f.stddev for f in rows.dense], dtype=np.float64)


def constant_inputs(rows: Rows) -> list[str]:
    """Say which inputs have one value in all rows, which then tells no rows apart."""
    return [
        f"constant: {feature.atom.name} has one value in all training rows, or none; it tells no "
        "rows apart"
        for feature in rows.features
        if feature.is_constant
    ]


def entries(rows: Rows, e: Encoding, *, standardize: bool, centred: bool = True) -> list[str]:
    """Every column of the design where distances are measured, in SQL over an encoded row.

    Args:
        rows: The features.
        e: Their encoding, whose numbers are centred.
        standardize: Whether numbers are divided by their standard deviation.
        centred: Whether they stay centred.
    """
    mean, sd = moments(rows)
    scale = np.where(sd > 0, sd, 1.0) if standardize else np.ones(mean.size)
    found = e.vector(scale)
    if not centred:
        found[: mean.size] = [
            f"__x[{j + 1}] + {double(float(value))}" for j, value in enumerate(mean)
        ]
    return found


def call(version: Version, function: str, data: str) -> str:
    """The call of another function of the version, the data as SQL of text."""
    return f"ml.{identifier(f'{function}_{version.full_name}')}({data})"


def over_given(evaluation: str) -> dict[str, str]:
    """The argument ``data`` of a function that looks at these rows where it is NULL."""
    return {"data": f"ml.literal({text_or_relation('data', evaluation)})"}


def contamination() -> str:
    """The SQL that checks and writes the argument ``contamination``."""
    return (
        "case when contamination between 0 and 0.5 then "
        "contamination::double::varchar || '::double' else error('ml.detect_anomalies: "
        "contamination is ' || coalesce(contamination::varchar, 'NULL') || '; pass a share "
        "from 0 to 0.5') end"
    )
