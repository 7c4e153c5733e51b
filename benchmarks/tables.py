"""The tables that benchmarks read: made once by DuckDB, the same on every machine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import duckdb

from benchmarks.harness import console


def folder() -> Path:
    """Where the files are kept: MLPOND_BENCH, or a folder in the temporary directory."""
    path = Path(os.environ.get("MLPOND_BENCH") or Path(tempfile.gettempdir()) / "mlpond-bench")
    path.mkdir(parents=True, exist_ok=True)
    return path


def uniform(column: int) -> str:
    """SQL of a uniform draw of column ``column`` of row i, from hashes: threads do not matter."""
    # one number hashed: hash(i, column) would only flip the same bits of hash(i) for every i
    return f"((hash(i * 10000 + {column}) >> 11) + 5e-1) / 9007199254740992e0"


def normal(column: int) -> str:
    """SQL of a normal draw of column ``column`` of row i, by Box and Muller."""
    return f"sqrt(-2e0 * ln({uniform(column)})) * cos(2e0 * pi() * {uniform(column + 1000)})"


def kept(name: str, what: str, fill: Callable[[Path], None]) -> Path:
    """The file of that name, filled now if it is not there; an interrupted one is made anew."""
    path = folder() / f"{name}.duckdb"
    if path.exists():
        return path
    console.print(f"[dim]making {what} in {path.name}[/dim]")
    half = path.with_suffix(".part")
    half.unlink(missing_ok=True)
    fill(half)
    half.rename(path)
    return path


def _create(query: str) -> Callable[[Path], None]:
    """Make table t of a query, in a file that a 1.5 shell can open."""

    def fill(path: Path) -> None:
        with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.5.0"}) as con:
            con.execute(f"create table t as {query}").fetchall()

    return fill


def experiment_table(rows: int, metrics: int) -> Path:
    """A file with table t: country (10 of them), treated, and metrics m0, m1, … of an experiment.

    The treatment moves metric j by j / 1000 of a standard deviation.
    """
    ms = ", ".join(
        f"{10 + j} + {1 + j / 10} * ({normal(j)} + {j / 1000} * treated::int) as m{j}"
        for j in range(metrics)
    )
    query = (
        f"select 'country_' || (hash(i + 1000000007) % 10) as country, treated, {ms} "
        f"from (select i, {uniform(5000)} < 5e-1 as treated from range({rows}) r(i))"
    )
    return kept(
        f"experiment_{rows}_{metrics}", f"{rows:,} rows of {metrics} metrics", _create(query)
    )


def linear_table(rows: int, features: int) -> Path:
    """A file with table t: normal features x0, x1, …, a linear label y and a class label late.

    Draws come from hashes of the row and the column.
    """
    xs = ", ".join(f"{normal(j)} as x{j}" for j in range(features))
    slopes = " + ".join(f"{(j - (features - 1) / 2) / 10:.2e} * x{j}" for j in range(features))
    query = (
        f"select * exclude (i), 1e0 / (1e0 + exp(-(y - 1.5e0) * 5e-1)) > {uniform(5000)} as late "
        f"from (select *, 1.5e0 + {slopes} + {normal(3000)} as y "
        f"from (select i, {xs} from range({rows}) r(i)))"
    )
    return kept(
        f"normal_{rows}_{features}", f"{rows:,} rows of {features} features", _create(query)
    )


def group_table(rows: int) -> Path:
    """A file with table t: five arms, three plans, a normal metric y and a DECIMAL price."""
    query = (
        f"select ['control', 'blue', 'green', 'red', 'grey'][1 + floor(5 * {uniform(0)})::int] as arm, "
        f"['free', 'basic', 'pro'][1 + floor(3 * ({uniform(1)}) ** 1.1e0)::int] as plan, "
        f"100 + 10 * {normal(2)} as y, "
        f"(1000 + 100 * {uniform(4)})::decimal(10, 3) as price from range({rows}) r(i)"
    )
    return kept(f"grouped_{rows}", f"{rows:,} rows of groups", _create(query))


def rating_table(rows: int, users: int, items: int) -> Path:
    """A file with table t of so many ratings: user, item and rating, 1 to 5; a pair appears once.

    Some users rate more and some items are rated more often, as in MovieLens.
    """
    query = (
        "select * from (select "
        f'floor({users} * pow({uniform(0)}, 1.6e0))::integer as "user", '
        f"floor({items} * pow({uniform(1)}, 2.2e0))::integer as item, "
        f"1 + floor(5 * any_value({uniform(2)}))::integer as rating "
        f"from range({3 * rows}) r(i) group by 1, 2) "
        f'order by hash("user", item) limit {rows}'
    )
    return kept(f"ratings_{rows}_{users}_{items}", f"{rows:,} ratings", _create(query))


def clustered_table(rows: int, features: int, clusters: int) -> Path:
    """A file with table t: x0, x1, …, normal around as many centers, themselves normal."""
    center = f"(hash(i) % {clusters})"
    columns = ", ".join(
        f"{normal(j)} + sqrt(-2e0 * ln({_of_center(center, j)})) "
        f"* cos(2e0 * pi() * {_of_center(center, j + 500)}) as x{j}"
        for j in range(features)
    )
    return kept(
        f"clustered_{rows}_{features}_{clusters}", f"{rows:,} rows",
        _create(f"select {columns} from range({rows}) as r(i)"),
    )  # fmt: skip


def _of_center(center: str, column: int) -> str:
    return f"(((hash({center} * 7919 + {column * 104729}) >> 11) + 5e-1) / 9007199254740992e0)"


def neighbors_table(points: int, queries: int, features: int) -> Path:
    """A file with tables t (x0, x1, …, and the class y) and q (without y), both normal."""

    def fill(path: Path) -> None:
        columns = ", ".join(f"{normal(j)} as x{j}" for j in range(features))
        with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.5.0"}) as con:
            con.execute(
                f"create table t as select *, (x0 + x1 > 0)::integer as y "
                f"from (select {columns} from range({points}) as r(i))"
            ).fetchall()
            con.execute(
                f"create table q as select {columns} "
                f"from range({points}, {points + queries}) as r(i)"
            ).fetchall()

    return kept(f"neighbors_{points}_{queries}_{features}", f"{points:,} points", fill)


def mixed_table(rows: int) -> Path:
    """A file with table t: x0 to x19 normal, NULL in every tenth row from x16 on; x20 to x29 texts.

    Column xk has 10 (k - 18) categories; those up to x22 are NULL in every twentieth row.
    """
    numbers = [
        f"{f'case when {uniform(2000 + k)} > 1e-1 then ' if k > 15 else ''}{k + 1} * {normal(k)}"
        f"{' end' if k > 15 else ''} as x{k}"
        for k in range(20)
    ]
    texts = [
        f"{f'case when {uniform(2000 + k)} > 5e-2 then ' if k < 23 else ''}'category ' || "
        f"({uniform(k)} * {10 * (k - 18)})::integer{' end' if k < 23 else ''} as x{k}"
        for k in range(20, 30)
    ]
    query = f"select {', '.join(numbers + texts)} from range({rows}) as r(i)"
    return kept(f"mixed_{rows}", f"{rows:,} × 30", _create(query))
