"""From a statistic to a p-value: alternatives, logarithms, NULL and errors."""

from __future__ import annotations

import math

import duckdb
import pytest
from scipy import stats


def values(con, query):
    return con.execute(f"select {query}").fetchall()[0]


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
@pytest.mark.parametrize("x", [-3.0, 0.0, 0.4, 12.0])
def test_p_values_are_those_of_scipy(con, x, alternative):
    normal, log_normal, t, log_t = values(
        con,
        f"ml.normal_p_value({x}, '{alternative}'), ml.normal_log10_p_value({x}, '{alternative}'), "
        f"ml.t_p_value({x}, 7, '{alternative}'), ml.t_log10_p_value({x}, 7, '{alternative}')",
    )
    for found, log10, family in ((normal, log_normal, stats.norm()), (t, log_t, stats.t(7))):
        expected = {
            "less": family.cdf(x),
            "greater": family.sf(x),
            "two-sided": 2 * family.sf(abs(x)),
        }[alternative]
        # exp of a logarithm of up to 75, each rounded by 2**-53
        assert found == pytest.approx(expected, rel=3e-14)
        assert log10 == pytest.approx(math.log10(expected), rel=1e-14, abs=1e-15)


def test_the_logarithm_lives_on_where_p_is_0(con):
    p, log10 = values(
        con, "ml.normal_p_value(50, 'two-sided'), ml.normal_log10_p_value(50, 'two-sided')"
    )
    assert p == 0
    # ln(2 Q(50)) = ln 2 - 1250 - ln(50 sqrt(2π)) - 1/2500
    expected = (math.log(2) - 1250 - math.log(50 * math.sqrt(2 * math.pi)) - 1 / 2500) / math.log(
        10
    )
    assert log10 == pytest.approx(expected, rel=1e-8)  # the next term is 2.5 / 50**4


def test_null_gives_null(con):
    found = values(
        con,
        "ml.normal_p_value(null, 'less'), ml.t_p_value(null, 3, 'two-sided'), "
        "ml.t_p_value(1, null, 'two-sided'), ml.t_log10_p_value(null, 3, 'less'), ml.log10_p_value(null)",
    )
    assert found == (None,) * 5


def test_bad_parameters_are_named(con):
    with pytest.raises(duckdb.Error, match="alternative is 'both'; accepted are 'two-sided'"):
        values(con, "ml.t_p_value(1, 3, 'both')")
    for level in ("0", "1", "95", "null"):
        with pytest.raises(duckdb.Error, match="confidence_level is"):
            values(con, f"ml.tail_probability({level}, 'less')")
    assert values(con, "ml.tail_probability(0.95, 'two-sided')")[0] == pytest.approx(
        0.025, rel=1e-14
    )
