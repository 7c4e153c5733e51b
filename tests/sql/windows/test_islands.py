"""Islands and gaps against a plain loop, and at their boundaries."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.relations import load, rows

SAMPLE = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), st.one_of(st.none(), st.integers(-9, 9))),
    max_size=25,
)


def islands(values, step):
    """(first, last, distinct, rows) of each run."""
    found = []
    for value in sorted(values):
        if found and value <= found[-1][1] + step:
            first, last, n_values, n_rows = found[-1]
            found[-1] = (first, value, n_values + (value != last), n_rows + 1)
        else:
            found.append((value, value, 1, 1))
    return found


@settings(deadline=None, max_examples=20)
@given(sample=SAMPLE, step=st.integers(1, 3))
def test_both_agree_with_a_loop(con, sample, step):
    load(con, "t", '"my ""key" varchar, id int', sample)
    call = f"""('t', 'id', keys := ['my "key'], step := {step})"""
    expected, missing = [], []
    for key in ["a", "b", None]:
        runs = islands([v for k, v in sample if k == key and v is not None], step)
        expected += [(key, i + 1, *run) for i, run in enumerate(runs)]
        missing += [
            (key, one[1], one[1] + step, other[0], other[0] - one[1])
            for one, other in zip(runs, runs[1:], strict=False)
        ]
    assert rows(con, f"from ml.islands{call}") == expected
    assert rows(con, f"from ml.gaps{call}") == missing


def test_days_and_times(con):
    days = [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1), date(2024, 3, 3)]
    load(con, "t", "day date", [[day] for day in days])
    assert rows(con, "select first_value, last_value, n_values from ml.islands('t', 'day')") == [
        (days[0], days[2], 3),
        (days[3], days[3], 1),
    ]
    assert rows(con, "from ml.gaps('t', 'day')") == [(days[2], date(2024, 3, 2), days[3], 2)]
    # a step later is still on the island, a microsecond more is not
    times = [
        datetime(2024, 1, 1, 0, 0),
        datetime(2024, 1, 1, 0, 30),
        datetime(2024, 1, 1, 1, 0, 0, 1),
    ]
    load(con, "t", "seen timestamp", [[time] for time in times])
    assert rows(con, "select n_rows from ml.islands('t', 'seen', step := '30 minutes')") == [
        (2,),
        (1,),
    ]
    # months go by the calendar
    load(con, "t", "month date", [[date(2024, m, 1)] for m in (1, 2, 3, 5)])
    assert rows(con, "select n_rows from ml.islands('t', 'month', step := interval 1 month)") == [
        (3,),
        (1,),
    ]


@pytest.mark.parametrize("function", ["islands", "gaps"])
def test_no_rows(con, function):
    load(con, "t", "id int", [])
    assert rows(con, f"from ml.{function}('t', 'id')") == []
    load(con, "t", "id int", [[None]])
    assert rows(con, f"from ml.{function}('t', 'id')") == []
