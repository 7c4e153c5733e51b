"""Calibrated probabilities, and predictions with a promise."""

from __future__ import annotations

import numpy as np
import pytest
from pytest import approx
from scipy import special

import mlpond
from mlpond.errors import InputError
from mlpond.udfs.calibration.isotonic import isotonic
from mlpond.udfs.calibration.scaling import logits, platt, temperature
from tests.conftest import record, rows

SPLIT = "data_split_method = 'CUSTOM', data_split_col = 'held'"


@pytest.fixture(scope="module")
def pond():
    """Rows whose class and number depend on x, half of them held out."""
    with mlpond.connect() as session:
        session.sql(
            "create table t as select x, (i % 2 = 0) as held, "
            "case when ml.random_uniform(2, i) < 1 / (1 + exp(-3 * x)) then 'yes' else 'no' end as y, "
            "['a', 'b', 'c'][1 + (ml.random_uniform(3, i) * (1 + (x > 0)::int * 2))::int % 3] as c, "
            "2 * x + ml.normal_random(4, i) as z "
            "from (select i, ml.normal_random(1, i) as x from range(2000) r(i))"
        )
        yield session


def create(session, name, kind, label, settings="", source="t"):
    session.sql(
        f"create or replace model {name} options (model_type = '{kind}', {SPLIT}, "
        f"input_label_cols = ['{label}'] {settings}) as select x, held, {label} from {source}"
    )


def raw(session, label, classes):
    """Index of the class and probabilities before calibration of the rows held out."""
    picked = ", ".join(
        f"list_filter(predicted_{label}_probs, lambda e: e.label = '{text}')[1].prob"
        for text in classes
    )
    table = rows(
        session,
        f"select list_position({classes}, {label}) - 1, {picked} "
        f"from ml.\"uncalibrated_m\"('(from t where held)')",
    )
    array = np.array(table, dtype=float)
    return array[:, 0].astype(int), array[:, 1:]


@pytest.mark.parametrize("method", ["PLATT", "ISOTONIC", "TEMPERATURE"])
def test_two_classes(pond, method):
    create(pond, "m", "logistic_reg", "y", f", l2_reg = 500.0, calibration_method = '{method}'")
    y, p = raw(pond, "y", ["no", "yes"])
    found = np.array(rows(pond, "select __score from ml.scores('m', '(from t where held)')"))[:, 0]
    if method == "PLATT":
        slope, intercept = platt(logits(p[:, 1]), y.astype(float))
        expected = special.expit(slope * logits(p[:, 1]) + intercept)
    elif method == "ISOTONIC":
        expected = np.interp(p[:, 1], *isotonic(p[:, 1], y.astype(float)))
    else:
        expected = special.softmax(np.log(p) / temperature(np.log(p), y), axis=1)[:, 1]
    assert found == approx(expected, rel=1e-9, abs=1e-12)
    # the heavy penalty made the scores timid; calibration makes up for it
    loss = {
        name: -np.mean(np.log(np.clip(np.where(y == 1, q, 1 - q), 1e-15, 1)))
        for name, q in (("before", p[:, 1]), ("after", found))
    }
    assert loss["after"] < loss["before"] - 0.01
    methods = rows(pond, "select distinct method from ml.calibration where model = 'm'")
    assert (method,) in methods


@pytest.mark.parametrize("method", ["PLATT", "ISOTONIC", "TEMPERATURE"])
def test_three_classes(pond, method):
    create(pond, "m", "logistic_reg", "c", f", calibration_method = '{method}'")
    _, p = raw(pond, "c", ["a", "b", "c"])
    table = rows(pond, "select predicted_c, predicted_c_probs from ml.predict('m', 't')")
    for predicted, probabilities in table:
        assert sum(e["prob"] for e in probabilities) == approx(1.0, rel=1e-12)
        assert predicted == max(probabilities, key=lambda e: e["prob"])["label"]
    assert p.shape == (1000, 3)


def test_it_needs_rows_held_out(pond):
    with pytest.raises(InputError, match="calibration_method needs rows"):
        pond.sql(
            "create model n options (model_type = 'logistic_reg', data_split_method = 'NO_SPLIT', "
            "input_label_cols = ['y'], calibration_method = 'PLATT') as select x, y from t"
        )


def test_intervals_hold_the_share_that_is_asked_for(pond):
    create(pond, "number", "linear_reg", "z")
    fresh = "(from t where not held)"
    for level in (0.5, 0.9):
        found = record(
            pond,
            "select avg((z between prediction_interval_lower_bound and "
            "prediction_interval_upper_bound)::int) as share, "
            "min(prediction_interval_upper_bound - predicted_z) as margin "
            f"from ml.conformal('number', '{fresh}', confidence_level := {level})",
        )
        errors = sorted(
            row[0]
            for row in rows(
                pond, "select abs(z - predicted_z) from ml.predict('number', '(from t where held)')"
            )
        )
        # Lei et al.: the ceil((n + 1) level)-th smallest error
        margin = errors[int(np.ceil(1001 * level)) - 1]
        assert found["margin"] == approx(margin, rel=1e-9)
        # two samples of 1000: four standard deviations of the difference of their shares
        assert found["share"] == approx(level, abs=4 * np.sqrt(2 * level * (1 - level) / 1000))


@pytest.mark.parametrize("method", ["threshold", "adaptive"])
def test_sets_hold_the_share_that_is_asked_for(pond, method):
    create(pond, "class", "logistic_reg", "c")
    found = record(
        pond,
        "select avg(list_contains(prediction_set, c)::int) as share, avg(len(prediction_set)) as n "
        "from ml.conformal('class', '(from t where not held)', confidence_level := 0.8, "
        f"method := '{method}')",
    )
    # adaptive sets are not randomised, so that they may hold more than asked for
    assert found["share"] > 0.8 - 4 * np.sqrt(2 * 0.16 / 1000)
    assert 1 <= found["n"] < 3


def test_bad_requests(pond):
    create(pond, "number", "linear_reg", "z")
    with pytest.raises(Exception, match="confidence_level is 1.5; it must lie between 0 and 1"):
        rows(pond, "from ml.conformal('number', 't', confidence_level := 1.5)")
    pond.sql(
        "create or replace model whole options (model_type = 'linear_reg', "
        "data_split_method = 'NO_SPLIT', input_label_cols = ['z']) as select x, z from t"
    )
    with pytest.raises(Exception, match="held out no rows; give rows"):
        rows(pond, "from ml.conformal('whole', 't')")
    (few,) = rows(
        pond,
        "select distinct prediction_interval_upper_bound "
        "from ml.conformal('whole', 't', calibration := '(from t limit 5)')",
    )
    assert few == (np.inf,)  # five rows cannot promise nine in ten
