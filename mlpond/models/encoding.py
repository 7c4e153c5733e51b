"""The columns of the design in SQL, and linear maps of them, for scoring in a plain shell.

A feature becomes one expression: a number less its mean (0 where it is NULL), the code of a
category, or a list of entries. What a model makes of a row is then a sum over these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlpond.models.stream import Rows
from mlpond.sql.templates.quoting import double

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Encoding:
    """The features of a row in SQL, in the order of the layout.

    Attributes:
        numbers: Of the dense columns, centred.
        codes: Of the categories, from 0; -1 for none.
        sparse: Lists of STRUCT(index, value).
        sizes: Columns of each category, then of each sparse feature.
    """

    numbers: list[str]
    codes: list[str]
    sparse: list[str]
    sizes: list[int]

    @property
    def names(self) -> list[str]:
        """The columns that hold them in a query, without that of the numbers."""
        return [f"__f{i}" for i in range(len(self.codes) + len(self.sparse))]

    def maps(self, weights: Array, constants: Array) -> list[dict[str, Any]]:
        """What a template needs to write sums over the centred columns.

        Args:
            weights: Of the raw columns, shape (C, p).
            constants: To be added, shape (C,).
        """
        dense = len(self.numbers)
        cuts = np.cumsum([dense, *self.sizes])
        is_sparse = [False] * len(self.codes) + [True] * len(self.sparse)
        return [
            {
                "constant": float(constant),
                "numbers": [float(w) for w in row[:dense]],
                "others": [
                    {
                        "name": name,
                        "is_sparse": sparse,
                        "weights": [float(w) for w in row[first:last]],
                    }
                    for name, sparse, first, last in zip(
                        self.names, is_sparse, cuts[:-1], cuts[1:], strict=True
                    )
                ],
            }
            for row, constant in zip(weights, constants, strict=True)
        ]

    def vector(self, scale: Array) -> list[str]:
        """Every column of the design, scaled, as SQL over the columns of the encoding.

        Args:
            scale: Of the dense columns, shape (dense,).
        """
        entries = [f"__x[{j + 1}] * {double(1.0 / float(s))}" for j, s in enumerate(scale.tolist())]
        is_sparse = [False] * len(self.codes) + [True] * len(self.sparse)
        for name, sparse, size in zip(self.names, is_sparse, self.sizes, strict=True):
            if sparse:
                entries += [
                    f"coalesce(list_sum(list_transform(list_filter({name}, lambda e: e.index = "
                    f"{i}), lambda e: e.value)), 0e0)"
                    for i in range(size)
                ]
            else:
                entries += [f"({name} = {i})::double" for i in range(size)]
        return entries


def encoding(rows: Rows, transform: list[tuple[str, str]]) -> Encoding:
    """Write the features of the rows in SQL; those that TRANSFORM makes ride in one struct."""

    def placed(features: list[Any]) -> list[Any]:
        return [f.within("__mlpond") for f in features] if transform else features

    return Encoding(
        [f"coalesce({f.atom.expression} - {double(f.mean)}, 0e0)" for f in placed(rows.dense)],
        [f.code_sql() for f in placed(rows.codes)],
        [f.sparse_sql() for f in placed(rows.sparse)],
        [f.width for f in (*rows.codes, *rows.sparse)],
    )
