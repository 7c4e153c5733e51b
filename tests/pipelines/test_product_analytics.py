"""The pipeline product_analytics: its checks, and what its numbers must be for the shop and for flights."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from importlib import resources

import pytest

import mlpond
from mlpond.pipelines.runner import RunFailedError, run_pipeline
from mlpond.seeds import load
from mlpond.session import Session


@pytest.fixture(scope="module")
def ran() -> Iterator[Session]:
    with mlpond.connect() as pond:
        load(pond, "shop", scale=0.5)
        run_pipeline(pond, "product_analytics")
        yield pond


def one(session: Session, query: str):
    ((value,),) = session.con.execute(query).fetchall()
    return value


def test_the_truths_are_looked_for(ran):
    names = {
        row[0] for row in ran.con.execute("select name from product_analytics.recovered").fetchall()
    }
    assert len(names) >= 20
    assert {
        "lift_checkout_button",
        "churn_hazard_social",
        "affinity_lift_bread_butter",
        "touch_factor_display",
    } <= names
    # estimates that err as their standard errors say: the mean of z² is 1, give or take sqrt(2 / 20)
    assert 0.2 < one(ran, "select avg(z ** 2) from product_analytics.recovered") < 2


def test_funnels_get_narrower(ran):
    rows = ran.con.execute(
        "select breakdown, list(users order by step) from product_analytics.funnel group by 1"
    ).fetchall()
    assert len(rows) == 3
    assert all(users == sorted(users, reverse=True) and len(users) == 5 for _, users in rows)


def test_retention_is_that_of_the_sessions(ran):
    """Week 4 by hand: sessions 28 to 35 days after the first one of customers who have had that week."""
    found, users = ran.con.execute(
        "select retained, users from product_analytics.retention where period = 4"
    ).fetchall()[0]
    expected = ran.con.execute("""
        with firsts as (select customer_id, min(started_at) as first_at from shop.sessions group by 1),
        known as (from firsts where first_at + interval 35 days <= (select max(started_at) from shop.sessions))
        select count(distinct known.customer_id) filter (started_at >= first_at + interval 28 days and started_at < first_at + interval 35 days), count(distinct known.customer_id)
        from known join shop.sessions using (customer_id)
    """).fetchall()[0]
    assert (found, users) == expected


def test_lifecycle_adds_up(ran):
    for table in ("lifecycle", "aircraft_lifecycle"):
        wrong = f"from product_analytics.{table} where active_users <> new_users + returning_users + resurrecting_users"
        assert ran.con.execute(wrong).fetchall() == []
    assert one(ran, "select sum(new_users) from product_analytics.lifecycle") == one(
        ran, "select count(*) from shop.customers"
    )
    assert one(ran, "select sum(new_users) from product_analytics.aircraft_lifecycle") == one(
        ran, "select count(distinct tailnum) from nycflights13.flights where dep_time is not null"
    )


def test_no_period_has_only_begun(ran):
    # a few visits after the last midnight of 2025 would make a month in which everybody is dormant
    for table, period in (("lifecycle", "period_start"), ("stickiness", "period_start"), ("active_users", "day")):  # fmt: skip
        latest = one(ran, f"select max({period})::date from product_analytics.{table}")
        assert latest < datetime.date(2026, 1, 1)


def test_money_is_counted_once(ran):
    paid = one(
        ran, "select (select sum(amount) from shop.orders) - (select sum(amount) from shop.refunds)"
    )
    for query in (
        "select sum(monetary) from product_analytics.rfm",
        "select sum(monetary) from product_analytics.segments",
        "select sum(revenue) from product_analytics.cohort_value",
    ):
        assert one(ran, query) == pytest.approx(paid, rel=1e-9)


def test_the_checks_find_what_is_wrong(ran):
    ran.con.execute(
        "update product_analytics.recovered set z = 9 where name = 'lift_checkout_button'"
    )
    with pytest.raises(RunFailedError, match="further than four standard errors"):
        run_pipeline(ran, "product_analytics", select="truths_are_found", full_refresh=True)
    run_pipeline(ran, "product_analytics", select="recovered", full_refresh=True)
    run_pipeline(ran, "product_analytics", select="truths_are_found", full_refresh=True)


def test_a_small_shop_is_warned_of_not_refused(ran):
    check = "the_fall_is_as_deep_as_the_outage"  # too few checkouts to tell at scale 0.5
    ran.con.execute(
        "begin; update product_analytics.checkouts set has_purchased = true where country = 'DE'"
    )
    rule = resources.files("mlpond.pipelines") / f"product_analytics/checks/{check}.sql"
    assert one(ran, f"select severity from (\n{rule.read_text()}\n)") == "warning"
    ran.con.execute("rollback")
    # nobody reached the checkout on a tablet: a share of 0 with a standard error of 0, and no z of -inf
    folder = resources.files("mlpond.pipelines") / "product_analytics"
    ran.con.execute(
        "begin; delete from shop.truths where name <> 'checkout_rate_tablet'; update product_analytics.funnel "
        "set users = 0 where breakdown = 'tablet' and condition = 'checkout'"
    )
    ran.con.execute(
        f"create or replace table product_analytics.recovered as (\n{(folder / 'recovered.sql').read_text()}\n)"
    )
    rule = folder / "checks/truths_are_found.sql"
    found = f"select (name, z, severity) from (\n{rule.read_text()}\n)"
    assert one(ran, found) == ("checkout_rate_tablet", None, "warning")
    ran.con.execute("rollback")


@pytest.mark.slow
def test_the_report_is_written(ran, tmp_path):
    path = tmp_path / "report.html"
    ran.write_report("product_analytics", path)
    text = path.read_text(encoding="utf-8")
    assert "Which products go together?" in text
    assert "{" + "lift" not in text
