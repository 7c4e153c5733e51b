"""transform_only: fitted on one table, applied to another, everywhere the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import mlpond
from mlpond.errors import InputError, StatementError
from tests.conftest import rows

# Every function, on names that need quotes, with NULL, NaN, rare categories and lists.
ITEMS = (
    'ML.STANDARD_SCALER("odd ""x""") OVER ()',
    'ML.MIN_MAX_SCALER("odd ""x""") OVER ()',
    'ML.MAX_ABS_SCALER("odd ""x""" * 2 - 1) OVER ()',
    'ML.ROBUST_SCALER("odd ""x""", [10, 90]) OVER ()',
    'ML.NORMALIZER([n, "odd ""x"""], 3)',
    'ML.BUCKETIZE("odd ""x""", [0.25, 1], FALSE, \'bucket_ranges_json\')',
    "ML.QUANTILE_BUCKETIZE(n, 4, 'bucket_ranges') OVER ()",
    "ML.HASH_BUCKETIZE(g, 10)",
    "ML.FEATURE_CROSS(STRUCT(g, n % 2 AS k, n AS l), 3)",
    'ML.IMPUTER("odd ""x""", \'median\') OVER ()',
    "ML.IMPUTER(g, 'most_frequent') OVER ()",
    "ML.LABEL_ENCODER(g) OVER ()",
    "ML.ONE_HOT_ENCODER(g, 'most_frequent', 2, 0) OVER ()",
    "ML.MULTI_HOT_ENCODER(w, 3, 0) OVER ()",
    "ML.NGRAMS(w, [1, 2])",
    'ML.POLYNOMIAL_EXPAND(STRUCT(n, "odd ""x""" AS "a b"))',
    "ML.TF_IDF(ML.NGRAMS(w, 2), 5, 1) OVER ()",
    "ML.BAG_OF_WORDS(w, 32, 1) OVER ()",
    "ML.DISTANCE([n, 1], [2, n], 'COSINE')",
    "ML.LP_NORM([n, 1, NULL], 1.5)",
)
CLAUSE = ", ".join(f"{item} AS c{i}" for i, item in enumerate(ITEMS))


def make(name: str, start: int, stop: int) -> str:
    return (
        f"create table {name} as select i::integer as n, case when i % 7 = 0 then null when i = 30 "
        'then \'nan\' when i % 11 = 0 then 1e9 else sin(i) end::double as "odd ""x""", '
        "['a', 'it''s', null, 'rare ' || i][1 + i % 4] as g, "
        "case when i % 9 = 0 then null else ['yum', chr(97 + (i % 5)::int), null][:1 + i % 3] end "
        f"as w from range({start}, {stop}) as r(i)"
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("transform") / "pond.duckdb"
    with mlpond.connect(path) as session:
        session.sql(make("old", 0, 60))
        session.sql(make("new", 60, 90))
        session.sql(
            f"create model m transform ({CLAUSE}, n as n) options (model_type = 'transform_only') "
            "as select * from old"
        )
    return path


QUERY = "select * from ml.transform('m', 'new') order by n"


def test_a_plain_shell_gives_what_the_session_gives(file, shell):
    with mlpond.connect(file, read_only=True) as session:
        relation = session.sql("select * from ML.TRANSFORM(MODEL m, TABLE new) order by n")
        assert relation.columns == [*(f"c{i}" for i in range(len(ITEMS))), "n"]
        session.con.execute("set allow_persistent_secrets = false")
        ours = session.engine.rows(
            f"select to_json(columns(*))::varchar from ({QUERY}) order by n::int"
        )
    found = shell(file, f"select to_json(columns(*))::varchar from ({QUERY}) order by n::int")
    assert [tuple(row.values()) for row in found] == ours
    assert len(ours) == 30


def test_an_exported_clause_needs_nothing_of_mlpond(file, tmp_path):
    with mlpond.connect(file) as session:
        session.sql(f"export model m options (uri = '{tmp_path}/out')")
        expected = session.engine.rows(QUERY)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "model.json", "transform.sql",
    ]  # fmt: skip
    described = json.loads((tmp_path / "out" / "model.json").read_text())
    assert described["models"][0]["model_type"] == "TRANSFORM_ONLY"
    assert {"mean", "cut", "category"} <= {row["key"] for row in described["transform_state"]}
    con = duckdb.connect()
    con.execute((tmp_path / "out" / "transform.sql").read_text()).fetchall()
    con.execute(make("new", 60, 90)).fetchall()
    found = con.execute("select * from ml.transform('new') order by n").fetchall()
    assert repr(found) == repr(expected)  # NaN is not equal to itself
    program = Path(sys.executable).with_name("duckdb")
    done = subprocess.run(
        [str(program), "-csv", "-c", f".read '{tmp_path / 'out' / 'transform.sql'}'", "-c",
         make("new", 60, 90), "-c", "select count(*) from ml.transform('new')"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "30" in done.stdout


def test_what_was_learnt_is_rows_and_the_clause_is_readable(pond):
    pond.sql("create table t as select x::double as x, x % 2 = 0 as y from range(1, 6) r(x)")
    pond.sql(
        "create model m transform (ML.STANDARD_SCALER(x) OVER () AS z, ML.BUCKETIZE(x, [2]) AS b, y) "
        "options (model_type = 'transform_only') as select * from t"
    )
    assert rows(pond, "select output, key, number from ml.transform_state") == [
        ("z", "mean", 3.0), ("z", "stddev", pytest.approx(2.5**0.5)),
    ]  # fmt: skip
    (body,) = pond.engine.row(
        "select macro_definition from duckdb_functions() where function_name = 'transform_m'"
    )
    (body,) = pond.engine.row(
        "select macro_definition from duckdb_functions() where function_name = 'transform_m@1'"
    )
    assert 'ml.scale(x, 3e0, 1.5811388300841898e0) as "z",\n' in body
    assert rows(pond, "from ml.transform('m@1', '(select 5.0 as x, true as y)')") == [
        (pytest.approx(1.2649110640673518), "bin_2", True)
    ]
    (kind, task, n) = pond.engine.row("select model_type, task, training_rows from ml.models")
    assert (kind, task, n) == ("TRANSFORM_ONLY", "transformation", 5)


def test_a_model_with_a_transform_has_the_function_too(pond):
    pond.sql("create table t as select x, x * 2.0 as y from range(20) r(x)")
    pond.sql(
        "create model m transform (ML.MIN_MAX_SCALER(x) OVER () AS z, y) options "
        "(model_type = 'linear_reg', input_label_cols = ['y']) as select * from t"
    )
    found = rows(pond, "select * from ML.TRANSFORM(MODEL m, (select 19 as x, 0.0 as y))")
    assert found == [(1.0, 0.0)]
    pond.sql(
        "create model plain options (model_type = 'linear_reg', input_label_cols = ['y']) as from t"
    )
    with pytest.raises(mlpond.errors.ModelError, match="has no such function"):
        pond.sql("from ml.transform('plain', 't')")


@pytest.mark.parametrize(
    "statement, error, message",
    [
        ("create model m options (model_type = 'transform_only') as select 1 as x",
         StatementError, "write TRANSFORM"),
        ("create model m transform (x) options (model_type = 'transform_only', "
         "input_label_cols = ['x']) as select 1 as x", InputError, "option 'input_label_cols'"),
        ("create model m transform (x) options (model_type = 'transform_only', group_cols = ['x'])"
         " as select 1 as x", InputError, "transform_only learns from all rows"),
    ],
)  # fmt: skip
def test_statements_that_make_no_sense_are_refused(pond, statement, error, message):
    with pytest.raises(error, match=message):
        pond.sql(statement)


NOT_APPLIED = {  # what would be refused only when the clause is applied, or not at all
    "t.x AS z": 'DuckDB refused `t.x`: .*table "t" not found',
    "ML.KBINS(x) OVER () + 1 AS z": "DuckDB refused `ML.KBINS.x. OVER .. \\+ 1`: ",
    "list_sum(ML.LAG(y) OVER (ORDER BY x)) AS z": "DuckDB refused `list_sum",
    "product(x) AS z": "DuckDB refused `product.x.`: .*cannot contain aggregates",
    "ML.MAX_ABS_SCALER(product(x)) OVER () AS z": "cannot contain aggregates",
    "unnest([x, y]) AS z": "holds several values of one row; unnest in the query instead",
    "ML.CALENDAR_PARTS(date '2024-01-01' + x, ['day', 'day']) AS z": "none of them twice",
    "5 AS z": "TRANSFORM reads no column of the query; it has x, y.",
}


def test_a_clause_that_cannot_be_applied_is_refused(pond):
    pond.sql("create table t as select x::integer as x, x as y from range(5) r(x)")
    options = "options (model_type = 'transform_only') as from t"
    for clause, message in NOT_APPLIED.items():
        with pytest.raises((InputError, StatementError), match=message):
            pond.sql(f"create model m transform ({clause}) {options}")
    pond.sql(f"create model m transform (5 AS z, ML.KBINS(5) OVER () AS w, x) {options}")
    assert rows(pond, "select * from ML.TRANSFORM(MODEL m, TABLE t)")[0] == (5, "bin_1", 0)


def test_all_calls_learn_in_one_scan(pond):
    """Thirty scalers read the rows once: the number of queries does not grow with the calls."""
    columns = ", ".join(f"sin(i * {k}) as x{k}" for k in range(1, 31))
    pond.sql(f"create table t as select {columns} from range(100) r(i)")
    seen = []
    execute = pond.engine.rows

    def count(sql: str, params: object = None):
        seen.append(sql)
        return execute(sql, params)

    from mlpond.models.preprocessing import FUNCTIONS, Call, learn
    from mlpond.models.source import columns_of

    kinds = columns_of(pond.engine, "from t")
    scaler = FUNCTIONS["STANDARD_SCALER"]
    calls = [(scaler, Call("STANDARD_SCALER", (name,), (kind,), {})) for name, kind in kinds]
    pond.engine.rows = count
    found = learn(pond.engine, "t", calls)
    assert len(found) == 30
    assert len(seen) == 1


def test_weights_of_lists_are_called_by_their_words(pond):
    pond.sql(
        "create table t as select ['the', 'w' || (i % 3)] as w, (i % 3)::double as y from range(60) r(i)"
    )
    for name in ("BAG_OF_WORDS", "MULTI_HOT_ENCODER", "TF_IDF"):
        pond.sql(
            f"create or replace model m transform (ML.{name}(w) OVER () as w, y) options "
            "(model_type = 'linear_reg', input_label_cols = ['y']) as select * from t"
        )
        (found,) = rows(
            pond, "select category_weights from ml.weights('m') where processed_input = 'w'"
        )
        assert [entry["category"] for entry in found[0]] == ["_unknown", "the", "w0", "w1", "w2"]
        (r2,) = pond.engine.row("select r2_score from ml.evaluate('m')")
        assert r2 == pytest.approx(1)
