"""Every function beyond BigQuery's, stored with a model and called in DuckDB's own 1.5 shell."""

from __future__ import annotations

import json
import subprocess
import sys

import duckdb
import pytest

import mlpond
from mlpond.models.preprocessing import FUNCTIONS

CALLS = [
    "BOX_COX(p) OVER ()",
    "BOX_COX(p, TRUE) OVER ()",
    "YEO_JOHNSON(x) OVER ()",
    "QUANTILE_TRANSFORMER(x, 100) OVER ()",
    "QUANTILE_TRANSFORMER(x, 7, 'normal') OVER ()",
    "WINSORIZER(x, 0.1, 0.9) OVER ()",
    "KBINS(x, 4) OVER ()",
    "KBINS(x, 12, 'uniform', 'bucket_numbers') OVER ()",
    "KBINS(x, 3, 'kmeans') OVER ()",
    "SPLINE(x) OVER ()",
    "SPLINE(x, 12, 2, 'quantile', 'linear', FALSE) OVER ()",
    "RARE_GROUPER(c, 20) OVER ()",
    "ORDINAL_ENCODER(c, ['a', 'b', 'c', 'it''s \"odd\"']) OVER ()",
    "COUNT_ENCODER(c, 'share') OVER ()",
    "TARGET_ENCODER(c, x) OVER ()",
    "TARGET_ENCODER(c, k) OVER ()",
    "TARGET_ENCODER(c, x > 0) OVER ()",
    "WEIGHT_OF_EVIDENCE(c, x > 0) OVER ()",
    "GROUP_STATISTIC(x, c, 'median') OVER ()",
    "GROUP_IMPUTER(x, c) OVER ()",
    "GROUP_IMPUTER(k, c, 'most_frequent') OVER ()",
    "MISSING_INDICATOR(x)",
    "CYCLICAL(x, 7)",
    "CALENDAR_PARTS(t)",
    "CALENDAR_PARTS(t, ['month', 'is_weekend'])",
    "INTERACTIONS(STRUCT(x, p), 2)",
    "TOKENS(w)",
    "CHARACTER_NGRAMS(w, [2, 3])",
    "HASHED_FEATURES(c, 8)",
    "HASHED_FEATURES(ML.TOKENS(w), 8)",
    "KNN_IMPUTER(STRUCT(x, p), 3, 'distance') OVER ()",
    "LAG(c, 2) OVER (PARTITION BY k ORDER BY t)",
    "ROLLING(x, '3 days', 'median') OVER (ORDER BY t)",
    "EXPANDING(x, 'stddev', 2) OVER (PARTITION BY k ORDER BY t)",
    "LAST_KNOWN(c) OVER (PARTITION BY k ORDER BY t)",
    "LINEAR_INTERPOLATION(x) OVER (PARTITION BY k ORDER BY t)",
]
BIGQUERYS = {
    "BAG_OF_WORDS", "BUCKETIZE", "DISTANCE", "FEATURE_CROSS", "HASH_BUCKETIZE", "IMPUTER",
    "LABEL_ENCODER", "LP_NORM", "MAX_ABS_SCALER", "MIN_MAX_SCALER", "MULTI_HOT_ENCODER", "NGRAMS",
    "NORMALIZER", "ONE_HOT_ENCODER", "POLYNOMIAL_EXPAND", "QUANTILE_BUCKETIZE", "ROBUST_SCALER",
    "STANDARD_SCALER", "TF_IDF",
}  # fmt: skip


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What the session and the shell say of rows that the model was not fitted on."""
    path = tmp_path_factory.mktemp("shell") / "pond.duckdb"
    with mlpond.connect(path) as pond:
        pond.sql(
            "create table t as select case when i % 11 > 0 then (hash(i) % 1000) / 50.0 - 8 end::double "
            "as x, 1.0 + (hash(i, 1) % 1000) / 100.0::double as p, ['a', 'b', 'c', null, 'it''s "
            "\"odd\"'][1 + (hash(i, 2) % 5)::integer] as c, ['u', 'v', 'w'][1 + (hash(i, 3) % 3)::integer] "
            "as k, timestamp '2024-01-30' + to_hours(31 * i::integer) as t, 'The ' || c || ' é' as w, i as id "
            "from range(200) as r(i)"
        )
        pond.sql(
            "create table new as select * from t limit 20; insert into new values "
            "(-1e6, -1.0, 'unseen', null, null, null, 301), (1e6, 1e6, null, 'u', '2024-02-29', '', 302), "
            "('nan', 'nan', 'a', 'zz', '1969-12-31', 'A', 303), (null, null, null, null, null, 'x y', 304)"
        )
        items = ", ".join(f"ML.{call} AS z{i}" for i, call in enumerate(CALLS))
        pond.sql(
            f"create model m transform (id, {items}) options (model_type = 'transform_only') as from t"
        )
        query = "select to_json(v)::varchar as j from ml.transform('m', 'new') as v order by v.id"
        inside = [json.loads(row[0]) for row in pond.con.execute(query).fetchall()]
        state = pond.con.execute("select distinct function from ml.transform_state").fetchall()
        pond.sql(f"export model m options (uri = '{path.parent}/out')")
    done = subprocess.run(
        [sys.executable.removesuffix("python") + "duckdb", "-noheader", "-list", str(path), query],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.stderr, done.stderr[:2000]
    outside = [json.loads(line) for line in done.stdout.splitlines()]
    with duckdb.connect() as con:
        con.execute((path.parent / "out" / "transform.sql").read_text()).fetchall()
        con.execute(f"attach '{path}' as pond (read_only)").fetchall()
        exported = con.execute(query.replace("'m', 'new'", "'pond.new'")).fetchall()
    return inside, outside, {row[0] for row in state}, [json.loads(row[0]) for row in exported]


def flat(value):
    """Numbers and texts of nested lists and structs, in order."""
    if isinstance(value, dict):
        return [v for item in value.values() for v in flat(item)]
    if isinstance(value, list):
        return [v for item in value for v in flat(item)]
    return [value]


@pytest.mark.parametrize("i", range(len(CALLS)), ids=lambda i: CALLS[i])
def test_the_shell_says_what_the_session_says(answers, i):
    inside, outside, _, _ = answers
    assert len(inside) == len(outside) == 24
    found, expected = (flat([row[f"z{i}"] for row in rows]) for rows in (outside, inside))
    assert any(value is not None for value in expected)
    for a, b in zip(found, expected, strict=True):
        assert a == (pytest.approx(b, rel=1e-14, nan_ok=True) if isinstance(b, float) else b)


def test_an_exported_clause_says_the_same(answers):
    """Of functions with defaults too, which DuckDB does not tell of a macro."""
    inside, _, _, exported = answers
    assert json.dumps(exported) == json.dumps(inside)


def test_what_was_learnt_is_rows(answers):
    named = {call.split("(")[0] for call in CALLS if call.endswith("OVER ()")}
    assert answers[2] == named


def test_every_function_is_here():
    assert {call.split("(")[0] for call in CALLS} == set(FUNCTIONS) - BIGQUERYS
