"""t tests against scipy and the published examples, and what thin data gives."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from pytest import approx
from scipy import stats

import mlpond
from mlpond.seeds import load
from tests.sql.aggregates import FIELDS, arms, samples, struct

# Quarters below 10 make sums and squares exact; what is left is the rounding of the tails, 1e-13,
# and the subtraction of two means of like size, which can lose three digits.
TOLERANCE = 1e-10
ALTERNATIVES = ("two-sided", "less", "greater")


@pytest.fixture(scope="module")
def con():
    with mlpond.connect() as session:
        load(session, "textbook")
        yield session.con


def check(found, expected, level):
    interval = expected.confidence_interval(level)
    assert found["statistic"] == approx(expected.statistic, rel=TOLERANCE, abs=1e-13)
    assert found["df"] == approx(expected.df, rel=TOLERANCE)
    assert found["p_value"] == approx(expected.pvalue, rel=TOLERANCE)
    assert found["log10_p_value"] == approx(math.log10(expected.pvalue), rel=TOLERANCE, abs=1e-13)
    assert found["ci_lower"] == approx(interval.low, rel=TOLERANCE, abs=1e-12)
    assert found["ci_upper"] == approx(interval.high, rel=TOLERANCE, abs=1e-12)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("name", ["t_test_ind", "t_test_welch"])
@given(a=samples, b=samples)
@settings(max_examples=8)
def test_two_samples_agree_with_scipy(con, name, alternative, a, b):
    found = struct(
        con, f"{name}(x, treated, alternative := '{alternative}', confidence_level := 0.9)",
        **arms(a, b),
    )  # fmt: skip
    expected = stats.ttest_ind(a, b, equal_var=name == "t_test_ind", alternative=alternative)
    assert list(found) == FIELDS
    check(found, expected, 0.9)
    pooled = math.sqrt(
        ((len(a) - 1) * np.var(a, ddof=1) + (len(b) - 1) * np.var(b, ddof=1))
        / (len(a) + len(b) - 2)
    )
    assert found["effect_size"] == approx((np.mean(a) - np.mean(b)) / pooled, rel=1e-12, abs=1e-13)
    assert (found["n"], found["n_missing"]) == (len(a) + len(b), 0)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@given(a=samples)
@settings(max_examples=8)
def test_one_sample_agrees_with_scipy(con, alternative, a):
    found = struct(con, f"t_test_1samp(x, 0.3, alternative := '{alternative}')", x=a)
    check(found, stats.ttest_1samp(a, 0.3, alternative=alternative), 0.95)
    # a mean of 0.3 may differ from it by a rounding
    effect = (np.mean(a) - 0.3) / np.std(a, ddof=1)
    assert found["effect_size"] == approx(effect, rel=1e-10, abs=1e-13)


def test_paired_is_one_sample_of_differences(con):
    a = [1.0, 2.5, None, 4.0, 3.0, float("nan")]
    b = [0.5, 2.0, 1.0, None, 4.0, 1.0]
    found = struct(con, "t_test_paired(x, y)", x=a, y=b)
    check(found, stats.ttest_rel([1.0, 2.5, 3.0], [0.5, 2.0, 4.0]), 0.95)
    assert (found["n"], found["n_missing"]) == (3, 3)


def test_students_sleep(con):
    # R: t.test(extra ~ group, data = sleep), pooled and paired; 16 digits recomputed from the data
    found = con.execute(
        "with pairs as (pivot textbook.sleep on drug using first(extra_hours)) "
        "select ml.t_test_paired(dextro, laevo) from pairs"
    ).fetchall()[0][0]
    assert found["statistic"] == approx(-4.062127683382037, rel=1e-13)
    assert found["p_value"] == approx(0.002832890197384273, rel=1e-12)
    assert found["ci_lower"] == approx(-2.459885763276983, rel=1e-13)
    assert found["ci_upper"] == approx(-0.7001142367230175, rel=1e-13)
    found = con.execute(
        "select ml.t_test_ind(extra_hours, drug = 'dextro') from textbook.sleep"
    ).fetchall()[0][0]
    assert found["p_value"] == approx(0.07918671421593822, rel=1e-12)


def test_clickhouses_example(con):
    # welchTTest of the ClickHouse reference: t 2.7988719532211235, p 0.051807360348581945
    found = struct(con, "t_test_welch(x, treated)", **arms([20.3, 22.1, 21.9], [18.9, 20.3, 19.0]))
    assert found["statistic"] == approx(2.798871953220855, rel=1e-12)
    assert found["df"] == approx(3.79990400242, rel=1e-11)  # as many digits as quoted
    assert found["p_value"] == approx(0.0518073603485995, rel=1e-12)


def test_plant_growth_of_two_groups(con):
    # R: lm.D9, the help page of lm: slope -0.371 (0.31143485), p 0.249023166
    found = con.execute(
        "select ml.t_test_ind(weight_g, treatment = 'trt1') from textbook.plant_growth "
        "where treatment != 'trt2'"
    ).fetchall()[0][0]
    assert found["estimate"] == approx(-0.371, rel=1e-12)
    assert found["standard_error"] == approx(0.31143485, rel=1e-8)
    assert found["p_value"] == approx(0.249023166, rel=1e-8)


def test_tea_tastings_orders_per_user(con):
    # The sums that tea-tasting's README prints, as orders of 0 to 3: n, Σ and Σ² fix the counts.
    def orders(n, total, squares):
        threes = 100
        twos = (squares - total - 6 * threes) // 2
        ones = total - 2 * twos - 3 * threes
        found = [3.0] * threes + [2.0] * twos + [1.0] * ones
        return found + [0.0] * (n - len(found))

    found = struct(
        con, "t_test_welch(x, treated)",
        **arms(orders(1977, 1133, 2121), orders(2023, 1073, 2073)),
    )  # fmt: skip
    for name, expected in {
        "estimate": 0.0426901457718, "ci_lower": -0.0108002015982, "ci_upper": 0.0961804931422,
        "statistic": 1.5647028839587, "p_value": 0.1177317799872,
    }.items():  # fmt: skip
        assert found[name] == approx(expected, rel=2e-12)  # thirteen digits are quoted


def test_tiny_p_values_keep_their_logarithm(con):
    found = con.execute("select ml.t_test_estimate(100, 1, 5000)").fetchall()[0][0]
    # mpmath: log10 of twice the t tail at 100 with 5000 df by its incomplete beta function
    import mpmath as mp

    mp.mp.dps = 40
    tail = mp.betainc(2500, 0.5, 0, mp.mpf(5000) / (5000 + 10000), regularized=True)
    assert found["p_value"] == 0.0
    assert found["log10_p_value"] == approx(float(mp.log10(tail)), rel=1e-13)


@pytest.mark.parametrize("df", [0.5, 1, 2, 3.7, 30, 1000, 1e7, 1e15])
@pytest.mark.parametrize("level", [0.01, 0.5, 0.95, 0.9999])
def test_the_interval_takes_the_quantile_of_t(con, df, level):
    found = con.execute(
        "select ml.t_test_estimate(0, 1, $1, confidence_level := $2)", [df, level]
    ).fetchall()[0][0]
    # scipy's quantile of the lower tail, which (1 - level) / 2 gives without rounding
    expected = -stats.t.ppf((1 - level) / 2, df)
    assert found["ci_upper"] == approx(expected, rel=1e-12)
    assert found["ci_lower"] == -found["ci_upper"]


def test_one_sided_below_a_half_goes_beyond_the_estimate(con):
    found = con.execute(
        "select ml.t_test_estimate(0, 1, 4, alternative := 'greater', confidence_level := 0.3)"
    ).fetchall()[0][0]
    assert found["ci_lower"] == approx(stats.t.ppf(0.7, 4), rel=1e-12)
    assert found["ci_upper"] == math.inf


@given(a=samples, b=samples)
def test_turning_the_arms_turns_the_signs(con, a, b):
    one = struct(con, "t_test_welch(x, treated)", **arms(a, b))
    other = struct(con, "t_test_welch(x, treated)", **arms(b, a))
    assert one["p_value"] == approx(other["p_value"], rel=1e-13)
    assert one["ci_lower"] == approx(-other["ci_upper"], rel=1e-13, abs=1e-14)
    assert one["effect_size"] == -other["effect_size"]


def test_large_offsets_take_no_digits(con):
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 1024, 5000) / 1024, rng.integers(0, 1024, 5000) / 1024
    near = struct(con, "t_test_welch(x, treated)", **arms(a, b))
    far = struct(con, "t_test_welch(x, treated)", **arms(a + 1e8, b + 1e8))
    # 1e8 + k / 1024 is exact; two means near 1e8 round by 1.5e-8 each, of a standard error of 6e-3
    assert far["statistic"] == approx(near["statistic"], abs=5e-6)


def test_missing_rows_are_counted(con):
    found = struct(
        con, "t_test_welch(x, treated)",
        x=pa.array([1.0, 2.0, None, 4.0, 5.0, float("nan"), 7.0]),
        treated=[True, True, True, False, False, False, None],
    )  # fmt: skip
    assert (found["n"], found["n_missing"], found["estimate"]) == (4, 3, -3.0)


@pytest.mark.parametrize("call", ["t_test_ind(x, treated)", "t_test_welch(x, treated)",
                                  "t_test_1samp(x)", "t_test_paired(x, x - 1)"])  # fmt: skip
@pytest.mark.parametrize(
    "x, treated",
    [
        ([], []),
        ([1.0], [True]),
        ([1.0], [False]),
        ([None, None], [True, False]),
        ([math.nan], [True]),
        ([2.0, 2.0, 2.0, 2.0], [True, True, False, False]),
    ],
)
def test_thin_data_gives_null(con, call, x, treated):
    found = struct(con, call, x=pa.array(x, pa.float64()), treated=pa.array(treated, pa.bool_()))
    for name in ("statistic", "p_value", "log10_p_value", "standard_error", "ci_lower", "ci_upper",
                 "effect_size"):  # fmt: skip
        assert found[name] is None
    assert found["n"] + found["n_missing"] == len(x)


def test_one_row_an_arm_is_enough_for_students_test_only_with_others(con):
    found = struct(con, "t_test_ind(x, treated)", **arms([5.0], [1.0, 2.0, 3.0]))
    expected = stats.ttest_ind([5.0], [1.0, 2.0, 3.0])
    assert found["p_value"] == approx(expected.pvalue, rel=1e-12)
    assert struct(con, "t_test_welch(x, treated)", **arms([5.0], [1.0, 2.0]))["p_value"] is None


def test_equal_values_in_many_rows_have_no_spread(con):
    # parts of 0.1 merged over threads: their means differ in the last bit
    found = con.execute("select ml.t_test_1samp(0.1) from range(1000000)").fetchall()[0][0]
    assert (found["estimate"], found["statistic"]) == (approx(0.1), None)


@pytest.mark.parametrize(
    "call, message",
    [
        ("t_test_1samp(x, alternative := 'more')", "alternative is.*more"),
        ("t_test_1samp(x, alternative := NULL)", "alternative"),
        ("t_test_1samp(x, confidence_level := 1)", "confidence_level is 1"),
        ("t_test_1samp(x, confidence_level := 0)", "confidence_level is 0"),
    ],
)
def test_a_bad_parameter_is_an_error(con, call, message):
    with pytest.raises(duckdb.Error, match=message):
        struct(con, call, x=[1.0, 2.0, 4.0])


def test_columns_are_not_read_in_place_of_what_is_inside(con):
    # tables called like a lambda's variable, with columns called like the fields of its STRUCT
    con.execute("create or replace temp table s as select 7 as n, 3 as variance, 5 as mean, "
                "i::double as x, i % 2 = 0 as t from range(9) r(i)")  # fmt: skip
    found = con.execute("select n, ml.t_test_welch(x, t) from s group by n").fetchall()[0][1]
    assert found["n"] == 9
    assert found["statistic"] == approx(0.0, abs=1e-15)


@pytest.mark.parametrize(
    ("call", "constant"),
    [
        ("t_test_1samp(x, {})", "2"),
        ("z_test_1samp(x, {}, sd := {})", "2"),
        ("z_test_ind(x, x > 1, sd_treatment := {})", "2"),
        ("chi2_variance_test(x, {})", "2"),
        ("proportion_test_1samp(x > 2, {})", "0.25"),
    ],
)
def test_what_is_given_may_come_from_a_query(con, call, constant):
    rows = "from (values (1.0), (2.5), (7.0), (0.5)) as t(x)"
    asked = call.replace("{}", f"(select max(v) from (values ({constant})) as u(v))")
    found = con.execute(f"select ml.{asked} {rows}").fetchall()
    assert found == con.execute(f"select ml.{call.replace('{}', constant)} {rows}").fetchall()
