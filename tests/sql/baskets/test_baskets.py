"""Frequent itemsets and rules: a published example, brute force over all sets, and bad input."""

from __future__ import annotations

from itertools import combinations
from math import inf, prod

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sql.calls import dicts, load, options

# The example of mlxtend's user guide to apriori and association_rules
GUIDE = [
    ["Milk", "Onion", "Nutmeg", "Kidney Beans", "Eggs", "Yogurt"],
    ["Dill", "Onion", "Nutmeg", "Kidney Beans", "Eggs", "Yogurt"],
    ["Milk", "Apple", "Kidney Beans", "Eggs"],
    ["Milk", "Unicorn", "Corn", "Kidney Beans", "Yogurt"],
    ["Corn", "Onion", "Onion", "Kidney Beans", "Ice cream", "Eggs"],
]


def fill(con, baskets):
    rows = [(i, item) for i, basket in enumerate(baskets) for item in basket or [None]]
    load(con, "receipts", '"order no" int, "what is it" varchar', rows)


def ask(con, function, **given):
    return dicts(
        con.execute(f"from ml.{function}('receipts', 'order no', 'what is it'{options(given)})")
    )


def test_itemsets_of_mlxtends_guide(con):
    fill(con, GUIDE)
    found = {
        tuple(row["itemset"]): row["support"]
        for row in ask(con, "frequent_itemsets", min_support=0.6, max_size=None)
    }
    assert found == {
        ("Eggs",): 0.8, ("Kidney Beans",): 1.0, ("Milk",): 0.6, ("Onion",): 0.6, ("Yogurt",): 0.6,
        ("Eggs", "Kidney Beans"): 0.8, ("Eggs", "Onion"): 0.6, ("Kidney Beans", "Milk"): 0.6,
        ("Kidney Beans", "Onion"): 0.6, ("Kidney Beans", "Yogurt"): 0.6,
        ("Eggs", "Kidney Beans", "Onion"): 0.6,
    }  # fmt: skip


def test_rules_of_mlxtends_guide(con):
    fill(con, GUIDE)
    rules = ask(con, "association_rules", min_support=0.6, min_confidence=0.7)
    found = {(tuple(r["antecedent"]), tuple(r["consequent"])): r for r in rules}
    assert len(found) == 12
    measures = (
        "antecedent_support",
        "consequent_support",
        "support",
        "confidence",
        "lift",
        "leverage",
        "conviction",
    )
    expected = {
        (("Kidney Beans",), ("Eggs",)): (1.0, 0.8, 0.8, 0.8, 1.0, 0.0, 1.0),
        (("Eggs",), ("Kidney Beans",)): (0.8, 1.0, 0.8, 1.0, 1.0, 0.0, inf),
        (("Eggs",), ("Onion",)): (0.8, 0.6, 0.6, 0.75, 1.25, 0.12, 1.6),
        (("Onion",), ("Eggs",)): (0.6, 0.8, 0.6, 1.0, 1.25, 0.12, inf),
        (("Onion",), ("Eggs", "Kidney Beans")): (0.6, 0.8, 0.6, 1.0, 1.25, 0.12, inf),
        (("Eggs", "Kidney Beans"), ("Onion",)): (0.8, 0.6, 0.6, 0.75, 1.25, 0.12, 1.6),
    }
    for rule, values in expected.items():
        assert tuple(found[rule][name] for name in measures) == pytest.approx(values)


baskets = st.lists(st.lists(st.sampled_from("abcde"), max_size=6), min_size=1, max_size=12)


@settings(deadline=None, max_examples=12)
@given(baskets, st.sampled_from([0.1, 0.25, 0.5]), st.integers(1, 5))
def test_agrees_with_all_sets(con, baskets, least, size):
    fill(con, baskets)
    sets = [set(basket) for basket in baskets]
    n = len(sets)

    def support(items):
        return sum(set(items) <= basket for basket in sets) / n

    expected = {
        items: support(items)
        for k in range(1, size + 1)
        for items in combinations("abcde", k)
        if support(items) >= least - 1e-12 and support(items) > 0
    }
    found = ask(con, "frequent_itemsets", min_support=least, max_size=size)
    assert {tuple(row["itemset"]): row["support"] for row in found} == pytest.approx(expected)
    for row in found:
        assert row["lift"] == pytest.approx(
            row["support"] / prod(support(i) for i in row["itemset"])
        )
    rules = ask(con, "association_rules", min_support=least, max_size=size, min_confidence=0.4)
    wanted = {
        (left, tuple(i for i in items if i not in left))
        for items in expected
        for k in range(1, len(items))
        for left in combinations(items, k)
        if support(items) / support(left) >= 0.4 - 1e-12
    }
    assert {(tuple(r["antecedent"]), tuple(r["consequent"])) for r in rules} == wanted
    for rule in rules:
        a, c = support(rule["antecedent"]), support(rule["consequent"])
        both = support(rule["antecedent"] + rule["consequent"])
        assert rule["confidence"] == pytest.approx(both / a)
        assert rule["lift"] == pytest.approx(both / a / c)
        assert rule["leverage"] == pytest.approx(both - a * c, abs=1e-15)
        assert rule["conviction"] == pytest.approx((1 - c) / (1 - both / a) if both < a else inf)
        bound = max(both * (1 - a), a * (c - both))
        assert rule["zhang"] == (
            pytest.approx((both - a * c) / bound, abs=1e-12) if bound else None
        )


def test_a_basket_without_items_counts(con):
    fill(con, [["a"], ["a", "b"], [], []])
    con.execute("insert into receipts values (null, 'a'), (0, null), (0, 'a')")
    found = ask(con, "frequent_itemsets", min_support=0.5)
    assert [(row["itemset"], row["n_baskets"], row["support"]) for row in found] == [
        (["a"], 2, 0.5)
    ]


def test_nothing_and_wrong_options(con):
    fill(con, [])
    assert ask(con, "frequent_itemsets") == []
    assert ask(con, "association_rules") == []
    fill(con, [["a"], ["b"]])
    assert ask(con, "association_rules") == []
    for share in (0, 1.5, -1):
        with pytest.raises(
            duckdb.Error, match="ml.frequent_itemsets: min_support is .*it must be a share above 0"
        ):
            ask(con, "frequent_itemsets", min_support=share)


def test_items_keep_their_type(con):
    source = "(select i // 2 as b, i % 2 as item from range(10) t(i))"
    found = con.execute(f"from ml.frequent_itemsets('{source}', 'b', 'item')").fetchall()
    assert [row[0] for row in found] == [[0], [1], [0, 1]]
