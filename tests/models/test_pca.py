"""CREATE MODEL with pca: BigQuery ML's published digits, scikit-learn, and the plain shell."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from pytest import approx
from sklearn.decomposition import PCA

import mlpond
from mlpond.errors import InputError, TrainingError
from tests.conftest import record, rows

# BigQuery's table has '.' for one missing sex; see test_linear_reg.py
THEIRS = """
    create table theirs as select * exclude (year) replace (case when sex is null
    and species = 'Gentoo' and bill_length_mm = 44.5 and bill_depth_mm = 15.7
    then '.' else sex end as sex) from penguins
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory, load_penguins):
    """A database with models of the penguins and of numbers."""
    path = tmp_path_factory.mktemp("pca") / "pond.duckdb"
    with mlpond.connect(path) as session:
        load_penguins(session)
        session.sql(THEIRS)
        session.sql(
            "create model penguins options (model_type = 'pca', num_principal_components = 3) "
            "as from theirs"
        )
        rng = np.random.default_rng(3)
        X = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4)) + 100
        session.con.execute("create table t (a double, b double, c double, d double)")
        session.con.executemany("insert into t values (?, ?, ?, ?)", X.tolist())
        for name, options in {
            "scaled": "num_principal_components = 4",
            "unscaled": "pca_explained_variance_ratio = 0.8, scale_features = false",
            "random": "num_principal_components = 2, pca_solver = 'randomized'",
        }.items():
            session.sql(f"create model {name} options (model_type = 'pca', {options}) as from t")
    return path


@pytest.fixture(scope="module")
def trained(file):
    with mlpond.connect(file) as session:
        yield session


def table(session):
    return np.array(rows(session, "from t"))


def test_penguins_of_bigquery(trained):
    found = rows(trained, "from ML.PRINCIPAL_COMPONENT_INFO(MODEL penguins)")
    # the digits that Google's documentation prints
    assert [round(row[1], 6) for row in found] == [3.278657, 1.270829, 1.125354]
    assert [round(row[2], 6) for row in found] == [0.469357, 0.181926, 0.161100]
    assert round(found[-1][3], 6) == 0.812383
    evaluated = record(trained, "from ML.EVALUATE(MODEL penguins)")
    assert evaluated == {"total_explained_variance_ratio": approx(found[-1][3], rel=1e-12)}
    assert [row[0] for row in found] == [0, 1, 2]


def test_components_are_listed_by_input_and_category(trained):
    found = rows(trained, "from ML.PRINCIPAL_COMPONENTS(MODEL penguins)")
    assert len(found) == 3 * 7
    numbers = {row[1]: row[2] for row in found[:7]}
    assert numbers["species"] is None
    categories = {row[1]: row[3] for row in found[:7]}
    assert categories["body_mass_g"] is None
    assert [c["category"] for c in categories["sex"]] == [".", "female", "male", "_null_filler"]
    lengths = [0.0, 0.0, 0.0]
    for component, _, number, listed in found:
        lengths[component] += (number or 0.0) ** 2 + sum(c["value"] ** 2 for c in listed or [])
    assert lengths == approx([1.0, 1.0, 1.0], rel=1e-12)


def test_predictions_are_scikit_learns(trained):
    X = table(trained)
    Z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    theirs = PCA(4).fit(Z)
    found = np.array(rows(trained, "from ML.PREDICT(MODEL scaled, TABLE t)"))
    assert found.shape == (300, 4)
    # the sign of a component is a convention
    assert np.abs(found) == approx(np.abs(theirs.transform(Z)), abs=1e-9)
    assert found.var(axis=0, ddof=1) == approx(theirs.explained_variance_, rel=1e-11)
    found = np.array(rows(trained, "from ml.predict('unscaled', 't')"))
    theirs = PCA(0.8).fit(X)
    assert np.abs(found) == approx(np.abs(theirs.transform(X)), abs=1e-9)
    random = rows(trained, "from ml.principal_component_info('random')")
    exact = rows(trained, "from ml.principal_component_info('scaled')")
    assert [row[1] for row in random] == approx([row[1] for row in exact[:2]], rel=1e-9)


def test_original_columns_are_kept_if_asked_for(trained):
    query = "from ML.PREDICT(MODEL scaled, (from t limit 1), STRUCT(true AS keep_original_columns))"
    found = record(trained, query)
    assert list(found) == [*(f"principal_component_{i}" for i in (1, 2, 3, 4)), *"abcd"]


def test_anomalies_are_far_from_the_plane(trained):
    X = table(trained)
    Z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    theirs = PCA(2).fit(Z)
    error = ((Z - theirs.inverse_transform(theirs.transform(Z))) ** 2).sum(axis=1) / 4
    found = rows(
        trained, "from ML.DETECT_ANOMALIES(MODEL random, STRUCT(0.02 AS contamination), TABLE t)"
    )
    # vectors of the randomised solver are good to the square root of 1e-10
    assert [row[1] for row in found] == approx(error, abs=1e-4)
    expected = error > np.quantile(error, 0.98)
    assert [row[0] for row in found] == expected.tolist()
    assert sum(row[0] for row in found) == 6
    columns = record(trained, "from ml.detect_anomalies('penguins', '(from theirs limit 1)')")
    assert list(columns)[:2] == ["is_anomaly", "mean_squared_error"]
    with pytest.raises(Exception, match="pass a share from 0 to 0.5"):
        rows(trained, "from ml.detect_anomalies('random', 't', contamination := 0.6)")


def test_residual_of_penguins_is_that_of_the_encoded_row(trained):
    found = np.array(
        rows(trained, "select principal_component_1, principal_component_2, principal_component_3 from ml.predict('penguins', 'theirs')")
    )  # fmt: skip
    # uncentred one-hot columns: the mean square, not the variance, is the eigenvalue
    squares = (found**2).sum(axis=0) / 343
    assert squares == approx(
        [row[1] for row in rows(trained, "from ml.principal_component_info('penguins')")], rel=1e-11
    )
    error = sum(
        row[0]
        for row in rows(
            trained, "select mean_squared_error from ml.detect_anomalies('penguins', 'theirs')"
        )
    )
    total = record(
        trained,
        "select value from ml.fit_statistics where model = 'penguins' and name = 'total_variance'",
    )["value"]
    assert error * 7 / 343 == approx(total - squares.sum(), rel=1e-10)


def test_unseen_categories_and_missing_values_add_nothing(trained):
    query = "(select species, island, null::double as bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g, 'unseen' as sex from theirs)"
    found = rows(
        trained, f"from ml.predict('penguins', '{query}')".replace("'unseen'", "''unseen''")
    )
    assert np.isfinite(np.array(found)).all()


def test_a_plain_shell_scores_the_same(trained, file, shell, tmp_path):
    copy = shutil.copy(file, tmp_path)  # the session holds the lock of the file itself
    for query in (
        "from ml.predict('penguins', 'theirs', keep_original_columns := true)",
        "from ml.detect_anomalies('penguins', 'theirs', contamination := 0.05)",
        "from ml.evaluate('penguins')",
    ):
        expected = rows(trained, query)
        found = [tuple(row.values()) for row in shell(copy, query)]
        assert len(found) == len(expected)
        for mine, theirs in zip(found, expected, strict=True):
            for a, b in zip(mine, theirs, strict=True):
                assert a == (approx(b, rel=1e-9, abs=1e-12) if isinstance(b, float) else b)


def test_transform_is_replayed(pond):
    pond.sql(
        "create table t as select i::double as x, (i * i % 17)::double as y from range(100) r(i)"
    )
    pond.sql(
        "create model m transform (ML.STANDARD_SCALER(x) over () as x, ln(1 + y) as logged) "
        "options (model_type = 'pca', num_principal_components = 1) as from t"
    )
    found = [row[0] for row in rows(pond, "from ml.predict('m', 't')")]
    direct = "create model direct options (model_type = 'pca', num_principal_components = 1) as select x, ln(1 + y) as logged from t"
    pond.sql(direct)
    expected = rows(pond, "from ml.predict('direct', '(select x, ln(1 + y) as logged from t)')")
    assert found == approx([row[0] for row in expected], rel=1e-9)


def test_large_tables_take_one_scan(pond, monkeypatch):
    from mlpond.models import job

    monkeypatch.setattr(job, "GATHER_FROM", 1000)
    monkeypatch.setattr(job, "GATHER_SAMPLE", 500)
    pond.sql(
        "create table t as select sin(i) * 5 + i / 1e3 as a, cos(i) + 100 as b, (i % 13)::double as c from range(20000) r(i)"
    )
    options = "options (model_type = 'pca', num_principal_components = 3) as"
    pond.sql(f"create model m {options} from t")
    X = np.array(rows(pond, "from t"))
    Z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    found = rows(pond, "from ml.principal_component_info('m')")
    assert [row[1] for row in found] == approx(PCA(3).fit(Z).explained_variance_, rel=1e-10)
    described = {row[0]: row[3] for row in rows(pond, "from ml.feature_info('m')")}
    assert [described[k] for k in "abc"] == approx(X.mean(axis=0), rel=1e-12)


def test_bad_input(pond):
    pond.sql(
        "create table t as select i::double as x, 1.5::double as constant, i % 3 as k from range(10) r(i)"
    )

    def create(options, query="from t"):
        pond.sql(f"create or replace model m options (model_type = 'pca'{options}) as {query}")

    for options, message in {
        "": "exactly one of",
        ", num_principal_components = 2, pca_explained_variance_ratio = 0.5": "exactly one of",
        ", pca_explained_variance_ratio = 1.0": "below 1",
        ", num_principal_components = 9": "pass 1 to 3",
        ", num_principal_components = 1, input_label_cols = ['x']": "input_label_cols",
    }.items():
        with pytest.raises(InputError, match=message):
            create(options)
    with pytest.raises(TrainingError, match="at least 2"):
        create(", num_principal_components = 1", "select * from t limit 1")
    with pytest.raises(TrainingError, match="no rows"):
        create(", num_principal_components = 1", "select * from t where false")
    with pytest.raises(TrainingError, match="NaN or infinity"):
        create(", num_principal_components = 1", "select x / 0 as x from t")
    create(", num_principal_components = 2")
    assert "constant: constant" in record(pond, "select warnings[1] as said from ml.models")["said"]
