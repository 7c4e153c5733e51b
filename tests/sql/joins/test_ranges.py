"""Range and overlap joins against nested loops."""

from __future__ import annotations

from collections import Counter

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.relations import load, rows

NUMBER = st.one_of(st.none(), st.integers(0, 6))
KEY = st.one_of(st.none(), st.integers(1, 2))
INSIDE = {
    "[)": lambda v, a, b: a <= v < b,
    "[]": lambda v, a, b: a <= v <= b,
    "(]": lambda v, a, b: a < v <= b,
    "()": lambda v, a, b: a < v < b,
}
INTERVALS = st.lists(st.tuples(KEY, NUMBER, NUMBER), max_size=8)


@settings(deadline=None, max_examples=20)
@given(
    left=st.lists(st.tuples(KEY, NUMBER), max_size=8), right=INTERVALS,
    bounds=st.sampled_from(list(INSIDE)), how=st.sampled_from(["left", "inner"]),
)  # fmt: skip
def test_ranges(con, left, right, bounds, how):
    load(con, "l", '"a key" int, v int', left)
    load(con, "r", '"a key" int, "from" int, below int', right)
    expected = []
    for key, value in left:
        met = [
            (a, b) for k, a, b in right
            if k == key and None not in (key, value, a)
            and INSIDE[bounds](value, a, float("inf") if b is None else b)
        ] or ([(None, None)] if how == "left" else [])  # fmt: skip
        expected += [(key, value, *pair) for pair in met]
    found = rows(
        con,
        f"from ml.range_join('l', 'r', 'v', 'from', 'below', keys := ['a key'], bounds := '{bounds}', how := '{how}')",
    )
    assert Counter(found) == Counter(expected)


@settings(deadline=None, max_examples=20)
@given(left=INTERVALS, right=INTERVALS, how=st.sampled_from(["left", "inner"]), keyed=st.booleans())
def test_overlaps(con, left, right, how, keyed):
    load(con, "l", "k int, a int, b int", left)
    load(con, "r", "k int, a int, b int", right)
    expected = []
    for key, a, b in left:
        met = []
        for other, c, d in right:
            if (keyed and (key is None or other != key)) or None in (a, c):
                continue
            start, end = max(a, c), min(b if b is not None else 99, d if d is not None else 99)
            # what is shared is more than nothing
            if start < end:
                shared = [(c, d)] if keyed else [(other, c, d)]
                met.append((*shared[0], start, None if end == 99 else end))
        if not met and how == "left":
            met = [(None,) * (4 if keyed else 5)]
        expected += [(key, a, b, *row) for row in met]
    keys = ", keys := ['k']" if keyed else ""
    found = rows(con, f"from ml.overlap_join('l', 'r', 'a', 'b', how := '{how}'{keys})")
    assert Counter(found) == Counter(expected)


def test_touching_intervals_do_not_overlap_and_names_can_be_told_apart(con):
    load(con, "l", "a timestamp, b timestamp", [["2024-01-01 10:00", "2024-01-01 12:00"]])
    load(
        con,
        "r",
        "a timestamp, b timestamp",
        [["2024-01-01 12:00", "2024-01-01 13:00"], ["2024-01-01 11:59", None]],
    )
    found = con.execute(
        "from ml.overlap_join('l', 'r', 'a', 'b', prefix := 'r \"', suffix := '\"')"
    )
    assert [column[0] for column in found.description] == [
        "a",
        "b",
        'r "a"',
        'r "b"',
        "overlap_start",
        "overlap_end",
    ]
    assert len(found.fetchall()) == 1


def test_unknown_bounds(con):
    load(con, "l", "a int, b int", [])
    with pytest.raises(duckdb.Error, match="ml.range_join: bounds is ]; it must be one of"):
        rows(con, "from ml.range_join('l', 'l', 'a', 'a', 'b', bounds := ']')")


@pytest.mark.parametrize(
    "call", ["range_join('l', 'r', 'v', 'a', 'b')", "overlap_join('l', 'r', 'v', 'w', 'a', 'b')"]
)
def test_large_joins_do_not_compare_all_pairs(con, call):
    con.execute(
        "create or replace table l as select i as v, i + 3 as w from range(30000) t(i)"
    ).fetchall()
    con.execute(
        "create or replace table r as select i + 1 as a, i + 2 as b from range(30000) t(i)"
    ).fetchall()
    # IEJoin, or one inequality at a time; never both in a merge join, which sorts by one of them
    plan = rows(con, f"explain (format json) select count(*) from ml.{call}")[0][1]
    assert "IE_JOIN" in plan
