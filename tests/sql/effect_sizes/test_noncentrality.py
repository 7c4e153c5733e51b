"""The solved noncentralities put into the tails they come from, and into scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from pytest import approx
from scipy import stats

CASES = [
    ("t", stats.nct, (2.5, 20)), ("t", stats.nct, (-0.3, 1)), ("t", stats.nct, (12.0, 3)),
    ("t", stats.nct, (25.0, 5000)), ("f", stats.ncf, (4.846, 2, 27)), ("f", stats.ncf, (0.9, 10, 5)),
    ("f", stats.ncf, (60.0, 1, 300)), ("chi2", stats.ncx2, (30.07, 2)), ("chi2", stats.ncx2, (150.0, 100)),
]  # fmt: skip


@pytest.mark.parametrize("p", [0.005, 0.025, 0.975])
@pytest.mark.parametrize("family, distribution, arguments", CASES)
def test_the_tail_at_the_root_is_p(con, family, distribution, arguments, p):
    listed = ", ".join(map(repr, map(float, arguments)))
    found, tail, central = con.execute(
        f"select r, ml.noncentral_{family}_sf({listed}, r), ml.noncentral_{family}_sf({listed}, 0) "
        f"from (select ml.noncentral_{family}_noncentrality({listed}, {p}::double) as r)"
    ).fetchall()[0]
    if family != "t" and central > p:
        assert found == 0
        return
    assert tail == approx(p, rel=1e-10)
    # scipy's noncentral t and F are good to 1e-8 or so here
    assert distribution.sf(*arguments, found) == approx(p, rel=1e-6)


def test_null_gives_null(con):
    assert con.execute(
        "select ml.noncentral_t_noncentrality(NULL, 5, 0.5), ml.noncentral_t_noncentrality(1, NULL, 0.5), "
        "ml.noncentral_f_noncentrality(1, 2, NULL, 0.5), ml.noncentral_chi2_noncentrality(NULL, 2, 0.5)"
    ).fetchall() == [(None, None, None, None)]


def test_more_tail_needs_more_noncentrality(con):
    found = con.execute(
        "select ml.noncentral_chi2_noncentrality(20, 3, p) from unnest([0.1, 0.5, 0.9]) as t(p)"
    ).fetchall()
    assert np.all(np.diff([row[0] for row in found]) > 0)
