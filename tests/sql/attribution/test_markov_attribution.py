"""Removal effects against a linear system solved by numpy, and a published example."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.calls import dicts, load, options


def markov(con, rows, **given):
    load(con, "walked", '"a path" varchar[], n double, x double, lost double', rows)
    found = con.execute(
        "from ml.markov_attribution('walked', 'a path', 'n', 'x', "
        f"non_conversions := 'lost'{options(given)})"
    )
    return {row["channel"]: row for row in dicts(found)}


def probability(rows, order, removed=None):
    """Of a conversion, by a solve over the states; a removed channel leads to nothing."""
    weights = {}
    for path, n, _, lost in rows:
        states = ["start"] + [tuple(path[max(0, i - order + 1) : i + 1]) for i in range(len(path))]
        for a, b in zip(states, states[1:], strict=False):
            weights[a, b] = weights.get((a, b), 0) + n + lost
        weights[states[-1], "conversion"] = weights.get((states[-1], "conversion"), 0) + n
        weights[states[-1], "nothing"] = weights.get((states[-1], "nothing"), 0) + lost
    inner = sorted({a for a, _ in weights}, key=str)
    Q, r = np.zeros((len(inner), len(inner))), np.zeros(len(inner))
    for (a, b), weight in weights.items():
        total = sum(w for (x, _), w in weights.items() if x == a)
        if b == "conversion":
            r[inner.index(a)] += weight / total
        elif b != "nothing" and b[-1] != removed:
            Q[inner.index(a), inner.index(b)] += weight / total
    return np.linalg.solve(np.eye(len(inner)) - Q, r)[inner.index("start")]


def test_published_example(con):
    # S. Bryl, Marketing multi-channel attribution model with R (AnalyzeCore, 2016): the paths
    # C1 > C2 > C3 > purchase, C1 > nothing, C2 > C3 > nothing have removal effects 0.5, 1 and 1,
    # so of one conversion C1 has 0.2, the others 0.4
    found = markov(
        con, [(["C1", "C2", "C3"], 1, 50, 0), (["C1"], 0, None, 1), (["C2", "C3"], 0, None, 1)]
    )
    assert {c: row["removal_effect"] for c, row in found.items()} == pytest.approx(
        {"C1": 0.5, "C2": 1, "C3": 1}
    )
    assert {c: row["conversions"] for c, row in found.items()} == pytest.approx(
        {"C1": 0.2, "C2": 0.4, "C3": 0.4}
    )
    assert found["C1"]["revenue"] == pytest.approx(10)


paths = st.lists(
    st.tuples(
        st.lists(st.sampled_from("ABCD"), min_size=1, max_size=6),
        st.integers(0, 9), st.integers(0, 20), st.integers(0, 9),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@settings(deadline=None, max_examples=12)
@given(paths, st.integers(1, 3))
def test_agrees_with_a_linear_system(con, rows, order):
    rows = [row for row in rows if row[1] + row[3] > 0]
    found = markov(con, rows, chain_order=order)
    total = sum(row[1] for row in rows)
    channels = {channel for path, *_ in rows for channel in path}
    assert set(found) == channels
    if total == 0:
        assert all(
            row["removal_effect"] is None and row["conversions"] == 0 for row in found.values()
        )
        return
    whole = probability(rows, order)
    for channel in channels:
        # at most 25 states; the solve loses digits where the chain leaves slowly, at 1/100 a step
        expected = 1 - probability(rows, order, channel) / whole
        assert found[channel]["removal_effect"] == pytest.approx(expected, abs=1e-11)
    assert sum(row["conversions"] for row in found.values()) == pytest.approx(total, rel=1e-13)
    assert sum(row["revenue"] for row in found.values()) == pytest.approx(
        sum(r[2] for r in rows), rel=1e-12
    )


def test_a_chain_that_hardly_ever_ends(con):
    # A and B follow each other a thousand million times; elimination has no 1 - p to lose digits in
    rows = [(["A", "B"] * 2, 1, 0, 0), (["B"], 0, 0, 1)]
    long = con.execute(
        "from ml.markov_attribution('(select [''A'', ''B''] as p, 1e-9 as n, 1 as lost union all "
        "select [''A''] || flatten(list_transform(range(1000), lambda i: [''B'', ''A''])) || [''C''], 2e-9, 1e-9)', "
        "'p', 'n', non_conversions := 'lost')"
    ).fetchall()
    assert {row[0] for row in long} == {"A", "B", "C"}
    effect = {row[0]: row[4] for row in long}
    assert effect["A"] == 1  # every path begins with it
    assert markov(con, rows)["B"]["removal_effect"] == pytest.approx(1, abs=1e-15)


def test_paths_as_text_and_conversions_without_touch(con):
    query = "(select * from (values ('' a>b '', 4), (''a'', 1), (null, 3), ('''', 2), (''a > > b'', 1)) t(p, n))"
    found = con.execute(f"from ml.markov_attribution('{query}', 'p', 'n')").fetchall()
    by_channel = {row[0]: row[1] for row in found}
    assert set(by_channel) == {"a", "b", None}
    assert by_channel[None] == 2
    assert sum(by_channel.values()) == pytest.approx(8)
    other = query.replace(">", "/")
    found = con.execute(
        f"select channel from ml.markov_attribution('{other}', 'p', 'n', separator := '/')"
    )
    assert {row[0] for row in found.fetchall()} == {"a", "b", None}
    every = con.execute(
        f"select sum(conversions) from ml.markov_attribution('{query}', 'p')"
    ).fetchall()
    assert every[0][0] == pytest.approx(4)  # rows with a path


def test_thin_and_wrong_data(con):
    assert markov(con, []) == {}
    assert markov(con, [(None, 1, 1, 1)]) == {}
    (one,) = markov(con, [(["A", "A"], 3, 9, 2)]).values()
    assert (one["conversions"], one["share"], one["removal_effect"], one["revenue"]) == (3, 1, 1, 9)
    with pytest.raises(duckdb.Error, match="ml.markov_attribution: a path has -1.0 conversions"):
        markov(con, [(["A"], -1, 1, 1)])
    with pytest.raises(
        duckdb.Error, match="ml.markov_attribution: chain_order is 0; it must be at least 1"
    ):
        markov(con, [(["A"], 1, 1, 1)], chain_order=0)
    many = "(select [i::varchar] as p from range(401) t(i))"
    with pytest.raises(duckdb.Error, match="401 states of 1 channels; at most 400 are solved"):
        con.execute(f"from ml.markov_attribution('{many}', 'p')").fetchall()


def test_a_long_path(con):
    # a step that held its path would need 10^10 channels
    found = con.execute(
        "select channel, removal_effect from ml.markov_attribution("
        "'(select list(chr(97 + (i % 3)::int)) as path from range(100000) r(i))', 'path')"
    ).fetchall()
    # the last of 33,334 touches of a ends the path; without b or c only the first can
    alone = 1 - 1 / 33334
    assert sorted(found) == [("a", 1), ("b", pytest.approx(alone)), ("c", pytest.approx(alone))]
