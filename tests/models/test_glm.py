"""CREATE MODEL with glm: against statsmodels and R's printed outputs, and in the plain shell."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import special
from statsmodels.genmod.families import family as families
from statsmodels.genmod.families import links

import mlpond
from mlpond.errors import InputError, TrainingError
from tests.conftest import record, rows

N = 240
# family, link, its statsmodels twin, and the label that it explains
MODELS = {
    "poisson": ("poisson", "log", families.Poisson(), "counts"),
    "negative_binomial": ("negative_binomial", "log", families.NegativeBinomial(alpha=0.5), "counts"),
    "gamma": ("gamma", "log", families.Gamma(links.Log()), "cost"),
    "gamma_inverse": ("gamma", "inverse", families.Gamma(), "cost"),
    "inverse_gaussian": ("inverse_gaussian", "log", families.InverseGaussian(links.Log()), "cost"),
    "inverse_squared": ("inverse_gaussian", "inverse_squared", families.InverseGaussian(), "cost"),
    "gaussian_log": ("gaussian", "log", families.Gaussian(links.Log()), "cost"),
    "gaussian": ("gaussian", "identity", families.Gaussian(), "cost"),
    "sqrt": ("poisson", "sqrt", families.Poisson(links.Sqrt()), "counts"),
    "logit": ("binomial", "logit", families.Binomial(), "bought"),
    "probit": ("binomial", "probit", families.Binomial(links.Probit()), "bought"),
    "cloglog": ("binomial", "cloglog", families.Binomial(links.CLogLog()), "bought"),
    "loglog": ("binomial", "loglog", families.Binomial(links.LogLog()), "bought"),
}  # fmt: skip


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    return tmp_path_factory.mktemp("glm") / "glm.duckdb"


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(3)
    x, city = rng.normal(size=N), rng.integers(0, 3, N)
    exposure, weight = rng.uniform(0.5, 2, N), rng.integers(1, 4, N).astype(float)
    eta = 1 + 0.3 * x + 0.2 * city
    counts = rng.poisson(exposure * np.exp(eta) * rng.gamma(2, 0.5, N)).astype(float)
    cost = rng.gamma(5, np.exp(eta) / 5)
    bought = (rng.random(N) < 1 / (1 + np.exp(1.5 - eta))).astype(float)
    return {"x": x, "city": city, "exposure": exposure, "weight": weight, "counts": counts,
            "cost": cost, "bought": bought}  # fmt: skip


@pytest.fixture(scope="module")
def pond(database, data):
    """A file with the table t and a model of each family and link."""
    with mlpond.connect(database) as session:
        session.con.execute(
            "create table t (id int, x double, city varchar, exposure double, weight double, "
            "counts bigint, cost double, bought boolean)"
        )
        session.con.executemany(
            "insert into t values (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                [i, float(data["x"][i]), "abc"[data["city"][i]], float(data["exposure"][i]),
                 float(data["weight"][i]), int(data["counts"][i]), float(data["cost"][i]),
                 bool(data["bought"][i])]
                for i in range(N)
            ],
        )  # fmt: skip
        for name, (family, link, _, label) in MODELS.items():
            more = ", dispersion = 0.5" if family == "negative_binomial" else ""
            create(session, f"family = '{family}', link = '{link}'{more}", name, label)
        yield session


def create(pond, options, name="m", label="counts", columns="x, city", transform=""):
    pond.sql(
        f"create or replace model {name} {transform} options (model_type = 'glm', {options}, "
        f"input_label_cols = ['{label}'], data_split_method = 'no_split') "
        f"as select {columns}, {label} from t"
    )


def weights(pond, name="m"):
    """Weight, standard error, statistic and p-value of x, the categories with a column, and 1."""
    return np.array(
        rows(
            pond,
            "select weight, standard_error, statistic, p_value from ml.coefficients "
            f"where {{'name': model, 'version': version}} = ml.version_of('{name}') "
            "and not coalesce(isnan(standard_error), false) order by position",
        ),
        dtype=float,
    )


def statistics(pond, name="m"):
    return dict(
        rows(
            pond,
            "select name, value from ml.fit_statistics "
            f"where {{'name': model, 'version': version}} = ml.version_of('{name}')",
        )
    )


def design(data):
    """What the models see, but for the category that is left out: the most frequent one."""
    city = data["city"]
    most = np.argmax(np.bincount(city))
    dummies = [(city == k).astype(float) for k in range(3) if k != most]
    return np.column_stack([data["x"], *dummies, np.ones(N)])


def peer(data, family, label, start=None, **more):
    model = sm.GLM(data[label], design(data), family=family, **more)
    if start is None:
        start = np.r_[0.0, 0.0, 0.0, family.link(np.mean(data[label]))]
    return model.fit(start_params=start, tol=1e-14, tol_criterion="params", maxiter=300)


@pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.DomainWarning")
@pytest.mark.parametrize("name", MODELS)
def test_agrees_with_statsmodels(pond, data, name):
    family, _, twin, label = MODELS[name]
    found = weights(pond, name)
    # from a start of its own the peer's reweighting leaves what this link allows
    expected = peer(data, twin, label, found[:, 0] if name == "inverse_squared" else None)
    # tests are Student's where the dispersion is estimated, as R has them
    p_values = expected.pvalues
    if family in ("gaussian", "gamma", "inverse_gaussian"):
        p_values = 2 * special.stdtr(expected.df_resid, -np.abs(expected.tvalues))
    assert found[:, 0] == pytest.approx(expected.params, rel=1e-8)
    assert found[:, 1] == pytest.approx(expected.bse, rel=1e-8)
    assert found[:, 2] == pytest.approx(expected.tvalues, rel=1e-7)
    assert found[:, 3] == pytest.approx(p_values, rel=1e-5)  # z² / 2 magnifies an error of z
    told = statistics(pond, name)
    assert (told["log_likelihood"], told["aic"], told["bic"]) == pytest.approx(
        (expected.llf, expected.aic, expected.bic_llf), rel=1e-9
    )
    assert (told["deviance"], told["pearson_chi2"], told["dispersion"]) == pytest.approx(
        (expected.deviance, expected.pearson_chi2, expected.scale), rel=1e-9
    )
    assert told["null_deviance"] == pytest.approx(expected.null_deviance, rel=1e-9)
    predicted = rows(pond, f"select predicted_{label} from ml.predict('{name}', 't') order by id")
    assert np.ravel(predicted) == pytest.approx(expected.fittedvalues, rel=1e-8)
    judged = record(pond, f"from ml.evaluate('{name}')")
    assert list(judged)[:6] == [
        "mean_absolute_error", "mean_squared_error", "mean_squared_log_error",
        "median_absolute_error", "r2_score", "explained_variance",
    ]  # fmt: skip
    assert judged["mean_deviance"] == pytest.approx(expected.deviance / N, rel=1e-8)
    explained = 1 - expected.deviance / expected.null_deviance
    assert judged["deviance_explained"] == pytest.approx(explained, rel=1e-7)


def test_exposures_and_offsets(pond, data):
    create(pond, "family = 'poisson', exposure_col = 'exposure'", "rates",
           columns="x, city, exposure")  # fmt: skip
    expected = peer(data, families.Poisson(), "counts", exposure=data["exposure"])
    assert weights(pond, "rates")[:, :2] == pytest.approx(
        np.c_[expected.params, expected.bse], rel=1e-8
    )
    told = statistics(pond, "rates")
    assert told["null_deviance"] == pytest.approx(expected.null_deviance, rel=1e-8)
    assert told["aic"] == pytest.approx(expected.aic, rel=1e-9)
    # the exposure of the rows to score counts as well
    one, two = (
        rows(
            pond,
            f"select predicted_counts from ml.predict('rates', '(select * replace ({e} as exposure) from t)') order by id",
        )
        for e in ("1.0", "3.0")
    )
    assert np.ravel(two) == pytest.approx(3 * np.ravel(one), rel=1e-12)
    create(pond, "family = 'poisson', offset_col = 'o', exposure_col = 'exposure'", "both",
           columns="x, city, exposure, x / 10 as o")  # fmt: skip
    assert weights(pond, "both")[0, 0] == pytest.approx(expected.params[0] - 0.1, abs=1e-9)
    assert rows(pond, "select features from ml.models where name = 'both'") == [(["x", "city"],)]


def test_weights_are_variance_weights(pond, data):
    create(pond, "family = 'gamma', link = 'log', instance_weight_col = 'weight'", "weighted",
           "cost", "x, city, weight")  # fmt: skip
    expected = peer(data, families.Gamma(links.Log()), "cost", var_weights=data["weight"])
    assert weights(pond, "weighted")[:, :2] == pytest.approx(
        np.c_[expected.params, expected.bse], rel=1e-8
    )
    told = statistics(pond, "weighted")
    assert (told["log_likelihood"], told["dispersion"]) == pytest.approx(
        (expected.llf, expected.scale), rel=1e-9
    )


def test_the_dispersion_of_counts_is_estimated(pond, data):
    create(pond, "family = 'negative_binomial'", "nb")
    expected = sm.NegativeBinomial(data["counts"], design(data)).fit(
        method="newton", maxiter=100, tol=1e-12, disp=0
    )
    told = statistics(pond, "nb")
    assert told["alpha"] == pytest.approx(expected.params[-1], rel=1e-7)
    assert weights(pond, "nb")[:, 0] == pytest.approx(expected.params[:-1], rel=1e-7)
    assert told["log_likelihood"] == pytest.approx(expected.llf, rel=1e-10)
    judged = record(pond, "from ml.evaluate('nb')")
    assert judged["mean_deviance"] == pytest.approx(told["deviance"] / N, rel=1e-9)


def test_agrees_with_rs_example(pond):
    """?glm in R: Dobson's randomised trial; the digits that summary() prints."""
    pond.sql(
        "create or replace table dobson as select unnest([18, 17, 15, 20, 10, 20, 25, 13, 12]) as n, "
        "unnest([1, 2, 3, 1, 2, 3, 1, 2, 3])::varchar as outcome, "
        "unnest([1, 1, 1, 2, 2, 2, 3, 3, 3])::varchar as treatment"
    )
    pond.sql(
        "create or replace model dobson options (model_type = 'glm', family = 'poisson', "
        "input_label_cols = ['n'], data_split_method = 'no_split') as from dobson"
    )
    found = rows(
        pond,
        "select category, weight, standard_error, p_value from ml.advanced_weights('dobson') "
        "where processed_input = 'outcome' and not isnan(weight) order by category",
    )
    assert found == [
        ("2", pytest.approx(-0.4543, abs=5e-5), pytest.approx(0.2022, abs=5e-5),
         pytest.approx(0.0246, abs=5e-5)),
        ("3", pytest.approx(-0.2930, abs=5e-5), pytest.approx(0.1927, abs=5e-5),
         pytest.approx(0.1285, abs=5e-5)),
    ]  # fmt: skip
    told = statistics(pond, "dobson")
    assert (told["null_deviance"], told["deviance"], told["aic"]) == (
        pytest.approx(10.5814, abs=5e-5), pytest.approx(5.1291, abs=5e-5),
        pytest.approx(56.76, abs=5e-3),
    )  # fmt: skip


def test_the_plain_shell_scores_alike(pond, database, shell, tmp_path):
    create(pond, "family = 'poisson', exposure_col = 'exposure', l2_reg = 1.0", "rates",
           columns="x, city, exposure")  # fmt: skip
    queries = {
        name: f"select predicted_{MODELS[name][3]} as p from ml.predict('{name}', 't') order by id"
        for name in MODELS
    } | {"rates": "select predicted_counts as p from ml.predict('rates', 't') order by id"}
    expected = {name: rows(pond, query) for name, query in queries.items()}
    copy = tmp_path / "copy.duckdb"
    pond.con.execute("checkpoint")
    copy.write_bytes(database.read_bytes())
    every = " union all by name ".join(
        f"(select '{name}' as model, list(p) as p from ({query}))"
        for name, query in queries.items()
    )
    for row in shell(copy, every):
        assert row["p"] == pytest.approx(np.ravel(expected[row["model"]]).tolist(), rel=1e-9)
    assert shell(copy, "from ml.evaluate('probit')")
    assert shell(copy, "from ml.advanced_weights('gamma')")


def test_rare_events_keep_their_digits(pond):
    """1 - exp(-t) for a small t, and the normal tail."""
    for name in ("cloglog", "probit", "loglog", "logit"):
        z = rows(
            pond,
            f"select x, predicted_bought from ml.predict('{name}', '(select x, ''a'' as city "
            "from (values (-60.0), (-25.0), (-8.0), (0.0)) v(x))')",
        )
        w = dict(
            rows(
                pond,
                "select processed_input || coalesce(category, ''), weight from ml.coefficients "
                f"where model = '{name}'",
            )
        )
        for x, predicted in z:
            score = w["__INTERCEPT__"] + w["x"] * float(x) + w["citya"]
            want = {
                "cloglog": -math.expm1(-math.exp(score)), "probit": special.ndtr(score),
                "loglog": math.exp(-math.exp(-score)), "logit": special.expit(score),
            }[name]  # fmt: skip
            # the score rounds by 1e-15, which a tail at z = 25 magnifies 25-fold
            assert predicted == pytest.approx(want, rel=1e-10)


def test_null_inputs_transform_and_warm_start(pond):
    create(pond, "family = 'poisson', category_encoding_method = 'one_hot_encoding'", "piped",
           transform="transform (ml.standard_scaler(x) over () as z, city, counts)")  # fmt: skip
    plain = rows(pond, "select predicted_counts from ml.predict('poisson', 't') order by id")
    piped = rows(pond, "select predicted_counts from ml.predict('piped', 't') order by id")
    assert np.ravel(piped) == pytest.approx(np.ravel(plain), rel=1e-8)
    null = "(select null::double as x, null::varchar as city)"
    ((mean,),) = rows(pond, f"select predicted_counts from ml.predict('poisson', '{null}')")
    assert mean > 0
    create(pond, "family = 'poisson'", "warm")
    create(pond, "family = 'poisson', warm_start = true", "warm")
    steps = rows(
        pond,
        "select version, iterations, training_run from ml.models where name = 'warm' order by 1",
    )
    assert steps[1][1] < steps[0][1]
    assert [step[2] for step in steps] == [0, 1]


def test_a_path_of_penalties(pond):
    create(pond, "family = 'poisson', regularization_path = 12", "path")
    steps = rows(pond, "select step, l1_reg, df, is_chosen from ml.regularization_path('path')")
    assert [step[0] for step in steps] == list(range(12))
    assert steps[0][2] == 0
    assert sum(step[3] for step in steps) == 1
    assert rows(
        pond, "select count(*) from ml.path_weights('path') where processed_input = 'x'"
    ) != [(0,)]
    assert statistics(pond, "path")["deviance"] > 0


def test_a_category_of_zeros_is_said(pond):
    pond.sql(
        "create or replace model zeros options (model_type = 'glm', family = 'poisson', "
        "input_label_cols = ['n'], data_split_method = 'no_split') "
        "as select x, city, case when city = 'b' then 0 else counts end as n from t"
    )
    ((said,),) = rows(pond, "select warnings from ml.models where name = 'zeros'")
    assert len(said) == 1
    assert said[0].startswith("separation: city = 'b' tells the labels apart")
    # b is left out by dummy encoding, and the others have no optimum beside it: no test
    assert rows(
        pond,
        "select p_value, standard_error from ml.coefficients where model = 'zeros' and category = 'a'",
    ) == [(None, None)]


@pytest.mark.parametrize(
    "options, label, columns, message",
    [
        ("family = 'tweedie'", "counts", "x", "family is 'tweedie'; it must be one of GAUSSIAN"),
        ("family = 'poisson', link = 'probit'", "counts", "x", "poisson, which takes log, identity"),
        ("family = 'poisson', dispersion = 1", "counts", "x", "is the alpha of family"),
        ("family = 'binomial', exposure_col = 'exposure'", "bought", "x, exposure", "for the log link"),
        ("family = 'poisson', offset_col = 'nothing'", "counts", "x", "column 'nothing' is not known"),
        ("family = 'poisson', offset_col = 'city'", "counts", "x, city", "offset_col city has type VARCHAR"),
        ("family = 'poisson', exposure_col = 'e'", "counts", "x, exposure - 1 as e", "must be a finite number above 0"),
        ("family = 'poisson', offset_col = 'o'", "counts", "x, nullif(id, 3) as o", "offset_col o is NULL in 1 rows"),
        ("family = 'gamma'", "counts", "x", "label counts of family gamma must be above 0"),
        ("family = 'binomial'", "counts", "x", "must be 0, 1 or a share between them"),
        ("family = 'negative_binomial'", "cost", "x", "a whole number of at least 0"),
        ("family = 'poisson', calculate_p_values = true, l1_reg = 1", "counts", "x", "excludes l1_reg"),
        ("family = 'negative_binomial', regularization_path = 5", "counts", "x", "needs the dispersion"),
        ("family = 'poisson', regularization_path = 5, l1_ratio = 0", "counts", "x", "only held-out rows can choose"),
        ("family = 'poisson', instance_weight_col = 'w'", "counts", "x, -weight as w", "a finite number of at least 0"),
        ("family = 'poisson', instance_weight_col = 'w'", "counts", "x, 0 * weight as w", "is 0 in every row"),
        ("family = 'poisson', instance_weight_col = 'w'", "counts", "x, weight / if(id = 5, 0, 1) as w", "is NaN or infinite in 1 rows"),
        ("family = 'poisson', instance_weight_col = 'city'", "counts", "x, city", "has type VARCHAR; it must be a number"),
    ],
)  # fmt: skip
def test_bad_requests_are_refused(pond, options, label, columns, message):
    with pytest.raises((InputError, TrainingError), match=message):
        create(pond, options, label=label, columns=columns)


def test_the_score_is_explained(pond, data):
    create(pond, "family = 'poisson', exposure_col = 'exposure'", "rates",
           columns="x, city, exposure")  # fmt: skip
    found = rows(
        pond,
        "select predicted_counts, prediction_value, baseline_prediction_value, exposure, "
        "list_sum(list_transform(top_feature_attributions, lambda a: a.attribution)) "
        "from ml.explain_predict('rates', 't')",
    )
    for predicted, score, baseline, exposure, attributions in found:
        assert exposure * math.exp(score) == pytest.approx(predicted, rel=1e-12)
        assert baseline + attributions == pytest.approx(score, rel=1e-12, abs=1e-12)
    assert rows(pond, "select count(*) from ml.global_explain('rates')") == [(2,)]


def test_functions_of_regression_inference_say_why_not(pond):
    with pytest.raises(Exception, match="is a glm; it applies to linear_reg"):
        rows(pond, "from ml.robust_weights('poisson')")
