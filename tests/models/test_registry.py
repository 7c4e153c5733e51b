"""Versions, aliases, dropping, altering and exporting of models."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from mlpond.errors import InputError, ModelError
from tests.conftest import record, rows

OPTIONS = (
    "options (model_type = 'linear_reg', input_label_cols = ['y'], data_split_method = 'no_split')"
)


@pytest.fixture
def table(pond):
    pond.sql("create table t as select i as x, i * 2.0 as y from range(30) r(i)")
    return pond


def create(pond, name="m", slope=2, replace=""):
    pond.sql(f"create {replace} model {name} {OPTIONS} as select x, {slope} * x as y from t")


def slope(pond, name):
    return rows(pond, f"select weight from ml.weights('{name}')")[0][0]


def macros(pond):
    return {
        row[0]
        for row in rows(
            pond,
            "select function_name from duckdb_functions() where schema_name = 'ml' and function_name like '%\\_m%' escape '\\'",
        )
    }


def test_replacing_makes_a_version_and_the_old_one_stays(table):
    create(table, slope=2)
    create(table, slope=5, replace="or replace")
    assert slope(table, "m") == pytest.approx(5)
    assert slope(table, "m@1") == pytest.approx(2)
    assert slope(table, "m@2") == pytest.approx(5)
    assert rows(table, "select version, aliases from ml.models order by version") == [
        (1, []), (2, ["default"]),
    ]  # fmt: skip
    assert rows(table, "select predicted_y from ML.PREDICT(MODEL m@1, (select 10 as x))")[0][
        0
    ] == pytest.approx(20)


def test_a_name_that_exists(table):
    create(table)
    with pytest.raises(ModelError, match="exists already .version 1.; CREATE OR REPLACE MODEL"):
        create(table)
    with pytest.raises(ModelError, match="exists already"):
        create(table, name="M")  # names do not tell upper from lower case
    table.sql(f"create model if not exists m {OPTIONS} as select nonsense from nowhere")
    assert rows(table, "select count(*) from ml.models") == [(1,)]


def test_the_default_and_other_aliases_move(table):
    create(table, slope=2)
    create(table, slope=5, replace="or replace")
    table.sql("alter model m@1 set options (default_version = true, alias = 'champion')")
    assert slope(table, "m") == pytest.approx(2)
    assert slope(table, "m@champion") == pytest.approx(2)
    table.sql("alter model m@2 set options (alias = 'champion')")
    assert slope(table, "m@champion") == pytest.approx(5)
    assert rows(table, "select iteration from ml.training_info('m@champion')")
    assert dict(rows(table, "select version, aliases from ml.models")) == {
        1: ["default"],
        2: ["champion"],
    }


def test_dropping_leaves_nothing(table):
    before = macros(table)
    create(table, slope=2)
    create(table, slope=5, replace="or replace")
    assert len(macros(table)) > len(before)
    table.sql("drop model m")
    assert macros(table) == before
    for name in ("models", "coefficients", "features", "training_info", "fit_statistics"):
        assert rows(table, f"select count(*) from ml.{name}") == [(0,)]


def test_dropping_one_version(table):
    create(table, slope=2)
    create(table, slope=5, replace="or replace")
    with pytest.raises(ModelError, match="it is the default version"):
        table.sql("drop model m@2")
    table.sql("drop model m@1")
    assert rows(table, "select version from ml.models") == [(2,)]
    create(table, slope=7, replace="or replace")
    assert rows(table, "select max(version) from ml.models") == [(3,)]


def test_a_model_that_is_not_there(table):
    create(table, name="churn")
    with pytest.raises(ModelError, match="'chrn' is not known.*Did you mean 'churn'"):
        table.sql("drop model chrn")
    table.sql("drop model if exists chrn")
    table.sql("alter model if exists chrn set options (description = 'x')")
    with pytest.raises(ModelError, match="version or alias '9'"):
        table.sql("alter model churn@9 set options (description = 'x')")
    with pytest.raises(duckdb.Error, match="no model is named chrn; there are: churn"):
        rows(table, "from ml.training_info('chrn')")
    with pytest.raises(ModelError, match="'chrn' is not known.*Did you mean 'churn'"):
        rows(table, "from ml.predict('chrn', 't')")
    with pytest.raises(ModelError, match="ml.roc_curve: model churn@1 has no such function"):
        rows(table, "from ML.ROC_CURVE(MODEL churn)")


def test_altering(table):
    create(table)
    table.sql("alter model m set options (description = 'for the shop', labels = [('team', 'a')])")
    found = record(table, "select description, labels from ml.models")
    assert found == {"description": "for the shop", "labels": '[["team", "a"]]'}
    with pytest.raises(InputError, match="'descripton' is not known.*Did you mean 'description'"):
        table.sql("alter model m set options (descripton = 'x')")
    with pytest.raises(InputError, match="option alias is '3'"):
        table.sql("alter model m set options (alias = '3')")


def test_a_failed_training_changes_nothing(table):
    create(table)
    before = (macros(table), rows(table, "from ml.models"))
    table.sql("create table bad as select 'nan'::double as x, 1 as y")
    with pytest.raises(Exception, match="NaN or infinity"):
        table.sql(f"create or replace model m {OPTIONS} as select * from bad")
    assert (macros(table), rows(table, "from ml.models")) == before
    assert rows(table, "select count(*) from duckdb_tables() where temporary") == [(0,)]


@pytest.mark.parametrize(
    "name", ['my "odd" model', "it's; drop table t; --", "ünï çødé", "SELECT", "a.b"]
)
def test_names_with_quotes_spaces_and_sql(table, name):
    quoted = '"' + name.replace('"', '""') + '"'
    literal = "'" + name.replace("'", "''") + "'"
    create(table, name=quoted)
    assert rows(table, f"select count(*) from ml.predict({literal}, 't')") == [(30,)]
    assert rows(table, f"select count(*) from ML.PREDICT(MODEL {quoted}, TABLE t)") == [(30,)]
    assert len(rows(table, f"from ml.weights({literal})")) == 2
    assert len(rows(table, f"from ml.training_info({literal})")) == 1
    table.sql(f"drop model {quoted}")
    assert rows(table, "select count(*) from ml.models") == [(0,)]
    assert rows(table, "select count(*) from t") == [(30,)]


def test_columns_with_quotes_spaces_and_sql(table):
    table.sql(
        'create table odd as select i as "a ""b""", i % 3 = 0 as "x; drop table t", '
        'i * 2.0 as "it\'s y" from range(30) r(i)'
    )
    table.sql(
        "create model odd options (model_type = 'linear_reg', input_label_cols = ['it''s y'], "
        "data_split_method = 'no_split') as from odd"
    )
    relation = table.sql("from ml.predict('odd', 'odd')")
    assert relation.columns[0] == "predicted_it's y"
    assert len(relation.fetchall()) == 30
    assert record(table, "from ml.evaluate('odd')")["r2_score"] == pytest.approx(1)


@pytest.mark.parametrize(
    "options",
    [
        "'logistic_reg'",
        pytest.param("'glm', family = 'binomial', link = 'probit'", marks=pytest.mark.slow),
    ],
)
def test_exported_functions_keep_their_defaults(pond, tmp_path, options):
    pond.sql(
        "create table t as select (i * 37 % 100)::double as x, i * 61 % 100 < x as y from range(99) r(i)"
    )
    pond.sql(f"create model m options (model_type = {options}, input_label_cols = ['y']) as from t")
    pond.sql(f"export model m options (uri = '{tmp_path}')")
    expected = pond.engine.rows("select predicted_y from ml.predict('m', 't')")
    with duckdb.connect() as con:
        con.execute((tmp_path / "predict.sql").read_text()).fetchall()
        con.register("t", pond.con.sql("from t").to_arrow_table())
        assert con.execute("select predicted_y from ml.predict('t')").fetchall() == expected
    assert len(set(expected)) > 1


def test_export_works_without_mlpond(table, tmp_path):
    create(table)
    folder = tmp_path / "out" / "m"
    table.sql(f"export model m options (uri = '{folder}')")
    described = json.loads((folder / "model.json").read_text())
    assert described["models"][0]["name"] == "m"
    con = duckdb.connect()
    con.execute((folder / "predict.sql").read_text())
    assert con.execute("select predicted_y from ml.predict('(select 10 as x)')").fetchall()[0][
        0
    ] == pytest.approx(20)
    program = Path(sys.executable).with_name("duckdb")
    done = subprocess.run(
        [str(program), "-c", f".read '{folder / 'predict.sql'}'", "-c", "from ml.predict('(select 10 as x)')"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "20.0" in done.stdout
    with pytest.raises(InputError, match="option URI is missing"):
        table.sql("export model m options (trial_id = 1)")
    with pytest.raises(InputError, match="is not local"):
        table.sql("export model m options (uri = 'gs://bucket/m')")
