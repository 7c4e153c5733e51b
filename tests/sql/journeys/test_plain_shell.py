"""What the examples do not show, in DuckDB's own 1.5 shell, which folds lists by other rules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import mlpond

EVENTS = "(select 1 as u, timestamp ''2026-03-01'' + to_minutes(i * 10) as t, i % 3 as e from range(10) r(i))"


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    path = tmp_path_factory.mktemp("shell") / "pond.duckdb"
    mlpond.connect(path).close()
    program = Path(sys.executable).with_name("duckdb")

    def run(query):
        done = subprocess.run(
            [program, "-csv", "-noheader", str(path), "-c", query],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert not done.stderr, done.stderr
        return done.stdout.split()

    return run


def test_sessions_with_a_greatest_length(shell):
    # 0, 10, 20, 30 | 40 … 70 | 80, 90
    query = (
        f"select events from ml.session_summary('{EVENTS}', 'u', 't', max_length := '30 minutes')"
    )
    assert sorted(shell(query)) == ["2", "4", "4"]


@pytest.mark.parametrize(
    "mode, users",
    [("ordered", 1), ("strict", 1), ("any_order", 1), ("window_funnel", 1), ("strict_increase", 1),
     ("strict_deduplication", 1), ("strict_order", 1), ("allow_reentry", 1)],
)  # fmt: skip
@pytest.mark.parametrize("breakdown", ["", ", breakdown := 'e'"])
def test_every_mode_of_a_funnel(shell, mode, users, breakdown):
    query = (
        f"select users from ml.funnel('{EVENTS}', 'u', 't', ['0', '1', '2'], event := 'e', "
        f"mode := '{mode}', within := '1 hour'{breakdown})"
    )
    assert shell(query) == [str(users)] * 3


@pytest.mark.parametrize("windows", ["", ", step_windows := ['1 hour', '1 hour']"])
def test_times_of_users_of_different_depths(shell, windows):
    # user u has the first 1 + u % 3 steps, at minutes that are hers alone, or begins with the second
    time = "timestamp ''2026-03-01'' + to_minutes(u * 10 + i)"
    events = f"(select u, {time} as t, i + (u % 5 = 0)::int as e from range(40) v(u), range(1 + u % 3) r(i))"
    expected = time.replace("''", "'").replace("u *", "user_id *")
    query = (
        f"select count(*), count_if(times = list_transform(range(1 + user_id % 3), lambda i: {expected})) "
        f"from ml.funnel_users('{events}', 'u', 't', ['0', '1', '2'], event := 'e'{windows})"
    )
    assert shell(query) == ["32,32"]
