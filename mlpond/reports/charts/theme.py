"""How charts look, and how one becomes SVG inside a page.

Charts are drawn once, for a narrow screen, and enlarged on a wide one: text of 12 on 360 units is
legible from 320 pixels on. Text has the colour of the page and series have variables of its style
sheet, so that the same picture serves light, dark and paper.
"""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import altair as alt

from mlpond.reports.charts.chart import AnyChart, Row

WIDTH = 360
HEIGHT = 250
ROW = 20
"""Height of a bar, or of an interval, with the space around it."""
SERIES = tuple(f"var(--series-{number})" for number in range(1, 9))
FIRST, SECOND = SERIES[0], SERIES[1]
QUIET = "var(--quiet)"
"""For what a chart is read against: a diagonal, a zero line."""

# Where a label is cut, Vega reckons 0.8 of the font's size for a character, which is half as much
# again as it takes: a limit of 230 is some 24 characters.
CONFIG: dict[str, Any] = {
    "background": "transparent",
    "aria": False,
    "font": "Arial",
    "padding": 4,
    "view": {"stroke": None},
    "axis": {
        "labelColor": "currentColor",
        "titleColor": "currentColor",
        "titleFontWeight": "normal",
        "labelFontSize": 12,
        "titleFontSize": 12,
        "gridColor": "var(--grid)",
        "domainColor": "var(--quiet)",
        "tickColor": "var(--quiet)",
        "labelLimit": 230,
        "labelOverlap": True,
        "tickCount": 5,
    },
    # the title of the vertical axis lies above it: it is read without turning the head
    "axisY": {
        "titleAngle": 0,
        "titleAlign": "left",
        "titleAnchor": "start",
        "titleBaseline": "bottom",
        "titleX": -4,
        "titleY": -8,
        "domain": False,
        "ticks": False,
    },
    "legend": {
        "orient": "top",
        "title": None,
        "labelColor": "currentColor",
        "labelFontSize": 12,
        "labelLimit": 240,
        "symbolStrokeWidth": 3,
        "columnPadding": 12,
        "offset": 28,
    },
    "line": {"strokeWidth": 2, "color": FIRST},
    "bar": {"color": FIRST},
    "rect": {"color": FIRST},
    "point": {"color": FIRST, "filled": True, "size": 36, "opacity": 1},
    "rule": {"color": QUIET},
    "text": {"color": "currentColor", "fontSize": 12},
    "area": {"color": FIRST},
}

_SVG = "{http://www.w3.org/2000/svg}"
_LONG = re.compile(r"-?\d+\.\d{2,}")
_CIRCLE = re.compile(r"M([\d.]+),0A\1,\1,0,1,1,-\1,0A\1,\1,0,1,1,\1,0")
_MOVE = re.compile(r"translate\(([-\d.]+),([-\d.]+)\)")
_ELEMENTS = ("svg", "g", "path", "text", "tspan", "line", "rect", "circle", "defs", "clipPath")
_DEFAULTS = (("opacity", "1"), ("stroke-width", "0"), ("fill-opacity", "1"))
_INHERITED = ("fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray")


def data(rows: list[Row]) -> alt.InlineData:
    """Rows as a chart takes them."""
    return alt.InlineData(values=rows)


def layered(*charts: alt.Chart | alt.LayerChart) -> alt.LayerChart:
    """Charts on the same axes, the last one on top."""
    chart = alt.layer(*charts)
    if not isinstance(chart, alt.LayerChart):  # what altair makes of charts in facets
        raise TypeError("layered: charts in facets have no common axes.")
    return chart


def colors(names: list[str]) -> alt.Scale:
    """A colour for each series, in the order in which they are given."""
    return alt.Scale(domain=names, range=[SERIES[i % len(SERIES)] for i in range(len(names))])


def rows_height(n: int) -> int:
    """The height of a chart of n rows with an axis below them."""
    return n * ROW + 56


def to_svg(chart: AnyChart, summary: str, number: int) -> str:
    """Draw a chart as SVG for a page in which it is the chart of this number.

    The result has no addresses, no scripts and no names that another chart may have.
    """
    import vl_convert

    specification = chart.to_dict()
    legend = {**CONFIG["legend"], "columns": _legend_columns(specification)}
    specification["config"] = {**CONFIG, "legend": legend}
    specification.setdefault("width", WIDTH)
    specification.setdefault("height", HEIGHT)
    specification["autosize"] = {"type": "fit", "contains": "padding"}
    root = ElementTree.fromstring(vl_convert.vegalite_to_svg(json.dumps(specification)))
    for element in root.iter():
        _tidy(element, f"chart-{number}-")
    for element in list(root.iter()):
        _share(element)
    root.attrib.pop("version", None)
    # the page decides about the size, the picture about its proportions
    for name in ("width", "height"):
        root.attrib.pop(name, None)
    root.set("class", "chart")
    root.set("role", "img")
    root.set("aria-label", summary)
    return ElementTree.tostring(root, encoding="unicode")


def _legend_columns(specification: dict[str, Any]) -> int:
    """As many entries side by side as the longest of them leaves room for."""
    names = [
        str(name)
        for layer in specification.get("layer", [specification])
        for name in layer.get("encoding", {}).get("color", {}).get("scale", {}).get("domain", [])
    ]
    longest = max(map(len, names), default=0)
    return 3 if longest <= 10 else 2 if longest <= 20 else 1


def _tidy(element: ElementTree.Element, prefix: str) -> None:
    """Keep what draws: without namespaces, roles and classes, and with names of our own."""
    element.tag = element.tag.removeprefix(_SVG)
    if element.tag not in _ELEMENTS:
        raise ValueError(f"to_svg: a chart has an element {element.tag}, which a page may not hold")
    for name, value in list(element.attrib.items()):
        if name.startswith(("{", "aria-", "on")) or name in ("role", "class", "pointer-events"):
            del element.attrib[name]
        elif name == "id":
            element.set(name, prefix + value)
        elif value.startswith("url(#"):
            element.set(name, value.replace("url(#", f"url(#{prefix}"))
        elif (name, value) in _DEFAULTS:
            del element.attrib[name]
        elif name in ("d", "transform"):  # a tenth of a unit is a quarter of a pixel
            element.set(name, _LONG.sub(lambda number: f"{float(number[0]):.1f}", value))


def _share(group: ElementTree.Element) -> None:
    """Write what all marks of a group have in common once, and circles as circles.

    A picture of 500 points takes a quarter of the space.
    """
    marks = list(group)
    if len(marks) < 10 or any(mark.tag != "path" or len(mark) for mark in marks):
        return
    for name in _INHERITED:
        values = {mark.get(name) for mark in marks}
        if len(values) == 1 and None not in values:
            group.set(name, values.pop() or "")
            for mark in marks:
                del mark.attrib[name]
    for mark in marks:
        circle = _CIRCLE.fullmatch(mark.get("d", ""))
        move = _MOVE.fullmatch(mark.get("transform", ""))
        if circle and move:
            mark.tag = "circle"
            del mark.attrib["d"], mark.attrib["transform"]
            mark.attrib.update(cx=move[1], cy=move[2], r=circle[1])
