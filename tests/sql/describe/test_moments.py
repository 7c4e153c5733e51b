from __future__ import annotations

import math
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pytest import approx

import mlpond
from mlpond.seeds import load as load_seed
from tests.sql.grouped import load, one, values

UNIVARIATE = (
    "PiDigits", "Lottery", "Lew", "Mavro", "Michelso", "NumAcc1", "NumAcc2", "NumAcc3", "NumAcc4"
)  # fmt: skip
MOMENTS = "from ml.moments('samples', 'y')"


@pytest.fixture(scope="module")
def con():
    with mlpond.connect() as session:
        load_seed(session, "nist")
        yield session.con


def certified(con, name):
    query = f"select quantity, value from nist.certified where dataset = '{name}'"
    return dict(con.execute(query).fetchall())


@pytest.mark.parametrize("name", UNIVARIATE)
def test_certified_values_are_those_of_the_data(con, name):
    query = f"select value from nist.univariate where dataset = '{name}' order by observation"
    with mp.workdps(60):
        x = [mp.mpf(str(value)) for (value,) in con.execute(query).fetchall()]
        mean = sum(x) / len(x)
        squares = sum((v - mean) ** 2 for v in x)
        products = sum((a - mean) * (b - mean) for a, b in zip(x, x[1:], strict=False))
        found = {
            "mean": mean,
            "standard_deviation": mp.sqrt(squares / (len(x) - 1)),
            "lag_1_autocorrelation": products / squares,
        }
        for quantity, value in certified(con, name).items():
            assert found[quantity] == approx(value, rel=5e-15)  # fifteen digits are printed


@pytest.mark.parametrize("name", UNIVARIATE)
def test_agrees_with_nist(con, name):
    source = f"(from nist.univariate where dataset = ''{name}'')"
    row = one(con, f"from ml.moments('{source}', 'value', ordering := 'observation')")
    for quantity, value in certified(con, name).items():
        # fifteen digits are printed; the sums are corrected, so two roundings at the end remain
        assert row[quantity] == approx(value, rel=2e-15)


@given(sample=st.lists(values, min_size=2, max_size=60))
def test_agrees_with_numpy(con, sample):
    assume(len(set(sample)) > 1)
    load(con, {"a": sample})
    row = one(con, MOMENTS)
    # numpy rounds up to 60 sums of values of 100; a mean may come near 0
    assert row["mean"] == approx(np.mean(sample), rel=1e-12, abs=1e-13)
    assert row["standard_deviation"] == approx(np.std(sample, ddof=1), rel=1e-12)
    assert row["standard_error"] == approx(
        np.std(sample, ddof=1) / math.sqrt(len(sample)), rel=1e-12
    )
    assert row["lag_1_autocorrelation"] is None


@pytest.mark.parametrize("name", ["PiDigits", "Lottery", "Lew"])
def test_integers_are_taken_exactly(con, name):
    query = f"select value from nist.univariate where dataset = '{name}' order by observation"
    x = [Fraction(value) for (value,) in con.execute(query).fetchall()]
    mean = sum(x) / len(x)
    products = sum((a - mean) * (b - mean) for a, b in zip(x, x[1:], strict=False))
    expected = float(products / sum((v - mean) ** 2 for v in x))
    source = f"(from nist.univariate where dataset = '{name}')"
    row = one(con, f"from ml.moments($${source}$$, 'value', 'observation')")
    # Every sum is exact, in whatever order threads add; what is left are the roundings of a dozen
    # operations on them. The products of PiDigits cancel to 1/200 of their size, which would cost
    # sums of rounded products 15 units in the last place.
    assert row["lag_1_autocorrelation"] == approx(expected, rel=4 * 2.0**-52, abs=0)


def test_a_reversed_series_has_the_same_autocorrelation(con):
    con.execute(
        "create or replace table series as select i, hash(i) % 1000 / 8 as y from range(500) as t(i)"
    )
    forward = one(con, "from ml.moments('series', 'y', ordering := 'i')")
    backward = one(con, "from ml.moments('(select -i as i, y from series)', 'y', ordering := 'i')")
    # the same products in another order
    assert forward["lag_1_autocorrelation"] == approx(backward["lag_1_autocorrelation"], rel=1e-12)


@pytest.mark.parametrize(
    "kind", ["boolean", "utinyint", "ubigint", "hugeint", "float", "decimal(38, 37)"]
)
def test_types(con, kind):
    row = one(
        con,
        f"from ml.moments('(select y::{kind} as y from (values (1), (0), (1), (1)) as t(y))', 'y')",
    )
    assert (row["mean"], row["standard_deviation"]) == (0.75, 0.5)


def test_wide_values_are_left_as_they_are(con):
    load(con, {"a": [1e300, 1e-300, -1e200, 5.0]})
    assert one(con, MOMENTS)["mean"] == approx(2.5e299, rel=1e-15)


@pytest.mark.parametrize(
    "sample, n, missing, mean",
    [
        ([], 0, 0, None),
        ([None, math.nan], 0, 2, None),
        ([3.5], 1, 0, 3.5),
        ([2.0, 2.0, None], 2, 1, 2),
    ],
    ids=["empty", "missing", "one", "constant"],
)
def test_thin_data(con, sample, n, missing, mean):
    load(con, {"a": sample})
    row = one(con, MOMENTS)
    assert (row["n"], row["n_missing"], row["mean"]) == (n, missing, mean)
    assert row["standard_deviation"] == (0 if n > 1 else None)
