"""The flights pipeline: its clocks, that it does not look ahead, and its numbers."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

import mlpond
from mlpond.pipelines.runner import RunFailedError, run_pipeline
from mlpond.seeds import load
from mlpond.session import Session

pytestmark = pytest.mark.slow  # a whole pipeline

SUBSET = {"test_from": "2013-07-15"}
# What is known only after a flight; everything else in features must not depend on the future.
OUTCOMES = (
    "status, departed_at, arrived_at, departure_delay_minutes, arrival_delay_minutes, is_late"
)


@pytest.fixture
def two_months(pond: Session) -> Session:
    """A session with the flights of June and July alone, and nothing run."""
    load(pond, "flights")
    pond.con.execute("delete from nycflights13.flights where month not in (6, 7)")
    return pond


@pytest.fixture(scope="module")
def ran() -> Iterator[Session]:
    """A session in which the pipeline has run on June and July."""
    with mlpond.connect() as pond:
        load(pond, "flights")
        pond.con.execute("delete from nycflights13.flights where month not in (6, 7)")
        run_pipeline(pond, "flights", params=SUBSET)
        yield pond


def test_the_moments_give_the_wall_clocks_back(pond):
    run_pipeline(pond, "flights", select="legs")
    (row,) = pond.con.execute("""
        with clocks as (
            select
                dep_time,
                arr_time,
                departed_at at time zone 'UTC' at time zone 'America/New_York' as departed,
                arrived_at at time zone 'UTC'
                    at time zone coalesce(tzone, 'America/Puerto_Rico') as arrived,
                date_diff('minute', departed_at, arrived_at) - air_time as on_the_ground,
            from flights.legs as legs
            join nycflights13.flights as source
                on legs.carrier = source.carrier and legs.flight_number = source.flight
                and date_trunc('hour', legs.scheduled_departure_at)
                    = source.time_hour at time zone 'UTC'
            left join nycflights13.airports on legs.destination = faa
        )
        select
            count(*),
            count(departed),
            count(*) filter (hour(departed) * 100 + minute(departed) <> dep_time % 2400),
            count(arrived),
            count(*) filter (hour(arrived) * 100 + minute(arrived) <> arr_time % 2400),
            min(on_the_ground) > 0,
        from clocks
    """).fetchall()
    # one arrival of the source contradicts its own delay
    assert row == (336_776, 328_521, 0, 327_346, 1, True)


def test_no_feature_depends_on_the_future(two_months):
    """Change everything that happens after a moment; what was predicted before must not move."""
    pond = two_months
    run_pipeline(pond, "flights", params=SUBSET, select="+features")
    pond.con.execute(f"create table before as select * exclude ({OUTCOMES}) from flights.features")
    now = "timestamp '2013-07-08 19:30:00'"
    departed = "(time_hour at time zone 'UTC') + to_minutes(minute + dep_delay)"
    for change in (
        # what has not left leaves later, what has not landed lands later, other weather comes
        f"update nycflights13.flights set dep_delay = dep_delay + 77 where {departed} > {now}",
        f"""
        update nycflights13.flights set arr_delay = arr_delay + 88
        where (carrier, flight, time_hour) in (
            select (carrier, flight_number, date_trunc('hour', scheduled_departure_at)
                at time zone 'UTC')
            from flights.legs where arrived_at > {now}
        )
        """,
        f"""
        update nycflights13.weather set temp = temp + 33, precip = 1, visib = 0
        where (time_hour at time zone 'UTC') + interval 1 hour > {now}
        """,
    ):
        (changed,) = pond.con.execute(change).fetchall()
        assert changed[0] > 1000
    run_pipeline(pond, "flights", params=SUBSET, select="+features")
    pond.con.execute(f"create table after as select * exclude ({OUTCOMES}) from flights.features")
    compared = """
        select count(*), count(*) filter (before is distinct from after)
        from before join after using (flight_id)
        where before.predicted_at {} {}
    """
    rows, moved = pond.con.execute(compared.format("<=", now)).fetchall()[0]
    assert rows > 30_000
    assert moved == 0
    # and the comparison would have seen it: the predictions of the next hours did move
    rows, moved = pond.con.execute(compared.format(">", now)).fetchall()[0]
    assert moved > 0.9 * rows


def test_the_check_finds_a_look_ahead(ran):
    update = "update flights.features set airport_known_at = {} where flight_id = 5000"
    ran.con.execute(update.format("predicted_at + interval 1 minute"))
    try:
        with pytest.raises(RunFailedError, match="1 row breaks the rule: No feature may rest"):
            run_pipeline(ran, "flights", params=SUBSET, select="no_leakage", full_refresh=True)
    finally:
        ran.con.execute(update.format("predicted_at"))
        run_pipeline(ran, "flights", params=SUBSET, select="no_leakage", full_refresh=True)


def test_the_evaluation_agrees_with_scikit_learn(ran):
    columns = "is_late::int, probability, base_rate"
    labels, model, base = zip(
        *ran.con.execute(f"select {columns} from flights.scores where is_late is not null")
        .fetchall(),
        strict=True,
    )  # fmt: skip
    rows = ran.con.execute("from flights.evaluation").fetchall()
    for method, flights, late, auc, loss, brier in rows:
        scores = {"late_arrival": model, "carrier and hour": base}[method]
        assert (flights, late) == (len(labels), sum(labels))
        # sums of 10⁵ terms of order 1 round by 1e-11 at most
        assert auc == pytest.approx(roc_auc_score(labels, scores), rel=1e-10)
        assert loss == pytest.approx(log_loss(labels, scores), rel=1e-10)
        assert brier == pytest.approx(brier_score_loss(labels, scores), rel=1e-10)
    assert {row[0] for row in rows} == {"late_arrival", "carrier and hour"}


def test_the_model_beats_the_base_rates_on_two_months(ran):
    auc = dict(ran.con.execute("select method, roc_auc from flights.evaluation").fetchall())
    assert auc["late_arrival"] > auc["carrier and hour"] + 0.03


def test_decisions_add_up(ran):
    (row,) = ran.con.execute("""
        select
            count(*),
            sum(flights) = (select count(*) from flights.scores where is_late is not null),
            sum(late) = (select count(*) from flights.scores where is_late),
            count(*) filter (is_best_threshold) >= 1,
            bool_and((decision = 'act') = (mean_probability > 40 / 200)),
            -- acting on every flight costs 40 a flight
            max_by(total_cost_at_threshold, score_group) = 40 * sum(flights),
        from flights.decisions
    """).fetchall()
    assert row == (20, True, True, True, True, True)


def test_features_have_what_the_model_reads(ran):
    rows = ran.con.execute("from ml.predict('late_arrival', 'flights.features') limit 5").fetchall()
    assert len(rows) == 5


def test_a_second_run_skips_every_step(ran):
    run_pipeline(ran, "flights", params=SUBSET)
    result = run_pipeline(ran, "flights", params=SUBSET)
    assert {(step.status, step.reason) for step in result.steps} - {
        ("skipped", "the tables are there already")
    } == {("skipped", "unchanged")}


def test_the_whole_year(tmp_path: Path):
    database = tmp_path / "pond.duckdb"
    with mlpond.connect(database) as pond:
        result = run_pipeline(pond, "flights")
        auc = dict(pond.con.execute("select method, roc_auc from flights.evaluation").fetchall())
        # scikit-learn's logistic regression on the same features has 0.774, the base rates 0.659
        assert auc["late_arrival"] > 0.76
        assert auc["late_arrival"] > auc["carrier and hour"] + 0.1
    program = (
        "import sys, mlpond\n"
        "from mlpond.pipelines.runner import run_pipeline\n"
        "with mlpond.connect(sys.argv[1]) as pond:\n"
        "    steps = run_pipeline(pond, 'flights').steps\n"
        "    assert {step.status for step in steps} == {'skipped'}, steps\n"
    )
    subprocess.run([sys.executable, "-c", program, str(database)], check=True)
    # the 1.5 shell of the package duckdb-cli, without Python
    shell = Path(sys.executable).with_name("duckdb")
    queries = (
        "FROM ml.models; FROM ml.evaluate('late_arrival'); "
        "FROM ml.predict('late_arrival', 'flights.features') LIMIT 5; SELECT ml.normal_cdf(1.96)",
        *result.queries,
    )
    for query in queries:
        done = subprocess.run(
            [shell, "-readonly", "-bail", str(database), query],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout
    assert "0.9750021048517796" in subprocess.check_output(
        [shell, "-readonly", str(database), queries[0]], text=True
    )
