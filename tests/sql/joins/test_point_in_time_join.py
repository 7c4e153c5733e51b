"""Features as they were known, and the report of those that were not."""

from __future__ import annotations

from datetime import datetime, timedelta

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.relations import load, records, rows

# Row 101 of the reference: Feast's semantics
FEATURES = [[1, 420, 1], [1, 510, 2], [1, 600, 3], [1, 605, 4]]
ENTITIES = [[1, t] for t in (400, 600, 604, 645, 731)]


@pytest.fixture
def feast(con):
    load(con, "entities", "id int, asked int", ENTITIES)
    load(con, "features", "id int, known int, x int", FEATURES)


@pytest.mark.parametrize(
    "ttl, expected",
    [
        ("120", [None, 3, 3, 4, None]),
        ("30", [None, 3, 3, None, None]),
        ("null", [None, 3, 3, 4, 4]),
    ],
)
def test_the_reference(con, feast, ttl, expected):
    found = rows(
        con,
        "select x from ml.point_in_time_join('entities', 'features', ['id'], 'asked', 'known', "
        f"ttl := {ttl}) order by asked",
    )
    assert [x for (x,) in found] == expected


def test_a_row_as_old_as_the_ttl_counts_and_intervals_are_taken(con):
    noon = datetime(2024, 5, 1, 12)
    load(con, "e", "id int, t timestamp", [[1, noon], [1, noon + timedelta(microseconds=1)]])
    load(con, "f", "id int, t timestamp, x int", [[1, noon - timedelta(hours=2), 5]])
    for ttl in ("'2 hours'", "interval 120 minutes"):
        call = f"select x from ml.point_in_time_join('e', 'f', ['id'], 't', ttl := {ttl}, prefix := '') order by t"
        assert rows(con, call) == [(5,), (None,)]


def test_of_equal_times_the_row_written_last(con):
    load(con, "e", "id int, t int", [[1, 5]])
    load(
        con,
        "f",
        "id int, t int, written int, x int",
        [[1, 5, 1, 9], [1, 5, 3, 7], [1, 5, None, 8], [1, 5, 3, 6]],
    )
    call = "select x from ml.point_in_time_join('e', 'f', ['id'], 't'{})"
    assert rows(con, call.format(", created := 'written'")) == [(7,)]
    assert rows(con, call.format(", is_strict := true")) == [(None,)]


def test_several_feature_tables(con, feast):
    load(con, "more", "id int, known int, y int", [[1, 600, 10], [1, 700, 20]])
    found = rows(
        con,
        # DuckDB takes a macro inside itself for an endless recursion: a step of its own is none
        """with one as (from ml.point_in_time_join('entities', 'features', ['id'], 'asked', 'known'))
        select asked, x, "more y"
        from ml.point_in_time_join('one', 'more', ['id'], 'asked', 'known', prefix := 'more ')
        order by asked""",
    )
    assert found == [(400, None, None), (600, 3, 10), (604, 3, 10), (645, 4, 10), (731, 4, 20)]


def test_the_report_names_the_feature_that_leaks(con):
    load(
        con,
        "e",
        "id int, t timestamp",
        [[i % 3, datetime(2024, 1, 1 + i)] for i in range(9)] + [[7, datetime(2024, 1, 1)]],
    )
    # country never changes; the balance does, every day
    load(
        con, "f", 'id int, t timestamp, country varchar, "a balance" double',
        [[i, datetime(2024, 1, 1) + timedelta(days=d), "no", 10.0 * d] for i in range(3) for d in range(11)],
    )  # fmt: skip
    found = {
        r["feature"]: r
        for r in records(
            con, "from ml.leakage_report('e', 'f', ['id'], 't', feature_table := 'accounts')"
        )
    }
    assert set(found) == {"country", "a balance"}
    balance, country = found["a balance"], found["country"]
    assert (balance["is_leaking"], country["is_leaking"]) == (True, False)
    # 10 entity rows; that of id 7 has no features; the newest row, of 11 January, is later than all
    assert (
        balance["n_entities"],
        balance["n_matched"],
        balance["n_future"],
        balance["n_leaked"],
    ) == (10, 9, 9, 9)
    assert (country["n_future"], country["n_leaked"], country["n_unknown"]) == (9, 0, 1)
    assert (balance["max_lead"], balance["median_lead"]) == (timedelta(days=10), timedelta(days=6))
    assert balance["feature_table"] == "accounts"
    assert balance["share_leaked"] == 1


ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(1, 2)),
        st.one_of(st.none(), st.integers(0, 9)),
        st.one_of(st.none(), st.integers(0, 1)),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=20)
@given(entities=ROWS, features=ROWS, ttl=st.one_of(st.none(), st.integers(1, 4)))
def test_the_report_agrees_with_a_loop(con, entities, features, ttl):
    load(con, "e", "id int, t int, label int", entities)
    load(con, "f", "id int, t int, x int", features)
    found = records(
        con,
        f"from ml.leakage_report('e', 'f', ['id'], 't', ttl := {'null' if ttl is None else ttl})",
    )
    if not entities:
        assert found == []
        return

    def order(row):  # the greatest row, NULL above all
        return row[1], row[2] is None, row[2] or 0

    matched = future = leaked = unknown = 0
    leads = []
    for key, time, _ in entities:
        mine = (
            sorted((r for r in features if r[0] == key and None not in r[:2]), key=order)
            if key is not None
            else []
        )
        past = [r for r in mine if time is not None and r[1] <= time]
        known = past[-1] if past and (ttl is None or time - past[-1][1] <= ttl) else None
        unknown += known is None
        matched += bool(mine)
        if mine and time is not None and mine[-1][1] > time:
            future += 1
            leads.append(mine[-1][1] - time)
            leaked += mine[-1][2] != (known[2] if known else None)
    (row,) = found
    assert (row["n_entities"], row["n_matched"], row["n_future"]) == (
        len(entities),
        matched,
        future,
    )
    assert (row["n_leaked"], row["n_unknown"], row["max_lead"]) == (
        leaked,
        unknown,
        max(leads, default=None),
    )
    assert row["median_lead"] == (sorted(leads)[(len(leads) - 1) // 2] if leads else None)


def test_no_rows(con, feast):
    con.execute("delete from features")
    found = rows(
        con, "from ml.point_in_time_join('entities', 'features', ['id'], 'asked', 'known')"
    )
    assert sorted(found) == [(1, t, None, None) for _, t in ENTITIES]


def test_it_cannot_be_asked_to_look_ahead(con, feast):
    call = "from ml.point_in_time_join('entities', 'features', ['id'], 'asked', direction := {})"
    for direction in ("'forward'", "'nearest'"):
        with pytest.raises(duckdb.Error, match="does not support the supplied arguments"):
            rows(con, call.format(direction))


@pytest.mark.parametrize("type_", ["timestamp", "date", "timestamptz", "timestamp_ns", "double"])
def test_an_infinite_time_leaks_without_a_lead(con, type_):
    # an error for a TIMESTAMP, and 2,147,465,385 days for a DATE
    early = "1" if type_ == "double" else "2024-01-01"
    load(con, "e", f"id int, t {type_}", [[1, early], [1, "-infinity"], [1, "infinity"]])
    load(con, "f", f"id int, t {type_}, x int", [[1, "infinity", 4]])
    (row,) = records(con, "from ml.leakage_report('e', 'f', ['id'], 't')")
    assert (row["n_matched"], row["n_future"], row["n_leaked"], row["n_unknown"]) == (3, 2, 2, 2)
    assert (row["median_lead"], row["max_lead"]) == (None, None)


def test_features_of_keys_and_times_alone_have_no_report(con):
    assert records(con, "from ml.leakage_report('(select 1 as id, 5 as t)', '(select 1 as id, 4 as t)', ['id'], 't')") == []  # fmt: skip
