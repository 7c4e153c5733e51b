"""The pipeline of hypothesis tests: its numbers against print and scipy, and checks that can fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import mlpond
from mlpond.pipelines.runner import run_pipeline
from mlpond.session import Session

CHECKS = Path(__file__).parents[2] / "pipelines" / "hypothesis_tests" / "checks"
SAMPLES = 400


@pytest.fixture(scope="module")
def ran() -> Iterator[Session]:
    """A session in which the pipeline has run on all flights, with few samples."""
    with mlpond.connect() as pond:
        run_pipeline(pond, "hypothesis_tests", params={"n_samples": str(SAMPLES)})
        yield pond


def frame(pond, query):
    return pond.con.execute(query).df()


def result(pond, question, method):
    found = frame(pond, "from hypothesis_tests.results").set_index(["question", "method"])
    return found.loc[(question, method)]


def test_published_numbers(ran):
    # NIST StRD, certified to 15 digits; sums of doubles lose the last one or two
    silicon = result(ran, "NIST SiRstv: do the instruments agree?", "anova")
    assert silicon.statistic == pytest.approx(1.18046237440255, rel=1e-13)
    silver = result(ran, "NIST AtmWtAg: do the instruments agree?", "anova")
    assert silver.statistic == pytest.approx(15.9467335677930, rel=1e-13)
    # R: t.test(extra ~ group, data = sleep, paired = TRUE), as printed
    paired = result(ran, "sleep: dextro less laevo", "t, paired")
    assert paired.statistic == pytest.approx(-4.0621, abs=5e-5)
    assert paired.p_value == pytest.approx(0.002833, abs=5e-7)
    assert paired.ci_lower == pytest.approx(-2.4598858, abs=5e-8)
    # Agresti (2002): z² = 17.36
    approval = result(ran, "approval: did it change?", "McNemar, plain")
    assert approval.statistic == pytest.approx(17.36, abs=5e-3)
    # Hollander & Wolfe (1973), page 140, and R: friedman.test
    bases = result(ran, "bases: does the way of rounding matter?", "Friedman")
    assert bases.statistic == pytest.approx(11.143, abs=5e-4)
    against = frame(ran, "from hypothesis_tests.against_print")
    assert len(against) == 71
    assert against.is_as_printed.all()


def test_the_rule_of_printed_digits_is_half_a_unit(ran):
    query = (
        "select printed::double as printed, found, length(split_part(printed, '.', 2)) as decimals "
        "from hypothesis_tests.against_print "
        "where printed not like '%e%' and source not like 'NIST%'"
    )
    for row in frame(ran, query).itertuples():
        assert round(row.found, row.decimals) == pytest.approx(row.printed, rel=1e-12)


def test_carriers_are_compared_as_scipy_does(ran):
    flights = frame(ran, "from hypothesis_tests.arrivals where carrier in ('UA', 'AA')")
    united = flights.arrival_delay[flights.carrier == "UA"].to_numpy(float)
    american = flights.arrival_delay[flights.carrier == "AA"].to_numpy(float)
    for method, equal_var in (("t, Welch", False), ("t, pooled", True)):
        found = result(ran, "carriers: all flights", method)
        expected = stats.ttest_ind(united, american, equal_var=equal_var)
        # means of whole minutes; sums of 58,000 squares round by 1e-13
        assert found.statistic == pytest.approx(expected.statistic, rel=1e-11)
        # the tail of t at 11 magnifies that a hundredfold
        assert found.p_value == pytest.approx(expected.pvalue, rel=1e-8)
    daily = flights.groupby(["flight_date", "carrier"]).arrival_delay.mean().unstack()
    found = result(ran, "carriers: means of days", "t, paired")
    assert found.n == 365
    expected = stats.ttest_rel(daily.UA, daily.AA)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-10)
    # the difference is beyond doubt, and small
    found = result(ran, "carriers: all flights", "t, Welch")
    assert found.p_value < 1e-20
    assert abs(found.effect_size) < 0.1


def test_simulated_tests_are_those_of_scipy(ran):
    found = frame(
        ran,
        "select * from hypothesis_tests.simulated_tests "
        "where scenario = 'the small arm is wilder' order by method, sample",
    )
    assert len(found) == 2 * SAMPLES
    # P(T > |t|) from the statistic and the degrees of freedom; near the middle nothing is lost
    assert found.p_value.to_numpy() == pytest.approx(
        2 * stats.t.sf(np.abs(found.statistic), found.df), rel=1e-9
    )
    assert set(found.df[found.method == "Student"]) == {38.0}


def test_p_values_keep_their_promise_where_the_assumptions_hold(ran):
    found = frame(ran, "from hypothesis_tests.p_value_distribution")
    found = found.set_index(["scenario", "method", "threshold"]).share
    # of 400 studies: 0.05 ± 0.033, three standard errors
    assert abs(found["nothing differs", "Student", 0.05] - 0.05) < 0.033
    assert abs(found["nothing differs", "Welch", 0.05] - 0.05) < 0.033
    # the pooled variance of arms of 8 (sd 3) and 32 (sd 1) is that of the larger arm, mostly
    assert found["the small arm is wilder", "Student", 0.05] > 0.15
    # power of a two-sided test of d = 1 with 10 a side, by the noncentral t distribution
    critical = stats.t.ppf(0.975, 18)
    power = stats.nct.sf(critical, 18, np.sqrt(5)) + stats.nct.cdf(-critical, 18, np.sqrt(5))
    assert abs(found["means one sd apart", "Student", 0.05] - power) < 3 * np.sqrt(0.25 / SAMPLES)


def test_coverage_of_shares_is_exact(ran):
    found = frame(ran, "from hypothesis_tests.interval_coverage where parameter = 'share'")
    found = found.set_index(["situation", "method"]).coverage
    k = np.arange(21)
    p = k / 20
    half = stats.norm.ppf(0.975) * np.sqrt(p * (1 - p) / 20)
    holds = (p - half <= 0.05) & (p + half >= 0.05)
    assert found["0.05 of 20", "wald"] == pytest.approx(
        stats.binom.pmf(k, 20, 0.05)[holds].sum(), rel=1e-12
    )
    # Brown, Cai & DasGupta (2001) start from such numbers: far from the 0.95 it claims
    assert found["0.05 of 20", "wald"] < 0.65


def test_simpson(ran):
    overall = result(ran, "Berkeley: admitted, men less women, all", "z of shares")
    # Bickel, Hammel & O'Connell (1975): 1198 of 2691 men, 557 of 1835 women
    assert overall.estimate == pytest.approx(1198 / 2691 - 557 / 1835, rel=1e-12)
    assert overall.p_value < 1e-20
    fixed = result(
        ran,
        "Berkeley: odds of admission, men by women, departments held fixed",
        "Cochran-Mantel-Haenszel",
    )
    assert fixed.p_value > 0.2


def test_p_of_normality_falls_as_the_plot_straightens(ran):
    few = result(ran, "air time: is it normal, by 30 flights?", "Shapiro-Wilk")
    many = result(ran, "air time: is it normal, by 5000 flights?", "Shapiro-Wilk")
    assert many.statistic > few.statistic
    assert many.p_value < 1e-6 < few.p_value


def test_idle_questions_are_not_answered(ran):
    found = frame(
        ran,
        "select method, sum(is_rejected::int) as rejected, sum((p_value <= 0.05)::int) as small "
        "from hypothesis_tests.adjusted_tests where family = 'odd against even flights' "
        "group by method",
    ).set_index("method")
    assert (found.rejected == 0).all()
    # of 80 tests in which nothing differs 4 are expected, and more than 14 once in 10,000
    assert found.small.max() <= 14


def test_the_same_seed_gives_the_same_tables(ran):
    query = (
        "select scenario, method, sample, round(p_value, 9) "
        "from hypothesis_tests.simulated_tests order by all"
    )
    draws = "select * from hypothesis_tests.shuffled_flights order by place"
    with mlpond.connect() as pond:
        pond.con.execute("set threads = 1")
        params = {"n_samples": str(SAMPLES)}
        for select in ("+simulated_tests", "+shuffled_flights"):
            run_pipeline(pond, "hypothesis_tests", params=params, select=select)
        # sums are rounded as the threads come, in the last digits
        assert pond.con.execute(query).fetchall() == ran.con.execute(query).fetchall()
        assert pond.con.execute(draws).fetchall() == ran.con.execute(draws).fetchall()
        params["seed"] = "2"
        run_pipeline(pond, "hypothesis_tests", params=params, select="simulated_tests")
        assert pond.con.execute(query).fetchall() != ran.con.execute(query).fetchall()


ONE = "where question = 'sleep: dextro less laevo' and method = 't, Welch'"


@pytest.mark.parametrize(
    ("check", "change"),
    [
        (
            "digits_are_as_printed",
            "update {schema}.against_print set is_as_printed = false where printed = '0.07939'",
        ),
        ("p_values_are_probabilities", f"update {{schema}}.results set p_value = 1.02 {ONE}"),
        ("p_values_are_probabilities", f"update {{schema}}.results set p_value = -1e-9 {ONE}"),
        ("p_values_are_probabilities", f"update {{schema}}.results set log10_p_value = -3 {ONE}"),
        ("intervals_hold_their_estimate", f"update {{schema}}.results set estimate = 1 {ONE}"),
        ("intervals_hold_their_estimate", f"update {{schema}}.results set ci_upper = null {ONE}"),
        (
            "every_question_is_answered",
            f"update {{schema}}.results set p_value = null, ci_lower = null {ONE}",
        ),
        ("every_question_is_answered", f"update {{schema}}.results set n = 0 {ONE}"),
        (
            "every_question_is_answered",
            f"insert into {{schema}}.results select * from {{schema}}.results {ONE}",
        ),
        (
            "true_nulls_are_rejected_as_promised",
            "update {schema}.p_value_distribution set share_lower = 0.06, share_upper = 0.1 "
            "where scenario = 'nothing differs' and threshold = 0.05",
        ),
        (
            "intervals_keep_their_word",
            "update {schema}.interval_coverage set coverage_upper = 0.94 "
            "where situation = 'nothing differs'",
        ),
        (
            "intervals_keep_their_word",
            "update {schema}.interval_coverage set coverage = 0.94 where method = 'clopper-pearson'",
        ),
        ("intervals_and_tests_agree", f"update {{schema}}.results set p_value = 0.04 {ONE}"),
        (
            "adjusting_only_raises",
            "update {schema}.adjusted_tests set p_adjusted = 0.5 * p_value where method = 'bh'",
        ),
        (
            "permutations_agree_with_t",
            "update {schema}.resampling_tests set p_value = 0.5 where method = 'permutation'",
        ),
        (
            "effect_sizes_of_anova_are_shares",
            "update {schema}.anova_tests set effect_size = 1.1 where method = 'anova'",
        ),
    ],
)
def test_every_check_can_fail(ran, check, change):
    text = (CHECKS / f"{check}.sql").read_text().replace("{{ confidence_level }}", "0.95")
    assert ran.con.execute(text).fetchall() == []
    ran.con.execute("begin")
    ran.con.execute(change.format(schema="hypothesis_tests"))
    broken = ran.con.execute(text).fetchall()
    ran.con.execute("rollback")
    assert broken


def test_a_wrong_digit_is_found_by_the_step_itself(ran):
    """The step that compares, made again over results of which one is off by a unit of print."""
    step = (CHECKS.parent / "against_print.sql").read_text()
    ran.con.execute("begin")
    ran.con.execute(f"update hypothesis_tests.results set p_value = p_value + 1e-5 {ONE}")
    wrong = ran.con.execute(
        f"select printed from ({ran.render(step, {'confidence_level': 0.95})}) "
        "where not is_as_printed"
    ).fetchall()
    ran.con.execute("rollback")
    assert wrong == [("0.07939",)]


def test_there_is_no_other_check():
    named = {case[0] for mark in test_every_check_can_fail.pytestmark for case in mark.args[1]}
    assert named == {path.stem for path in CHECKS.glob("*.sql")}
