"""Duplicates, exact and near."""

from __future__ import annotations

import itertools
import math

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

ROWS = """(select * from (values
    (1, null, 'nan'::double, 'p'), (2, 'x', 1, 'q'), (3, null, 'nan', 'r'), (4, 'x', 1, 's'),
    (5, 'x', 1, 't'), (6, 'y', 1, 'u')) t(id, "my ""key"" ", v, rest))""".replace("'", "''")


def dicts(con, query):
    relation = con.sql(query)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def test_groups_of_equal_keys(con):
    found = dicts(con, f"""from ml.duplicates('{ROWS}', ['my "key" ', 'v'])""")
    assert [(r["id"], r["duplicate_group"], r["group_size"], r["is_first"]) for r in found] == [
        (1, 1, 2, True), (3, 1, 2, False), (2, 2, 3, True), (4, 2, 3, False), (5, 2, 3, False),
    ]  # fmt: skip
    assert dicts(con, f"from ml.duplicates('{ROWS}')") == []
    found = dicts(con, f"""from ml.duplicates('{ROWS}', ['my "key" '], order_by := 'rest', all_rows := true)""")  # fmt: skip
    assert len(found) == 6
    assert [r["id"] for r in found if r["is_first"]] == [1, 2, 6]


@given(st.lists(st.tuples(st.integers(0, 2), st.none() | st.integers(0, 1)), max_size=25))
@settings(max_examples=20, deadline=None)
def test_the_first_of_each_are_the_distinct_rows(con, rows):
    con.execute("create or replace table drawn_rows (a int, b int)")
    if rows:
        con.executemany("insert into drawn_rows values (?, ?)", rows)
    found = con.sql("select a, b from ml.duplicates('drawn_rows', all_rows := true) where is_first")
    assert sorted(found.fetchall(), key=str) == sorted(set(rows), key=str)


def test_of_rows_equal_in_the_order_the_least_is_first(con):
    rows = "(select * from (values (1, 5, ''b''), (1, 5, ''a''), (1, null, ''0'')) as t(k, day, v))"
    found = dicts(con, f"from ml.duplicates('{rows}', ['k'], order_by := 'day')")
    assert [row["v"] for row in found] == ["a", "b", "0"]
    assert [row["is_first"] for row in found] == [True, False, False]


def test_wrong_columns(con):
    with pytest.raises(duckdb.Error, match="ml.duplicates: the list of columns is empty"):
        con.sql(f"from ml.duplicates('{ROWS}', [])").fetchall()
    with pytest.raises(duckdb.Error, match="nowhere"):
        con.sql(f"from ml.duplicates('{ROWS}', ['nowhere'])").fetchall()


TEXTS = [
    "The quick brown fox jumps", "the  quick brown fox jumps ", "The quick brown fox jumped",
    "A wholly different sentence", "A wholly different sentenze", "naïve café — 東京", "naïve cafe — 東京",
    "", " ", "ab", None,
]  # fmt: skip


def grams(text, n=3):
    words = " ".join(text.lower().split())
    return {words[i : i + n] for i in range(max(len(words) - n + 1, 1))}


def test_pairs_are_those_of_all_pairs(con):
    con.execute("create or replace table notes as select unnest(?) as note, unnest(range(11)) as id", [TEXTS])  # fmt: skip
    found = dicts(
        con, "from ml.near_duplicates('notes', 'id', 'note', threshold := 0.4, bands := 60)"
    )
    got = {(r["key_1"], r["key_2"]): r for r in found}
    for (i, a), (j, b) in itertools.combinations(enumerate(TEXTS[:10]), 2):
        jaccard = len(grams(a) & grams(b)) / len(grams(a) | grams(b))
        # a copy is paired with the first of its kind alone: 1 with 0
        if jaccard >= 0.4 and 1 not in (i, j):
            assert got[i, j]["similarity"] == pytest.approx(jaccard)
        elif (i, j) != (0, 1):
            assert (i, j) not in got
    assert got[0, 1]["similarity"] == 1
    assert (got[0, 1]["text_2"], got[7, 8]["levenshtein"]) == (TEXTS[1], 1)


def test_other_measures(con):
    query = "from ml.near_duplicates('notes', 'id', 'note', threshold := 0.9, measure := '{}')"
    found = dicts(con, query.format("levenshtein"))
    lev = next(r["similarity"] for r in found if (r["key_1"], r["key_2"]) == (3, 4))
    assert lev == pytest.approx(1 - 1 / 27)
    found = dicts(con, query.format("jaro_winkler"))
    assert all(r["similarity"] == r["jaro_winkler"] >= 0.9 for r in found)
    for wrong in ("measure := 'x'", "threshold := 0", "n := 0", "bands := 0"):
        with pytest.raises(duckdb.Error, match="ml.near_duplicates"):
            con.sql(f"from ml.near_duplicates('notes', 'id', 'note', {wrong})").fetchall()


def test_shares_of_found_pairs_follow_the_formula(con):
    # 400 pairs of texts, of which words are changed at random, and unlike every other text
    con.execute("""
        create or replace table changed as
        select p * 2 + side as id, p, string_agg(case when side = 1 and hash(p, w, 'c') % 4 = 0
            then md5(p || '/' || w || 'x') else md5(p || '/' || w) end[:3], ' ' order by w) as note
        from range(400) a(p), range(2) b(side), range(12) c(w) group by all
    """)
    pairs = con.sql("select list(note order by id) from changed group by p").fetchall()
    expected = 0.0
    for ((a, b),) in pairs:
        s = len(grams(a) & grams(b)) / len(grams(a) | grams(b))
        expected += 1 - (1 - s**6) ** 5
    found = dicts(con, "from ml.near_duplicates('changed', 'id', 'note', threshold := 0.01, bands := 5, hashes := 6)")  # fmt: skip
    hits = sum(r["key_1"] // 2 == r["key_2"] // 2 for r in found)
    # a sum of 400 chances p has a variance of at most 400 / 4, and four deviations are 40
    assert abs(hits - expected) < 40
    assert 40 < expected < 360


def test_numbers_within_tolerances(con):
    rows = [(i, math.sin(i) * 10, math.cos(3 * i) * 5) for i in range(60)]
    con.execute('create or replace table points (id int, "a b" double, c double)')
    con.executemany("insert into points values (?, ?, ?)", rows)
    con.execute("insert into points values (60, null, 0), (61, 'nan', 0), (62, 'inf', 0)")
    found = dicts(con, "from ml.near_duplicate_numbers('points', 'id', ['a b', 'c'], [0.8, 1])")
    expected = {
        (p[0], q[0]): 1 - max(abs(p[1] - q[1]) / 0.8, abs(p[2] - q[2]))
        for p, q in itertools.combinations(rows, 2)
        if abs(p[1] - q[1]) <= 0.8 and abs(p[2] - q[2]) <= 1
    }
    assert {(r["key_1"], r["key_2"]): r["similarity"] for r in found} == pytest.approx(expected)
    for wrong in ("['c'], [1, 2]", "['c'], [0]", "['c'], ['inf'::double]", "[], []"):
        with pytest.raises(duckdb.Error, match="ml.near_duplicate_numbers"):
            con.sql(f"from ml.near_duplicate_numbers('points', 'id', {wrong})").fetchall()


ALL_PAIRS = """
    select a.id, b.id, 1 - greatest(abs(a.x - b.x) / {0}, abs(a.y - b.y) / {1}) as similarity
    from spots as a join spots as b on a.id < b.id
    where abs(a.x - b.x) <= {0} and abs(a.y - b.y) <= {1}
"""
# far apart, alike, on the edges of cells, and of sizes where a difference of 1 is lost
spot = st.sampled_from(
    [0.0, 0.1, 0.2, 0.3, 0.7, -0.1, -3.0, 1e6, 1e6 + 0.1, 1e17, 1e17 + 16, 1e300]
)


@given(st.lists(st.tuples(spot, spot), max_size=30), st.sampled_from([0.1, 0.3, 16, 1e-300, 1e300]))
@settings(max_examples=12, deadline=None)
def test_pairs_of_numbers_are_those_of_all_pairs(con, spots, tolerance):
    con.execute(
        """create or replace table spots as
        select unnest(range(len($1))) as id, unnest($1::double[]) as x, unnest($2::double[]) as y""",
        [[x for x, _ in spots], [y for _, y in spots]],
    )
    found = con.sql(
        f"from ml.near_duplicate_numbers('spots', 'id', ['x', 'y'], [{tolerance}, 0.1])"
    )
    expected = con.sql(ALL_PAIRS.format(f"{tolerance}::double", "0.1::double"))
    assert sorted(found.fetchall()) == sorted(expected.fetchall())


@pytest.mark.parametrize(
    "x, y",
    [
        ("1", "hash(i) % 1000"),  # the second column tells rows apart, the first does not
        ("hash(i, 1) % 12", "hash(i, 2) % 12"),  # neither does alone
        ("if(i = 7, 1e18::double, hash(i, 1) % 12)", "hash(i, 2) % 12"),  # one is far out
    ],
)
def test_pairs_of_many_rows_are_those_of_all_pairs(con, x, y):
    con.execute(
        f"""create or replace table spots as
        select i as id, ({x})::double as x, -(({y})::double) as y from range(1500) t(i)"""
    )
    found = con.sql("from ml.near_duplicate_numbers('spots', 'id', ['x', 'y'], [0.5, 1])")
    expected = con.sql(ALL_PAIRS.format("0.5::double", "1e0"))
    assert sorted(found.fetchall()) == sorted(expected.fetchall())
