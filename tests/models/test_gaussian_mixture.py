"""CREATE MODEL with gaussian_mixture: against SciPy's density, and in a plain shell."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from pytest import approx
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

import mlpond
from mlpond.errors import InputError, TrainingError
from tests.conftest import record, rows

NUMBERS = "bill_length_mm, bill_depth_mm, flipper_length_mm, body_mass_g"
KINDS = ("full", "tied", "diag", "spherical")


@pytest.fixture(scope="module")
def path(tmp_path_factory, load_penguins):
    path = tmp_path_factory.mktemp("mixture") / "m.duckdb"
    with mlpond.connect(path) as pond:
        load_penguins(pond)
        for kind in KINDS:
            pond.sql(
                f"create model {kind} options (model_type = 'gaussian_mixture', num_components = 3,"
                f" covariance_type = '{kind}') "
                f"as select {NUMBERS} from penguins where body_mass_g is not null"
            )
        pond.sql(
            "create model mixed options (model_type = 'gaussian_mixture', num_components = 2) "
            "as select * exclude (year) from penguins"
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


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_those_of_the_stored_normal_densities(trained, kind):
    X = np.array(rows(trained, f"select {NUMBERS} from penguins where body_mass_g is not null"))
    weights = rows(
        trained,
        f"select weight from ml.mixture_components where model = '{kind}' order by component",
    )
    logs = []
    for k, (weight,) in enumerate(weights, start=1):
        where = f"where model = '{kind}' and component = {k}"
        mean = rows(trained, f"select mean from ml.mixture_means {where} order by position")
        covariance = np.zeros((4, 4))
        for i, j, value in rows(
            trained,
            f"select position, other_position, covariance from ml.mixture_covariances {where}",
        ):
            covariance[i, j] = value
        density = multivariate_normal(np.ravel(mean), covariance)
        logs.append(np.log(weight) + density.logpdf(X))
    total = logsumexp(logs, axis=0)
    found = rows(
        trained,
        f"select log_density, component, component_probs from ml.predict('{kind}', "
        "'(from penguins where body_mass_g is not null)')",
    )
    assert [row[0] for row in found] == approx(total, rel=1e-9)
    assert [row[1] for row in found] == list(np.argmax(logs, axis=0) + 1)
    for (_, _, probs), i in zip(found, range(len(X)), strict=True):
        shares = {e["component"]: e["prob"] for e in probs}
        assert [shares[k + 1] for k in range(3)] == approx(
            np.exp(np.array(logs)[:, i] - total[i]), abs=1e-9
        )
    metrics = record(trained, f"from ml.evaluate('{kind}')")
    statistics = dict(
        rows(trained, f"select name, value from ml.fit_statistics where model = '{kind}'")
    )
    for name in ("log_likelihood", "aic", "bic"):
        assert metrics[name] == approx(statistics[name], rel=1e-10)
    losses = [row[2] for row in rows(trained, f"from ml.training_info('{kind}')")]
    assert losses[-1] == approx(-metrics["mean_log_likelihood"], rel=1e-10)


def test_the_plain_shell_scores_alike(trained, copy, shell):
    queries = {
        name: "select component, log_density, component_probs[1].prob as p, "
        f"component_probs[2].prob as q from ml.predict('{name}', 'penguins')"
        for name in (*KINDS, "mixed")
    }
    queries["evaluate"] = "from ml.evaluate('mixed')"
    expected = {name: rows(trained, query) for name, query in queries.items()}
    for name, query in queries.items():
        found = [tuple(row.values()) for row in shell(copy, query)]
        assert np.array(found) == approx(np.array(expected[name]), rel=1e-9), name


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ("num_components = 40", TrainingError, "num_components is 40, but there are 10 rows"),
        (
            "num_components = 3",
            TrainingError,
            "num_components is 3, but there are only 2 different",
        ),
        ("covariance_type = 'round'", InputError, "one of FULL, TIED, DIAG, SPHERICAL"),
        ("reg_covar = -1", InputError, "reg_covar is -1"),
        ("reg_covar = 0", TrainingError, "no spread in some direction"),
    ],
)
def test_bad_requests_are_refused(pond, options, error, message):
    with pytest.raises(error, match=message):
        pond.sql(
            f"create model m options (model_type = 'gaussian_mixture', {options}) "
            "as select range % 2 as x from range(10)"
        )
