"""The pipeline evaluation: its numbers against scikit-learn, scipy and statsmodels, and its rules."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from pytest import approx
from scipy import stats
from sklearn import metrics
from statsmodels.stats.contingency_tables import mcnemar

import mlpond
from mlpond.pipelines.runner import run_pipeline
from mlpond.session import Session

pytestmark = pytest.mark.slow  # a whole pipeline

METHODS = ("by_bill", "by_body", "thumb")


@pytest.fixture(scope="module")
def ran() -> Iterator[Session]:
    """A session in which the pipeline has run, with fewer resamples."""
    with mlpond.connect() as pond:
        run_pipeline(pond, "evaluation", params={"n_resamples": 300})
        yield pond


@pytest.fixture(scope="module")
def wide(ran: Session) -> dict[str, np.ndarray]:
    return ran.con.execute("from evaluation.forecasts_wide order by penguin_id").fetchnumpy()


def test_the_metrics_are_scikit_learns(ran, wide):
    for method in METHODS:
        for species in (None, "Adelie", "Chinstrap", "Gentoo"):
            use = np.array([species in (None, s) for s in wide["species"]])
            y, p = wide["is_male"][use], wide[method][use]
            (found,) = ran.con.execute(
                "select accuracy, f_score, matthews_correlation, roc_auc, log_loss, brier_score, n "
                "from evaluation.metrics where method = ? and species is not distinct from ?",
                [method, species],
            ).fetchall()
            # sums of at most 165 terms of order 1
            assert found == approx((
                metrics.accuracy_score(y, p >= 0.5), metrics.f1_score(y, p >= 0.5),
                metrics.matthews_corrcoef(y, p >= 0.5), metrics.roc_auc_score(y, p),
                metrics.log_loss(y, p), metrics.brier_score_loss(y, p), len(y),
            ), rel=1e-11)  # fmt: skip


@pytest.mark.parametrize(("a", "b"), [("by_bill", "by_body"), ("by_body", "thumb")])
def test_the_comparisons_are_those_of_others(ran, wide, a, b):
    found = dict(
        ran.con.execute(
            "select test, p_value from evaluation.comparisons where method_a = ? and method_b = ?",
            [a, b],
        ).fetchall()
    )
    y = wide["is_male"]
    right_a, right_b = ((wide[m] >= 0.5) == y for m in (a, b))
    table = [[np.sum(right_a & right_b), np.sum(right_a & ~right_b)],
             [np.sum(~right_a & right_b), np.sum(~right_a & ~right_b)]]  # fmt: skip
    # p-values are tails, which magnify the rounding of a statistic a few times
    assert found["McNemar"] == approx(mcnemar(table, exact=True).pvalue, rel=1e-11)
    loss_a, loss_b = (-np.log(np.where(y, wide[m], 1 - wide[m])) for m in (a, b))
    expected = stats.ttest_rel(loss_a, loss_b)
    assert found["paired t of log loss"] == approx(expected.pvalue, rel=1e-9)


def test_what_the_guide_says_of_the_pairs(ran):
    rows = ran.con.execute(
        "select method_b, max(p_value), min(p_value) from evaluation.comparisons group by 1"
    ).fetchall()
    found = {row[0]: row[1:] for row in rows}
    assert found["by_body"][1] > 0.5  # no test can tell bill and body apart
    assert found["thumb"][0] < 0.001  # and each one tells the thumb from the body


@pytest.mark.parametrize(
    ("check", "change"),
    [
        ("forecasts_beat_the_constant", "metrics set log_loss = 2 where method = 'by_bill'"),
        ("brier_scores_add_up", "brier set reliability = reliability + 0.001"),
        ("bootstrap_agrees_with_formulas", "intervals set ci_upper = 2 where interval = 'bootstrap'"),
        ("comparisons_agree_with_metrics", "comparisons set estimate = 0 where test = 'DeLong'"),
        ("species_add_up", "fairness set selection_rate = 1 where group_name = 'Adelie'"),
    ],
)  # fmt: skip
def test_a_check_finds_what_is_wrong(ran, broken_by, check, change):
    assert broken_by(ran, "evaluation", check, change) > 0


def test_the_report_has_its_charts(ran, tmp_path):
    done = ran.write_report("evaluation", tmp_path / "report.html")
    assert (done.charts, done.path.stat().st_size > 50_000) == (4, True)
