"""Streaks against itertools.groupby."""

from __future__ import annotations

from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.relations import load, rows

SAMPLE = st.lists(
    st.tuples(
        st.sampled_from(["a", None]),
        st.one_of(st.none(), st.integers(0, 12)),
        st.one_of(st.none(), st.booleans()),
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=20)
@given(sample=SAMPLE)
def test_agrees_with_groupby(con, sample):
    load(con, "t", "who varchar, day int, won boolean", sample)
    expected = []
    for key in ["a", None]:
        # of the same day false comes before true, and NULL last
        mine = sorted(
            [(t, v is None, v) for k, t, v in sample if k == key and t is not None],
            key=lambda row: (row[0], row[1], bool(row[2])),
        )
        runs = [list(run) for _, run in groupby(mine, key=lambda row: row[2])]
        expected += [
            (key, i + 1, run[0][2], run[0][0], run[-1][0], len(run), i + 1 == len(runs))
            for i, run in enumerate(runs)
        ]
    assert rows(con, "from ml.streaks('t', 'day', 'won', keys := ['who'])") == expected


def test_a_condition_and_a_name_that_needs_quotes(con):
    load(con, "t", '"the day" int, "my ""odd"" col" int', [[1, 5], [2, 7], [3, 1], [4, 9]])
    found = rows(
        con,
        """select value, n_rows from ml.streaks('t', 'the day', '"my ""odd"" col" > 4 -- high')""",
    )
    assert found == [(True, 2), (False, 1), (True, 1)]


def test_no_rows(con):
    load(con, "t", "day int, won boolean", [])
    assert rows(con, "from ml.streaks('t', 'day', 'won')") == []
