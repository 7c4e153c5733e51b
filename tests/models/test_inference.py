"""Which models regression inference applies to, what they keep for it, and where it runs."""

from __future__ import annotations

import re

import duckdb
import numpy as np
import pytest
import statsmodels.formula.api as smf

import mlpond
from mlpond.errors import ModelError
from mlpond.models import job
from tests.conftest import rows

FUNCTIONS = (
    "robust_weights('{}')", "clustered_weights('{}', 'penguins', 'island')",
    "newey_west_weights('{}', 'penguins', 'year')", "prediction_intervals('{}', 'penguins')",
    "influence('{}')", "variance_inflation('{}')", "breusch_pagan('{}')", "white_test('{}')",
    "reset_test('{}')",
)  # fmt: skip
QUERY = "select flipper_length_mm, sex, species, body_mass_g from penguins where sex is not null"


def create(pond, options="", name="m", query=QUERY, transform="", kind="linear_reg"):
    label = "body_mass_g" if kind == "linear_reg" else "sex"
    pond.sql(
        f"create or replace model {name} {transform} options (model_type = '{kind}', "
        f"input_label_cols = ['{label}'], data_split_method = 'no_split'{options}) as {query}"
    )


@pytest.fixture
def penguins(pond, load_penguins):
    load_penguins(pond)
    return pond


def frame(pond):
    return pond.con.execute("from penguins where sex is not null").df()


def errors(pond, query):
    return {(r[0], r[1]): (r[2], r[3]) for r in rows(pond, query)}


@pytest.mark.parametrize("calculate", ["", ", calculate_p_values = true"])
def test_dummy_encoding_agrees_with_statsmodels(penguins, calculate):
    create(penguins, f", category_encoding_method = 'dummy_encoding'{calculate}")
    fit = smf.ols(
        "body_mass_g ~ flipper_length_mm + C(sex, Treatment('male')) + species", frame(penguins)
    ).fit()
    robust = fit.get_robustcov_results("HC3")
    found = errors(penguins, "from ml.robust_weights('m')")
    assert list(found) == [
        ("flipper_length_mm", None), ("sex", "female"), ("species", "Chinstrap"),
        ("species", "Gentoo"), ("__INTERCEPT__", None),
    ]  # fmt: skip
    expected = np.column_stack([robust.params, robust.bse])[[4, 1, 2, 3, 0]]
    # the flipper's mean is 14 deviations from 0
    assert np.array(list(found.values())) == pytest.approx(expected, rel=1e-9)


def test_one_hot_encoding_is_another_way_to_write_the_same_model(penguins):
    create(penguins)
    create(penguins, ", category_encoding_method = 'dummy_encoding'", name="dummy")
    one_hot = errors(penguins, "from ml.robust_weights('m')")
    dummy = errors(penguins, "from ml.robust_weights('dummy')")
    # the weights of one input sum to 0: each of two is half their difference
    assert one_hot["sex", "female"][1] == pytest.approx(dummy["sex", "female"][1] / 2, rel=1e-11)
    assert one_hot["flipper_length_mm", None] == pytest.approx(
        dummy["flipper_length_mm", None], rel=1e-11
    )
    for name in ("breusch_pagan", "white_test", "reset_test"):
        a, b = (rows(penguins, f"from ml.{name}('{m}')")[0][:3] for m in ("m", "dummy"))
        assert a == pytest.approx(b, rel=1e-9)


def test_the_factors_give_the_standard_errors_of_training(penguins):
    create(penguins, ", category_encoding_method = 'dummy_encoding', calculate_p_values = true")
    found = rows(
        penguins,
        "select list_dot_product(f.factor, f.factor) * m.loss * m.training_rows "
        "/ (m.training_rows - len(f.factor)), c.standard_error ** 2 "
        "from ml.coefficient_factors as f join ml.coefficients as c using (model, position) "
        "join ml.models as m on m.name = f.model",
    )
    assert len(found) == 5
    for ours, theirs in found:
        assert ours == pytest.approx(theirs, rel=1e-11)


def test_transform_lists_and_nulls(penguins):
    create(
        penguins,
        transform="transform (ML.STANDARD_SCALER(flipper_length_mm) over () as flipper, "
        "ML.ONE_HOT_ENCODER(species, 'most_frequent') over () as species, "
        "[year % 2, 1] as parts, [island, sex] as set, body_mass_g)",
        query="select * from penguins where body_mass_g is not null",
    )
    data = penguins.con.execute("from penguins where body_mass_g is not null").df()
    columns = [(data.flipper_length_mm - 200) / 14, data.year % 2]
    columns += [data.species == name for name in ("Chinstrap", "Gentoo")]
    columns += [data.island == name for name in ("Biscoe", "Dream")]
    columns += [data.sex == name for name in ("female", "male")]  # unknown for some
    X = np.column_stack([np.ones(len(data)), *(c.to_numpy(float) for c in columns)])
    H = X @ np.linalg.pinv(X)
    found = rows(penguins, "select leverage, residual from ml.influence('m', "
                 "'(from penguins where body_mass_g is not null)')")  # fmt: skip
    y = data.body_mass_g.to_numpy(float)
    # in the order of residuals, for leverages tie
    found.sort(key=lambda row: row[1])
    expected = np.column_stack([np.diag(H), y - H @ y])[np.argsort(y - H @ y)]
    # residuals of 1e-2 to 1e3, of labels of 5e3
    assert np.array(found)[:, 1] == pytest.approx(expected[:, 1], rel=1e-9, abs=1e-9)
    assert np.sum(np.array(found)[:, 0] ** 2) == pytest.approx(
        np.sum(expected[:, 0] ** 2), rel=1e-9
    )


def test_rows_without_a_feature_are_filled_as_in_training(penguins):
    create(
        penguins, query="select bill_length_mm, case when year > 2007 then flipper_length_mm end as f, "
        "body_mass_g from penguins where body_mass_g is not null"
    )  # fmt: skip
    data = penguins.con.execute("from penguins where body_mass_g is not null").df()
    data["f"] = data.flipper_length_mm.astype(float).where(data.year > 2007)
    data["f"] = data.f.fillna(data.f.mean())
    fit = smf.ols("body_mass_g ~ bill_length_mm + f", data).fit().get_robustcov_results("HC2")
    found = errors(penguins, "from ml.robust_weights('m', type := 'HC2')")
    expected = np.column_stack([fit.params, fit.bse])[[1, 2, 0]]
    assert np.array(list(found.values())) == pytest.approx(expected, rel=1e-9)


def test_moments_gathered_in_the_first_pass_do_not_matter(pond, monkeypatch):
    # as for a million rows: the fit begins with the moments of a sample
    monkeypatch.setattr(job, "GATHER_FROM", 1000)
    monkeypatch.setattr(job, "GATHER_SAMPLE", 500)
    pond.con.execute(
        "create table t as select 1e3 + hash(3 * i) % 1000 / 1e2 as a, hash(3 * i + 1) % 1000 / 1e4 "
        "as b, a + hash(3 * i + 2) % 1000 / 1e1 as y from range(5000) as r(i)"
    )
    pond.sql(
        "create model m options (model_type = 'linear_reg', input_label_cols = ['y'], "
        "data_split_method = 'no_split') as select * from t"
    )
    data = pond.con.execute("from t").df()
    centred = data.assign(a=data.a - data.a.mean(), b=data.b - data.b.mean())
    fit = smf.ols("y ~ a + b", centred).fit().get_robustcov_results("HC3")
    found = rows(pond, "select standard_error from ml.robust_weights('m') limit 2")
    # sums of 5000 rows
    assert [row[0] for row in found] == pytest.approx(fit.bse[1:].tolist(), rel=1e-11)


REFUSED = [
    ("linear_reg", ", l2_reg = 1.0", "m@1 was trained with l2_reg = 1; a penalty"),
    ("linear_reg", ", l1_reg = 0.5", "m@1 was trained with l1_reg = 0.5; a penalty"),
    (
        "linear_reg", ", optimize_strategy = 'batch_gradient_descent'",
        "m@1 was trained with optimize_strategy = 'BATCH_GRADIENT_DESCENT'",
    ),
    ("logistic_reg", "", "model m@1 is a logistic_reg; it applies to linear_reg"),
]  # fmt: skip


@pytest.mark.parametrize("kind, options, message", REFUSED, ids=[r[1] or r[0] for r in REFUSED])
def test_models_to_which_it_does_not_apply_say_so(penguins, kind, options, message):
    create(penguins, options, kind=kind)
    for function in FUNCTIONS:
        with pytest.raises(duckdb.Error, match=re.escape(message)):
            rows(penguins, f"from ml.{function.format('m')}")


def test_too_many_columns_are_refused(pond):
    pond.con.execute(
        "create table t as select (i % 101)::varchar as c, i::double as y from range(300) as r(i)"
    )
    pond.sql(
        "create model m options (model_type = 'linear_reg', input_label_cols = ['y']) as from t"
    )
    with pytest.raises(duckdb.Error, match="m@1 has 101 columns; at most 100 are accepted"):
        rows(pond, "from ml.robust_weights('m')")
    assert rows(pond, "select count(*) from ml.coefficient_factors") == [(0,)]


def test_an_unknown_model_is_named(penguins):
    create(penguins)
    for function in FUNCTIONS:
        with pytest.raises(ModelError, match=r"model 'nope' is not known; accepted are: m\."):
            rows(penguins, f"from ml.{function.format('nope')}")


def test_versions_and_aliases(penguins):
    create(penguins)
    create(
        penguins, query="select flipper_length_mm, body_mass_g from penguins where sex is not null"
    )
    penguins.sql("alter model m@1 set options (alias = 'wide')")
    assert len(rows(penguins, "from ml.robust_weights('m')")) == 2
    for name in ("m@1", "m@wide", "M@1"):
        assert len(rows(penguins, f"from ml.robust_weights('{name}')")) == 7
    penguins.sql("drop model m")
    assert rows(penguins, "select count(*) from ml.coefficient_factors") == [(0,)]
    left = "select count(*) from duckdb_functions() where regexp_matches(function_name, '^[a-z]+_m(@|$)')"
    assert rows(penguins, left) == [(0,)]


@pytest.mark.slow
def test_runs_in_a_plain_shell(database, load_penguins, shell):
    with mlpond.connect(database) as pond:
        load_penguins(pond)
        create(pond)
        create(pond, ", l2_reg = 1.0", name="ridge")
        expected = {}
        for function in FUNCTIONS[:2] + FUNCTIONS[3:]:
            query = f"from ml.{function.format('m')} limit 1"
            query = query.replace("'penguins'", "'(from penguins where sex is not null)'")
            expected[query] = rows(pond, query)[0]
        query = "from ml.newey_west_weights('m', '(select *, rowid as row from penguins where sex is not null)', 'row')"
        expected[query] = rows(pond, query)[0]
    for query, row in expected.items():
        found = shell(database, query)[0]
        for ours, theirs in zip(found.values(), row, strict=True):
            if isinstance(theirs, float):
                # threads may sum in another order
                assert ours == pytest.approx(theirs, rel=1e-9)
    with pytest.raises(AssertionError, match="ridge@1 was trained with l2_reg"):
        shell(database, "from ml.robust_weights('ridge')")


@pytest.mark.slow
def test_models_of_an_older_file_ask_to_be_trained_again(database, load_penguins, shell):
    with mlpond.connect(database) as pond:
        load_penguins(pond)
        create(pond)
        create(pond, kind="logistic_reg", name="sexes")
        pond.sql("alter model m set options (alias = 'first')")
        # as a file of an mlpond without regression inference
        for model in ("m", "m@1", "m@first", "sexes", "sexes@1"):
            for function in ("design", "residuals", "products"):
                pond.con.execute(f'drop macro table ml."{function}_{model}"')
        pond.con.execute("drop table ml.coefficient_factors; delete from ml.library")
    with mlpond.connect(database) as pond:
        for name in ("m", "m@1", "m@first"):
            for function in FUNCTIONS:
                with pytest.raises(
                    duckdb.Error, match=r"m@1 was trained by an mlpond that .* again"
                ):
                    rows(pond, f"from ml.{function.format(name)}")
        with pytest.raises(duckdb.Error, match="sexes@1 is a logistic_reg"):
            rows(pond, "from ml.robust_weights('sexes')")
        assert rows(pond, "select count(*) from ml.predict('m', 'penguins')") == [(344,)]
        create(pond)
        assert len(rows(pond, "from ml.robust_weights('m')")) == 7
        with pytest.raises(duckdb.Error, match="m@1 was trained by an mlpond"):
            rows(pond, "from ml.robust_weights('m@first')")
    with pytest.raises(AssertionError, match="train it again with CREATE OR REPLACE MODEL"):
        shell(database, "from ml.robust_weights('m@1')")


@pytest.mark.parametrize("name", ["factors", "fit", "residuals", "rows", "scores", "weighted"])
def test_a_table_may_be_named_like_a_step_of_the_query(penguins, name):
    create(penguins)
    source = "(from penguins where sex is not null)"
    penguins.con.execute(f"create table {name} as from {source}")
    for call in (
        "robust_weights('m', '{}')",
        "clustered_weights('m', '{}', 'island')",
        "newey_west_weights('m', '(select *, rowid as row from {})', 'row')",
        "breusch_pagan('m', '{}')",
        "white_test('m', '{}')",
        "reset_test('m', '{}')",
    ):
        found = rows(penguins, f"select * from ml.{call.format(name)}")
        if "rowid" not in call:
            expected = rows(penguins, f"select * from ml.{call.format(source)}")
            assert str(found[0])[:30] == str(expected[0])[:30]
    for function in ("prediction_intervals", "influence"):
        assert len(rows(penguins, f"from ml.{function}('m', '{name}')")) == 333
