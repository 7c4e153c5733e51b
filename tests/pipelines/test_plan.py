from __future__ import annotations

import pytest

import mlpond
from mlpond.errors import InputError, PipelineError
from mlpond.pipelines.runner import run_pipeline
from mlpond.pipelines.runner.names import suggest
from mlpond.pipelines.runner.select import select
from mlpond.seeds import load

CHAIN = {
    "a.sql": "select 1 as x",
    "b.sql": "select x + 1 as x from p.a",
    "c.sql": "with a as (select 5 as x) select b.x + a.x as x from p.b cross join a",
    "other.sql": "select 7 as y",
    "checks/positive.sql": "select * from p.b where x < 0",
}
NEEDS = {
    "a": set(),
    "b": {"a"},
    "c": {"b"},
    "other": set(),
    "odd, name": {"a"},
    "checks/positive": {"b"},
}


def order(result):
    return [step.name for step in result.steps]


def relations(pond):
    rows = pond.con.execute(
        "select table_schema || '.' || table_name from information_schema.tables "
        "where table_schema <> 'ml' order by all"
    ).fetchall()
    return [row[0] for row in rows]


def test_steps_run_after_what_they_read_and_checks_soon(pond, make_pipeline):
    result = run_pipeline(pond, make_pipeline("p", CHAIN))
    assert order(result) == ["a", "b", "checks/positive", "c", "other"]
    assert pond.con.execute("select x from p.c").fetchall() == [(7,)]


def test_a_cycle_is_named_and_nothing_runs(pond, make_pipeline):
    files = {
        "a.sql": "select * from p.c",
        "b.sql": "select * from p.a",
        "c.sql": "select * from p.b",
        "free.sql": "select 1 as x",
    }
    with pytest.raises(PipelineError, match="a → c → b → a"):
        run_pipeline(pond, make_pipeline("p", files))
    assert relations(pond) == []


def test_a_step_that_reads_itself(pond, make_pipeline):
    with pytest.raises(PipelineError, match="a → a"):
        run_pipeline(pond, make_pipeline("p", {"a.sql": "select * from p.a"}))


def test_unknown_tables_are_named_with_their_steps(pond, make_pipeline):
    pond.con.execute("create table orders as select 1 as x")
    files = CHAIN | {"d.sql": "select * from order_s", "e.sql": "select * from b"}
    with pytest.raises(PipelineError) as caught:
        run_pipeline(pond, make_pipeline("p", files))
    assert "step d reads order_s, which is not there; did you mean orders?" in str(caught.value)
    assert "step e reads b, which is not there; did you mean p.b?" in str(caught.value)
    assert relations(pond) == ["main.orders"]


def test_a_check_of_an_unknown_table(pond, make_pipeline):
    files = {"a.sql": "select 1 as x", "checks/c.sql": "select * from p.aa"}
    with pytest.raises(PipelineError, match=r"step checks/c reads p\.aa.*did you mean p\.a\?"):
        run_pipeline(pond, make_pipeline("p", files))


def test_an_unknown_model(pond, make_pipeline):
    files = {"a.sql": "select * from ml.predict('nobody', 'p.b')", "b.sql": "select 1 as x"}
    with pytest.raises(PipelineError, match="step a reads model nobody, which is not there"):
        run_pipeline(pond, make_pipeline("p", files))


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("insert into t values (1)", "neither a query nor a model statement"),
        ("drop table t", "neither a query nor a model statement"),
        ("select 1; select 2", "holds 2 statements; exactly one"),
        ("", r"step a .*holds 0 statements"),
        ("select from where", r"step a .*cannot be parsed"),
        ("select {{ nobody }}", "nobody"),
        ("select {{ 1", "line 1"),
    ],
)
def test_what_is_no_step(pond, make_pipeline, sql, message):
    with pytest.raises(PipelineError, match=message):
        run_pipeline(pond, make_pipeline("p", {"a.sql": sql}))
    assert relations(pond) == []


def test_a_model_of_another_name_than_its_file(pond, make_pipeline):
    files = {
        "a.sql": "create or replace model m options (model_type = 'linear_reg', "
        "input_label_cols = ['y']) as select 1 as x, 2 as y"
    }
    with pytest.raises(PipelineError, match="makes the model m; the file and what it makes"):
        run_pipeline(pond, make_pipeline("p", files))


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ("a", {"a"}),
        ("b+", {"b", "c", "checks/positive"}),
        ("+c", {"a", "b", "c"}),
        ("+b+", {"a", "b", "c", "checks/positive"}),
        ("a, other", {"a", "other"}),
        ("a other", {"a", "other"}),
        ("A", {"a"}),
        ('+"odd, name"', {"odd, name", "a"}),
        ("positive", {"checks/positive"}),
        ("checks/positive", {"checks/positive"}),
    ],
)
def test_selection(expression, chosen):
    assert select(expression, NEEDS, "p") == chosen


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("othr", "no step 'othr' to select; did you mean other"),
        ("", "selection is empty"),
        (" , ", "selection is empty"),
        ("a+b", "cannot read the selection at 'a\\+b'"),
        ("++a", "cannot read"),
    ],
)
def test_a_wrong_selection(expression, message):
    with pytest.raises(InputError, match=message):
        select(expression, NEEDS, "p")


def test_selected_steps_run_and_others_stay(pond, make_pipeline):
    folder = make_pipeline("p", CHAIN)
    result = run_pipeline(pond, folder, select="+b")
    assert order(result) == ["a", "b", "checks/positive"]  # the check of what is selected
    assert order(run_pipeline(pond, folder, select="c")) == ["c"]
    assert "p.other" not in relations(pond)


def test_a_selection_that_lacks_what_it_reads(pond, make_pipeline):
    with pytest.raises(PipelineError, match=r"step b reads a, which has not been.*'\+b'"):
        run_pipeline(pond, make_pipeline("p", CHAIN), select="b")


def test_suggestions_find_a_name_in_another_schema():
    assert suggest("legs", ["flights.legs", "flights.weather"]) == "did you mean flights.legs?"


def test_a_file_called_like_the_pipeline(tmp_path, make_pipeline, shell):
    # DuckDB calls the database P as well: p.a is its table a, in schema main
    folder = make_pipeline("p", {**CHAIN, "v.sql": "-- materialize: view\nselect * from p.c"})
    file = tmp_path / "P.duckdb"
    with mlpond.connect(file) as pond:
        assert run_pipeline(pond, folder).status == "succeeded"
        assert pond.con.execute("select x from p.c").fetchall() == [(7,)]
        again = run_pipeline(pond, folder)
        assert {step.status for step in again.steps} == {"skipped"}
        assert run_pipeline(pond, folder, full_refresh=True).status == "succeeded"
        with pytest.raises(InputError, match=r"seed penguins: .*cannot tell the two apart"):
            load(pond, "penguins", schema="p")
    assert shell(file, "select (from p.v) as x") == [{"x": 7}]


def test_what_a_file_of_that_name_holds_is_not_replaced(tmp_path, make_pipeline):
    with mlpond.connect(tmp_path / "p.duckdb") as pond:
        pond.con.execute("create view C as select 2")
        with pytest.raises(InputError, match=r"pipeline p: .* main there, which has another C;"):
            run_pipeline(pond, make_pipeline("p", CHAIN))
        pond.con.execute("create schema p")
        with pytest.raises(InputError, match=r"cannot tell the two apart; choose a file of anoth"):
            run_pipeline(pond, tmp_path / "p")
        assert relations(pond) == ["main.C"]
    with mlpond.connect(tmp_path / "shop.duckdb") as pond:
        with pytest.raises(InputError, match=r"seed shop: .*cannot tell the two apart"):
            run_pipeline(pond, "product_analytics")
        assert not relations(pond)
