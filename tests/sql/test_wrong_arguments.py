"""Arguments that cannot be meant are errors that say what is accepted, and never an empty answer."""

from __future__ import annotations

import duckdb
import pytest

from tests.sql.relations import load, rows

CALLS = [
    ("sessions('t', 'u', 'at', gap := 30)", "gap is 30; it must be an interval longer than nothing, such as 30 minutes"),
    ("session_summary('t', 'u', 'at', max_length := '60')", "max_length is 60; it must be an interval"),
    ("retention('t', 'u', 'at', method := 'bracket', brackets := [-1, 2])", "must ascend from 0 or more"),
    ("stickiness('t', 'u', 'at', period := 'day', unit := 'month')", "unit is month and period is day; the unit must not be longer"),
    ("active_users('t', 'u', 'at', week_days := 0)", "week_days is 0; it must be at least 1"),
    ("active_users('t', 'u', 'at', month_days := NULL)", "month_days is NULL; it must be at least 1"),
    ("paths('t', 'u', 'at', 'e', max_steps := 0)", "max_steps is 0; it must be at least 1"),
    ("paths('t', 'u', 'at', 'e', top_n := -1)", "top_n is -1; it must be at least 1"),
    ("next_events('t', 'u', 'at', 'e', max_steps := -1)", "max_steps is -1; it must be at least 0"),
    ("rfm('t', 'u', 'at', groups := NULL)", "groups is NULL; it must be at least 2"),
    ("customer_value('t', 'u', 'at', 'x', margin := NULL)", "margin is NULL; it must be a number"),
    ("cohort_value('t', 'u', 'at', 'x', discount_rate := NULL)", "discount_rate is NULL; it must be above -1"),
    ("churn_labels('t', 'u', 'at', NULL)", "cutoffs is NULL; give one time, or a list of times"),
    ("churn_labels('t', 'u', 'at', [])", "cutoffs is '\\[\\]'; give a time"),
    ("churn_labels('t', 'u', 'at', '2026-01-01', active_within := 30)", "active_within is 30; it must be an interval"),
    ("attribution('t', 'u', 'at', 'e', 't', 'at', lookback := '-1 day')", "lookback is -1 day; it must be an interval"),
    ("conversion_paths('t', 'u', 'at', 'e', 't', 'at', lookback := 30)", "lookback is 30; it must be an interval"),
    ("attribution_touches('t', 'u', 'at', 'e', 't', 'at', half_life := NULL)", "half_life is NULL; it must be an interval"),
    ("association_rules('t', 'u', 'e', min_confidence := 60)", "min_confidence is 60.0; it must be a share"),
    ("association_rules('t', 'u', 'e', min_confidence := NULL)", "min_confidence is NULL; it must be a share"),
    ("frequent_itemsets('t', 'u', 'e', max_size := 0)", "max_size is 0; it must be at least 1"),
    ("islands('t', 'x', step := 0)", "ml.islands: step is 0; it must be a number above 0"),
    ("gaps('t', 'x', step := NULL)", "ml.gaps: step is NULL; it must be a number or an interval"),
    ("fill_gaps('t', 'at', 'x', step := '-1 day')", "ml.fill_gaps: step is -1 day; it must be a number or an interval with a unit, and not negative"),
    ("fill_gaps('(from t union all select 1, timestamp ''infinity'', ''a'', 1)', 'at', 'x')", "times reach from 2026-01-01 10:00:00 to infinity; leave out those"),
    ("fill_gaps('(select \"at\"::date as day, x from t)', 'day', 'x', step := '12 hours')", "step is 12:00:00, and the time is a DATE; give whole days"),
    ("moving('t', 'at', 'x', before := '6 days')", "before is 6 days, a length of time, and frame is rows; give a number, or frame := 'range'"),
    ("moving('t', 'at', 'x', after := '1 hour')", "after is 01:00:00, a length of time, and frame is rows"),
    ("deduplicate('t', [], 'at')", "ml.deduplicate: keys is empty"),
    ("deduplicate('t', NULL, 'at')", "ml.deduplicate: keys is NULL; give the names of columns"),
    ("retention(NULL, 'u', 'at')", "ml.retention: source is NULL; give a table or \\(query\\)"),
    ("funnel('t', NULL, 'at', ['a'])", "ml.funnel: user is NULL; give the name of a column"),
    ("streaks('t', 'at', NULL)", "ml.streaks: value is NULL; give SQL over the columns of the source"),
    ("moving('t', 'at', 'x', before := NULL)", "before is NULL; it must be a number or an interval"),
    ("moving('t', 'at', 'x', before := 2.5)", "before is 2.5, and frame is rows; give a whole number"),
    ("running('t', 'at', 'x', min_values := 0)", "ml.running: min_values is 0; it must be at least 1"),
    ("compare_periods('t', 'at', 'x', period := '0 days')", "period is 00:00:00; it must be a number above 0"),
    ("session_lags('t', 'u', 'e', 'at', 'x', n := -1)", "ml.session_lags: n is -1; it must be at least 1"),
    ("asof_join('t', 't', 'at', tolerance := '-1 hour')", "tolerance is -1 hour; it must be a number or an interval with a unit, and not negative"),
    ("asof_join('t', 't', 'x', tolerance := 'nan'::double)", "ml.asof_join: tolerance is nan; it must be"),
    ("point_in_time_join('t', 't', ['u'], 'at', ttl := '30')", "ttl is 30; it must be a number or an interval with a unit"),
    ("leakage_report('t', 't', ['u'], 'x', ttl := -1)", "ml.leakage_report: ttl is -1; it must be"),
    ("split_by_time('t', 'at', gap := '-1 day')", "ml.split_by_time: gap is -1 day; it must be"),
    ("split('t', [])", "ml.split: keys is empty; name at least one column"),
    ("join_health('t', 't', [])", "ml.join_health: keys is empty; name at least one column"),
    ("rfm('t', 'u', 'at', 'x', as_of := 'infinity')", "as_of is infinity; it must be a finite time"),
    ("customer_value('t', 'u', 'at', 'x', discount_rate := 'nan'::double)", "discount_rate is nan; it must be above -1 and finite"),
    ("markov_attribution('(select ''a > b'' as p)', 'p', separator := '')", "separator is ''; it must be what stands"),
    ("outlier_limits('t', ['x'], threshold := -1)", "threshold is -1; it must be a number from 0"),
    ("local_outlier_factor('t', ['x'], threshold := NULL)", "threshold is NULL; it must be a number"),
    ("mahalanobis('t', ['x'], alpha := 5)", "ml.mahalanobis: alpha is 5; it must be between 0 and 1"),
    ("rolling_features('t', ['u'], 'at', ['x'], ['0 days'])", "a window is 0 days; give moments"),
    ("expanding_features('t', ['u'], 'at', ['x'], min_values := NULL)", "min_values is NULL; it must be at least 1"),
    ("lag_features('t', ['u'], 'at', ['x'], lags := [1.5])", "a lag is 1.5; it must be a whole number from 1"),
    ("expect('t', [{'expect': 'not_null', 'column': 'x', 'allowed': 5}])", "expectation 1 has allowed 5.0; it must be a share from 0 to 1"),
    ("expect('t', [{'expect': 'fresh', 'column': 'at', 'max_age': '30'}])", "has max_age 30; it must be an interval with a unit"),
    ("funnel('t', 'u', 'at', ['a', 'b'], event := 'e', step_windows := ['-1 day'])", "none must be negative"),
    ("retention('t', 'u', 'at', complete := NULL)", "ml.retention: complete is NULL; give true or false"),
    ("asof_join('t', 't', 'at', keys := 'u')", "keys is u; it must be a list, in brackets"),
    ("rolling_features('t', 'u', 'at', ['x'], [7])", "keys is u; it must be a list, in brackets"),
    ("funnel('t', 'u', 'at', 'a', event := 'e')", "steps is a; it must be a list, in brackets"),
    ("session_lags('t', 'u', 'e', 'at', 'x', n := 1.5)", "n is 1.5; it must be a whole number"),
    ("retention('t', 'u', 'at', periods := 1e9)", "periods is 1000000000; it must be 0 or more, and at most 1000000"),
    ("top_n('t', 'x', n := 0)", "ml.top_n: n is 0; it must be at least 1"),
    ("top_n('t', 'x', n := NULL)", "ml.top_n: n is NULL; it must be at least 1"),
    ("split_by_time('t', 'at', eval_from := '2026-03-01', test_from := '2026-02-01')", "EVAL must begin before TEST"),
]  # fmt: skip


@pytest.fixture(scope="module")
def sample(con):
    load(
        con, "t", "u int, \"at\" timestamp, e varchar, x int",
        [(1, "2026-01-01 10:00", "a", 1), (1, "2026-01-09 10:00", "b", 2), (2, "2026-03-02", "a", 5), (2, "2026-03-02", "b", 5)],
    )  # fmt: skip
    return con


@pytest.mark.parametrize(("call", "message"), CALLS)
def test_a_wrong_argument_says_what_is_accepted(sample, call, message):
    function = call[: call.index("(")]
    with pytest.raises(duckdb.Error, match=message) as error:
        rows(sample, f"from ml.{call}")
    assert f"ml.{function}: " in str(error.value)


def test_no_salt_is_the_empty_one(sample):
    splits = [
        rows(sample, f"from ml.split('(from range(50))', ['range'], salt := {salt}) order by all")
        for salt in ("NULL", "''")
    ]
    assert splits[0] == splits[1]


def test_paths_without_a_limit(sample):
    limited, whole = (
        rows(sample, f"select path from ml.paths('t', 'u', 'at', 'x', max_steps := {n})")
        for n in (1, "NULL")
    )
    assert max(len(path) for (path,) in limited) == 1
    assert max(len(path) for (path,) in whole) == 2
