"""Rows with and without a match; NULL keys."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.relations import load, rows

PAIRS = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(1, 3)), st.one_of(st.none(), st.integers(1, 2))),
    max_size=10,
)


@settings(deadline=None, max_examples=20)
@given(left=PAIRS, right=PAIRS, nulls=st.sampled_from(["unmatched", "equal"]))
def test_each_left_row_is_in_one_of_them(con, left, right, nulls):
    load(con, "l", '"a ""b" int, c int', left)
    load(con, "r", '"a ""b" int, c int', right)
    matches = [pair for pair in left if pair in right and (nulls == "equal" or None not in pair)]
    found = {
        kind: Counter(
            rows(con, f"""from ml.{kind}_join('l', 'r', ['a "b', 'c'], nulls := '{nulls}')""")
        )
        for kind in ("semi", "anti")
    }
    assert found["semi"] == Counter(matches)
    assert found["semi"] + found["anti"] == Counter(left)


def test_not_in_loses_every_row_where_anti_join_does_not(con):
    load(con, "l", "id int", [[1], [2], [None]])
    load(con, "r", "id int", [[2], [None]])
    assert rows(con, "from l where id not in (select id from r)") == []
    assert sorted(rows(con, "from ml.anti_join('l', 'r', ['id'])"), key=str) == [(1,), (None,)]
    assert rows(con, "from ml.anti_join('l', 'r', ['id'], nulls := 'equal')") == [(1,)]
