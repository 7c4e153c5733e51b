"""Run the examples of the documentation and hold their output against what the page says.

An example is a fenced block ```sh, ```sql or ```python. If a ```text block follows, with nothing
but empty lines between, that is its output. The blocks of a page run in order in a temporary
folder of their own:

    sh      in bash, which stops at the first error; `cd` lasts until the end of the page
    sql     as `mlpond sql` does, on the database of the page
    python  in one namespace a page; the output is what is printed

Comments, which no reader sees, steer it. They stand on a line of their own:

    <!-- database: shop.duckdb -->   the database of the sql blocks below; without it, in memory
    <!-- needs: flights -->          put the pond.duckdb of `mlpond run flights` into the folder
    <!-- not run: why -->            skip the next block
    <!-- fails -->                   the next block must fail; its output is the message

Outputs are equal when their lines are, with these liberties: a number may differ by 1e-6 of its
size, because sums are rounded differently on other processors; durations, sizes of files and
times of day are whatever they are; spaces and lines of boxes may be longer or shorter; and a line
`...` stands for any lines.

    python docs/examples.py                    check every page
    python docs/examples.py --update PAGE ...  write today's output into the pages
"""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
COLUMNS = "88"
LANGUAGES = ("sh", "sql", "python")
TOLERANCE = 1e-6

_FENCE = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=indent)```$", re.M | re.S
)
_COMMENT = re.compile(
    r"^<!-- (?P<key>database|needs|not run|fails)(?:: (?P<value>.*?))? -->$", re.M
)
_VOLATILE = (
    (re.compile(r"\b\d+(\.\d+)? ?(ms|s|min|kB)\b"), "<duration or size>"),
    (re.compile(r"(\d{4}-\d\d-\d\d[ T])?\b\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d(:\d\d)?)?"), "<time>"),
    (re.compile(r"\s+"), " "),
    (re.compile(r"─+"), "─"),
)
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w])")


@dataclass(frozen=True)
class Example:
    """A block to run and, if the page shows it, its output."""

    language: str
    code: str
    line: int
    expected: str | None
    output_span: tuple[int, int]
    """Where the expected output stands in the page."""
    database: str = ":memory:"
    needs: tuple[str, ...] = ()
    fails: bool = False


def pages() -> list[Path]:
    """Every page with examples; the reference is generated and not among them."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in found if "reference" not in page.parts and examples(page)]


def examples(page: Path) -> list[Example]:
    """Read the examples of a page, in order."""
    text = page.read_text(encoding="utf-8")
    marks = sorted(
        [*_FENCE.finditer(text), *_COMMENT.finditer(text)], key=lambda mark: mark.start()
    )
    found: list[Example] = []
    database, needs, skip, fails = ":memory:", (), False, False
    previous: re.Match[str] | None = None
    for mark in marks:
        groups = mark.groupdict()
        if key := groups.get("key"):
            database = groups["value"] if key == "database" else database
            needs = (*needs, groups["value"]) if key == "needs" else needs
            skip, fails = skip or key == "not run", fails or key == "fails"
            continue
        if groups["language"] in LANGUAGES:
            line = text.count("\n", 0, mark.start()) + 1
            example = Example(
                groups["language"], groups["text"], line, None, (0, 0), database, needs, fails
            )
            previous = None if skip else mark
            if not skip:
                found.append(example)
            skip = fails = False
        elif groups["language"] == "text" and previous is not None:
            if not text[previous.end() : mark.start()].strip():
                found[-1] = replace(
                    found[-1], expected=groups["text"], output_span=mark.span("text")
                )
            previous = None
    return found


class Page:
    """The folder, the databases and the names that the examples of one page share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.directory = folder  # where sh blocks stand
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.memory: Any = None

    def run(self, example: Example) -> str:
        """Run an example and return what it prints; an unexpected end raises AssertionError."""
        for pipeline in example.needs:
            if not (self.folder / "pond.duckdb").exists():
                shutil.copy(made_by_pipeline(pipeline), self.folder)
        runner = {"sh": self._sh, "sql": self._sql, "python": self._python}[example.language]
        output, failed = runner(example)
        if failed != example.fails:
            raise AssertionError(f"{'failed' if failed else 'did not fail'}:\n{output}")
        return output

    def close(self) -> None:
        """Close the database in memory."""
        if self.memory is not None:
            self.memory.close()

    def _sh(self, example: Example) -> tuple[str, bool]:
        place = self.folder / ".directory"
        script = f"trap 'pwd > {place}' EXIT\n{example.code}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.directory,
            env=environment(self.folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )
        self.directory = Path(place.read_text().strip())
        return done.stdout, done.returncode != 0

    def _sql(self, example: Example) -> tuple[str, bool]:
        import mlpond
        from mlpond.cli.failures import message
        from mlpond.cli.query import print_result
        from mlpond.sql.script import statements

        in_memory = example.database == ":memory:"
        with self._captured() as out:
            pond = self.memory if in_memory and self.memory else mlpond.connect(example.database)
            try:
                for statement in statements(example.code):
                    print_result(pond, statement, "table")
            except Exception as error:
                return out.getvalue() + message(error), True
            finally:
                if in_memory:
                    self.memory = pond
                else:
                    pond.close()
        return out.getvalue(), False

    def _python(self, example: Example) -> tuple[str, bool]:
        # The names of the page stay, so that one block may use what another made.
        code = compile("\n" * example.line + example.code, "example", "exec")
        with self._captured() as out:
            try:
                exec(code, self.names)
            except Exception as error:
                return out.getvalue() + f"{type(error).__name__}: {error}", True
        return out.getvalue(), False

    @contextlib.contextmanager
    def _captured(self) -> Iterator[io.StringIO]:
        before, out = dict(os.environ), io.StringIO()
        os.environ.update(COLUMNS=COLUMNS, NO_COLOR="1")
        try:
            with contextlib.chdir(self.directory), contextlib.redirect_stdout(out):
                yield out
        finally:
            os.environ.clear()
            os.environ.update(before)


def environment(home: Path) -> dict[str, str]:
    """The environment of a shell in which `mlpond` and `duckdb` are this installation's."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "COLUMNS": COLUMNS, "NO_COLOR": "1", "HOME": str(home)}


@cache
def made_by_pipeline(name: str) -> Path:
    """The database that a shipped pipeline makes, made once."""
    folder = Path(tempfile.mkdtemp(prefix="mlpond-docs-"))
    done = subprocess.run(
        ["mlpond", "run", name],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise AssertionError(f"mlpond run {name} failed:\n{done.stdout}")
    return folder / "pond.duckdb"


def is_same(expected: str, actual: str) -> bool:
    """Whether the outputs are equal, with the liberties that the module describes."""
    return _lines_match(_comparable(expected), _comparable(actual))


def _comparable(text: str) -> list[str]:
    for pattern, replacement in _VOLATILE[:2]:
        text = pattern.sub(replacement, text)
    lines = []
    for line in text.strip().splitlines():
        for pattern, replacement in _VOLATILE[2:]:
            line = pattern.sub(replacement, line)
        lines.append(line.strip())
    return lines


def _lines_match(expected: list[str], actual: list[str]) -> bool:
    if not expected:
        return not actual
    if expected[0] == "...":
        return any(_lines_match(expected[1:], actual[skip:]) for skip in range(len(actual) + 1))
    return (
        bool(actual)
        and _line_matches(expected[0], actual[0])
        and _lines_match(expected[1:], actual[1:])
    )


def _line_matches(expected: str, actual: str) -> bool:
    if _NUMBER.sub("#", expected) != _NUMBER.sub("#", actual):
        return False
    pairs = zip(_NUMBER.findall(expected), _NUMBER.findall(actual), strict=True)
    return all(_close(float(a.replace(",", "")), float(b.replace(",", ""))) for a, b in pairs)


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= TOLERANCE * max(abs(a), abs(b))


def check(page: Path, update: bool = False) -> list[str]:
    """Run a page; return what is wrong with it, or write today's outputs into it."""
    text = page.read_text(encoding="utf-8")
    problems: list[str] = []
    written: list[tuple[tuple[int, int], str]] = []
    with tempfile.TemporaryDirectory() as folder:
        runner = Page(Path(folder))
        try:
            for example in examples(page):
                where = f"{page.relative_to(ROOT)}:{example.line}"
                try:
                    actual = runner.run(example).replace(folder, "")
                except AssertionError as error:
                    problems.append(f"{where} {error}")
                    break  # what follows may build on it
                if example.expected is None or is_same(example.expected, actual):
                    continue
                tidy = "".join(f"{line.rstrip()}\n" for line in actual.strip("\n").splitlines())
                if update:
                    written.append((example.output_span, tidy))
                else:
                    problems.append(f"{where} has another output now:\n{_diff(example, tidy)}")
        finally:
            runner.close()
    for (start, end), output in reversed(written):
        text = text[:start] + output + text[end:]
    if written:
        page.write_text(text, encoding="utf-8")
        print(f"{page.relative_to(ROOT)}: {len(written)} outputs written")
    return problems


def _diff(example: Example, actual: str) -> str:
    expected = (example.expected or "").splitlines()
    return "\n".join(
        difflib.unified_diff(expected, actual.splitlines(), "page", "today", lineterm="")
    )


def main(arguments: list[str]) -> int:
    """Check or update the pages that are named, or all."""
    update = "--update" in arguments
    named = [Path(name).resolve() for name in arguments if not name.startswith("-")]
    problems = [problem for page in named or pages() for problem in check(page, update)]
    print("\n\n".join(problems) or "every example is true", file=sys.stderr if problems else None)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
