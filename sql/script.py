"""Cut a text into SQL statements at the semicolons that are not quoted.

DuckDB's own splitter refuses model statements, which it cannot parse, so this one looks at
nothing but strings, quoted names, comments and semicolons. It needs no parser of SQL, whose import
takes longer than most queries.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Alternatives are tried in this order: whole tokens first, then openings that never close.
_TOKEN = re.compile(
    r"""
      (?P<comment> --[^\n]* )
    | (?P<block> /\* )
    | (?P<quoted>
          (?<!\w)[eE]'(?: \\. | '' | [^'\\] )*'
        | '(?: '' | [^'] )*'
        | "(?: "" | [^"] )*"
        | `[^`]*`
        | \$(?P<tag> [A-Za-z_]\w* )?\$ .*? \$(?(tag)(?P=tag))\$
      )
    | (?P<open> ` | ' | " | \$(?: [A-Za-z_]\w* )?\$ )
    | (?P<end> ; )
    """,
    re.VERBOSE | re.DOTALL,
)
_BLOCK = re.compile(r"/\*|\*/")


@dataclass(frozen=True)
class Split:
    """A text cut into statements."""

    statements: tuple[str, ...]
    """The statements that a semicolon ends, without it."""
    rest: str
    """What follows the last semicolon, as written; empty when that is space and comments."""
    is_open: bool
    """Whether the rest ends inside a string, a quoted name or a comment."""


def split(text: str) -> Split:
    """Cut the text at its unquoted semicolons; statements of comments alone are left out."""
    statements: list[str] = []
    start = 0
    bare: list[str] = []  # the current statement without its comments
    seen = 0
    while token := _TOKEN.search(text, seen):
        bare.append(text[seen : token.start()])
        seen = token.end() if not token["block"] else _end_of_block(text, token.end())
        if token["open"] or seen < 0:
            return Split(tuple(statements), text[start:], True)
        if token["quoted"]:
            bare.append(token["quoted"])
        if token["end"]:
            if "".join(bare).strip():
                statements.append(text[start : token.start()].strip())
            start, bare = token.end(), []
    bare.append(text[seen:])
    rest = text[start:] if "".join(bare).strip() else ""
    return Split(tuple(statements), rest, False)


def _end_of_block(text: str, start: int) -> int:
    """Where the comment ends that begins before a place, -1 if it does not; comments nest."""
    depth = 1
    for sign in _BLOCK.finditer(text, start):
        depth += 1 if sign[0] == "/*" else -1
        if not depth:
            return sign.end()
    return -1


def statements(text: str) -> tuple[str, ...]:
    """All statements of a script; the last one needs no semicolon."""
    cut = split(text)
    return (*cut.statements, cut.rest.strip()) if cut.rest else cut.statements


def is_complete(text: str) -> bool:
    """Whether the text ends with a semicolon that ends a statement."""
    cut = split(text)
    return not cut.rest and not cut.is_open
