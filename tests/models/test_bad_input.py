"""What a user may give by mistake: each has an error that says what to do, or a stated outcome."""

from __future__ import annotations

import math
import warnings

import pytest

from mlpond.errors import InputError, MlpondError, StatementError, TrainingError
from tests.conftest import record, rows

LINEAR = "model_type = 'linear_reg', input_label_cols = ['y'], data_split_method = 'no_split'"
LOGISTIC = LINEAR.replace("linear", "logistic")


@pytest.fixture
def table(pond):
    pond.sql(
        "create table t as select i::double as x, i % 3 as g, 'w' || (i % 3) as word, i * 2.0 as y, "
        "i % 2 = 0 as flag from range(40) r(i)"
    )
    return pond


def create(pond, options=LINEAR, query="select x, y from t"):
    pond.sql(f"create or replace model m options ({options}) as {query}")


@pytest.mark.parametrize(
    "options, query, error, message",
    [
        (LINEAR, "select * from nowhere", InputError, "refused the training query.*nowhere"),
        (LINEAR, "select nothing, y from t", InputError, "refused the training query.*nothing"),
        ("model_type = 'linear_reg'", "from t", InputError, "column 'label' is not known; accepted are: x, g, word, y"),
        (LINEAR.replace("['y']", "['yy']"), "from t", InputError, "column 'yy' is not known.*Did you mean 'y'"),
        (LINEAR.replace("['y']", "['y', 'x']"), "from t", InputError, "input_label_cols is .*an array with the name of one"),
        (LINEAR.replace("['y']", "['word']"), "from t", InputError, "label word has type VARCHAR; linear_reg needs a number"),
        (LINEAR, "select y from t", InputError, "no column besides y"),
        (LINEAR, "select interval 1 day as d, y from t", InputError, "column d has type INTERVAL"),
        (LINEAR, "select map {'a': x} as d, y from t", InputError, "column d has type MAP"),
        ("input_label_cols = ['y']", "from t", InputError, "model_type is missing; accepted are .*linear_reg"),
        ("model_type = 'linear'", "from t", InputError, "model_type 'linear' is not known.*Did you mean 'linear_reg'"),
        (LINEAR + ", l2 = 3", "from t", InputError, "option 'l2' is not known.*Did you mean 'l2_reg'"),
        (LINEAR + ", l2_reg = 'much'", "from t", InputError, "l2_reg is 'much'; it must be a number of at least 0"),
        (LINEAR + ", l2_reg = -1", "from t", InputError, "l2_reg is -1; it must be a number of at least 0"),
        (LINEAR + ", max_iterations = 2.5", "from t", InputError, "max_iterations is 2.5; it must be an integer"),
        (LINEAR + ", early_stop = 1", "from t", InputError, "early_stop is 1; it must be TRUE or FALSE"),
        (LINEAR + ", learn_rate = 0.1", "from t", InputError, "with LINE_SEARCH set ls_init_learn_rate"),
        (LINEAR + ", calculate_p_values = true", "from t", InputError, "needs category_encoding_method = 'DUMMY_ENCODING'"),
        (LINEAR + ", class_weights = [('a', 1)]", "from t", InputError, "option 'class_weights' is not known"),
        (LINEAR + ", optimize_strategy = 'normal_equation', l1_reg = 1.0", "from t", InputError, "excludes l1_reg"),
        (LINEAR + ", l2_reg = HPARAM_RANGE(0, 1)", "from t", InputError, "which needs num_trials"),
        (LINEAR + ", num_trials = 1000", "from t", InputError, "of at least 1 and at most 100"),
        (LOGISTIC + ", class_weights = [('a', -1)]", "from t", InputError, "weights of at least 0"),
        (LOGISTIC + ", auto_class_weights = true, class_weights = [('a', 1)]", "from t", InputError, "exclude each other"),
        (LOGISTIC + ", optimize_strategy = 'normal_equation'", "from t", InputError, "for linear_reg only"),
    ],
)  # fmt: skip
def test_a_bad_request_is_refused_before_any_scan(
    table, monkeypatch, options, query, error, message
):
    def scanned(*_):
        raise AssertionError("rows were read before the request was checked")

    from mlpond.models import train

    monkeypatch.setattr(train, "open_source", scanned)
    with pytest.raises(error, match=message):
        create(table, options, query)


def test_a_statement_without_a_query(table):
    with pytest.raises(StatementError, match="add AS SELECT"):
        table.sql(f"create model m options ({LINEAR})")


@pytest.mark.parametrize(
    "options, query, message",
    [
        (LINEAR, "select x, y from t where false", "gives no rows"),
        (LINEAR, "select x, case when x > 5 then y end as y from t", "label y is NULL in 6 of 40 rows.*IS NOT NULL"),
        (LINEAR, "select case when x = 3 then 'nan'::double else x end as x, y from t", "column x holds NaN or infinity in 1 rows"),
        (LINEAR, "select case when x < 2 then '-inf'::double else x end as x, y from t", "column x holds NaN or infinity in 2 rows"),
        (LINEAR, "select x, case when x = 3 then 'inf'::double else y end as y from t", "label y is NaN or infinite in 1 rows"),
        (LINEAR, "select {'a': x / 0} as s, y from t", "column s_a holds NaN or infinity"),
        (LOGISTIC, "select x, true as y from t", "label y has only the class 'true'"),
        (LOGISTIC, "select x, i as y from t, range(60) r(i)", "more than 50 classes"),
        (LOGISTIC + ", calculate_p_values = true, category_encoding_method = 'dummy_encoding'", "select x, g as y from t", "needs two classes"),
        (LOGISTIC + ", class_weights = [('yes', 2)]", "select x, flag as y from t", "class_weights names the class 'yes'; the label has false, true"),
    ],
)  # fmt: skip
def test_data_that_allow_no_model(table, options, query, message):
    with pytest.raises(MlpondError, match=message):
        create(table, options, query)
    assert rows(table, "from ml.models") == []


@pytest.mark.parametrize("options", [LINEAR, LOGISTIC])
@pytest.mark.parametrize(
    "column",
    ["5.0", "null::double", "'same'", "null::varchar", "null", "case when x > 100 then 1.0 end"],
)
def test_a_feature_that_says_nothing_has_no_weight(table, options, column):
    label = "y" if options == LINEAR else "x > 15 + 10 * (g - 1)"
    create(table, options, f"select x, {column} as nothing, {label} as y from t")
    found = {
        row[0]: row
        for row in rows(
            table, "select processed_input, weight, category_weights from ml.weights('m')"
        )
    }
    weight, categories = found["nothing"][1:]
    assert weight in (0.0, None)
    assert all(entry["weight"] == 0.0 for entry in categories or [])
    (warned,) = rows(table, "select warnings from ml.models")
    assert any("nothing" in text for text in warned[0])
    create(table, options, f"select x, {label} as y from t")
    without = {
        row[0]: row[1] for row in rows(table, "select processed_input, weight from ml.weights('m')")
    }
    assert found["x"][1] == pytest.approx(without["x"], rel=1e-9)


def test_collinear_features_are_said_and_predict_well(table):
    create(table, query="select x, 2 * x + 1 as twice, g, y from t")
    (warned,) = rows(table, "select warnings from ml.models")
    assert any("x" in text and "twice" in text for text in warned[0])
    assert record(table, "from ml.evaluate('m')")["r2_score"] == pytest.approx(1, abs=1e-12)
    assert all(math.isfinite(row[0]) for row in rows(table, "select weight from ml.weights('m')"))


def test_fewer_rows_than_columns_is_said(table):
    create(table, query="select x, g, x * x as x2, x * x * x as x3, y from t limit 3")
    (warned,) = rows(table, "select warnings from ml.models")
    assert any("3 training rows for 4 columns" in text for text in warned[0])


def test_one_row(table):
    create(table, query="select x, y from t limit 1")
    assert record(table, "from ml.evaluate('m')")["mean_squared_error"] == pytest.approx(
        0, abs=1e-20
    )
    assert record(table, "from ml.evaluate('m')")["r2_score"] is None


def test_cloud_options_are_accepted_and_ignored_aloud(table):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        create(table, LINEAR + ", model_registry = 'VERTEX_AI'")
    assert any("model_registry concerns Google Cloud only" in str(w.message) for w in caught)
    assert rows(table, "select count(*) from ml.models") == [(1,)]


def test_evaluating_rows_without_labels_leaves_them_out(table):
    create(table)
    found = record(
        table, "from ml.evaluate('m', '(select x, case when x < 10 then y end as y from t)')"
    )
    assert found["mean_absolute_error"] == pytest.approx(0, abs=1e-9)
    nothing = record(table, "from ml.evaluate('m', '(select x, null::double as y from t)')")
    assert set(nothing.values()) == {None}
    create(table, LOGISTIC, "select x, flag as y from t")
    nothing = record(table, "from ml.evaluate('m', '(select x, null::boolean as y from t)')")
    assert set(nothing.values()) == {None}


def test_more_categories_than_fit_a_macro(table):
    query = "select 'c' || (i % 2500) as c, i::double as x, (i % 2500) / 100.0 + i as y from range(10000) r(i)"
    create(table, LINEAR, query)
    found = record(table, "from ml.evaluate('m')")
    assert found["r2_score"] == pytest.approx(1, abs=1e-6)
    ((value, unseen),) = rows(
        table,
        "select a.predicted_y, b.predicted_y from ml.predict('m', '(select ''c7'' as c, 7.0 as x)') a, "
        "ml.predict('m', '(select ''new'' as c, 7.0 as x)') b",
    )
    assert value == pytest.approx(7.07, abs=0.05)
    assert math.isfinite(unseen)


def test_an_error_inside_training_keeps_the_connection(table, monkeypatch):
    from mlpond.models import linear

    def broken(*_):
        raise TrainingError("stopped on purpose")

    monkeypatch.setattr(linear, "first_pass", broken)
    with pytest.raises(TrainingError, match="on purpose"):
        create(table, query="select x, row_number() over () as n, y from t")
    assert rows(table, "select count(*) from duckdb_tables() where temporary") == [(0,)]
    monkeypatch.undo()
    create(table)
    assert rows(table, "select name from ml.models") == [("m",)]


def test_columns_that_are_named_like_lambda_parameters(pond):
    # DuckDB reads e.label inside `lambda e:` as a field of a column e, if the rows have one
    pond.sql(
        "create table t as select i % 7 as e, i % 3 as o, ['a', 'b'][1 + i % 2] as s, "
        "[{'index': i % 2, 'value': 1e0}] as v, i % 2 = 0 as y, 3e0 * i as z from range(60) r(i)"
    )
    pond.sql(
        "create model classes options (model_type = 'logistic_reg', l2_reg = 1.0, "
        "data_split_method = 'RANDOM', calibration_method = 'PLATT', input_label_cols = ['s']) "
        "as select e, o, v, z, s from t"
    )
    pond.sql(
        "create model numbers options (model_type = 'linear_reg', input_label_cols = ['z']) "
        "as select e, o, v, s, y, z from t"
    )
    for query in (
        "from ml.predict('classes', 't')",
        "from ml.evaluate('classes')",
        "from ml.conformal('classes', 't', method := 'adaptive')",
        "from ml.explain_predict('classes', 't')",
        "from ml.predict('numbers', 't')",
        "from ml.robust_weights('numbers')",
    ):
        assert rows(pond, query)
