"""The charts of a report. One chart is one small function; this is the table of them.

A new one needs its file, its test and a line here; ``chart`` says what the function must be.
"""

from __future__ import annotations

from mlpond.errors import InputError
from mlpond.reports.charts.bar import bar
from mlpond.reports.charts.box import box
from mlpond.reports.charts.calibration import calibration
from mlpond.reports.charts.chart import Draw
from mlpond.reports.charts.confusion_matrix import confusion_matrix
from mlpond.reports.charts.heatmap import heatmap
from mlpond.reports.charts.histogram import histogram
from mlpond.reports.charts.importance import importance
from mlpond.reports.charts.interval import interval
from mlpond.reports.charts.learning_curve import learning_curve
from mlpond.reports.charts.line import line
from mlpond.reports.charts.precision_recall import precision_recall
from mlpond.reports.charts.residuals import residuals
from mlpond.reports.charts.roc import roc
from mlpond.reports.charts.scatter import scatter
from mlpond.reports.charts.violin import violin
from mlpond.sql.templates.renderer import unknown

CHARTS: dict[str, Draw] = {
    "line": line,
    "bar": bar,
    "histogram": histogram,
    "scatter": scatter,
    "box": box,
    "violin": violin,
    "interval": interval,
    "heatmap": heatmap,
    "roc": roc,
    "precision_recall": precision_recall,
    "calibration": calibration,
    "confusion_matrix": confusion_matrix,
    "residuals": residuals,
    "importance": importance,
    "learning_curve": learning_curve,
}


def find_chart(kind: str, where: str) -> Draw:
    """The function that draws a kind of chart.

    Raises:
        InputError: there is no such kind.
    """
    if kind not in CHARTS:
        raise InputError(unknown(f"report: {where}: chart kind", kind, list(CHARTS)))
    return CHARTS[kind]
