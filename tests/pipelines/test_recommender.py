"""The recommender pipeline: its checks, and that its figures are what the truth behind them allows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import mlpond
from mlpond.pipelines.runner import RunFailedError, run_pipeline
from mlpond.session import Session

pytestmark = pytest.mark.slow  # a whole pipeline


@pytest.fixture(scope="module")
def ran() -> Iterator[Session]:
    with mlpond.connect() as pond:
        run_pipeline(pond, "recommender")
        yield pond


def test_the_factors_find_the_taste(ran):
    errors = dict(
        ran.con.execute(
            "select method, rmse from recommender.rating_errors where viewers = 'known'"
        ).fetchall()
    )
    # the noise of half a star and the rounding to whole stars: sqrt(0.25 + 1 / 12)
    assert errors["truth"] == pytest.approx(0.577, abs=0.03)
    # three factors and an intercept a side, learnt from 28 ratings a viewer
    assert errors["truth"] < errors["factors"] < 1.12 * errors["truth"]
    assert errors["mean of the film"] > 1.4 * errors["truth"]


def test_the_lists_are_in_the_order_of_what_their_methods_know(ran):
    ndcg = dict(
        ran.con.execute(
            "select method, normalized_discounted_cumulative_gain from recommender.evaluation"
        ).fetchall()
    )
    assert len(ndcg) == 9
    assert max(ndcg, key=ndcg.get) == "true chances"
    assert ndcg["implicit factors"] > 1.1 * ndcg["popularity"]
    assert ndcg["like viewers"] > 1.05 * ndcg["popularity"]
    # what one would like best is not what one watches next
    assert ndcg["true stars"] < ndcg["popularity"]


def test_films_that_are_alike_have_like_factors(ran):
    ((nearest, fifth, anywhere),) = ran.con.execute("""
        select
            avg(true_similarity) filter (rank = 1),
            avg(true_similarity) filter (rank = 5),
            (select avg(list_cosine_similarity(a.factors, b.factors))
                from cinema.true_films as a cross join cinema.true_films as b
                where a.film_id < b.film_id),
        from recommender.similar_films
    """).fetchall()
    assert nearest > fifth > anywhere + 0.3


def test_new_viewers_are_shown_films_by_their_intercept(ran):
    rows = ran.con.execute("""
        select count(distinct viewer_id), count(*), count(distinct (film_id, rank))
        from recommender.newcomers
    """).fetchall()
    new = ran.con.execute(
        "select count(distinct viewer_id) from recommender.held_out where is_new"
    ).fetchall()[0][0]
    assert rows == [(new, 10 * new, 10)]


def test_the_checks_find_what_is_wrong(ran):
    ran.con.execute("""
        insert into recommender.recommendations
        select 'popularity', viewer_id, film_id, 11 from recommender.training limit 1
    """)
    with pytest.raises(RunFailedError, match="Nobody is shown a film that they have rated"):
        run_pipeline(ran, "recommender", select="nothing_rated_is_recommended", full_refresh=True)
    run_pipeline(ran, "recommender", select="recommendations", full_refresh=True)
    run_pipeline(ran, "recommender", select="nothing_rated_is_recommended", full_refresh=True)


def test_a_second_run_skips_every_step(ran):
    run_pipeline(ran, "recommender")
    statuses = {step.status for step in run_pipeline(ran, "recommender").steps}
    assert statuses == {"skipped"}
