from __future__ import annotations

import duckdb
import numpy as np
import pytest
from pytest import approx
from scipy import optimize, stats
from scipy.special import ndtr

from tests.sql.grouped import ask, load, named, of_kind

DUNNETT = "from ml.dunnett('samples', 'y', 'level')"


def rule(low, high, pieces):
    """Gauss and Legendre's 20 points in each of so many pieces."""
    x, weight = np.polynomial.legendre.leggauss(20)
    edges = np.linspace(low, high, pieces + 1)
    half = np.diff(edges)[:, None] / 2
    return (edges[:-1, None] + half * (1 + x)).ravel(), (half * weight).ravel()


def beyond(d, control, sizes, df, two_sided):
    """P(the greatest t is beyond d): the formula of Dunnett (1955) by another rule and scale."""
    r = np.sqrt(np.array(sizes) / (np.array(sizes) + control))
    w = np.sqrt(1 - r**2)
    s, of_s = rule(0, 1 + 12 / np.sqrt(2 * df), 20)
    z, of_z = rule(-10, 10, 20)
    all_below = 1.0
    for a, b in zip(r, w, strict=True):
        x = (d * s[:, None] - a * z) / b
        all_below = all_below * (
            ndtr(x) - (ndtr(-(d * s[:, None] + a * z) / b) if two_sided else 0)
        )
    density = np.outer(
        stats.chi.pdf(s * np.sqrt(df), df) * np.sqrt(df) * of_s, stats.norm.pdf(z) * of_z
    )
    return ((1 - all_below) * density).sum()


def samples(sizes, seed):
    rng = np.random.default_rng(seed)
    return [np.round(rng.normal(0.3 * i, 1, n), 3).tolist() for i, n in enumerate(sizes)]


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
@pytest.mark.parametrize("sizes", [(5, 12, 7), (2, 3, 2)])
def test_agrees_with_scipy(con, sizes, alternative):
    drawn = samples(sizes, 1)
    load(con, named(drawn))
    rows = ask(con, DUNNETT.replace("level')", f"level', alternative := '{alternative}')"))
    options = {"control": drawn[0], "alternative": alternative, "rng": np.random.default_rng(2)}
    expected = stats.dunnett(*drawn[1:], **options)
    interval = expected.confidence_interval()
    for i, row in enumerate(rows):
        assert (row["group_1"], row["group_2"]) == ("g0", f"g{i + 1}")
        assert row["statistic"] == approx(expected.statistic[i], rel=1e-10)
        # scipy integrates by random points: it asks for 1e-3 of p, and 1e-3 of the limits
        assert row["p_value"] == approx(expected.pvalue[i], abs=1e-3)
        assert row["ci_lower"] == approx(interval.low[i], rel=2e-3, abs=2e-3)
        assert row["ci_upper"] == approx(interval.high[i], rel=2e-3, abs=2e-3)


@pytest.mark.parametrize(
    "sizes, alternative",
    [((6, 4, 9), "two-sided"), ((6, 4, 9), "greater"), ((3, 40, 8, 5), "two-sided")],
)
def test_agrees_with_another_quadrature(con, sizes, alternative):
    load(con, named(samples(sizes, 3)))
    rows = ask(con, DUNNETT.replace("level')", f"level', alternative := '{alternative}')"))
    df, two_sided = sum(sizes) - len(sizes), alternative == "two-sided"
    for row in rows:
        d = abs(row["statistic"]) if two_sided else row["statistic"]
        # 1 - a product: 1e-14 absolute
        assert row["p_value"] == approx(
            beyond(d, sizes[0], sizes[1:], df, two_sided), rel=1e-11, abs=1e-13
        )
    critical = optimize.brentq(
        lambda d: beyond(d, sizes[0], sizes[1:], df, two_sided) - 0.05, 1, 6, xtol=1e-13
    )
    half = (rows[0]["estimate"] - rows[0]["ci_lower"]) / rows[0]["standard_error"]
    assert half == approx(critical, rel=1e-10)  # interpolated through 16 points


def test_published_critical_values(con):
    # Dunnett (1955, 1964), tables at 5 %: two-sided with 2 treatments and 27 or with 5 and 30
    # degrees of freedom, one-sided with 3 and 20; R: mvtnorm::qmvt agrees
    for sizes, alternative, printed in (
        ((11,) * 3, "two-sided", 2.32),
        ((6,) * 6, "two-sided", 2.66),
        ((6,) * 4, "greater", 2.19),
    ):
        load(con, named(samples(sizes, 4)))
        row = ask(con, DUNNETT.replace("level')", f"level', alternative := '{alternative}')"))[0]
        half = (row["estimate"] - row["ci_lower"]) / row["standard_error"]
        assert half == approx(printed, abs=0.006)  # two decimals are printed


def test_one_treatment_is_a_t_test(con):
    drawn = samples((8, 5), 5)
    load(con, named(drawn))
    for alternative in ("two-sided", "less", "greater"):
        (row,) = ask(con, DUNNETT.replace("level')", f"level', alternative := '{alternative}')"))
        expected = stats.ttest_ind(drawn[1], drawn[0], alternative=alternative)
        interval = expected.confidence_interval()
        assert row["statistic"] == approx(expected.statistic, rel=1e-12)
        assert row["p_value"] == approx(expected.pvalue, rel=1e-11)  # quadrature: 1e-14
        assert (row["ci_lower"], row["ci_upper"]) == approx(
            (interval.low, interval.high), rel=1e-10
        )


def test_alternatives_mirror_each_other(con):
    load(con, named(samples((6, 4, 9), 6)))
    mirrored = "'(select -y as y, level from samples)'"
    greater = ask(con, DUNNETT.replace("level')", "level', alternative := 'greater')"))
    less = ask(
        con,
        DUNNETT.replace("level')", "level', alternative := 'less')").replace("'samples'", mirrored),
    )
    for a, b in zip(greater, less, strict=True):
        assert a["p_value"] == approx(b["p_value"], rel=1e-12)
        assert a["ci_lower"] == approx(-b["ci_upper"], rel=1e-12)


def test_a_tiny_p_value_keeps_its_digits(con):
    load(con, {"a": [0.0, 1.0, 0.5], "b": [1e6, 1e6 + 1, 1e6 + 0.5], "c": [1.0, 2.0, 1.5]})
    row = ask(con, DUNNETT)[0]
    # far out the two treatments' tails hardly overlap: between one and two of them
    single = stats.t.sf(row["statistic"], 6) * 2
    assert single < row["p_value"] <= 2 * single * (1 + 1e-9)
    assert row["log10_p_value"] == approx(np.log10(row["p_value"]), rel=1e-12)


def test_another_control_can_be_chosen(con):
    rows = ask(con, "from ml.dunnett('penguins', 'body_mass_g', 'species', control := 'Gentoo')")
    assert [(row["group_1"], row["group_2"]) for row in rows] == [
        ("Gentoo", "Adelie"),
        ("Gentoo", "Chinstrap"),
    ]
    assert rows[0]["n_missing"] == 2


@pytest.mark.parametrize(
    "argument, message",
    [("control := 'x'", "control is x; the groups are g0, g1"),
     ("alternative := 'both'", "alternative is 'both'"),
     ("confidence_level := 1", "confidence_level is 1")],
)  # fmt: skip
def test_bad_parameters_are_named(con, argument, message):
    load(con, named(samples((4, 4), 7)))
    with pytest.raises(duckdb.Error, match=message):
        ask(con, DUNNETT.replace("level')", f"level', {argument})"))


@pytest.mark.parametrize(
    "drawn, pairs",
    [
        ({}, 0),
        ({"a": [1.0, 2.0]}, 0),
        ({"a": [1.0], "b": [2.0]}, 1),
        ({"a": [1.0, 1.0], "b": [2.0, 2.0]}, 1),
    ],
    ids=["empty", "one group", "one row each", "constant"],
)
def test_thin_data_give_null(con, drawn, pairs):
    load(con, drawn)
    rows = ask(con, DUNNETT)
    assert len(rows) == pairs
    for row in rows:
        assert list(row) == ["group_1", "group_2", *of_kind("t")]
        for field in ("statistic", "p_value", "log10_p_value", "ci_lower", "ci_upper"):
            assert row[field] is None
