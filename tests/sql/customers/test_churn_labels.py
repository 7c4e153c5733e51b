"""Labels of churn: which side of the cut-off an event is on, and what is not known yet."""

from __future__ import annotations

import datetime

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.calls import dicts, load, options

BEGIN = datetime.datetime(2026, 1, 1)


def labels(con, rows, cutoffs="'2026-02-01'", **given):
    load(con, "seen", "u int, t timestamp", rows)
    return dicts(con.execute(f"from ml.churn_labels('seen', 'u', 't', {cutoffs}{options(given)})"))


def test_an_event_at_the_cutoff_belongs_to_the_label(con):
    rows = [
        (1, "2026-01-02 00:00:00"), (1, "2026-02-01 00:00:00"),  # the window begins on the 2nd
        (2, "2026-01-01 23:59:59"),  # before it
        (3, "2026-01-31 23:59:59"), (3, "2026-03-03 00:00:00"),  # the horizon ends on 3 March
        (4, "2025-06-01 00:00:00"), (4, "2026-01-20 12:00:00"),
    ]  # fmt: skip
    found = {row["user_id"]: row for row in labels(con, rows)}
    assert {user: row["churned"] for user, row in found.items()} == {1: False, 3: True, 4: True}
    assert (found[1]["n_in_window"], found[1]["n_before"], found[1]["n_after"]) == (1, 1, 1)
    assert (found[4]["n_in_window"], found[4]["n_before"]) == (1, 2)
    assert found[4]["days_since_last"] == 11.5
    assert found[4]["tenure_days"] == 245


def test_an_incomplete_horizon_has_no_label(con):
    rows = [(1, "2026-01-15"), (1, "2026-02-10"), (2, "2026-01-20")]
    for row in labels(con, rows):
        assert (row["churned"], row["n_after"]) == (None, None)
        assert row["n_before"] == 1
    assert [row["churned"] for row in labels(con, rows, until="2026-03-03")] == [False, True]
    assert [row["churned"] for row in labels(con, rows, until="2026-03-02")] == [None, None]


def test_several_cutoffs(con):
    rows = [(1, "2026-01-15"), (1, "2026-02-10"), (2, "2026-01-20"), (3, "2026-06-01")]
    found = labels(con, rows, "['2026-03-01', '2026-02-01', '2026-02-01']", horizon="14 days")
    assert [(row["cutoff"].month, row["user_id"], row["churned"]) for row in found] == [
        (2, 1, False), (2, 2, True), (3, 1, True),
    ]  # fmt: skip
    typed = labels(con, rows, "[timestamp '2026-02-01', '2026-03-01']", horizon="14 days")
    assert typed == found
    assert labels(con, rows, "interval 0 days + date '2026-02-01'", horizon="14 days") == found[:2]


def test_bad_input(con):
    rows = [(None, "2026-01-15"), (1, None)]
    assert labels(con, rows) == []
    assert labels(con, []) == []
    with pytest.raises(
        duckdb.Error,
        match="ml.churn_labels: horizon is .*; it must be an interval longer than nothing",
    ):
        labels(con, [(1, "2026-01-15")], horizon="-1 day")
    for nothing in ("[]", "[null, null]", "''", "' '"):
        with pytest.raises(duckdb.Error, match="cutoffs is '.*'; give a time, or a list of times"):
            labels(con, [(1, "2026-01-15")], nothing)
    with pytest.raises(duckdb.Error, match="cutoffs is infinity; each must be a finite time"):
        labels(con, [(1, "2026-01-15")], "'infinity'")
    with pytest.raises(duckdb.Error, match="soon"):
        labels(con, [(1, "2026-01-15")], "'soon'")


@settings(deadline=None, max_examples=15)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 100)), max_size=25))
def test_no_feature_changes_with_what_comes_later(con, events):
    rows = [(u, BEGIN + datetime.timedelta(days=d)) for u, d in events]
    cutoff = BEGIN + datetime.timedelta(days=50)
    known = [row for row in rows if row[1] < cutoff]
    features = ("user_id", "first_at", "last_at", "days_since_last", "n_before", "n_in_window")
    ask = dict(cutoffs=f"'{cutoff}'", until="2027-01-01")
    found = labels(con, rows, **ask)
    then = labels(con, known, **ask)
    assert [[row[f] for f in features] for row in found] == [
        [row[f] for f in features] for row in then
    ]
    after = {u for u, t in rows if cutoff <= t < cutoff + datetime.timedelta(days=30)}
    assert all(row["churned"] == (row["user_id"] not in after) for row in found)
