"""From the content of a page to HTML."""

from __future__ import annotations

from importlib import resources

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from mlpond.reports.content import Page


def html(page: Page) -> str:
    """Write a page; every text is escaped, charts and coloured SQL are made safe where made."""
    files = resources.files("mlpond.reports")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["coloured"] = coloured
    template = environment.from_string((files / "page.html.j2").read_text(encoding="utf-8"))
    style = (files / "style.css").read_text(encoding="utf-8")
    return template.render(page=page, style=style) + "\n"


def coloured(sql: str) -> Markup:
    """SQL with its keywords, values and comments in spans; all else is only escaped.

    Pygments' own formatter wraps every word, which makes SQL seven times as long.
    """
    from pygments.lexers import PostgresLexer
    from pygments.token import Comment, Keyword, Literal

    classes = {Keyword: "k", Literal: "s", Comment: "c"}
    runs: list[tuple[str, str]] = []
    for type_, text in PostgresLexer().get_tokens(sql):
        kind = next((name for parent, name in classes.items() if type_ in parent), "")
        if runs and (runs[-1][0] == kind or not text.strip()):
            runs[-1] = (runs[-1][0], runs[-1][1] + text)
        else:
            runs.append((kind, text))
    return Markup("").join(
        Markup('<span class="{}">{}</span>').format(kind, text) if kind else text
        for kind, text in runs
    )
