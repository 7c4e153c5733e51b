"""CREATE MODEL with group_cols: a model a group, each row predicted by that of its group."""

from __future__ import annotations

import numpy as np
import pytest

import mlpond
from mlpond.errors import InputError, ModelError, TrainingError
from tests.conftest import record, rows

FUNCTIONS = "select count(*) from duckdb_functions() where contains(function_name, '@')"


def fill(session):
    rng = np.random.default_rng(4)
    n = 1_200
    session.con.execute(
        "create table t (i integer, store varchar, day date, x double, z double, w varchar, "
        "y double, late boolean)"
    )
    x, z, noise = rng.normal(size=n), rng.normal(size=n), rng.normal(size=n)
    for i in range(n):
        g = i % 3
        session.con.execute(
            "insert into t values (?, ?, ?, ?, ?, ?, ?, ?)",
            [i, ["n'orth", "south", None][g], f"2026-01-0{1 + i % 2}", x[i], z[i],
             "abc"[i % 5 % 3], (g + 1) * x[i] - g * z[i] + 0.1 * noise[i],
             bool(x[i] * (g - 1) + 0.5 * noise[i] > 0)],
        )  # fmt: skip


@pytest.fixture(scope="module")
def pond(tmp_path_factory):
    with mlpond.connect(tmp_path_factory.mktemp("groups") / "pond.duckdb") as session:
        fill(session)
        yield session


def create(pond, name, kind, options, query="select * exclude (i, day, late) from t"):
    pond.sql(
        f"create or replace model {name} options (model_type = '{kind}', {options}) as {query}"
    )


KINDS = [
    ("linear_reg", "input_label_cols = ['y']", "x, z, w, y"),
    ("logistic_reg", "input_label_cols = ['late']", "x, z, w, late"),
    ("glm", "family = 'GAUSSIAN', input_label_cols = ['y']", "x, z, w, y"),
    ("naive_bayes", "input_label_cols = ['late']", "x, z, w, late"),
    ("knn_regressor", "num_neighbors = 3, input_label_cols = ['y']", "x, z, y"),
    ("svm_classifier", "input_label_cols = ['late']", "x, z, late"),
    ("svm_regressor", "input_label_cols = ['y']", "x, z, y"),
    ("kmeans", "num_clusters = 2, kmeans_init_method = 'KMEANS++'", "x, z, y"),
    ("pca", "num_principal_components = 2", "x, z, y"),
    ("gaussian_mixture", "num_components = 2", "x, z, y"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "options", "columns"), KINDS, ids=lambda value: value)
def test_a_group_is_predicted_as_by_a_model_of_its_rows_alone(pond, kind, options, columns):
    query = f"select store, {columns} from t"
    create(pond, "g", kind, f"group_cols = ['store'], {options}", query)
    create(pond, "alone", kind, options, f"select {columns} from t where store = 'south'")
    south = f"(select {columns}, store from t where store = 'south' order by i limit 50)"
    ours = pond.sql(f"from ml.predict('g', '{south.replace(chr(39), 2 * chr(39))}')")
    alone = pond.sql(f"from ml.predict('alone', '{south.replace(chr(39), 2 * chr(39))}')")
    names = [name for name in ours.columns if name != "store"]
    wanted = [name for name in alone.columns if name != "store"]
    assert names == wanted
    text = ", ".join(f'"{name}"::varchar' for name in wanted)
    found = sorted(pond.con.sql(f"select {text} from ({ours.sql_query()})").fetchall(), key=str)
    right = sorted(pond.con.sql(f"select {text} from ({alone.sql_query()})").fetchall(), key=str)
    assert found == right


def test_transform_of_groups_gives_the_columns_of_the_clause(pond):
    pond.sql(
        "create or replace model g transform (ML.STANDARD_SCALER(x) OVER () as x, store, y) options "
        "(model_type = 'linear_reg', input_label_cols = ['y'], group_cols = ['store']) as "
        "select x, store, y from t"
    )
    data = "(select i, x, store, y from t where i = 1 union all select 0, 7.0, 'new', 1.0)"
    found = pond.sql(f"from ml.transform('g', $${data}$$) order by store")
    assert found.columns == ["x", "store", "y"]
    new, south = found.fetchall()
    assert new == (None, "new", None)  # not the x that was not scaled
    mean, sd, x = pond.engine.row(
        "select avg(x), stddev_samp(x), arg_min(x, i) from t where store = 'south'"
    )
    assert south[0] == pytest.approx((x - mean) / sd, rel=1e-12)


@pytest.fixture(scope="module")
def sales(pond):
    create(pond, "sales", "linear_reg", "group_cols = ['Store'], input_label_cols = ['y']")
    return pond


def test_every_row_is_predicted_by_the_model_of_its_group_and_none_is_lost(sales):
    data = "(select * from t union all by name select 'new' as store, 1e0 as x, 0e0 as z)"
    found = rows(
        sales,
        "select store, count(*), count(predicted_y), sqrt(avg((predicted_y - y)**2)) from ml.predict("
        f"'sales', '{data.replace(chr(39), 2 * chr(39))}') group by all order by store",
    )
    assert [row[:3] for row in found] == [
        ("n'orth", 400, 400), ("new", 1, 0), ("south", 400, 400), (None, 400, 400)
    ]  # fmt: skip
    assert all(row[3] < 0.12 for row in found if row[0] != "new")


def test_functions_give_the_group_with_what_they_tell_of_it(sales):
    weights = dict(
        rows(
            sales,
            "select coalesce(store, 'NULL'), weight from ml.weights('sales') "
            "where processed_input = 'x'",
        )
    )
    assert weights == pytest.approx({"n'orth": 1, "south": 2, "NULL": 3}, abs=0.05)
    assert rows(
        sales, "select store, r2_score > 0.9 from ml.evaluate('sales', 't') order by store"
    ) == [("n'orth", True), ("south", True), (None, True)]
    for call in (
        "explain_predict('sales', '(from t limit 9)')", "global_explain('sales')",
        "permutation_importance('sales', repeats := 2)", "scores('sales', 't')",
        "conformal('sales', 't', calibration := 't')", "weights('sales', standardize := true)",
    ):  # fmt: skip
        assert "store" in sales.sql(f"from ml.{call}").columns


def test_arguments_reach_the_models_of_groups(pond):
    options = "group_cols = ['store', 'day'], input_label_cols = ['late']"
    create(pond, "late", "logistic_reg", options, "select store, day, x, z, late from t")
    shares = [
        rows(
            pond, f"select avg(predicted_late::int) from ml.predict('late', 't', threshold := {p})"
        )
        for p in (0.01, 0.99)
    ]
    assert shares[0][0][0] > 0.5 > shares[1][0][0]
    curve = rows(pond, "select distinct threshold from ml.roc_curve('late', thresholds := [0.25])")
    assert curve == [(0.25,)]
    info = pond.sql("from ml.group_info('late')")
    types = dict(zip(info.columns, map(str, info.types), strict=True))
    assert types["day"] == "DATE"
    assert len(info.fetchall()) == 6


def test_group_info_tells_which_groups_have_no_model_and_why(pond):
    query = "select store, x, z, late or store = 'south' as late from t where store is not null"
    create(
        pond, "half", "logistic_reg", "group_cols = ['store'], input_label_cols = ['late']", query
    )
    info = record(pond, "from ml.group_info('half') where status = 'FAILED'")
    assert info["store"] == "south"
    assert "has only the class 'true'" in info["error_message"]
    assert "store = 'south'" in info["error_message"]
    (warning,) = rows(pond, "select warnings[1] from ml.models where name = 'half'")[0]
    assert warning.startswith("groups: 1 of 2 groups have no model and are predicted as NULL")
    assert rows(
        pond,
        "select store, count(predicted_late) from ml.predict('half', 't') "
        "where store is not null group by all order by all",
    ) == [("n'orth", 400), ("south", 0)]


@pytest.mark.slow
def test_a_plain_shell_predicts_the_same(tmp_path, shell):
    file = tmp_path / "p.duckdb"
    query = "select store, sum(predicted_y) as s, count(*) from ml.predict('sales', 't') group by all order by all"
    with mlpond.connect(file) as session:
        fill(session)
        create(session, "sales", "linear_reg", "group_cols = ['store'], input_label_cols = ['y']")
        ours = session.con.sql(query).fetchall()
    assert [row["s"] for row in shell(file, query)] == pytest.approx(
        [row[1] for row in ours], rel=1e-9
    )


def test_dropping_and_replacing_leaves_nothing_behind(pond):
    before = rows(pond, FUNCTIONS)
    for _ in range(2):
        create(pond, "gone", "linear_reg", "group_cols = ['store'], input_label_cols = ['y']")
    assert rows(pond, "select count(*) from ml.groups where model = 'gone'") == [(6,)]
    pond.sql("drop model gone")
    assert rows(pond, FUNCTIONS) == before
    assert rows(pond, "select count(*) from ml.coefficients where model like 'gone%'") == [(0,)]


def test_export_takes_the_models_of_groups_along(sales, tmp_path):
    import duckdb

    sales.sql(f"export model sales options (uri = '{tmp_path}/out')")
    with duckdb.connect() as con:
        con.execute((tmp_path / "out" / "predict.sql").read_text())
        con.execute("create table d as select 'south' as store, 1e0 as x, 0e0 as z, 'a' as w")
        (found,) = con.sql("select predicted_y from ml.predict('d')").fetchall()[0]
    ours = rows(sales, "select predicted_y from ml.predict('sales', '(select ''south'' as store, 1e0 as x, 0e0 as z, ''a'' as w)')")  # fmt: skip
    assert found == ours[0][0]


@pytest.mark.slow
def test_many_groups_are_sorted_and_trained(pond):
    query = "select i % 40 as k, x, y - x as r from t"
    create(pond, "many", "linear_reg", "group_cols = ['k'], input_label_cols = ['r']", query)
    found = rows(pond, "select count(*), sum(training_rows), min(k), max(k) from ml.group_info('many')")  # fmt: skip
    assert found == [(40, 1_200, 0, 39)]
    assert rows(pond, "select count(*) from duckdb_tables() where contains(table_name, 'mlpond_groups')") == [(0,)]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ("group_cols = ['shop']", InputError, "group_cols: column 'shop' is not known"),
        ("group_cols = []", InputError, "give the names of different columns"),
        ("group_cols = ['store', 'STORE']", InputError, "give the names of different columns"),
        ("group_cols = 'store'", InputError, "an array of names of columns"),
        ("group_cols = ['store'], cross_validation = 3", InputError, "excludes cross_validation"),
        ("group_cols = ['store'], warm_start = true", InputError, "excludes warm_start"),
    ],
)
def test_what_cannot_be_is_refused(pond, options, error, message):
    with pytest.raises(error, match=message):
        create(pond, "bad", "linear_reg", f"{options}, input_label_cols = ['y']")


def test_no_model_of_any_group_is_an_error(pond):
    with pytest.raises(TrainingError, match="none of 3 groups has a model; the first said"):
        create(
            pond, "bad", "logistic_reg", "group_cols = ['k'], input_label_cols = ['k2']",
            "select i % 3 as k, i % 3 as k2, x from t",
        )  # fmt: skip
    with pytest.raises(ModelError):
        pond.sql("from ml.predict('bad', 't')")
