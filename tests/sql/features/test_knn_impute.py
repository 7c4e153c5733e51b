"""ml.knn_impute: with the kernel of a session, and in SQL alone as a plain shell does it."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from mlpond.udfs.neighbours.imputation import impute


@pytest.fixture(params=["session", "plain"])
def either(con, request):
    con.execute(f"set variable mlpond_has_nearest = {request.param == 'session'}").fetchall()
    yield con
    con.execute("set variable mlpond_has_nearest = true").fetchall()


@pytest.fixture(scope="module")
def holes(con):
    con.execute(
        "create table holes as select i as id, * from (select i, case when hash(i, 1) % 4 > 0 then "
        "hash(i, 2) % 20 end::double as a, case when hash(i, 3) % 5 > 0 then hash(i, 4) % 20 end as "
        '"my ""b""", case when hash(i, 5) % 3 > 0 then (hash(i, 6) % 20) / 2.0 end as c '
        "from range(60) as r(i))"
    ).fetchall()
    return np.array(con.execute("select * exclude (id, i) from holes").fetchall(), dtype=float)


COLUMNS = "['a', 'my \"b\"', 'c']"


@pytest.mark.parametrize("k, weights", [(1, "uniform"), (5, "uniform"), (4, "distance")])
def test_the_shell_fills_in_what_the_kernel_does(either, holes, k, weights):
    call = f"ml.knn_impute('holes', {COLUMNS}, n_neighbors := {k}, weights := '{weights}')"
    found = np.array(either.execute(f"from {call}").fetchall(), dtype=float)
    assert np.array_equal(found[:, 0], np.arange(60))  # the order and the other columns stay
    assert found[:, 2:] == pytest.approx(impute(holes, holes, k, weights), rel=1e-13)


def test_other_donors(either, holes):
    either.execute("create or replace view donors as from holes where id >= 30").fetchall()
    call = f"ml.knn_impute('(from holes where id < 30)', {COLUMNS}, donors := 'donors')"
    found = np.array(either.execute(f"select * exclude (id, i) from {call}").fetchall())
    assert found == pytest.approx(impute(holes[:30], holes[30:]), rel=1e-13)


def test_empty_and_hopeless(either):
    either.execute(
        "create or replace table nothing as select 1.0 as a, 2 as b where false"
    ).fetchall()
    assert either.execute("from ml.knn_impute('nothing', ['a', 'b'])").fetchall() == []
    either.execute(
        "create or replace table hopeless as from (values (1.0::double, null::double), ('nan', null), "
        "(null, null), (4.0, null)) as v(a, b)"
    ).fetchall()
    found = either.execute("from ml.knn_impute('hopeless', ['a', 'b'])").fetchall()
    assert found == [(1.0, None), (2.5, None), (2.5, None), (4.0, None)]
    whole = "(select 1.0 as a, 2 as b)"
    assert either.execute(f"from ml.knn_impute('{whole}', ['a', 'b'])").fetchall() == [(1, 2)]


def test_a_column_of_another_type_is_refused(either):
    source = "(select i, ''a'' || i as s, i > 1 as b from range(3) as r(i))"
    with pytest.raises(duckdb.Error, match="column s is VARCHAR; it must be a number or BOOLEAN"):
        either.execute(f"from ml.knn_impute('{source}', ['i', 's'])").fetchall()
    found = either.execute(f"select b from ml.knn_impute('{source}', ['i', 'b'])").fetchall()
    assert found == [(0.0,), (0.0,), (1.0,)]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("[]", "columns is empty"),
        ("['a'], n_neighbors := 0", "n_neighbors is 0; it must be at least 1"),
        ("['a'], weights := 'near'", "weights is near; it must be one of uniform, distance"),
    ],
)
def test_what_is_refused(either, holes, arguments, message):
    with pytest.raises(duckdb.Error, match=f"ml.knn_impute: {message}"):
        either.execute(f"from ml.knn_impute('holes', {arguments})")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("n_neighbors := 0", "n_neighbors is 0; it must be at least 1"),
        ("n_neighbors := NULL", "n_neighbors is NULL; it must be at least 1"),
        ("weights := 'near'", "weights is near; it must be one of uniform, distance"),
    ],
)
def test_one_row(con, arguments, message):
    call = "select ml.knn_fill([1e0, null, null], [[0e0, 5, null], [3, 6, null], [null, 9, 1]]{})"
    assert con.execute(call.format("")).fetchall() == [([1, 5.5, None],)]
    assert con.execute(call.format(", n_neighbors := 1")).fetchall() == [([1, 5, None],)]
    assert con.execute("select ml.knn_fill([1e0, null], [])").fetchall() == [([1, None],)]
    with pytest.raises(duckdb.Error, match=f"ml.knn_fill: {message}"):
        con.execute(call.format(f", {arguments}"))
