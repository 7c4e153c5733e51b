from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pytest import approx
from scipy import stats

from tests.sql.grouped import ask, groups, load, named, of_kind, one

ANOVA = "from ml.anova('samples', 'y', 'level')"


def test_plant_growth(con):
    row = one(con, "from ml.anova('textbook.plant_growth', 'weight_g', 'treatment')")
    # R: summary(aov(weight ~ group, PlantGrowth)), with scipy's further digits
    assert row["statistic"] == approx(4.846087862380136, rel=1e-13)
    assert row["p_value"] == approx(0.015909958325622912, rel=1e-13)
    assert (row["df_between"], row["df_within"], row["n"], row["n_missing"]) == (2, 27, 30, 0)
    assert row["log10_p_value"] == approx(math.log10(row["p_value"]), rel=1e-13)
    # sums of squares as R prints them
    assert (row["ss_between"], row["ss_within"]) == approx((3.76634, 10.49209), rel=1e-12)


@pytest.mark.parametrize(
    "name",
    ["SiRstv", "AtmWtAg", "SmLs01", "SmLs02", "SmLs03", "SmLs04", "SmLs05", "SmLs06", "SmLs07",
     "SmLs08", "SmLs09"],
)  # fmt: skip
def test_agrees_with_nist(con, name):
    source = f"(from nist.anova where dataset = ''{name}'')"
    row = one(con, f"from ml.anova('{source}', 'response', 'treatment')")
    certified = dict(
        con.execute(
            f"select quantity, value from nist.certified where dataset = '{name}'"
        ).fetchall()
    )
    # NIST prints 15 digits. Distances are exact up to their rounding to double, 1e-16 each; the
    # variance of up to 2001 of them is updated one by one, which loses a little over a digit.
    for field in ("statistic", "ss_between", "ss_within"):
        assert row[field] == approx(certified[field], rel=2e-14)
    assert (row["df_between"], row["df_within"]) == (
        certified["df_between"],
        certified["df_within"],
    )
    assert row["effect_size"] == approx(certified["r_squared"], rel=2e-14)


def test_nist_p_values(con):
    # scipy.stats.f.sf of the certified statistics
    for name, p in (("SiRstv", 0.34944749340219), ("AtmWtAg", 2.3268444833893e-4)):
        source = f"(from nist.anova where dataset = ''{name}'')"
        row = one(con, f"from ml.anova('{source}', 'response', 'treatment')")
        assert row["p_value"] == approx(p, rel=1e-12)  # of which 14 digits are known


def test_a_p_value_that_underflows_keeps_its_logarithm(con):
    source = "(from nist.anova where dataset = ''SmLs09'')"
    row = one(con, f"from ml.anova('{source}', 'response', 'treatment')")
    # F = 2001 on 8 and 18000: by mpmath
    assert row["p_value"] == 0
    assert row["log10_p_value"] == approx(-2476.673985, rel=1e-9)  # digits given


@given(samples=groups())
def test_agrees_with_scipy(con, samples):
    assume(any(len(set(sample)) > 1 for sample in samples))
    load(con, named(samples))
    row = one(con, ANOVA)
    expected = stats.f_oneway(*samples)
    # scipy centres on the grand mean: sums of up to 180 squares round by 1e-14, and where the
    # groups hardly differ the difference of two sums remains of it, which may be below 0
    assert row["statistic"] == approx(expected.statistic, rel=1e-10, abs=1e-12)
    # of our statistic: with two groups, near 0 a rounding of scipy's would move p by its root
    p = stats.f.sf(row["statistic"], row["df_between"], row["df_within"])
    assert row["p_value"] == approx(p, rel=1e-11)


@given(samples=groups(), power=st.integers(3, 15))
def test_a_shift_changes_nothing(con, samples, power):
    assume(any(len(set(sample)) > 1 for sample in samples))
    load(con, named(samples))
    con.execute(
        f"create or replace table shifted as select (y::decimal(20, 2) + 1e{power}::decimal(20, 2))::decimal(20, 2) as y, level from samples"
    )
    plain, moved = one(con, ANOVA), one(con, ANOVA.replace("samples", "shifted"))
    # the shift is exact in DECIMAL and taken back exactly; what differs is the origin
    assert moved["statistic"] == approx(plain["statistic"], rel=1e-9, abs=1e-12)


def test_types_of_the_metric(con):
    expected = stats.f_oneway([1, 0, 1], [0, 0, 1]).statistic
    for kind in ("boolean", "utinyint", "ubigint", "bigint", "hugeint", "float", "decimal(38, 37)"):
        source = f"(select y::{kind} as y, g from (values (1, 1), (0, 1), (1, 1), (0, 2), (0, 2), (1, 2)) as t(y, g))"
        row = one(con, f"from ml.anova('{source}', 'y', 'g')")
        assert row["statistic"] == approx(expected, rel=1e-13)


def test_values_at_the_ends_of_bigint_do_not_overflow(con):
    source = "(select (case when i % 2 = 0 then 1 else -1 end * (9223372036854775807 - i))::bigint as y, i // 4 as g from range(12) as t(i))"
    assert one(con, f"from ml.anova('{source}', 'y', 'g')")["n"] == 12
    source = "(select 9223372036854775807 - i * i as y, i // 4 as g from range(12) as t(i))"
    x = -(np.arange(12.0) ** 2)
    expected = stats.f_oneway(x[:4], x[4:8], x[8:]).statistic
    # exact, where a double at 9e18 is off by up to 512
    assert one(con, f"from ml.anova('{source}', 'y', 'g')")["statistic"] == approx(
        expected, rel=1e-13
    )


def test_missing_values_are_counted(con):
    load(con, {"a": [1.0, None, 2.0, math.nan], "b": [4.0, 3.0], "c": [None]})
    con.execute("insert into samples values (100, null)")  # of no group
    row = one(con, ANOVA)
    assert (row["n"], row["n_missing"], row["df_between"]) == (4, 3, 1)
    assert row["statistic"] == approx(stats.f_oneway([1, 2], [4, 3]).statistic, rel=1e-13)


@pytest.mark.parametrize(
    "samples",
    [{}, {"a": [None]}, {"a": [1.0]}, {"a": [1.0, 2.0]}, {"a": [3.0, 3.0], "b": [3.0]},
     {"a": [1.0], "b": [2.0]}, {"a": [0.1, 0.1], "b": [0.2, 0.2]}],
    ids=["empty", "null", "one row", "one group", "constant", "no df", "constant groups"],
)  # fmt: skip
def test_thin_data_give_null(con, samples):
    load(con, samples)
    row = one(con, ANOVA)
    for field in ("statistic", "p_value", "log10_p_value", "estimate", "ci_lower"):
        assert row[field] is None


def test_fields_come_in_the_order_of_every_test(con):
    load(con, {"a": [1.0, 2.0]})
    (row,) = ask(con, ANOVA)
    assert list(row)[: len(of_kind("F"))] == list(of_kind("F"))
