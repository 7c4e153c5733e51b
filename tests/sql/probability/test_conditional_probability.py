"""Conditional probabilities, against counts by hand, statsmodels and the laws of probability."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from tests.conftest import record, rows

# A share and an interval are a handful of operations on counts.
EXACT = 1e-13


def table(pond, query):
    relation = pond.sql(query)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def load(con, pairs):
    con.execute("create or replace table trials (e boolean, g varchar)")
    if pairs:
        con.executemany("insert into trials values (?, ?)", pairs)


def test_the_penguins_by_hand(pond):
    found = table(
        pond, "from ml.conditional_probability('penguins', 'body_mass_g > 4000', 'species')"
    )
    assert [row["given"] for row in found] == ["Adelie", "Chinstrap", "Gentoo"]
    counts = rows(
        pond,
        "select count(body_mass_g), count(*) filter (body_mass_g > 4000) from penguins "
        "group by species order by species",
    )
    n, n_event = (sum(column) for column in zip(*counts, strict=True))
    for row, (n_given, n_joint) in zip(found, counts, strict=True):
        assert (row["n"], row["n_event"], row["n_given"], row["n_joint"]) == (
            n, n_event, n_given, n_joint,
        )  # fmt: skip
        assert row["n_missing"] == 2
        assert row["p_conditional"] == pytest.approx(n_joint / n_given, rel=EXACT)
        assert row["p_joint"] == pytest.approx(n_joint / n, rel=EXACT)
        assert row["lift"] == pytest.approx(n_joint / n_given / (n_event / n), rel=EXACT)


TRIALS = st.lists(
    st.tuples(st.sampled_from([True, False, None]), st.sampled_from(["a", "b", "c", None])),
    max_size=40,
)


@given(pairs=TRIALS, level=st.sampled_from([0.5, 0.95, 0.999]))
def test_intervals_are_wilsons_and_probabilities_keep_their_laws(pond, pairs, level):
    load(pond.con, pairs)
    found = table(
        pond,
        f"from ml.conditional_probability('trials', 'e', 'g', confidence_level := {level})",
    )
    known = [pair for pair in pairs if None not in pair]
    assert len(found) == len({g for _, g in known})
    for row in found:
        assert row["n_missing"] == len(pairs) - len(known)
        for share, k, n in (
            ("", row["n_joint"], row["n_given"]),
            ("p_joint_", row["n_joint"], row["n"]),
            ("p_event_", row["n_event"], row["n"]),
            ("p_given_", row["n_given"], row["n"]),
        ):
            low, high = proportion_confint(k, n, 1 - level, method="wilson")
            # statsmodels subtracts the half width from the centre: 2**-53 of the centre is lost
            assert row[f"{share}ci_lower"] == pytest.approx(low, rel=1e-12, abs=1e-16)
            assert row[f"{share}ci_upper"] == pytest.approx(high, rel=1e-12)
        # Bayes' theorem, with P(given | event) taken from the counts
        if row["n_event"]:
            assert row["p_conditional"] == pytest.approx(
                row["p_reverse"] * row["p_event"] / row["p_given"], rel=EXACT
            )
        else:
            assert (row["lift"], row["p_reverse"]) == (None, None)
    if found:  # total probability
        total = sum(row["p_conditional"] * row["p_given"] for row in found)
        assert total == pytest.approx(found[0]["p_event"], rel=EXACT)


def test_true_comes_before_false(pond):
    query = "from ml.conditional_probability('penguins', 'body_mass_g > 4000', 'year = 2008')"
    assert [row["given"] for row in table(pond, query)] == ["true", "false"]


def test_numbers_are_ordered_as_numbers(pond):
    con = pond.con
    con.execute("create or replace table hours as select h, h > 9 as e from range(8, 12) t(h)")
    found = table(pond, "from ml.conditional_probability('hours', 'e', 'h')")
    assert [row["given"] for row in found] == ["8", "9", "10", "11"]


def test_a_condition_that_is_never_met_has_no_row_and_no_rows_give_none(pond):
    query = "from ml.conditional_probability('penguins', 'true', 'year = 1900')"
    assert [row["given"] for row in table(pond, query)] == ["false"]
    load(pond.con, [])
    assert rows(pond, "from ml.conditional_probability('trials', 'e', 'g')") == []


def test_never_and_always_have_intervals_inside_0_and_1(pond):
    load(pond.con, [(False, "a")] * 20)
    row = record(pond, "from ml.conditional_probability('trials', 'e', 'g')")
    # Newcombe (1998), table I: 0 of 20
    assert row["ci_lower"] == 0
    assert row["ci_upper"] == pytest.approx(0.1611251581, abs=5e-11)
    load(pond.con, [(True, "a")] * 20)
    row = record(pond, "from ml.conditional_probability('trials', 'e', 'g')")
    assert (row["ci_upper"], row["lift"]) == (1, 1)


@pytest.mark.parametrize("level", ["0", "1", "-1"])
def test_a_wrong_level_is_an_error(pond, level):
    with pytest.raises(duckdb.Error, match="confidence_level is .*between 0 and 1"):
        rows(
            pond,
            "from ml.conditional_probability('penguins', 'true', 'year', "
            f"confidence_level := {level})",
        )
