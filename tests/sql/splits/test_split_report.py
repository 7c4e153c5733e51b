"""What is wrong with a split, in numbers."""

from __future__ import annotations

from datetime import date

import pytest

from tests.sql.relations import load, records, rows


def report(con, options=""):
    return {r["split"]: r for r in records(con, f"from ml.split_report('t', 'my part'{options})")}


def test_sizes_classes_groups_and_times(con):
    load(
        con, "t", '"my part" varchar, label varchar, team int, day date',
        [["TRAIN", "a", 1, "2024-01-01"], ["TRAIN", "a", 1, "2024-01-05"], ["TRAIN", "b", 2, "2024-01-02"],
         ["TRAIN", "b", None, None], ["TEST", "b", 2, "2024-01-03"], ["TEST", None, 3, "2024-01-06"],
         [None, "a", 4, "2024-01-01"], ["GAP", "a", 5, "2024-01-02"]],
    )  # fmt: skip
    found = report(con, ", label := 'label', groups := 'team', at_time := 'day'")
    assert list(found) == ["TRAIN", "TEST", "GAP", None]
    train, test = found["TRAIN"], found["TEST"]
    assert (train["n_rows"], train["share"], test["share"]) == (4, 0.5, 0.25)
    assert (train["label_shares"], test["label_shares"]) == ({"a": 0.5, "b": 0.5}, {"a": 0, "b": 1})
    # of all rows with a class 4 of 7 are a
    assert train["largest_label_difference"] == pytest.approx(4 / 7 - 0.5)
    assert test["largest_label_difference"] == pytest.approx(4 / 7)
    assert (train["n_groups"], train["n_shared_groups"], test["n_shared_groups"]) == (2, 1, 1)
    assert (found[None]["n_groups"], found[None]["n_shared_groups"]) == (1, 0)
    assert (test["first_time"], test["last_time"]) == (date(2024, 1, 3), date(2024, 1, 6))
    assert (train["n_train_not_before"], test["n_train_not_before"]) == (None, 1)


def test_without_columns_and_without_rows(con):
    load(con, "t", '"my part" varchar', [["TRAIN"], ["TEST"]])
    row = report(con)["TEST"]
    assert (row["n_rows"], row["label_shares"], row["n_groups"], row["first_time"]) == (
        1,
        None,
        0,
        None,
    )
    assert row["n_train_not_before"] is None
    load(con, "t", '"my part" varchar', [])
    assert report(con) == {}


def test_the_hash_split_and_the_folds_of_the_library(con):
    con.execute(
        "create or replace table users as select i as id, i % 40 as team from range(400) t(i)"
    ).fetchall()
    for made in (
        "ml.split(''users'', [''team''])",
        "ml.folds(''users'', method := ''grouped'', fold_col := ''team'')",
    ):
        column = "split" if "split" in made else "fold"
        found = rows(
            con,
            f"select n_shared_groups from ml.split_report('(from {made})', '{column}', groups := 'team')",
        )
        assert len(found) >= 2
        assert set(found) == {(0,)}
