"""Which rows are held out: BigQuery ML's rules, and the same rows every time."""

from __future__ import annotations

import pytest

from mlpond.errors import InputError, TrainingError
from tests.conftest import record, rows


def create(pond, n, options):
    pond.sql(
        f"create or replace table t as select i as x, (i * 3 + hash(i) % 5)::double as y, "
        f"i % 4 = 0 as held, i as moment from range({n}) r(i)"
    )
    pond.sql(
        f"create or replace model m options (model_type = 'linear_reg', input_label_cols = ['y']{options}) "
        "as select * from t"
    )
    return record(
        pond,
        "select training_rows, evaluation_rows, evaluation_query, features from ml.models "
        "where list_contains(aliases, 'default')",
    )


def held_out(pond, model):
    return rows(pond, f"select moment from {model['evaluation_query']} order by moment")


@pytest.mark.parametrize("n, expected", [(499, 0), (50_001, 10_000)])
def test_automatic_split_by_size(pond, n, expected):
    assert create(pond, n, "")["evaluation_rows"] == expected


def test_automatic_split_of_middle_tables_is_a_fifth(pond):
    model = create(pond, 5_000, "")
    # binomial with standard deviation sqrt(5000 · 0.2 · 0.8) = 28; six of them
    assert abs(model["evaluation_rows"] - 1000) < 170
    assert model["training_rows"] + model["evaluation_rows"] == 5_000


def test_random_split_is_the_same_every_time_and_the_seed_changes_it(pond):
    first = held_out(
        pond, create(pond, 1000, ", data_split_method = 'random', data_split_eval_fraction = 0.3")
    )
    again = held_out(
        pond, create(pond, 1000, ", data_split_method = 'random', data_split_eval_fraction = 0.3")
    )
    other = held_out(
        pond,
        create(
            pond, 1000, ", data_split_method = 'random', data_split_eval_fraction = 0.3, seed = 5"
        ),
    )
    assert first == again != other
    assert abs(len(first) - 300) < 90


def test_custom_split_follows_its_column(pond):
    model = create(pond, 1000, ", data_split_method = 'custom', data_split_col = 'held'")
    assert held_out(pond, model) == [(i,) for i in range(0, 1000, 4)]
    assert model["features"] == ["x", "moment"]  # the split column is no feature


def test_custom_split_takes_null_for_evaluation(pond):
    pond.sql(
        "create table n as select i as x, i::double as y, case when i < 5 then null else i < 9 end as h from range(50) r(i)"
    )
    pond.sql(
        "create model n options (model_type = 'linear_reg', input_label_cols = ['y'], "
        "data_split_method = 'custom', data_split_col = 'h') as from n"
    )
    assert rows(pond, "select evaluation_rows from ml.models where name = 'n'") == [(9,)]


def test_sequential_split_holds_out_the_last_rows(pond):
    model = create(
        pond,
        1000,
        ", data_split_method = 'seq', data_split_col = 'moment', data_split_eval_fraction = 0.1",
    )
    assert held_out(pond, model) == [(i,) for i in range(900, 1000)]


def test_sequential_split_with_ties_holds_out_as_many(pond):
    pond.sql(
        "create table s as select i as x, i::double as y, i // 100 as week from range(1000) r(i)"
    )
    pond.sql(
        "create model s options (model_type = 'linear_reg', input_label_cols = ['y'], data_split_method = 'seq', "
        "data_split_col = 'week', data_split_eval_fraction = 0.25) as from s"
    )
    assert rows(pond, "select evaluation_rows from ml.models where name = 's'") == [(250,)]


def test_no_split_evaluates_on_the_training_rows(pond):
    model = create(pond, 1000, ", data_split_method = 'no_split'")
    assert (model["training_rows"], model["evaluation_rows"]) == (1000, 0)
    assert len(held_out(pond, model)) == 1000
    assert rows(pond, "select eval_loss from ml.training_info('m')")[0] == (None,)


def test_evaluation_uses_the_held_out_rows(pond):
    model = create(pond, 1000, ", data_split_method = 'random'")
    found = record(pond, "from ml.evaluate('m')")
    again = record(pond, f"from ml.evaluate('m', $${model['evaluation_query']}$$)")
    assert found == again
    # TRAINING_INFO's eval_loss is the mean squared error of the same rows
    ((loss,),) = rows(
        pond, "select eval_loss from ml.training_info('m') order by iteration desc limit 1"
    )
    assert loss == pytest.approx(found["mean_squared_error"], rel=1e-9)


def test_the_plain_shell_evaluates_the_same_rows(database, shell):
    import mlpond

    with mlpond.connect(database) as pond:
        create(pond, 2000, "")
        expected = record(pond, "from ml.evaluate('m')")
    (found,) = shell(database, "from ml.evaluate('m')")
    assert found["mean_squared_error"] == pytest.approx(expected["mean_squared_error"], rel=1e-12)


@pytest.mark.parametrize(
    "options, error, message",
    [
        (", data_split_method = 'custom'", InputError, "needs the option data_split_col"),
        (", data_split_col = 'held'", InputError, "use CUSTOM or SEQ"),
        (
            ", data_split_method = 'custom', data_split_col = 'no'",
            InputError,
            "'no' is not in the query",
        ),
        (", data_split_method = 'custom', data_split_col = 'x'", InputError, "needs BOOLEAN"),
        (
            ", data_split_method = 'random', data_split_eval_fraction = 1.0",
            TrainingError,
            "leaves none to train on",
        ),
        (", data_split_method = 'half'", InputError, "must be one of AUTO_SPLIT, RANDOM"),
    ],
)
def test_a_split_that_cannot_be_made(pond, options, error, message):
    with pytest.raises(error, match=message):
        create(pond, 100, options)
