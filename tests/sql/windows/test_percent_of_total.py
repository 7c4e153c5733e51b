"""Shares of a level."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.relations import load, records, rows

SAMPLE = st.lists(
    st.tuples(
        st.sampled_from(["a", None]),
        st.sampled_from(["x", "y", None]),
        st.one_of(st.none(), st.integers(-3, 9)),
    ),
    max_size=20,
)


@settings(deadline=None, max_examples=20)
@given(sample=SAMPLE)
def test_agrees_with_sums(con, sample):
    load(con, "t", '"the country" varchar, city varchar, sales int', sample)
    found = records(
        con, "from ml.percent_of_total('t', 'sales', ['city'], within := ['the country'])"
    )

    def total(chosen):
        known = [row[2] for row in sample if chosen(row) and row[2] is not None]
        return sum(known) if known else None

    assert len(found) == len({row[:2] for row in sample})
    for r in found:
        part = total(lambda row, r=r: row[:2] == (r["the country"], r["city"]))
        above = total(lambda row, r=r: row[0] == r["the country"])
        whole = total(lambda row: True)
        assert r["total"] == part
        assert r["share"] == (pytest.approx(part / above) if part is not None and above else None)
        assert r["share_of_whole"] == (
            pytest.approx(part / whole) if part is not None and whole else None
        )


def test_shares_of_zero_are_unknown_and_no_rows_have_none(con):
    load(con, "t", "k int, x int", [[1, 2], [2, -2]])
    assert rows(con, "select share from ml.percent_of_total('t', 'x', ['k'])") == [(None,), (None,)]
    load(con, "t", "k int, x int", [])
    assert rows(con, "from ml.percent_of_total('t', 'x', ['k'])") == []
