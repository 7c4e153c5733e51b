"""ML.TARGET_ENCODER, and the cross-fitting that it shares with ML.WEIGHT_OF_EVIDENCE."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import TargetEncoder

import mlpond
from mlpond.errors import InputError, StatementError
from tests.models.preprocessing.clause import apply, load, state

rng = np.random.default_rng(3)
N = 300
CITIES = rng.choice(["a", "b", "c", "d", None], N, p=[0.4, 0.3, 0.15, 0.1, 0.05])
CITIES[0] = "once"
LABELS = {
    "continuous": rng.normal(size=N),
    "binary": rng.random(N) < 0.4,
    "multiclass": rng.choice(["gold", "silver", "tin"], N),
}


class Folds:
    """Cross-validation folds that are given."""

    def __init__(self, fold):
        self.fold = np.array(fold)

    def split(self, X, y=None, groups=None):
        for k in np.unique(self.fold):
            yield np.flatnonzero(self.fold != k), np.flatnonzero(self.fold == k)

    def get_n_splits(self, *arguments):
        return len(np.unique(self.fold))


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        yield session


def columns_of(values):
    return np.array([list(v.values()) if isinstance(v, dict) else [v] for v in values])


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("smoothing", ["auto", 0, 10.5])
@pytest.mark.parametrize("has_id", [True, False])
def test_as_scikit_learn_encodes(pond, kind, smoothing, has_id):
    y = LABELS[kind]
    extra = {"id": np.arange(N)} if has_id else {}
    load(pond, x=CITIES.tolist(), y=y, **extra)
    clause = f"ML.TARGET_ENCODER(x, y, {smoothing!r}) OVER () AS z"
    # without a column that tells rows apart, the fold goes by the place of the row
    expression = state(pond, clause).text("fold")
    assert ("row_number" in expression) is not has_id
    fold = [row[0] for row in pond.con.execute(f"select {expression} from t").fetchall()]
    assert np.bincount(fold).min() > N / 10
    peer = TargetEncoder(target_type=kind, smooth=smoothing, cv=Folds(fold))
    X = np.array(CITIES, dtype=object)[:, None]
    trained = peer.fit_transform(X, y)
    assert columns_of(apply(pond, clause, training=True)) == pytest.approx(trained, rel=1e-12)
    assert columns_of(apply(pond, clause)) == pytest.approx(peer.transform(X), rel=1e-12)


def test_the_pets_of_scikit_learns_documentation(pond):
    """Row 91 of the acceptance cases, 11 digits printed."""

    def times(*pairs):
        return [value for value, n in pairs for _ in range(n)]

    load(
        pond,
        x=times(("dog", 20), ("cat", 30), ("snake", 38)),
        y=times((90.3, 5), (80.1, 15), (20.4, 5), (20.1, 25), (21.2, 8), (49.0, 30)),
    )
    auto = [20.1500169424, 82.5870599442, 43.1538117179, 44.2852272727]
    smooth = [44.1412795952, 44.4380749728, 44.2766447725, 44.2852272727]
    for smoothing, expected in (("'auto'", auto), (5000, smooth)):
        learnt = state(pond, f"ML.TARGET_ENCODER(x, y, {smoothing}) OVER () AS z")
        found = [e.number for e in learnt.listed("encoding_0")]  # cat, dog, snake, NULL, others
        assert found[:3] + found[-1:] == pytest.approx(expected, rel=3e-12)


@settings(deadline=None, max_examples=12)
@given(
    x=st.lists(st.sampled_from(["a", "b", None]), min_size=8, max_size=25),
    which=st.integers(0, 24),
    label=st.integers(50, 90),
    has_id=st.booleans(),
    kind=st.sampled_from(["number", "text", "evidence"]),
)
def test_the_encoding_of_a_row_does_not_depend_on_its_own_label(
    pond, x, which, label, has_id, kind
):
    chosen = which % len(x)
    call = (
        "WEIGHT_OF_EVIDENCE(x, y, 0.5, 3)"
        if kind == "evidence"
        else "TARGET_ENCODER(x, y, 'auto', 3)"
    )
    clause = f"ML.{call} OVER () AS z"
    y = [float(i * i % 7) for i in range(len(x))]
    if kind != "number":
        y, label = ["yes" if v > 2 else "no" for v in y], "yes" if y[chosen] <= 2 else "no"
    extra = {"id": list(range(len(x)))} if has_id else {}
    load(pond, x=x, y=y, **extra)
    before = apply(pond, clause, training=True)
    y[chosen] = label
    load(pond, x=x, y=y, **extra)
    assert apply(pond, clause, training=True)[chosen] == before[chosen]


def test_new_and_null_categories(pond):
    load(pond, x=["a", "a", "b"], y=[1.0, 3.0, 8.0])
    load(pond, "new", x=["a", "z", None])
    found = apply(pond, "ML.TARGET_ENCODER(x, y, 0) OVER () AS z", "new", "(from t)")
    assert found == [2.0, 4.0, 4.0]  # NULL was not seen either: the mean of all


def test_a_label_that_never_varies(pond):
    load(pond, x=["a", "b", "a"], y=[5.0, 5.0, 5.0], s=["u", "u", "u"])
    assert apply(pond, "ML.TARGET_ENCODER(x, y) OVER () AS z") == [5.0, 5.0, 5.0]
    with pytest.raises(InputError, match="the label has 1 values; it needs two"):
        apply(pond, "ML.TARGET_ENCODER(x, s) OVER () AS z")


def test_a_label_that_is_a_time_with_a_zone(pond):
    pond.con.execute(
        "create or replace table t as select i % 2 as x, i % 3 as k from range(30) r(i)"
    )
    zoned = "timestamptz '2024-01-01 00:00+00' + to_hours((k * x)::integer)"
    found = apply(pond, f"ML.TARGET_ENCODER(x, {zoned}, 0) OVER () AS z", "(from t limit 2)")
    classes = [f"2024-01-01 0{h}:00:00+00" for h in range(3)]
    assert found == [
        dict(zip(classes, (1, 0, 0), strict=True)),
        dict.fromkeys(classes, pytest.approx(1 / 3)),
    ]


def test_one_row_has_no_other_to_learn_from(pond):
    load(pond, x=["a"], y=[5.0])
    clause = "ML.TARGET_ENCODER(x, y) OVER () AS z"
    assert apply(pond, clause, training=True) == [None]
    assert apply(pond, clause) == [5.0]
    assert apply(pond, clause, source="(from t where false)") == [None]


def test_a_model_trains_on_the_other_folds_and_predicts_with_all(pond):
    """Noise categories: encoded with their own labels they would explain half of the label."""
    n = 400
    load(pond, x=[f"c{i % 200}" for i in range(n)], y=rng.normal(size=n), id=range(n))
    pond.sql(
        "create or replace model leak transform (ML.TARGET_ENCODER(x, y, 0) over () as x, y) options "
        "(model_type = 'linear_reg', input_label_cols = ['y'], data_split_method = 'NO_SPLIT') "
        "as select * from t"
    )
    weights = dict(
        pond.con.execute("select processed_input, weight from ml.weights('leak')").fetchall()
    )
    assert weights["x"] < 0.1  # with its own label it would be 1
    stored = pond.con.execute(
        "select count(distinct key) from ml.transform_state where function = 'TARGET_ENCODER'"
    ).fetchall()
    assert stored == [(8,)]  # category, fold, encoding, and that without each of five folds


@pytest.mark.parametrize(
    "call, message",
    [
        ("TARGET_ENCODER(x, y, 'much')", "smoothing is 'much'; it must be 'auto' or a number"),
        ("TARGET_ENCODER(x, y, 'auto', 1)", "folds is 1; it must be an integer from 2 to 100"),
        ("TARGET_ENCODER(x, odd)", "the label holds NaN or infinity"),
        ("TARGET_ENCODER(x)", "has 1 arguments; it takes"),
        ("TARGET_ENCODER(x, ['A', 'a', 'b'][three])", "the label holds 'A' and 'a'; its classes"),
        ("TARGET_ENCODER(x, ['', 'a', 'b'][three])", "the label holds the empty text; its classes"),
    ],
)
def test_what_cannot_be_encoded_is_refused(pond, call, message):
    load(pond, x=list("aab"), y=[True, False, True], three=[1, 2, 3], odd=[1.0, np.inf, 2.0])
    with pytest.raises((InputError, StatementError), match=message):
        apply(pond, f"ML.{call} OVER () AS z")
