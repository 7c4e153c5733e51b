"""Rows at an infinite time belong to no time, and infinite amounts are unknown."""

from __future__ import annotations

import pytest

from tests.sql.customers.test_names import answer

PLAIN = "(select i % 7 as u, timestamp '2026-01-01' + to_days(i * 5 % 90) as t, (i % 11 - 2)::double as x, 'c' || i % 3 as c from range(60) r(i))"
INFINITE = f"(from {PLAIN} union all select 1, timestamp 'infinity', 5, 'c0' union all select 2, timestamp '-infinity', 5, 'c1')"
UNKNOWN = f"(select * replace (case when u = 3 then {{x}}::double else x end as x) from {PLAIN})"
BOUGHT = PLAIN.replace("'", "''")
BY_TIME = (
    "ml.rfm('{s}', 'u', 't', 'x')",
    "ml.cohort_value('{s}', 'u', 't', 'x')",
    "ml.customer_value('{s}', 'u', 't', 'x')",
    "ml.churn_labels('{s}', 'u', 't', '2026-02-01')",
    f"ml.attribution('{{s}}', 'u', 't', 'c', '{BOUGHT}', 't', 'x', lookback := NULL)",
    f"ml.attribution_touches('{{s}}', 'u', 't', 'c', '{BOUGHT}', 't', 'x', lookback := NULL)",
    f"ml.conversion_paths('{{s}}', 'u', 't', 'c', '{BOUGHT}', 't', 'x', lookback := NULL)",
)
BY_AMOUNT = (
    "ml.rfm('{s}', 'u', 't', 'x')",
    "ml.customer_value('{s}', 'u', 't', 'x')",
    "ml.attribution('{s}', 'u', 't', 'c', '{s}', 't', 'x', cost := 'x')",
    "ml.conversion_paths('{s}', 'u', 't', 'c', '{s}', 't', 'x')",
    "ml.abc_analysis('{s}', 'c', 'x')",
    "ml.markov_attribution('{s}', 'c', value := 'x')",
    "ml.shapley_attribution('{s}', 'c', value := 'x')",
)


@pytest.mark.parametrize("call", BY_TIME)
def test_a_row_at_an_infinite_time_changes_nothing(con, call):
    assert answer(con, call, INFINITE) == answer(con, call, PLAIN)


@pytest.mark.parametrize("amount", ["'inf'", "'-inf'", "'nan'"])
@pytest.mark.parametrize("call", BY_AMOUNT)
def test_an_amount_that_is_not_finite_is_unknown(con, call, amount):
    expected = answer(con, call, UNKNOWN.format(x="null"))
    assert answer(con, call, UNKNOWN.format(x=amount)) == expected
