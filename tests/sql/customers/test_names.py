"""A source whose other columns have the names that our queries use inside."""

from __future__ import annotations

import pytest

PLAIN = "(select i % 7 as u, date '2026-01-01' + (i * 5 % 90)::int as t, (i % 11 - 2)::double as x from range(60) r(i))"
# the same, with columns that mean something else
ODD = (
    "(select *, null::int as user_id, null::timestamp as happened_at, 'none' as amount, true as is_purchase, "
    "null as basket, null as item, null as item_id, 1 as groups, 'x' as channel, null as path, null as touched_at, "
    "null as converted_at, 0 as value, 0 as conversions, 'z' as c, 'y' as cell, 9 as d, 8 as turn, 7 as place "
    f"from {PLAIN})"
)
CALLS = (
    "ml.rfm('{s}', 'u', 't', 'x')",
    "ml.cohort_value('{s}', 'u', 't', 'x')",
    "ml.customer_value('{s}', 'u', 't', 'x')",
    "ml.churn_labels('{s}', 'u', 't', '2026-02-01')",
    "ml.abc_analysis('{s}', 'u', 'x')",
    "ml.frequent_itemsets('{s}', 't', 'u')",
    "ml.association_rules('{s}', 't', 'u')",
    "ml.attribution('{s}', 'u', 't', 'x', '{s}', 't', 'x', cost := 'x')",
    "ml.attribution_touches('{s}', 'u', 't', 'x', '{s}', 't', 'x')",
    "ml.conversion_paths('{s}', 'u', 't', 'x', '{s}', 't', 'x')",
    "ml.markov_attribution('{s}', 'u', non_conversions := 'u')",
    "ml.shapley_attribution('{s}', 'u', non_conversions := 'u', worth := 'rate')",
    "ml.contribution('(select *, i > 0 as now from {s} s, range(2) v(i))', ['u', 't'], 'now', 'u', min_apriori_support := 0.01)",
)


def answer(con, call, source):
    rows = con.execute("from " + call.format(s=source.replace("'", "''"))).fetchall()
    # threads add in an order of their own, so the last digits, and the order of equals, may differ
    return sorted(str([round(v, 9) if isinstance(v, float) else v for v in row]) for row in rows)


@pytest.mark.parametrize("call", CALLS)
def test_other_columns_change_nothing(con, call):
    expected = answer(con, call, PLAIN)
    assert expected
    assert answer(con, call, ODD) == expected
