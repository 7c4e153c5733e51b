"""CONTRIBUTION_ANALYSIS: columns and options of BigQuery ML, the same numbers as ml.contribution."""

from __future__ import annotations

import pytest

import mlpond
from mlpond.errors import InputError, TrainingError

SUMS = [
    "difference",
    "relative_difference",
    "unexpected_difference",
    "relative_unexpected_difference",
]
RATIOS = [
    "metric_test_over_metric_control", "metric_test_over_complement", "metric_control_over_complement",
    "aumann_shapley_attribution",
]  # fmt: skip
CATEGORIES = [
    "difference",
    "relative_difference",
    "metric_test_over_population",
    "metric_control_over_population",
]


@pytest.fixture(scope="module")
def pond():
    with mlpond.connect() as session:
        session.sql(
            """create table sales as from (values
            ('DE', date '2026-01-01', 'web', true, 60, 100, 'ann'), ('DE', '2026-01-02', 'web', true, 20, 40, 'bob'), ('DE', null, 'web', true, 500, 40, 'bob'),
            ('FR', '2026-01-01', 'app', true, 30, 50, 'cid'), ('DE', '2026-01-01', 'web', false, 30, 90, 'ann'),
            ('FR', '2026-01-02', 'app', false, 50, 60, 'dan'), ('DE', '2026-01-02', 'app', false, 10, 20, 'bob')
            ) t("the country", "day", "channel", is_test, sold, seen, buyer)"""
        )
        yield session


def create(
    pond,
    options="",
    metric="SUM(sold)",
    query="select * exclude (seen, buyer) from sales",
    model="change",
):
    pond.sql(
        f"create or replace model {model} options (model_type = 'contribution_analysis', "
        f"contribution_metric = '{metric}', is_test_col = 'is_test'{options}) as {query}"
    )


def insights(pond, model="change"):
    found = pond.sql(f"select * from ML.GET_INSIGHTS(MODEL {model})")
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize(
    "metric, also, shown",
    [("sum( `sold` )", "", SUMS), ("SUM(sold) / SUM(seen)", ", denominator := 'seen'", RATIOS),
     ('SUM("sold")/COUNT(DISTINCT Buyer)', ", category := 'buyer'", CATEGORIES)],
)  # fmt: skip
def test_columns_and_numbers(pond, metric, also, shown):
    dimensions = ["the country", "day"]
    create(
        pond, f", dimension_id_cols = {dimensions}, min_apriori_support = 0", metric, "from sales"
    )
    found = insights(pond)
    assert list(found[0]) == [
        "contributors", "the country", "day", "metric_test", "metric_control", *shown, "apriori_support", "contribution",
    ]  # fmt: skip
    plain = pond.con.execute(
        f"select contributors, metric_test, metric_control, {', '.join(shown)}, apriori_support, contribution "
        f"from ml.contribution('(from sales where day is not null)', {dimensions}, 'is_test', 'sold', min_apriori_support := 0{also})"
    ).fetchall()
    assert [tuple(v for k, v in row.items() if k not in dimensions) for row in found] == plain


def test_by_hand(pond):
    create(pond, ", min_apriori_support = 0.4")
    rows = {tuple(row["contributors"]): row for row in insights(pond)}
    everything, country = rows[("all",)], rows[("the country=DE",)]
    assert (
        everything["metric_test"],
        everything["metric_control"],
        everything["contribution"],
    ) == (110, 90, 20)
    assert (everything["the country"], everything["day"], everything["apriori_support"]) == (
        None,
        None,
        1,
    )
    assert (country["metric_test"], country["metric_control"], country["difference"]) == (
        80,
        40,
        40,
    )
    # the rest went from 50 to 30, so 40 would have become 24
    assert country["unexpected_difference"] == pytest.approx(56)
    assert country["relative_unexpected_difference"] == pytest.approx(56 / 24)
    assert country["apriori_support"] == pytest.approx(80 / 110)
    assert country["the country"] == "DE"
    both = rows["day=2026-01-01", "channel=web"]
    assert str(both["day"]) == "2026-01-01"


def test_options_of_bigquery(pond):
    create(pond, ", top_k_insights_by_apriori_support = 4")
    assert len(insights(pond)) == 4
    create(pond, ", min_apriori_support = 0.0")
    every = {tuple(row["contributors"]) for row in insights(pond)}
    create(pond, ", min_apriori_support = 0.0, pruning_method = 'PRUNE_REDUNDANT_INSIGHTS'")
    pruned = {tuple(row["contributors"]) for row in insights(pond)}
    assert pruned < every
    assert ("the country=FR",) in every - pruned
    assert ("the country=FR", "channel=app") in pruned
    assert ("all",) in pruned
    create(pond)  # 0.1 is the default
    assert {row["apriori_support"] >= 0.1 for row in insights(pond)} == {True}


def test_versions_and_the_rows_of_the_model(pond, tmp_path):
    create(pond, model="twice")
    create(pond, ", dimension_id_cols = ['channel']", model="twice")
    assert "day" in insights(pond, "`twice@1`")[0]
    assert "day" not in insights(pond, "twice")[0]
    kept = pond.con.execute(
        "select version, count(*) from ml.insights where model = 'twice' group by 1 order by 1"
    ).fetchall()
    assert [row[0] for row in kept] == [1, 2]
    task = pond.con.execute(
        "select model_type, task, training_rows from ml.models where name = 'twice' and version = 2"
    )
    assert task.fetchall() == [("CONTRIBUTION_ANALYSIS", "contribution analysis", 7)]
    pond.sql("drop model twice")
    assert pond.con.execute(
        "select count(*) from ml.insights where model = 'twice'"
    ).fetchall() == [(0,)]


def test_a_plain_shell_reads_the_insights(tmp_path, shell):
    path = tmp_path / "shop.duckdb"
    with mlpond.connect(path) as session:
        session.sql(
            "create table sales as select i % 2 = 0 as is_test, 'c' || i % 3 as c, i as sold from range(60) t(i)"
        )
        create(session, query="from sales")
        there = insights(session)
    rows = shell(
        path, "select contributors[1] as first, metric_test from ml.get_insights('change')"
    )
    assert rows == [
        {"first": row["contributors"][0], "metric_test": row["metric_test"]} for row in there
    ]


@pytest.mark.parametrize(
    "options, metric, query, message",
    [
        ("", "AVG(sold)", "from sales", r"contribution_metric is 'AVG\(sold\)'; accepted are SUM\(x\)"),
        ("", "SUM(sold) + 1", "from sales", "accepted are SUM"),
        ("", "SUM(nothing)", "from sales", "contribution_metric: column 'nothing'"),
        ("", "SUM(channel)", "from sales", "channel of contribution_metric has type VARCHAR; a sum needs a number"),
        (", dimension_id_cols = ['sold']", "SUM(sold)", "from sales", "dimension_id_cols names sold, which is a column of the metric"),
        (", dimension_id_cols = []", "SUM(sold)", "from sales", "there are 0 dimensions; name 1 to 50 columns"),
        (", min_apriori_support = 2", "SUM(sold)", "from sales", "at most 1"),
        (", min_apriori_support = 0.1, top_k_insights_by_apriori_support = 3", "SUM(sold)", "from sales", "both given; choose one"),
        (", num_trials = 3", "SUM(sold)", "from sales", "num_trials"),
        (", group_cols = ['channel']", "SUM(sold)", "from sales", "leave out group_cols"),
        ("", "SUM(sold)", "select * replace (is_test::int as is_test) from sales", "is_test has type INTEGER; it must be BOOLEAN"),
        ("", "SUM(sold)", "select is_test, sold from sales", "there are 0 dimensions"),
    ],
)  # fmt: skip
def test_bad_statements(pond, options, metric, query, message):
    with pytest.raises(InputError, match=message):
        create(pond, options, metric, query)


def test_one_set_only(pond):
    with pytest.raises(
        TrainingError, match="is_test_col is_test is FALSE in no row; two sets are compared"
    ):
        create(pond, query="from sales where is_test")
    with pytest.raises(InputError, match="needs the option is_test_col"):
        pond.sql(
            "create model m options (model_type = 'contribution_analysis', contribution_metric = 'SUM(sold)') as from sales"
        )


def test_no_segment_is_large_enough(pond):
    create(
        pond,
        ", min_apriori_support = 1.0, dimension_id_cols = ['buyer']",
        query="from sales",
        model="small",
    )
    assert [row["contributors"] for row in insights(pond, "small")] == [["all"]]
    ((said,),) = pond.con.execute("select warnings from ml.models where name = 'small'").fetchall()
    assert [text.split(":")[0] for text in said] == ["unused"] * 4 + ["no_segments"]


def test_rows_with_null_in_a_dimension_are_left_out_and_counted(pond):
    create(pond, model="partial")
    ((said,),) = pond.con.execute(
        "select warnings from ml.models where name = 'partial'"
    ).fetchall()
    assert said == [
        "null_dimension: 1 of 7 rows have NULL in a dimension and are left out; write coalesce(…) in the query to keep them"
    ]


def test_fourteen_dimensions(pond):
    pond.sql(
        "create or replace table wide as select i % 2 = 0 as is_test, 1 as sold, "
        + ", ".join(f"i % 3 as d{d}" for d in range(14))
        + " from range(12) t(i)"
    )
    create(pond, ", min_apriori_support = 0.9", query="from wide", model="wide_one")
    assert len(insights(pond, "wide_one")) == 1
    for free in ("min_apriori_support = 0", "top_k_insights_by_apriori_support = 5"):
        with pytest.raises(InputError, match="there are 14 dimensions; name 1 to 13 columns"):
            create(pond, f", {free}", query="from wide")
