from __future__ import annotations

import datetime as dt

import pytest

from mlpond.errors import InputError, PipelineError
from mlpond.pipelines.runner import find_project, list_pipelines
from mlpond.pipelines.runner.parameters import resolve

PARAMETERS = """
[parameters.minutes]
type = "integer"
default = 30
min = 0
max = 240
meaning = "late after this"

[parameters.share]
type = "double"
default = 0.5

[parameters.day]
type = "date"
default = 2013-10-01

[parameters.airport]
type = "string"
default = "JFK"
choices = ["JFK", "LGA"]

[parameters.is_fast]
type = "boolean"
default = false
"""


def test_the_flights_pipeline_is_built_in():
    assert "flights" in list_pipelines()
    project = find_project("flights")
    assert project.seeds == ("flights",)
    assert "late_arrival" in {file.name for file in project.files}


def test_a_pipeline_that_is_not_there_lists_those_that_are():
    with pytest.raises(
        PipelineError, match=r"no pipeline 'flihgts'.*Built in: .*flights.*Did you mean flights"
    ):
        find_project("flihgts")


def test_the_runner_itself_is_no_pipeline():
    with pytest.raises(PipelineError, match="no pipeline 'runner'"):
        find_project("runner")


def test_a_folder_without_pipeline_toml(tmp_path):
    with pytest.raises(PipelineError, match=r"folder without a pipeline\.toml"):
        find_project(tmp_path)


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("description = ", "not valid TOML"),
        ("descripton = 'x'", "unknown key descripton; did you mean description"),
        ("seeds = 'flights'", "seeds is 'flights'; it must be a list"),
        ("[summary]\nquery = 1", "unknown key summary.query; did you mean queries"),
        ("[parameters.x]\ntype = 'integer'", "default is missing"),
        ("[parameters.x]\ntype = 'int'\ndefault = 1", "type is 'int'; accepted are boolean, integ"),
        ("[parameters.x]\ntype = 'integer'\ndefault = 'a'", "x is 'a', but accepts an integer"),
        ("[parameters.x]\ntype = 'integer'\ndefault = 1\nmaximum = 2", "unknown key maximum"),
        ("[parameters.x]\ntype = 'integer'\ndefault = 3\nmax = 2", "accepts an integer of at most"),
        ("[parameters.'a b']\ntype = 'integer'\ndefault = 3", "the name must be letters"),
        ("parameters = 3", "write one table a parameter"),
    ],
)
def test_a_wrong_pipeline_toml(make_pipeline, toml, message):
    with pytest.raises((PipelineError, InputError), match=message):
        find_project(make_pipeline("p", {"a.sql": "select 1"}, toml))


def test_no_steps(make_pipeline):
    with pytest.raises(PipelineError, match="pipeline p has no steps"):
        find_project(make_pipeline("p", {}))


def test_header_of_a_step(make_pipeline):
    folder = make_pipeline("p", {"a.sql": "-- What it is.\n-- materialize: view\nselect 1"})
    (step,) = find_project(folder).files
    assert (step.description, step.materialize) == ("What it is.", "view")


def test_wrong_materialize(make_pipeline):
    with pytest.raises(PipelineError, match="materialize is 'incremental'; write table or view"):
        find_project(make_pipeline("p", {"a.sql": "-- materialize: incremental\nselect 1"}))


def test_two_files_of_one_name(make_pipeline):
    step = "READS = ()\ndef run(pond, params): ..."
    with pytest.raises(PipelineError, match=r"a\.sql and A\.py make the same relation"):
        find_project(make_pipeline("p", {"a.sql": "select 1", "A.py": step}))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("READS = ()", "has no function run"),
        ("def run(pond, params): ...", "READS must be a tuple"),
        ("READS = tuple('a')\ndef run(pond, params): ...", "READS must be a tuple"),
        ("def run(", "not valid Python: line 1"),
    ],
)
def test_a_wrong_python_step(make_pipeline, code, message):
    with pytest.raises(PipelineError, match=message):
        find_project(make_pipeline("p", {"a.py": code}))


@pytest.fixture
def parameters(make_pipeline):
    return find_project(make_pipeline("p", {"a.sql": "select 1"}, PARAMETERS)).parameters


def test_defaults(parameters):
    assert resolve(parameters, None, "p") == {
        "minutes": 30,
        "share": 0.5,
        "day": dt.date(2013, 10, 1),
        "airport": "JFK",
        "is_fast": False,
    }


def test_text_is_read_as_on_a_command_line(parameters):
    given = {
        "minutes": "45", "share": "0.25", "day": "2013-11-01", "airport": "LGA", "is_fast": "yes"
    }  # fmt: skip
    assert resolve(parameters, given, "p") == {
        "minutes": 45,
        "share": 0.25,
        "day": dt.date(2013, 11, 1),
        "airport": "LGA",
        "is_fast": True,
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"minute": 5}, r"no parameter minute\. Did you mean minutes\? Accepted: minutes \(an int"),
        ({"minutes": "soon"}, "minutes is 'soon', but accepts an integer from 0 to 240"),
        ({"minutes": True}, "minutes is True"),
        ({"minutes": 1.5}, "minutes is 1.5"),
        ({"minutes": 241}, "minutes is 241"),
        ({"minutes": None}, "minutes is None"),
        ({"share": float("nan")}, "share is nan, but accepts a double"),
        ({"share": True}, "share is True"),
        ({"day": "yesterday"}, "day is 'yesterday', but accepts a date such as 2013-10-01"),
        ({"day": dt.datetime(2013, 1, 1, 12)}, "accepts a date"),
        ({"airport": "EWR"}, "accepts a string, one of JFK, LGA"),
        ({"is_fast": "maybe"}, "accepts true or false"),
    ],
)
def test_a_parameter_that_is_not_accepted(parameters, given, message):
    with pytest.raises(InputError, match=message):
        resolve(parameters, given, "p")
