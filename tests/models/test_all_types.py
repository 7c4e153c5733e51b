"""What holds for every model type: its functions run, and a plain shell scores as the session does.

The types are those of MODEL_TYPES, so that a new one is tested as soon as it is listed; only what
it cannot do without goes into SETTINGS. A function is whatever the model has of registry.FUNCTIONS.
"""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import mlpond
from mlpond.models.families import MODEL_TYPES, find_family
from mlpond.models.registry import FUNCTIONS, NEED_DATA
from tests.conftest import rows

# Numbers with and without NULL, a category with NULL, a boolean; labels that hang on them.
TABLE = """
create table t as
select
    x, w, c, b,
    2 * x + case c when 'u' then 3e0 when 'v' then 1e0 else 0e0 end + noise + 12 as y,
    case when x + b::int + noise > 0.5 then 'yes' else 'no' end as two,
    case when x + noise < -0.4 then 1 when x + noise < 0.6 then 2 else 3 end as three,
from (
    select
        sin(i * 12.9898) * 2 as x,
        case when i % 11 <> 0 then cos(i * 4.1414) * 5 + 20 end as w,
        case when i % 7 <> 0 then ['u', 'v', 'z'][1 + i % 3] end as c,
        i % 2 = 0 as b,
        sin(i * 78.233) / 2 as noise,
    from range(160) as r (i)
)
"""
RATINGS = """
create table ratings as
select i % 12 as "user", 'film' || i // 12 as item, 1e0 + (i * i) % 5 as rating
from range(150) as r (i)
"""
SETTINGS = {
    "LINEAR_REG": "calculate_p_values = true, category_encoding_method = 'dummy_encoding'",
    "MATRIX_FACTORIZATION": "num_factors = 2",
    "KMEANS": "num_clusters = 3",
    "PCA": "num_principal_components = 2",
    "CONTRIBUTION_ANALYSIS": "contribution_metric = 'SUM(rating)', dimension_id_cols = ['item'], "
    "is_test_col = 'is_test'",
}
# What the query selects, and what stands before OPTIONS, where that is not as with the others.
COLUMNS = {"CONTRIBUTION_ANALYSIS": '*, "user" > 5 as is_test'}
CLAUSES = {"TRANSFORM_ONLY": "transform (ml.standard_scaler(x) over () as z, w, c, b) "}
NEW_ROWS = "(select null::double as x, 21e0 as w, 'new' as c, null::boolean as b, 12e0 as y, 'no' as two, 1 as three)"
DATA = f"(select x, w, c, b, y, two, three from t union all from {NEW_ROWS})"
FEW = "(from t limit 2)"
# What a function is called with, where that is not the data alone (NEED_DATA) or nothing.
ARGUMENTS = {
    "conformal": f"{FEW!r}, calibration := 't'",
    "explain_predict": f"{FEW!r}, permutations := 2",
    "global_explain": f"data := {FEW!r}",
    "permutation_importance": "data := 't', repeats := 1",
    "scores": "data := 't'",
    "evaluate": "data := 't'",
}
SCORING = ("predict", "evaluate", "detect_anomalies", "recommend", "conformal")


@dataclass(frozen=True)
class Case:
    """One statement: a model type, its label, and options besides."""

    kind: str
    label: str | None = None
    options: str = ""

    @property
    def name(self) -> str:
        words = [self.kind.lower(), self.label or "", *re.findall(r"'?(\w+)'?", self.options)[-1:]]
        return "_".join(filter(None, words))

    @property
    def source(self) -> str:
        of_ratings = ("MATRIX_FACTORIZATION", "CONTRIBUTION_ANALYSIS")
        return "ratings" if self.kind in of_ratings else "t"

    @property
    def data(self) -> str:
        """Rows to predict, among them one with NULLs and a category that training has not seen."""
        return DATA if self.source == "t" else "ratings"

    def statement(self) -> str:
        settings = [SETTINGS.get(self.kind), self.options]
        if self.label:
            settings.append(f"input_label_cols = ['{self.label}']")
        columns = COLUMNS.get(self.kind, "*" if self.source == "ratings" else "x, w, c, b")
        return (
            f"create model {self.name} {CLAUSES.get(self.kind, '')}options (model_type = '{self.kind}'"
            f"{''.join(f', {text}' for text in settings if text)}) as "
            f"select {columns}{f', {self.label}' if self.label else ''} from {self.source}"
        )


def cases() -> list[Case]:
    found = []
    for kind in MODEL_TYPES:
        family = find_family(kind)
        labels = {"number": ("y",), "class": ("two", "three")}.get(family.label, (None,))
        found += [Case(kind, label) for label in labels]
        if any(option.name == "calibration_method" for option in family.options):
            held_out = "data_split_method = 'RANDOM', data_split_eval_fraction = 0.5"
            found += [
                Case(kind, label, f"{held_out}, calibration_method = 'PLATT'") for label in labels
            ]
    found.append(Case("SVM_CLASSIFIER", "two", "kernel = 'rbf'"))
    found.append(Case("SVM_REGRESSOR", "y", "kernel = 'polynomial', degree = 2"))
    found.append(Case("GLM", "y", "group_cols = ['b']"))
    found.append(
        Case(
            "LOGISTIC_REG", "two",
            "l2_reg = hparam_candidates([0.1, 1.0]), num_trials = 1, tuning_folds = 2, "
            "cross_validation = 2",
        )
    )  # fmt: skip
    return found


CASES = cases()
pytestmark = pytest.mark.slow


def call(case: Case, function: str) -> str:
    """The query of a function."""
    if function == "products":  # sums over what another function gives
        return f"from ml.white_test('{case.name}')"
    arguments = ARGUMENTS.get(function) or (repr(case.data) if function in NEED_DATA else "")
    arguments = arguments.replace("'t'", "'ratings'") if case.source == "ratings" else arguments
    arguments = re.sub(r'"([^"]*)"', lambda m: "'" + m[1].replace("'", "''") + "'", arguments)
    return f'from ml."{function}_{case.name}"({arguments})'


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, dict[str, dict[str, Any]]]:
    """A file with a model a case; and what the session answers, or the error it gives."""
    path = tmp_path_factory.mktemp("types") / "pond.duckdb"
    answers: dict[str, dict[str, Any]] = {}
    with mlpond.connect(path) as session:
        session.sql(TABLE)
        session.sql(RATINGS)
        for case in CASES:
            session.sql(case.statement())
            answers[case.name] = {
                function: _answer(session, call(case, function))
                for function in functions(session, case.name)
            }
    return path, answers


def functions(session, name: str) -> list[str]:
    """The functions that a model has."""
    names = [f"{function}_{name}" for function in FUNCTIONS]
    found = rows(
        session,
        "select distinct function_name from duckdb_functions() where schema_name = 'ml' "
        f"and list_contains({names}, function_name)",
    )
    return [row[0].removesuffix(f"_{name}") for row in found]


def _answer(session, query: str) -> list[dict[str, Any]] | Exception:
    try:
        relation = session.sql(query)
        return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    except Exception as error:
        return error


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_function_of_a_model_runs(trained, case):
    _, answers = trained
    failed = {
        function: str(answer)[:300]
        for function, answer in answers[case.name].items()
        if isinstance(answer, Exception) and "it applies to linear_reg" not in str(answer)
    }
    assert not failed
    empty = [f for f, answer in answers[case.name].items() if not answer]
    assert not empty
    if case.kind not in ("CONTRIBUTION_ANALYSIS", "TRANSFORM_ONLY"):
        assert "predict" in answers[case.name]


def test_every_function_is_tested(trained):
    _, answers = trained
    called = {function for found in answers.values() for function in found}
    assert called == set(FUNCTIONS)


def test_a_plain_shell_scores_as_the_session_does(trained, tmp_path):
    path, answers = trained
    script, asked = ["set threads = 2;"], []
    for case in CASES:
        for function in SCORING:
            if function in answers[case.name]:
                script.append(f".print @{case.name}.{function}\n{call(case, function)};")
                asked.append((case.name, function))
    file = tmp_path / "scores.sql"
    file.write_text("\n".join(script), encoding="utf-8")
    program = Path(sys.executable).with_name("duckdb")
    done = subprocess.run(
        [program, "-json", str(path), "-f", str(file)], capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr[:2000]
    found = re.findall(r"^@(\w+)\.(\w+)\n(.*?)(?=^@|\Z)", done.stdout, re.MULTILINE | re.DOTALL)
    assert [(name, function) for name, function, _ in found] == asked
    for name, function, text in found:
        expected = answers[name][function]
        got = json.loads(text)
        assert len(got) == len(expected), (name, function)
        # rows may come in another order; the columns of the input are the same in both
        for a, b in zip(_in_order(got), _in_order(expected), strict=True):
            assert _near(a, b), (name, function, a, b)


def _in_order(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows by their input columns, which are the same in both."""
    keys = ("user", "item", "x", "w", "c", "b", "y", "two", "three")
    return sorted(found, key=lambda row: tuple(_key(row.get(key)) for key in keys))


def _key(value: Any) -> Any:
    return f"{value:.9f}" if isinstance(value, float) else str(value)


def _near(a: Any, b: Any) -> bool:
    """Equal, numbers to 1e-9: both evaluate the same SQL, threads may add up in another order."""
    if isinstance(b, dict):
        return set(a) == set(b) and all(_near(a[key], b[key]) for key in b)
    if isinstance(b, list | tuple):
        return len(a) == len(b) and all(_near(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(b, float) and a is not None:
        return math.isclose(float(a), b, rel_tol=1e-9, abs_tol=1e-9)
    return bool(a == b)
