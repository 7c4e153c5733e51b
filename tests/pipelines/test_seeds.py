from __future__ import annotations

import numpy as np
import pytest
from sklearn import datasets

from mlpond.errors import InputError
from mlpond.pipelines.runner import run_pipeline
from mlpond.seeds import find_seed, list_seeds, load
from mlpond.seeds.loader import statements

PENGUINS = [
    ("species", "VARCHAR"),
    ("island", "VARCHAR"),
    ("bill_length_mm", "DOUBLE"),
    ("bill_depth_mm", "DOUBLE"),
    ("flipper_length_mm", "BIGINT"),
    ("body_mass_g", "BIGINT"),
    ("sex", "VARCHAR"),
    ("year", "BIGINT"),
]


def test_penguins(pond):
    assert load(pond, "penguins") == {"penguins": 344}
    described = pond.con.execute("describe penguins").fetchall()
    assert [(row[0], row[1]) for row in described] == PENGUINS
    # the counts of the palmerpenguins documentation: 152 Adelie, 68 chinstrap, 124 gentoo
    counts = "select species, count(*), count(body_mass_g) from penguins group by 1 order by 1"
    assert pond.con.execute(counts).fetchall() == [
        ("Adelie", 152, 151),
        ("Chinstrap", 68, 68),
        ("Gentoo", 124, 123),
    ]
    sexes = "select count(*) filter (sex is null), count(distinct sex) from penguins"
    assert pond.con.execute(sexes).fetchall() == [(11, 2)]


def test_nist_keeps_the_digits(pond):
    assert load(pond, "nist") == {
        "anova": 60_094, "certified": 236, "datasets": 31, "linear": 293, "univariate": 8_574
    }  # fmt: skip
    types = dict(
        pond.con.execute(
            "select table_name || '.' || column_name, data_type from duckdb_columns() "
            "where schema_name = 'nist'"
        ).fetchall()
    )
    assert types["univariate.value"] == "DECIMAL(14,5)"
    assert types["anova.response"] == "DECIMAL(20,7)"
    assert types["linear.x6"] == "DECIMAL(18,9)"
    one = "select response::varchar from nist.anova where dataset = 'SmLs09' limit 1"
    assert pond.con.execute(one).fetchall() == [("1000000000000.4000000",)]
    counts = "select count(*) from nist.datasets join (select dataset, count(*) as n from (select dataset from nist.univariate union all select dataset from nist.anova union all select dataset from nist.linear) group by 1) using (dataset) where n = n_observations"
    assert pond.con.execute(counts).fetchall() == [(31,)]


RATINGS = {"true_films": 400, "true_viewers": 600, "films": 400, "ratings": 22_623}


def test_ratings_are_generated_as_their_truth_says(pond):
    assert load(pond, "ratings", schema="club") == RATINGS
    ((pairs, error, correlation, least, most),) = pond.con.execute("""
        with expected as (
            select
                viewer_id, film_id, stars,
                3.4 + v.intercept + f.intercept + list_dot_product(v.factors, f.factors) as stars_expected,
            from club.ratings
            join club.true_viewers as v using (viewer_id)
            join club.true_films as f using (film_id)
        )
        select
            count(distinct (viewer_id, film_id)),
            sqrt(avg((stars - stars_expected) ** 2)),
            corr(stars, stars_expected),
            min(stars),
            max(stars),
        from expected
    """).fetchall()
    assert (pairs, least, most) == (22_623, 1, 5)
    # noise of 0.5, rounding to whole stars sqrt(1 / 12), and what is cut off at 1 and 5
    assert error == pytest.approx(np.hypot(0.5, 12**-0.5), abs=0.02)
    assert correlation > 0.7
    # draws do not depend on each other, whatever the ids: 400 films, so 0.05 is one standard error
    for one, another in (
        ("factors[1]", "factors[2]"),
        ("factors[2]", "fame"),
        ("intercept", "factors[3]"),
    ):
        ((r,),) = pond.con.execute(f"select corr({one}, {another}) from club.true_films").fetchall()
        assert abs(r) < 0.15
    assert load(pond, "ratings", schema="club") == RATINGS


def test_ratings_are_the_same_in_the_shell(pond, shell, tmp_path):
    """DuckDB 1.5 and 2.0 hash alike, so a generated seed is one table."""
    load(pond, "ratings")
    digest = "select md5(string_agg(concat_ws(',', viewer_id, film_id, stars, rated_at), ';' order by viewer_id, film_id)) as digest from cinema.ratings"
    script = ["create schema cinema;"]
    script += [f"{sql};" for _, sql, _ in statements(find_seed("ratings"), "cinema")]
    (row,) = shell(tmp_path / "x.duckdb", "\n".join([*script, digest]))
    assert pond.con.execute(digest).fetchall() == [(row["digest"],)]


@pytest.mark.parametrize(
    ("name", "key", "label", "classes"),
    [
        ("wine", "wine_id", "cultivar", ["Barolo", "Grignolino", "Barbera"]),
        ("breast_cancer", "sample_id", "diagnosis", ["malignant", "benign"]),
        ("digits", "image_id", "digit",
         ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]),
    ],
)  # fmt: skip
def test_the_tables_of_scikit_learn_are_unchanged(pond, name, key, label, classes):
    source = getattr(datasets, f"load_{name}")()
    assert load(pond, name) == {name: len(source.target)}
    query = f"select * exclude ({key}, {label}) from {name} order by {key}"
    values = pond.con.execute(query).fetchnumpy().values()
    np.testing.assert_array_equal(np.column_stack(list(values)), source.data)
    labels = pond.con.execute(f"select {label} from {name} order by {key}").fetchall()
    assert [row[0] for row in labels] == [classes[k] for k in source.target]


def test_loading_again_restores_the_tables(pond):
    load(pond, "penguins")
    pond.con.execute("delete from penguins")
    assert load(pond, "penguins") == {"penguins": 344}


def test_flights_in_another_schema(pond):
    rows = load(pond, "flights", schema="my schema")
    # the counts of the nycflights13 documentation
    assert rows == {
        "flights": 336_776, "weather": 26_115, "planes": 3_322, "airports": 1_458, "airlines": 16
    }  # fmt: skip
    assert pond.con.execute('select count(*) from "my schema".airlines').fetchall() == [(16,)]


def test_an_unknown_seed_lists_those_there_are(pond):
    with pytest.raises(
        InputError, match=r"seed 'penguin' .*: breast_cancer, .*Did you mean 'pengu"
    ):
        load(pond, "penguin")


def test_a_failed_load_changes_nothing(pond, monkeypatch, tmp_path):
    load(pond, "penguins")
    seed = find_seed("penguins")
    monkeypatch.setitem(seed.tables, "more", tmp_path / "missing.csv")
    monkeypatch.setattr("mlpond.seeds.loader.find_seed", lambda name: seed)
    pond.con.execute("delete from penguins where species = 'Gentoo'")
    with pytest.raises(Exception, match="missing"):
        load(pond, "penguins")
    assert pond.con.execute("select count(*) from penguins").fetchall() == [(220,)]


@pytest.mark.parametrize("name", list_seeds())
def test_every_seed_says_where_it_comes_from(name):
    seed = find_seed(name)
    assert seed.licence
    assert seed.source
    readme = next(iter(seed.tables.values())).parent / "README.md"
    text = readme.read_text(encoding="utf-8")
    assert "**Source.**" in text
    assert "**Licence.**" in text


def test_a_pipeline_loads_its_seed_once_and_keeps_what_was_changed(pond, make_pipeline):
    files = {"heavy.sql": "select count(*) as n from penguins where body_mass_g > 5000"}
    folder = make_pipeline("p", files, 'seeds = ["penguins"]')
    plan = run_pipeline(pond, folder, dry_run=True)  # before the table is there
    assert [(step.name, step.status) for step in plan.steps] == [
        ("seed penguins", "planned"),
        ("heavy", "planned"),
    ]
    assert run_pipeline(pond, folder).step("seed penguins").rows == 344
    pond.con.execute("delete from penguins where species = 'Gentoo'")
    result = run_pipeline(pond, folder)
    assert result.step("seed penguins").status == "skipped"
    assert result.step("heavy").reason == "seed table penguins changed"
    assert pond.con.execute("select n from p.heavy").fetchall() == [(0,)]


def test_a_pipeline_takes_tables_that_are_there_already(pond, make_pipeline):
    pond.con.execute("create table penguins as select 6000 as body_mass_g")
    files = {"heavy.sql": "select count(*) as n from main.penguins where body_mass_g > 5000"}
    result = run_pipeline(pond, make_pipeline("p", files, 'seeds = ["penguins"]'))
    assert result.step("seed penguins").reason == "the tables are there already"
    assert pond.con.execute("select n from p.heavy").fetchall() == [(1,)]
