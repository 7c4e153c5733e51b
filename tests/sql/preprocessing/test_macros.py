"""The windows of the plain shell and of queries: the same as the clause fitted on the same rows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mlpond
from mlpond.errors import StatementError

CALLS = (
    "ML.STANDARD_SCALER(x) OVER ()", "ML.MIN_MAX_SCALER(x) OVER ()", "ML.MAX_ABS_SCALER(x) OVER ()",
    "ML.ROBUST_SCALER(x, [20, 90], FALSE) OVER ()", "ML.IMPUTER(x, 'mean') OVER ()",
    "ML.IMPUTER(x, 'median') OVER ()", "ML.IMPUTER(x, 'most_frequent') OVER ()",
    "ML.QUANTILE_BUCKETIZE(x, 3, 'bucket_ranges') OVER ()",
    "ML.BUCKETIZE(x, [1, 2.5], FALSE, 'bucket_ranges_json')", "ML.HASH_BUCKETIZE(g, 5)",
    "ML.LABEL_ENCODER(g, 2, 2) OVER ()", "ML.ONE_HOT_ENCODER(g, 'most_frequent', 9, 0) OVER ()",
    "ML.IMPUTER(g, 'most_frequent') OVER ()", "ML.MULTI_HOT_ENCODER(w, 2, 1) OVER ()",
    "ML.BAG_OF_WORDS(w, 2, 1) OVER ()", "ML.TF_IDF(w, 2, 1) OVER ()",
    "ML.NORMALIZER([x, 1])", "ML.LP_NORM([x, 1], 3)", "ML.DISTANCE([x], [1], 'MANHATTAN')",
    "ML.NGRAMS(w, 2)", "ML.FEATURE_CROSS(STRUCT(g, x))", "ML.POLYNOMIAL_EXPAND(STRUCT(x, 2 AS y), 3)",
)  # fmt: skip
values = st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.5, -3.0, 1e9, 0.1, float("nan")]))
texts = st.one_of(st.none(), st.sampled_from(["a", "b", "it's", "é"]))
table = st.lists(st.tuples(values, texts, st.lists(texts, max_size=4)), min_size=1, max_size=12)


@pytest.fixture(scope="module")
def session():
    with mlpond.connect() as session:
        yield session


@given(rows=table)
@settings(deadline=None, max_examples=5)
def test_a_query_gives_what_the_fitted_clause_gives(session, rows):
    session.con.execute(
        "create or replace table t as select unnest($1::integer[]) as i, unnest($2::double[]) as x, "
        "unnest($3::varchar[]) as g, unnest($4::varchar[][]) as w",
        [list(range(len(rows))), *map(list, zip(*rows, strict=True))],
    ).fetchall()
    listed = ", ".join(f"{call} AS c{k}" for k, call in enumerate(CALLS))
    session.sql(
        f"create or replace model m transform ({listed}, i) options (model_type = 'transform_only')"
        " as select * from t"
    )
    fitted = session.engine.rows("select * exclude (i) from ml.transform('m', 't') order by i")
    asked = session.sql(f"select {listed} from t order by i").fetchall()
    assert repr(asked) == repr(fitted)  # NaN is not equal to itself
    session.sql("drop model m")


def test_each_group_by_itself(pond):
    pond.sql(
        "create table t as select * from (values ('a', 1), ('a', 3), ('b', 10), ('b', 20), "
        "(null, 5), (null, 7)) as t(g, x)"
    )
    found = pond.sql(
        "select ML.MIN_MAX_SCALER(x) OVER (PARTITION BY g) from t order by x"
    ).fetchall()
    assert [row[0] for row in found] == [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]
    two = pond.sql(
        "select ML.MAX_ABS_SCALER(x) OVER (PARTITION BY g, x > 6) from t order by x"
    ).fetchall()
    assert [row[0] for row in two] == [1 / 3, 1.0, 1.0, 1.0, 0.5, 1.0]
    plain = pond.sql("select ml.min_max_scaler(x, per := g) from t order by x").fetchall()
    assert plain == found


def test_after_grouping_and_within_views(pond):
    pond.sql("create table t as select i % 3 as g, i as x from range(9) r(i)")
    pond.sql("create view v as select g, ML.STANDARD_SCALER(sum(x)) OVER () as z from t group by g")
    assert pond.sql("select z from v order by g").fetchall() == [(-1.0,), (0.0,), (1.0,)]


def test_the_examples_of_the_issue(pond):
    pond.sql("create table t as select unnest([1, 2, 3]) as x, unnest([0, 1, 5]) as y")
    found = pond.sql(
        "SELECT ML.MIN_MAX_SCALER(x) OVER (), ML.BUCKETIZE(y, [1, 2]) FROM t ORDER BY x"
    )
    assert found.fetchall() == [(0.0, "bin_1"), (0.5, "bin_2"), (1.0, "bin_3")]


@pytest.mark.parametrize(
    "call, message",
    [
        ("ml.bucketize(1, [2, 1])", "finite numbers in ascending order"),
        ("ml.bucketize(1, [2], output_format := 'x')", "output_format is x"),
        ("ml.quantile_bucketize(1, 101)", "from 2 to 100"),
        ("ml.hash_bucketize('a', -1)", "num_buckets is -1"),
        ("ml.imputer(null::integer, 'mode')", "strategy is mode"),
        ("ml.one_hot_encoder('a', 'first')", "drop is first"),
        ("ml.lp_norm([1], 0.5)", "p is 0.5"),
        ("ml.distance([1], [2], 'x')", "type is x"),
        ("ml.distance([1], [2, 3], 'MANHATTAN')", "1 and 2 numbers"),
        ("ml.ngrams(['a', 'b'], 0)", "range is 0; it must be a length of at least 1"),
        ("ml.ngrams(['a', 'b'], [2, 1])", "range is \\[2, 1\\]"),
        ("ml.ngrams(['a', 'b'], null::integer)", "range is NULL"),
    ],
)
def test_bad_settings_of_the_plain_functions(pond, call, message):
    with pytest.raises(Exception, match=message):
        pond.sql(f"select {call}").fetchall()


def test_the_distance_of_an_array_that_is_null(pond):
    row = "(select null::integer[2] as a, [1, 2]::integer[2] as b)"
    for kind in ("EUCLIDEAN", "MANHATTAN", "COSINE"):
        query = f"select ml.distance(a, b, '{kind}'), ml.distance(b, a, '{kind}') from {row}"
        assert pond.sql(query).fetchall() == [(None, None)]


def test_refusals_reach_the_user_of_a_query(pond):
    with pytest.raises(StatementError, match="must be written as STRUCT"):
        pond.sql("select ML.FEATURE_CROSS(s) from (select {'a': 1} as s)")
