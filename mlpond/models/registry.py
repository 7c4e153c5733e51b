"""The life of a model in the file: names, versions, aliases, and the macros that go with them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from mlpond.engine import Engine
from mlpond.errors import InputError, ModelError
from mlpond.sql.templates.installer import query_macro
from mlpond.sql.templates.lambdas import rename_parameters
from mlpond.sql.templates.quoting import identifier, string
from mlpond.sql.templates.renderer import unknown

DEFAULT = "default"
ROWS_AT_ONCE = 2_048  # of one insertion: as Python objects a row takes many times its size
_TRIAL = re.compile(r"trial_[0-9]+")  # aliases of trials
TABLES = (
    "models",
    "training_info",
    "features",
    "coefficients",
    "coefficient_factors",
    "regularization_path",
    "path_weights",
    "factors",
    "fit_statistics",
    "transform_state",
    "calibration",
    "centroids",
    "clusters",
    "mixture_components",
    "mixture_means",
    "mixture_covariances",
    "neighbor_points",
    "neighbor_cells",
    "principal_components",
    "principal_component_info",
    "class_parameters",
    "support_vectors",
    "random_features",
    "insights",
    "groups",
    "trials",
    "cross_validation",
    "learning_curve",
)
# Functions whose columns differ from model to model: ml.<function>('m', …) calls
# ml."<function>_m"(…). The last three are for regression inference.
FUNCTIONS = (
    "predict",
    "transform",
    "evaluate",
    "weights",
    "centroids",
    "confusion_matrix",
    "roc_curve",
    "detect_anomalies",
    "recommend",
    "uncalibrated",
    "scores",
    "conformal",
    "explain_predict",
    "global_explain",
    "permutation_importance",
    "margins",
    "support_vectors",
    "trial_info",
    "group_info",
    "get_insights",
    "out_of_fold",
    "design",
    "residuals",
    "products",
)
# Those that need data; the others look at the rows held out, or at the training rows.
NEED_DATA = (
    "predict",
    "transform",
    "uncalibrated",
    "detect_anomalies",
    "explain_predict",
    "conformal",
    "margins",
)
# Defaults of parameters that are not NULL if left out.
DEFAULTS = {
    "threshold": "5e-1", "standardize": "false", "also": "''", "squares": "false",
    "top_k_features": "5", "permutations": "20", "repeats": "5", "seed": "0",
    "confidence_level": "9e-1", "method": "'threshold'",
    "contamination": "1e-1", "keep_original_columns": "false",
}  # fmt: skip


@dataclass(frozen=True)
class Version:
    """One version of a model."""

    name: str
    version: int
    aliases: tuple[str, ...]

    @property
    def full_name(self) -> str:
        """The name that means this version for ever."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True)
class Macro:
    """A table macro of one version: its parameters, query, and how arguments are quoted."""

    function: str
    parameters: tuple[tuple[str, str | None], ...]
    body: str
    arguments: dict[str, str]


def versions(engine: Engine, name: str) -> list[Version]:
    """Return the versions of a model, oldest first; names do not tell upper from lower case."""
    rows = engine.rows(
        "select name, version, aliases from ml.models where lower(name) = lower(?) "
        "order by version",
        [name],
    )
    return [Version(row[0], row[1], tuple(row[2])) for row in rows]


def find(engine: Engine, name: str) -> Version:
    """Find the version that a name means: ``m`` its default, ``m@2`` or ``m@alias`` another.

    Raises:
        ModelError: there is no such model or version; lists those there are.
    """
    base, _, wanted = name.partition("@")
    found = versions(engine, base)
    if not found:
        names = [row[0] for row in engine.rows("select distinct name from ml.models order by name")]
        raise ModelError(unknown("model", base, names))
    wanted = wanted or DEFAULT
    for version in found:
        if wanted == str(version.version) or wanted in version.aliases:
            return version
    known = [str(v.version) for v in found] + [alias for v in found for alias in v.aliases]
    raise ModelError(unknown(f"model {base}: version or alias", wanted, known))


def insert(
    engine: Engine, table: str, columns: Iterable[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    """Insert rows into a table of the registry, many at once."""
    listed = list(columns)
    sources = ", ".join(f"unnest(${i + 1}) as {name}" for i, name in enumerate(listed))
    statement = (
        f"insert into ml.{table} ({', '.join(listed)}) "
        f"select {', '.join(listed)} from (select {sources})"
    )
    remaining = iter(rows)
    while some := list(islice(remaining, ROWS_AT_ONCE)):
        # columns travel as lists, so that a thousand rows are one statement
        engine.execute(statement, [list(values) for values in zip(*some, strict=True)])


def install_macros(engine: Engine, version: Version, macros: list[Macro]) -> None:
    """Write the macros of a version under its full name, and point its aliases at them."""
    for macro in macros:
        name = f"{macro.function}_{version.full_name}"
        body = rename_parameters(macro.body)  # a column of the data may have a parameter's name
        engine.execute(query_macro(name, list(macro.parameters), body, macro.arguments))


def point_alias(
    engine: Engine, version: Version, alias: str, macros: list[Macro] | None = None
) -> None:
    """Make an alias mean this version, and no other version of the model any more.

    Args:
        engine: Runs SQL.
        version: The version.
        alias: The alias.
        macros: The functions of the version, if they are known; else the catalogue tells.
    """
    engine.execute(
        "update ml.models set aliases = list_filter(aliases, lambda a: a <> $1) where name = $2",
        [alias, version.name],
    )
    engine.execute(
        "update ml.models set aliases = list_append(aliases, $1) where name = $2 and version = $3",
        [alias, version.name, version.version],
    )
    target = version.name if alias == DEFAULT else f"{version.name}@{alias}"
    if macros is None:
        signatures = _signatures(engine, version)
    else:
        signatures = [(m.function, [name for name, _ in m.parameters]) for m in macros]
    for function in FUNCTIONS:
        engine.execute(f"drop macro table if exists ml.{identifier(f'{function}_{target}')}")
    for function, parameters in signatures:
        full_name = f"{function}_{version.full_name}"
        needed = ("data",) if function in NEED_DATA else ()
        optional = {p: DEFAULTS.get(p, "null") for p in parameters if p not in needed}
        declared = ", ".join(f"{p} := {optional[p]}" if p in optional else p for p in parameters)
        passed = ", ".join(f"{p} := {p}" if p in optional else p for p in parameters)
        engine.execute(
            f"create macro ml.{identifier(f'{function}_{target}')}({declared}) as table "
            f"from ml.{identifier(full_name)}({passed})"
        )
    if alias == DEFAULT:
        _point_trials(engine, version)


def _signatures(engine: Engine, version: Version) -> list[tuple[str, list[str]]]:
    """The functions of a version and the names of their parameters.

    One look at the catalogue for all of them: it lists every function of DuckDB's, in 25 ms.
    """
    full_names = {f"{function}_{version.full_name}": function for function in FUNCTIONS}
    found = engine.rows(
        "select function_name, parameters from duckdb_functions() "
        "where database_name = current_database() and schema_name = 'ml' "
        "and list_contains(?, function_name)",
        [list(full_names)],
    )
    return [(full_names[name], parameters) for name, parameters in found]


def rows_table(version: Version) -> str:
    """The quoted name of the table in schema ml that holds a version's out-of-fold predictions."""
    return identifier(f"out_of_fold_{version.full_name}")


def _point_trials(engine: Engine, version: Version) -> None:
    """Make trial_1, trial_2 … mean the trials of the job that the default version came from."""
    for other in versions(engine, version.name):
        for alias in filter(_TRIAL.fullmatch, other.aliases):
            for function in FUNCTIONS:
                name = identifier(f"{function}_{version.name}@{alias}")
                engine.execute(f"drop macro table if exists ml.{name}")
    engine.execute(
        "update ml.models set aliases = list_filter(aliases, lambda a: not "
        "regexp_full_match(a, $1)) where name = $2",
        [_TRIAL.pattern, version.name],
    )
    found = engine.rows(
        "select t.version, t.trial_id from ml.trials as t where t.model = $1 and t.job = ("
        "select job from ml.trials where model = $1 and version = $2) and exists (from ml.models "
        "as m where m.name = t.model and m.version = t.version) order by t.trial_id",
        [version.name, version.version],
    )
    for number, trial_id in found:
        point_alias(engine, Version(version.name, number, ()), f"trial_{trial_id}")


def drop(engine: Engine, name: str, *, if_exists: bool) -> None:
    """Drop a model with all its versions, or with ``m@2`` one version.

    Raises:
        ModelError: there is no such model, or the version is the default of others.
    """
    base, _, wanted = name.partition("@")
    found = versions(engine, base)
    if not found and if_exists:
        return
    if wanted:
        version = find(engine, name)
        if DEFAULT in version.aliases and len(found) > 1:
            raise ModelError(
                f"DROP MODEL {name}: it is the default version of {base}; point the default "
                f"elsewhere first (ALTER MODEL {base}@N SET OPTIONS (default_version = TRUE)) "
                f"or drop the whole model."
            )
        found = [version]
    elif not found:
        find(engine, name)
    for version in found:
        _remove(engine, version)
    if not wanted and found:  # trials that failed have no version
        engine.execute("delete from ml.trials where model = ?", [found[0].name])


def group_functions(engine: Engine, version: Version) -> list[str]:
    """The functions of the models of a version's groups."""
    found = engine.rows(
        "select distinct function_name from duckdb_functions() "
        "where database_name = current_database() and schema_name = 'ml' "
        "and list_contains($1, left(function_name, strpos(function_name, $2) - 1)) "
        "order by function_name",
        [list(FUNCTIONS), f"_{version.full_name}@"],
    )
    return [row[0] for row in found]


def remove_contents(engine: Engine, version: Version) -> None:
    """Take out the functions and the rows of a version that has no aliases."""
    _remove(engine, replace(version, aliases=()))


def _remove(engine: Engine, version: Version) -> None:
    engine.execute(f"drop table if exists ml.{rows_table(version)}")
    names = [version.full_name, *(f"{version.name}@{a}" for a in version.aliases)]
    if DEFAULT in version.aliases:
        names.append(version.name)
    for name in names:
        for function in FUNCTIONS:
            engine.execute(f"drop macro table if exists ml.{identifier(f'{function}_{name}')}")
    key = [version.name, version.version]
    if engine.value("select count(*) from ml.groups where model = ? and version = ?", key):
        for name in group_functions(engine, version):
            engine.execute(f"drop macro table ml.{identifier(name)}")
        for table in TABLES[1:]:  # the models of groups are versions of the version
            engine.execute(f"delete from ml.{table} where model = ?", [version.full_name])
    for table in TABLES:
        column = "name" if table == "models" else "model"
        engine.execute(f"delete from ml.{table} where {column} = ? and version = ?", key)


ALTERABLE = ("description", "labels", "expiration_timestamp", "default_version", "alias")
IGNORED = ("kms_key_name", "vertex_ai_model_id", "deploy_model", "endpoint_idle_ttl")


def alter(engine: Engine, name: str, options: dict[str, Any], *, if_exists: bool) -> None:
    """Change what may be changed of a model: its description, labels, expiry and aliases.

    Raises:
        InputError: an option is unknown or of the wrong type.
        ModelError: there is no such model.
    """
    for option in options:
        if option not in ALTERABLE and option not in IGNORED:
            raise InputError(
                unknown(f"ALTER MODEL {name}: option", option, sorted(ALTERABLE + IGNORED))
            )
    if if_exists and not versions(engine, name.partition("@")[0]):
        return
    version = find(engine, name)
    for option, value in options.items():
        if option in ("description", "expiration_timestamp") and (
            value is None or isinstance(value, str)
        ):
            _set(engine, version, option, value)
        elif option == "labels" and isinstance(value, list):
            _set(engine, version, option, json.dumps(value))
        elif option == "default_version" and value is True:
            point_alias(engine, version, DEFAULT)
        elif option == "alias" and isinstance(value, str) and _TRIAL.fullmatch(value):
            raise InputError(
                f"ALTER MODEL {name}: the alias {value} means a trial of the default version; "
                "choose another."
            )
        elif option == "alias" and isinstance(value, str) and value and not value.isdigit():
            point_alias(engine, version, value)
        elif option not in IGNORED:
            raise InputError(
                f"ALTER MODEL {name}: option {option} is {value!r}; accepted are a string for "
                "description, expiration_timestamp and alias (not a number), an array of structs "
                "for labels, and TRUE for default_version."
            )


def _set(engine: Engine, version: Version, column: str, value: Any) -> None:
    engine.execute(
        f"update ml.models set {column} = ? where name = ? and version = ?",
        [value, version.name, version.version],
    )


def text_or_relation(parameter: str, evaluation: str) -> str:
    """Write the SQL that quotes a relation, or names the evaluation rows where it is NULL."""
    return (
        f"case when {parameter} is null then {string(evaluation)} else ml.relation({parameter}) end"
    )
