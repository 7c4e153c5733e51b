"""Cluster-robust standard errors, against statsmodels."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st


def clustered(study, groups, **options):
    return study.fit.get_robustcov_results("cluster", groups=groups, use_t=True, **options)


@pytest.mark.slow
@given(seed=st.integers(0, 2**32), n=st.integers(12, 150), k=st.integers(1, 4))
def test_agrees_with_statsmodels(study, seed, n, k):
    s = study(seed, n, k)
    for kind, corrected in (("CR1", True), ("CR0", False)):
        found = s.weights(f"from ml.clustered_weights('m', 't', 'g', type := '{kind}')")
        expected = clustered(s, s.groups[:, 0], use_correction=corrected)
        # as for robust_weights; the scores of a cluster may cancel besides
        assert found["standard_error"] == pytest.approx(expected.bse, rel=1e-8)
        assert found["df"] == pytest.approx(len(set(s.groups[:, 0])) - 1)
        assert found["p_value"] == pytest.approx(expected.pvalues, rel=1e-5, abs=1e-12)


@pytest.mark.slow
@given(seed=st.integers(0, 2**32), n=st.integers(60, 150))
def test_two_ways_agree_with_statsmodels(study, seed, n):
    s = study(seed, n, 2)
    found = s.weights("from ml.clustered_weights('m', 't', 'g', second_cluster_col := 'h')")
    expected = clustered(s, s.groups)
    variance = np.diag(expected.cov_params())
    # two covariances are added and one subtracted, so an error of 1e-9 of each stays
    for ours, theirs in zip(found["standard_error"], variance, strict=True):
        if theirs > 0:
            assert ours**2 == pytest.approx(theirs, rel=1e-6)
        else:
            assert np.isnan(ours)
    assert found["df"] == pytest.approx(len(set(s.groups[:, 1])) - 1)


def test_the_mean_of_clusters_of_unequal_size(session):
    # sums 1, 1, 2, 2, 1, 1 of clusters of 1, 2, 3, 4, 2, 3 rows; the CR1 error of the mean is that
    # of the delta method for a ratio, .06385167998601947 (recomputed to 16 digits)
    rows = [
        (float(i < total), cluster, 1)
        for cluster, (total, size) in enumerate(
            zip([1, 1, 2, 2, 1, 1], [1, 2, 3, 4, 2, 3], strict=True)
        )
        for i in range(size)
    ]
    session.con.execute("create or replace table shares (y double, cluster integer, one integer)")
    session.con.executemany("insert into shares values (?, ?, ?)", [list(row) for row in rows])
    session.sql(
        "create or replace model share options (model_type = 'linear_reg', "
        "input_label_cols = ['y']) as select y, one from shares"
    )
    found = session.con.execute(
        "select weight, standard_error from ml.clustered_weights('share', 'shares', 'cluster') "
        "where processed_input = '__INTERCEPT__'"
    ).fetchall()
    # 15 numbers are summed
    assert found[0] == pytest.approx((8 / 15, 0.06385167998601947), rel=1e-14)


@pytest.mark.slow
@given(seed=st.integers(0, 2**32))
def test_clusters_of_one_row_give_hc0_and_hc1(study, seed):
    s = study(seed, 50, 2)
    for cr, hc, factor in (("CR0", "HC0", 1.0), ("CR1", "HC1", 1.0)):
        alone = s.weights(f"from ml.clustered_weights('m', 't', 'i', type := '{cr}')")
        robust = s.weights(f"from ml.robust_weights('m', 't', type := '{hc}')")
        # n / (n - 1) · (n - 1) / (n - k) is HC1's n / (n - k); sums of 50 in another order
        assert alone["standard_error"] == pytest.approx(
            robust["standard_error"] * factor, rel=1e-12
        )
        assert alone["df"] == pytest.approx(49)


def test_the_same_clusters_twice_are_one_way(study):
    s = study(6)
    twice = s.weights("from ml.clustered_weights('m', 't', 'g', second_cluster_col := 'g')")
    once = s.weights("from ml.clustered_weights('m', 't', 'g')")
    # two equal covariances are added and one subtracted
    assert twice["standard_error"] == pytest.approx(once["standard_error"], rel=1e-12)


def test_names_of_clusters_do_not_matter(session, study):
    s = study(7)
    renamed = "'(select * replace (''no. '' || g as g) from t)'"
    found = s.weights(f"from ml.clustered_weights('m', {renamed}, 'g')")
    expected = s.weights("from ml.clustered_weights('m', 't', 'g')")
    # clusters come in another order
    assert found["standard_error"] == pytest.approx(expected["standard_error"], rel=1e-12)


def test_one_cluster_leaves_everything_unknown(study):
    s = study(8)
    found = s.weights("from ml.clustered_weights('m', '(select *, 1 as one from t)', 'one')")
    for name in ("standard_error", "statistic", "df", "p_value", "ci_lower", "ci_upper"):
        assert np.isnan(found[name]).all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("'t', 'g', type := 'CR2'", "type is CR2; it must be CR0 or CR1"),
        ("'t', 'nope'", '"nope" not found'),
        ("'t', 'g', second_cluster_col := 'nope'", '"nope" not found'),
        ("'(select * replace (nullif(g, 0) as g) from t)', 'g'", "rows have no cluster"),
        ("'(select *, nullif(g, 0) as j from t)', 'h', second_cluster_col := 'j'", "no cluster"),
        ("'(from t where i > 0)', 'g'", "119 rows with a label, but m@1 was trained on 120"),
    ],
)
def test_a_wrong_argument_is_an_error(session, study, arguments, message):
    study(9)
    with pytest.raises(duckdb.Error, match=message):
        session.con.execute(f"from ml.clustered_weights('m', {arguments})").fetchall()
