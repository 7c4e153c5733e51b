"""The examples of the README and of the documentation are true, and the reference is complete.

How examples are written and compared: docs/examples.py, which this test runs.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mlpond.sql import catalog

ROOT = Path(__file__).parent.parent


def load(name: str) -> ModuleType:
    """Import a script of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


examples = load("examples")
generate = load("generate")


@pytest.mark.slow
@pytest.mark.parametrize("page", examples.pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_of_the_page_are_true(page):
    problems = examples.check(page)
    advice = f"If the page is what is wrong: python docs/examples.py --update {page}"
    assert not problems, "\n\n".join([*problems, advice])


@pytest.mark.parametrize(
    ("expected", "actual", "same"),
    [
        ("a 1.0 b", "a 1.0000000001 b", True),
        ("a 1.0 b", "a 1.001 b", False),
        ("0", "1e-9", False),
        ("336,776 rows", "336776 rows", True),
        ("done in 3.1 s", "done in 12 s", True),
        ("at 2026-01-01 10:00:00", "at 2027-02-03 11:12:13.5", True),
        ("┌───┐\n│ 1 │", "┌──────┐\n│    1 │", True),
        ("first\n...\nlast", "first\nx\ny\nlast", True),
        ("first\n...", "other\nx", False),
        ("one", "one\ntwo", False),
        ("m1 beats m2", "m1 beats m3", False),
    ],
)
def test_outputs_are_compared_as_the_module_says(expected, actual, same):
    assert examples.is_same(expected, actual) is same


def test_a_page_is_read_as_the_module_says(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- database: a.duckdb -->\n```sql\nselect 1\n```\n\n```text\none\n```\n"
        "<!-- not run: it takes a day -->\n```sh\nmlpond run day\n```\n```text\nlong\n```\n"
        "<!-- fails -->\n```sh\nmlpond nonsense\n```\nProse.\n```text\nnot its output\n```\n"
    )
    found = [(e.language, e.code, e.expected, e.database, e.fails) for e in examples.examples(page)]
    assert found == [
        ("sql", "select 1\n", "one\n", "a.duckdb", False),
        ("sh", "mlpond nonsense\n", None, "a.duckdb", True),
    ]


def test_the_reference_has_every_function():
    pages = generate.generated()
    for entry in catalog():
        assert f"\n## {entry.name}\n" in "\n" + pages[f"reference/{entry.field}.md"]
        assert f"{entry.field}.md#{entry.name})" in pages["reference/index.md"]


def test_text_from_a_header_is_no_markup():
    assert generate._text("a < __b__ * [c] `d`") == r"a &lt; \_\_b\_\_ \* \[c\] \`d\`"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_of_the_repository_lead_somewhere(name):
    # mkdocs checks those of docs/
    links = re.findall(r"\]\(([^)#]+)", (ROOT / name).read_text(encoding="utf-8"))
    assert all(link.startswith("https://") or (ROOT / link).exists() for link in links)
