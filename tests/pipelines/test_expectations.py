"""What pipeline.toml expects of steps becomes checks."""

from __future__ import annotations

import io

import pytest

from mlpond.errors import PipelineError
from mlpond.pipelines.runner import find_project, plain_display, run_pipeline
from mlpond.pipelines.runner.result import RunFailedError

ORDERS = {
    "customers.sql": "select unnest([1, 2, 3]) as customer_id",
    "orders.sql": (
        "select * from (values (1, 1, 5.0, date '2024-01-03', 'it''s'), "
        "(2, 9, -2.5, date '2024-01-01', '{{ 2 }}')) t(order_id, customer_id, \"my amount\", day, note)"
    ).replace("{{ 2 }}", "{x}"),
    "totals.sql": 'select sum("my amount") as total from p.orders',
}
MET = """
[[steps.orders.expect]]
expect = "unique"
column = "order_id"

[[steps.orders.expect]]
expect = "between"
column = "day"
min = 2024-01-01

[[steps.orders.expect]]
expect = "matches"
column = "note"
pattern = '''^(it's|\\{x\\}|{{1}})$'''
"""
BROKEN = """
[[steps.orders.expect]]
expect = "between"
column = "my amount"
min = 0
key = "order_id"

[[steps.orders.expect]]
expect = "in_table"
column = "customer_id"
table = "p.customers"
"""


def test_expectations_that_are_met_pass_and_are_skipped_when_unchanged(pond, make_pipeline):
    folder = make_pipeline("p", ORDERS, MET)
    assert pond.run(folder).step("checks/expect_orders").status == "run"
    assert pond.run(folder).step("checks/expect_orders").status == "skipped"


def test_expectations_that_are_broken_stop_the_run_and_show_values(pond, make_pipeline):
    folder = make_pipeline("p", ORDERS, MET + BROKEN)
    with pytest.raises(RunFailedError) as caught:
        pond.run(folder)
    message = str(caught.value)
    assert "check expect_orders failed" in message
    assert "2 rows break the rule: orders is as [[steps.orders.expect]] says" in message
    assert "order_id = 2, my amount = -2.5" in message
    assert "customer_id = 9" in message
    result = caught.value.result
    assert result.step("checks/expect_orders").rows == 2
    assert result.step("totals").status == "blocked"
    assert result.step("customers").status == "run"


def test_a_warning_does_not_stop_the_run(pond, make_pipeline, tmp_path):
    warned = MET + BROKEN.replace("[[steps", 'severity = "warning"\n[[steps')
    folder = make_pipeline("p", ORDERS, warned + 'severity = "warning"\n')
    result = pond.run(folder)
    assert result.status == "succeeded"
    warning = result.step("checks/expect_orders").warning
    assert warning.startswith("2 rows break the rule: orders is as [[steps.orders.expect]] says")
    assert "order_id = 2, my amount = -2.5" in warning
    assert ", 1 with a warning)" in result.summary
    assert "    warning: 2 rows break the rule" in result.summary
    # it is kept, and said again while nothing changes
    kept = "select status, rows, warning from ml.steps where step = 'checks/expect_orders'"
    assert pond.con.execute(kept).fetchall() == [("run", 2, warning)]
    again = pond.run(folder)
    assert again.step("checks/expect_orders").warning == warning
    assert "(4 skipped, 1 with a warning)" in again.summary
    assert ("skipped", None, warning) in pond.con.execute(kept).fetchall()
    page = tmp_path / "page.html"
    pond.write_report(folder, page)
    assert "0 of 1 check passed and 1 warned." in page.read_text(encoding="utf-8")
    assert '<span class="status warned">' in page.read_text(encoding="utf-8")


def test_any_check_may_warn(pond, make_pipeline):
    check = "-- Days are not in the future.\nselect 7 as day, {severity} as severity"
    folder = make_pipeline("p", {"checks/days.sql": check.format(severity="'warning'")})
    out = io.StringIO()
    result = run_pipeline(pond, folder, display=plain_display(out))
    said = "1 row breaks the rule: Days are not in the future.\n  day = 7, severity = warning"
    assert result.step("checks/days").warning == said
    assert f"checks/days: warning: {said}" in out.getvalue()
    for severity in ("'error'", "null"):
        folder = make_pipeline("p", {"checks/days.sql": check.format(severity=severity)})
        with pytest.raises(RunFailedError, match="1 row breaks the rule"):
            pond.run(folder)


@pytest.mark.parametrize(
    ("toml", "complaint"),
    [
        ("[[steps.order.expect]]\nexpect = 'x'", r"steps\.order is no step.*orders"),
        ("[steps.orders]\nexpct = []", r"unknown key steps\.orders\.expct.*expect"),
        ("[steps.orders]\nexpect = 'not_null'", r"must be a list of tables"),
        ("[steps]\norders = 1", r"write \[\[steps\.orders\.expect\]\]"),
        ("steps = 1", r"steps is 1"),
    ],
)
def test_a_wrong_table_is_refused_before_anything_runs(make_pipeline, toml, complaint):
    with pytest.raises(PipelineError, match=complaint):
        find_project(make_pipeline("p", ORDERS, toml))


def test_a_file_of_the_name_of_the_check(make_pipeline):
    files = ORDERS | {"checks/expect_orders.sql": "select 1 where false"}
    with pytest.raises(PipelineError, match="rename the file"):
        find_project(make_pipeline("p", files, MET))


def test_an_expectation_that_is_none_is_named_by_the_check(pond, make_pipeline):
    wrong = '[[steps.orders.expect]]\nexpect = "betwen"\ncolumn = "day"'
    with pytest.raises(RunFailedError, match=r"expectation 1 is betwen; accepted are not_null"):
        pond.run(make_pipeline("p", ORDERS, wrong))
