"""The health of a join against counting by hand and by joining."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.relations import load, records, rows

FINDINGS = [
    "null_keys_left", "null_keys_right", "duplicate_keys_left", "duplicate_keys_right",
    "orphans_left", "orphans_right", "fan_out", "row_count",
]  # fmt: skip
KEYS = st.lists(st.tuples(st.one_of(st.none(), st.integers(1, 4))), max_size=10)


def health(con, expect="many_to_one", keys="['id']"):
    return {
        r["finding"]: r
        for r in records(con, f"from ml.join_health('l', 'r', {keys}, expect := '{expect}')")
    }


@settings(deadline=None, max_examples=20)
@given(left=KEYS, right=KEYS)
def test_counts_are_those_of_the_join(con, left, right):
    load(con, "l", "id int", left)
    load(con, "r", "id int", right)
    found = health(con)
    assert list(found) == FINDINGS
    (joined,) = rows(con, "select count(*) from l left join r using (id)")[0]
    assert found["row_count"]["actual"] == joined
    assert found["row_count"]["expected"] == len(left)
    assert found["fan_out"]["actual"] == joined - len(left)
    ours, theirs = [k for (k,) in left if k], [k for (k,) in right if k]
    assert [found[name]["actual"] for name in FINDINGS[:6]] == [
        len(left) - len(ours), len(right) - len(theirs),
        len(ours) - len(set(ours)), len(theirs) - len(set(theirs)),
        sum(k not in theirs for k in ours), sum(k not in ours for k in theirs),
    ]  # fmt: skip


def test_severities(con):
    load(con, "l", '"the id" int', [[1], [1], [2], [3], [None]])
    load(con, "r", '"the id" int', [[1], [1], [2], [9]])
    found = {name: row["severity"] for name, row in health(con, keys="['the id']").items()}
    assert found == {
        "null_keys_left": "warning", "null_keys_right": "ok", "duplicate_keys_left": "info",
        "duplicate_keys_right": "error", "orphans_left": "warning", "orphans_right": "info",
        "fan_out": "error", "row_count": "error",
    }  # fmt: skip
    # nobody promised that keys are unique, but sums are still counted twice
    relaxed = health(con, "many_to_many", keys="['the id']")
    assert relaxed["duplicate_keys_right"]["severity"] == "info"
    assert (relaxed["fan_out"]["severity"], relaxed["fan_out"]["actual"]) == ("warning", 2)
    assert relaxed["row_count"]["expected"] is None
    assert (
        health(con, "one_to_one", keys="['the id']")["duplicate_keys_left"]["severity"] == "error"
    )


def test_no_rows_are_healthy_and_an_unknown_expectation_is_an_error(con):
    load(con, "l", "id int", [])
    load(con, "r", "id int", [])
    assert {row["severity"] for row in health(con).values()} == {"ok"}
    with pytest.raises(
        duckdb.Error, match="ml.join_health: expect is n:1; it must be one of one_to_one"
    ):
        health(con, "n:1")
