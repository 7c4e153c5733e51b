"""Which relations and models a statement reads, taken from its syntax tree."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.errors import SqlglotError

from mlpond.errors import StatementError
from mlpond.sql import catalog
from mlpond.sql.dialect.dialect import ModelStatement, parse
from mlpond.sql.dialect.statements import CreateModel
from mlpond.sql.templates.quoting import join_parts, name_parts


@dataclass(frozen=True)
class References:
    """What a statement reads and makes; a part of a name is quoted only if it holds a dot."""

    kind: str  # query, create_model or other
    reads: tuple[str, ...]
    models_read: tuple[str, ...]
    model_created: str | None


@dataclass
class _Found:
    reads: dict[str, None] = field(default_factory=dict)  # a set that keeps the order
    models: dict[str, None] = field(default_factory=dict)


def references(statement: str) -> References:
    """Read the references of one statement.

    Raises:
        StatementError: the text is not one statement, or cannot be parsed.
    """
    try:
        trees = [tree for tree in parse(statement) if tree is not None]
    except SqlglotError as error:
        message = "; ".join(item["description"] for item in getattr(error, "errors", []) or [])
        raise StatementError(
            f"references: the statement cannot be parsed: {message or error}"
        ) from error
    if len(trees) != 1:
        raise StatementError(
            f"references: the text holds {len(trees)} statements; exactly one is accepted."
        )
    tree = trees[0]
    found = _Found()
    kind = "query" if isinstance(tree, exp.Query | exp.Pivot) else "other"
    created = None
    if isinstance(tree, ModelStatement):
        if isinstance(tree.statement, CreateModel):
            kind, created = "create_model", tree.statement.name
        body = tree.args.get("expression")
        if body is not None:
            _walk(body, frozenset(), found)
    else:
        _walk(tree, frozenset(), found)
    return References(kind, tuple(found.reads), tuple(found.models), created)


def _walk(node: exp.Expression, ctes: frozenset[str], found: _Found) -> None:
    """Collect from a tree; ``ctes`` are the names that hide tables at this place."""
    with_ = node.args.get("with_") or node.args.get("with")
    if isinstance(with_, exp.With):
        for cte in with_.expressions:
            name = cte.alias.lower()
            inner = ctes | {name} if with_.args.get("recursive") else ctes
            _walk(cte.this, inner, found)
            ctes = ctes | {name}
    if isinstance(node, exp.Table):
        _table(node, ctes, found)
    for child in node.iter_expressions():
        if child is not with_:
            _walk(child, ctes, found)


def _table(node: exp.Table, ctes: frozenset[str], found: _Found) -> None:
    if isinstance(node.this, exp.Identifier):
        parts = [part.name for part in node.parts]
        if len(parts) > 1 or parts[0].lower() not in ctes:
            found.reads[join_parts(parts)] = None
        return
    function = node.this
    if node.db.lower() == "ml" and isinstance(function, exp.Func):
        name = (
            function.name if isinstance(function, exp.Anonymous) else function.sql_name()
        ).lower()
        _library_call(name, function, ctes, found)
    elif isinstance(function, exp.Anonymous) and function.name.lower() in ("query", "query_table"):
        for argument in function.expressions:
            if isinstance(argument, exp.Literal) and argument.is_string:
                is_query = function.name.lower() == "query"
                _relation(f"({argument.this})" if is_query else argument.this, ctes, found)


def _library_call(name: str, function: exp.Func, ctes: frozenset[str], found: _Found) -> None:
    entry = next((entry for entry in catalog() if entry.name == name), None)
    if entry is None:
        return
    types = {parameter.name: parameter.type for parameter in entry.parameters}
    order = [parameter.name for parameter in entry.parameters]
    for position, argument in enumerate(_arguments(function)):
        key = order[position] if position < len(order) else ""
        if isinstance(argument, exp.PropertyEQ | exp.Kwarg):
            key, argument = argument.name.lower(), argument.expression
        if not (isinstance(argument, exp.Literal) and argument.is_string):
            continue
        if types.get(key) == "model":
            found.models[argument.this] = None
        elif types.get(key) == "relation":
            _relation(argument.this, ctes, found)


def _arguments(function: exp.Func) -> list[exp.Expression]:
    return [child for child in function.iter_expressions() if isinstance(child, exp.Expression)]


def _relation(text: str, ctes: frozenset[str], found: _Found) -> None:
    """Take the name of a table, or a query in parentheses, out of a string."""
    if not text.lstrip().startswith("("):
        found.reads[join_parts(name_parts(text))] = None
        return
    # behind FROM, where a PIVOT may stand in parentheses as well as a SELECT
    for tree in parse(f"select * from {text}"):
        if tree is not None:
            # a string is bound on its own: the CTEs around the call are not visible in it
            _walk(tree, frozenset(), found)
