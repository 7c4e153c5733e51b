"""Ranges of validity against a loop over days."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.relations import load, records, rows

START = date(2024, 1, 1)
PLANS = st.one_of(st.none(), st.sampled_from(["free", "pro"]))
CHANGES = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(1, 2)),
        st.one_of(st.none(), st.integers(0, 9)),
        PLANS,
        st.integers(0, 2),
    ),
    max_size=15,
)


def order(value):
    """NULL above all, as DuckDB compares rows."""
    return (value is None, value or "")


@settings(deadline=None, max_examples=20)
@given(sample=CHANGES)
def test_changes(con, sample):
    load(con, "t", '"my id" int, day int, plan varchar, version int', sample)
    expected = []
    for key in (1, 2):
        state, mine = object(), []
        for day in range(10):
            today = [row for row in sample if row[0] == key and row[1] == day]
            if today:
                plan = max(today, key=lambda row: (row[3], order(row[2])))[2]
                if plan != state:
                    mine.append((key, plan, day))
                    state = plan
        ends = [row[2] for row in mine[1:]] + [None]
        expected += [(*row, end, end is None) for row, end in zip(mine, ends, strict=False)]
    assert (
        rows(con, "from ml.scd2('t', ['my id'], 'day', ['plan'], version := 'version')") == expected
    )


SNAPSHOTS = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(1, 2)), st.integers(0, 6), PLANS), max_size=20
)


@settings(deadline=None, max_examples=20)
@given(sample=SNAPSHOTS)
def test_snapshots(con, sample):
    load(
        con,
        "t",
        "id int, taken_on date, plan varchar",
        [(k, START + timedelta(d), p) for k, d, p in sample],
    )
    days = sorted({day for _, day, _ in sample})
    expected = []
    for key in (1, 2):
        current = None  # plan, from
        for day in days:
            today = [plan for k, d, plan in sample if (k, d) == (key, day)]
            plan = max(today, key=order) if today else None
            if current and (not today or plan != current[0]):
                expected.append((key, *current, day, not today))
                current = None
            if today and not current:
                current = (plan, day)
        if current:
            expected.append((key, *current, None, False))
    found = [
        (
            r["id"],
            r["plan"],
            (r["valid_from"] - START).days,
            r["valid_to"] and (r["valid_to"] - START).days,
            r["is_deleted"],
        )
        for r in records(con, "from ml.scd2_from_snapshots('t', ['id'], 'taken_on', ['plan'])")
    ]
    assert found == expected


def test_who_comes_back_has_two_ranges(con):
    load(
        con, "t", "id int, day date, city varchar",
        [[1, "2024-01-01", "Oslo"], [2, "2024-01-02", "Rome"], [1, "2024-01-05", "Oslo"]],
    )  # fmt: skip
    found = rows(
        con,
        "select id, valid_from, valid_to, is_current, is_deleted "
        "from ml.scd2_from_snapshots('t', ['id'], 'day', ['city'])",
    )
    assert found == [
        (1, date(2024, 1, 1), date(2024, 1, 2), False, True),
        (1, date(2024, 1, 5), None, True, False),
        (2, date(2024, 1, 2), date(2024, 1, 5), False, True),
    ]


def test_a_change_to_null_is_a_change(con):
    load(
        con,
        "t",
        "id int, day int, a int, b int",
        [[1, 1, 5, None], [1, 2, None, None], [1, 3, None, None]],
    )
    found = rows(con, "from ml.scd2('t', ['id'], 'day', ['a', 'b'])")
    assert found == [(1, 5, None, 1, 2, False), (1, None, None, 2, None, True)]


def test_no_rows(con):
    load(con, "t", "id int, day int, a int", [])
    assert rows(con, "from ml.scd2('t', ['id'], 'day', ['a'])") == []
    assert rows(con, "from ml.scd2_from_snapshots('t', ['id'], 'day', ['a'])") == []
