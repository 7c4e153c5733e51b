"""The shell with a script on stdin, and in a terminal with somebody typing."""

from __future__ import annotations

import os
import re
import sys
import time

import pexpect
import pytest

from mlpond.cli.shell import CONTINUATION, PROMPT

CTRL_C, CTRL_D, TAB = "\x03", "\x04", "\t"
# Colours, movements and modes that the line editor and rich send to the terminal.
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()=>][0-9A-B]?|\r")


def test_a_script_runs_to_its_end(mlpond):
    script = "create table t as\n  select 1 as n;\n.mode csv\nfrom t; -- a;b\nselect 2 as m"
    result = mlpond("shell", stdin=script)
    assert (result.exit_code, result.stdout) == (0, "n\n1\nm\n2\n")


def test_a_script_stops_at_the_first_error(mlpond):
    result = mlpond("shell", stdin="select 1 as a;\nfrom nothing_here;\nselect 3 as c;")
    assert result.exit_code == 1
    assert "nothing_here" in result.stderr
    assert " c " not in result.stdout


def test_a_string_may_hold_lines_that_look_like_commands(mlpond):
    result = mlpond("shell", stdin=".mode csv\nselect 'a;\n.quit\nb' as s;")
    assert result.stdout == 's\n"a;\n.quit\nb"\n'


def test_a_string_over_lines_keeps_its_spaces(mlpond):
    result = mlpond("shell", stdin=".mode csv\nselect 'a  ;  \n\n  b' as s, length(s) as n;")
    assert result.stdout == 's,n\n"a  ;  \n\n  b",11\n'


def test_a_command_may_follow_a_comment(mlpond):
    assert ".tables" in mlpond("shell", stdin="-- what is there?\n.help\n").stdout


@pytest.mark.slow
def test_a_statement_of_many_lines_is_quick(mlpond):
    # cutting the text anew at each line would take minutes
    rows = ",\n".join(f"({i})" for i in range(50_000))
    result = mlpond("shell", stdin=f".mode csv\nselect count(*) as n from (values {rows});")
    assert result.stdout == "n\n50000\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (".help", ".tables"),
        (".help normal_cdf", "P(X <= x)"),
        (".models", "0 rows"),
        (".tables", "penguins"),
        (".read q.sql", "42"),
    ],
)
def test_commands(mlpond, tmp_path, command, said):
    mlpond("seed", "penguins", "--db", "a.duckdb")
    (tmp_path / "q.sql").write_text("select 42;")
    assert said in mlpond("shell", "a.duckdb", stdin=command).stdout


@pytest.mark.parametrize(("command", "said"), [(".nonsense", ".tables"), (".mode xml", "json")])
def test_a_wrong_command_says_what_is_accepted(mlpond, command, said):
    result = mlpond("shell", stdin=command)
    assert result.exit_code == 1
    assert said in result.stderr


def test_quit_leaves_the_rest_unread(mlpond):
    result = mlpond("shell", stdin=".quit\nfrom nothing_here;")
    assert (result.exit_code, result.output) == (0, "")


@pytest.fixture
def terminal(tmp_path):
    """A shell in a terminal of 100 x 40; the history is in the test's folder."""
    child = pexpect.spawn(
        sys.executable,
        ["-m", "mlpond", "shell", "a.duckdb"],
        cwd=tmp_path,
        env={
            **os.environ,
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "TERM": "xterm-256color",
            "PROMPT_TOOLKIT_NO_CPR": "1",  # nobody here answers where the cursor is
        },
        dimensions=(40, 100),
        encoding="utf-8",
        timeout=20,
    )
    try:
        see(child, re.escape(PROMPT.strip()))
        yield child
    finally:
        child.close(force=True)


def see(child, pattern):
    """Wait for the pattern in what the terminal shows, without colours; return what came before."""
    shown, deadline = "", time.monotonic() + child.timeout
    while time.monotonic() < deadline:
        try:
            shown += child.read_nonblocking(4096, timeout=1)
        except pexpect.TIMEOUT:
            continue
        plain = ESCAPE.sub("", shown)
        if re.search(pattern, plain):
            return plain
    raise AssertionError(f"{pattern!r} did not appear in:\n{ESCAPE.sub('', shown)}")


def test_a_statement_over_several_lines(terminal):
    terminal.send("select 40\r")
    see(terminal, re.escape(CONTINUATION.strip()))
    terminal.send("+ 2 as answer;\r")
    assert "answer" in see(terminal, r"│\s+42 │")


def test_an_error_is_shown_and_the_shell_goes_on(terminal):
    terminal.send("from nothing_here;\r")
    assert "Traceback" not in see(terminal, r"nothing_here does not exist")
    terminal.send("select 6 * 7 as answer;\r")
    see(terminal, r"│\s+42 │")


def test_a_statement_without_rows_says_done(terminal):
    terminal.send("create table t as from range(3);\r")
    see(terminal, r"done")


def test_ctrl_c_drops_the_line(terminal):
    terminal.send("selct nonsense\r more" + CTRL_C)
    terminal.send("select 6 * 7 as answer;\r")
    assert "Error" not in see(terminal, r"│\s+42 │")


def test_ctrl_c_stops_a_running_statement(terminal):
    terminal.send("select sum(a.range * b.range) from range(10000000) a, range(10000000) b;\r")
    time.sleep(1.5)
    terminal.send(CTRL_C)
    see(terminal, r"Interrupted")
    terminal.send("select 6 * 7 as answer;\r")
    see(terminal, r"│\s+42 │")


def test_tab_completes_functions_and_tables(terminal):
    terminal.send("create table observations as select 42 as n;\r")
    see(terminal, r"done")
    terminal.send("select ml.normal_q" + TAB)
    see(terminal, r"ml.normal_quantile\(")
    terminal.send("0.5), n from observat" + TAB)
    see(terminal, r"observations")
    terminal.send(";\r")
    see(terminal, r"│\s+0\.0 │\s+42 │")


@pytest.mark.parametrize("leave", [CTRL_D, ".quit\r", ".exit\r"])
def test_leaving(terminal, leave):
    terminal.send(leave)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0


def test_history_lasts(terminal, tmp_path):
    terminal.send("select 6 * 7 as answer;\r")
    see(terminal, r"│\s+42 │")
    history = tmp_path / "state" / "mlpond" / "history"
    assert "select 6 * 7 as answer;" in history.read_text()
    assert history.stat().st_mode & 0o077 == 0  # what was typed is nobody else's business
