"""Rare, ordinal and counted categories, statistics of groups, and features of a row alone."""

from __future__ import annotations

import datetime
import hashlib
import math

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import OrdinalEncoder, PolynomialFeatures

import mlpond
from mlpond.errors import InputError, StatementError
from tests.models.preprocessing.clause import apply, fitted, load, state

SIZES = ["small", "large", "medium", "small", None]
X = ["a", "a", "a", "b", "b", "c", None, 'd "odd"']


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        yield session


def test_rare_categories_are_one(pond):
    load(pond, x=X)
    load(pond, "new", x=["a", "c", "z", None])
    found = apply(pond, "ML.RARE_GROUPER(x, 2) OVER () AS z", "new")
    assert found == ["a", "other", "other", None]
    found = apply(pond, "ML.RARE_GROUPER(x, 0.3, 'the rest') OVER () AS z", "new")
    assert found == ["a", "the rest", "the rest", None]
    assert state(pond, "ML.RARE_GROUPER(x, 0.3) OVER () AS z").numbers == {"least": 2.4}
    assert apply(pond, "ML.RARE_GROUPER(x) OVER () AS z") == X  # 1 of 8 rows is more than 5 %
    none = apply(pond, "ML.RARE_GROUPER(x) OVER () AS z", "new", "(from t where false)")
    assert none == ["other", "other", "other", None]


def test_an_order_that_is_given(pond):
    load(pond, x=SIZES)
    order = ["small", "medium", "large"]
    load(pond, "new", x=["large", "huge", None, "small"])
    clause = f"ML.ORDINAL_ENCODER(x, {order}) OVER () AS z"
    assert apply(pond, clause, "new") == [3, None, None, 1]
    peer = OrdinalEncoder(categories=[order]).fit_transform(np.array(SIZES[:4])[:, None])[:, 0]
    assert apply(pond, clause)[:4] == list(peer + 1)  # from 1, as ML.LABEL_ENCODER counts
    with pytest.raises(InputError, match="hold 'large', which the order 'small', 'medium' does"):
        apply(pond, "ML.ORDINAL_ENCODER(x, ['small', 'medium']) OVER () AS z")
    with pytest.raises(InputError, match="the order names small more than once"):
        apply(pond, "ML.ORDINAL_ENCODER(x, ['small', 'small']) OVER () AS z")
    with pytest.raises(StatementError, match="order is \\[\\]; it must be a list of categories"):
        apply(pond, "ML.ORDINAL_ENCODER(x, []) OVER () AS z")
    load(pond, x=[3, 1, 2])
    assert apply(pond, "ML.ORDINAL_ENCODER(x, [1, 3, 2]) OVER () AS z") == [2, 1, 3]


@pytest.mark.parametrize(
    "x, order, expected",
    [
        ("2.0::double", "[1, 2]", 2),
        ("2.00::decimal(9, 2)", "[3, 2.0]", 2),
        ("7::utinyint", "['9', '7']", 2),
        ("true", "[false, true]", 2),
        ("date '2024-01-01'", "['2024-01-02', '2024-01-01']", 2),
        ("'a'::enum('a', 'b')", "['b', 'a']", 2),
        ("'1'", "['1.0', '1']", 2),  # of texts only the same is the same
        ("null::integer", "[1, 2]", None),
    ],
)
def test_an_order_of_other_types_than_text(pond, x, order, expected):
    source = f"(select {x} as x)"
    assert apply(pond, f"ML.ORDINAL_ENCODER(x, {order}) OVER () AS z", source, source) == [expected]
    assert pond.engine.value(f"select ml.ordinal_encoder({x}, {order})") == expected


@settings(deadline=None, max_examples=15)
@given(x=st.lists(st.sampled_from(["a", "b", 'c"', None]), min_size=1, max_size=30))
def test_counts_are_counts(pond, x):
    load(pond, x=x)
    assert apply(pond, "ML.COUNT_ENCODER(x) OVER () AS z") == [x.count(v) for v in x]
    shares = apply(pond, "ML.COUNT_ENCODER(x, 'share') OVER () AS z")
    assert shares == pytest.approx([x.count(v) / len(x) for v in x], rel=1e-15)


def test_counts_of_what_was_not_seen(pond):
    load(pond, x=["a", "a"])
    load(pond, "new", x=["a", "z", None])
    assert apply(pond, "ML.COUNT_ENCODER(x) OVER () AS z", "new") == [2, 0, 0]
    empty = "(from t where false)"
    for unit in ("count", "share"):
        clause = f"ML.COUNT_ENCODER(x, '{unit}') OVER () AS z"
        assert apply(pond, clause, "new", empty) == [0, 0, 0]


# k, d and z are a number, an amount and a time; v and w lists of numbers and times; y a label
OF_CATEGORIES = [
    *(f"{call} OVER ()" for c in "kz" for call in (
        f"LABEL_ENCODER({c})", f"ONE_HOT_ENCODER({c}, 'most_frequent')", f"COUNT_ENCODER({c})",
        f"RARE_GROUPER({c}, 1)", f"TARGET_ENCODER({c}, y)", f"WEIGHT_OF_EVIDENCE({c}, y)",
        f"GROUP_STATISTIC(i, {c})", f"GROUP_IMPUTER(nullif(i, 9), {c})",
    )),
    *(f"{call} OVER ()" for c in "vw" for call in (
        f"MULTI_HOT_ENCODER({c})", f"BAG_OF_WORDS({c})", f"TF_IDF({c})",
    )),
    *(f"HASH_BUCKETIZE({c}, 64)" for c in "kz"), *(f"HASHED_FEATURES({c}, 64)" for c in "vw"),
    "FEATURE_CROSS(STRUCT(k, d, z), 3)", "IMPUTER(z, 'most_frequent') OVER ()",
    "ORDINAL_ENCODER(k, ['0', '1', '2']) OVER ()", "LABEL_ENCODER(d) OVER ()",
]  # fmt: skip


def test_a_category_is_the_same_in_every_zone_and_type_of_number(pond):
    pond.con.execute("set timezone = 'UTC'").fetchall()
    pond.con.execute(
        "create or replace table t as select i, i % 3 as k, (i % 3 / 2)::decimal(4, 2) as d, "
        "timestamptz '2024-03-30 23:00+00' + to_hours(i::integer % 3) as z, [k, 2] as v, [z] as w, "
        "i % 2 = 0 as y, from range(60) as r(i)"
    ).fetchall()
    items = ", ".join(f"ML.{call} AS z{n}" for n, call in enumerate(OF_CATEGORIES))
    learnt = fitted(pond, items)
    expected = pond.con.execute(learnt.query("t")).fetchall()
    calls = "RARE_GROUPER(z, 1) OVER (), LABEL_ENCODER(z) OVER (), MULTI_HOT_ENCODER(w) OVER (), HASH_BUCKETIZE(z, 64)"
    query = f"select ML.{calls.replace('), ', '), ML.')}, ml.label_encoder(z) from t order by i"
    in_query = pond.sql(query).fetchall()
    assert expected[1][OF_CATEGORIES.index("IMPUTER(z, 'most_frequent') OVER ()")] == (
        "2024-03-31 00:00:00+00"
    )
    pond.con.execute("set timezone = 'Europe/Berlin'").fetchall()  # 02:00 there is left out
    for kinds in (
        "k as k",  # as they are
        "k::double as k, v::double[] as v, d::float as d",
        "k::decimal(5, 1) as k, v::utinyint[] as v, d::double as d",
        "k::varchar as k, v::varchar[] as v, d::varchar as d",
    ):
        source = f"(select * replace ({kinds}) from t)"
        assert pond.con.execute(learnt.query(source)).fetchall() == expected
    assert pond.sql(query).fetchall() == in_query
    pond.con.execute("reset timezone").fetchall()


def test_a_number_that_the_trained_type_would_round_is_not_a_category(pond):
    load(pond, x=[1, 2, 2])
    load(pond, "new", x=[1.0, 1.5, 2.0, 1e30, math.nan, math.inf, None])
    found = apply(pond, "ML.LABEL_ENCODER(x, 9, 1) OVER () AS z", "new")
    assert found == [1, 0, 2, 0, 0, 0, 0]
    never = "(select timestamptz 'infinity' as x)"
    assert apply(pond, "ML.RARE_GROUPER(x, 1) OVER () AS z", never, never) == ["infinity"]


GROUPS = {
    "x": [1.0, 2.0, 6.0, 10.0, None, None, 4.0, None],
    "g": ["a", "a", "a", "b", "b", "c", None, "z"],
}


@pytest.mark.parametrize(
    "statistic, a, b, every",
    [
        ("mean", 3.0, 10.0, 4.6),
        ("median", 2.0, 10.0, 4.0),
        ("min", 1.0, 10.0, 1.0),
        ("max", 6.0, 10.0, 10.0),
        ("stddev", math.sqrt(7.0), math.sqrt(12.8), math.sqrt(12.8)),  # of b one value is known
    ],
)
def test_statistics_of_groups(pond, statistic, a, b, every):
    load(pond, **GROUPS)
    load(pond, "new", x=[0.0] * 4, g=["a", "b", "c", "unseen"])
    found = apply(pond, f"ML.GROUP_STATISTIC(x, g, '{statistic}') OVER () AS z", "new")
    # of c nothing is known, nor of a group that was not seen: the statistic of all rows
    assert found == pytest.approx([a, b, every, every], rel=1e-15)


def test_null_is_a_group(pond):
    load(pond, **GROUPS)
    found = apply(pond, "ML.GROUP_STATISTIC(x, g) OVER () AS z")
    assert found[6] == 4.0


def test_imputation_within_groups(pond):
    load(pond, **GROUPS)
    mean = apply(pond, "ML.GROUP_IMPUTER(x, g) OVER () AS z")
    assert mean == pytest.approx([1.0, 2.0, 6.0, 10.0, 10.0, 4.6, 4.0, 4.6], rel=1e-15)
    load(pond, x=["u", "v", "v", "w", None, None], g=["a", "a", "a", "b", "a", "c"])
    most = apply(pond, "ML.GROUP_IMPUTER(x, g, 'most_frequent') OVER () AS z")
    assert most == ["u", "v", "v", "w", "v", "v"]
    days = [datetime.date(2024, 1, 1), None, datetime.date(2024, 1, 2)]
    load(pond, x=days, g=[1, 1, 2])
    assert apply(pond, "ML.GROUP_IMPUTER(x, g, 'most_frequent') OVER () AS z")[1] == days[0]
    with pytest.raises(InputError, match="x has type DATE, which has no median; use 'most_freq"):
        apply(pond, "ML.GROUP_IMPUTER(x, g, 'median') OVER () AS z")


@pytest.mark.parametrize(
    "kind, values",
    [
        ("double", "1, 2, 2, 'nan', 'nan', 'nan'"),  # NaN is missing, as for ML.IMPUTER
        ("blob", "'a', 'b', 'b'"),
        ("interval", "'1 month', '1 day', '1 day'"),
        ("timestamptz", "'2024-01-01 00:00+02', '2024-01-02 00:00+00', '2024-01-02 00:00+00'"),
        ("hugeint", "1, 170141183460469231731687303715884105727, 170141183460469231731687303715884105727"),
        # what Python's dates do not hold
        ("date", "'2024-01-01', '0044-03-15 (BC)', '0044-03-15 (BC)'"),
        ("date", "'2024-01-01', 'infinity', 'infinity'"),
        ("timestamp", "'2024-01-01 00:00', '-infinity', '-infinity'"),
        ("timestamp_ns", "'2024-01-01 00:00', '2024-01-01 00:00:00.000000009', '2024-01-01 00:00:00.000000009'"),
    ],
)  # fmt: skip
def test_modes_of_groups_of_any_type(pond, kind, values):
    text = ", ".join(f"{value}::{kind}" for value in values.split(", "))
    source = f"(select unnest([{text}, null]) as x)"
    call = "ML.GROUP_IMPUTER(x, 'g', 'most_frequent') OVER ()"
    found = apply(pond, f"{call}::varchar AS z", source, source)
    assert found[-1] == found[1]
    assert found[0] != found[1]
    for encoder in ("WEIGHT_OF_EVIDENCE", "TARGET_ENCODER"):  # of two values, a label too
        if kind not in ("double", "hugeint"):
            assert state(pond, f"ML.{encoder}('g', x) OVER () AS z", source).listed("encoding_0")
    if kind == "double":
        assert found == ["1.0"] + ["2.0"] * 6
        mean = apply(pond, "ML.GROUP_IMPUTER(x, 'g') OVER () AS z", source, source)
        assert mean[3:] == [pytest.approx(5 / 3, rel=1e-15)] * 4


def test_nothing_known_of_any_group(pond):
    load(pond, g=["a", "b"])
    for call in ("GROUP_STATISTIC(x, g)", "GROUP_IMPUTER(x, g)"):
        source = "(select null::double as x, g from t)"
        assert apply(pond, f"ML.{call} OVER () AS z", source, source) == [None, None]


def test_missing_and_cyclical(pond):
    load(pond, x=[0.0, 6.0, 23.0, 24.0, -1.0, None])
    assert apply(pond, "ML.MISSING_INDICATOR(x) AS z") == [0, 0, 0, 0, 0, 1]
    found = apply(pond, "ML.CYCLICAL(x, 24) AS z")
    assert found[-1] == {"sin": None, "cos": None}
    angles = 2 * np.pi * np.array([0.0, 6.0, 23.0, 24.0, -1.0]) / 24
    assert [v["sin"] for v in found[:-1]] == pytest.approx(np.sin(angles), abs=1e-15)
    assert [v["cos"] for v in found[:-1]] == pytest.approx(np.cos(angles), abs=1e-15)
    assert found[0] == found[3]
    with pytest.raises(StatementError, match="period is 0; it must be a number above 0"):
        apply(pond, "ML.CYCLICAL(x, 0) AS z")
    with pytest.raises(duckdb.Error, match="ml.cyclical: period is -1; it must be above 0"):
        pond.con.execute("select ml.cyclical(1, -1)")


def test_calendar_parts(pond):
    moments = [datetime.datetime(2024, 2, 29, 13, 45, 10), datetime.datetime(2023, 1, 1), None]
    load(pond, t=moments)
    found = apply(pond, "ML.CALENDAR_PARTS(t) AS z")
    assert list(found[0].values()) == [2024, 1, 2, 9, 29, 60, 4, 13, 45, 10, False, False, True]
    assert list(found[1].values()) == [2023, 1, 1, 52, 1, 1, 7, 0, 0, 0, True, True, False]
    assert set(found[2].values()) == {None}
    some = apply(pond, "ML.CALENDAR_PARTS(t::date, ['month', 'is_weekend']) AS z")
    assert some[:2] == [{"month": 2, "is_weekend": False}, {"month": 1, "is_weekend": True}]
    pond.con.execute("set timezone = 'Asia/Tokyo'").fetchall()
    zoned = apply(pond, "ML.CALENDAR_PARTS(t::timestamptz, ['hour']) AS z")
    assert zoned[0] == {"hour": 4}  # 13:45 in Tokyo is 04:45 UTC
    pond.con.execute("reset timezone").fetchall()
    with pytest.raises(StatementError, match=r"parts is \['moon'\]; it must be a list of year"):
        apply(pond, "ML.CALENDAR_PARTS(t, ['moon']) AS z")


def test_interactions_are_those_of_scikit_learn(pond):
    rows = np.random.default_rng(0).normal(size=(20, 3))
    load(pond, a=rows[:, 0], b=rows[:, 1], c=rows[:, 2])
    for degree in (2, 3):
        peer = PolynomialFeatures(degree, interaction_only=True, include_bias=False)
        expected = peer.fit_transform(rows)
        found = apply(pond, f"ML.INTERACTIONS(STRUCT(a, b, c), {degree}) AS z")
        names = [n.replace(" ", "_") for n in peer.get_feature_names_out(["a", "b", "c"])]
        assert set(found[0]) == set(names)
        columns = np.array([[row[name] for name in names] for row in found])
        assert columns == pytest.approx(expected, rel=1e-15)


TEXTS = ["The cat sat, the CAT!", "Ünïcode naïve", "a b", "", "x  y z"]


def test_tokens_and_characters_are_those_of_scikit_learn(pond):
    load(pond, t=[*TEXTS, None])
    words = CountVectorizer().build_analyzer()
    assert apply(pond, "ML.TOKENS(t) AS z") == [*map(words, TEXTS), None]
    letters = CountVectorizer(analyzer="char", ngram_range=(1, 3)).build_analyzer()
    found = apply(pond, "ML.CHARACTER_NGRAMS(t, [1, 3]) AS z")
    assert [sorted(v) for v in found[:-1]] == [sorted(letters(text)) for text in TEXTS]
    assert found[-1] is None
    assert apply(pond, "ML.TOKENS(t, '[a-z]+') AS z")[2] == ["a", "b"]
    assert apply(pond, "ML.NGRAMS(ML.TOKENS(t), 2) AS z")[0][:2] == ["the cat", "cat sat"]


def test_hashed_features_keep_products(pond):
    """What hashing promises: the product of two rows is right on average over the columns."""
    words = [f"w{i}" for i in range(40)]
    load(pond, x=words, t=[[w, w, None, "the"] for w in words])
    found = apply(pond, "ML.HASHED_FEATURES(x, 64) AS z")
    assert all(len(v) == 1 and abs(v[0]["value"]) == 1 for v in found)
    assert {v[0]["index"] for v in found} <= set(range(64))
    assert {v[0]["value"] for v in found} == {-1.0, 1.0}
    assert len({v[0]["index"] for v in found}) > 20
    tokens = apply(pond, "ML.HASHED_FEATURES(t, 1000003) AS z")
    assert all(sorted(abs(e["value"]) for e in v) == [1.0, 2.0] for v in tokens)
    one = pond.con.execute("select ml.hashed_features(['cat'], 1000)").fetchall()[0][0]
    # MD5 of 'cat', outside of DuckDB
    digest = int.from_bytes(hashlib.md5(b"cat").digest(), "little")
    upper, lower = digest % 2**64, digest // 2**64
    assert one == [{"index": lower % 1000, "value": 1.0 - 2.0 * (upper % 2)}]
