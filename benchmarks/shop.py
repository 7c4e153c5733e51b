"""Making the shop: time, rows a second and peak memory at growing scales, with 1 GB for DuckDB.

python -m benchmarks.shop [--largest 100] [--runs 3]

Scale 1 has 10,000 customers. The file is made in the folder of the benchmarks' tables, and removed.
"""

from __future__ import annotations

import argparse
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.harness import compare, console, prepared
from benchmarks.tables import folder

MEMORY_LIMIT = "1GB"
SCALES = (1, 10, 100)


def _import_mlpond() -> None:
    import mlpond.seeds.loader  # noqa: F401


def _made(database: str, scale: int) -> list[float]:
    """Make the shop, in place of the one before; the rows for each 10,000 customers."""
    import mlpond
    from mlpond.seeds.loader import load

    with mlpond.connect(database, memory_limit=MEMORY_LIMIT) as pond:
        rows = load(pond, "shop", scale=scale)
    return [sum(rows.values()) / scale]


# the harness finds a contender by its name
for _scale in SCALES:
    _contender = partial(_made, scale=_scale)
    globals()[f"scale_{_scale}"] = prepared(_import_mlpond)(_contender)


def main() -> None:
    """Make the shop at each scale, in turns."""
    import mlpond

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, choices=SCALES, default=SCALES[-1])
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    scales = [scale for scale in SCALES if scale <= chosen.largest]
    with tempfile.TemporaryDirectory(dir=folder()) as scratch:
        database = Path(scratch) / "pond.duckdb"
        mlpond.connect(database).close()
        results = compare(
            f"the shop at scales {', '.join(map(str, scales))}, with {MEMORY_LIMIT}", database,
            [f"shop:scale_{scale}" for scale in scales], runs=chosen.runs,
            target="time proportional to the scale, memory within the limit",
        )  # fmt: skip
    for scale, result in zip(scales, results, strict=True):
        if not result.failed:
            rows, seconds = result.numbers[0] * scale, median(result.seconds)
            console.print(
                f"scale {scale:>3}: {rows:>12,.0f} rows, {rows / seconds:>9,.0f} a second, "
                f"{seconds / scale:.2f} s for each 10,000 customers"
            )


if __name__ == "__main__":
    main()
