"""Attributions, importance and dependence against closed forms of linear models."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from pytest import approx

import mlpond
from mlpond.models import store
from tests.conftest import record, rows

FEATURES = "species, bill_length_mm, bill_depth_mm, flipper_length_mm, sex"


@pytest.fixture(scope="module")
def pond(load_penguins):
    """Penguins with a model of a number, one of two classes and one of three."""
    with mlpond.connect() as session:
        load_penguins(session)
        session.sql("create table whole as from penguins where sex is not null")
        for name, kind, label, features in (
            ("mass", "linear_reg", "body_mass_g", FEATURES),
            ("sex", "logistic_reg", "sex", "species, bill_length_mm, body_mass_g"),
            ("species", "logistic_reg", "species", "bill_length_mm, body_mass_g, sex"),
        ):
            session.sql(
                f"create model {name} options (model_type = '{kind}', l2_reg = 1.0, "
                f"input_label_cols = ['{label}']) as select {features}, {label} from whole"
            )
        yield session


def attributions(session, model, data, settings=""):
    """For each row the attributions by feature, and the row itself."""
    found = session.sql(f"from ml.explain_predict('{model}', '{data}'{settings})")
    names = found.columns
    table = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    for row in table:
        row["by_feature"] = {
            entry["feature"]: entry["attribution"] for entry in row["top_feature_attributions"]
        }
    return table


def test_linear_attributions_are_shapley_values(pond):
    """The definition: the mean change that a feature brings, over all orders of the features."""
    weights = dict(
        rows(
            pond,
            "select processed_input, weight from ml.weights('mass') where weight is not null",
        )
    )
    categories = dict(
        rows(pond, "select e.category, e.weight from (select unnest(category_weights) as e "
        "from ml.weights('mass') where category_weights is not null)")
    )  # fmt: skip
    table = pond.sql(f"select {FEATURES} from whole").fetchall()
    numbers = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm"]

    def terms(row):
        return {
            "species": categories[row[0]],
            **{name: weights[name] * row[1 + i] for i, name in enumerate(numbers)},
            "sex": categories[row[4]],
        }

    background = [terms(row) for row in table]
    names = ["species", *numbers, "sex"]
    means = {name: math.fsum(t[name] for t in background) / len(background) for name in names}

    def value(known, row):  # the mean prediction if only these features are the row's
        return math.fsum(row[name] if name in known else means[name] for name in names)

    explained = attributions(pond, "mass", "(from whole limit 2)", ", top_k_features := 9")
    for row, found in zip(background, explained, strict=False):
        for name in names:
            changes = []
            for order in itertools.permutations(names):
                before = set(order[: order.index(name)])
                changes.append(value(before | {name}, row) - value(before, row))
            # weights of 1e1 times values of 2e2 round by 1e-12; the sums have 120 terms
            assert found["by_feature"][name] == approx(np.mean(changes), rel=1e-9, abs=1e-9)
        total = found["baseline_prediction_value"] + sum(found["by_feature"].values())
        assert total == approx(found["predicted_body_mass_g"], rel=1e-12)
        assert found["prediction_value"] == approx(total, rel=1e-12)
        assert found["approximation_error"] == 0.0


def test_attributions_of_classes_are_those_of_the_logit(pond):
    for row in attributions(pond, "sex", "(from whole limit 20)"):
        # the greater label, male, is the positive one
        positive = row["probability"] if row["predicted_sex"] == "male" else 1 - row["probability"]
        logit = math.log(positive / (1 - positive))
        assert row["prediction_value"] == approx(logit, rel=1e-9, abs=1e-9)
    for row in attributions(pond, "species", "(from whole limit 20)"):
        assert set(row["by_feature"]) == {"bill_length_mm", "body_mass_g", "sex"}
        assert row["probability"] > 1 / 3


def test_the_greatest_attributions_come_first(pond):
    (row,) = attributions(pond, "mass", "(from whole limit 1)", ", top_k_features := 2")
    sizes = [abs(entry["attribution"]) for entry in row["top_feature_attributions"]]
    assert len(sizes) == 2
    assert sizes[0] >= sizes[1]


def test_sampled_attributions_agree_with_exact_ones(pond, monkeypatch):
    """The family's closed form is left aside, and the same model explained by walks."""
    exact = store.explanation_macros

    def sampled(training, fitted):
        others = [macro for macro in fitted.macros if macro.function != "explain_predict"]
        return exact(training, replace(fitted, macros=others))

    monkeypatch.setattr(store, "explanation_macros", sampled)
    pond.sql(
        "create or replace model mass_sampled options (model_type = 'linear_reg', l2_reg = 1.0, "
        f"input_label_cols = ['body_mass_g']) as select {FEATURES}, body_mass_g from "
        "(from whole limit 60)"
    )
    monkeypatch.undo()
    data = "(from whole limit 2)"
    found = attributions(pond, "mass_sampled", data, ", top_k_features := 9, permutations := 300")
    pond.sql(
        "create or replace model mass_exact options (model_type = 'linear_reg', l2_reg = 1.0, "
        f"input_label_cols = ['body_mass_g']) as select {FEATURES}, body_mass_g from "
        "(from whole limit 60)"
    )
    expected = attributions(pond, "mass_exact", data, ", top_k_features := 9")
    for got, want in zip(found, expected, strict=True):
        assert got["predicted_body_mass_g"] == approx(want["predicted_body_mass_g"], rel=1e-12)
        # no sampling here: the mean over all 60 background rows
        assert got["baseline_prediction_value"] == approx(
            want["baseline_prediction_value"], rel=1e-10
        )
        for name, value in want["by_feature"].items():
            # 300 background rows drawn of terms that deviate by up to 250 g: 3 standard errors
            assert got["by_feature"][name] == approx(value, abs=3 * 250 / math.sqrt(300))
        assert got["approximation_error"] < 3 * 400 / math.sqrt(300)


def test_global_explain_is_the_mean_absolute_attribution(pond):
    found = dict(rows(pond, "from ml.global_explain('mass')"))
    single = attributions(pond, "mass", "whole", ", top_k_features := 9")
    for name, value in found.items():
        mean = np.mean([abs(row["by_feature"][name]) for row in single])
        assert value == approx(mean, rel=1e-12)
    assert list(found) == sorted(found, key=lambda name: -found[name])


def test_permutation_importance_of_a_linear_model(pond):
    # Shuffling x raises the mean square by w² Σ(x' - x)²/n - 2w Σ e(x' - x)/n, about 2 w² var(x)
    found = record(
        pond,
        "select * from ml.permutation_importance('mass', repeats := 30) "
        "where feature = 'flipper_length_mm'",
    )
    weight = record(
        pond, "select weight from ml.weights('mass') where processed_input = 'flipper_length_mm'"
    )["weight"]
    variance = record(pond, "select var_pop(flipper_length_mm) as v from whole")["v"]
    assert found["repeats"] == 30
    assert found["importance"] == approx(found["shuffled_loss"] - found["loss"], rel=1e-12)
    # 30 repeats of 333 rows: the mean lies within 5 % with room to spare
    assert found["importance"] == approx(2 * weight**2 * variance, rel=0.05)
    query = "select feature, importance from ml.permutation_importance('mass', repeats := 2)"
    # the same shuffles; threads may add up in another order
    assert dict(rows(pond, query)) == approx(dict(rows(pond, query)), rel=1e-9)


def test_a_feature_without_effect_has_no_importance():
    # sums in another order gave 5.6e-17, the same in each shuffle: needed, with a p-value of 0.003
    with mlpond.connect() as other:
        other.sql(
            "create model m options (model_type = 'linear_reg', input_label_cols = ['y']) as "
            "select sin(i * 1.7) as a, 1 as one, 3 * a + sin(i * 77) as y from range(120) as r(i)"
        )
        for more in ("", ", data := '(select sin(i * 1.7) as a, 1 as one, 3 * a + sin(i * 77) as y from range(500) as r(i))'"):  # fmt: skip
            found = rows(other, f"select * from ml.select_by_importance('m'{more})")
            assert found[1] == ("one", 0, 1, 2, False)
            assert found[0][3:] == (1, True)
        empty = "(select 1.0 as a, 1 as one, 1.0 as y limit 0)"
        found = rows(other, f"select * from ml.select_by_importance('m', data := '{empty}')")
        assert found == [(name, None, None, 1, False) for name in ("a", "one")]
        # a model without any loss: all of the loss is from the shuffle
        other.sql(
            "create model exact options (model_type = 'linear_reg', input_label_cols = ['y']) as "
            "select (i % 2)::double as a, a as y from range(40) as r(i)"
        )
        assert record(other, "from ml.permutation_importance('exact')")["importance"] > 0.1


def test_partial_dependence_of_a_linear_model_is_its_weight(pond):
    found = rows(
        pond,
        "select number, prediction from "
        "ml.partial_dependence('mass', 'flipper_length_mm', points := 5)",
    )
    weight = record(
        pond, "select weight from ml.weights('mass') where processed_input = 'flipper_length_mm'"
    )["weight"]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.pairwise(found)]
    assert len(found) == 5
    assert slopes == approx([weight] * 4, rel=1e-9)  # differences of 1e2 of means of 4e3


def test_accumulated_effects_and_single_rows_agree_with_it(pond):
    effects = rows(
        pond,
        "select number, effect, n from "
        "ml.accumulated_local_effects('mass', 'bill_depth_mm', points := 6)",
    )
    weight = record(
        pond, "select weight from ml.weights('mass') where processed_input = 'bill_depth_mm'"
    )["weight"]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.pairwise(effects)]
    assert slopes == approx([weight] * 5, rel=1e-9)
    assert sum(n for _, _, n in effects) == 333
    changes = rows(
        pond,
        "select change, number, bill_depth_mm from "
        "ml.individual_conditional_expectation('mass', 'bill_depth_mm', "
        "data := '(from whole limit 3)', points := 3) as ice "
        "join (select row_number() over () as row_id, bill_depth_mm from (from whole limit 3)) "
        "using (row_id)",
    )
    for change, number, own in changes:
        assert change == approx(weight * (number - own), rel=1e-9, abs=1e-9)


def test_categories_have_a_value_each(pond):
    found = rows(pond, "select value, number, n from ml.partial_dependence('mass', 'species')")
    assert found == [("Adelie", None, 333), ("Chinstrap", None, 333), ("Gentoo", None, 333)]


def test_scores_of_a_chosen_class(pond):
    total = rows(
        pond,
        "select (select sum(__score) from ml.scores('species', class := 'Adelie')) + "
        "(select sum(__score) from ml.scores('species', class := 'Gentoo')) + "
        "(select sum(__score) from ml.scores('species', class := 'Chinstrap'))",
    )
    assert total[0][0] == approx(333, rel=1e-12)


def test_too_few_points_are_refused(pond):
    with pytest.raises(Exception, match="points is 1; it must be 2 or more"):
        rows(pond, "from ml.partial_dependence('mass', 'bill_depth_mm', points := 1)")
