"""The pipeline feature_engineering: nothing knows the future, and the features earn their keep."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources

import pytest

import mlpond
from mlpond.pipelines.runner import RunFailedError, run_pipeline
from mlpond.session import Session


@pytest.fixture(scope="module")
def ran() -> Iterator[Session]:
    with mlpond.connect() as pond:
        run_pipeline(pond, "feature_engineering")
        yield pond


def aucs(session: Session) -> dict[tuple[str, str], float]:
    rows = session.con.execute(
        "select method, flights, roc_auc from feature_engineering.evaluation"
    ).fetchall()
    return {(method, flights): auc for method, flights, auc in rows}


def test_features_beat_the_timetable(ran):
    found = aucs(ran)
    assert len(found) == 8
    assert found["with features", "held out"] > found["timetable alone", "held out"] + 0.03


def test_only_the_naive_encoding_flatters_itself(ran):
    found = aucs(ran)
    naive = found["aircraft, naive", "training"] - found["aircraft, naive", "held out"]
    honest = (
        found["aircraft, cross-fitted", "training"] - found["aircraft, cross-fitted", "held out"]
    )
    assert naive > 0.15
    # two areas with standard errors of 0.005 and 0.009
    assert abs(honest) < 3 * 0.0103
    # held-out flights gave no label, so both encodings are the same there
    assert found["aircraft, naive", "held out"] == found["aircraft, cross-fitted", "held out"]


def test_the_state_of_a_carrier_is_the_last_one_known(ran):
    """By hand for some flights: the mean delay of the departures in the hours up to the last known one."""
    rows = ran.con.execute("""
        select f.flight_id, f.carrier_delay, f.carrier_departures, f.carrier_known_at,
            (select max(departed_at) from feature_engineering.departures as d where d.carrier = f.carrier and departed_at <= f.predicted_at) as last_at,
            (select list(dep_delay) from feature_engineering.departures as d
                where d.carrier = f.carrier and departed_at between f.carrier_known_at - interval 3 hours and f.carrier_known_at) as delays
        from feature_engineering.features as f
        where carrier_known_at is not null and flight_id % 997 = 0
    """).fetchall()
    assert len(rows) > 10
    for _, delay, n, known_at, last_at, delays in rows:
        assert known_at == last_at
        assert n == len(delays)
        assert delay == pytest.approx(sum(delays) / n, rel=1e-12, abs=1e-12)


def test_the_leak_is_nearly_everywhere(ran):
    shares = ran.con.execute("select share_leaked from feature_engineering.leaks").fetchall()
    assert len(shares) == 2
    assert all(share > 0.9 for (share,) in shares)


def test_the_checks_find_what_is_wrong(ran):
    ran.con.execute(
        "update feature_engineering.features set carrier_known_at = predicted_at + interval 1 minute where flight_id = (select min(flight_id) from feature_engineering.features)"
    )
    with pytest.raises(RunFailedError, match="was known when it was predicted"):
        run_pipeline(
            ran, "feature_engineering", select="nothing_is_from_the_future", full_refresh=True
        )


@pytest.mark.parametrize(("standard_error", "severity"), [(0.01, "error"), (0.05, "warning")])
def test_too_few_late_flights_are_warned_of_not_refused(ran, standard_error, severity):
    rule = resources.files("mlpond.pipelines") / "feature_engineering/checks/features_help.sql"
    ran.con.execute(
        f"begin; update feature_engineering.evaluation set roc_auc = 0.6, standard_error = {standard_error}"
    )
    found = ran.con.execute(f"select severity from (\n{rule.read_text()}\n)").fetchall()
    ran.con.execute("rollback")
    assert found == [(severity,)]


def test_the_report_is_written(ran, tmp_path):
    path = tmp_path / "report.html"
    ran.write_report("feature_engineering", path)
    assert "What would have leaked?" in path.read_text(encoding="utf-8")
