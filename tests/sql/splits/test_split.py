"""Parts by hash, by stratum and by time."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.relations import load, rows

PROBES = "select hash('mlpond', 1.5e0), hash('' || chr(31) || 'key'), hash('salt' || chr(31) || '12345678901234567890')"


@pytest.fixture(scope="module")
def users(con):
    con.execute(
        "create or replace table users as select i as id, i % 500 as team, i % 3 = 0 as won from range(5000) t(i)"
    ).fetchall()


def test_a_key_stays_in_its_part(con, users):
    before = dict(
        rows(con, "select id, split from ml.split('(from users where id < 2000)', ['id'])")
    )
    after = dict(
        rows(con, "select id, split from ml.split('(from users order by hash(id))', ['id'])")
    )
    assert all(after[key] == part for key, part in before.items())
    # whatever the type of the key
    text = dict(
        rows(
            con,
            "select id, split from ml.split('(select id::varchar as key, id from users)', ['key'])",
        )
    )
    assert text == after


def test_shares_are_those_asked_for_and_another_salt_is_independent(con, users):
    split = "ml.split('users', ['id'], eval_fraction := 0.2, test_fraction := 0.3, salt := '{}')"
    found = Counter(dict(rows(con, f"select id, split from {split.format('')}")).values())
    # five standard deviations of a binomial count
    for part, share in {"TRAIN": 0.5, "EVAL": 0.2, "TEST": 0.3}.items():
        assert abs(found[part] - 5000 * share) < 5 * (5000 * share * (1 - share)) ** 0.5
    together = rows(
        con,
        f"select count(*) from {split.format('')} as a join {split.format('again')} as b using (id) "
        "where a.split = 'TEST' and b.split = 'TEST'",
    )
    assert abs(together[0][0] - 450) < 5 * 450**0.5


def test_groups_stay_together(con, users):
    found = rows(
        con, "select team, count(distinct split) from ml.split('users', ['team']) group by team"
    )
    assert {n for _, n in found} == {1}


def test_the_parts_are_nested_as_in_create_model(con, users):
    """A larger test share only takes rows, it does not deal them anew."""
    small = rows(
        con,
        "select id from ml.split('users', ['id'], eval_fraction := 0, test_fraction := 0.1) where split = 'TEST'",
    )
    large = rows(
        con,
        "select id from ml.split('users', ['id'], eval_fraction := 0, test_fraction := 0.2) where split = 'TEST'",
    )
    assert set(small) < set(large)


def test_both_versions_of_duckdb_hash_alike(con):
    program = Path(sys.executable).with_name("duckdb")
    done = subprocess.run(
        [program, "-csv", "-noheader", "-c", PROBES], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().splitlines()[-1] == ",".join(map(str, rows(con, PROBES)[0]))


def test_several_keys_null_keys_and_odd_names(con):
    load(con, "t", '"my ""id" int, b varchar', [[1, "x"], [1, None], [None, "x"], [1, "x"]])
    found = rows(con, """from ml.split('t', ['my "id', 'b'])""")
    assert [part for _, _, part in found].count(None) == 2
    assert len({part for a, b, part in found if a and b}) == 1
    load(con, "t", "id int", [])
    assert rows(con, "from ml.split('t', ['id'])") == []


@pytest.mark.parametrize(
    "shares",
    [
        "eval_fraction := 0.6, test_fraction := 0.5",
        "test_fraction := -0.1",
        "eval_fraction := null",
    ],
)
def test_shares_are_checked(con, users, shares):
    for call in (
        "ml.split('users', ['id'], {})",
        "ml.split_stratified('users', 'won', ['id'], {})",
        "ml.split_by_time('users', 'id', {})",
    ):
        with pytest.raises(
            duckdb.Error, match=r"ml\.split.*eval_fraction is .* test_fraction is .*at most 1"
        ):
            rows(con, f"from {call.format(shares)}")


@settings(deadline=None, max_examples=15)
@given(
    classes=st.lists(st.sampled_from(["a", "b", None]), max_size=40),
    test=st.sampled_from([0.0, 0.1, 0.25]),
)
def test_strata_have_exact_shares(con, classes, test):
    load(con, "t", 'id int, "the class" varchar', list(enumerate(classes)))
    found = rows(
        con,
        f"""from ml.split_stratified('t', 'the class', ['id'], eval_fraction := 0.2, test_fraction := {test})""",
    )
    assert sorted(row[0] for row in found) == list(range(len(classes)))
    for kind, n in Counter(classes).items():
        parts = Counter(part for _, c, part in found if c == kind)
        # place i of n is at (i - 1/2) / n, so that a share is rounded to a row
        assert abs(parts["TEST"] - n * test) <= 0.5 + 1e-9
        assert abs(parts["TEST"] + parts["EVAL"] - n * (test + 0.2)) <= 0.5 + 1e-9


START = date(2024, 1, 1)


@settings(deadline=None, max_examples=20)
@given(
    days=st.lists(st.one_of(st.none(), st.integers(0, 30)), max_size=30),
    evaluated=st.sampled_from([0.0, 0.2]), tested=st.sampled_from([0.0, 0.3]), gap=st.integers(0, 4),
)  # fmt: skip
def test_time_goes_forward(con, days, evaluated, tested, gap):
    load(con, "t", '"on day" date', [[None if d is None else START + timedelta(d)] for d in days])
    found = rows(
        con,
        f"from ml.split_by_time('t', 'on day', eval_fraction := {evaluated}, test_fraction := {tested}, gap := '{gap} days')",
    )
    assert Counter(day for day, _ in found) == Counter(
        None if d is None else START + timedelta(d) for d in days
    )
    by_part = {part: [day for day, p in found if p == part] for part in ("TRAIN", "EVAL", "TEST")}
    assert all((day is None) == (part is None) for day, part in found)
    n = sum(d is not None for d in days)
    assert len(by_part["TEST"]) <= n * tested + 1e-9
    assert len(by_part["EVAL"]) <= n * (tested + evaluated) - len(by_part["TEST"]) + 1e-9
    for earlier, later in (("TRAIN", "EVAL"), ("EVAL", "TEST"), ("TRAIN", "TEST")):
        if by_part[earlier] and by_part[later]:
            assert min(by_part[later]) - max(by_part[earlier]) > timedelta(days=gap)


def test_given_times_and_the_gap_at_its_boundary(con):
    load(con, "t", "at_time timestamp", [[f"2024-01-{day:02d}"] for day in range(1, 13)])
    found = rows(
        con,
        "select day(at_time), split from ml.split_by_time('t', 'at_time', eval_from := '2024-01-06', "
        "test_from := '2024-01-10', gap := '2 days') order by 1",
    )
    assert [part for _, part in found] == (
        ["TRAIN"] * 3 + ["GAP"] * 2 + ["EVAL"] * 2 + ["GAP"] * 2 + ["TEST"] * 3
    )


def test_the_share_for_eval_is_that_of_the_rows_before_a_given_test(con):
    load(con, "t", "day int", [[day] for day in range(20)])
    call = "select split, count(*)::int from ml.split_by_time('t', 'day', test_from := '{}') group by all"  # fmt: skip
    # by the last tenth but one EVAL began at day 16: an error for 10, one row for 17, four for 20
    for start in (10, 17, 20):
        expected = {"TRAIN": start - 2, "EVAL": 2, "TEST": 20 - start}
        assert dict(rows(con, call.format(start))) == {k: n for k, n in expected.items() if n}
    assert dict(rows(con, call.format(-1))) == {"TEST": 20}


@pytest.mark.parametrize(
    "type_, day, given", [("date", "2024-01-01", "2024-01-05 12:00"), ("integer", "3", "4.4")]
)
def test_a_start_that_the_type_would_round_is_refused(con, type_, day, given):
    load(con, "t", f"day {type_}", [[day]])
    for name in ("eval_from", "test_from"):
        with pytest.raises(
            duckdb.Error, match=rf"{name} is {given}, .* type {type_.upper()}; give"
        ):
            rows(con, f"from ml.split_by_time('t', 'day', {name} := '{given}')")
    midnight = given.replace("12:00", "00:00").replace(".4", ".0")
    assert len(rows(con, f"from ml.split_by_time('t', 'day', test_from := '{midnight}')")) == 1
