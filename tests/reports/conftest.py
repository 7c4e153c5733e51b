"""A small pipeline like flights: rows, a model of them, scores, a check; run once a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import mlpond
from mlpond.session import Session

FILES = {
    "trips.sql": """
-- What is known of each trip?
--
-- Every third trip has no seats. Notice: a carrier's name is a script, and does nothing.
select
    i as trip,
    ['AA', 'UA', '<script>alert(1)</script>'][1 + i % 3] as carrier,
    (i * 37) % 100 as distance_miles,
    nullif(i % 3, 0) as seats,
    i % 4 = 0 as is_test,
    (i * 37) % 100 + (i * 61) % 83 > {{ limit }} as is_late,
from range(400) as trips(i)
""",
    "late.sql": """
CREATE OR REPLACE MODEL late
OPTIONS (
    model_type = 'logistic_reg', input_label_cols = ['is_late'],
    data_split_method = 'custom', data_split_col = 'is_test'
)
AS select distance_miles, carrier, is_test, is_late from shop.trips
""",
    "scores.sql": """
select
    trip, carrier, distance_miles, seats, is_late,
    list_filter(predicted_is_late_probs, lambda p: p.label::varchar = 'true')[1].prob as probability,
from ml.predict('late', 'shop.trips')
where is_test
order by trip
""",
    "by_carrier.sql": """
-- How often is each carrier late?
select carrier, avg(is_late::int) as late_share, count(*) as trips
from shop.trips
group by carrier
order by carrier
""",
    "checks/scores_are_probabilities.sql": """
-- Every score is a probability.
select * from shop.scores where probability not between 0 and 1
""",
}
TOML = """
description = "Which trips are late & <b>why</b>?"

[parameters.limit]
type = "integer"
default = 90
meaning = "late above this"

[summary]
headline = "select count(*) as trips from shop.trips"
"""


@pytest.fixture(scope="module")
def make_shop(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write the pipeline ``shop`` with an addition to its pipeline.toml, and return its folder."""

    def make(report: str = "") -> Path:
        folder = tmp_path_factory.mktemp("pipelines") / "shop"
        (folder / "checks").mkdir(parents=True)
        (folder / "pipeline.toml").write_text(TOML + report, encoding="utf-8")
        for name, text in FILES.items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    return make


@pytest.fixture(scope="module")
def pond(
    make_shop: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Session]:
    """A database file in which the pipeline has run."""
    with mlpond.connect(tmp_path_factory.mktemp("ponds") / "pond.duckdb") as session:
        session.run(make_shop())
        yield session


@pytest.fixture(scope="module")
def automatic(pond: Session, make_shop: Callable[..., Path]) -> str:
    """The page of the pipeline, which declares no report."""
    folder = make_shop()
    return pond.write_report(folder, folder / "shop.html").path.read_text(encoding="utf-8")
