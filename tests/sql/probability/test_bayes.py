"""Bayes' theorem for a test, in one step and in many."""

from __future__ import annotations

import math
from fractions import Fraction

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp

from tests.conftest import rows

# A handful of operations on numbers of one sign.
EXACT = 1e-13
SHARE = st.floats(0.001, 0.999)


def bayes(con, *arguments):
    return con.execute("select ml.bayes(?, ?, ?)", arguments).fetchall()[0][0]


def test_the_screening_of_eddy(con):
    # Eddy (1982), Probabilistic reasoning in clinical medicine: a prior of 1 %, 79.2 % of the
    # cancers and 9.6 % of the others have a positive mammogram; the answer is 7.7 %.
    found = bayes(con, 0.01, 0.792, 0.904)
    assert found["posterior_positive"] == pytest.approx(0.077, abs=5e-4)


@given(prior=SHARE, sensitivity=SHARE, specificity=SHARE)
def test_agrees_with_exact_fractions(con, prior, sensitivity, specificity):
    p, se, sp = (Fraction(x) for x in (prior, sensitivity, specificity))
    positive, negative = p * se + (1 - p) * (1 - sp), p * (1 - se) + (1 - p) * sp
    found = bayes(con, prior, sensitivity, specificity)
    expected = {
        "posterior_positive": p * se / positive,
        "posterior_negative": p * (1 - se) / negative,
        "p_positive": positive,
        "p_negative": negative,
        "likelihood_ratio_positive": se / (1 - sp),
        "likelihood_ratio_negative": (1 - se) / sp,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(float(value), rel=EXACT), name
    # odds form: posterior odds = prior odds times likelihood ratio
    odds = found["posterior_positive"] / (1 - found["posterior_positive"])
    # 1 - posterior loses up to three digits where the posterior is 0.999 and more
    assert odds == pytest.approx(prior / (1 - prior) * found["likelihood_ratio_positive"], rel=1e-9)


def test_results_that_cannot_happen_are_null(con):
    assert bayes(con, 0, 1, 1)["posterior_positive"] is None
    assert bayes(con, 1, 1, 1)["posterior_negative"] is None
    assert bayes(con, 0.5, 1, 1)["likelihood_ratio_positive"] is None
    assert bayes(con, None, 1, 1) is None


@pytest.mark.parametrize(
    ("arguments", "name"),
    [((1.1, 1, 1), "prior"), ((0, -1, 1), "sensitivity"), ((0, 1, 2), "spec")],
)
def test_a_share_outside_0_and_1_is_an_error(con, arguments, name):
    with pytest.raises(duckdb.Error, match=rf"ml.bayes: {name}\w* is .*\[0, 1\]"):
        bayes(con, *arguments)


def update(con, likelihoods, priors, *, is_log=False):
    """Update over likelihoods[step][hypothesis]; return prior, evidence, posterior, logs."""
    steps, hypotheses = np.shape(likelihoods)
    con.execute(
        "create or replace table evidence as select unnest(?) as step, unnest(?) as hypothesis, "
        "unnest(?) as prior, unnest(?)::double as likelihood",
        [
            [step for step in range(steps) for _ in range(hypotheses)],
            [h for _ in range(steps) for h in range(hypotheses)],
            [float(p) for _ in range(steps) for p in priors],
            [None if x is None else float(x) for row in likelihoods for x in row],
        ],
    )
    found = con.execute(
        "from ml.bayes_update('evidence', 'hypothesis', 'prior', 'likelihood', "
        f"order_by := 'step', is_log := {is_log})"
    ).fetchnumpy()
    return {
        name: np.ma.filled(np.ma.asarray(column, dtype=float), np.nan).reshape(steps, hypotheses)
        for name, column in found.items()
    }


@given(
    likelihoods=st.lists(
        st.lists(st.floats(1e-6, 1), min_size=3, max_size=3), min_size=1, max_size=12
    ),
    priors=st.lists(st.floats(0.01, 10), min_size=3, max_size=3),
)
def test_each_step_is_bayes_theorem(con, likelihoods, priors):
    found = update(con, likelihoods, priors)
    p = np.array(priors) / sum(priors)
    for step, row in enumerate(likelihoods):
        evidence = p @ np.array(row)
        # a logarithm of up to 14 in size is rounded at each step, 12 times, and made a power
        assert found["prior"][step] == pytest.approx(p, rel=1e-12)
        assert found["evidence"][step] == pytest.approx([evidence] * 3, rel=1e-12)
        p = p * np.array(row) / evidence
        assert found["posterior"][step] == pytest.approx(p, rel=1e-12)


def test_the_order_of_independent_evidence_does_not_matter(con):
    rng = np.random.default_rng(1)
    likelihoods = rng.random((20, 3))
    first = update(con, likelihoods, [1, 1, 1])["posterior"][-1]
    last = update(con, likelihoods[::-1], [1, 1, 1])["posterior"][-1]
    assert first == pytest.approx(last, rel=1e-12)  # as above


def test_thousands_of_steps_neither_underflow_nor_lose_digits(con):
    rng = np.random.default_rng(2)
    likelihoods = rng.uniform(1e-300, 1e-290, (3000, 3))  # their product is 1e-900000
    found = update(con, likelihoods, [1, 2, 3])
    logs = np.array([math.fsum(column) for column in np.log(likelihoods).T])
    logs += np.log([1 / 6, 2 / 6, 3 / 6])
    expected = logs - logsumexp(logs)
    # logarithms of 690 in size are rounded by 4e-14 each: by 3e-10 if all 3000 go the same way,
    # and so is expected, whose sum of 2e6 is rounded by 2e-10 more
    assert found["log_posterior"][-1] == pytest.approx(expected, abs=1e-9)
    total = found["log_evidence"][:, 0].sum()
    assert total == pytest.approx(logsumexp(logs), rel=1e-13)
    assert found["posterior"][-1].sum() == pytest.approx(1, rel=1e-14)


def test_logarithms_of_likelihoods_below_the_least_double(con):
    found = update(con, [[-2000.0, -2001.0]], [1, 1], is_log=True)
    assert found["posterior"][0][0] == pytest.approx(1 / (1 + math.exp(-1)), rel=1e-13)
    assert found["evidence"][0][0] == 0
    assert found["log_evidence"][0][0] == pytest.approx(
        -2000 + math.log((1 + math.exp(-1)) / 2), rel=1e-14
    )


def test_impossible_evidence(con):
    # the second hypothesis is ruled out for good, then the first as well
    found = update(con, [[0.5, 0.0], [0.5, 1.0], [0.0, 1.0], [0.5, 0.5]], [1, 1])
    assert found["posterior"][1].tolist() == [1, 0]
    assert found["evidence"][2].tolist() == [0, 0]
    assert np.isnan(found["posterior"][2:]).all()
    assert np.isnan(found["prior"][3]).all()
    # a step under which all are impossible
    assert np.isnan(update(con, [[0.0, 0.0]], [1, 1])["posterior"]).all()


def test_a_step_of_which_nothing_is_known_changes_nothing(con):
    found = update(con, [[0.5, 0.25], [None, 0.5], [0.5, 0.25]], [1, 1])
    assert found["posterior"][1].tolist() == found["prior"][1].tolist()
    assert np.isnan(found["evidence"][1]).all()
    assert found["posterior"][2] == pytest.approx([0.8, 0.2], rel=EXACT)


def test_one_step_needs_no_order(con):
    # Bayes's urns: 3 of 4 white in one, 1 of 4 in the other
    query = "(select * from (values ('a', 1, 0.75), ('b', 1, 0.25)) as t(urn, weight, white))"
    found = con.execute(
        f"select posterior from ml.bayes_update('{query.replace(chr(39), chr(39) * 2)}', "
        "'urn', 'weight', 'white')"
    ).fetchall()
    assert found == [(pytest.approx(0.75, rel=EXACT),), (pytest.approx(0.25, rel=EXACT),)]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("(1, 'a', 1, -0.5), (1, 'b', 1, 0.5)", "a likelihood is -0.5"),
        ("(1, 'a', -1, 0.5), (1, 'b', 1, 0.5)", "the prior of a is -1"),
        ("(1, 'a', null, 0.5), (1, 'b', 1, 0.5)", "the prior of a is NULL"),
        ("(1, 'a', 0, 0.5), (1, 'b', 0, 0.5)", "every prior is 0"),
        ("(1, 'a', 1, 0.5), (1, 'b', 1, 0.5), (2, 'a', 1, 0.5)", "step 2 has 1 rows.*2 hypotheses"),
        ("(1, 'a', 1, 0.5), (1, 'b', 1, 0.5), (2, 'a', 1, 0.5), (2, 'a', 1, 0.5)", "several rows"),
    ],
)
def test_broken_promises_are_errors(pond, values, message):
    pond.con.execute(
        f"create or replace table bad as from (values {values}) as t(step, h, prior, likelihood)"
    )
    with pytest.raises(duckdb.Error, match=message):
        rows(pond, "from ml.bayes_update('bad', 'h', 'prior', 'likelihood', order_by := 'step')")
