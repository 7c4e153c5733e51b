"""Two models on the same rows, and bootstrap intervals of metrics."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from pytest import approx
from scipy import stats
from sklearn.metrics import roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar

from tests.sql.ranks.samples import record


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error"])
def test_rows_are_compared_by_students_t(rows, data, loss):
    source = "(select *, label + 1.1 * (predicted - label) as b from t)"
    row = record(
        rows, f"from ml.compare_models('{source}', 'label', 'predicted', 'b', loss := '{loss}')"
    )
    e = abs(data.predicted - data.label)
    a, b = (e**2, (1.1 * e) ** 2) if loss == "squared_error" else (e, 1.1 * e)
    expected = stats.ttest_rel(a, b)
    assert row["estimate"] == approx(np.mean(a - b), rel=1e-11)
    assert row["statistic"] == approx(expected.statistic, rel=1e-10)
    # ln p is near -100 here, so that it magnifies the rounding of t a hundred times
    assert row["log10_p_value"] == approx(np.log10(expected.pvalue), rel=1e-9)
    assert (row["share_a_wins"], row["share_b_wins"], row["n_folds"]) == (1, 0, None)


@pytest.mark.parametrize("loss", ["log_loss", "brier", "zero_one"])
def test_losses_of_classes(rows, data, loss):
    q = 1 / (1 + np.exp(-data.other))
    columns = "y, p, 1 / (1 + exp(-other)) as q" if loss != "zero_one" else "k as y, g as p, 0 as q"
    row = record(
        rows,
        f"from ml.compare_models('(select {columns} from t)', 'y', 'p', 'q', loss := '{loss}')",
    )
    a, b = {
        "log_loss": lambda: (-np.log(np.where(data.y, data.p, 1 - data.p)), -np.log(np.where(data.y, q, 1 - q))),
        "brier": lambda: ((data.p - data.y) ** 2, (q - data.y) ** 2),
        "zero_one": lambda: (data.k != data.g, data.k != 0),
    }[loss]()  # fmt: skip
    assert (row["mean_loss_a"], row["mean_loss_b"]) == approx((np.mean(a), np.mean(b)), rel=1e-12)
    assert row["statistic"] == approx(
        stats.ttest_rel(a.astype(float), b.astype(float)).statistic, rel=1e-10
    )


def test_folds_are_corrected(rows, data):
    source = "(select *, 0 as zero, i % 10 as fold from t)"
    row = record(
        rows, f"from ml.compare_models('{source}', 'label', 'predicted', 'zero', fold := 'fold')"
    )
    d = (data.predicted - data.label) ** 2 - data.label**2
    means = np.array([d[data.i % 10 == fold].mean() for fold in range(10)])
    # Nadeau & Bengio: the variance of the means times 1 / J + n_test / n_train
    t = means.mean() / np.sqrt(means.var(ddof=1) * (1 / 10 + 1 / 9))
    assert row["statistic"] == approx(t, rel=1e-11)
    assert row["p_value"] == approx(2 * stats.t.sf(abs(t), 9), rel=1e-9)
    assert (row["df"], row["n_folds"]) == (9, 10)


def test_mcnemar_of_two_classifiers(rows, data):
    row = record(
        rows, "from ml.compare_accuracy('(select k, g, i % 4 as h from t)', 'k', 'g', 'h')"
    )
    a, b = data.k == data.g, data.k == data.i % 4
    table = [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
    assert (row["n_only_a"], row["n_only_b"]) == (table[0][1], table[1][0])
    assert row["p_value"] == approx(mcnemar(table, exact=True).pvalue, rel=1e-10)
    assert row["estimate"] == approx(a.mean() - b.mean(), rel=1e-12)


def test_equal_and_missing_predictions(rows):
    row = record(rows, "from ml.compare_models('t', 'label', 'predicted', 'predicted')")
    assert (row["estimate"], row["p_value"]) == (0, None)
    row = record(rows, "from ml.compare_models('holes', 'label', 'predicted', 'score')")
    assert (row["n"], row["n_missing"]) == (401, 2)  # one of the three lacks the label of y alone
    row = record(
        rows, "from ml.compare_models('(from t where false)', 'label', 'predicted', 'score')"
    )
    assert (row["n"], row["estimate"]) == (0, None)
    with pytest.raises(duckdb.Error, match="loss is 'hinge'; accepted are 'squared_error', "):
        record(rows, "from ml.compare_models('t', 'label', 'predicted', 'score', loss := 'hinge')")
    with pytest.raises(duckdb.Error, match="ml.compare_models: a probability is "):
        record(rows, "from ml.compare_models('t', 'y', 'p', 'score', loss := 'log_loss')")


def test_bootstrap_of_an_area(rows, data):
    row = record(
        rows, "from ml.bootstrap_metric('t', 'ml.roc_auc_score(y, score)', n_resamples := 500)"
    )
    assert row["estimate"] == approx(roc_auc_score(data.y, data.score), rel=1e-12)
    delong = record(rows, "from ml.roc_auc('t', 'y', 'score')")["standard_error"]
    # a standard deviation of 500 draws is known to 1 / √1000 = 3 %; three times that, and DeLong's own error
    assert row["standard_error"] == approx(delong, rel=0.12)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_weights_do_what_repeated_rows_do(rows, method):
    options = f"n_resamples := 60, seed := 4, method := '{method}'"
    repeated = record(rows, f"from ml.bootstrap_metric('t', 'ml.recall(y, called)', {options})")
    for source in ("t", "(from t order by i desc)"):
        metric = "ml.recall(y, called, weight := n_draws)"
        weighted = record(
            rows,
            f"from ml.bootstrap_metric('{source}', '{metric}', is_weighted := true, {options})",
        )
        for name in ("estimate", "standard_error", "ci_lower", "ci_upper", "bias"):
            assert weighted[name] == approx(repeated[name], rel=1e-12, abs=1e-15)


def test_units_are_drawn_whole(rows):
    by_unit = "from ml.bootstrap_metric('(select k, label, range(25) as r from t)', 'avg(label)', unit := '{}', n_resamples := 400)"
    few = record(rows, by_unit.format("k"))
    assert few["n"] == 4
    many = record(rows, by_unit.format("label"))
    assert many["n"] == 400


def test_bootstrap_refuses_and_knows_nothing(rows):
    row = record(
        rows, "from ml.bootstrap_metric('(from t limit 1)', 'avg(label)', n_resamples := 20)"
    )
    assert (row["estimate"], row["ci_lower"], row["n"]) == (None, None, 1)
    with pytest.raises(
        duckdb.Error, match="ml.bootstrap_metric: n_resamples is 1; it must be at least 2"
    ):
        record(rows, "from ml.bootstrap_metric('t', 'avg(label)', n_resamples := 1)")
