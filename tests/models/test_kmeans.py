"""CREATE MODEL with kmeans: against scikit-learn, BigQuery ML's columns, and in a plain shell."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from pytest import approx
from sklearn.cluster import KMeans
from sklearn.metrics import davies_bouldin_score

import mlpond
from mlpond.errors import InputError, TrainingError
from tests.conftest import rows

NUMBERS = "bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g"
OPTIONS = {
    "plain": "num_clusters = 3",
    "raw": "num_clusters = 4, standardize_features = false, kmeans_init_method = 'kmeans++'",
    "cosine": "num_clusters = 3, distance_type = 'cosine'",
    "raw_cosine": "num_clusters = 3, distance_type = 'cosine', standardize_features = false",
}


@pytest.fixture(scope="module")
def path(tmp_path_factory, load_penguins):
    """A file with a model of each kind over all columns, and one of numbers only."""
    path = tmp_path_factory.mktemp("kmeans") / "k.duckdb"
    with mlpond.connect(path) as pond:
        load_penguins(pond)
        for name, options in OPTIONS.items():
            pond.sql(
                f"create model {name} options (model_type = 'kmeans', {options}) "
                "as select * exclude (year) from penguins"
            )
        pond.sql(
            "create model numbers options (model_type = 'kmeans', num_clusters = 3) "
            f"as select {NUMBERS} from penguins where body_mass_g is not null"
        )
    return path


@pytest.fixture(scope="module")
def copy(path):
    """The file again, for the shell: this process holds a lock on the other."""
    return shutil.copy(path, path.with_name("copy.duckdb"))


@pytest.fixture(scope="module")
def trained(path):
    with mlpond.connect(path, read_only=True) as pond:
        yield pond


def assigned(pond, name):
    return rows(pond, f"select CENTROID_ID, NEAREST_CENTROIDS_DISTANCE[1].DISTANCE from "
                      f"ml.predict('{name}', 'penguins')")  # fmt: skip


def test_numbers_agree_with_scikit_learn(trained):
    pond = trained
    X = np.array(rows(pond, f"select {NUMBERS} from penguins where body_mass_g is not null"))
    Z = (X - X.mean(axis=0)) / X.std(axis=0, ddof=1)
    other = KMeans(3, n_init=20, random_state=0, tol=0).fit(Z)
    [(index, distance)] = rows(pond, "from ml.evaluate('numbers')")
    assert distance * len(X) == approx(other.inertia_, rel=1e-10)
    points = rows(
        pond,
        "select list(numerical_value order by feature) from ml.centroids('numbers', "
        "standardize := true) group by centroid_id order by centroid_id",
    )
    order = np.argsort(NUMBERS.split(", "))
    found = np.array([point[0] for point in points])
    expected = other.cluster_centers_[:, order]
    expected = expected[np.argsort(-np.bincount(other.labels_))]
    assert found == approx(expected, abs=1e-9)
    # scikit-learn's index takes the mean distance to the center, BigQuery ML's the root mean square
    label, centers = other.labels_, other.cluster_centers_
    s = [np.sqrt(((Z[label == k] - centers[k]) ** 2).sum(axis=1).mean()) for k in range(3)]
    ratios = [
        max((s[i] + s[j]) / np.linalg.norm(centers[i] - centers[j]) for j in range(3) if j != i)
        for i in range(3)
    ]
    assert index == approx(np.mean(ratios), rel=1e-9)
    assert index == approx(davies_bouldin_score(Z, label), rel=0.1)


@pytest.mark.parametrize("name", OPTIONS)
def test_scoring_finds_the_clusters_of_training(trained, name):
    [(loss,)] = rows(trained, f"select loss from ml.models where name = '{name}'")
    found = assigned(trained, name)
    assert np.mean([d * d for _, d in found]) == approx(loss, rel=1e-9)
    stored = rows(
        trained,
        "select cluster_size, cluster_radius from ml.clusters "
        f"where model = '{name}' and iteration is null order by centroid_id",
    )
    for k, (size, radius) in enumerate(stored, start=1):
        distances = [d for i, d in found if i == k]
        assert len(distances) == size
        assert np.sqrt(np.mean(np.square(distances))) == approx(radius, rel=1e-9)


def test_columns_are_those_of_bigquery_ml(trained):
    data = "select * exclude (year) from penguins"
    found = trained.sql(f"select * from ML.PREDICT(MODEL plain, ({data})) limit 0")
    inputs = trained.sql(data).columns
    assert found.columns == ["CENTROID_ID", "NEAREST_CENTROIDS_DISTANCE", *inputs]
    found = trained.sql(
        f"select * from ML.DETECT_ANOMALIES(MODEL plain, STRUCT(0.05 AS contamination), ({data}))"
    )
    assert found.columns == ["is_anomaly", "normalized_distance", "CENTROID_ID", *inputs]
    steps = rows(trained, "from ml.training_info('plain')")
    assert steps[0][6][0].keys() == {"centroid_id", "cluster_radius", "cluster_size"}
    assert sum(cluster["cluster_size"] for cluster in steps[0][6]) == 344
    losses = [step[2] for step in steps]
    assert losses == sorted(losses, reverse=True)


def test_anomalies_are_the_share_that_was_asked_for(trained):
    found = rows(
        trained,
        "select is_anomaly, normalized_distance from "
        "ml.detect_anomalies('numbers', '(from penguins where body_mass_g is not null)', "
        "contamination := 0.1)",
    )
    distance = np.array([d for _, d in found])
    assert [a for a, _ in found] == list(distance > np.quantile(distance, 0.9))
    with pytest.raises(Exception, match="contamination is 0.7; pass a share from 0 to 0.5"):
        rows(trained, "from ml.detect_anomalies('numbers', 'penguins', contamination := 0.7)")


def test_categories_and_null_take_part(trained):
    [(shares,)] = rows(
        trained,
        "select categorical_value from ml.centroids('plain') "
        "where feature = 'sex' and centroid_id = 1",
    )
    assert [e["category"] for e in shares] == ["female", "male", "_null_filler"]
    assert sum(e["value"] for e in shares) == approx(1.0, rel=1e-12)
    [(k,)] = rows(
        trained,
        "select CENTROID_ID from ml.predict('plain', '(select * replace (''other'' as island, "
        "null as sex) from penguins limit 1)')",
    )
    assert k in (1, 2, 3)


def test_a_plain_shell_scores_alike(trained, copy, shell):
    queries = {
        name: "select CENTROID_ID as k, NEAREST_CENTROIDS_DISTANCE[1].DISTANCE as first, "
        f"NEAREST_CENTROIDS_DISTANCE[3].DISTANCE as third from ml.predict('{name}', 'penguins')"
        for name in OPTIONS
    }
    queries["evaluate"] = "select *, 1 as k from ml.evaluate('cosine')"
    queries["anomalies"] = (
        "select CENTROID_ID as k, normalized_distance, is_anomaly::int as a "
        "from ml.detect_anomalies('plain', 'penguins')"
    )
    expected = {name: rows(trained, query) for name, query in queries.items()}
    for name, query in queries.items():
        found = [tuple(row.values()) for row in shell(copy, query)]
        assert np.array(found) == approx(np.array(expected[name]), rel=1e-9), name
    assert shell(copy, "from ml.centroids('plain')")
    assert shell(copy, "from ml.training_info('plain')")


def test_custom_starts_from_the_marked_rows(pond, load_penguins):
    load_penguins(pond)
    marked = f"select {NUMBERS}, body_mass_g in (2700, 6300, 4250) as is_start from penguins"
    pond.sql(
        "create model m options (model_type = 'kmeans', num_clusters = 7, "
        "kmeans_init_method = 'custom', kmeans_init_col = 'is_start', max_iterations = 1) "
        f"as {marked}"
    )
    found = pond.sql("select distinct feature from ml.centroids('m')").fetchall()
    assert ("is_start",) not in found
    with pytest.raises(TrainingError, match="7 rows are marked .* num_clusters is 3; mark exactly"):
        pond.sql(
            "create model n options (model_type = 'kmeans', num_clusters = 3, "
            f"kmeans_init_method = 'custom', kmeans_init_col = 'is_start') as {marked}"
        )


@pytest.mark.parametrize(
    ("options", "query", "error", "message"),
    [
        ("num_clusters = 4", "select 1 as x from range(10)", TrainingError,
         "num_clusters is 4, but there are only 1 different rows"),
        ("num_clusters = 40", "select range as x from range(10)", TrainingError,
         "num_clusters is 40, but there are only 10"),
        ("num_clusters = 0", "select range as x from range(10)", InputError, "num_clusters is 0"),
        ("kmeans_init_method = 'custom'", "select range as x from range(10)", InputError,
         "kmeans_init_col.*given together"),
        ("kmeans_init_method = 'custom', kmeans_init_col = 'x'", "select range as x, 1 as y "
         "from range(10)", InputError, "kmeans_init_col x has type BIGINT; it must be BOOLEAN"),
        ("num_clusters = 2", "select 'nan'::double as x from range(10)", TrainingError,
         "column x holds NaN or infinity in 10 rows"),
        ("num_clusters = 2, input_label_cols = ['x']", "select 1 as x", InputError,
         "input_label_cols"),
    ],
)  # fmt: skip
def test_bad_requests_are_refused(pond, options, query, error, message):
    with pytest.raises(error, match=message):
        pond.sql(f"create model m options (model_type = 'kmeans', {options}) as {query}")


def test_many_rows_are_read_in_passes_and_mini_batches(pond):
    pond.sql(
        "create table t as select (i % 4) * 10 + sin(i) as x, cos(i * i) as y, i % 3 = 0 as z "
        "from range(60000) as r(i)"
    )
    for options in ("kmeans_init_method = 'kmeans++'", "batch_size = 1000, num_init = 3"):
        pond.sql(
            f"create or replace model m options (model_type = 'kmeans', num_clusters = 4, "
            f"standardize_features = false, {options}) as from t"
        )
        [(sizes,)] = rows(
            pond, "select cluster_info from ml.training_info('m') order by iteration desc limit 1"
        )
        # the four groups of x are 10 apart, their rows within 1
        assert [cluster["cluster_size"] for cluster in sizes] == [15000] * 4


def test_a_tuned_model_says_which_trial_its_centroids_are_of(pond):
    pond.sql("create or replace table waves as select sin(i) as x, i % 3 as k from range(200) r(i)")
    pond.sql(
        "create or replace model tuned options (model_type = 'kmeans', "
        "num_clusters = hparam_candidates([2, 3]), num_trials = 2) as from waves"
    )
    ((best,),) = rows(pond, "select trial_id from ML.TRIAL_INFO(MODEL tuned) where is_optimal")
    assert rows(pond, "select distinct trial_id from ml.centroids('tuned')") == [(best,)]
    clusters = {}
    for trial in (1, 2):
        query = f"from ML.CENTROIDS(MODEL tuned, STRUCT({trial} AS trial_id))"
        found = rows(pond, f"select trial_id, count(distinct centroid_id) {query} group by all")
        clusters[found[0][0]] = found[0][1]
        # each trial is a version with a training of its own
        assert rows(pond, f"from ML.TRAINING_INFO(MODEL tuned, STRUCT({trial} AS trial_id))")
    asked = rows(pond, "select trial_id, hyperparameters.num_clusters from ml.trial_info('tuned')")
    assert clusters == dict(asked)
    pond.sql("create or replace model plain_waves options (model_type = 'kmeans') as from waves")
    columns = pond.sql("from ml.centroids('plain_waves')").columns
    assert columns == ["centroid_id", "feature", "numerical_value", "categorical_value"]


def test_a_sample_without_rows_is_drawn_again(pond, monkeypatch):
    """Samples are stretches of rows; of very wide rows so few fit that there may be none."""
    from mlpond.udfs.clustering import kmeans

    monkeypatch.setattr(kmeans, "SAMPLE_CELLS", 100)
    pond.sql(
        "create or replace model sampled options (model_type = 'kmeans', num_clusters = 3) as "
        "select sin(i) as x, 'c' || (i % 40) as c from range(6000) r(i)"
    )
    assert rows(pond, "select count(distinct centroid_id) from ml.centroids('sampled')") == [(3,)]
