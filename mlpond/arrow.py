"""Between Arrow's memory and numpy's, without pandas.

``pyarrow.Array.to_numpy`` and ``pyarrow.array`` of a numpy array import pandas wherever it is
installed: 43 MB and 0.3 s that a training has no use for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

Array = np.ndarray[Any, Any]


def to_numpy(column: pa.Array[Any]) -> Array:
    """The values of a column, not copied where none is NULL; NULL among numbers is nan."""
    import pyarrow as pa

    kind = column.type
    if column.null_count == 0 and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return np.from_dlpack(column)
    return column.to_numpy(zero_copy_only=False)


def from_numpy(values: Array) -> pa.Array[Any]:
    """A column of numbers on the memory of an array, which must not change any more."""
    import pyarrow as pa

    flat: Any = np.ascontiguousarray(values).ravel()
    return pa.Array.from_buffers(
        pa.from_numpy_dtype(flat.dtype), flat.size, [None, pa.py_buffer(flat)]
    )
