"""Lags that stay within a user's session."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.relations import load, rows

EVENTS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(1, 2)),
        st.one_of(st.none(), st.integers(1, 2)),
        st.one_of(st.none(), st.integers(0, 5)),
        st.sampled_from(["home", "cart"]),
    ),
    max_size=20,
)


@settings(deadline=None, max_examples=20)
@given(sample=EVENTS, n=st.integers(1, 2))
def test_agrees_with_a_loop(con, sample, n):
    load(con, "t", '"the user" int, session int, at_time int, page varchar', sample)
    expected = [(*row, None, None, None, None) for row in sample if None in row[:3]]
    for owner in {row[:2] for row in sample if None not in row[:3]}:
        mine = sorted(row for row in sample if row[:2] == owner and row[2] is not None)
        for i, row in enumerate(mine):
            expected.append((
                *row, i + 1,
                mine[i - n][3] if i >= n else None,
                mine[i + n][3] if i + n < len(mine) else None,
                row[2] - mine[i - 1][2] if i else None,
            ))  # fmt: skip
    found = rows(
        con, f"from ml.session_lags('t', 'the user', 'session', 'at_time', 'page', n := {n})"
    )
    assert Counter(found) == Counter(expected)
