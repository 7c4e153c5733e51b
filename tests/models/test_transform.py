"""TRANSFORM: parsed, learnt from the training rows, replayed at prediction."""

from __future__ import annotations

import numpy as np
import pytest

from mlpond.errors import StatementError
from tests.conftest import record, rows

OPTIONS = (
    "options (model_type = 'linear_reg', input_label_cols = ['y'], data_split_method = 'no_split')"
)


@pytest.fixture
def table(pond):
    pond.sql(
        "create table t as select i::double as x, chr(97 + (i % 3)::int) as g, "
        "(i * 2 + i % 3)::double as y, i % 2 = 0 as held from range(60) r(i)"
    )
    return pond


def create(pond, transform, query="select x, g, y from t", options=OPTIONS):
    pond.sql(f"create or replace model m transform ({transform}) {options} as {query}")


def test_scaling_does_not_change_the_fit(table):
    create(table, "ML.STANDARD_SCALER(x) OVER () AS z, g, y")
    scaled = rows(table, "select predicted_y from ml.predict('m', 't')")
    table.sql(f"create model plain {OPTIONS} as select x, g, y from t")
    plain = rows(table, "select predicted_y from ml.predict('plain', 't')")
    # predictions up to 120; rounding of a few units in the last place
    assert np.array(scaled) == pytest.approx(np.array(plain), rel=1e-11, abs=1e-11)
    names = [row[0] for row in rows(table, "select processed_input from ml.weights('m')")]
    assert names == ["z", "g", "__INTERCEPT__"]  # the features after TRANSFORM
    inputs = [row[0] for row in rows(table, "select input from ml.feature_info('m')")]
    assert inputs == ["x", "g"]  # the columns before it


def test_what_was_learnt_is_stored_and_replayed(table):
    create(table, "ML.STANDARD_SCALER(x) OVER () AS x, y")
    state = dict(rows(table, "select key, number from ml.transform_state where model = 'm'"))
    assert state["mean"] == pytest.approx(29.5)
    assert state["stddev"] == pytest.approx(np.std(np.arange(60), ddof=1))
    # one row far away: scaled with the training rows' mean, not with its own
    ((found,),) = rows(table, "select predicted_y from ml.predict('m', '(select 1000.0 as x)')")
    ((inside,),) = rows(table, "select predicted_y from ml.predict('m', '(select 29.5 as x)')")
    slope = rows(table, "select weight from ml.weights('m')")[0][0] / state["stddev"]
    assert found - inside == pytest.approx(970.5 * slope, rel=1e-12)


def test_only_the_columns_that_are_read_are_needed(table):
    create(table, "x * 2 as double_x, upper(g) as g, y", query="select *, 1 as unused from t")
    found = rows(
        table, "select * from ml.predict('m', '(select 1.0 as x, ''b'' as g, 5 as other)')"
    )
    assert len(found) == 1
    assert len(found[0]) == 4  # the prediction, x, g and other


def test_a_column_may_keep_its_name(table):
    create(table, "ML.STANDARD_SCALER(x) OVER () AS x, upper(g) AS g, y")
    relation = table.sql("from ml.predict('m', 't')")
    assert relation.columns == ["predicted_y", "x", "g", "y", "held"]
    assert relation.fetchall()[1][1:3] == (1.0, "b")  # the input as it came


def test_star_except_and_replace(table):
    create(table, "* except (held) replace (x / 10 as x)", query="select * from t")
    assert [row[0] for row in rows(table, "select processed_input from ml.weights('m')")] == [
        "x", "g", "__INTERCEPT__",
    ]  # fmt: skip
    assert rows(table, "select input from ml.feature_info('m')") == [("x",), ("g",)]


def test_one_hot_encoder_equals_automatic_encoding(table):
    create(table, "x, ML.ONE_HOT_ENCODER(g) OVER () AS g, y")
    ours = rows(table, "select predicted_y from ml.predict('m', 't')")
    (categories,) = rows(
        table, "select category_weights from ml.weights('m') where processed_input = 'g'"
    )
    assert [entry["category"] for entry in categories[0]] == ["a", "b", "c"]
    table.sql(f"create model plain {OPTIONS} as select x, g, y from t")
    plain = rows(table, "select predicted_y from ml.predict('plain', 't')")
    assert np.array(ours) == pytest.approx(np.array(plain), rel=1e-11, abs=1e-11)


def test_one_hot_encoder_keeps_frequent_categories_only(table):
    table.sql(
        "insert into t select 1, 'rare', 1, false from range(4); insert into t values (1, null, 1, false)"
    )
    create(table, "x, ML.ONE_HOT_ENCODER(g) OVER () AS g, y")
    (categories,) = rows(
        table, "select category_weights from ml.weights('m') where processed_input = 'g'"
    )
    # 4 rows are below the threshold of 5: rare, NULL and what was never seen share one column
    assert [entry["category"] for entry in categories[0]] == ["_unknown", "a", "b", "c"]
    found = rows(
        table,
        "select predicted_y from ml.predict('m', '(select 1.0 as x, unnest([''rare'', null, ''new'']) as g)')",
    )
    assert found[0] == found[1] == found[2]
    create(table, "x, ML.ONE_HOT_ENCODER(g, 'most_frequent', 2, 0) OVER () AS g, y")
    state = rows(
        table,
        "select key, position, text from ml.transform_state where model = 'm' and version = 2",
    )
    assert state == [("category", 1, "a"), ("category", 2, "b"), ("dropped", None, "a")]


@pytest.mark.parametrize(
    "transform, message",
    [
        ("x * 2, y", "has no name; write `x \\* 2 AS name`"),
        ("x as y, y", "two items are named y"),
        ("x", "must pass the column y through"),
        ("x, y + 1 as y", "must pass the column y through"),
        ("avg(x) as x, y", "holds an aggregate"),
        ("sum(x) over () as x, y", "holds a window function"),
        ("(select max(x) from t) as x, y", "holds a subquery"),
        ("ML.STANDARD_SCALER(x) as x, y", "write OVER \\(\\) behind it"),
        ("ML.STANDARD_SCALER(x) OVER (order by x) as x, y", "only OVER \\(\\) is accepted"),
        ("ML.STANDARD_SCALE(x) OVER () as x, y", "Did you mean 'STANDARD_SCALER'"),
        ("ML.STANDARD_SCALER(x, 3) OVER () as x, y", "it takes \\(x\\)"),
        ("ML.ONE_HOT_ENCODER(g, 'first') OVER () as g, y", "drop is 'first'"),
        (
            "ML.STANDARD_SCALER(ML.STANDARD_SCALER(x) OVER ()) OVER () as x, y",
            "one ML function inside another",
        ),
        ("* except (nothing), y", "column 'nothing' is not known"),
        ("x, , y", "an item is empty"),
    ],
)
def test_what_bigquery_forbids_is_refused_before_any_scan(table, transform, message):
    with pytest.raises(StatementError, match=message):
        create(table, transform)
    assert rows(table, "from ml.models") == []


def test_constant_and_empty_columns_become_zero_and_null(table):
    table.sql("create table c as select 5.0 as k, null::double as n, x, y from t")
    create(
        table, "ML.STANDARD_SCALER(k) OVER () AS k, ML.STANDARD_SCALER(n) OVER () AS n, x, y",
        query="select * from c",
    )  # fmt: skip
    assert record(table, "from ml.evaluate('m')")["mean_squared_error"] < 1
    warnings = rows(table, "select unnest(warnings) from ml.models")
    assert any("k" in row[0] for row in warnings)
    assert any("n" in row[0] for row in warnings)
