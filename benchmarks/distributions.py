"""The worst relative error of every distribution function, beside scipy's, against 50 digits.

    python -m benchmarks.distributions            # prints the table
    python -m benchmarks.distributions --write    # and puts it into docs/accuracy.md

The points and the exact values are those of tests/sql/distributions/accuracy.py.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import mpmath as mp
import numpy as np
from scipy import special, stats

import mlpond
from tests.sql.distributions.accuracy import CASES, Case, Point, points

PAGE = Path(__file__).parents[1] / "docs" / "accuracy.md"
MARKS = ("<!-- table: python -m benchmarks.distributions --write -->", "<!-- end of table -->")
POINTS = 1000
SPECIAL = {
    "erf": special.erf, "erfc": special.erfc, "log1p": np.log1p, "expm1": np.expm1,
    "gamma_inc": special.gammainc, "gamma_inc_upper": special.gammaincc, "digamma": special.digamma,
    "beta_inc": lambda x, a, b: special.betainc(a, b, x), "log_beta": special.betaln,
}  # fmt: skip
FAMILIES = {
    "normal": stats.norm, "exponential": stats.expon, "logistic": stats.logistic,
    "laplace": stats.laplace, "cauchy": stats.cauchy, "pareto": stats.pareto, "gamma": stats.gamma,
    "chi2": stats.chi2, "beta": stats.beta, "t": stats.t, "f": stats.f, "lognormal": stats.lognorm,
    "weibull": stats.weibull_min, "binomial": stats.binom, "poisson": stats.poisson,
    "geometric": stats.geom, "negative_binomial": stats.nbinom, "hypergeometric": stats.hypergeom,
}  # fmt: skip
# Down to here, and beyond: a product of powers has lost digits to its exponent, whoever computes it.
REGIONS = (mp.mpf("1e-30"), mp.mpf("1e-300"))


def main() -> None:
    """Measure every case and print, or write, the table."""
    warnings.filterwarnings("ignore")
    lines = [
        "| function | worst error, results above 1e-30 | scipy's | worst error, above 1e-300 | scipy's |",
        "|---|---|---|---|---|",
    ]
    with mlpond.connect() as session:
        for case in CASES:
            found = points(case, POINTS, seed=2)
            exact = [case.exact(*map(mp.mpf, point)) for point in found]
            ours = _errors(case, _ours(session, case, found), exact)
            peers = _errors(case, _peer(case, found), exact)
            cells = [f"{worst:.1e}" for pair in zip(ours, peers, strict=True) for worst in pair]
            lines.append(f"| `{case.function}` | {' | '.join(cells)} |")
            print(lines[-1], flush=True)
    if "--write" in sys.argv:
        text = PAGE.read_text(encoding="utf-8")
        before, rest = text.split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        table = "\n".join(lines)
        PAGE.write_text(f"{before}{MARKS[0]}\n\n{table}\n\n{MARKS[1]}{after}", encoding="utf-8")


def _ours(session: mlpond.Session, case: Case, found: list[Point]) -> list[float]:
    arguments = ", ".join(f"r[{i + 1}]" for i in range(len(found[0])))
    query = f"select ml.{case.function}({arguments}) from (select unnest(?) as r)"
    return [row[0] for row in session.con.execute(query, [[list(p) for p in found]]).fetchall()]


def _peer(case: Case, found: list[Point]) -> list[float]:
    columns = np.array(found).T
    if case.function in SPECIAL:
        return list(SPECIAL[case.function](*columns))
    family, _, ending = case.function.rpartition("_")
    values = getattr(FAMILIES[family], ending)(*columns)
    return list(values)


def _errors(case: Case, values: list[float], exact: list[mp.mpf]) -> list[float]:
    """The worst error in each region; near its zeros a logarithm is held to 1e-2 absolute."""
    worst = [0.0] * len(REGIONS)
    for value, expected in zip(values, exact, strict=True):
        floor = mp.mpf("1e-2") if "log" in case.function or case.function == "digamma" else 0
        size = max(abs(expected), floor)
        for i, smallest in enumerate(REGIONS):
            if size > smallest:
                error = (
                    abs(mp.mpf(float(value)) - expected) / size if np.isfinite(value) else mp.inf
                )
                worst[i] = max(worst[i], float(error))
    return worst


if __name__ == "__main__":
    main()
