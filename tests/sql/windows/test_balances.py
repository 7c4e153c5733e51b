"""Balances as of given times against a sum over all earlier movements."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.relations import load, rows

MOVEMENTS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(1, 2)),
        st.one_of(st.none(), st.integers(0, 9)),
        st.one_of(st.none(), st.integers(-5, 5)),
    ),
    max_size=15,
)


@settings(deadline=None, max_examples=20)
@given(
    sample=MOVEMENTS,
    times=st.lists(st.one_of(st.none(), st.integers(-1, 10)), max_size=4),
    strict=st.booleans(),
)
def test_agrees_with_a_sum(con, sample, times, strict):
    load(con, "moves", '"the account" int, day int, amount int', sample)
    load(con, "asked", "day int", [[time] for time in times])
    kept = [row for row in sample if row[0] is not None and row[1] is not None]
    expected = []
    for account in sorted({row[0] for row in kept}):
        for time in sorted({time for time in times if time is not None}):
            mine = [
                r for r in kept if r[0] == account and (r[1] < time if strict else r[1] <= time)
            ]
            expected.append(
                (
                    account,
                    time,
                    sum(r[2] or 0 for r in mine),
                    len(mine),
                    max((r[1] for r in mine), default=None),
                )
            )
    found = rows(
        con,
        "from ml.balances('moves', 'day', 'amount', 'asked', 'day', "
        f"keys := ['the account'], is_strict := {strict})",
    )
    assert found == expected


def test_without_accounts_and_without_movements(con):
    load(con, "moves", "day int, amount double", [[1, 2.5], [3, 1.5]])
    call = "from ml.balances('moves', 'day', 'amount', '(select unnest([0, 1, 3]) as day)', 'day')"
    assert rows(con, call) == [(0, 0, 0, None), (1, 2.5, 1, 1), (3, 4, 2, 3)]
    load(con, "moves", "day int, amount double", [])
    assert rows(con, call) == []
