"""Every function of the library, called by its example in DuckDB's own 1.5 shell, without Python."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import mlpond
from mlpond.sql import catalog
from tests.conftest import load_small

# What a plain shell cannot do: training needs Python.
PYTHON_ONLY = {"train", "recursive_elimination", "isolation_forest", "local_outlier_factor"}
# The models that the examples name: type, label and rows. late_arrival stands for any classifier.
PENGUINS = (
    "linear_reg",
    "body_mass_g",
    "bill_length_mm, bill_depth_mm, flipper_length_mm",
    "penguins",
)
MODELS = {
    "late_arrival": ("logistic_reg", "sex", "body_mass_g, bill_depth_mm", "flights.features"),
    "nile_trend": ("linear_reg", "flow_1e8_m3", "year", "textbook.nile"),
}
# Those whose options are others: what stands behind the opening bracket.
OTHER_MODELS = {
    "penguin_change": "model_type = 'contribution_analysis', is_test_col = 'is_last_year', "
    "contribution_metric = 'SUM(body_mass_g)') as "
    "select island, sex, body_mass_g, year = 2009 as is_last_year from penguins",
    "film_ratings": "model_type = 'matrix_factorization', user_col = 'viewer_id', "
    "item_col = 'film_id', rating_col = 'stars', num_factors = 3) as "
    "select * exclude (rated_at) from cinema.ratings",
    "penguin_trials": "model_type = 'linear_reg', num_trials = 2, tuning_folds = 2, "
    "l2_reg = hparam_candidates([0.1, 1.0]), cross_validation = 2, learning_curve = [0.5, 1.0], "
    "hparam_tuning_algorithm = 'grid_search', input_label_cols = ['body_mass_g']) as "
    "select bill_length_mm, flipper_length_mm, body_mass_g from penguins "
    "where body_mass_g is not null",
    "penguin_path": "model_type = 'linear_reg', regularization_path = 5, "
    "input_label_cols = ['body_mass_g']) as select bill_length_mm, flipper_length_mm, body_mass_g "
    "from penguins where body_mass_g is not null",
    "penguin_clusters": "model_type = 'kmeans', num_clusters = 3) as "
    "select bill_length_mm, sex from penguins",
    "mass_by_island": "model_type = 'linear_reg', group_cols = ['island'], "
    "input_label_cols = ['body_mass_g']) as select island, flipper_length_mm, body_mass_g "
    "from penguins where body_mass_g is not null",
    "penguin_components": "model_type = 'pca', num_principal_components = 2) as "
    "select * exclude (year) from penguins",
    "penguin_scales": "model_type = 'transform_only') as select body_mass_g, species from penguins",
    "penguin_margins": "model_type = 'svm_classifier', input_label_cols = ['sex']) as "
    "select body_mass_g, bill_depth_mm, sex from penguins where sex is not null",
}

TRANSFORMS = {
    "penguin_scales": "transform (ml.standard_scaler(body_mass_g) over () as mass, "
    "ml.one_hot_encoder(species) over () as species)",
}


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """A database with the seeds, and a model of every type that an example names."""
    path = tmp_path_factory.mktemp("shell") / "pond.duckdb"
    with mlpond.connect(path) as session:
        load_small(session, "flights")
        session.sql("create schema flights")
        session.sql("create table flights.features as from penguins where sex is not null")
        for name in sorted({name for entry in catalog() for name in models_of(entry)}):
            if name in OTHER_MODELS:
                transform = TRANSFORMS.get(name, "")
                session.sql(f"create model {name} {transform} options ({OTHER_MODELS[name]}")
                continue
            kind, label, features, source = MODELS.get(name, PENGUINS)
            session.sql(
                f"create model {name} options (model_type = '{kind}', calculate_p_values = true, "
                f"category_encoding_method = 'dummy_encoding', input_label_cols = ['{label}']) "
                f"as select {features}, {label} from {source} where {label} is not null"
            )
    return path


def models_of(entry) -> set[str]:
    """The models that an example names: the first argument of a function of models."""
    if entry.name in PYTHON_ONLY or not entry.parameters or entry.parameters[0].type != "model":
        return set()
    return set(re.findall(rf"ml\.{entry.name}\('(\w+)", entry.example or ""))


@pytest.mark.slow
def test_every_example_runs(file, tmp_path):
    script = []
    for entry in catalog():
        assert entry.example, entry.name
        if entry.name not in PYTHON_ONLY:
            script.append(f".print @{entry.name}\n{entry.example.rstrip(';')};\n")
    path = tmp_path / "examples.sql"
    path.write_text("".join(script), encoding="utf-8")
    program = Path(sys.executable).with_name("duckdb")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("v1.5")
    done = subprocess.run(
        [program, "-csv", "-noheader", str(file), "-f", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.stderr, done.stderr[:2000]
    answers = re.findall(r"^@(\w+)\n([^@]*)", done.stdout, re.MULTILINE)
    silent = [name for name, text in answers if not text.strip()]
    assert len(answers) == len(script)
    assert not silent, f"no rows from {silent}"
