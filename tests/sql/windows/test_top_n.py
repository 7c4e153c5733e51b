"""The first rows of groups, with ties."""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.relations import load, rows

SAMPLE = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", None]),
        st.one_of(st.none(), st.integers(0, 4)),
        st.integers(0, 2),
    ),
    max_size=20,
)


@settings(deadline=None, max_examples=20)
@given(
    sample=SAMPLE,
    n=st.integers(1, 4),
    ties=st.sampled_from(["rank", "dense", "row"]),
    down=st.booleans(),
)
def test_agrees_with_a_sort(con, sample, n, ties, down):
    load(con, "t", '"a ""group" varchar, x int, y int', sample)
    expected = []
    for key in ["a", "b", None]:
        mine = [row for row in sample if row[0] == key]
        mine.sort(
            key=lambda row: (
                row[1] is None,
                0 if row[1] is None else -row[1] if down else row[1],
                row[2],
            )
        )
        values = [row[1] for row in mine]
        for place, row in enumerate(mine):
            rank = {
                "rank": values.index(row[1]) + 1,
                "dense": len(dict.fromkeys(values[: place + 1])),
                "row": place + 1,
            }[ties]
            if rank <= n:
                expected.append((*row, rank))
    found = rows(
        con,
        f"""from ml.top_n('t', 'x', keys := ['a "group'], n := {n}, ties := '{ties}', descending := {down})""",
    )
    assert Counter(found) == Counter(expected)


def test_no_rows_and_an_unknown_way(con):
    load(con, "t", "x int", [])
    assert rows(con, "from ml.top_n('t', 'x')") == []
    with pytest.raises(
        duckdb.Error, match="ml.top_n: ties is first; it must be one of rank, dense, row"
    ):
        rows(con, "from ml.top_n('t', 'x', ties := 'first')")
