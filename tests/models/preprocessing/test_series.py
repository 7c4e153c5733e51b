"""Lags, windows and fills of a series, and neighbours: in TRANSFORM and in queries."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.impute import KNNImputer

import mlpond
from mlpond.errors import InputError, StatementError

# rows without a key or a time, moments of several rows, gaps, and a key in need of quotes
ROWS = r'''
    select
        ['a', 'b', null][1 + (hash(i, 1) % 3)::integer] as "my ""key""",
        case when i % 17 > 0 then timestamp '2026-01-01' + to_days((hash(i, 2) % 40)::integer) end as day,
        case when hash(i, 3) % 3 > 0 then (hash(i, 4) % 50) / 10 end as x,
        ['u', 'v', 'w', null][1 + (hash(i, 5) % 4)::integer] as c,
        i as id,
    from range(120) as r(i)
'''
KEY = '"my ""key"""'
SERIES = f"OVER (PARTITION BY {KEY} ORDER BY day)"
LISTED = "['my \"key\"']"


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        session.con.execute(f"create table t as {ROWS}")
        yield session


@pytest.mark.parametrize(
    "call, table, column",
    [
        ("LAG(x)", f"lag_features('t', {LISTED}, 'day', ['x'])", "x_lag_1"),
        ("LAG(c, 3)", f"lag_features('t', {LISTED}, 'day', ['c'], [3])", "c_lag_3"),
        ("ROLLING(x, 4)", f"rolling_features('t', {LISTED}, 'day', ['x'], ['4'])", "x_mean_4"),
        ("ROLLING(x, '5 days', 'count')",
         f"rolling_features('t', {LISTED}, 'day', ['x'], ['5 days'], ['count'])", "x_count_5_days"),
        ("ROLLING(x, 'all', 'max')",
         f"rolling_features('t', {LISTED}, 'day', ['x'], ['all'], ['max'])", "x_max_all"),
        ("EXPANDING(x, 'stddev', 3)",
         f"expanding_features('t', {LISTED}, 'day', ['x'], ['stddev'], min_values := 3)", "x_stddev_all"),
        ("LAST_KNOWN(x)",
         f"interpolate('t', 'day', 'x', keys := {LISTED}, fill := 'last')", "interpolated"),
        ("LINEAR_INTERPOLATION(x)", f"interpolate('t', 'day', 'x', keys := {LISTED})", "interpolated"),
    ],
)  # fmt: skip
def test_means_what_the_table_function_means(pond, call, table, column):
    rows = pond.con.execute(f"select {column} from ml.{table} order by id").fetchall()
    assert any(value is not None for (value,) in rows)
    expected = [(pytest.approx(v, rel=1e-13) if isinstance(v, float) else v,) for (v,) in rows]
    query = f"select ML.{call} {SERIES} as z from t order by id"
    assert pond.sql(query).fetchall() == expected
    pond.sql(
        f"create or replace model m transform (id, ML.{call} {SERIES} as z) "
        "options (model_type = 'transform_only') as from t"
    )
    query = "select z from ML.TRANSFORM(MODEL m, TABLE t) order by id"
    assert pond.sql(query).fetchall() == expected


@pytest.mark.parametrize(
    "call, message",
    [
        ("LAG(x)", "LAG(…) looks at other rows; write OVER (PARTITION BY key ORDER BY time)"),
        ("LAG(x) OVER ()", "its window is that of a series"),
        ("LAG(x) OVER (ORDER BY day, id)", "its window is that of a series"),
        ("LAG(x) OVER (ORDER BY day DESC)", "its window is that of a series"),
        ("LAG(x) OVER (PARTITION BY ORDER BY day)", "its window is that of a series"),
        ("LAG(x) OVER (ORDER BY day ROWS 2 PRECEDING)", "its window is that of a series"),
        ("LAG(x) OVER w", "a named window is not accepted"),
        ("LAG(x, 0) OVER (ORDER BY day)", "lag is 0; it must be an integer of at least 1"),
        ("LAG(nope) OVER (ORDER BY day)", "nope"),
        ("LAG(x) OVER (ORDER BY nope)", "nope"),
        ("ROLLING(c, 2) OVER (ORDER BY day)", "x has type VARCHAR; it must be a number"),
        ("ROLLING(x, 'week') OVER (ORDER BY day)", "window is 'week'; it must be a number of moments"),
        ("ROLLING(x, '2 days') OVER (ORDER BY id)", "the time has type BIGINT; it must be a DATE"),
        ("EXPANDING(x, 'mode') OVER (ORDER BY day)", "function is 'mode'; it must be 'mean'"),
        ("LINEAR_INTERPOLATION(x) OVER (ORDER BY c)", "the time has type VARCHAR"),
        ("STANDARD_SCALER(ML.LAG(x) OVER (ORDER BY day)) OVER ()", "inside another"),
        ("KNN_IMPUTER(STRUCT(x, c)) OVER ()", "the field c has type VARCHAR; it must be a number"),
        ("KNN_IMPUTER(STRUCT(x, id), 0) OVER ()", "n_neighbors is 0"),
    ],
)  # fmt: skip
def test_what_is_refused(pond, call, message):
    for text in (
        f"select ML.{call} as z from t",
        f"create model m2 transform (ML.{call} as z) options (model_type = 'transform_only') as from t",
    ):
        if "inside" in message and text.startswith("select"):
            continue  # DuckDB's own message
        with pytest.raises((StatementError, InputError)) as error:
            pond.sql(text)
        assert message in str(error.value)


def test_a_model_that_holds_rows_out_has_no_windows(pond):
    with pytest.raises(StatementError, match="ML.LAG looks at other rows.*transform_only"):
        pond.sql(
            f"create model m3 transform (ML.LAG(x) {SERIES} as z, x) "
            "options (model_type = 'linear_reg', input_label_cols = ['x']) as from t"
        )


@pytest.mark.parametrize("weights", ["uniform", "distance"])
def test_neighbours_are_scikit_learns(pond, weights):
    rng = np.random.default_rng(7)
    data = rng.normal(size=(90, 3))
    data[rng.random(data.shape) < 0.25] = np.nan
    data[4] = np.nan
    pond.con.execute("create or replace table r (i int, a double, b double, c double)")
    rows = [[i, *map(float, row)] for i, row in enumerate(data)]
    pond.con.executemany("insert into r values (?, ?, ?, ?)", rows)
    expected = KNNImputer(n_neighbors=4, weights=weights).fit_transform(data)
    call = f"ML.KNN_IMPUTER(STRUCT(a, b, c), 4, '{weights}') OVER ()"
    pond.sql(
        f"create or replace model k transform (i, {call} as z) "
        "options (model_type = 'transform_only') as from r"
    )
    for query in ("select i, z from ml.transform('k', 'r')", f"select i, {call} as z from r"):
        found = pond.sql(f"select z.a, z.b, z.c from ({query}) order by i").fetchall()
        assert np.array(found) == pytest.approx(expected, rel=1e-12)
    pond.sql(
        "create or replace model few transform (ML.KNN_IMPUTER(STRUCT(a, b), 2, 'uniform', 5) OVER () as z) "
        "options (model_type = 'transform_only') as from r"
    )
    kept = "select max(position) from ml.transform_state where model = 'few' and key = 'donor a'"
    assert pond.engine.value(kept) == 5
    nothing = "select z.a, z.b from ml.transform('few', '(select null::double as a, 0.5 as b)')"
    assert pond.engine.row(nothing)[0] is not None
