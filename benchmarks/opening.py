"""What it costs to open a file that has the library, against a bare one.

python -m benchmarks.opening [--runs 15]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.harness import console

BARE = "import time; t = time.perf_counter(); import duckdb; duckdb.connect({path!r}); print(time.perf_counter() - t)"
OURS = "import time; t = time.perf_counter(); import mlpond; mlpond.connect({path!r}); print(time.perf_counter() - t)"
OPEN = (
    "import duckdb, time; t = time.perf_counter(); c = duckdb.connect({path!r}); "
    "c.execute('select 1').fetchall(); print(time.perf_counter() - t)"
)


def main() -> None:
    """Measure and print."""
    import duckdb

    import mlpond

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as scratch:
        bare, ours = str(Path(scratch) / "bare.duckdb"), str(Path(scratch) / "ours.duckdb")
        duckdb.connect(bare).close()
        mlpond.connect(ours).close()
        jobs = {
            "import duckdb, connect to a bare file": BARE.format(path=bare),
            "import mlpond, connect to a file with the library": OURS.format(path=ours),
            "DuckDB opens the bare file": OPEN.format(path=bare),
            "DuckDB opens the file with the library": OPEN.format(path=ours),
        }
        seconds: dict[str, list[float]] = {name: [] for name in jobs}
        for _ in range(runs):
            for name, job in jobs.items():
                done = subprocess.run(
                    [sys.executable, "-c", job], capture_output=True, text=True, check=True
                )
                seconds[name].append(float(done.stdout))
    for name, values in seconds.items():
        console.print(f"{name:52} median {median(values):.3f} s, max {max(values):.3f} s")
    console.print(
        "[dim]target: import and connect under 1.0 s; opening at most 0.15 s more than bare[/dim]"
    )


if __name__ == "__main__":
    main()
