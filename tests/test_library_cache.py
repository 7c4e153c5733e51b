"""The library in the user's cache folder: what is copied, and what never gets there."""

from __future__ import annotations

import time

import pytest

import mlpond
from mlpond import library, library_cache
from mlpond.errors import DatabaseError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    path = tmp_path / "cache"
    monkeypatch.setattr(library_cache, "user_cache_path", lambda name: path)
    return path


def functions(session):
    query = (
        "select function_name, parameters, parameter_types, return_type from duckdb_functions() "
        "where schema_name = 'ml' order by 1, 2"
    )
    return session.con.execute(query).fetchall()


@pytest.mark.slow
def test_the_second_database_gets_a_copy(folder, tmp_path, monkeypatch):
    with mlpond.connect() as first:
        built = functions(first)
    assert len(list(folder.iterdir())) == 1
    # what is copied was not built
    monkeypatch.setattr(library, "install", lambda engine: pytest.fail("built again"))
    started = time.time()
    with mlpond.connect() as second:
        assert functions(second) == built
        ((version, installed_at),) = second.con.execute(
            "select version, epoch(installed_at) from ml.library"
        ).fetchall()
        assert version == mlpond.__version__
        assert installed_at > started - 1  # of this database, not of the cache
        assert second.con.execute("select ml.normal_cdf(0)").fetchall() == [(0.5,)]
    # a new file begins as a copy of the file
    monkeypatch.setattr(library_cache, "copy", lambda engine, digest: pytest.fail("row by row"))
    (cached,) = folder.iterdir()
    before = cached.read_bytes()
    with mlpond.connect(tmp_path / "new.duckdb") as third:
        assert functions(third) == built
        query = "select epoch(installed_at) from ml.library"
        assert third.con.execute(query).fetchall()[0][0] > installed_at
        tags = "select tags['storage_version'] from duckdb_databases() where not internal"
        assert third.con.execute(tags).fetchall() == [("v1.5.0+",)]
    with pytest.raises(DatabaseError, match="memory_limit='much'"):
        mlpond.connect(tmp_path / "other.duckdb", memory_limit="much")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "new.duckdb"]
    assert cached.read_bytes() == before


@pytest.mark.slow
def test_nothing_of_a_user_is_kept(folder, database):
    import duckdb

    with duckdb.connect(str(database)) as con:
        con.execute("create macro secret() as 42")
    with mlpond.connect(database):
        pass
    assert not folder.exists()  # not an empty database: its library is not kept
    with mlpond.connect():
        pass
    with mlpond.connect() as third:
        query = "select count(*) from duckdb_functions() where function_name = 'secret'"
        assert third.con.execute(query).fetchall() == [(0,)]


@pytest.mark.slow
def test_a_database_with_tables_gets_the_copy_too(folder, database):
    import duckdb

    with mlpond.connect():
        pass
    with duckdb.connect(str(database)) as con:
        con.execute("create table t as select 1 as x")
    with mlpond.connect(database) as session:
        assert session.con.execute("select x, ml.normal_cdf(0) from t").fetchall() == [(1, 0.5)]


@pytest.mark.slow
def test_a_broken_cache_is_made_anew(folder, tmp_path):
    with mlpond.connect():
        pass
    (file,) = folder.iterdir()
    file.write_text("not a database")
    with mlpond.connect(tmp_path / "new.duckdb") as session:
        assert session.con.execute("select ml.normal_cdf(0)").fetchall() == [(0.5,)]
    with mlpond.connect() as session:
        assert session.con.execute("select ml.normal_cdf(0)").fetchall() == [(0.5,)]
    (file,) = folder.iterdir()
    assert file.stat().st_size > 100_000


@pytest.mark.slow
def test_a_folder_that_refuses_changes_nothing(folder):
    folder.write_text("a file stands where the folder should be")
    with mlpond.connect() as session:
        assert session.con.execute("select ml.normal_cdf(0)").fetchall() == [(0.5,)]
