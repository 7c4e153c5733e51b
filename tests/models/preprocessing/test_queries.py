"""The functions beyond BigQuery's with OVER () in a query: the clause fitted on the same rows."""

from __future__ import annotations

import json
import subprocess
import sys

import duckdb
import pytest

import mlpond
from mlpond.errors import InputError, StatementError
from mlpond.sql.dialect.preprocessing import LEARNT_FIRST
from tests.models.preprocessing.clause import apply
from tests.models.preprocessing.test_shell import CALLS, flat

LEARNING = [call for call in CALLS if call.endswith("OVER ()")]
CROSS_FITTED = ("TARGET_ENCODER", "WEIGHT_OF_EVIDENCE")
WINDOWS = [call for call in LEARNING if call.split("(")[0] not in LEARNT_FIRST]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("queries") / "pond.duckdb"
    with mlpond.connect(path) as pond:
        pond.sql(
            "create table t as select i, case when i % 11 > 0 then (hash(i) % 1000) / 50.0 - 8 "
            "end::double as x, 1.0 + (hash(i, 1) % 1000) / 100.0::double as p, ['a', 'b', 'c', null, "
            "'it''s \"odd\"'][1 + (hash(i, 2) % 5)::integer] as c, ['u', 'v', 'w'][1 + (hash(i, 3) % "
            "3)::integer] as k from range(200) as r(i)"
        )
    return path


@pytest.fixture(scope="module")
def pond(path):
    with mlpond.connect(path, read_only=True) as session:
        yield session


def same(found, expected):
    found, expected = flat(found), flat(expected)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a == (pytest.approx(b, rel=1e-12, abs=1e-14) if isinstance(b, float) else b)


@pytest.mark.parametrize("call", LEARNING)
def test_a_query_is_the_clause(pond, call):
    query = pond.sql(f"select ML.{call} as z from t where i < 150 order by i")
    found = [row[0] for row in query.fetchall()]
    source = "(from t where i < 150)"
    if call.startswith(CROSS_FITTED):  # in a query the fold goes by the place of the row
        assert len({json.dumps(v) for v in found}) > 10
        return
    same(found, apply(pond, f"ML.{call} AS z", source, source))


@pytest.mark.parametrize("call", WINDOWS)
def test_the_shell_has_the_windows(path, pond, call):
    bare = call.removesuffix(" OVER ()")
    query = f"select to_json({{'z': ml.{bare}}})::varchar from t order by i"
    done = subprocess.run(
        [sys.executable.removesuffix("python") + "duckdb", "-noheader", "-list", "-readonly",
         str(path), query],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.stderr, done.stderr[:2000]
    found = [json.loads(line)["z"] for line in done.stdout.splitlines()]
    same(found, apply(pond, f"ML.{call} AS z"))


def test_the_encoding_of_a_row_in_a_query_leaves_its_fold_out(pond):
    rows = "(values ('a', 1.0), ('a', 2.0), ('b', 9.0), ('a', 4.0)) as v(c, y)"
    found = pond.sql(f"select ML.TARGET_ENCODER(c, y, 0, 100) OVER () from {rows}").fetchall()
    # 100 folds of 4 rows: each row is a fold of its own, or shares it with another one
    values = [row[0] for row in found]
    assert values[0] not in (1.0, pytest.approx(7 / 3), None)


def test_several_calls_ctes_and_groups(pond):
    found = pond.sql(
        "with q as (select * from t where i < 60) select q.x, ML.SPLINE(q.x, 3, 1) OVER () as s, "
        "ML.KBINS(p, 3) OVER () as b, ML.COUNT_ENCODER(c) OVER (PARTITION BY k) as n from q "
        "where q.x > 0 order by q.x limit 2"
    ).fetchall()
    assert found[0][1] == [1.0, 0.0, 0.0]  # learnt from the rows above 0
    assert all(row[2].startswith("bin_") for row in found)


@pytest.mark.parametrize(
    "query, message",
    [
        ("select ML.SPLINE(x) OVER (partition by c) from t", "only OVER \\(\\) is accepted"),
        ("select ML.SPLINE(zz) OVER () from t", "learns before the query runs.*zz"),
        ("select ML.SPLINE(c) OVER () from t", "x has type VARCHAR; it must be a number"),
        ("select ML.SPLINE(x) from t", "write OVER \\(\\) behind it"),
        ("select ML.SPLINE(1.0) OVER ()", "so that its dictionary can be learnt"),
    ],
)
def test_what_a_query_cannot_ask(pond, query, message):
    with pytest.raises((InputError, StatementError), match=message):
        pond.sql(query)


@pytest.mark.parametrize(
    "call, message",
    [
        ("winsorizer(x, 0.9, 0.1)", "lower is 0.9 and upper 0.1"),
        ("rare_grouper(c, 0)", "threshold is 0"),
        ("count_encoder(c, 'rate')", "unit is rate"),
        ("group_statistic(x, c, 'mode')", "statistic is mode"),
        ("weight_of_evidence(c, x > 0, 0)", "smoothing is 0"),
        ("weight_of_evidence(c, true)", "the label has one value"),
    ],
)
def test_what_the_macros_refuse(pond, call, message):
    with pytest.raises(duckdb.Error, match=f"ml.{call.split('(')[0]}: {message}"):
        pond.con.execute(f"select ml.{call} from t").fetchall()
