"""CREATE MODEL with matrix_factorization, and the functions of its models."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest

import mlpond
from mlpond.errors import InputError, TrainingError
from mlpond.models.families.matrix_factorization import MATRIX_FACTORIZATION
from mlpond.udfs.recommend.alternating import alternate
from mlpond.udfs.recommend.fit import Options
from mlpond.udfs.recommend.pairwise import rank_by_pairs
from mlpond.udfs.recommend.ratings import pack
from tests.conftest import rows

FEEDBACK = ("EXPLICIT", "IMPLICIT", "BPR")
PREDICTED = {
    "EXPLICIT": "predicted_stars",
    "IMPLICIT": "predicted_stars_confidence",
    "BPR": "predicted_stars_score",
}
# Whole stars of 60 users for 40 items; ids as numbers that do not begin at 0, and as texts.
RATINGS = """
create table ratings as
select 100 + 3 * (hash(n) % 60)::bigint as user_id, 'i' || (hash(n * 7 + 1) % 40) as item_id,
    any_value(1 + (hash(n * 3) % 5)::int) as stars
from range(1500) as r(n)
group by all
"""


def create(pond, extra="", name="m", query="select * from ratings"):
    pond.sql(
        f"create or replace model {name} options (model_type = 'matrix_factorization', "
        f"user_col = 'user_id', item_col = 'item_id', rating_col = 'stars'{extra}) as {query}"
    )


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A file with a model of every feedback type: m_explicit and so on."""
    path = tmp_path_factory.mktemp("factors") / "pond.duckdb"
    with mlpond.connect(path) as pond:
        pond.sql(RATINGS)
        for kind in FEEDBACK:
            create(pond, f", feedback_type = '{kind}', num_factors = 4, seed = 3", f"m_{kind}")
    return path


@pytest.fixture(scope="module")
def trained(file, tmp_path_factory):
    """A session on a copy, so that the shell may open the file."""
    copy = tmp_path_factory.mktemp("copy") / "pond.duckdb"
    shutil.copy(file, copy)
    with mlpond.connect(copy) as pond:
        yield pond


@pytest.fixture(scope="module")
def fits(trained):
    """The fits by the kernel alone, and the ids of their codes."""
    triples = rows(trained, "select user_id, item_id, stars from ratings")
    users, items = (sorted({triple[k] for triple in triples}) for k in (0, 1))
    piece = (
        np.array([users.index(t[0]) for t in triples], np.int32),
        np.array([items.index(t[1]) for t in triples], np.int32),
        np.array([t[2] for t in triples], np.float32),
    )
    found = {}
    for kind in FEEDBACK:
        options = Options(kind, 4, l2_reg=0.01 if kind == "BPR" else 1.0, seed=3)
        fit = rank_by_pairs if kind == "BPR" else alternate
        found[kind] = fit(pack([piece], len(users), len(items)), options)
    return found, users, items


@pytest.mark.parametrize("kind", FEEDBACK)
def test_scores_are_the_kernels_in_a_session_and_in_the_shell(file, trained, fits, shell, kind):
    fit, users, items = fits[0][kind], fits[1], fits[2]
    codes = np.indices((len(users), len(items))).reshape(2, -1)
    expected = dict(
        zip(
            ((users[u], items[i]) for u, i in codes.T), fit.score(*codes).tolist(), strict=True
        )
    )  # fmt: skip
    found = rows(trained, f"from ml.recommend('m_{kind}')")
    assert len(found) == len(expected)
    for user, item, score in found:
        assert score == pytest.approx(expected[user, item], rel=1e-9, abs=1e-12)
    for source in (f"ml.recommend('m_{kind}')", f"ml.predict('m_{kind}', 'ratings')"):
        for row in shell(file, f"select * from {source} using sample 100 rows"):
            score = row[PREDICTED[kind]]
            assert score == pytest.approx(expected[row["user_id"], row["item_id"]], rel=1e-9, abs=1e-12)  # fmt: skip


@pytest.mark.parametrize("kind", FEEDBACK)
def test_columns_are_bigquerys(trained, kind):
    predicted = (PREDICTED[kind], "DOUBLE")
    ids = [("user_id", "BIGINT"), ("item_id", "VARCHAR")]

    def described(query):
        return [row[:2] for row in rows(trained, f"describe {query}")]

    name = f"m_{kind}"
    assert described(f"from ml.recommend('{name}')") == [*ids, predicted]
    assert described(f"from ml.recommend('{name}', top_n := 2)") == [
        *ids, predicted, ("rank", "BIGINT"),
    ]  # fmt: skip
    assert described(f"from ml.predict('{name}', 'ratings')") == [
        predicted, *ids, ("stars", "INTEGER"),
    ]  # fmt: skip
    assert described(f"from ml.weights('{name}')") == [
        ("processed_input", "VARCHAR"), ("feature", "VARCHAR"),
        ("factor_weights", "STRUCT(factor BIGINT, weight DOUBLE)[]"), ("intercept", "DOUBLE"),
    ]  # fmt: skip
    metrics = [row[0] for row in described(f"from ml.evaluate('{name}')")]
    if kind == "EXPLICIT":
        assert metrics == [
            "mean_absolute_error", "mean_squared_error", "mean_squared_log_error",
            "median_absolute_error", "r2_score", "explained_variance",
        ]  # fmt: skip
    else:
        assert metrics == [
            "mean_average_precision", "mean_squared_error",
            "normalized_discounted_cumulative_gain", "average_rank",
        ]  # fmt: skip


def test_weights_are_the_factors(trained, fits):
    fit, users, items = fits[0]["EXPLICIT"], fits[1], fits[2]
    found = {(row[0], row[1]): row[2:] for row in rows(trained, "from ml.weights('m_explicit')")}
    assert len(found) == len(users) + len(items) + 1
    factors, intercept = found["item_id", items[5]]
    assert [entry["factor"] for entry in factors] == [1, 2, 3, 4]
    assert [entry["weight"] for entry in factors] == fit.items.factors[5].tolist()
    assert intercept == fit.items.intercept[5]
    assert found["global__intercept__", None] == (None, fit.global_intercept)
    ((zero,),) = rows(
        trained,
        "select intercept from ml.weights('m_implicit') where processed_input = 'global__intercept__'",
    )
    assert zero == 0
    counts = "select user_id::varchar, count(*) from ratings group by all order by all"
    stored = "select id, ratings from ml.factors where model ilike 'm_bpr' and side = 'user' order by all"
    assert rows(trained, counts) == rows(trained, stored)


def test_an_id_not_seen_scores_by_the_intercepts(trained, fits):
    fit, users, items = fits[0]["EXPLICIT"], fits[1], fits[2]
    data = "(values (-5, ''i1''), (100, ''x''), (null, ''i1'')) as t(user_id, item_id)"
    by_item = fit.global_intercept + fit.items.intercept[items.index("i1")]
    by_user = fit.global_intercept + fit.users.intercept[users.index(100)]
    for function, score in (("recommend", 2), ("predict", 0)):
        found = rows(trained, f"from ml.{function}('m_explicit', '(from {data})')")
        expected = sorted([by_item, by_item, by_user])
        assert sorted(row[score] for row in found) == pytest.approx(expected, rel=1e-12)


def test_one_side_alone_means_all_of_the_other(trained, fits):
    users, items = fits[1], fits[2]
    every = {row[:2]: row[2] for row in rows(trained, "from ml.recommend('m_explicit')")}
    assert set(every) == {(user, item) for user in users for item in items}
    some = rows(trained, "from ml.recommend('m_explicit', '(select 100 as user_id, 1 as other)')")
    assert {row[1] for row in some} == set(items)
    assert all(row[2] == every[row[:2]] for row in some)
    # the name of a column does not tell upper from lower case, and a repeated id counts once
    some = rows(
        trained, "from ml.recommend('m_explicit', '(select ''i7'' as ITEM_ID from range(3))')"
    )
    assert sorted(row[0] for row in some) == users
    assert not rows(trained, "from ml.recommend('m_explicit', '(from ratings limit 0)')")


def test_the_best_items_of_each_user_without_those_seen(trained):
    best = rows(trained, "from ml.recommend('m_explicit', top_n := 5, exclude_seen := true)")
    seen = set(rows(trained, "select user_id, item_id from ratings"))
    every = rows(trained, "from ml.recommend('m_explicit')")
    by_user = {}
    for user, item, score, rank in best:
        by_user.setdefault(user, []).append((item, score, rank))
    assert len(by_user) == 60
    for user, found in by_user.items():
        left = sorted(
            (row for row in every if row[0] == user and row[:2] not in seen), key=lambda r: -r[2]
        )
        assert [item for item, _, _ in found] == [row[1] for row in left[:5]]
        assert [rank for _, _, rank in found] == [1, 2, 3, 4, 5]


def test_a_new_user_gets_the_popular_items_first(trained):
    popular = rows(
        trained,
        "select item_id, count(*) as n, from ratings group by all order by n desc, item_id limit 4",
    )
    found = rows(trained, "from ml.recommend('m_implicit', '(select -1 as user_id)', top_n := 4)")
    assert [row[1] for row in found] == [row[0] for row in popular]


def test_the_statements_reach_the_functions(trained):
    query = (
        "select * from ML.RECOMMEND(MODEL m_explicit, (select 100 as user_id), STRUCT(2 AS top_n))"
    )
    assert len(rows(trained, query)) == 2
    with pytest.raises(Exception, match="top_n is 0; it must be at least 1"):
        rows(trained, "from ml.recommend('m_explicit', top_n := 0)")


def test_ranking_metrics_follow_their_definitions(trained, fits):
    fit = fits[0]["IMPLICIT"]
    users, items = fits[1], fits[2]
    relevant = {}
    for user, item, stars in rows(trained, "from ratings"):
        relevant.setdefault(users.index(user), {})[items.index(item)] = stars
    precisions, gains, ranks, weights, errors = [], [], 0.0, 0.0, []
    for u, rated in relevant.items():
        scores = fit.score(np.full(len(items), u), np.arange(len(items)))
        order = np.argsort(-scores)
        place = {int(i): n + 1 for n, i in enumerate(order)}
        hits = sorted(place[i] for i in rated)
        precisions.append(np.mean([(k + 1) / rank for k, rank in enumerate(hits)]))
        gain = sum(stars / math.log2(place[i] + 1) for i, stars in rated.items())
        ideal = sum(
            stars / math.log2(k + 2) for k, stars in enumerate(sorted(rated.values(), reverse=True))
        )
        gains.append(gain / ideal)
        ranks += sum(stars * (place[i] - 1) / (len(items) - 1) for i, stars in rated.items())
        weights += sum(rated.values())
        errors += [(float(i in rated) - s) ** 2 for i, s in enumerate(scores)]
    ((map_, mse, ndcg, rank),) = rows(trained, "from ml.evaluate('m_implicit')")
    # sums of some 2,000 terms of order 1
    assert map_ == pytest.approx(np.mean(precisions), rel=1e-11)
    assert mse == pytest.approx(np.mean(errors), rel=1e-11)
    assert ndcg == pytest.approx(np.mean(gains), rel=1e-11)
    assert rank == pytest.approx(ranks / weights, rel=1e-11)
    ((_, no_error, _, _),) = rows(trained, "from ml.evaluate('m_bpr', 'ratings')")
    assert no_error is None  # a score of BPR is no preference


def test_explicit_evaluation_is_of_the_predictions(trained):
    ((mae, mse, *_),) = rows(trained, "from ml.evaluate('m_explicit')")
    found = rows(trained, "select predicted_stars - stars from ml.predict('m_explicit', 'ratings')")
    errors = np.array(found)
    assert mae == pytest.approx(np.abs(errors).mean(), rel=1e-12)
    assert mse == pytest.approx((errors**2).mean(), rel=1e-12)
    ((loss,),) = rows(trained, "select loss from ml.models where name ilike 'm_explicit'")
    assert loss == pytest.approx(mse, rel=1e-9)


@pytest.fixture
def pond(pond):
    pond.sql(RATINGS)
    return pond


def test_held_out_ratings_are_watched_and_evaluated(pond):
    create(
        pond, ", data_split_method = 'custom', data_split_col = 'late', num_factors = 2",
        query="select *, hash(user_id, item_id) % 5 = 0 as late from ratings",
    )  # fmt: skip
    (held, last) = rows(
        pond,
        "select evaluation_rows, (select last(eval_loss order by iteration) from ml.training_info('m')) from ml.models",
    )[0]
    assert held > 100
    ((_, mse, *_),) = rows(pond, "from ml.evaluate('m')")
    assert mse == pytest.approx(last, rel=1e-6)  # the kernel's held-out ratings are float32


def test_defaults_are_bigquerys(pond):
    options = {option.name: option.default for option in MATRIX_FACTORIZATION.accepted}
    expected = {
        "feedback_type": "EXPLICIT", "user_col": "user", "item_col": "item",
        "rating_col": "rating", "wals_alpha": 40.0, "data_split_method": "NO_SPLIT",
        "max_iterations": 20, "early_stop": True,
    }  # fmt: skip
    assert {name: options[name] for name in expected} == expected
    create(pond)
    found = dict(rows(pond, "select name, value from ml.fit_statistics where model = 'm'"))
    ((n,),) = rows(pond, "select count(*) from ratings")
    assert found["num_factors"] == round(math.log2(n))
    assert (found["users"], found["items"], found["converged"]) == (60, 40, 1)
    assert rows(pond, "select distinct evaluation_rows, task, training_rows = $1 from ml.models".replace("$1", str(n))) == [(0, "recommendation", True)]  # fmt: skip


def test_a_version_keeps_its_factors_and_dropping_removes_them(pond):
    create(pond, ", num_factors = 2")
    create(pond, ", num_factors = 3")
    first, second = (
        rows(pond, f"select max(len(factor_weights)) from ml.weights('m@{v}')")[0][0]
        for v in (1, 2)
    )
    assert (first, second) == (2, 3)
    pond.sql("drop model m")
    assert rows(pond, "select count(*) from ml.factors") == [(0,)]


def test_bpr_needs_no_ratings(pond):
    pond.sql(
        "create model m options (model_type = 'matrix_factorization', user_col = 'user_id', "
        "item_col = 'item_id', feedback_type = 'bpr', max_iterations = 2) "
        "as select user_id, item_id from ratings"
    )
    assert rows(pond, "select count(predicted_rating_score) from ml.recommend('m')") == [(2400,)]
    ((average_precision, *_),) = rows(pond, "from ml.evaluate('m')")
    assert 0 < average_precision <= 1


def test_ids_of_other_types_come_back_as_they_were(pond):
    pond.sql(
        "create table days as select date '2024-01-01' + (user_id % 7)::int as user_id, "
        "('i' || user_id % 3)::enum('i0', 'i1', 'i2') as item_id, avg(stars) as stars from ratings group by all"
    )
    create(pond, ", num_factors = 1", query="select * from days")
    described = [row[:2] for row in rows(pond, "describe from ml.recommend('m')")]
    assert described[:2] == [("user_id", "DATE"), ("item_id", "VARCHAR")]
    found = rows(pond, "select count(*) from ml.recommend('m') join days using (user_id, item_id)")
    assert found == rows(pond, "select count(*) from days")


def test_columns_that_are_not_used_and_thin_data_are_said(pond):
    create(pond, query="select *, 1 as noise from ratings where user_id = 100")
    ((said,),) = rows(pond, "select warnings from ml.models where name = 'm'")
    assert any(text.startswith("unused: noise is neither") for text in said)
    assert any(text.startswith("one_id: user_id has one value") for text in said)
    create(pond, ", max_iterations = 2, min_rel_progress = 1e-9")
    ((said,),) = rows(pond, "select warnings from ml.models where name = 'm' and version = 2")
    assert any(text.startswith("not_converged: the objective still fell by") for text in said)
    # one user and one item: the intercepts share the one rating
    create(pond, query="select 1 as user_id, 2 as item_id, 4 as stars")
    assert rows(pond, "select predicted_stars from ml.recommend('m')") == [(pytest.approx(4),)]


@pytest.mark.parametrize(
    "query, extra, message",
    [
        ("select user_id, item_id, null::int as stars from ratings", "", "stars is NULL in"),
        ("select nullif(user_id, 100) as user_id, item_id, stars from ratings", "", "user_id is NULL in"),
        ("select user_id, item_id, 'nan'::double as stars from ratings", "", "stars holds NaN or infinity"),
        ("select user_id, item_id, stars - 3 as stars from ratings", ", feedback_type = 'implicit'", "stars is below 0 in"),
        ("select 1 as user_id, item_id, stars from ratings", "", "of a user and an item that have one already"),
        ("from ratings where false", "", "gives no rows"),
        ("select user_id, item_id, 1e300 as stars from ratings", "", "too large for float32"),
    ],
)  # fmt: skip
def test_bad_ratings_are_named(pond, query, extra, message):
    with pytest.raises(TrainingError, match=message):
        create(pond, extra, query=query)
    assert rows(pond, "select count(*) from ml.models") == [(0,)]


@pytest.mark.parametrize(
    "options, message",
    [
        ("user_col = 'nobody'", "user_col: column 'nobody' is not known"),
        ("user_col = 'user_id', item_col = 'user_id'", "name three columns"),
        ("user_col = 'user_id', item_col = 'item_id', rating_col = 'item_id'", "name three columns"),
        ("user_col = 'user_id', item_col = 'stars', rating_col = 'item_id'", "item_id has type VARCHAR; ratings need a number"),
        ("wals_alpha = 3", "wals_alpha is for feedback_type = 'IMPLICIT', but it is 'EXPLICIT'"),
        ("feedback_type = 'bpr', solver = 'cholesky'", "solver is for EXPLICIT and IMPLICIT"),
        ("num_factors = 201", "an integer of at least 1 and at most 200"),
        ("feedback_type = 'loud'", "one of EXPLICIT, IMPLICIT, BPR"),
    ],
)  # fmt: skip
def test_bad_options_are_refused_before_training(pond, options, message):
    with pytest.raises(InputError, match=message):
        pond.sql(
            f"create model m options (model_type = 'matrix_factorization', {options}) "
            "as select * from ratings"
        )
