"""instance_weight_col and regularization_path of linear_reg and logistic_reg."""

from __future__ import annotations

import math

import duckdb
import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegression, enet_path

import mlpond
from mlpond.errors import InputError, MlpondError, TrainingError
from tests.conftest import record, rows

N = 300
LINEAR = "model_type = 'linear_reg', input_label_cols = ['y']"
LOGISTIC = "model_type = 'logistic_reg', input_label_cols = ['late']"
TESTED = ", calculate_p_values = true, category_encoding_method = 'dummy_encoding'"


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        session.sql(
            "create table t as select *, x + 0.5 * z + noise as y, x + 2 * noise > 0.3 as late from ("
            "select i, sin(i * 12.9898) * 2 as x, cos(i * 78.233) + 5 as z, "
            "sin(i * 4.1414) * cos(i * 91.7) as noise, (i % 4)::double as w, "
            f"case when i % 10 = 0 then null else sin(i) end as gap from range({N}) r(i))"
        )
        yield session


@pytest.fixture(scope="module")
def data(pond):
    found = np.array(rows(pond, "select x, z, y, late::int, w from t order by i"), dtype=float)
    return dict(zip(("x", "z", "y", "late", "w"), found.T, strict=True))


def create(pond, options, columns, split="no_split", name="m"):
    pond.sql(
        f"create or replace model {name} options ({options}, data_split_method = '{split}') "
        f"as select {columns} from t"
    )


def coefficients(pond, what="weight, standard_error", name="m"):
    return np.array(
        rows(
            pond,
            f"select {what} from ml.coefficients "
            f"where {{'name': model, 'version': version}} = ml.version_of('{name}') order by position",
        ),
        dtype=float,
    )


def statistics(pond, name="m"):
    return dict(
        rows(
            pond,
            "select name, value from ml.fit_statistics "
            f"where {{'name': model, 'version': version}} = ml.version_of('{name}')",
        )
    )


def test_linear_weights_agree_with_statsmodels(pond, data):
    create(pond, f"{LINEAR}, instance_weight_col = 'w'{TESTED}", "x, z, w, y")
    kept = data["w"] > 0  # statsmodels counts rows of weight 0 among the degrees of freedom
    M = np.c_[data["x"], data["z"], np.ones(N)][kept]
    peer = sm.WLS(data["y"][kept], M, weights=data["w"][kept]).fit()
    assert coefficients(pond) == pytest.approx(np.c_[peer.params, peer.bse], rel=1e-9)
    told = statistics(pond)
    assert (told["log_likelihood"], told["r_squared"], told["df"], told["aic"]) == pytest.approx(
        (peer.llf, peer.rsquared, peer.df_resid, peer.aic), rel=1e-9
    )
    assert rows(
        pond, "select features from ml.models where name = 'm' order by version desc limit 1"
    ) == [(["x", "z"],)]
    with pytest.raises(Exception, match="was trained with instance_weight_col"):
        rows(pond, "from ml.robust_weights('m')")


def test_logistic_weights_agree_with_statsmodels(pond, data):
    create(pond, f"{LOGISTIC}, instance_weight_col = 'w'{TESTED}", "x, z, w, late")
    M = np.c_[data["x"], data["z"], np.ones(N)]
    kept = data["w"] > 0
    peer = sm.GLM(
        data["late"][kept], M[kept], family=sm.families.Binomial(), freq_weights=data["w"][kept]
    ).fit(tol=1e-14)
    assert coefficients(pond) == pytest.approx(np.c_[peer.params, peer.bse], rel=1e-8)
    assert statistics(pond)["log_likelihood"] == pytest.approx(peer.llf, rel=1e-10)


def test_class_weights_multiply(pond, data):
    create(
        pond,
        f"{LOGISTIC}, instance_weight_col = 'w', l2_reg = 1.0, class_weights = [(true, 3.0)]",
        "x, z, w, late",
    )
    w, X = data["w"], np.c_[data["x"], data["z"]]
    mean = w @ X / w.sum()
    n = np.count_nonzero(w)
    sd = np.sqrt(w @ (X - mean) ** 2 / w.sum() * n / (n - 1))
    peer = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000).fit(
        (X - mean) / sd, data["late"], sample_weight=w * np.where(data["late"] == 1, 3, 1)
    )
    found = coefficients(pond, "standardized_weight")[:, 0]
    # the weighted moments standardise, so that the same penalty is the same model
    assert found == pytest.approx(np.r_[peer.coef_[0], peer.intercept_], rel=1e-5)
    create(
        pond, f"{LOGISTIC}, instance_weight_col = 'w', auto_class_weights = true", "x, z, w, late"
    )
    late = w @ data["late"]
    balanced = np.where(data["late"] == 1, w.sum() / (2 * late), w.sum() / (2 * (w.sum() - late)))
    peer = sm.GLM(
        data["late"], sm.add_constant(X, prepend=False), family=sm.families.Binomial(),
        freq_weights=w * balanced,
    ).fit(tol=1e-14)  # fmt: skip
    assert coefficients(pond, "weight")[:, 0] == pytest.approx(peer.params, rel=1e-8)


@pytest.mark.parametrize("options, label", [(LINEAR, "y"), (LOGISTIC, "late")])
def test_rows_of_weight_zero_are_not_there(pond, options, label):
    create(pond, f"{options}, instance_weight_col = 'w', l2_reg = 0.5", f"x, gap, w, {label}")
    with_zeros = coefficients(pond, "weight, standardized_weight")
    pond.sql(
        f"create or replace model m options ({options}, instance_weight_col = 'w', l2_reg = 0.5, "
        f"data_split_method = 'no_split') as select x, gap, w, {label} from t where w > 0"
    )
    assert with_zeros == pytest.approx(coefficients(pond, "weight, standardized_weight"), rel=1e-9)


def test_equal_weights_change_nothing(pond):
    create(pond, f"{LINEAR}, l2_reg = 0.5, regularization_path = 0", "x, gap, y")
    plain = coefficients(pond, "weight, standardized_weight")
    # not a feature list of which none is selected
    with pytest.raises(duckdb.Error, match="select_by_path: .* without regularization_path"):
        rows(pond, "from ml.select_by_path('m')")
    create(pond, f"{LINEAR}, l2_reg = 1.0, instance_weight_col = 'two'", "x, gap, 2 as two, y")
    # twice the losses and twice the penalty
    assert coefficients(pond, "weight, standardized_weight") == pytest.approx(plain, rel=1e-9)


@pytest.mark.parametrize(
    "options, columns, message",
    [
        (LINEAR, "x, -w as v, y", "instance_weight_col v is not a finite number of at least 0 in"),
        (LINEAR, "x, nullif(w, 3) as v, y", "instance_weight_col v is NULL in 75 rows"),
        (LINEAR, "x, if(i = 3, 'nan'::double, w) as v, y", "v is NaN or infinite in 1 rows"),
        (LINEAR, "x, 0 * w as v, y", "v is 0 in every row"),
        (LOGISTIC, "x, i::varchar as v, late", "v has type VARCHAR; it must be a number"),
        (LOGISTIC, "x, late", "column 'v' is not known"),
    ],
)  # fmt: skip
def test_bad_weights_are_refused(pond, options, columns, message):
    with pytest.raises((InputError, TrainingError), match=message):
        create(pond, f"{options}, instance_weight_col = 'v'", columns)


# --- the regularisation path ------------------------------------------------------------------


def test_a_linear_path_agrees_with_scikit_learn(pond, data):
    create(pond, f"{LINEAR}, regularization_path = 15, l1_ratio = 0.5", "x, z, noise, y")
    steps = rows(
        pond,
        "select l1_reg, l2_reg, df, loss, eval_loss, is_chosen from ml.regularization_path('m')",
    )
    X = np.array(rows(pond, "select x, z, noise from t order by i"))
    Z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    y = data["y"]
    alphas = [(l1 + l2) / N for l1, l2, *_ in steps]
    _, expected, _ = enet_path(
        Z, y - y.mean(), alphas=alphas, l1_ratio=0.5, tol=1e-13, max_iter=100_000
    )
    expected = expected / X.std(axis=0, ddof=1)[:, None]
    found = np.zeros((3, len(steps)))
    for step, name, weight in rows(
        pond, "select step, processed_input, weight from ml.path_weights('m')"
    ):
        if name != "__INTERCEPT__":
            found[["x", "z", "noise"].index(name), step] = weight
    assert found == pytest.approx(expected, abs=1e-6)
    assert [step[2] for step in steps] == np.count_nonzero(found, axis=0).tolist()
    assert all(step[4] is None for step in steps)
    chosen = next(k for k, step in enumerate(steps) if step[5])
    assert coefficients(pond, "weight")[:3, 0] == pytest.approx(found[:, chosen], rel=1e-9)


def test_held_out_rows_choose(pond):
    create(pond, f"{LOGISTIC}, regularization_path = 10, data_split_eval_fraction = 0.3",
           "x, z, noise, late", "random")  # fmt: skip
    steps = rows(pond, "select loss, eval_loss, is_chosen from ml.regularization_path('m')")
    losses = [step[1] for step in steps]
    assert [step[2] for step in steps] == [k == int(np.argmin(losses)) for k in range(len(steps))]
    judged = record(pond, "from ml.evaluate('m')")
    assert judged["log_loss"] == pytest.approx(min(losses), rel=1e-6)
    # as plain rows: which input enters first
    first = rows(
        pond,
        "select processed_input from ml.path_weights('m') where processed_input <> '__INTERCEPT__' order by step, abs(weight) desc limit 1",
    )
    assert first in ([("x",)], [("noise",)])


@pytest.mark.parametrize(
    "more, message",
    [
        ("regularization_path = 1", "must be the number of penalties to try, from 2"),
        ("regularization_path = 10, l2_reg = 1", "chooses the penalty itself and excludes l2_reg"),
        ("l1_ratio = 0.5", "l1_ratio is for regularization_path"),
        ("regularization_path = 10, l1_ratio = 0", "only held-out rows can choose the penalty"),
        ("regularization_path = 10, optimize_strategy = 'normal_equation'", "excludes optimize_strategy|NORMAL_EQUATION"),
    ],
)  # fmt: skip
def test_bad_paths_are_refused(pond, more, message):
    with pytest.raises(MlpondError, match=message):
        create(pond, f"{LINEAR}, {more}", "x, z, y")


# --- separation -------------------------------------------------------------------------------


def test_separation_is_said_with_the_column(pond):
    for columns, named in (
        ("x, z, noise, i, i > 150 as late", "i tells the labels apart"),
        (
            "x, if(i % 5 = 0, 'gold', 'other') as card, i % 5 = 0 or noise > 0 as late",
            "card = 'gold' tells",
        ),
        (
            "x, if(i % 5 = 0, 'gold', 'other') as card, i % 5 = 0 or noise > 0 as late, 'a' as k",
            "card = 'gold' tells",
        ),
    ):
        create(pond, LOGISTIC, columns)
        ((said,),) = rows(
            pond, "select warnings from ml.models where name = 'm' order by version desc limit 1"
        )
        assert any(text.startswith(f"separation: {named}") for text in said), said
    create(
        pond,
        f"{LOGISTIC}{TESTED}",
        "x, if(i % 5 = 0, 'gold', 'other') as card, i % 5 = 0 or noise > 0 as late",
    )
    tests = rows(
        pond,
        "select category, weight is not null, p_value from ml.coefficients "
        "where {'name': model, 'version': version} = ml.version_of('m') and category = 'gold'",
    )
    assert tests == [("gold", True, None)]
    shown = rows(
        pond, "select weight, p_value from ml.advanced_weights('m') where category = 'gold'"
    )
    assert shown[0][0] > 3
    assert shown[0][1] is None or math.isnan(shown[0][1])
