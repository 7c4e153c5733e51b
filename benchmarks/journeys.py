"""Sessions, a funnel of five steps and weekly retention against pandas and polars, which fetch first.

python -m benchmarks.journeys [--rows 50000000] [--runs 3] [--growth]

With --growth the time of ours from 1M rows to --rows instead, and of --rows under a limit of 1 GB.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.harness import compare, prepared
from benchmarks.tables import kept, uniform

STEPS = ("visit", "view", "add_to_cart", "checkout", "purchase")
WEEK_US = 7 * 86_400_000_000
WEEKS = 12


def event_table(rows: int) -> Path:
    """A file with table events(user_id, occurred_at, event) and the library in it.

    Visits of eight events, minutes apart, at random times of 90 days; a hundred events a user, in
    no order.
    """
    import mlpond

    chosen = (
        f"case when i % 8 = 0 then 'visit' when {uniform(3)} < 0.6 then 'view' when {uniform(3)} < 0.75 "
        f"then 'search' when {uniform(3)} < 0.9 then 'add_to_cart' when {uniform(3)} < 0.96 then 'checkout' "
        "else 'purchase' end"
    )
    begin = f"floor({uniform(2).replace('i *', '(i // 8) *')} * 90 * 86400e6)"
    user = f"floor({uniform(1).replace('i *', '(i // 8) *')} * {max(rows // 100, 1)})"

    def fill(path: Path) -> None:
        with mlpond.connect(path) as pond:
            pond.con.execute(
                f"create table events as select ({user})::bigint as user_id, "
                f"make_timestamp(1767225600000000 + ({begin})::bigint "
                f"+ (i % 8) * 90000000 + ({uniform(4)} * 80e6)::bigint) as occurred_at, "
                f"{chosen} as event from range({rows}) r(i)"
            ).fetchall()

    path = kept(f"events_{rows}", f"{rows:,} events", fill)
    mlpond.connect(path).close()  # the library of today, if the file is older
    return path


def _rows(database: str, query: str, *settings: str) -> list[float]:
    # the library is in the file: a plain connection is enough
    con = duckdb.connect(database, read_only=True)
    for setting in settings:
        con.execute(setting)
    found = con.execute(query).fetchall()
    con.close()
    return [float(value) for row in found for value in row if value is not None]


def _frame(database: str, columns: str, polars: bool = False) -> Any:
    con = duckdb.connect(database, read_only=True)
    result = con.sql(f"select {columns} from events")
    frame = result.pl() if polars else result.df()
    con.close()
    return frame


def _import_pandas() -> None:
    import pandas  # noqa: F401


def _import_polars() -> None:
    import polars  # noqa: F401
    import pyarrow  # noqa: F401


LIMITED = ("set memory_limit = '1GB'",)
SESSIONS = "from ml.session_summary('events', 'user_id', 'occurred_at')"
NUMBERED = "from ml.sessions('(select user_id, occurred_at from events)', 'user_id', 'occurred_at')"
FUNNEL = (
    "from ml.funnel('events', 'user_id', 'occurred_at', "
    f"{list(STEPS)}, event := 'event', within := '7 days')"
)
RETENTION = (
    f"from ml.retention('events', 'user_id', 'occurred_at', period := 'week', periods := {WEEKS})"
)


def mlpond_sessions(database: str, *settings: str) -> list[float]:
    made = f"create temp table sessions as {SESSIONS}"
    asked = "select count(*), avg(events), avg(epoch(duration)) from sessions"
    return _rows(database, asked, *settings, made)


def mlpond_sessions_of_rows(database: str, *settings: str) -> list[float]:
    # all columns but the text of the id, which the others do not make
    made = f"create temp table numbered as select * exclude (session_id) {NUMBERED}"
    asked = "select sum(session_number), sum(event_number) from numbered"
    return _rows(database, asked, *settings, made)


def mlpond_funnel(database: str, *settings: str) -> list[float]:
    return _rows(database, f"select users {FUNNEL}", *settings)


def mlpond_retention(database: str, *settings: str) -> list[float]:
    return _rows(database, f"select retained {RETENTION}", *settings)


def mlpond_sessions_in_1_gb(database: str) -> list[float]:
    return mlpond_sessions(database, *LIMITED)


def mlpond_sessions_of_rows_in_1_gb(database: str) -> list[float]:
    return mlpond_sessions_of_rows(database, *LIMITED)


def mlpond_funnel_in_1_gb(database: str) -> list[float]:
    return mlpond_funnel(database, *LIMITED)


def mlpond_retention_in_1_gb(database: str) -> list[float]:
    return mlpond_retention(database, *LIMITED)


@prepared(_import_pandas)
def pandas_sessions(database: str) -> list[float]:
    import pandas as pd

    frame = _frame(database, "user_id, occurred_at").sort_values(["user_id", "occurred_at"])
    user, time = frame["user_id"], frame["occurred_at"]
    starts = (user != user.shift()) | (time.diff() > pd.Timedelta(minutes=30))
    sessions = frame.groupby(starts.cumsum(), sort=False).agg(
        user_id=("user_id", "first"), start=("occurred_at", "first"),
        end=("occurred_at", "last"), events=("occurred_at", "size"),
    )  # fmt: skip
    duration = (sessions["end"] - sessions["start"]).dt.total_seconds()
    return [len(sessions), sessions["events"].mean(), duration.mean()]


@prepared(_import_polars)
def polars_sessions(database: str) -> list[float]:
    import polars as pl

    user, time = pl.col("user_id"), pl.col("occurred_at")
    sessions = (
        _frame(database, "user_id, occurred_at", polars=True).lazy()
        .sort("user_id", "occurred_at")
        .with_columns(
            session=((user != user.shift()) | (time.diff() > pl.duration(minutes=30)))
            .fill_null(True).cum_sum()
        )
        .group_by("session")
        .agg(user.first(), start=time.first(), end=time.last(), events=pl.len())
        .collect()
    )  # fmt: skip
    duration = (sessions["end"] - sessions["start"]).dt.total_microseconds() / 1e6
    return [len(sessions), sessions["events"].mean(), duration.mean()]


@prepared(_import_pandas)
def pandas_sessions_of_rows(database: str) -> list[float]:
    import pandas as pd

    frame = _frame(database, "user_id, occurred_at").sort_values(["user_id", "occurred_at"])
    user, time = frame["user_id"], frame["occurred_at"]
    starts = (user != user.shift()) | (time.diff() > pd.Timedelta(minutes=30))
    session = starts.cumsum()
    frame["session_number"] = starts.groupby(user).cumsum()
    times = time.groupby(session)
    frame["session_start"], frame["session_end"] = times.transform("first"), times.transform("last")
    frame["event_number"] = times.cumcount() + 1
    return [frame["session_number"].sum(), frame["event_number"].sum()]


@prepared(_import_polars)
def polars_sessions_of_rows(database: str) -> list[float]:
    import polars as pl

    user, time = pl.col("user_id"), pl.col("occurred_at")
    frame = (
        _frame(database, "user_id, occurred_at", polars=True).lazy()
        .sort("user_id", "occurred_at")
        .with_columns(
            starts=((user != user.shift()) | (time.diff() > pl.duration(minutes=30))).fill_null(True)
        )
        .with_columns(
            session=pl.col("starts").cum_sum(), session_number=pl.col("starts").cum_sum().over("user_id")
        )
        .with_columns(
            session_start=time.first().over("session"), session_end=time.last().over("session"),
            event_number=pl.int_range(1, pl.len() + 1).over("session"),
        )
        .collect()
    )  # fmt: skip
    return [frame["session_number"].sum(), frame["event_number"].sum()]


@prepared(_import_pandas)
def pandas_funnel(database: str) -> list[float]:
    import pandas as pd

    frame = _frame(database, "user_id, occurred_at, event")
    frame = frame[frame["event"].isin(STEPS)].sort_values(["user_id", "occurred_at"])
    start = frame["occurred_at"].where(frame["event"] == STEPS[0])
    users = [frame.loc[start.notna(), "user_id"].nunique()]
    for step in STEPS[1:]:
        before = start.groupby(frame["user_id"]).shift().groupby(frame["user_id"]).ffill()
        near = frame["occurred_at"] - before <= pd.Timedelta(days=7)
        start = before.where((frame["event"] == step) & near)
        users.append(frame.loc[start.notna(), "user_id"].nunique())
    return [float(n) for n in users]


@prepared(_import_polars)
def polars_funnel(database: str) -> list[float]:
    import polars as pl

    event, time = pl.col("event"), pl.col("occurred_at")
    frame = (
        _frame(database, "user_id, occurred_at, event", polars=True).lazy()
        .filter(event.is_in(STEPS))
        .sort("user_id", "occurred_at")
        .with_columns(s0=pl.when(event == STEPS[0]).then(time))
    )  # fmt: skip
    for k, step in enumerate(STEPS[1:], start=1):
        before = pl.col(f"s{k - 1}").shift().forward_fill().over("user_id")
        frame = frame.with_columns(before=before).with_columns(
            pl.when((event == step) & (time - pl.col("before") <= pl.duration(days=7)))
            .then(pl.col("before"))
            .alias(f"s{k}")
        )
    reached = [
        pl.col("user_id").filter(pl.col(f"s{k}").is_not_null()).n_unique().alias(f"n{k}")
        for k in range(len(STEPS))
    ]
    return [float(n) for n in frame.select(reached).collect().row(0)]


@prepared(_import_pandas)
def pandas_retention(database: str) -> list[float]:
    frame = _frame(database, "user_id, occurred_at")
    # Monday, 5 January 1970
    frame["week"] = (
        frame["occurred_at"].astype("datetime64[us]").astype("int64") - 4 * WEEK_US // 7
    ) // WEEK_US
    weeks = frame[["user_id", "week"]].drop_duplicates()
    later = weeks["week"] - weeks.groupby("user_id")["week"].transform("min")
    counts = later.value_counts()
    return [float(counts.get(k, 0)) for k in range(WEEKS + 1)]


@prepared(_import_polars)
def polars_retention(database: str) -> list[float]:
    import polars as pl

    week = (pl.col("occurred_at").dt.epoch("us") - 4 * WEEK_US // 7) // WEEK_US
    counts = (
        _frame(database, "user_id, occurred_at", polars=True).lazy()
        .select("user_id", week=week).unique()
        .select(later=pl.col("week") - pl.col("week").min().over("user_id"))
        .group_by("later").len().collect()
    )  # fmt: skip
    found = dict(counts.iter_rows())
    return [float(found.get(k, 0)) for k in range(WEEKS + 1)]


ANALYSES = {
    "sessions": "sessions, a row each",
    "sessions_of_rows": "sessions, with every event",
    "funnel": "a funnel of five steps within 7 days",
    "retention": "weekly retention",
}


def main() -> None:
    """Run the comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--growth", action="store_true")
    chosen = parser.parse_args()
    for name, what in ANALYSES.items():
        if not chosen.growth:
            compare(
                f"{what}, {chosen.rows:,} events", event_table(chosen.rows),
                [f"journeys:{by}_{name}" for by in ("mlpond", "pandas", "polars")],
                runs=chosen.runs, target="pandas ≥ 5 × our time, polars ≥ 1 ×",
            )  # fmt: skip
            continue
        for rows in sorted({1_000_000, chosen.rows // 5, chosen.rows}):
            compare(
                f"{what}, {rows:,} events", event_table(rows),
                [f"journeys:mlpond_{name}", f"journeys:mlpond_{name}_in_1_gb"],
                runs=chosen.runs, target="time proportional to rows; 1 GB is enough",
            )  # fmt: skip


if __name__ == "__main__":
    main()
