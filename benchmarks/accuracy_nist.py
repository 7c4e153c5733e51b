"""Correct digits on NIST's reference data, beside numpy, scipy, statsmodels and scikit-learn.

python -m benchmarks.accuracy_nist

The score of an estimate is its log relative error, -log10(|estimate - certified| / |certified|),
of the absolute error where the certified value is 0, and at most the 15 digits that NIST prints.
A data set scores the least of its estimates. The peers get the values as doubles, which is how
they take them; mlpond reads them in place, as DECIMAL.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import statsmodels.api as sm
from rich.table import Table
from scipy import linalg, stats
from sklearn.linear_model import LinearRegression

import mlpond
from benchmarks.harness import console
from mlpond.seeds import load

Certified = dict[str, float]
Scores = list[float | None]


def digits(found: float, certified: float) -> float:
    """The log relative error, between 0 and 15."""
    error = abs(found - certified) / (abs(certified) or 1.0)
    if not error < 1.0:
        return 0.0
    return 15.0 if error == 0 else min(15.0, -math.log10(error))


def least(found: Iterable[float], certified: Iterable[float]) -> float:
    """Digits of the worst estimate."""
    return min(digits(float(a), b) for a, b in zip(found, certified, strict=True))


def univariate(pond: mlpond.Session, name: str, certified: Certified) -> Scores:
    """Mean, standard deviation and lag-1 autocorrelation."""
    source = f"(from nist.univariate where dataset = '{name}')"
    wanted = ("mean", "standard_deviation", "lag_1_autocorrelation")
    ours = pond.con.execute(
        f"select {', '.join(wanted)} from ml.moments(?, 'value', 'observation')", [source]
    ).fetchall()[0]
    x = column(pond, f"select value::double as x from {source} order by observation")
    centred = x - x.mean()
    peer = (
        x.mean(),
        x.std(ddof=1),
        (centred[1:] * centred[:-1]).sum() / (centred * centred).sum(),
    )
    values = [certified[quantity] for quantity in wanted]
    return [score for pair in zip(ours, peer, values, strict=True) for score in (
        digits(pair[0], pair[2]), digits(pair[1], pair[2]))]  # fmt: skip


def anova(pond: mlpond.Session, name: str, certified: Certified) -> Scores:
    """The F statistic."""
    source = f"(from nist.anova where dataset = '{name}')"
    ours = pond.con.execute(
        "select statistic from ml.anova(?, 'response', 'treatment')", [source]
    ).fetchall()[0][0]
    y = column(pond, f"select response::double as x from {source}")
    level = column(pond, f"select treatment as x from {source}")
    groups = [y[level == k] for k in np.unique(level)]
    dummies = np.stack([level == k for k in np.unique(level)[1:]], axis=1).astype(float)
    peers = (stats.f_oneway(*groups).statistic, sm.OLS(y, sm.add_constant(dummies)).fit().fvalue)
    return [digits(float(f), certified["statistic"]) for f in (ours, *peers)]


def linear(pond: mlpond.Session, name: str, certified: Certified) -> Scores:
    """Coefficients, and of ours the standard errors too."""
    degree, has_intercept = pond.con.execute(
        "select polynomial_degree, has_intercept from nist.datasets where dataset = ?", [name]
    ).fetchall()[0]
    found = pond.con.execute("select * from nist.linear where dataset = ?", [name]).fetchall()
    predictors = sum(x is not None for x in found[0][3:])
    powers = range(1, (degree or 1) + 1)
    expressions = [f"x{j}::double ** {k}" for j in range(1, predictors + 1) for k in powers]
    listed = ", ".join(f"{x} as v{j}" for j, x in enumerate(expressions, start=1))
    query = f"select {listed}, y::double as y from nist.linear where dataset = '{name}'"
    pond.sql(
        "create or replace model nist_fit options (model_type = 'linear_reg', "
        "input_label_cols = ['y'], data_split_method = 'no_split', calculate_p_values = true, "
        f"category_encoding_method = 'dummy_encoding', fit_intercept = {has_intercept}) as {query}"
    )
    weights = {
        "b0" if row[0] == "__INTERCEPT__" else f"b{row[0][1:]}": row[1:]
        for row in pond.con.execute(
            "select processed_input, weight, standard_error from ml.coefficients "
            "where model = 'nist_fit' qualify version = max(version) over ()"
        ).fetchall()
    }
    wanted = [key for key in certified if f"{key}_standard_error" in certified]
    values = [certified[key] for key in wanted]
    errors = [certified[f"{key}_standard_error"] for key in wanted]
    data = pond.con.execute(query).fetchnumpy()
    y = np.asarray(data.pop("y"))
    X = np.stack([np.asarray(x) for x in data.values()], axis=1)
    with_constant = sm.add_constant(X) if has_intercept else X
    model = LinearRegression(fit_intercept=has_intercept).fit(X, y)
    sklearn = [*([model.intercept_] if has_intercept else []), *model.coef_]
    return [
        least((weights[key][0] for key in wanted), values),
        least((weights[key][1] for key in wanted), errors),
        least(linalg.lstsq(with_constant, y)[0], values),
        least(sm.OLS(y, with_constant).fit().params, values),
        least(sm.OLS(y, with_constant).fit().bse, errors),
        least(sklearn, values),
    ]


def column(pond: mlpond.Session, query: str) -> np.ndarray:
    """The column x of a query."""
    return np.asarray(pond.con.execute(query).fetchnumpy()["x"])


COLLECTIONS: tuple[tuple[str, Callable[..., Scores], Sequence[str]], ...] = (
    (
        "univariate",
        univariate,
        ("mean", "numpy", "sd", "numpy", "autocorrelation", "numpy"),
    ),
    ("anova", anova, ("F", "scipy", "statsmodels")),
    (
        "linear",
        linear,
        ("weights", "errors", "scipy", "statsmodels", "its errors", "scikit-learn"),
    ),
)


def scores(pond: mlpond.Session, collection: str) -> dict[str, Scores]:
    """The scores of every data set of a collection, by its name."""
    measure = {name: function for name, function, _ in COLLECTIONS}[collection]
    names = pond.con.execute(
        "select dataset from nist.datasets where collection = ?", [collection]
    ).fetchall()
    measured = {}
    for (name,) in names:
        certified = dict(
            pond.con.execute(
                "select quantity, value from nist.certified where dataset = ?", [name]
            ).fetchall()
        )
        measured[name] = measure(pond, name, certified)
    return measured


def main() -> None:
    """Measure and print."""
    warnings.simplefilter("ignore")  # the peers warn of what is being measured
    with mlpond.connect() as pond:
        load(pond, "nist")
        for collection, _, headings in COLLECTIONS:
            table = Table(title=f"Correct digits, {collection}", title_justify="left")
            table.add_column("data set")
            for heading in headings:
                table.add_column(heading, justify="right")
            for name, measured in scores(pond, collection).items():
                table.add_row(name, *("" if s is None else f"{s:.1f}" for s in measured))
            console.print(table)


if __name__ == "__main__":
    main()
