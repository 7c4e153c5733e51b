"""Eta and omega squared, Cramér's V and Cliff's delta against their definitions and peers."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest
from pytest import approx
from scipy import stats
from scipy.stats.contingency import association

import mlpond
from mlpond.seeds import load
from tests.conftest import record


@pytest.fixture(scope="module")
def pond(load_penguins):
    with mlpond.connect() as session:
        load_penguins(session)
        load(session, "textbook")
        yield session


@pytest.mark.slow
def test_eta_and_omega_of_plant_growth(pond):
    eta = record(pond, "from ml.eta_squared('textbook.plant_growth', 'weight_g', 'treatment')")
    omega = record(pond, "from ml.omega_squared('textbook.plant_growth', 'weight_g', 'treatment')")
    frame = pond.sql("from textbook.plant_growth").df()
    pingouin = pytest.importorskip("pingouin")  # not among the dependencies of the tests
    anova = pingouin.anova(frame, dv="weight_g", between="treatment", detailed=True)
    between, within = anova["SS"]
    assert eta["estimate"] == approx(between / (between + within), rel=1e-10)
    ms = within / 27
    assert omega["estimate"] == approx((between - 2 * ms) / (between + within + ms), rel=1e-10)
    f = between / 2 / ms
    for row in (eta, omega):
        for end, tail in (("ci_lower", 0.025), ("ci_upper", 0.975)):
            noncentrality = 30 * row[end] / (1 - row[end])
            # scipy's noncentral F is good to 1e-8 or so
            assert stats.ncf.sf(f, 2, 27, noncentrality) == approx(tail, rel=1e-6)


@pytest.mark.parametrize("function", ["eta_squared", "omega_squared"])
@pytest.mark.parametrize("rows", ["where false", "limit 1", "where species = ''Gentoo''"])
def test_one_group_explains_nothing_known(pond, function, rows):
    found = record(pond, f"from ml.{function}('(from penguins {rows})', 'body_mass_g', 'species')")
    assert (found["estimate"], found["ci_lower"], found["ci_upper"]) == (None, None, None)


def test_missing_metrics_are_counted(pond):
    found = record(pond, "from ml.eta_squared('penguins', 'body_mass_g', 'species')")
    assert (found["n"], found["n_missing"]) == (342, 2)


@pytest.mark.slow
def test_a_shift_changes_no_share(pond):
    near = record(pond, "from ml.eta_squared('penguins', 'body_mass_g', 'species')")
    far = record(
        pond,
        "from ml.eta_squared('(select species, body_mass_g + 1e8 as m from penguins)', 'm', 'species')",
    )
    # means near 1e8 round by 1.5e-8 of differences of 1e3
    assert far["estimate"] == approx(near["estimate"], rel=1e-9)


def test_cramers_v_of_agrestis_parties(pond):
    found = record(
        pond, "from ml.cramers_v('textbook.party', 'gender', 'party', weight := 'n_people')"
    )
    assert found["estimate"] == approx(0.1044358024, abs=5e-11)  # Agresti (2007), page 38
    counts = np.array([[762, 327, 468], [484, 239, 477]])
    assert found["estimate"] == approx(association(counts), rel=1e-12)
    chi2 = stats.chi2_contingency(counts).statistic
    for end, tail in (("ci_lower", 0.025), ("ci_upper", 0.975)):
        assert stats.ncx2.sf(chi2, 2, found[end] ** 2 * counts.sum()) == approx(tail, rel=1e-9)


def test_cramers_v_of_rows_and_its_correction(pond):
    frame = pond.sql("select species, island from penguins").df()
    counts = pd.crosstab(frame["species"], frame["island"]).to_numpy()
    found = record(pond, "from ml.cramers_v('penguins', 'species', 'island')")
    assert found["estimate"] == approx(association(counts), rel=1e-12)
    assert found["n"] == 344
    n, (r, k) = counts.sum(), counts.shape
    phi2 = stats.chi2_contingency(counts).statistic / n - (r - 1) * (k - 1) / (n - 1)
    least = min(r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1))
    found = record(
        pond, "from ml.cramers_v('penguins', 'species', 'island', bias_correction := true)"
    )
    assert found["estimate"] == approx(np.sqrt(phi2 / (least - 1)), rel=1e-12)


def test_cramers_v_of_thin_data(pond):
    for rows in ("where false", "limit 1", "where species = ''Gentoo''"):
        found = record(pond, f"from ml.cramers_v('(from penguins {rows})', 'species', 'sex')")
        assert (found["estimate"], found["ci_upper"]) == (None, None)
    found = record(pond, "from ml.cramers_v('penguins', 'species', 'sex')")
    assert found["n_missing"] == 11
    # chi-square is so small that chance alone nearly always makes more: no interval, not (0, 0)
    assert (found["ci_lower"], found["ci_upper"]) == (None, None)


def test_cliffs_delta_by_its_matrix_of_signs(pond):
    rng = np.random.default_rng(0)
    a, b = rng.integers(2, 10, 20), rng.integers(0, 8, 30)
    rows = [("t", float(x)) for x in a] + [("c", float(x)) for x in b]
    pond.con.execute("create or replace table scores (arm varchar, y double)")
    pond.con.executemany("insert into scores values (?, ?)", rows)
    found = record(pond, "from ml.cliffs_delta('scores', 'y', 'arm')")
    signs = np.sign(a[:, None] - b[None, :])
    (m, n), delta = signs.shape, signs.mean()
    variance = (
        n**2 * ((signs.mean(1) - delta) ** 2).sum()
        + m**2 * ((signs.mean(0) - delta) ** 2).sum()
        - ((signs - delta) ** 2).sum()
    ) / (m * n * (m - 1) * (n - 1))
    assert found["estimate"] == approx(delta, rel=1e-14)
    assert found["standard_error"] == approx(variance**0.5, rel=1e-12)
    u = stats.mannwhitneyu(a, b).statistic
    assert found["estimate"] == approx(2 * u / (m * n) - 1, rel=1e-12)
    spread = 1.959963984540054 * variance**0.5
    root = spread * np.sqrt((1 - delta**2) ** 2 + spread**2)
    ends = [(delta - delta**3 + sign * root) / (1 - delta**2 + spread**2) for sign in (-1, 1)]
    assert [found["ci_lower"], found["ci_upper"]] == approx(ends, rel=1e-12)
    turned = record(pond, "from ml.cliffs_delta('scores', 'y', 'arm', treatment := 'c')")
    assert turned["estimate"] == -found["estimate"]
    assert turned["ci_lower"] == approx(-found["ci_upper"], rel=1e-12)


def test_cliffs_delta_takes_two_arms(pond):
    with pytest.raises(duckdb.Error, match="cliffs_delta.*ctrl, trt1, trt2"):
        pond.con.execute(
            "from ml.cliffs_delta('textbook.plant_growth', 'weight_g', 'treatment')"
        ).fetchall()
    found = record(pond, "from ml.cliffs_delta('(from scores where false)', 'y', 'arm')")
    assert list(found.values()) == [None] * 4 + [0, 0]
