"""Reading model statements, and leaving everything else alone byte for byte."""

from __future__ import annotations

import pytest
import sqlglot

from mlpond.errors import StatementError
from mlpond.sql.dialect import (
    AlterModel,
    CreateModel,
    DropModel,
    ExportModel,
    Plain,
    read_statements,
)
from mlpond.sql.dialect.dialect import Mlpond, ModelStatement
from mlpond.sql.dialect.values import Call


def one(sql):
    (statement,) = read_statements(sql)
    return statement


def test_create_model_in_full():
    found = one(
        """create or replace model `sales data`.churn
        TRANSFORM (ML.STANDARD_SCALER(tenure) OVER () AS tenure, churned) -- note
        OPTIONS (model_type = 'logistic_reg', l2_reg = -.1, x = 1e-3, early_stop = false,
            input_label_cols = ['churned'], labels = [STRUCT('a' AS key, 'b' AS value)],
            class_weights = [('yes', .5), STRUCT('no', 2)], l1_reg = HPARAM_RANGE(0, 10))
        AS SELECT  *   FROM t -- to the end"""
    )
    assert isinstance(found, CreateModel)
    assert found.name == "sales data.churn"
    assert found.or_replace
    assert found.transform == "ML.STANDARD_SCALER(tenure) OVER () AS tenure, churned"
    assert found.query == "SELECT  *   FROM t"
    assert found.options == {
        "model_type": "logistic_reg", "l2_reg": -0.1, "x": 1e-3, "early_stop": False,
        "input_label_cols": ["churned"], "labels": [{"key": "a", "value": "b"}],
        "class_weights": [("yes", 0.5), ("no", 2)], "l1_reg": Call("HPARAM_RANGE", (0, 10)),
    }  # fmt: skip


def test_the_other_model_statements():
    assert one("drop model if exists m") == DropModel("m", True)
    assert one("DROP MODEL m@2") == DropModel("m@2", False)
    assert one("alter model m set options (description = 'it''s')") == AlterModel(
        "m", False, {"description": "it's"}
    )
    assert one("export model m options (uri = 'out')") == ExportModel("m", {"uri": "out"})


@pytest.mark.parametrize(
    "sql, message",
    [
        ("create or replace model if not exists m as select 1", "exclude each other"),
        ("create model", "expected the name of the model"),
        ("create model m options (a = 1, a = 2) as select 1", "a is given twice"),
        ("create model m options (a 1)", "expected = after the option a"),
        ("create model m options (a = b)", "expected a constant"),
        ("create model m options (a = 1", "a bracket is opened and not closed"),
        ("create model m as", "expected a query after AS"),
        ("create model m input (x int) as select 1", "belongs to imported and remote models"),
        ("create model m as select 1 options (a = 1) ; drop model", "expected the name"),
        ("create model m@2 as select 1", "holds @"),
        ("drop model m n", "expected the end of the statement, found 'n'"),
        (f"create model {'m' * 1025} as select 1", "at most 1024"),
        ("create model 'm' as select 1", "expected the name of the model"),
    ],
)
def test_a_malformed_statement_says_what_was_expected(sql, message):
    with pytest.raises(StatementError, match=message):
        read_statements(sql)


def test_a_complaint_shows_the_line():
    with pytest.raises(StatementError, match="line 2") as caught:
        read_statements("create model m\noptions (a = b) as select 1")
    assert "options (a = b) as select 1\n" + " " * 15 + "^" in str(caught.value)


@pytest.mark.parametrize(
    "written, rewritten",
    [
        ("FROM ML.EVALUATE(MODEL m)", "FROM ml.evaluate('m')"),
        ("FROM ml.evaluate(model `a b`.c)", "FROM ml.evaluate('a b.c')"),
        ('FROM ML.PREDICT(MODEL m, TABLE "x y".t)', "FROM ml.predict('m', '\"x y\".t')"),
        (
            "SELECT 1 FROM ML.PREDICT(MODEL m@2, (SELECT 'it''s' FROM t), STRUCT(0.3 AS threshold))",
            "SELECT 1 FROM ml.predict('m@2', '(SELECT ''it''''s'' FROM t)', threshold := 0.3)",
        ),
        (
            "FROM ML.PREDICT(MODEL a, SELECT * FROM ML.PREDICT(MODEL b, TABLE t))",
            "FROM ml.predict('a', '(SELECT * FROM ml.predict(''b'', ''t''))')",
        ),
        (
            "FROM ML.ROC_CURVE(MODEL m, TABLE t, GENERATE_ARRAY(0.4, 0.6, 0.01))",
            "FROM ml.roc_curve('m', 't', ml.generate_array(0.4, 0.6, 0.01))",
        ),
        ("select ML.STANDARD_SCALER(x) OVER () from t", "select ml.standard_scaler(x) from t"),
        (
            "select ML.Robust_Scaler(x, [10, 90]) OVER (PARTITION BY g), 1 from t",
            "select ml.robust_scaler(x, [10, 90], per := g), 1 from t",
        ),
        (
            "select ML.MIN_MAX_SCALER(x + 1) over (partition by g, h % 2) from t",
            "select ml.min_max_scaler(x + 1, per := row(g, h % 2)) from t",
        ),
        (
            "select ML.IMPUTER(g, 'most_frequent') OVER (PARTITION BY h) from t",
            "select ml.imputer_most_frequent(g, per := h) from t",
        ),
        (
            "select ML.POLYNOMIAL_EXPAND(STRUCT(a, b + 1 AS c)) from t",
            "select {'a': (a)::double, 'a_a': (a)::double * (a)::double, "
            "'a_c': (a)::double * (b + 1)::double, 'c': (b + 1)::double, "
            "'c_c': (b + 1)::double * (b + 1)::double} from t",
        ),
        (
            "select ML.FEATURE_CROSS(STRUCT(t.a, b, c), 3) from t",
            "select {'a_b': ml.utc_text(t.a) || '_' || ml.utc_text(b), "
            "'a_b_c': ml.utc_text(t.a) || '_' || ml.utc_text(b) || '_' || ml.utc_text(c), "
            "'a_c': ml.utc_text(t.a) || '_' || ml.utc_text(c), "
            "'b_c': ml.utc_text(b) || '_' || ml.utc_text(c)} from t",
        ),
    ],
)
def test_calls_are_rewritten_for_a_plain_shell(written, rewritten):
    assert one(written) == Plain(rewritten)


@pytest.mark.parametrize(
    "sql",
    [
        "select ml.normal_cdf(1),   'ML.PREDICT(MODEL a)' as \"ML.x\" -- ML.PREDICT(MODEL a)\n, 2",
        "select ML.BUCKETIZE(x, [1, 2]), ML.T_TEST(x) OVER (ORDER BY y), ML.T_TEST(x) OVER () from t",
        "select ML.IMPUTER(g, 'most_frequent') OVER () from t",  # which the session learns
        "select ML.BAG_OF_WORDS(ML.NGRAMS(w, 2), 9) OVER () from t where x > 1",  # and this
        "create table model (model int)",
        "select $$ create model m $$, E'\\' ML.EVALUATE(MODEL m)', model from ml.models /* c */ where 1",
        "select {'a': 1}::struct(a int), x -> 'ml.p', [1, 2][1:] from t",
    ],
)
def test_everything_else_is_left_byte_for_byte(sql):
    assert one(sql) == Plain(sql)


@pytest.mark.parametrize(
    "sql, message",
    [
        ("select ML.FEATURE_CROSS(s) from t", "must be written as STRUCT"),
        ("select ML.FEATURE_CROSS(STRUCT(a, b + 1)) from t", "expected `value AS name`"),
        ("select ML.POLYNOMIAL_EXPAND(STRUCT(a), 5) from t", "degree is 5; it must be from 1 to 4"),
        ("select ML.TF_IDF(w) OVER (partition by g) from t", "dictionary is that of all rows"),
        (
            "select ML.MIN_MAX_SCALER(x) OVER (ORDER BY y) from t",
            "it learns from all rows, or from",
        ),
    ],
)
def test_calls_that_cannot_be_written_out_are_refused(sql, message):
    with pytest.raises(StatementError, match=message):
        one(sql)


def test_statements_are_cut_at_semicolons_outside_quotes():
    texts = read_statements("select ';' ; drop model m; /* ; */ select 2;;")
    assert texts == [Plain("select ';'"), DropModel("m", False), Plain("/* ; */ select 2")]


def test_the_dialect_gives_sqlglot_a_tree():
    tree = sqlglot.parse_one("create model m as select a from s.t", dialect=Mlpond)
    assert isinstance(tree, ModelStatement)
    assert [table.sql() for table in tree.find_all(sqlglot.exp.Table)] == ["s.t"]
    assert tree.sql(dialect=Mlpond) == "create model m as select a from s.t"


def test_what_only_duckdb_reads_may_stand_beside_a_model_statement():
    texts = read_statements("select 1 /* a /* ; */ it's */; drop model m")
    assert texts == [Plain("select 1 /* a /* ; */ it's */"), DropModel("m", False)]
