"""CREATE MODEL with linear_reg: against statsmodels, scikit-learn and BigQuery ML's own numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.linear_model import Lasso, Ridge

from tests.conftest import record, rows


@pytest.fixture
def numbers(pond):
    """400 rows with three numeric features and a label that depends on them."""
    rng = np.random.default_rng(7)
    X = rng.normal(size=(400, 3)) * [1, 10, 0.1] + [0, 50, -3]
    y = 2 + X @ [1.5, -0.2, 7] + rng.normal(size=400)
    pond.con.execute("create table t (a double, b double, c double, y double)")
    pond.con.executemany("insert into t values (?, ?, ?, ?)", np.column_stack([X, y]).tolist())
    return X, y


def create(pond, options="", name="m", query="select * from t", transform=""):
    pond.sql(
        f"create or replace model {name} {transform} options (model_type = 'linear_reg', "
        f"input_label_cols = ['y'], data_split_method = 'no_split'{options}) as {query}"
    )


def weights(pond, name="m"):
    return {
        row[0]: row[1]
        for row in rows(pond, f"select processed_input, weight from ml.weights('{name}')")
    }


def test_agrees_with_statsmodels(pond, numbers):
    X, y = numbers
    create(pond, ", calculate_p_values = true, category_encoding_method = 'dummy_encoding'")
    fit = sm.OLS(y, sm.add_constant(X)).fit()
    found = rows(
        pond,
        "select weight, standard_error, statistic, p_value, ci_lower, ci_upper "
        "from ml.coefficients order by position",
    )
    expected = np.column_stack([fit.params, fit.bse, fit.tvalues, fit.pvalues, fit.conf_int()])
    # statsmodels takes the pseudo-inverse: its own rounding is some 1e-12
    assert np.array(found[-1:] + found[:-1]) == pytest.approx(expected, rel=1e-9)
    statistics = dict(rows(pond, "select name, value from ml.fit_statistics"))
    assert statistics["r_squared"] == pytest.approx(fit.rsquared, rel=1e-12)
    assert statistics["log_likelihood"] == pytest.approx(fit.llf, rel=1e-12)
    assert statistics["aic"] == pytest.approx(fit.aic, rel=1e-12)
    assert statistics["f_statistic"] == pytest.approx(fit.fvalue, rel=1e-10)


def test_advanced_weights_use_the_normal_distribution(pond, numbers):
    from scipy import stats

    X, y = numbers
    create(pond, ", calculate_p_values = true, category_encoding_method = 'dummy_encoding'")
    fit = sm.OLS(y, sm.add_constant(X)).fit()
    found = rows(pond, "from ml.advanced_weights('m')")
    assert [row[0] for row in found] == ["a", "b", "c", "__INTERCEPT__"]
    # the tail magnifies an error in z by z², here up to 10,000
    expected = 2 * stats.norm.sf(abs(fit.tvalues))
    assert [row[4] for row in found] == pytest.approx(
        [*expected[1:], expected[0]], rel=1e-7, abs=1e-300
    )


def test_ridge_and_lasso_agree_with_scikit_learn(pond, numbers):
    X, y = numbers
    Z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    create(pond, ", l2_reg = 30.0")
    found = dict(
        rows(pond, "select processed_input, weight from ml.weights('m', standardize := true)")
    )
    ridge = Ridge(alpha=30.0).fit(Z, y)
    assert [found[k] for k in "abc"] == pytest.approx(ridge.coef_, rel=1e-10)
    assert found["__INTERCEPT__"] == pytest.approx(ridge.intercept_, rel=1e-12)
    create(pond, ", l1_reg = 120.0")
    found = dict(
        rows(pond, "select processed_input, weight from ml.weights('m', standardize := true)")
    )
    lasso = Lasso(alpha=120.0 / len(y), tol=1e-12, max_iter=100_000).fit(Z, y)
    assert [found[k] for k in "abc"] == pytest.approx(lasso.coef_, rel=1e-6, abs=1e-9)


def test_predictions_are_the_linear_form(pond, numbers):
    X, y = numbers
    create(pond)
    w = weights(pond)
    expected = w["__INTERCEPT__"] + X @ [w["a"], w["b"], w["c"]]
    found = rows(pond, "select predicted_y from ml.predict('m', 't')")
    assert [row[0] for row in found] == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_evaluate_agrees_with_scikit_learn(pond, numbers):
    from sklearn import metrics

    X, y = numbers
    create(pond)
    p = np.array([row[0] for row in rows(pond, "select predicted_y from ml.predict('m', 't')")])
    found = record(pond, "from ml.evaluate('m')")
    assert found["mean_absolute_error"] == pytest.approx(
        metrics.mean_absolute_error(y, p), rel=1e-12
    )
    assert found["mean_squared_error"] == pytest.approx(metrics.mean_squared_error(y, p), rel=1e-12)
    assert found["r2_score"] == pytest.approx(metrics.r2_score(y, p), rel=1e-12)
    assert found["explained_variance"] == pytest.approx(
        metrics.explained_variance_score(y, p), rel=1e-12
    )
    assert found["mean_squared_log_error"] is None  # some labels lie below -1
    # the lower of the two middle values, not their mean
    assert found["median_absolute_error"] == pytest.approx(sorted(abs(y - p))[199], rel=1e-12)


def test_penguins_of_bigquery(pond, load_penguins):
    """BigQuery ML's tutorial on its own penguins table, in which one missing sex reads '.'."""
    load_penguins(pond)
    pond.sql(
        "create table theirs as select * exclude (year) replace (case when sex is null "
        "and species = 'Gentoo' and bill_length_mm = 44.5 and bill_depth_mm = 15.7 "
        "then '.' else sex end as sex) from penguins where body_mass_g is not null"
    )
    assert rows(pond, "select count(*), count(*) filter (sex = '.') from theirs") == [(342, 1)]
    pond.sql(
        "create model penguins options (model_type = 'linear_reg', input_label_cols = ['body_mass_g']) "
        "as from theirs"
    )
    found = record(pond, "from ml.evaluate('penguins')")
    # the digits that Google's documentation prints
    assert round(found["mean_absolute_error"], 6) == 227.012237
    assert round(found["mean_squared_error"], 6) == 81838.159892
    assert round(found["mean_squared_log_error"], 5) == 0.00507
    assert round(found["median_absolute_error"], 6) == 173.080816
    assert round(found["r2_score"], 6) == 0.872377
    assert round(found["explained_variance"], 6) == 0.872377


def test_longley_and_its_certified_digits(pond):
    """NIST StRD Longley, from a table in DuckDB to the stored coefficients."""
    from statsmodels.datasets import longley

    data = longley.load_pandas().data
    pond.con.register("frame", data)
    pond.sql("create table longley as from frame")
    pond.sql(
        "create model longley options (model_type = 'linear_reg', input_label_cols = ['TOTEMP'], "
        "calculate_p_values = true, category_encoding_method = 'dummy_encoding') as from longley"
    )
    certified = {
        "__INTERCEPT__": -3482258.63459582, "GNPDEFL": 15.0618722713733,
        "GNP": -0.358191792925910e-01, "UNEMP": -2.02022980381683, "ARMED": -1.03322686717359,
        "POP": -0.511041056535807e-01, "YEAR": 1829.15146461355,
    }  # fmt: skip
    found = weights(pond, "longley")
    digits = {k: -math.log10(abs(found[k] / v - 1) or 1e-16) for k, v in certified.items()}
    assert min(digits.values()) >= 9, digits


def test_missing_numbers_are_the_mean_and_missing_texts_a_category(pond):
    pond.sql(
        "create table t as select x, g, y from (values (1.0, 'a', 1.0), (2.0, 'b', 3.0), "
        "(null, 'a', 2.5), (4.0, null, 9.0), (5.0, null, 9.5), (3.0, 'b', 4.0)) v(x, g, y)"
    )
    create(pond)
    got = rows(pond, "select unnest(category_weights).category from ml.weights('m')")
    assert [row[0] for row in got] == ["a", "b", "_null_filler"]
    pairs = rows(
        pond,
        "select p.predicted_y, q.predicted_y from ml.predict('m', '(select null::double x, ''a'' g)') p, "
        "ml.predict('m', '(select 3.0 x, ''a'' g)') q",
    )
    assert pairs[0][0] == pytest.approx(pairs[0][1], rel=1e-14)  # 3 is the mean of x


def test_a_category_not_seen_in_training_adds_nothing(pond, load_penguins):
    load_penguins(pond)
    query = "select species, body_mass_g as y from penguins where body_mass_g is not null"
    create(pond, query=query)
    intercept = weights(pond)["__INTERCEPT__"]
    ((found,),) = rows(
        pond, "select predicted_y from ml.predict('m', '(select ''emu'' as species)')"
    )
    assert found == pytest.approx(intercept, rel=1e-14)


def test_one_hot_weights_sum_to_zero(pond, load_penguins):
    load_penguins(pond)
    create(
        pond,
        query="select species, island, bill_length_mm, body_mass_g as y from penguins where body_mass_g is not null",
    )
    sums = rows(
        pond,
        "select processed_input, list_sum(list_transform(category_weights, lambda c: c.weight)) "
        "from ml.weights('m') where category_weights is not null",
    )
    assert [row[0] for row in sums] == ["species", "island"]
    # the limit of a vanishing ridge: of all equal fits the one with the smallest weights
    assert [row[1] for row in sums] == pytest.approx([0, 0], abs=1e-8)


def test_dummy_encoding_drops_the_most_frequent_category(pond, load_penguins):
    load_penguins(pond)
    create(
        pond, ", category_encoding_method = 'dummy_encoding', calculate_p_values = true",
        query="select species, flipper_length_mm, body_mass_g as y from penguins where body_mass_g is not null",
    )  # fmt: skip
    found = {(r[0], r[1]): r[2:] for r in rows(pond, "from ml.advanced_weights('m')")}
    assert all(math.isnan(value) for value in found["species", "Adelie"])
    data = pond.con.execute(
        "select (species = 'Chinstrap')::int, (species = 'Gentoo')::int, flipper_length_mm, body_mass_g "
        "from penguins where body_mass_g is not null"
    ).fetchall()
    table = np.array(data, dtype=float)
    fit = sm.OLS(table[:, 3], sm.add_constant(table[:, :3])).fit()
    ours = [
        found["species", "Chinstrap"],
        found["species", "Gentoo"],
        found["flipper_length_mm", None],
    ]
    assert [row[0] for row in ours] == pytest.approx(fit.params[1:], rel=1e-9)
    assert [row[1] for row in ours] == pytest.approx(fit.bse[1:], rel=1e-9)


def test_nested_and_listed_columns_become_features(pond):
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 4))
    y = X @ [1, 2, 3, 4] + 5
    pond.con.execute("create table raw (a double, b double, c double, d double, y double)")
    pond.con.executemany("insert into raw values (?, ?, ?, ?, ?)", np.column_stack([X, y]).tolist())
    create(
        pond,
        query="select {'a': a, 'in': {'b': b}} as s, [c, d] as l, "
        "['p', case when a > 0 then 'q' else 'r' end] as tags, "
        "timestamp '2024-01-01' + to_hours((100 * a)::int) as at, y from raw",
    )
    names = [row[0] for row in rows(pond, "select processed_input from ml.weights('m')")]
    assert {"s_a", "s_in_b", "l_0", "l_1", "tags", "at", "_TS_HOD_at"} <= set(names)
    found = record(pond, "from ml.evaluate('m')")
    assert found["mean_squared_error"] < 1e-12  # the label is linear in four of the features


def test_numeric_lists_of_several_lengths(pond):
    pond.sql(
        "create table t as select [i, i * i, 7][1:(i % 3) + 1] as l, i::double as y from range(1, 30) r(i)"
    )
    create(pond)
    names = [row[0] for row in rows(pond, "select processed_input from ml.weights('m')")]
    assert names == ["l_0", "l_1", "l_2", "__INTERCEPT__"]
    assert len(rows(pond, "from ml.predict('m', 't')")) == 29


def test_training_as_a_function(pond, numbers):
    X, y = numbers
    ((name,),) = rows(
        pond,
        "select ml.train('f', 'select * from t', {model_type: 'linear_reg', input_label_cols: ['y'], "
        "data_split_method: 'no_split'})",
    )
    assert name == "f@1"
    create(pond)
    assert weights(pond, "f") == weights(pond, "m")


def test_a_temporary_table_and_an_open_transaction_are_seen(pond):
    pond.con.begin()
    pond.sql("create temp table t as select i as x, 3 * i as y from range(20) r(i)")
    create(pond)
    pond.con.commit()
    assert weights(pond)["x"] == pytest.approx(3, rel=1e-12)


def test_warm_start_counts_its_runs(pond, numbers):
    create(pond, ", optimize_strategy = 'batch_gradient_descent', max_iterations = 2")
    first = rows(pond, "select training_run, loss from ml.models where name = 'm'")
    create(
        pond,
        ", warm_start = true, optimize_strategy = 'batch_gradient_descent', max_iterations = 5",
    )
    second = rows(pond, "select training_run, loss from ml.models where name = 'm' and version = 2")
    assert (first[0][0], second[0][0]) == (0, 1)
    assert second[0][1] < first[0][1]
    assert rows(pond, "select distinct training_run from ml.training_info('m')") == [(1,)]


def test_gradient_descent_shows_its_steps(pond, numbers):
    create(
        pond,
        ", optimize_strategy = 'batch_gradient_descent', max_iterations = 15, min_rel_progress = 0.0",
    )
    steps = rows(pond, "select iteration, loss, learning_rate from ml.training_info('m')")
    assert [step[0] for step in steps] == list(range(len(steps)))
    losses = [step[1] for step in steps]
    assert losses == sorted(losses, reverse=True)
    assert len(losses) > 3


@pytest.mark.parametrize("kind", ["linear_reg", "logistic_reg"])
def test_moments_gathered_in_the_first_pass_are_the_same(pond, monkeypatch, kind):
    from mlpond.models import job

    pond.sql(
        "create table t as select a, b, case when i < 5000 then 7.0 else 7.0 + a end as late_starter, "
        "5.0 as k, 3 * a - b + hash(i) % 100 / 30 > 4 as flag, 3 * a - b + hash(i) % 7 as y "
        "from (select i, hash(i) % 1000 / 100 as a, hash(i + 10000) % 5000 as b from range(20000) r(i))"
    )
    label = "y" if kind == "linear_reg" else "flag"
    other = "flag" if kind == "linear_reg" else "y"

    def fitted():
        pond.sql(
            f"create or replace model m options (model_type = '{kind}', input_label_cols = ['{label}'], "
            f"data_split_method = 'random') as select * exclude ({other}) from t"
        )
        return (
            rows(pond, "select processed_input, weight from ml.weights('m', standardize := true)"),
            rows(pond, "select input, min, max, mean, stddev from ml.feature_info('m')"),
            [v for v in record(pond, "from ml.evaluate('m')").values() if v is not None],
        )

    plain = fitted()
    monkeypatch.setattr(job, "GATHER_FROM", 1000)
    gathered = fitted()
    for before, after in zip(plain[0] + plain[1], gathered[0] + gathered[1], strict=True):
        assert after[0] == before[0]
        # both are the same optimum from other starts: Newton leaves some 1e-9
        assert after[1:] == pytest.approx(before[1:], rel=1e-8, abs=1e-9)
    assert gathered[2] == pytest.approx(plain[2], rel=1e-8)
    ((middle,),) = rows(pond, "select median from ml.feature_info('m') where input = 'b'")
    assert middle == pytest.approx(2500, rel=0.2)  # of one row in fifty
