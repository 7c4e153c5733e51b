"""CREATE MODEL: check everything, learn the features, let the family train, store the result."""

from __future__ import annotations

import time
from contextlib import nullcontext

from mlpond.engine import Engine
from mlpond.errors import ModelError
from mlpond.models import registry
from mlpond.models.families.family import Report
from mlpond.models.groups import train_groups
from mlpond.models.job import open_job, train
from mlpond.models.neighbors import Searches
from mlpond.models.request import check_request
from mlpond.models.source import open_source
from mlpond.models.store import store
from mlpond.models.validation.validate import needs_validation, validated
from mlpond.sql.dialect.statements import CreateModel
from mlpond.udf import in_plain_sql


def create_model(
    engine: Engine, statement: CreateModel, *, threads: int, report: Report, searches: Searches
) -> registry.Version | None:
    """Train a model and store it; all of it or, after an error, nothing.

    Returns:
        The new version, or None if IF NOT EXISTS found the model there.

    Raises:
        MlpondError: the statement, the options or the data do not allow a model.
    """
    existing = registry.versions(engine, statement.name)
    if existing and statement.if_not_exists:
        return None
    if existing and not statement.or_replace:
        raise ModelError(
            f"CREATE MODEL {statement.name}: a model of this name exists already "
            f"(version {existing[-1].version}); CREATE OR REPLACE MODEL makes the next version."
        )
    request = check_request(engine, statement)
    assert request.statement.query is not None
    started = time.perf_counter()
    several = needs_validation(request.options)
    grouped = request.options["group_cols"] is not None
    # a model that is not committed yet predicts by SQL alone
    predicts = several or grouped or request.options.values.get("calibration_method") is not None
    # outside the transaction: after an error nothing can be set within it
    with in_plain_sql(engine) if predicts else nullcontext(), engine.transaction():
        with open_source(engine, request.statement.query, request.columns) as source:
            job = open_job(engine, request, existing, source, threads, report, searches)
            if several:
                return validated(job, started)
            if grouped:
                return train_groups(job, started)
            training = job.prepare(request, job.version, job.split(request), gather=True)
            fitted = train(training)
        report("storing the model", None)
        store(training, fitted, started)
    return job.version
