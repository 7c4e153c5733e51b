"""``mlpond.report``: one HTML file from what a pipeline has made."""

from __future__ import annotations

import importlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mlpond.errors import InputError

if TYPE_CHECKING:
    from mlpond.session import Session

_OURS = re.compile(rb'<meta name="generator" content="mlpond [^"]* report">')
_LIBRARIES = {"altair": "altair", "vl_convert": "vl-convert-python"}


@dataclass(frozen=True)
class Written:
    """The report that was written."""

    path: Path
    bytes: int
    charts: int
    tables: int
    is_replaced: bool
    """Whether an older report was there."""

    def __str__(self) -> str:
        verb = "Replaced the report" if self.is_replaced else "Wrote"
        return (
            f"{verb} {self.path}: {self.charts} charts, {self.tables} tables, "
            f"{self.bytes / 1000:,.0f} kB"
        )


def report(
    pipeline: str | os.PathLike[str],
    *,
    database: str | os.PathLike[str] = "pond.duckdb",
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
) -> Written:
    """Write one self-contained HTML page of what a pipeline has made in a database file.

    Args:
        pipeline: Name of a built-in pipeline, or path of a pipeline's folder.
        database: Path of the file in which it has run; it is opened read-only, if
            its functions are of this version.
        out: The HTML file; ``<pipeline>.html`` in the current folder without it. An older report
            is replaced, any other file is kept.
        overwrite: Replace whatever file is there.

    Returns:
        The path, and what is in the file; print it to say so.

    Raises:
        InputError: altair or vl-convert-python is not installed, or the file is not a report.
        PipelineError: the pipeline has not run there, or its [report] is wrong.
        DatabaseError: the database cannot be opened.
    """
    require_libraries()
    with open_current(database) as pond:
        return write_report(pond, pipeline, out, overwrite=overwrite)


def open_current(database: str | os.PathLike[str]) -> Session:
    """Open a database read-only; for writing only if its functions are of another version."""
    from mlpond import __version__, library
    from mlpond.session import connect

    pond = connect(database, read_only=True)
    if library.installed(pond.engine) == (__version__, library.digest()):
        return pond
    pond.close()
    return connect(database)


def write_report(
    session: Session,
    pipeline: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    overwrite: bool = False,
) -> Written:
    """Write the page from an open session; see ``report``."""
    from mlpond.pipelines.runner import find_project

    require_libraries()
    project = find_project(os.fspath(pipeline))
    path = Path(out) if out is not None else Path(f"{project.name}.html")
    is_there = _check(path, overwrite)

    from mlpond.reports.assemble import assemble
    from mlpond.reports.page import html

    session.report(f"report: {project.name}", 0.0)
    page = assemble(session, project)
    content = html(page).encode("utf-8")
    _replace(path, content)
    sections = (*page.sections, *page.tables)
    return Written(
        path=path,
        bytes=len(content),
        charts=sum(len(section.figures) for section in sections),
        tables=sum(len(section.tables) for section in sections),
        is_replaced=is_there,
    )


def require_libraries() -> None:
    """Check that what draws is installed.

    Raises:
        InputError: it is not; says how to install it.
    """
    missing = []
    for module, package in _LIBRARIES.items():
        try:
            importlib.import_module(module)
        except ImportError:
            missing.append(package)
    if missing:
        raise InputError(
            f"report: the charts need {' and '.join(missing)}, not installed here; "
            "pip install 'mlpond[report]'"
        )


def _check(path: Path, overwrite: bool) -> bool:
    """Tell whether a report is there already; another file stays what it is."""
    if path.is_dir():
        raise InputError(f"report: {path} is a folder; give the path of an HTML file.")
    if not path.parent.is_dir():
        raise InputError(f"report: there is no folder {path.parent}; make it first.")
    if not path.exists():
        return False
    with path.open("rb") as file:
        if not overwrite and not _OURS.search(file.read(4096)):
            raise InputError(
                f"report: {path} exists and is not a report of mlpond, so it is kept; choose "
                "another file, or replace it with --overwrite (overwrite=True)."
            )
    return True


def _replace(path: Path, content: bytes) -> None:
    """Write all of the file or nothing."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        draft.chmod(0o666 & ~_umask())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _umask() -> int:
    """What the user takes from the rights of new files."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
