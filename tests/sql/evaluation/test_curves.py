"""Curves of a score and their areas against scikit-learn, DeLong against all pairs."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from pytest import approx
from scipy import stats
from sklearn import metrics

from tests.sql.ranks.samples import record, records


def columns(con, query, *names):
    found = con.execute(f"select {', '.join(names)} {query}").fetchnumpy()
    return [np.asarray(found[name], float) for name in names]


def placements(y, score):
    """DeLong's components from all pairs: the naive twin."""
    above = score[y][:, None] > score[~y][None, :]
    wins = above + 0.5 * (score[y][:, None] == score[~y][None, :])
    return wins.mean(axis=1), wins.mean(axis=0)


@pytest.mark.parametrize("score", ["score", "coarse"])
@pytest.mark.parametrize("weight", ["", ", weight := 'w'"])
def test_roc_agrees_with_scikit_learn(rows, data, score, weight):
    w = data.w if weight else None
    fpr, tpr, thresholds = metrics.roc_curve(
        data.y, getattr(data, score), sample_weight=w, drop_intermediate=False
    )
    query = f"from ml.roc_points('t', 'y', '{score}'{weight})"
    found = columns(rows, query, "false_positive_rate", "true_positive_rate", "threshold")
    for ours, theirs in zip(found, (fpr, tpr, thresholds), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)
    row = record(rows, f"from ml.roc_auc('t', 'y', '{score}'{weight})")
    expected = metrics.roc_auc_score(data.y, getattr(data, score), sample_weight=w)
    assert row["roc_auc"] == approx(expected, rel=1e-12)
    ap = record(rows, f"from ml.average_precision('t', 'y', '{score}'{weight})")
    expected = metrics.average_precision_score(data.y, getattr(data, score), sample_weight=w)
    assert ap["average_precision"] == approx(expected, rel=1e-12)
    p, r, t = metrics.precision_recall_curve(data.y, getattr(data, score), sample_weight=w)
    query = f"from ml.pr_curve('t', 'y', '{score}'{weight}) order by threshold"
    found = columns(rows, query, "precision", "recall", "threshold")
    # scikit-learn adds a last point without a threshold
    for ours, theirs in zip(found, (p[:-1], r[:-1], t), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("score", ["score", "coarse"])
def test_delong_agrees_with_all_pairs(rows, data, score):
    ours = record(rows, f"from ml.roc_auc('t', 'y', '{score}')")
    v10, v01 = placements(data.y, getattr(data, score))
    se = np.sqrt(v10.var(ddof=1) / len(v10) + v01.var(ddof=1) / len(v01))
    assert ours["standard_error"] == approx(se, rel=1e-12)
    assert ours["ci_upper"] == approx(ours["roc_auc"] + stats.norm.ppf(0.975) * se, rel=1e-12)
    test = record(rows, f"from ml.delong_test('t', 'y', '{score}', 'other')")
    u10, u01 = placements(data.y, data.other)
    se = np.sqrt((v10 - u10).var(ddof=1) / len(v10) + (v01 - u01).var(ddof=1) / len(v01))
    difference = v10.mean() - u10.mean()
    assert test["estimate"] == approx(difference, rel=1e-12)
    assert test["standard_error"] == approx(se, rel=1e-12)
    assert test["p_value"] == approx(2 * stats.norm.sf(abs(difference / se)), rel=1e-10)


def test_delong_of_hanley_and_mcneil(con):
    # Hanley & McNeil (1982), Radiology 143, table I: 109 images rated 1 to 5. The area is 0.893 (their
    # Wilcoxon), with a standard error of 0.032 or 0.033 by the methods of their table III.
    counts = {False: [33, 6, 6, 11, 2], True: [3, 2, 2, 11, 33]}
    y = np.repeat([False] * 5 + [True] * 5, counts[False] + counts[True])
    rating = np.repeat([1, 2, 3, 4, 5] * 2, counts[False] + counts[True])
    con.register("ratings", pa.table({"y": y, "rating": rating}))
    row = record(con, "from ml.roc_auc('ratings', 'y', 'rating')")
    assert row["roc_auc"] == approx(0.893, abs=5e-4)  # printed with three digits
    assert row["standard_error"] == approx(0.032, abs=1.5e-3)


# from 2^-10 to 1 scores are sorted as whole numbers with their label in the last bit, elsewhere as they are
@pytest.mark.parametrize("scale", [1, 1e-2, 10, -1])
@pytest.mark.parametrize("digits", [4, 9])
@pytest.mark.parametrize("threads", [1, 4])
def test_many_scores_are_sorted_to_the_same_area(con, digits, threads, scale):
    rng = np.random.default_rng(3)
    y = rng.random(130_000) < 0.3
    score = np.round(rng.normal(size=130_000) + y, digits)
    score = np.exp(score) * scale if scale != 1 else score
    con.register("arrays", pa.table({"y": y, "score": score}))
    con.execute("create or replace table many as from arrays").fetchall()
    con.execute(f"set threads = {threads}; set preserve_insertion_order = {threads == 1}")
    sorted_ = record(con, "from ml.roc_auc('many', 'y', 'score')")
    alone = record(con, "from ml.roc_auc('many', 'y', 'score', confidence_level := null)")
    counted = record(
        con, "from ml.roc_auc('(select *, 1 as w from many)', 'y', 'score', weight := 'w')"
    )
    con.execute("reset threads; reset preserve_insertion_order")
    expected = metrics.roc_auc_score(y, score)
    assert sorted_["roc_auc"] == approx(expected, rel=1e-12)
    assert alone["roc_auc"] == approx(expected, rel=1e-12)
    assert alone["standard_error"] is None
    # the sums of squares lose no more digits than the variance has below 1: two
    assert sorted_ == approx(counted, rel=1e-11)


def test_weights_of_whole_numbers_repeat_rows(rows):
    repeated = "(select y, score from t, range(1 + i % 3))"
    weighted = "(select y, score, 1 + i % 3 as times from t)"
    for function in ("roc_auc", "average_precision"):
        a = rows.execute(
            f"select {function} from ml.{function}('{repeated}', 'y', 'score')"
        ).fetchall()
        b = rows.execute(
            f"select {function} from ml.{function}('{weighted}', 'y', 'score', weight := 'times')"
        ).fetchall()
        assert a[0] == approx(b[0], rel=1e-13)


def test_gain_and_lift(rows, data):
    table = records(rows, "from ml.gain_lift('t', 'y', 'score', bins := 8)")
    best = data.y[np.argsort(-data.score)].reshape(8, 50)
    assert [row["n_rows"] for row in table] == [50] * 8
    np.testing.assert_allclose([row["n_positives"] for row in table], best.sum(axis=1))
    np.testing.assert_allclose(
        [row["gain"] for row in table], best.sum(axis=1).cumsum() / data.y.sum()
    )
    np.testing.assert_allclose([row["lift"] for row in table], best.mean(axis=1) / data.y.mean())
    assert table[-1]["cumulative_lift"] == approx(1, rel=1e-14)
    equal = records(rows, "from ml.gain_lift('(select y, 1 as s from t)', 'y', 's')")
    assert [row["gain"] for row in equal] == [1]


def test_ks_is_the_greatest_height_of_the_roc_curve(rows, data):
    found = record(rows, "from ml.ks_score('t', 'y', 'score')")
    expected = stats.ks_2samp(data.score[data.y], data.score[~data.y], alternative="less")
    assert found["ks"] == approx(expected.statistic, rel=1e-12)
    (best,) = rows.execute("select max(youden_j) from ml.roc_points('t', 'y', 'score')").fetchall()
    assert found["ks"] == approx(best[0], rel=1e-12)


def test_threshold_of_least_cost(rows, data):
    costs = "cost_false_positive := 2, cost_false_negative := 7, benefit_true_positive := 1, benefit_true_negative := 0.5"
    table = records(rows, f"from ml.threshold_by_cost('t', 'y', 'score', {costs})")
    for row in table[:: len(table) // 7]:
        called = data.score >= row["threshold"]
        cost = (2 * (called & ~data.y).sum() + 7 * (~called & data.y).sum()
                - (called & data.y).sum() - 0.5 * (~called & ~data.y).sum())  # fmt: skip
        assert row["cost"] == approx(cost, rel=1e-13)
    (best,) = (row for row in table if row["is_best"])
    assert best["cost"] == min(row["cost"] for row in table)


FUNCTIONS = (
    "roc_points",
    "roc_auc",
    "pr_curve",
    "average_precision",
    "gain_lift",
    "threshold_by_cost",
)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_holes_one_class_and_nothing(rows, function):
    select = "* exclude (n_missing)" if function in ("roc_auc", "average_precision") else "*"
    full = rows.execute(f"select {select} from ml.{function}('t', 'y', 'score')").fetchall()
    assert (
        rows.execute(f"select {select} from ml.{function}('holes', 'y', 'score')").fetchall()
        == full
    )
    for source in (
        "(from t where y)",
        "(from t where not y)",
        "(from t where false)",
        "(select null as y, score from t)",
    ):
        found = rows.execute(f"from ml.{function}('{source}', 'y', 'score')").fetchall()
        if function in ("roc_auc", "average_precision"):
            assert len(found) == 1
            assert found[0][0] is None or (function == "average_precision" and found[0][0] == 1)


def test_the_positive_class(rows, data):
    words = "(select case when y then ''bad'' else ''good'' end as word, score, k from t)"
    base = record(rows, "from ml.roc_auc('t', 'y', 'score')")["roc_auc"]
    good = record(rows, f"from ml.roc_auc('{words}', 'word', 'score')")["roc_auc"]
    bad = record(rows, f"from ml.roc_auc('{words}', 'word', 'score', positive := 'bad')")["roc_auc"]
    assert (bad, 1 - good) == approx((base, base), rel=1e-13)
    rest = record(rows, "from ml.roc_auc('t', 'k', 'score', positive := 2)")
    assert rest["roc_auc"] == approx(metrics.roc_auc_score(data.k == 2, data.score), rel=1e-12)
    with pytest.raises(duckdb.Error, match="label column has 4 values .0, 1, 2, 3.; name one"):
        record(rows, "from ml.roc_auc('t', 'k', 'score')")
    with pytest.raises(
        duckdb.Error, match="ml.pr_curve: positive is 9; the label column has 0, 1, 2, 3"
    ):
        records(rows, "from ml.pr_curve('t', 'k', 'score', positive := '9')")
    with pytest.raises(duckdb.Error, match="ml.roc_points: a weight is -1"):
        records(
            rows, "from ml.roc_points('(select *, -1 as v from t)', 'y', 'score', weight := 'v')"
        )
    with pytest.raises(duckdb.Error, match="bins is 0; it must be at least 1"):
        records(rows, "from ml.gain_lift('t', 'y', 'score', bins := 0)")


def test_a_constant_score_tells_nothing_apart(rows):
    row = record(rows, "from ml.roc_auc('(select y, 7 as s from t)', 'y', 's')")
    assert (row["roc_auc"], row["standard_error"]) == (0.5, 0)
    test = record(rows, "from ml.delong_test('t', 'y', 'score', 'score')")
    assert (test["estimate"], test["p_value"]) == (0, None)
    assert test["correlation"] == approx(1, rel=1e-12)
