"""Functions of a STRUCT written out field by field: SQL cannot name the fields of its results."""

from __future__ import annotations

from collections.abc import Iterator

from mlpond.sql.templates.quoting import string

MOST_FIELDS = 10
Field = tuple[str, str]  # its name, its SQL


def _products(
    fields: list[Field], degree: int, repeated: bool, start: int = 0, chosen: tuple[Field, ...] = ()
) -> Iterator[tuple[Field, ...]]:
    """Walk over combinations in the order f1, f1_f1, f1_f2 …, f2 …"""
    if chosen:
        yield chosen
    if len(chosen) == degree:
        return
    for index in range(start, len(fields)):
        yield from _products(
            fields, degree, repeated, index if repeated else index + 1, (*chosen, fields[index])
        )


def _struct(parts: list[tuple[tuple[Field, ...], str]]) -> str:
    named = (f"{string('_'.join(name for name, _ in key))}: {sql}" for key, sql in parts)
    return "{" + ", ".join(named) + "}"


def feature_cross(fields: list[Field], degree: int = 2) -> str:
    """Write the STRUCT of crossed categories, which are texts: 2 to ``degree``, no one twice."""
    return _struct(
        [
            (chosen, " || '_' || ".join(sql for _, sql in chosen))
            for chosen in _products(fields, degree, repeated=False)
            if len(chosen) > 1
        ]
    )


def interactions(fields: list[Field], degree: int = 2) -> str:
    """Write the STRUCT of the numbers and the products of up to ``degree`` different ones."""
    return _struct(
        [
            (chosen, " * ".join(f"({sql})::double" for _, sql in chosen))
            for chosen in _products(fields, degree, repeated=False)
        ]
    )


def polynomial_expand(fields: list[Field], degree: int = 2) -> str:
    """Write the STRUCT of the products of up to ``degree`` numbers, themselves among them."""
    return _struct(
        [
            (chosen, " * ".join(f"({sql})::double" for _, sql in chosen))
            for chosen in _products(fields, degree, repeated=True)
        ]
    )
