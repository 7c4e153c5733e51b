"""Arrow's columns as numpy's arrays and back."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from mlpond.arrow import from_numpy, to_numpy


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32(), pa.int64(), pa.int32(), pa.uint8()])
def test_numbers_keep_type_value_and_place(kind):
    column = pa.array([1, 2, 3, 4], kind).slice(1, 2)
    values = to_numpy(column)
    assert values.dtype == kind.to_pandas_dtype()
    assert values.tolist() == [2, 3]


def test_numbers_are_not_copied():
    values = np.arange(5.0)
    assert np.shares_memory(to_numpy(from_numpy(values)), values)


def test_null_is_nan():
    np.testing.assert_array_equal(to_numpy(pa.array([1, None, 3])), [1.0, np.nan, 3.0])


def test_what_is_no_number_is_converted():
    assert to_numpy(pa.array([True, False])).tolist() == [True, False]


def test_no_rows():
    assert to_numpy(from_numpy(np.empty(0))).size == 0


def test_a_matrix_goes_row_by_row():
    columns = np.asfortranarray(np.arange(6).reshape(2, 3))
    assert from_numpy(columns).to_pylist() == [0, 1, 2, 3, 4, 5]


def test_training_and_searching_do_not_import_pandas():
    script = """
import sys
import mlpond
with mlpond.connect(":memory:") as pond:
    pond.sql("create table t as select i::double as x, i % 2 as y from range(50) as r(i)")
    for kind in ("linear_reg", "knn_classifier"):
        pond.sql(f"create model m_{kind} options (model_type = '{kind}', "
                 "input_label_cols = ['y']) as from t")
    pond.sql("from ml.predict('m_knn_classifier', 't')").fetchall()
sys.exit("pandas" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
