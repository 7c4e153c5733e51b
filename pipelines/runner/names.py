"""Names of relations: quoting, comparing, suggesting, and one trap of DuckDB."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import sqlglot
from sqlglot import TokenType

from mlpond.sql.templates.quoting import identifier, join_parts, name_parts, string

Key = tuple[str, ...]


def quote(*parts: str) -> str:
    """The parts of a name as one quoted SQL name: quote('a', 'b c') is "a"."b c"."""
    return ".".join(identifier(part) for part in parts)


def typed(*parts: str) -> str:
    """The parts of a name as one types it: quoted only where DuckDB needs it."""
    return ".".join(part if _needs_no_quotes(part) else identifier(part) for part in parts)


def folded(*parts: str) -> Key:
    """The parts of a name as they compare in DuckDB, which ignores case."""
    return tuple(part.casefold() for part in parts)


def shown(reference: str) -> str:
    """A name as people write it: a file path without the quotes around it."""
    parts = name_parts(reference)
    return parts[0] if len(parts) == 1 else reference


def same(a: str, b: str) -> bool:
    """Whether two names are the same to DuckDB, which ignores case."""
    return a.casefold() == b.casefold()


def suggest(name: str, known: Iterable[str]) -> str:
    """A hint at the end of an error: the nearest known names, or all of them when few."""
    names = sorted(set(known))
    if not names:
        return "there are none"
    by_fold = {known_name.casefold(): known_name for known_name in names}
    near = difflib.get_close_matches(name.casefold(), by_fold, n=3, cutoff=0.6)
    # a table is often right and its schema missing or wrong
    last = name.rsplit(".", 1)[-1].casefold()
    near += [fold for fold in by_fold if fold.rsplit(".", 1)[-1] == last and fold not in near]
    if near:
        return "did you mean " + " or ".join(by_fold[fold] for fold in near) + "?"
    shown = ", ".join(names[:20])
    return f"there are: {shown}" + (", …" if len(names) > 20 else "")


def qualify(sql: str, schema: str, catalog: str, relations: Iterable[str]) -> str:
    """Put the catalog before schema.relation where DuckDB could not tell schema from catalog.

    In a file flights.duckdb the name flights.legs is an error ("ambiguous reference to catalog or
    schema"), for the file's catalog is called flights as well. Only names of the given relations
    are touched, in the text and in string literals that are such a name; all else stays as it is.
    """
    known = {folded(schema, name) for name in relations}
    prefix = f"{catalog}." if _needs_no_quotes(catalog) else f"{quote(catalog)}."
    pieces: list[str] = []
    end = 0
    tokens = sqlglot.tokenize(sql, dialect="duckdb")
    for i, token in enumerate(tokens):
        follows_dot = i > 0 and tokens[i - 1].token_type == TokenType.DOT
        names_relation = (
            not follows_dot
            and i + 2 < len(tokens)
            and token.token_type != TokenType.STRING
            and tokens[i + 1].token_type == TokenType.DOT
            and folded(token.text, tokens[i + 2].text) in known
        )
        literal = token.token_type == TokenType.STRING and folded(*name_parts(token.text)) in known
        if names_relation:
            pieces += [sql[end : token.start], prefix]
            end = token.start
        elif literal:
            full = join_parts([catalog, *name_parts(token.text)])
            pieces += [sql[end : token.start], string(full)]
            end = token.end + 1
    return "".join(pieces) + sql[end:]


def _needs_no_quotes(name: str) -> bool:
    tokens = sqlglot.tokenize(name, dialect="duckdb")
    return len(tokens) == 1 and tokens[0].token_type == TokenType.VAR  # not a keyword
