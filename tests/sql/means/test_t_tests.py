"""t tests of many metrics: the same as the aggregates, row for row."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import mlpond

FIELDS = (
    "statistic, df, p_value, log10_p_value, estimate, standard_error, ci_lower, ci_upper, "
    "effect_size, n, n_missing"
)
rows = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.booleans(),
        st.one_of(st.none(), st.integers(-50, 50).map(float), st.just(float("nan"))),
        st.floats(-1e6, 1e6),
    ),
    min_size=1,
    max_size=40,
)


@pytest.fixture(scope="module")
def con():
    with mlpond.connect() as session:
        session.con.execute("create table t (g varchar, arm boolean, x double, y double)")
        yield session.con


def fill(con, values):
    con.execute("delete from t")
    con.executemany("insert into t values (?, ?, ?, ?)", values)


@given(values=rows)
@pytest.mark.parametrize(
    ("method", "aggregate"), [("welch", "t_test_welch"), ("pooled", "t_test_ind")]
)
def test_agrees_with_the_aggregates(con, method, aggregate, values):
    fill(con, values)
    found = con.execute(
        f"select segment, metric, {FIELDS} from ml.t_tests('t', ['x', 'y'], 'arm', "
        f"segment := 'g', method := '{method}') order by 1, 2"
    ).fetchall()
    expected = con.execute(
        f"select g, m, unnest(test) from (select g, 'x' as m, ml.{aggregate}(x, arm) as test from t "
        f"group by g union all select g, 'y', ml.{aggregate}(y, arm) from t group by g) order by 1, 2"
    ).fetchall()
    # one arm alone in all the data has no treatment to name, but then there is no test either
    if len({arm for _, arm, _, _ in values}) == 2:
        assert len(found) == len(expected)
        for ours, theirs in zip(found, expected, strict=True):
            # the same sums, added in another order of rows
            assert ours[:2] == theirs[:2]
            for a, b in zip(ours[2:], theirs[2:], strict=True):
                assert a == (b if b is None else pytest.approx(b, rel=1e-9, abs=1e-12))


def test_agrees_with_scipy(con):
    fill(con, [("a", i % 3 == 0, float(i % 7), i**1.5) for i in range(60)])
    ((metric, statistic, p, low, high),) = con.execute(
        "select metric, statistic, p_value, ci_lower, ci_upper from ml.t_tests('t', ['y'], 'arm')"
    ).fetchall()
    treatment = [i**1.5 for i in range(60) if i % 3 == 0]
    control = [i**1.5 for i in range(60) if i % 3]
    expected = stats.ttest_ind(treatment, control, equal_var=False)
    interval = expected.confidence_interval()
    # means of 60 values near 200, differences near 1: a relative 1e-13 of rounding
    assert (metric, statistic, p) == (
        "y", pytest.approx(expected.statistic, rel=1e-11), pytest.approx(expected.pvalue, rel=1e-11),
    )  # fmt: skip
    assert (low, high) == pytest.approx((interval.low, interval.high), rel=1e-11)


def test_the_treatment_can_be_named(con):
    fill(con, [("a", i % 2 == 0, float(i), 0.0) for i in range(10)])
    up, down = (
        con.execute(
            f"select estimate from ml.t_tests('t', ['x'], 'arm', treatment := '{arm}')"
        ).fetchall()[0][0]
        for arm in ("true", "false")
    )
    assert (up, down) == (-1, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("['x'], 'g'", r"ml.t_tests: the group column has 3 values \(a, b, c\)"),
        ("['x'], 'arm', treatment := 'yes'", "treatment is yes; the group column has false, true"),
        (
            "['x'], 'arm', method := 'student'",
            "method is 'student'; accepted are 'welch' and 'pooled'",
        ),
        ("['x'], 'arm', alternative := 'more'", "alternative is 'more'"),
        ("['x'], 'arm', confidence_level := 95", "confidence_level is 95"),
        ("['nope'], 'arm'", "nope"),
    ],
)
def test_bad_requests_are_named(con, arguments, message):
    fill(con, [("abc"[i % 3], i % 2 == 0, float(i), 0.0) for i in range(12)])
    with pytest.raises(duckdb.Error, match=message):
        con.execute(f"from ml.t_tests('t', {arguments})").fetchall()


def test_thin_data_gives_null(con):
    fill(con, [("a", True, 1.0, None), ("a", False, 2.0, 3.0)])
    found = con.execute(
        "select metric, statistic, p_value, n, n_missing from ml.t_tests('t', ['x', 'y'], 'arm')"
    ).fetchall()
    assert found == [("x", None, None, 2, 0), ("y", None, None, 1, 1)]
