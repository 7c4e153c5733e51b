"""RFM scores: ties, refunds, the grid of segments, thin data."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.calls import dicts, load, options

DAY = 86400


def rfm(con, rows, **given):
    load(con, '"the shop"', '"who?" int, "day" timestamp, "in €" double', rows)
    found = con.execute(f"from ml.rfm('\"the shop\"', 'who?', 'day', 'in €'{options(given)})")
    return {row["user_id"]: row for row in dicts(found)}


def test_ties_have_the_same_score(con):
    # ten customers: seven bought once, two twice, one four times
    rows = [(i, f"2026-01-{i + 1:02d}", 10) for i in range(10)]
    rows += [(i, f"2026-01-{i + 1:02d}", 10) for i in (7, 8)] + [(9, "2026-01-10", 10)] * 3
    found = rfm(con, rows)
    assert [found[i]["frequency"] for i in range(10)] == [1] * 7 + [2, 2, 4]
    # none is worse than those who bought once; 7/10 and 9/10 are worse than the others
    assert [found[i]["frequency_score"] for i in range(10)] == [1] * 7 + [4, 4, 5]
    assert [found[i]["recency_score"] for i in range(10)] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert found[9]["segment"] == "champions"
    assert found[0]["segment"] == "hibernating"
    assert found[6]["segment"] == "promising"
    deciles = rfm(con, rows, groups=10)
    assert [deciles[i]["recency_score"] for i in range(10)] == list(range(1, 11))
    assert [deciles[i]["segment"] for i in range(10)] == [found[i]["segment"] for i in range(10)]


def test_equal_amounts_in_another_order_have_the_same_score(con):
    rows = [(1, "2026-01-01", x) for x in (0.1, 0.2, 0.3)]
    rows += [(2, "2026-01-01", x) for x in (0.3, 0.2, 0.1)]
    rows += [(3, "2026-01-01", x) for x in (0.1, 0.2, -0.3)] + [(4, "2026-01-01", 0)]
    found = rfm(con, rows)
    assert [found[i]["monetary_score"] for i in (1, 2, 3, 4)] == [3, 3, 1, 1]


def test_a_refund_lowers_the_value_and_is_no_purchase(con):
    found = rfm(
        con,
        [
            (1, "2026-01-01", 50),
            (1, "2026-01-05", -20),
            (2, "2026-01-03", -5),
            (3, "2026-01-02", None),
        ],
        as_of="2026-01-11 12:00",
    )
    assert found[1]["frequency"] == 1
    assert found[1]["recency_days"] == 10.5
    assert found[1]["monetary"] == 30
    assert (found[2]["frequency"], found[2]["last_at"], found[2]["recency_days"]) == (0, None, None)
    assert (found[2]["recency_score"], found[2]["frequency_score"]) == (1, 1)
    assert (found[3]["frequency"], found[3]["monetary"], found[3]["monetary_score"]) == (
        1,
        None,
        None,
    )


def test_rows_of_nobody_and_of_the_future_are_left_out(con):
    rows = [(None, "2026-01-01", 1), (1, None, 2), (1, "2026-01-02", "nan"), (1, "2026-02-01", 3)]
    found = rfm(con, rows, as_of="2026-01-31")
    assert list(found) == [1]
    assert (found[1]["frequency"], found[1]["monetary"]) == (1, None)
    assert rfm(con, []) == {}
    assert rfm(con, rows, as_of="2025-01-01") == {}


def test_without_amounts(con):
    call = "select monetary, monetary_score from ml.rfm('(select 1 as u, date ''2026-01-01'' as d)', 'u', 'd')"
    assert con.execute(call).fetchall() == [(None, None)]


def test_a_wrong_number_of_groups_is_an_error(con):
    with pytest.raises(duckdb.Error, match="ml.rfm: groups is 1; it must be at least 2"):
        rfm(con, [(1, "2026-01-01", 1)], groups=1)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=25), st.integers(2, 7))
def test_a_score_is_the_share_of_those_who_are_worse(con, amounts, groups):
    found = rfm(con, [(i, "2026-01-01", amount) for i, amount in enumerate(amounts)], groups=groups)
    for i, amount in enumerate(amounts):
        worse = sum(other < amount for other in amounts)
        assert found[i]["monetary_score"] == 1 + groups * worse // len(amounts)
        assert found[i]["recency_score"] == 1  # all on one day
