"""The pipeline regression: its numbers against statsmodels and scikit-learn, and its rules."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import statsmodels.api as sm
from pytest import approx
from sklearn import metrics
from statsmodels.stats.diagnostic import het_breuschpagan
from statsmodels.stats.outliers_influence import variance_inflation_factor

import mlpond
from mlpond.pipelines.runner import RunFailedError, run_pipeline
from mlpond.session import Session

pytestmark = pytest.mark.slow  # a whole pipeline

# The columns of the design, in the order of the step weights: base levels are Adelie and male.
DESIGN = (
    "1::double, bill_depth_mm, bill_length_mm, flipper_length_mm, (sex = 'female')::double, "
    "(species = 'Chinstrap')::double, (species = 'Gentoo')::double"
)


@pytest.fixture(scope="module")
def ran() -> Iterator[Session]:
    """A session in which the pipeline has run."""
    with mlpond.connect() as pond:
        run_pipeline(pond, "regression")
        yield pond


@pytest.fixture(scope="module")
def fit(ran: Session) -> sm.regression.linear_model.RegressionResults:
    """The same regression by statsmodels."""
    rows = np.array(
        ran.con.execute(
            f"select body_mass_g, {DESIGN} from regression.measured where part = 'training'"
        ).fetchall(),
        dtype=float,
    )
    return sm.OLS(rows[:, 0], rows[:, 1:]).fit()


def test_weights_and_errors_are_statsmodels(ran, fit):
    rows = np.array(
        ran.con.execute(
            "select weight, standard_error, robust_error, p_value, ci_lower, ci_upper "
            "from regression.weights order by processed_input, category"
        ).fetchall(),
        dtype=float,
    )
    robust = fit.get_robustcov_results("HC3", use_t=True)
    # the design has a condition number of 1e4, which rounding is magnified by
    for found, expected in zip(
        rows.T, [fit.params, fit.bse, robust.bse, robust.pvalues, *robust.conf_int().T], strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-8)
    inflation = ran.con.execute(
        "select variance_inflation from regression.weights order by processed_input, category"
    ).fetchall()
    expected = [variance_inflation_factor(fit.model.exog, j) for j in range(1, 7)]
    assert [row[0] for row in inflation[1:]] == approx(expected, rel=1e-8)


def test_the_assumptions_are_tested_as_by_statsmodels(ran, fit):
    (found,) = ran.con.execute(
        "select statistic, p_value from regression.model_tests where test = 'Breusch-Pagan'"
    ).fetchall()
    assert found == approx(het_breuschpagan(fit.resid, fit.model.exog)[:2], rel=1e-8)


def test_the_metrics_are_scikit_learns(ran):
    for model, mae, r2, n in ran.con.execute(
        "select model, mean_absolute_error, r2_score, n from regression.evaluation "
        "where part = 'test'"
    ).fetchall():
        rows = ran.con.execute(
            "select body_mass_g, predicted_body_mass_g from regression.predictions "
            "where part = 'test' and model = ?",
            [model],
        ).fetchnumpy()
        y, predicted = rows.values()
        assert n == len(y) == 100
        # sums of 100 terms
        assert mae == approx(metrics.mean_absolute_error(y, predicted), rel=1e-12)
        assert r2 == approx(metrics.r2_score(y, predicted), rel=1e-12)


def test_the_conformal_margin_is_the_quantile_of_the_errors(ran):
    rows = ran.con.execute(
        "select part, abs(body_mass_g - predicted_body_mass_g) from regression.predictions "
        "where model = 'body_mass'"
    ).fetchall()
    errors = np.sort([e for part, e in rows if part == "calibration"])
    test = np.array([e for part, e in rows if part == "test"])
    for level, held, width in ran.con.execute(
        "select confidence_level, held, mean_width_g from regression.interval_coverage "
        "where method = 'conformal'"
    ).fetchall():
        margin = errors[int(np.ceil((len(errors) + 1) * level)) - 1]
        assert held == np.sum(test <= margin)
        # grams: differences of numbers near 5000 round by 1e-12
        assert width == approx(2 * margin, rel=1e-11)


def test_a_model_that_explains_too_little_fails_the_run(ran):
    with pytest.raises(RunFailedError, match="explains at least min_r2"):
        run_pipeline(
            ran, "regression", params={"min_r2": 0.99}, select="the_model_explains_enough"
        )  # fmt: skip


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("intervals_keep_their_word", "interval_coverage set coverage = 0.7 where confidence_level = 0.9"),
        ("least_squares_is_least", "evaluation set root_mean_squared_error = 1 where model = 'body_mass'"),
        ("predictions_are_complete", "predictions set predicted_body_mass_g = null where penguin_id = 7"),
        ("intervals_hold_their_weight", "weights set weight = ci_upper + 1"),
        ("lines_have_the_slope_of_their_weight", "dependence set prediction_g = 0 where number > 200"),
    ],
)  # fmt: skip
def test_a_check_finds_what_is_wrong(ran, broken_by, check, change):
    assert broken_by(ran, "regression", check, change) > 0


def test_the_report_has_its_charts(ran, tmp_path):
    done = ran.write_report("regression", tmp_path / "report.html")
    assert (done.charts, done.path.stat().st_size > 50_000) == (5, True)
