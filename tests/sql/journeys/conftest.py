"""Small events in a table, and strategies that make them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import strategies as st

BEGIN = datetime(2026, 3, 1)

# few users and minutes, so that users meet, events tie and steps repeat; some have no user or time
user_events = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, None]),
        st.one_of(st.none(), st.integers(0, 40), st.integers(0, 40)),
        st.sampled_from("ABCX"),
    ),
    max_size=40,
)


def at(minutes):
    return None if minutes is None else BEGIN + timedelta(minutes=minutes)


@pytest.fixture(scope="module")
def load(con):
    """Put (user, minutes, event) into the table "my events" with names that need quoting."""

    def put(rows, kind="timestamp"):
        con.execute(
            f'create or replace table "my events" ("the ""user""" integer, "at" {kind}, event varchar)'
        )
        if rows:
            con.executemany(
                'insert into "my events" values (?, ?, ?)', [[u, at(m), e] for u, m, e in rows]
            )

    return put


@pytest.fixture(scope="module")
def ask(con):
    """Call a function on "my events"; rows as dicts."""

    def call(function, *arguments, tail="", event=""):
        listed = ", ".join(arguments)
        source = "'\"my events\"', 'the \"user\"', 'at'"
        cursor = con.execute(f"from ml.{function}({source}{', ' if listed else ''}{listed}) {tail}")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    return call
