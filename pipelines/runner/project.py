"""A pipeline as a folder of files.

    pipeline.toml      description, seeds, [parameters.NAME], [summary] headline and queries,
                       [report] what ``mlpond report`` shows, [[steps.NAME.expect]] what is
                       expected of a step
    NAME.sql           a step: a SELECT, kept as the table or view NAME, or CREATE MODEL NAME
    NAME.py            a step: run(pond, params) makes the relation NAME; READS names its inputs
    checks/NAME.sql    a rule: a SELECT of the rows that break it
    NAME.j2            a fragment of SQL that steps, checks and the queries of pipeline.toml share

The relations live in a schema named after the folder. Comment lines at the top of a SQL file are
its description; the line ``-- materialize: view`` makes it a view.
"""

from __future__ import annotations

import ast
import difflib
import re
import tomllib
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from mlpond.errors import PipelineError
from mlpond.pipelines.runner.expectations import read_expectations
from mlpond.pipelines.runner.names import suggest
from mlpond.pipelines.runner.parameters import Parameter, read_parameters
from mlpond.pipelines.runner.report import ReportSpec, read_report

_KEYS = ("description", "seeds", "parameters", "steps", "summary", "report")
_SUMMARY_KEYS = ("headline", "queries")
_DIRECTIVE = re.compile(r"^materialize\s*:\s*(.*)$", re.IGNORECASE)


@dataclass(frozen=True)
class StepFile:
    """One file of a pipeline, unrendered."""

    name: str
    kind: str  # sql, python or check
    path: Path
    text: str
    description: str = ""
    materialize: str = "table"
    declared_reads: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The step's name in plans, displays and ml.steps."""
        return f"checks/{self.name}" if self.kind == "check" else self.name


@dataclass(frozen=True)
class Project:
    """A pipeline read from its folder."""

    name: str
    folder: Path
    description: str
    parameters: tuple[Parameter, ...] = ()
    seeds: tuple[str, ...] = ()
    headline: str | None = None
    queries: tuple[str, ...] = ()
    report: ReportSpec = field(default_factory=ReportSpec, repr=False)
    files: tuple[StepFile, ...] = field(default=(), repr=False)


def _builtin_root() -> Path:
    return Path(str(resources.files("mlpond.pipelines")))


def list_pipelines() -> dict[str, str]:
    """The pipelines that come with mlpond: name and description."""
    folders = sorted(path.parent for path in _builtin_root().glob("*/pipeline.toml"))
    return {folder.name: _read_toml(folder).get("description", "") for folder in folders}


def find_project(pipeline: str | Path) -> Project:
    """Read a pipeline by the name of a built-in one, or by the path to its folder."""
    folder = Path(pipeline)
    builtin = _builtin_root() / str(pipeline)
    looks_like_path = isinstance(pipeline, Path) or "/" in pipeline or "\\" in pipeline
    if not looks_like_path and str(pipeline) not in ("", ".", "..") and _is_pipeline(builtin):
        return read_project(builtin)
    if _is_pipeline(folder):
        return read_project(folder.resolve())
    if folder.is_dir():
        raise PipelineError(
            f"{folder} is a folder without a pipeline.toml, so it is not a pipeline; "
            "mlpond init NAME makes one to start from."
        )
    names = list_pipelines()
    near = difflib.get_close_matches(str(pipeline), names, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise PipelineError(
        f"there is no pipeline {str(pipeline)!r}: it is neither a folder here nor built in. "
        f"Built in: {', '.join(names) or 'none'}. Own ones are run by path: "
        f"mlpond run ./NAME.{hint}"
    )


def _is_pipeline(folder: Path) -> bool:
    return (folder / "pipeline.toml").is_file()


def _read_toml(folder: Path) -> dict[str, Any]:
    path = folder / "pipeline.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PipelineError(f"{path} is not valid TOML: {error}") from error


def read_project(folder: Path) -> Project:
    """Read the pipeline in a folder."""
    path = folder / "pipeline.toml"
    toml = _read_toml(folder)
    for key in toml:
        if key not in _KEYS:
            raise PipelineError(f"{path}: unknown key {key}; {suggest(key, _KEYS)}")
    summary = toml.get("summary", {})
    if not isinstance(summary, dict):
        raise PipelineError(f"{path}: summary is {summary!r}; write a table, [summary].")
    for key in summary:
        if key not in _SUMMARY_KEYS:
            raise PipelineError(f"{path}: unknown key summary.{key}; {suggest(key, _SUMMARY_KEYS)}")
    files = _read_files(folder)
    files += _expected(toml.get("steps", {}), folder, files)
    if not files:
        raise PipelineError(f"pipeline {folder.name} has no steps; put NAME.sql files in {folder}.")
    return Project(
        name=folder.name,
        folder=folder,
        description=_text(toml, "description", path) or "",
        parameters=read_parameters(toml.get("parameters", {}), folder.name, path),
        seeds=_texts(toml, "seeds", path),
        headline=_text(summary, "headline", path),
        queries=_texts(summary, "queries", path),
        report=read_report(toml.get("report", {}), [step.name for step in files], path),
        files=files,
    )


def _text(table: dict[str, Any], key: str, path: Path) -> str | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise PipelineError(f"{path}: {key} is {value!r}; it must be a string.")
    return value


def _texts(table: dict[str, Any], key: str, path: Path) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise PipelineError(f"{path}: {key} is {value!r}; it must be a list of strings.")
    return tuple(value)


def _read_files(folder: Path) -> tuple[StepFile, ...]:
    steps = [_sql_step(path, "sql") for path in sorted(folder.glob("*.sql"))]
    steps += [
        _python_step(path)
        for path in sorted(folder.glob("*.py"))
        if path.name not in ("__init__.py", "conftest.py")
    ]
    seen: dict[str, StepFile] = {}
    for step in steps:
        twin = seen.setdefault(step.name.casefold(), step)
        if twin is not step:
            raise PipelineError(
                f"pipeline {folder.name}: {twin.path.name} and {step.path.name} make the same "
                "relation, for DuckDB ignores case; rename one."
            )
    checks = [_sql_step(path, "check") for path in sorted((folder / "checks").glob("*.sql"))]
    return (*steps, *checks)


def _expected(table: Any, folder: Path, files: tuple[StepFile, ...]) -> tuple[StepFile, ...]:
    """The checks of what pipeline.toml expects of the steps."""
    path = folder / "pipeline.toml"
    checks = {file.name for file in files if file.kind == "check"}
    steps = [file.name for file in files if file.kind != "check"]
    expected = []
    for found in read_expectations(table, folder.name, steps, path):
        name = f"expect_{found.step}"
        if name in checks:
            raise PipelineError(
                f"{path}: steps.{found.step}.expect makes a check {name}, and so does "
                f"checks/{name}.sql; rename the file."
            )
        expected.append(StepFile(name, "check", path, found.text, found.description,
                                 declared_reads=found.reads))  # fmt: skip
    return tuple(expected)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise PipelineError(f"{path} is not UTF-8 text: {error}") from error


def _sql_step(path: Path, kind: str) -> StepFile:
    text = _read(path)
    materialize = "table"
    description = []
    for line in text.lstrip().splitlines():
        if not line.startswith("--"):
            break
        words = line.lstrip("-").strip()
        directive = _DIRECTIVE.match(words)
        if directive is None:
            description.append(words)
            continue
        materialize = directive.group(1).strip().lower()
        if materialize not in ("table", "view"):
            raise PipelineError(f"{path}: materialize is {materialize!r}; write table or view.")
    return StepFile(path.stem, kind, path, text, "\n".join(description).strip(), materialize)


def _python_step(path: Path) -> StepFile:
    """Read a Python step without running it: its docstring, READS and whether run is there."""
    text = _read(path)
    try:
        module = ast.parse(text, filename=str(path))
    except SyntaxError as error:
        raise PipelineError(
            f"{path} is not valid Python: line {error.lineno}: {error.msg}"
        ) from error
    reads: object = None
    runs = False
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name == "run":
            runs = True
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "READS" for target in node.targets
        ):
            try:
                reads = ast.literal_eval(node.value)
            except ValueError:
                reads = node.value
    if not runs:
        raise PipelineError(f"{path} has no function run(pond, params), so it is not a step.")
    if not isinstance(reads, tuple | list) or not all(isinstance(name, str) for name in reads):
        raise PipelineError(
            f"{path}: READS must be a tuple of relation names, written out, such as "
            "READS = ('main.orders',); () when it reads none."
        )
    return StepFile(
        path.stem,
        "python",
        path,
        text,
        ast.get_docstring(module) or "",
        declared_reads=tuple(reads),
    )
