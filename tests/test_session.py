"""Connecting: the library, versions, locks, read-only files, and what it costs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

import mlpond
from mlpond import instance, library_cache
from mlpond.errors import DatabaseError, InputError, MlpondError
from tests.conftest import rows


def test_statements_give_none_and_queries_a_relation(pond):
    assert pond.sql("create table t as select 1 as x") is None
    assert rows(pond, "from t") == [(1,)]
    relation = pond.sql("select $a + 1 as y", params={"a": 1})
    assert relation.fetchall() == [(2,)]


def test_several_statements_return_the_last(pond):
    relation = pond.sql("create table t(model int); insert into t values (3); select model from t")
    assert relation.fetchall() == [(3,)]


def test_what_is_not_ours_reaches_duckdb_as_written(pond):
    # the tokenizer may not know every syntax of DuckDB; such text is passed on whole
    assert rows(pond, "select 'a model' as \"ml.x\", $$ ; $$") == [("a model", " ; ")]
    with pytest.raises(duckdb.Error):
        pond.sql("select model from nowhere")


def test_the_library_is_installed_once(database):
    with mlpond.connect(database) as pond:
        first = rows(pond, "select installed_at from ml.library")
    with mlpond.connect(database) as pond:
        assert rows(pond, "select installed_at from ml.library") == first
        assert rows(pond, "select version from ml.library") == [(mlpond.__version__,)]


@pytest.mark.slow
def test_an_older_library_is_upgraded_and_models_survive(database):
    with mlpond.connect(database) as pond:
        pond.sql("create table t as select i as x, 2 * i as label from range(10) r(i)")
        pond.sql("create model m options (model_type = 'linear_reg') as from t")
        pond.con.execute("update ml.library set version = '0.0.1'")
        pond.con.execute("drop macro ml.normal_cdf")
        pond.con.execute("alter table ml.steps drop column warning")
    with mlpond.connect(database) as pond:
        assert rows(pond, "select ml.normal_cdf(0)") == [(0.5,)]
        assert rows(pond, "select version from ml.library") == [(mlpond.__version__,)]
        assert rows(pond, "select name from ml.models") == [("m",)]
        assert rows(pond, "select warning from ml.steps") == []


@pytest.mark.parametrize("read_only", [False, True])
def test_a_file_from_a_newer_mlpond_is_refused(database, read_only):
    with mlpond.connect(database) as pond:
        pond.con.execute("update ml.library set version = '99.1.0'")
    with pytest.raises(DatabaseError, match=r"written by mlpond 99.1.0.*upgrade"):
        mlpond.connect(database, read_only=read_only)
    with duckdb.connect(str(database)) as con:  # and nothing was changed
        assert con.execute("select version from ml.library").fetchall() == [("99.1.0",)]


def test_a_failed_installation_leaves_the_file_as_it_was(database, monkeypatch):
    from mlpond.sql.templates import installer

    def broken():
        yield "library/a.sql", "create table ml.made (x int)"
        yield "library/b.sql", "selec"

    monkeypatch.setattr(installer, "statements", broken)
    for name in ("begin", "copy"):
        monkeypatch.setattr(library_cache, name, lambda database, digest: False)
    with pytest.raises(MlpondError, match=r"library/b.sql, line 1"):
        mlpond.connect(database)
    with duckdb.connect(str(database)) as con:
        assert con.execute(
            "select count(*) from duckdb_schemas() where schema_name = 'ml'"
        ).fetchall() == [(0,)]


def test_read_only_works_and_changes_nothing(database):
    with mlpond.connect(database) as pond:
        pond.sql("create table t as select 1 as x")
    before = database.read_bytes()
    with mlpond.connect(database, read_only=True) as pond:
        assert rows(pond, "select ml.normal_cdf(x - 1) from t") == [(0.5,)]
        with pytest.raises(MlpondError, match="open read-only"):
            pond.sql(
                "create model m options (model_type = 'linear_reg') as select 1 as label, 2 as x"
            )
        with pytest.raises(duckdb.Error):
            pond.sql("create table u (x int)")
    assert database.read_bytes() == before


def test_read_only_on_a_file_without_the_library(database):
    duckdb.connect(str(database)).execute("create table t as select 7 as x").close()
    with mlpond.connect(database, read_only=True) as pond:
        assert rows(pond, "from t") == [(7,)]


def test_read_only_needs_a_file(database):
    with pytest.raises(DatabaseError, match="does not exist, and read_only=True makes no file"):
        mlpond.connect(database, read_only=True)
    assert not database.exists()


def test_a_file_that_is_not_duckdbs(database):
    database.write_text("hello, this is text\n" * 1000)
    with pytest.raises(DatabaseError, match="not a DuckDB database file"):
        mlpond.connect(database)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(DatabaseError, match="cannot be opened"):
        mlpond.connect(tmp_path / "no" / "where.duckdb")


def test_a_locked_file_says_who_holds_it(database):
    mlpond.connect(database).close()
    holder = subprocess.Popen(
        [sys.executable, "-c", f"import duckdb, time; c = duckdb.connect({str(database)!r}); "
         "print('open', flush=True); time.sleep(60)"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(DatabaseError, match=rf"open for writing in .*{holder.pid}"):
            mlpond.connect(database)
    finally:
        holder.kill()
        holder.wait()


@pytest.mark.skipif(
    os.geteuid() != 0, reason="gives up root's rights to meet a file it may not write"
)
def test_a_file_that_may_not_be_written(tmp_path):
    folder = tmp_path / "theirs"
    folder.mkdir()
    path = folder / "f.duckdb"
    mlpond.connect(path).close()
    path.chmod(0o444)
    for parent in (folder, *folder.parents):
        if parent.name.startswith(("theirs", tmp_path.name, "popen-", "pytest-")):
            parent.chmod(0o755)  # what pytest made: up to pytest-of-root
    script = textwrap.dedent(f"""
        import os
        import mlpond, mlpond.session, mlpond.engine, mlpond.udf, numpy
        os.setuid(65534)
        try:
            mlpond.connect({str(path)!r})
        except mlpond.MlpondError as error:
            print(error)
        with mlpond.connect({str(path)!r}, read_only=True) as pond:
            print(pond.con.execute("select ml.normal_cdf(0)").fetchall())
    """)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert "cannot be opened for writing" in done.stdout, done.stderr
    assert "[(0.5,)]" in done.stdout


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"threads": 0}, "threads is 0"),
        ({"threads": True}, "threads is True"),
        ({"memory_limit": "much"}, "memory_limit='much'"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises((InputError, DatabaseError), match=message):
        mlpond.connect(**settings)


def test_settings_reach_duckdb():
    with mlpond.connect(threads=1, memory_limit="500MB") as pond:
        assert rows(pond, "select current_setting('threads')") == [(1,)]
        assert rows(pond, "select current_setting('memory_limit')")[0][0].startswith("476")


def test_the_file_opens_in_the_older_shell(database, shell):
    with mlpond.connect(database) as pond:
        pond.sql("create table t as select 1.96 as x")
    assert shell(database, "select round(ml.normal_cdf(x), 6) as p from t") == [{"p": 0.975002}]


TRAINING = "create or replace table t as select i as x, 2 * i as label from range(10) r(i)"


def train(con, model, table="t"):
    options = "{model_type: 'linear_reg'}"
    return con.execute(f"select ml.train('{model}', 'from {table}', {options})").fetchall()


def test_sessions_of_one_file_share_its_functions(database):
    first, second = mlpond.connect(database), mlpond.connect(database)
    first.sql(TRAINING)
    heard = []
    second.on_progress = lambda message, fraction: heard.append(message)
    assert train(first.con, "m") == [("m@1",)]
    first.close()  # it had registered the functions
    first.close()
    heard.clear()
    assert train(second.con, "m") == [("m@2",)]
    assert heard
    with mlpond.connect(database) as third:
        second.close()
        third.sql("create model n options (model_type = 'linear_reg') as from t")
        assert train(third.con, "m") == [("m@3",)]
    assert not instance._OPEN


def test_a_plain_connection_beside_a_session(database):
    forgotten = mlpond.connect(database)  # makes the file
    with duckdb.connect(str(database)) as plain:
        plain.execute(TRAINING)
        assert train(plain, "m") == [("m@1",)]
        for settings in ({"threads": 1}, {"read_only": True}):
            with pytest.raises(DatabaseError, match="open in this process already.*use the same"):
                mlpond.connect(database, **settings)
        del forgotten
        # the functions went with the session; what is SQL goes on
        assert plain.execute("select count(*) from ml.predict('m', 't')").fetchall() == [(10,)]
        with pytest.raises(duckdb.CatalogException, match="ml_train does not exist"):
            train(plain, "m")
        with mlpond.connect(database):
            assert train(plain, "m") == [("m@2",)]


def test_threads_connect_at_once_and_train(database):
    def work(number):
        with mlpond.connect(database) as pond:
            pond.sql(TRAINING.replace(" t ", f" t{number} "))
            barrier.wait(timeout=60)  # so that no thread closes before the others are connected
            return train(pond.con, f"m{number}", f"t{number}")

    barrier = threading.Barrier(3)
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(work, range(3))) == [[(f"m{number}@1",)] for number in range(3)]


def test_transactions_join(pond):
    with pytest.raises(RuntimeError), pond.transaction():
        pond.sql("create table a as select 1 as x")
        with pond.transaction():
            pond.sql("create table b as select 1 as x")
        raise RuntimeError
    assert rows(pond, "select count(*) from duckdb_tables() where schema_name = 'main'") == [(0,)]


def test_connecting_imports_nothing_heavy(database):
    mlpond.connect(database).close()
    script = (
        "import sys, time; t = time.perf_counter(); import mlpond; "
        f"mlpond.connect({str(database)!r}); print(time.perf_counter() - t); "
        "print([m for m in ('numba', 'sqlglot', 'jinja2', 'rich', 'pyarrow') if m in sys.modules])"
    )
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert time.perf_counter() - started < 30  # a hang, not a speed; benchmarks/ measures the speed
    assert done.stdout.splitlines()[1] == "[]"


def test_ctrl_c_ends_a_query(pond):
    query = (
        "select count(*) from range(100000000) a, range(100000000) b where a.range + b.range = 1"
    )
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt), pond.interruptible():
        rows(pond, query)
    timer.join()
    assert rows(pond, "select 1") == [(1,)]


def test_names_render_by_their_type(pond):
    text = "select {{ n }} as n, {{ share }} as share, {{ name }} as name, {{ on }} as on_it"
    sql = pond.render(text, {"n": 3, "share": 0.1, "name": "it's", "on": True})
    assert rows(pond, sql) == [(3, 0.1, "it's", True)]
    with pytest.raises(MlpondError, match=r"line 1.*'nam'.*Did you mean 'name'"):
        pond.render("select {{ nam }}", {"name": "x"})


def test_importing_is_all_that_a_name_needs():
    assert mlpond.Session.__name__ == "Session"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = mlpond.nothing
