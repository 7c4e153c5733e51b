"""The probability pipeline: its numbers against pandas and scipy, and checks that can fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import mlpond
from mlpond.pipelines.runner import run_pipeline
from mlpond.session import Session

CHECKS = Path(__file__).parents[2] / "pipelines" / "probability" / "checks"
SAMPLES = 500


@pytest.fixture(scope="module")
def ran() -> Iterator[Session]:
    """A session in which the pipeline has run on all flights, with few samples."""
    with mlpond.connect() as pond:
        run_pipeline(pond, "probability", params={"n_samples": str(SAMPLES)})
        yield pond


def frame(pond, query):
    return pond.con.execute(query).df()


def test_conditional_probabilities_are_those_of_pandas(ran):
    flights = frame(ran, "from probability.departures")
    assert len(flights) == 327_346  # arrivals of nycflights13
    found = frame(ran, "from probability.late_given where condition = 'part of day'")
    expected = flights.groupby("part_of_day").is_late.mean()
    # shares of exact counts
    assert found.set_index("given").p_conditional.to_dict() == pytest.approx(
        expected.to_dict(), rel=1e-12
    )
    carriers = frame(ran, "from probability.late_by_carrier").set_index("carrier")
    expected = flights.groupby("carrier").is_late.mean().to_dict()
    assert carriers.late_share.to_dict() == pytest.approx(expected, rel=1e-12)
    # the posterior lies between the share of the carrier and that of all
    overall = flights.is_late.mean()
    between = (carriers.posterior_mean - carriers.late_share) * (overall - carriers.posterior_mean)
    assert (between >= -1e-15).all()


def test_berkeley(ran):
    found = frame(ran, "from probability.admissions").set_index(["department", "gender"])
    # Bickel, Hammel & O'Connell (1975): 1198 of 2691 men, 557 of 1835 women; A: 512/825, 89/108
    assert found.admitted_share["all", "male"] == pytest.approx(1198 / 2691, rel=1e-12)
    assert found.admitted_share["all", "female"] == pytest.approx(557 / 1835, rel=1e-12)
    assert found.admitted_share["A", "female"] == pytest.approx(89 / 108, rel=1e-12)
    assert found.applicants["A", "male"] == 825


def test_the_mystery_is_solved_by_its_delays(ran):
    found = frame(
        ran,
        "select hypothesis, posterior from probability.mystery_posterior "
        "where step = (select max(step) from probability.mystery_posterior) "
        "order by posterior desc",
    )
    assert found.hypothesis[0] == "US"
    # all at once, by the product of the likelihoods
    logs = frame(
        ran,
        "select hypothesis, sum(ln(likelihood)) as l from probability.mystery_flights group by 1",
    )
    shares = np.exp(logs.l - logs.l.max())
    expected = dict(zip(logs.hypothesis, shares / shares.sum(), strict=True))
    # 400 logarithms of up to 4 are added in another order
    assert dict(zip(found.hypothesis, found.posterior, strict=True)) == pytest.approx(
        expected, rel=1e-10
    )


def test_models_of_counts_are_those_of_scipy(ran):
    found = frame(ran, "from probability.counts_per_quarter_hour")
    mean, variance = found["mean"][0], found.variance[0]
    assert found.quarters.sum() == 365 * 12 * 4
    assert found.poisson.to_numpy() == pytest.approx(
        stats.poisson.pmf(found.departures, mean), rel=1e-11
    )
    assert found.binomial.to_numpy() == pytest.approx(
        stats.binom.pmf(found.departures, 20, mean / 20), rel=1e-11
    )
    normal = stats.norm(mean, np.sqrt(variance))
    # differences of two functions near 1, which lose what is smaller than 1e-16
    assert found.normal.to_numpy() == pytest.approx(
        normal.cdf(found.departures + 0.5) - normal.cdf(found.departures - 0.5), rel=1e-9, abs=1e-15
    )
    gaps = frame(ran, "from probability.gaps")
    assert (gaps.by_the_clock - gaps.observed_at_least).abs().max() < 0.02


def test_distances_are_those_of_scipy(ran):
    mass = frame(ran, "select body_mass_g::double as y from penguins where species = 'Gentoo'").y
    mass = mass.dropna()
    ((distance,),) = ran.con.execute(
        "select distance from probability.penguin_masses where penguins = 'Gentoo'"
    ).fetchall()
    expected = stats.kstest(mass, "norm", (mass.mean(), mass.std())).statistic
    assert distance == pytest.approx(expected, rel=1e-10)
    population = frame(ran, "select arrival_delay as y from probability.departures").y
    means = frame(ran, "select mean from probability.delays_at_random where sample_size = 30")[
        "mean"
    ]
    z = (means - population.mean()) / (population.std(ddof=0) / np.sqrt(30))
    ((distance,),) = ran.con.execute(
        "select distance from probability.central_limit "
        "where population = 'delays' and sample_size = 30"
    ).fetchall()
    assert distance == pytest.approx(stats.kstest(z, "norm").statistic, rel=1e-9)


def test_intervals_of_few_skewed_delays_do_not_keep_their_word(ran):
    found = frame(ran, "from probability.coverage").set_index(["population", "sample_size"])
    assert (found.n_samples == SAMPLES).all()
    # of 500 samples: 0.85 ± 0.05 and 0.95 ± 0.03, three standard errors
    assert found.coverage["delays", 5] < 0.9
    assert found.coverage["delays", 200] > 0.9
    assert abs(found.coverage["normal", 5] - 0.95) < 0.03
    assert (found.missed_below["delays", 5]) > 10 * found.missed_above["delays", 5]


def test_the_same_seed_gives_the_same_tables(ran):
    # means are of whole minutes and exact; the sd is rounded as the threads come
    query = (
        "select sample_size, sample, mean, round(sd, 9) from probability.delays_at_random "
        "order by all"
    )
    with mlpond.connect() as pond:
        pond.con.execute("set threads = 1")
        run_pipeline(
            pond, "probability", params={"n_samples": str(SAMPLES)}, select="+delays_at_random"
        )
        assert pond.con.execute(query).fetchall() == ran.con.execute(query).fetchall()


@pytest.mark.parametrize(
    ("check", "table", "change"),
    [
        ("total_probability", "late_given", "p_conditional = p_conditional * 1.01"),
        ("bayes_agrees_with_counts", "departure_as_test", "posterior_positive = 0.5"),
        ("posteriors_add_up", "mystery_posterior", "posterior = 0.5 * posterior"),
        ("models_are_distributions", "counts_per_quarter_hour", "poisson = 0.9 * poisson"),
        ("means_settle", "large_numbers", "running_mean = running_mean + 1"),
        ("larger_samples_are_nearer", "central_limit", "distance = 0.001 * sample_size"),
        ("normal_intervals_keep_their_word", "coverage", "coverage_lower = 0.97"),
    ],
)
def test_every_check_can_fail(ran, check, table, change):
    text = (CHECKS / f"{check}.sql").read_text().replace("{{ n_samples }}", str(SAMPLES))
    assert ran.con.execute(text).fetchall() == []
    ran.con.execute("begin")
    ran.con.execute(f"update probability.{table} set {change}")
    broken = ran.con.execute(text).fetchall()
    ran.con.execute("rollback")
    assert broken


def test_there_is_no_other_check():
    named = {mark.args[1][i][0] for mark in test_every_check_can_fail.pytestmark
             for i in range(len(mark.args[1]))}  # fmt: skip
    assert named == {path.stem for path in CHECKS.glob("*.sql")}
