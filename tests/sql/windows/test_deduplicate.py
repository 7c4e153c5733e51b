"""One row a key."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.relations import load, rows

SAMPLE = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(1, 3)),
        st.one_of(st.none(), st.integers(1, 4)),
        st.integers(0, 3),
    ),
    max_size=20,
)


@settings(deadline=None, max_examples=20)
@given(sample=SAMPLE, keep=st.sampled_from(["first", "last"]))
def test_agrees_with_a_loop(con, sample, keep):
    load(con, "t", "id int, seen int, x int", sample)
    expected = [(*row, 0) for row in sample if row[0] is None]
    for key in {row[0] for row in sample} - {None}:
        mine = [row for row in sample if row[0] == key]
        dated = [row for row in mine if row[1] is not None] or mine
        choose = min if keep == "first" else max
        expected.append((*choose(dated, key=lambda row: (row[1] or 0, row[2])), len(mine) - 1))
    found = rows(con, f"from ml.deduplicate('t', ['id'], 'seen', keep := '{keep}')")
    assert Counter(found) == Counter(expected)
    # nothing is lost without being counted
    assert len(found) + sum(row[-1] for row in found) == len(sample)


def test_a_null_in_one_of_two_keys_is_no_key(con):
    load(con, "t", '"my id" int, day int', [[1, None], [1, None], [1, 2], [1, 2]])
    found = rows(con, "from ml.deduplicate('t', ['my id', 'day'], 'day')")
    assert sorted(found, key=str) == [(1, 2, 1), (1, None, 0), (1, None, 0)]


def test_no_rows(con):
    load(con, "t", "id int, day int", [])
    assert rows(con, "from ml.deduplicate('t', ['id'], 'day')") == []
