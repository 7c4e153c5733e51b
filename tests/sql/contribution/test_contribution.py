"""Contribution analysis against every segment counted one by one, and the laws of its columns."""

from __future__ import annotations

from itertools import combinations, permutations

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.calls import dicts, load, options

DIMENSIONS = ["the country", 'dev"ice', "plan"]


def fill(con, rows):
    """Rows of (dimensions…, is_test, metric, denominator, category)."""
    columns = '"the country" varchar, "dev""ice" varchar, plan int, is_test boolean, x double, y double, c varchar'
    load(con, '"all sales"', columns, rows)


def ask(con, dimensions=DIMENSIONS, metric="x", **given):
    found = con.execute(
        f"from ml.contribution('\"all sales\"', {dimensions}, 'is_test', '{metric}'{options(given)})"
    )
    return {tuple(row["contributors"]): row for row in dicts(found)}


def segments(rows):
    """The rows of every segment, by its contributors."""
    found = {}
    for row in rows:
        for k in range(4):
            for chosen in combinations(range(3), k):
                name = tuple(
                    f"{DIMENSIONS[d]}={'NULL' if row[d] is None else row[d]}" for d in chosen
                )
                found.setdefault(name or ("all",), []).append(row)
    return found


def total(rows, is_test, column=4):
    return sum(row[column] or 0 for row in rows if row[3] is is_test)


def ratio(a, b):
    return a / b if b else None


row_of_data = st.tuples(
    st.sampled_from(["DE", "FR", None]), st.sampled_from(["phone", "web"]), st.integers(1, 3), st.booleans(),
    st.sampled_from([0.0, 1.0, 2.0, 5.0, None]), st.sampled_from([1.0, 2.0, 4.0]), st.sampled_from(["u", "v", None]),
)  # fmt: skip


@settings(deadline=None, max_examples=12)
@given(st.lists(row_of_data, min_size=1, max_size=14), st.sampled_from([0.0, 0.1, 0.3]))
def test_agrees_with_every_segment(con, rows, least):
    fill(con, rows)
    p1, p0 = total(rows, True), total(rows, False)
    expected = {}
    for name, part in segments(rows).items():
        m1, m0 = total(part, True), total(part, False)
        support = 1 if name == ("all",) else max(ratio(m1, p1) or 0, ratio(m0, p0) or 0)
        if support >= least - 1e-12:
            expected[name] = (m1, m0, support)
    found = ask(con, min_apriori_support=least)
    assert {
        name: (row["metric_test"], row["metric_control"], row["apriori_support"])
        for name, row in found.items()
    } == {name: pytest.approx(values) for name, values in expected.items()}
    for name, row in found.items():
        m1, m0, _ = expected[name]
        assert row["contribution"] == abs(row["difference"]) == pytest.approx(abs(m1 - m0))
        assert row["relative_difference"] == (pytest.approx((m1 - m0) / m0) if m0 else None)
        if name != ("all",) and p0 - m0:
            should = m0 * (p1 - m1) / (p0 - m0)
            assert row["unexpected_difference"] == pytest.approx(m1 - should)
            assert row["relative_unexpected_difference"] == (
                pytest.approx((m1 - should) / should) if should else None
            )
        else:
            assert row["unexpected_difference"] is None
        values = {f"{k}={'NULL' if v is None else v}" for k, v in row["segment"].items()}
        assert values == (set() if name == ("all",) else set(name))
    order = [row["contribution"] for row in found.values()]
    assert order == sorted(order, reverse=True)


@settings(deadline=None, max_examples=10)
@given(st.lists(row_of_data, min_size=2, max_size=14))
def test_parts_of_a_ratio_sum_to_its_change(con, rows):
    fill(con, rows)
    found = ask(con, denominator="y", min_apriori_support=0)
    whole = found["all",]
    b1, b0 = total(rows, True, 5), total(rows, False, 5)
    if not b1 or not b0:
        assert whole["aumann_shapley_attribution"] is None
        return
    change = total(rows, True) / b1 - total(rows, False) / b0
    # at most 18 terms, the greatest below 20
    assert whole["aumann_shapley_attribution"] == pytest.approx(change, abs=1e-13)
    for k in (1, 2, 3):
        for chosen in combinations(range(3), k):
            names = [DIMENSIONS[d] for d in chosen]
            parts = [row for row in found.values() if set(row["segment"]) == set(names)]
            assert sum(row["aumann_shapley_attribution"] for row in parts) == pytest.approx(
                change, abs=1e-12
            )
    for name, part in segments(rows).items():
        row = found[name]
        assert row["metric_test"] == (
            pytest.approx(total(part, True) / d) if (d := total(part, True, 5)) else None
        )
        assert row["contribution"] == abs(row["aumann_shapley_attribution"])
        rest1 = ratio(total(rows, True) - total(part, True), b1 - total(part, True, 5))
        wanted = (
            ratio(row["metric_test"], rest1)
            if rest1 and row["metric_test"] is not None and name != ("all",)
            else None
        )
        assert row["metric_test_over_complement"] == (
            None if wanted is None else pytest.approx(wanted)
        )


@pytest.mark.parametrize("grown", [1.0, 1 + 1e-7, 1.0099, 1.0101, 3.0])
def test_attribution_is_the_integral_of_the_gradient(con, grown):
    rows = [
        ("DE", "web", 1, False, 30.0, 100.0, None), ("FR", "web", 1, False, 50.0, 100.0, None),
        ("DE", "web", 1, True, 60.0, 100.0 * grown, None), ("FR", "web", 1, True, 40.0, 100.0 * grown, None),
    ]  # fmt: skip
    fill(con, rows)
    found = ask(con, denominator="y", min_apriori_support=0)
    from scipy.integrate import quad

    a0, a1, b0, b1 = 80, 100, 200, 200 * grown

    def gradient(t):
        a, b = a0 + t * (a1 - a0), b0 + t * (b1 - b0)
        return (60 - 30) / b - (100 * grown - 100) * a / b**2

    row = found["the country=DE",]
    assert row["aumann_shapley_attribution"] == pytest.approx(quad(gradient, 0, 1)[0], rel=1e-12)
    assert row["metric_test_over_metric_control"] == pytest.approx((0.6 / grown) / 0.3)


def test_worked_values_of_bigquery(con):
    # ML.GET_INSIGHTS, summable ratio metric: rows (dim1, dim2, dim3, metric_a, metric_b) of the test set
    test = [(1, 10, 20, 50, 100), (1, 15, 30, 75, 200), (5, 20, 40, 1, 10)]
    rows = [
        (str(a), str(b), c, is_test, x, y, None)
        for a, b, c, x, y in test
        for is_test in (True, False)
    ]
    fill(con, rows)
    found = ask(con, denominator="y", min_apriori_support=0)
    names = [tuple(f"{d}={v}" for d, v in zip(DIMENSIONS, row, strict=False)) for row in test]
    assert found[names[0]]["metric_test_over_complement"] == pytest.approx(0.5 / (76 / 210))  # 1.38
    assert found[names[2]]["metric_test_over_complement"] == pytest.approx(
        0.1 / (125 / 300)
    )  # 0.24
    assert found[names[0]]["apriori_support"] == pytest.approx(50 / 126)  # of the numerator
    # the table of CREATE MODEL for a summable metric, by the five steps of unexpected_difference
    shop = [
        ("shoe_1", "store_2", 100, 100),
        ("shoe_1", "store_3", 200, 150),
        ("shoe_2", "store_1", 85, 175),
    ]
    fill(
        con,
        [
            (a, b, 1, is_test, x, 1, None)
            for a, b, *both in shop
            for is_test, x in zip((True, False), both, strict=True)
        ],
    )
    row = ask(con)["the country=shoe_1",]
    assert (row["difference"], row["relative_difference"]) == (50, 0.2)
    expected = 250 * (85 / 175)
    assert row["unexpected_difference"] == pytest.approx(300 - expected)
    assert row["relative_unexpected_difference"] == pytest.approx((300 - expected) / expected)
    assert row["apriori_support"] == pytest.approx(300 / 385)


def test_by_category(con):
    rows = [
        ("DE", "web", 1, True, 6.0, None, "u"), ("DE", "web", 1, True, 2.0, None, "v"), ("DE", "web", 1, True, 1.0, None, None),
        ("FR", "web", 1, True, 5.0, None, "u"), ("DE", "web", 1, False, 4.0, None, "u"), ("FR", "web", 1, False, 2.0, None, "w"),
    ]  # fmt: skip
    fill(con, rows)
    found = ask(con, ["the country"], category="c")
    de, everyone = found["the country=DE",], found["all",]
    assert (everyone["metric_test"], everyone["metric_control"]) == (7, 3)
    assert (de["metric_test"], de["metric_control"], de["difference"]) == (4.5, 4, 0.5)
    assert de["metric_test_over_population"] == pytest.approx(4.5 / 7)
    assert de["metric_control_over_population"] == pytest.approx(4 / 3)
    assert de["apriori_support"] == pytest.approx(4 / 6)  # 9 of 14 in test
    assert de["contribution"] == 0.5


def test_the_best_by_support(con):
    rows = [
        (c, d, i % 3 + 1, i % 2 == 0, float(i), 1.0, None)
        for i, (c, d) in enumerate([("DE", "web"), ("FR", "web"), ("DE", "phone")] * 8)
    ]
    fill(con, rows)
    every = ask(con, min_apriori_support=0)
    ordered = sorted(
        every, key=lambda name: (name != ("all",), -every[name]["apriori_support"], name)
    )
    for k in (1, 4, 9, 100):
        assert set(ask(con, top_k_insights_by_apriori_support=k)) == set(ordered[:k])


def test_a_share_at_the_least_one_is_in(con):
    # ten segments of a tenth each, but for the roundings of sums of 200,000 amounts
    source = "(select i % 10 as a, i // 10 % 2 = 0 as now, 1e-1 as x from range(400000) r(i))"
    call = f"from ml.contribution('{source}', ['a'], 'now', 'x', {{option}})"
    found = con.execute(call.format(option="min_apriori_support := 0.1")).fetchall()
    assert len(found) == 11
    found = con.execute(call.format(option="top_k_insights_by_apriori_support := 4")).fetchall()
    assert sorted(row[0][0] for row in found) == ["a=0", "a=1", "a=2", "all"]


def test_redundant_segments(con):
    rows = [
        ("DE", "web", 1, True, 5.0, 1.0, None),
        ("DE", "web", 1, False, 3.0, 1.0, None),
        ("FR", "phone", 1, True, 2.0, 1.0, None),
    ]
    fill(con, rows)
    found = ask(con, min_apriori_support=0, pruning_method="PRUNE_REDUNDANT_INSIGHTS")
    assert set(found) == {
        ("all",), ("plan=1",), ("the country=DE", 'dev"ice=web', "plan=1"), ("the country=FR", 'dev"ice=phone', "plan=1"),
    }  # fmt: skip
    every = ask(con, min_apriori_support=0)
    assert len(every) == 1 + 1 + 2 * 6
    assert {name: every[name] for name in found} == found


def test_negative_amounts_hide_no_segment(con):
    # DE holds 9 and -8: the phones of DE hold more than DE
    rows = [
        ("DE", "web", 1, True, -8.0, 1.0, None),
        ("DE", "phone", 1, True, 9.0, 1.0, None),
        ("FR", "web", 1, True, 9.0, 1.0, None),
        ("FR", "web", 1, False, 10.0, 1.0, None),
    ]
    fill(con, rows)
    found = ask(con, ["the country", 'dev"ice'], min_apriori_support=0.5)
    assert ("the country=DE",) not in found
    assert found["the country=DE", 'dev"ice=phone']["apriori_support"] == 0.9


def test_a_dimension_called_as_what_is_summed(con):
    source = "(select * from (values (''DE'', true, 3), (''FR'', false, 4)) as t(__x, is_test, x))"
    found = con.execute(
        f"select contributors, metric_test, metric_control from ml.contribution('{source}', ['__x'], 'is_test', 'x')"
    ).fetchall()
    assert sorted(found) == [(["__x=DE"], 3, 0), (["__x=FR"], 0, 4), (["all"], 3, 4)]


def test_segments_that_are_equal_but_for_rounding_are_in_order(con):
    fill(
        con,
        [
            (f"c{i}", f"d{j}", 1, True, amount, 1.0, None)
            for i, amounts in enumerate(permutations([0.1, 0.7, 0.3]))
            for j, amount in enumerate(amounts)
        ],
    )
    found = [key for key in ask(con, min_apriori_support=0) if len(key) == 1]
    countries = [(f"the country=c{i}",) for i in range(6)]
    assert [key for key in found if key in countries] == countries


def test_a_value_that_is_null_or_empty(con):
    fill(
        con,
        [
            (None, "", 1, True, 4.0, 1.0, None),
            ("NULL", "web", 1, False, 4.0, 1.0, None),
            ("FR", "web", 1, None, 9.0, 1.0, None),
            ("FR", "web", 1, True, float("nan"), 1.0, None),
        ],
    )
    found = con.execute(
        "select segment, metric_test, metric_control from ml.contribution('\"all sales\"', ['the country', 'dev\"ice'], "
        "'is_test', 'x', min_apriori_support := 1) where len(contributors) = 2 order by metric_test"
    ).fetchall()
    assert found == [
        ({"the country": "NULL", 'dev"ice': "web"}, 0, 4), ({"the country": None, 'dev"ice': ""}, 4, 0),
    ]  # fmt: skip


def test_thin_and_wrong_data(con):
    fill(con, [])
    assert ask(con) == {}
    fill(con, [("DE", "web", 1, True, None, 1.0, None)])
    assert {name: row["metric_test"] for name, row in ask(con).items()} == {("all",): 0}
    with pytest.raises(
        duckdb.Error, match="ml.contribution: min_apriori_support is 2.* a share from 0 to 1"
    ):
        ask(con, min_apriori_support=2)
    with pytest.raises(
        duckdb.Error, match="top_k_insights_by_apriori_support is 0; it must be at least 1"
    ):
        ask(con, top_k_insights_by_apriori_support=0)
    with pytest.raises(
        duckdb.Error, match="denominator and category are both given; pass one of them"
    ):
        ask(con, denominator="y", category="c")
    with pytest.raises(duckdb.Error, match="pruning_method is 'SOME'; accepted are 'NO_PRUNING'"):
        ask(con, pruning_method="SOME")
    call = "from ml.contribution('(select true as t, 1 as x, {})', {}, 't', 'x', min_apriori_support := {})"
    with pytest.raises(duckdb.Error, match="dimensions has A_1 twice; give each column once"):
        con.execute(call.format("1 as A_1, 2 as b", ["a_1", "b", "A_1"], 0.1))
    for n, least in ((14, 0), (51, 0.1)):
        wide = call.format(
            ", ".join(f"1 as d{i}" for i in range(n)), [f"d{i}" for i in range(n)], least
        )
        with pytest.raises(duckdb.Error, match=f"{n} dimensions are given; at most 13 .* or 50"):
            con.execute(wide).fetchall()


def test_thirteen_dimensions_do_not_explode(con):
    dimensions = ", ".join(f"(hash(i, {d}) % {2 + d})::int as d{d}" for d in range(13))
    con.execute(
        f"create or replace table wide as select {dimensions}, i % 2 = 0 as t, 1 + i % 5 as x from range(2000) r(i)"
    )
    names = [f"d{d}" for d in range(13)]
    found = con.execute(
        f"select contributors, metric_test from ml.contribution('wide', {names}, 't', 'x')"
    ).fetchall()
    for contributors, metric in found[:: len(found) // 5]:
        condition = " and ".join(contributors) if contributors != ["all"] else "true"
        assert (
            con.execute(f"select sum(x) from wide where t and {condition}").fetchone()[0] == metric
        )
