"""The wheel holds everything, and works where the repository is not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = {
    "mlpond": "mlpond",
    "sql": "mlpond/sql",
    "udfs": "mlpond/udfs",
    "pipelines": "mlpond/pipelines",
    "seeds": "mlpond/seeds",
}

pytestmark = [pytest.mark.install, pytest.mark.slow]


def run(*command, cwd, **environment):
    # neither the repository nor the environment of the tests may help
    inherited = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**inherited, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy, for a folder build/ left by another build would leak into it."""
    source = tmp_path_factory.mktemp("source")
    for folder in FOLDERS:
        shutil.copytree(
            ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    out = tmp_path_factory.mktemp("wheel")
    run(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out), ".",
        cwd=source,
    )  # fmt: skip
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """A fresh environment with the wheel; its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", str(folder), cwd=folder)
    python = folder / "bin" / "python"
    run(
        sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps",
        "--no-index", str(wheel),
        cwd=folder,
    )  # fmt: skip
    # Named in a .pth file, a folder's own .pth files are not read: no editable mlpond comes along.
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"])
    return folder


@pytest.fixture
def call(environment, tmp_path):
    """Run a program of the environment in an empty folder."""

    def call(program, *arguments):
        path = f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return run(environment / "bin" / program, *arguments, cwd=tmp_path, PATH=path)

    return call


def test_every_file_is_in_the_wheel(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    missing = [
        str(path.relative_to(ROOT))
        for folder, package in FOLDERS.items()
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file()
        and "__pycache__" not in path.parts
        and f"{package}/{path.relative_to(ROOT / folder).as_posix()}" not in inside
    ]
    assert not missing, "add them to packages or package-data in pyproject.toml"


def test_nothing_else_is_in_the_wheel(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"mlpond"}


def test_it_is_the_wheel_that_runs(call, environment):
    place = call("python", "-c", "import mlpond.sql; print(mlpond.sql.__file__)").strip()
    assert Path(place).is_relative_to(environment)


def test_functions_seeds_and_pipelines_work(call):
    assert "mlpond" in call("mlpond", "version")
    listed = call("mlpond", "list")
    assert "ml.normal_cdf" in listed
    assert "flights" in listed
    assert "344 rows" in call("mlpond", "seed", "penguins")
    assert "0.97500210485" in call("mlpond", "sql", "select ml.normal_cdf(1.96)")
    assert "planned" in call("mlpond", "run", "flights", "--dry-run")


def test_a_starter_works(call):
    call("mlpond", "init", "demo")
    assert "succeeded" in call("mlpond", "run", "./demo")
    assert "Gentoo" in call("mlpond", "sql", "from demo.mistakes", "--db", "pond.duckdb")
