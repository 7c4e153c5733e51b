"""ML.WEIGHT_OF_EVIDENCE, and the macro of the plain shell."""

from __future__ import annotations

import json
import subprocess
import sys
from math import log
from pathlib import Path

import duckdb
import numpy as np
import pytest

import mlpond
from mlpond.errors import InputError, StatementError
from tests.models.preprocessing.clause import apply, load, state

CLAUSE = "ML.WEIGHT_OF_EVIDENCE(x, y) OVER () AS z"


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        yield session


def test_the_reference(pond):
    """Row 89 of the acceptance cases, 10 digits printed."""
    x = ["a"] * 100 + ["b"] * 100 + ["c"] * 100
    y = [i < k for k in (10, 30, 60) for i in range(100)]
    load(pond, x=x, y=y, s=["yes" if v else "no" for v in y])
    for label in ("y", "s", "y::integer"):
        clause = f"ML.WEIGHT_OF_EVIDENCE(x, {label}) OVER () AS z"
        found = apply(pond, clause)[::100]
        assert found == pytest.approx([-1.5040773968, -0.1541506798, 1.0986122887], abs=1e-10)
        assert state(pond, clause).numbers["information_value"] == pytest.approx(
            0.9735795383, abs=1e-10
        )


def test_a_category_without_events_is_smoothed(pond):
    load(pond, x=["a", "a", "b", "b", None], y=[True, True, True, False, False])
    # a has 2 events and no other: 2.5 and 0.5, of 3 events and 2 others; NULL 0.5 and 1.5
    found = apply(pond, CLAUSE)
    expected = np.log([2.5 / 3 / (0.5 / 2), 1 / 3 / (1 / 2), 0.5 / 3 / (1.5 / 2)])
    assert [found[0], found[2], found[4]] == pytest.approx(expected, rel=1e-14)


# Of the other fold: a row of fold 0 is weighed by the rows of fold 1. Those have 2 events and 2
# others, of a 1 and 1, of b 1 and 0 (smoothed 1.5 and 0.5), of NULL 0 and 1 (0.5 and 1.5), none of c.
# Those of fold 0 have 3 events and 1 other, of a 2 and 1, of b 1 and 0 (1.5 and 0.5), c without label.
ROWS = [  # x, y, fold, weight from the other fold
    ("a", True, 0, log((1 / 2) / (1 / 2))),
    ("a", True, 0, log((1 / 2) / (1 / 2))),
    ("a", False, 0, log((1 / 2) / (1 / 2))),
    ("b", True, 0, log((1.5 / 2) / (0.5 / 2))),
    ("c", None, 0, 0.0),
    ("a", True, 1, log((2 / 3) / (1 / 1))),
    ("a", False, 1, log((2 / 3) / (1 / 1))),
    ("b", True, 1, log((1.5 / 3) / (0.5 / 1))),
    (None, False, 1, 0.0),
]


def test_the_macro_weighs_by_the_other_folds(pond):
    x, y, fold, expected = zip(*ROWS, strict=True)
    load(pond, x=list(x), y=list(y), fold=list(fold), i=range(len(x)))
    query = "select ml.weight_of_evidence(x, y, fold := fold) from t order by i"
    for rows in (pond.con.execute(query), pond.sql(query)):
        assert [row[0] for row in rows.fetchall()] == pytest.approx(expected, rel=1e-14, abs=1e-15)


def of_many_rows(pond):
    """Rows with a stored fold: their folds, and SQL of the fold."""
    rng = np.random.default_rng(8)
    x = rng.choice(["a", "b", 'it\'s "odd"', None], 200).tolist()
    load(pond, x=["once", *x[1:]], y=(rng.random(200) < 0.3).tolist(), i=range(200))
    fold = state(pond, CLAUSE).text("fold")
    return fold, [row[0] for row in pond.con.execute(f"select {fold} from t order by i").fetchall()]


def test_training_rows_are_weighed_by_the_other_folds_and_new_ones_by_all(pond):
    _, fold = of_many_rows(pond)
    assert set(fold) == set(range(5))
    rows = pond.con.execute("select x, y from t order by i").fetchall()

    def weigh(x, of):
        y = [y for own, y in of if own == x]
        events, others = sum(y), len(y) - sum(y)
        if not y:
            return 0.0
        if not events or not others:
            events, others = events + 0.5, others + 0.5
        every = sum(y for _, y in of)
        return log((events / every) / (others / (len(of) - every)))

    others = [[row for row, g in zip(rows, fold, strict=True) if g != f] for f in range(5)]
    trained = [weigh(x, others[f]) for (x, _), f in zip(rows, fold, strict=True)]
    assert apply(pond, CLAUSE, training=True) == pytest.approx(trained, rel=1e-14)
    load(pond, "new", x=["a", "once", None, "never"])
    new = [weigh(x, rows) for x in ("a", "once", None, "never")]
    assert apply(pond, CLAUSE, "new") == pytest.approx(new, rel=1e-14)


@pytest.mark.slow
def test_the_plain_shell_weighs_as_the_clause(pond, tmp_path):
    fold, _ = of_many_rows(pond)
    expected = [apply(pond, CLAUSE, training=True), apply(pond, CLAUSE)]
    path = tmp_path / "pond.duckdb"
    with mlpond.connect(path) as other:
        other.con.register("rows_of_t", pond.con.sql("from t").to_arrow_table())
        other.con.execute("create table t as from rows_of_t").fetchall()
    done = subprocess.run(
        [Path(sys.executable).with_name("duckdb"), "-noheader", "-list", str(path),
         f"select to_json([ml.weight_of_evidence(x, y, fold := {fold}), ml.weight_of_evidence(x, y)]) "
         "from t order by i"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = zip(*map(json.loads, done.stdout.splitlines()), strict=True)
    assert list(map(list, found)) == [pytest.approx(values, rel=1e-14) for values in expected]


def test_a_model_of_noise_learns_nothing(pond):
    """200 categories of two rows: weighed with their own labels they would explain the label."""
    rng = np.random.default_rng(3)
    load(pond, x=[f"c{i % 200}" for i in range(400)], y=rng.random(400) < 0.5, id=range(400))
    pond.sql(
        "create or replace model leak transform (ML.WEIGHT_OF_EVIDENCE(x, y) over () as x, y) "
        "options (model_type = 'logistic_reg', input_label_cols = ['y'], "
        "data_split_method = 'NO_SPLIT') as from t"
    )
    weights = "select weight from ml.weights('leak') where processed_input = 'x'"
    assert abs(pond.con.execute(weights).fetchall()[0][0]) < 0.3  # with its own label 8.8


def test_a_query_weighs_by_the_other_folds(pond):
    of_many_rows(pond)
    query = f"select {CLAUSE.removesuffix(' AS z')}, ml.weight_of_evidence(x, y) from t order by i"
    found = pond.sql(query).fetchall()
    assert len({of_others for of_others, _ in found}) > len({of_all for _, of_all in found})


def test_what_is_not_known(pond):
    load(pond, x=["a", "b"], y=[True, False], i=[1, 2], fold=[0, 1])
    load(pond, "new", x=["z", None])
    assert apply(pond, CLAUSE, "new") == [0.0, 0.0]  # not seen: no evidence
    # without its own fold the label has one value
    query = "select ml.weight_of_evidence(x, y, fold := fold) from t"
    assert pond.con.execute(query).fetchall() == [(None,), (None,)]
    clause = "ML.WEIGHT_OF_EVIDENCE(x, y, 0.5, 100) OVER () AS z"
    assert apply(pond, clause, training=True) == [None, None]


@pytest.mark.parametrize(
    "call, message",
    [
        ("x, three", "the label has 3 values; it must have two"),
        ("x, i > 0", "the label has 1 values; it must have two"),
        ("x, y, 0", "smoothing is 0; it must be a number above 0"),
        ("x, y, 0.5, 1", "folds is 1; it must be an integer from 2 to 100"),
    ],
)
def test_what_is_refused(pond, call, message):
    load(pond, x=list("aab"), y=[True, False, True], three=[1, 2, 3], i=[1, 2, 3])
    with pytest.raises((InputError, StatementError), match=message):
        apply(pond, f"ML.WEIGHT_OF_EVIDENCE({call}) OVER () AS z")


def test_groups_have_no_folds_in_a_query(pond):
    load(pond, x=list("aab"), y=[True, False, True], g=[1, 1, 1])
    with pytest.raises(StatementError, match="only OVER \\(\\) is accepted"):
        pond.sql("select ML.WEIGHT_OF_EVIDENCE(x, y) OVER (PARTITION BY g) from t")
    # the macro has groups
    pond.sql("select ml.weight_of_evidence(x, y, per := g) from t").fetchall()
    with pytest.raises(duckdb.Error, match="smoothing is 0; it must be above 0"):
        pond.sql("select ml.weight_of_evidence(x, y, 0) from t").fetchall()
