"""Ways to least squares: QR, Gram matrix, and Gram matrix refined, over the same blocks.

python -m benchmarks.least_squares [--rows 5000000] [--runs 3]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import Any

import duckdb
import numpy as np

from benchmarks.harness import console
from benchmarks.tables import linear_table
from mlpond.engine import Engine
from mlpond.udfs.design import Block, Columns, Layout
from mlpond.udfs.linear import linear_regression as least_squares
from mlpond.udfs.linear.fit import Fit, Moments
from mlpond.udfs.trainer import fold


def blocks(engine: Engine, features: int) -> Iterator[Block]:
    names = ", ".join(f"x{j}" for j in range(features))
    with engine.stream(f"select {names}, y from t") as batches:
        for batch in batches:
            columns = [batch.column(j).to_numpy() for j in range(features)]
            yield Block(Columns(columns), y=batch.column(features).to_numpy())


def fit(engine: Engine, features: int, rows: int, method: str) -> Fit:
    moments = Moments(np.zeros(features), np.ones(features), rows)
    step: Any = least_squares.linear_regression(Layout(features), moments)
    step = replace(step, method="gram" if method == "refined" else method)
    while not isinstance(step, Fit):
        step = step.finish(fold(step, blocks(engine, features)))
    return step


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    database = linear_table(chosen.rows, chosen.features)
    engine = Engine(duckdb.connect(str(database), read_only=True))
    trusted = least_squares.TRUSTED
    seconds: dict[str, list[float]] = {"qr": [], "gram": [], "refined": []}
    fits: dict[str, Fit] = {}
    for _ in range(chosen.runs):
        for method, times in seconds.items():
            # a condition number that nothing passes forces the second scan
            least_squares.TRUSTED = 0.0 if method == "refined" else trusted
            started = time.perf_counter()
            fits[method] = fit(engine, chosen.features, chosen.rows, method)
            times.append(time.perf_counter() - started)
    for method, times in seconds.items():
        off = np.max(np.abs(fits[method].coefficients / fits["qr"].coefficients - 1))
        console.print(
            f"{method:8} median {median(times):.2f} s, {fits[method].passes} scans, "
            f"coefficients differ from QR's by {off:.0e}"
        )


if __name__ == "__main__":
    main()
