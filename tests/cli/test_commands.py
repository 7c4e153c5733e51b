"""What the commands print and return, without a terminal."""

from __future__ import annotations

import os
import stat
import subprocess
import sys

import duckdb
import pytest

import mlpond as package
from mlpond.sql import everything


def test_version(mlpond):
    for command in ("version", "--version"):
        assert mlpond(command).stdout == f"mlpond {package.__version__}\n"


@pytest.mark.parametrize("argument", ["version", "--help"])
def test_answers_at_once(argument):
    # 0.2 s on two idle cores; these would take 0.55 s more
    program = (
        "import sys; from mlpond.cli import main; sys.argv[1:] = [{!r}]\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print({'duckdb', 'jinja2', 'numpy', 'pyarrow', 'sqlglot'} & set(sys.modules))"
    ).replace("{!r}", repr(argument))
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize(
    "arguments", [[], ["nonsense"], ["sql"], ["run"], ["sql", "select 1", "--format", "x"]]
)
def test_wrong_usage_is_2(mlpond, arguments):
    assert mlpond(*arguments).exit_code == 2


def test_sql_runs_several_statements(mlpond):
    result = mlpond("sql", "create table t as select 7 as n; insert into t values (8); from t")
    assert result.exit_code == 0
    assert [line.strip("│ ") for line in result.stdout.splitlines()[4:6]] == ["7", "8"]
    assert result.stdout.count("┌") == 1


@pytest.mark.parametrize("how", ["argument", "stdin", "file"])
def test_sql_takes_text_from(mlpond, tmp_path, how):
    (tmp_path / "q.sql").write_text("select 42 as answer")
    arguments, stdin = {
        "argument": (["select 42 as answer"], None),
        "stdin": (["-"], "select 42 as answer"),
        "file": (["--file", "q.sql"], None),
    }[how]
    result = mlpond("sql", *arguments, "--format", "csv", stdin=stdin)
    assert (result.exit_code, result.stdout) == (0, "answer\n42\n")


def test_sql_knows_model_statements(mlpond):
    result = mlpond(
        "sql",
        "CREATE MODEL line OPTIONS (model_type = 'linear_reg') AS "
        "SELECT x::double AS x, 2 * x + 1 AS label FROM range(10) t(x);"
        "SELECT round(predicted_label) AS y FROM ML.PREDICT(MODEL line, (SELECT 20::double AS x))",
        "--format",
        "csv",
    )
    assert result.stdout == "y\n41.0\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sql", "from nothing_here"], "nothing_here"),
        (["sql", "--file", "missing.sql"], "missing.sql"),
        (["sql", "select 1", "--db", "no/such/folder/x.duckdb"], "no/such/folder"),
        (["sql", "select 1", "--db", "missing.duckdb", "--read-only"], "does not exist"),
        (["run", "nonsense"], "flights"),
        (["run", "flights", "--param", "delay=3"], "delay_minutes"),
        (["run", "flights", "--param", "delay_minutes=soon"], "an integer from 0 to 240"),
        (["seed", "pinguins"], "penguins"),
        (["help", "normal_cfd"], "normal_cdf"),
        (["help", "splin"], "spline"),
        (["list", "zzzz"], "zzzz"),
    ],
)
def test_an_error_is_a_message_on_stderr_and_1(mlpond, tmp_path, arguments, said):
    result = mlpond(*arguments)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert "fault in mlpond" not in result.output
    assert not list(tmp_path.glob("*.duckdb"))  # nothing was made for nothing


def test_statements_before_the_error_stay(mlpond, tmp_path):
    assert (
        mlpond(
            "sql", "create table t as select 1; from t2; drop table t", "--db", "a.duckdb"
        ).exit_code
        == 1
    )
    with duckdb.connect("a.duckdb") as con:
        assert con.sql("show tables").fetchall() == [("t",)]


def test_debug_shows_the_traceback(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "mlpond", "sql", "from nothing_here", "--debug"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_a_new_file_is_announced(mlpond):
    assert "New database a.duckdb" in mlpond("sql", "select 1", "--db", "a.duckdb").stderr
    assert mlpond("sql", "select 1", "--db", "a.duckdb").stderr == ""


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write any file")
def test_a_file_that_may_not_be_written_is_read(mlpond, tmp_path):
    mlpond("sql", "create table t as select 7 as n", "--db", "a.duckdb")
    (tmp_path / "a.duckdb").chmod(stat.S_IREAD)
    result = mlpond("sql", "from t", "--db", "a.duckdb", "--format", "csv")
    assert result.stdout == "n\n7\n"
    assert "read-only" in result.stderr


def test_a_closed_pipe_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m mlpond sql 'from range(1000000)' --format csv | head -n 2",
        shell=True,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("range\n0\n", "")


def test_list_shows_every_function_pipeline_and_seed(mlpond):
    text = mlpond("list").stdout
    assert all(f"{entry.called}(" in text for entry in everything())
    assert "flights" in text
    assert "penguins" in text


def test_list_filters_by_a_word(mlpond):
    text = mlpond("list", "quantile").stdout
    assert "ml.normal_quantile" in text
    assert "ml.normal_cdf" not in text


@pytest.mark.parametrize("name", ["normal_cdf", "ml.normal_cdf", "ML.NORMAL_CDF", "normal_cdf()"])
def test_help_explains_a_function(mlpond, name):
    text = mlpond("help", name).stdout
    for part in ("ml.normal_cdf(x, mean := 0, sd := 1)", "Parameters", "location", "Cody (1969)"):
        assert part in text


@pytest.mark.slow
def test_help_works_for_every_function(mlpond):
    for entry in everything():
        assert entry.signature.split("(")[0] in mlpond("help", entry.name).stdout


def test_help_of_a_function_of_transform(mlpond):
    text = mlpond("help", "ml.kbins").stdout
    assert text.startswith("ML.KBINS(x [, n_bins] [, strategy] [, output_format]) OVER ()")
    assert "how many bins, 2 to 10000 (default 5)" in text
    assert "ML.SPLINE(" in mlpond("list", "spline").stdout
    series = mlpond("help", "last_known").stdout
    assert series.startswith("ML.LAST_KNOWN(x) OVER (PARTITION BY key ORDER BY time)")


def test_help_explains_a_pipeline(mlpond):
    text = mlpond("help", "flights").stdout
    assert "delay_minutes" in text
    assert "checks/no_leakage" in text


def test_help_explains_a_seed(mlpond):
    text = mlpond("help", "shop").stdout
    for part in ("mlpond seed shop", "--scale 1.0", "shop.events", "public domain"):
        assert part in text
    both = mlpond("help", "flights").stdout
    assert both.index("mlpond run flights") < both.index("mlpond seed flights")


def test_help_without_a_name_is_that_of_the_program(mlpond):
    assert mlpond("help").stdout.split() == mlpond("--help").stdout.split()


def test_seed_loads_and_says_what(mlpond):
    result = mlpond("seed", "penguins", "--db", "a.duckdb")
    assert "penguins: 344 rows" in result.stdout
    assert "CC0" in result.stdout
    assert (
        mlpond(
            "sql", "select count(*) as n from penguins", "--db", "a.duckdb", "--format", "csv"
        ).stdout
        == "n\n344\n"
    )
