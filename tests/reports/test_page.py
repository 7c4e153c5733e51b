"""The page: self-contained, escaped, complete, and opened in a browser."""

from __future__ import annotations

import html
import re
import shutil
import struct
import subprocess
import sys

import pytest

import mlpond
from mlpond.cli.app import app
from mlpond.errors import DatabaseError, InputError, PipelineError
from mlpond.reports import write

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on the path: pages are not opened in a browser"
)

DECLARED = """
[report]
title = "Trips that are late"
text = "Of {trips} trips {share:.0%} are late, above {limit}; less is {{not}}."
facts = "select count(*) as trips, avg(is_late::int) as share from shop.trips"
units = { late_share = "of 1" }

[[report.sections]]
title = "By carrier"
text = "{trips:,} trips."
table = "by_carrier"
columns = ["late_share", "carrier"]
rows = 2

[[report.sections.charts]]
kind = "bar"
title = "Late share"
label = "carrier"
value = "late_share"

[[report.sections.charts]]
kind = "roc"
title = "ROC of the held out"
table = "scores"
label = "is_late"
score = "probability"

[[report.sections]]
title = "First"
query = "select 'a' as name, null::double as value, {{ limit }} as limit_given"
"""


SMALL = '[[report.sections]]\ntitle = "x"\ntable = "by_carrier"'  # a page without charts is quick


def figures(page):
    """The chart of each figure, as text."""
    return re.findall(r"<svg .*?</svg>", page, re.DOTALL)


def plain(page):
    """The words of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.fixture(scope="module")
def declared(pond, make_shop):
    folder = make_shop(DECLARED)
    return pond.write_report(folder, folder / "declared.html").path.read_text(encoding="utf-8")


def test_nothing_comes_from_elsewhere(automatic, declared):
    for page in (automatic, declared):
        assert not re.search(r"https?:|//[a-z]|<script|<link|<img|<iframe|@import|\bsrc=", page)
        assert set(re.findall(r"url\((.)", page)) <= {"#"}
        assert set(re.findall(r'href="(.)', page)) == {"#"}
        assert "default-src 'none'" in page  # the browser would refuse it as well


def test_values_are_text(automatic):
    assert "<script>alert(1)" not in automatic
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in automatic
    assert "Which trips are late &amp; &lt;b&gt;why&lt;/b&gt;?" in automatic


def test_charts_speak(automatic):
    charts = figures(automatic)
    titles = re.findall(r'<figcaption class="title">(.*?)</figcaption>', automatic)
    assert titles == [
        "ROC curve", "Precision and recall", "Calibration", "Confusion matrix",
        "Largest weights, of standardised features", "Loss while training",
    ]  # fmt: skip
    assert len(charts) == len(titles) + 2  # of the two results: scores and by_carrier
    for chart in charts:
        assert re.match(r'<svg [^>]*role="img" aria-label="[^"]{20,}"', chart)
    ids = re.findall(r'\bid="([^"]+)"', automatic)
    assert len(ids) == len(set(ids))


def test_links_lead_somewhere(automatic, declared):
    for page in (automatic, declared):
        anchors = re.findall(r'href="#([^"]+)"', page)
        assert anchors
        assert set(anchors) <= set(re.findall(r'\bid="([^"]+)"', page))


def test_without_a_declaration_models_come_first_then_results(automatic):
    headings = re.findall(r"<h2>(.*?)</h2>", automatic)
    assert headings[:3] == ["Late", "How often is each carrier late?", "Scores"] or headings[:3] == [
        "Late", "Scores", "How often is each carrier late?",
    ]  # fmt: skip
    # trips is read by other steps: it is with the other tables
    assert re.search(r'<details class="table" id="table-trips">', automatic)


def test_the_model_is_described_in_words(automatic):
    text = plain(automatic)
    assert "late (version 1, logistic_reg) learned is_late from 300 rows and 2 features" in text
    assert re.search(r"On 100 rows held out: .*roc auc 0\.\d+", text)


def test_long_tables_are_cut_and_missing_values_are_dashes(automatic, pond):
    text = plain(automatic)
    assert f"20 of 100 rows; all of it: mlpond sql 'FROM shop.scores' --db {pond.database}" in text
    assert '<td class="n">—</td>' in automatic
    assert "5 of 400 rows" in text
    assert "bigint, mi" in text  # the unit of distance_miles


def test_provenance_checks_and_runs_are_shown(automatic):
    text = plain(automatic)
    assert "passed scores_are_probabilities Every score is a probability." in text
    assert "1 of 1 check passed" in text
    assert "limit 90 90 late above this" in text
    assert "succeeded" in text
    assert "SQL of by_carrier" in text
    assert "avg(is_late::int)" in html.unescape(re.sub(r"<[^>]*>", "", automatic))


def test_tables_have_heads_that_are_announced(automatic):
    assert automatic.count("<table>") == automatic.count("<caption>")
    assert '<th scope="col"' in automatic
    assert '<html lang="en">' in automatic


def test_declared_sections_stand_in_their_order_with_their_numbers(declared, pond):
    text = plain(declared)
    share = pond.engine.value("select avg(is_late::int) from shop.trips")
    assert "<title>Trips that are late</title>" in declared
    assert f"Of 400 trips {share:.0%} are late, above 90; less is {{not}}." in text
    assert re.findall(r"<h2>(.*?)</h2>", declared)[:2] == ["By carrier", "First"]
    assert re.search(r"late_share\s*<small>double, of 1</small>.*carrier", declared)
    assert "2 of 3 rows, 2 of 3 columns" in text
    assert "name varchar value double limit_given integer a — 90" in text
    assert "Late share" in text
    assert "ROC of the held out" in text


@pytest.mark.parametrize(
    ("report", "message"),
    [
        ('[report]\nname = "x"', r"report: unknown key name"),
        ('[[report.sections]]\ntext = "x"', r"sections\[1\]: title is missing"),
        ('[[report.sections]]\ntitle = "x"\ntable = "trip"', r"table 'trip' is no step; .*trips"),
        ('[[report.sections]]\ntitle = "x"\nrows = 0', r"rows is 0; it must be an integer from 1"),
        (
            '[[report.sections]]\ntitle = "x"\ncharts = [{ kind = "bar" }]',
            r"it has no rows to show",
        ),
        ('[[report.sections]]\ntitle = "x"\ntable = "trips"\nquery = "x"', r"both given; give one"),
    ],
)
def test_a_malformed_declaration_is_refused_before_anything_runs(make_shop, report, message):
    from mlpond.pipelines.runner import find_project

    with pytest.raises(PipelineError, match=message):
        find_project(make_shop(report))


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ('charts = [{ kind = "pie" }]', r"chart kind 'pie' is not known; accepted are: line"),
        ('charts = [{ kind = "bar", label = "carrier" }]', r"value must be given; it takes label"),
        (
            'charts = [{ kind = "bar", label = "carier", value = "trips" }]',
            r"'carier'.*mean 'carrier'",
        ),
        (
            'charts = [{ kind = "histogram", x = "trips", bins = 0 }]',
            r"bins is 0; it must be an int",
        ),
        ('columns = ["share"]', r"column of by_carrier 'share' is not known"),
        ('text = "{share}"', r"name 'share' is not known; accepted are: limit"),
        ('text = "{limit:q}"', r"cannot show 90"),
    ],
)
def test_a_wrong_chart_or_text_says_what_is_accepted(pond, make_shop, section, message):
    folder = make_shop(f'[[report.sections]]\ntitle = "x"\ntable = "by_carrier"\n{section}')
    with pytest.raises(InputError, match=message):
        pond.write_report(folder, folder / "x.html")
    assert not (folder / "x.html").exists()


def test_what_failed_or_is_not_there_is_said(make_shop):
    folder = make_shop('[[report.sections]]\ntitle = "Scores"\ntable = "scores"')
    (folder / "checks" / "no_ua.sql").write_text("select * from shop.trips where carrier = 'UA'")
    with mlpond.connect() as session:
        with pytest.raises(PipelineError):
            session.run(folder)
        text = plain(session.write_report(folder, folder / "x.html").path.read_text("utf-8"))
    assert "failed no_ua" in text
    assert "The last run failed: pipeline shop: check no_ua failed" in text
    assert "scores is not in the database: the step has not been run, or it failed." in text


def test_parameters_of_another_run_are_said(make_shop):
    folder = make_shop(SMALL)
    with mlpond.connect() as session:
        session.run(folder)
        session.run(folder, params={"limit": 100}, select="by_carrier")
        text = plain(session.write_report(folder, folder / "x.html").path.read_text("utf-8"))
    assert "limit = 100" in text
    assert "trips was made with limit = 90, not 100, by an earlier run." in text


def test_a_pipeline_that_has_not_run_has_no_report(make_shop):
    folder = make_shop()
    with mlpond.connect() as session, pytest.raises(PipelineError, match="has not run in this"):
        session.write_report(folder, folder / "x.html")


def test_a_report_is_replaced_and_another_file_is_kept(pond, make_shop):
    folder = make_shop(SMALL)
    page = folder / "x.html"
    page.write_text("<p>my notes</p>")
    with pytest.raises(InputError, match=r"x\.html exists and is not a report of mlpond"):
        pond.write_report(folder, page)
    assert page.read_text() == "<p>my notes</p>"
    assert str(pond.write_report(folder, page, overwrite=True)).startswith("Replaced")
    second = pond.write_report(folder, page)
    assert str(second).startswith(f"Replaced the report {page}: 0 charts, ")
    assert [path.name for path in folder.glob("*.html")] == ["x.html"]
    with pytest.raises(InputError, match="is a folder"):
        pond.write_report(folder, folder)


def test_without_the_extra_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(InputError, match=r"vl-convert-python.* pip install 'mlpond\[report\]'"):
        write.require_libraries()


def test_the_function_opens_a_file_read_only(make_shop, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DatabaseError, match="does not exist"):
        mlpond.report("flights", database="none.duckdb")
    folder = make_shop(SMALL)
    mlpond.run(folder, database="pond.duckdb", select="+by_carrier")
    done = mlpond.report(folder, database="pond.duckdb")
    assert str(done).startswith("Wrote shop.html: ")
    assert "scores is not in the database" not in plain(done.path.read_text("utf-8"))


def test_the_command_says_what_it_wrote(make_shop, tmp_path, monkeypatch):
    from typer.testing import CliRunner

    opened = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    folder = make_shop(SMALL)
    mlpond.run(folder, database=tmp_path / "pond.duckdb", select="+by_carrier")
    out = tmp_path / "page.html"
    arguments = ["report", str(folder), "--db", str(tmp_path / "pond.duckdb"), "--out", str(out)]
    result = CliRunner().invoke(app, [*arguments, "--open"])
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"Wrote {out}: ")
    assert opened == [out.resolve().as_uri()]
    out.write_text("mine")
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "--overwrite" in result.output


@needs_chromium
def test_a_browser_shows_the_page(automatic, tmp_path):
    page, shot = tmp_path / "page.html", tmp_path / "page.png"
    page.write_text(automatic, encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'home'}"]

    def chromium(*more):
        done = subprocess.run(
            [CHROMIUM, *flags, *more, page.as_uri()], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    dom = chromium("--dump-dom")
    assert len(figures(dom)) == len(figures(automatic))
    # nothing of a chart is lost or moved out of it by the parser of HTML
    assert dom.count("<path") == automatic.count("<path")
    assert "<script" not in dom
    chromium(f"--screenshot={shot}", "--window-size=800,600")
    assert struct.unpack(">II", shot.read_bytes()[16:24]) == (800, 600)


def test_a_model_without_a_label_has_its_loss(make_shop):
    folder = make_shop('[[report.sections]]\ntitle = "Tastes"\nmodel = "tastes"')
    (folder / "tastes.sql").write_text("""
        CREATE OR REPLACE MODEL tastes
        OPTIONS (model_type = 'matrix_factorization', user_col = 'person', item_col = 'film',
            rating_col = 'stars', num_factors = 2)
        AS SELECT trip % 20 AS person, trip // 20 AS film, distance_miles / 20 AS stars
        FROM shop.trips
    """)
    with mlpond.connect() as session:
        session.run(folder, select="+tastes")
        page = session.write_report(folder, folder / "x.html").path.read_text("utf-8")
    assert "tastes (version 1, matrix_factorization) learned from" in plain(page)
    assert "On the training rows, which flatter it: " in plain(page)
    assert re.findall(r'<figcaption class="title">(.*?)</figcaption>', page) == [
        "Loss while training"
    ]
    assert "No charts of predictions" not in page
