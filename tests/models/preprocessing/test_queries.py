"""The functions beyond BigQuery's with OVER () in a query: the clause fitted on the same rows."""

from __future__ import annotations

import json
import subprocess
import sys

import duckdb
import pytest

import mlpond
from mlpond.errors import InputError, StatementError
from mlpond.models.preprocessing import FUNCTIONS
from mlpond.sql import catalog
from mlpond.sql.dialect.preprocessing import LEARNT_FIRST, OF_A_ROW, OF_A_SERIES
from mlpond.sql.dialect.preprocessing import WINDOWS as MACROS
from tests.models.preprocessing.clause import apply
from tests.models.preprocessing.test_shell import CALLS, flat

LEARNING = [call for call in CALLS if call.endswith("OVER ()")]
CROSS_FITTED = ("TARGET_ENCODER", "WEIGHT_OF_EVIDENCE")
WINDOWS = [call for call in LEARNING if call.split("(")[0] not in LEARNT_FIRST]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("queries") / "pond.duckdb"
    with mlpond.connect(path) as pond:
        pond.sql(
            "create table t as select i, case when i % 11 > 0 then (hash(i) % 1000) / 50.0 - 8 "
            "end::double as x, 1.0 + (hash(i, 1) % 1000) / 100.0::double as p, ['a', 'b', 'c', null, "
            "'it''s \"odd\"'][1 + (hash(i, 2) % 5)::integer] as c, ['u', 'v', 'w'][1 + (hash(i, 3) % "
            "3)::integer] as k from range(200) as r(i)"
        )
    return path


@pytest.fixture(scope="module")
def pond(path):
    with mlpond.connect(path, read_only=True) as session:
        yield session


def same(found, expected):
    found, expected = flat(found), flat(expected)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a == (pytest.approx(b, rel=1e-12, abs=1e-14) if isinstance(b, float) else b)


@pytest.mark.parametrize("call", LEARNING)
def test_a_query_is_the_clause(pond, call):
    query = pond.sql(f"select ML.{call} as z from t where i < 150 order by i")
    found = [row[0] for row in query.fetchall()]
    source = "(from t where i < 150)"
    if call.startswith(CROSS_FITTED):  # in a query the fold is told by other columns
        assert len({json.dumps(v) for v in found}) > 10
        return
    same(found, apply(pond, f"ML.{call} AS z", source, source))


@pytest.mark.parametrize("call", WINDOWS)
def test_the_shell_has_the_windows(path, pond, call):
    bare = call.removesuffix(" OVER ()")
    query = f"select to_json({{'z': ml.{bare}}})::varchar from t order by i"
    done = subprocess.run(
        [sys.executable.removesuffix("python") + "duckdb", "-noheader", "-list", "-readonly",
         str(path), query],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.stderr, done.stderr[:2000]
    found = [json.loads(line)["z"] for line in done.stdout.splitlines()]
    same(found, apply(pond, f"ML.{call} AS z"))


def test_the_encoding_of_a_row_in_a_query_leaves_its_fold_out(pond):
    rows = "(values ('a', 1.0), ('a', 2.0), ('b', 9.0), ('a', 4.0)) as v(c, y)"
    found = pond.sql(f"select ML.TARGET_ENCODER(c, y, 0, 100) OVER () from {rows}").fetchall()
    # 100 folds of 4 rows: each row is a fold of its own, or shares it with another one
    values = [row[0] for row in found]
    assert values[0] not in (1.0, pytest.approx(7 / 3), None)


@pytest.mark.parametrize(
    "source",
    [
        "(select i, x > 0 as y from t order by random())",
        "(select i, i % 7 as k, (x > 0)::integer as y from t order by random()) as a join t as b using (i)",
    ],
)
def test_the_fold_of_a_row_is_the_same_in_whatever_order_it_comes(pond, source):
    found = pond.sql(
        f"select ML.TARGET_ENCODER('all', y, 0, 2) OVER () as z, y from {source}"
    ).fetchall()
    first, second = {v for v, _ in found}
    means = {
        fold: sum(y for v, y in found if v == fold and y is not None)
        / sum(v == fold and y is not None for v, y in found)
        for fold in (first, second)
    }
    # a row has the mean of the other fold, whose rows have the mean of its own
    assert means == {first: pytest.approx(second), second: pytest.approx(first)}


def test_rows_without_order_or_key_have_no_folds(pond):
    with pytest.raises(InputError, match="add a key, or make a table of them first"):
        pond.sql(
            "select ML.TARGET_ENCODER(k, y) OVER () from (select distinct k, x > 0 as y from t)"
        )
    query = "select ML.TARGET_ENCODER(k, y) OVER () from (select k, x > 0 as y from t) where k is distinct from 'u'"
    assert len(pond.sql(query).fetchall()) > 100


def test_several_calls_ctes_and_groups(pond):
    found = pond.sql(
        "with q as (select * from t where i < 60) select q.x, ML.SPLINE(q.x, 3, 1) OVER () as s, "
        "ML.KBINS(p, 3) OVER () as b, ML.COUNT_ENCODER(c) OVER (PARTITION BY k) as n from q "
        "where q.x > 0 order by q.x limit 2"
    ).fetchall()
    assert found[0][1] == [1.0, 0.0, 0.0]  # learnt from the rows above 0
    assert all(row[2].startswith("bin_") for row in found)


def test_every_function_is_a_macro_a_window_or_learnt_first():
    learning = {name for name, function in FUNCTIONS.items() if function.over == "learns"}
    assert learning == MACROS | LEARNT_FIRST | {"BAG_OF_WORDS", "MULTI_HOT_ENCODER", "TF_IDF"}
    assert {name for name, function in FUNCTIONS.items() if function.over == "none"} > OF_A_ROW
    assert {name for name, f in FUNCTIONS.items() if f.over == "series"} == OF_A_SERIES
    # or FROM ml.interpolate(…) in a query would be taken for a call of it
    assert not {entry.name.upper() for entry in catalog() if entry.kind == "table"} & set(FUNCTIONS)


# t is a table of 200 rows; CTEs are v of those with i < 60, and w of half of these
@pytest.mark.parametrize(
    "query, source",
    [
        ("from v select CALL as z order by i", "(from t where i < 60)"),
        ("from v select CALL as z where i > 9 order by i", "(from t where i > 9 and i < 60)"),
        ("select a.i, CALL as z from v as a join t as b using (i) order by i", "(from t where i < 60)"),
        ("select i, CALL as z from t where i < 9 union all select i, 'no' from v", "(from t where i < 9)"),
        ("select * exclude (k), CALL as z from v where i is distinct from 3", "(from t where i < 60 and i <> 3)"),
        ("select i, (select CALL as z from t limit 1) from v", "t"),
        ("select (with v as (from w) select CALL as z from v limit 1) from t", "(from t where i < 30)"),
        ("select * from (with u as (from w) select i, CALL as z from u)", "(from t where i < 30)"),
        ("select CALL as z from (select p + 0 * ml.spline(p) over ()[1] as p from v)", "(from t where i < 60)"),
        # in brackets that are no query
        ("select [lower(CALL)][1] as z from v where i in (select i from w)", "(from t where i < 30)"),
        ("select trim(both from (CALL)) as z from v union all (select k from t)", "(from t where i < 60)"),
        ("from v select * replace (concat((CALL), '') as p) where i > 9", "(from t where i > 9 and i < 60)"),
        ("select i, (select max(CALL) from w limit 1) from t", "(from t where i < 30)"),
    ],
)  # fmt: skip
def test_the_rows_that_a_query_learns_from(pond, query, source):
    column = "a.p" if " as a " in query else "p"
    kbins = f"ML.KBINS({column}, 3, 'uniform', 'bucket_names') OVER ()"
    asked = pond.sql(
        f"with v as (from t where i < 60), w as (from v where i < 30) {query.replace('CALL', kbins)}"
    ).fetchall()
    low, high = pond.engine.row(f"select min(p), max(p) from {source}")
    found = {value for row in asked for value in row if str(value).startswith("bin_")}
    assert found <= {"bin_1", "bin_2", "bin_3"}
    edges = [low + (high - low) / 3, low + (high - low) * 2 / 3]
    expected = pond.engine.rows(f"select distinct ml.bucketize(p, {edges}) from {source}")
    assert found == {row[0] for row in expected} or "limit 1" in query


@pytest.mark.parametrize(
    "call, kind",
    [
        ("IMPUTER(i, 'most_frequent')", "DOUBLE"),  # BigQuery's types: FLOAT64 or STRING
        ("IMPUTER(i > 3, 'most_frequent')", "VARCHAR"),
        ("IMPUTER(i, 'median')", "DOUBLE"),
        ("LABEL_ENCODER(k, 2, 1)", "BIGINT"),
        ("ONE_HOT_ENCODER(k, 'most_frequent', 9, 1)", 'STRUCT("index" BIGINT, "value" DOUBLE)[]'),
        ("QUANTILE_BUCKETIZE(p, 101, 'bucket_ranges')", "VARCHAR"),
    ],
)
def test_bigquerys_functions_are_those_of_the_clause(pond, call, kind):
    query = pond.sql(f"select ML.{call} OVER () as z from t where i < 150 order by i")
    assert [str(t) for t in query.types] == [kind]
    source = "(from t where i < 150)"
    same(
        [row[0] for row in query.fetchall()], apply(pond, f"ML.{call} OVER () AS z", source, source)
    )


@pytest.mark.parametrize("call", ["KBINS(p, 3)", "STANDARD_SCALER(p)", "LABEL_ENCODER(k)"])
def test_statements_around_a_query(pond, call):
    query = f"with v as (from t where i < 60) select ML.{call} OVER () as z from v order by i"
    plan, analysed = (
        pond.sql(f"{how} {query}").fetchall() for how in ("EXPLAIN", "explain analyze")
    )
    assert (plan[0][0], analysed[0][0]) == ("physical_plan", "analyzed_plan")
    pond.sql(f"create or replace temp table made as {query}")
    pond.sql(f"insert into made {query}")
    values = [row[0] for row in pond.sql(query).fetchall()]
    assert [row[0] for row in pond.sql("from made").fetchall()] == values * 2


def test_functions_of_what_other_functions_make(pond):
    inner = "select i, k, p, ML.LAST_KNOWN(x) OVER (ORDER BY i) as x, ML.HASHED_FEATURES(k, 8) as h from t"
    middle = f"select *, ML.KBINS(x, 3) OVER () as b, ml.weight_of_evidence(k, x > 0) as w from ({inner})"
    found = pond.sql(
        f"with u as ({middle}) select ML.LABEL_ENCODER(b, 9, 1) OVER () as z, ML.YEO_JOHNSON(w) "
        "OVER (), ML.LAG(w) OVER (ORDER BY i) from u order by i"
    ).fetchall()
    assert {row[0] for row in found} == {0, 1, 2, 3}  # 0: x of the first row is not known
    assert found[0][2] is None
    assert len({row[1] for row in found}) == 3


def test_where_the_macro_stands_in():
    with mlpond.connect() as session:
        session.sql("create table t as select i, 'g' || i % 2 as g from range(20) as r(i)")
        session.sql("create view v as select ML.LABEL_ENCODER(g) OVER () as z from t")
        words = "select i, ML.BAG_OF_WORDS(ML.NGRAMS([g, g], 2), 9, 1) OVER () as z from t"
        session.sql(
            "create view w as select 1 is distinct from 2, ("
            f"select max(z) from ({words} where i <> 3 order by i)) as z"
        )
        session.sql("insert into t select 99, 'a' from range(5)")
        assert session.engine.value("select z from w") == [{"index": 3, "value": 1.0}]
        assert session.engine.value("select max(z) from v") == 3  # the view follows its rows
        by_group = "select g, ML.IMPUTER(avg(i), 'mean') OVER () from t group by g order by g"
        assert session.sql(by_group).fetchall() == [("a", 99.0), ("g0", 9.0), ("g1", 10.0)]
        prepared = "select ML.IMPUTER(i, 'mean') OVER () from t where i < $1 order by i"
        assert session.sql(prepared, params=[2]).fetchall() == [(0.0,), (1.0,)]
        session.sql("create table numbers as from range(20) as r(i)")
        label = "select ML.LABEL_ENCODER(i, 5, 1) OVER () from numbers using sample 3 rows"
        few = session.sql(label)
        assert sorted(few.fetchall()) == [(1,), (2,), (3,)]  # of those three alone
        with pytest.raises(StatementError, match="top_k is 0; it must be an integer from 1"):
            session.sql("select ML.LABEL_ENCODER(g, 0) OVER () from t")


@pytest.mark.parametrize(
    "call, expected",
    [
        ("CALENDAR_PARTS(date '2024-02-29', ['year', 'is_month_end'])", {"year": 2024, "is_month_end": True}),
        ("CHARACTER_NGRAMS('Anna', [2, 3])", ["an", "nn", "na", "ann", "nna"]),
        ("CHARACTER_NGRAMS('Anna', 3)", ["ann", "nna"]),
        ("CHARACTER_NGRAMS('Anna', 3, 3)", ["ann", "nna"]),  # the macro
        ("NORMALIZER([3, 4], CAST('+INF' AS FLOAT64))", [0.75, 1.0]),  # as BigQuery writes it
        ("LP_NORM([3, 4], '+inf')", 4.0),
        ("DISTANCE([('a', 1.0)], [('a', 4.0), ('b', 4.0)])", 5.0),
        ("DISTANCE([1], [4], type := 'MANHATTAN')", 3.0),  # the macro
    ],
)  # fmt: skip
def test_forms_of_transform_in_a_query_without_rows(pond, call, expected):
    assert pond.sql(f"select ML.{call}").fetchall() == [(expected,)]


def test_functions_of_a_row_of_any_column(pond):
    text, tokens = pond.sql(
        "select ML.HASHED_FEATURES(k, 8), ML.HASHED_FEATURES(ML.TOKENS(k || ' ' || k, '.'), 8) from t"
    ).fetchall()[0]
    assert [entry["index"] for entry in text]
    assert tokens
    inside = pond.sql("select list_transform([[3, 4]], lambda v: ML.NORMALIZER(v, 1))").fetchall()
    assert inside == [([[pytest.approx(3 / 7), pytest.approx(4 / 7)]],)]


@pytest.mark.parametrize(
    "query, message",
    [
        (
            "select k, ML.KBINS(avg(x), 3) OVER () from t group by k",
            "aggregate in a subquery behind FROM",
        ),
        (
            "select ML.STANDARD_SCALER(x) OVER w from t window w as ()",
            "OVER W: a named window is not",
        ),
        (
            "select ML.STANDARD_SCALER(x) OVER (order by i) from t",
            "OVER \\(order by i\\): it learns from all",
        ),
        (
            "select ML.MIN_MAX_SCALER(x) OVER (partition by k order by i) from t",
            "it learns from all rows",
        ),
        (
            "select ML.CALENDAR_PARTS(date '2024-01-01', ['yeer'])",
            "parts is \\['yeer'\\]; it must be",
        ),
        ("select ML.SPLINE(x) OVER (partition by c) from t", "only OVER \\(\\) is accepted"),
        ("select ML.SPLINE(zz) OVER () from t", "learns before the query runs.*zz"),
        ("select ML.SPLINE(c) OVER () from t", "x has type VARCHAR; it must be a number"),
        ("select ML.NORMALIZER(k) from t", "array has type VARCHAR; it must be a list of numbers"),
        ("with u as (from t) select ML.CALENDAR_PARTS(k) from u", "it must be a DATE or TIMESTAMP"),
        ("select ML.CALENDAR_PARTS(time '10:00') from t", "it must be a DATE or TIMESTAMP"),
        ("select ML.FEATURE_CROSS(STRUCT(k)) from t", "with 2 to 10 fields"),
        ("select 1 + ML.CHARACTER_NGRAMS(i, 2) from t", "text has type BIGINT; it must be text"),
        ("select ML.TF_IDF(k) OVER () from t", "array has type VARCHAR; it must be a list"),
        ("select ML.SPLINE(x) from t", "write OVER \\(\\) behind it"),
        ("select ML.TF_IDF(['a']) OVER ()", "write it as SELECT"),
        ("select ML.SPLINE(1.0) OVER ()", "so that it can learn from the same rows"),
        (
            "select ML.SPLINE(x) OVER () from t where i < $1",
            "values of \\$1 or \\? are not known then",
        ),
        (
            "select ML.SPLINE(ML.WINSORIZER(x) OVER ()) OVER () from t",
            "one ML function inside another",
        ),
        ("select ML.KBIN(x) OVER () from t", "'KBIN' is not known.* Did you mean 'KBINS'"),
        (
            "select ML.ROBUST_SCALER(x, [5, 175]) OVER () from t",
            "quantile_range is \\[5, 175\\]; it",
        ),
        ("select ML.MAX_ABS_SCALER() OVER () from t", "has 0 arguments; it takes \\(x\\)"),
        ("select ML.ORDINAL_ENCODER(c, ['a']) OVER (partition by k) from t", "its order is given"),
    ],
)
def test_what_a_query_cannot_ask(pond, query, message):
    with pytest.raises((InputError, StatementError), match=message):
        pond.sql(query)


@pytest.mark.parametrize(
    "call, message",
    [
        ("winsorizer(x, 0.9, 0.1)", "lower is 0.9 and upper 0.1"),
        ("rare_grouper(c, 0)", "threshold is 0"),
        ("count_encoder(c, 'rate')", "unit is rate"),
        ("group_statistic(x, c, 'mode')", "statistic is mode"),
        ("weight_of_evidence(c, x > 0, 0)", "smoothing is 0"),
        ("weight_of_evidence(c, true)", "the label has one value"),
        ("robust_scaler(x, [90, 10])", "quantile_range is \\[90, 10\\]"),
        ("bucketize(x, null)", "array_split_points is NULL"),
        ("bucketize(x, ['-inf'::double, 1])", "array_split_points is \\[-inf, 1.0\\]"),
        ("kept(map {'a': 1}, -1, 0)", "top_k is -1"),
    ],
)
def test_what_the_macros_refuse(pond, call, message):
    with pytest.raises(duckdb.Error, match=f"ml.{call.split('(')[0]}: {message}"):
        pond.con.execute(f"select ml.{call} from t").fetchall()
