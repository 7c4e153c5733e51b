"""What the values of a column are, by the name of its type, in SQL and in Python."""

from __future__ import annotations

import pytest

from mlpond import type_names
from mlpond.sql.templates.renderer import render_text

# values, and what they are
TYPES = {
    "1::tinyint": "number whole",
    "1::integer": "number whole",
    "1::uhugeint": "number whole",
    "1::bignum": "number whole",
    "1::float": "number fraction",
    "1::double": "number fraction",
    "1::decimal(18, 3)": "number fraction",
    "'a'": "text",
    "'DATE'::enum ('DATE', 'PRINT')": "text",
    "date '2026-01-01'": "time",
    "timestamp_ns '2026-01-01'": "time",
    "timestamptz '2026-01-01'": "time",
    "[1]": "list",
    "[1]::integer[1]": "list",
    "[1]::double[]": "list",
    "[[1]]": "list",
    "['a'::enum ('a]', 'b')]": "list",
    "[date '2026-01-01']": "list",
    "map {1: 2}": "",
    "{'a': 1}": "",
    "1::union(a integer)": "",
    "interval 1 day": "",
    "time '10:00'": "",
    "true": "",
    "null": "",
}
KINDS = ("number", "whole", "fraction", "text", "time", "list")


@pytest.mark.parametrize("value", TYPES)
def test_kinds_of_values(con, value):
    asked = ", ".join(f"{{{{ t.is_{kind}('x') }}}}" for kind in KINDS)
    asked += ", " + ", ".join(f"{{{{ t.is_{kind}(type='name') }}}}" for kind in KINDS)
    sql = render_text(
        f"{{% import 'core/types.j2' as t %}}select {asked}, name from (select x, typeof(x) as name from (select {value} as x))",
        {},
        "a test",
    )
    *found, name = con.execute(sql).fetchone()
    expected = [kind in TYPES[value].split() for kind in KINDS]
    assert found == expected * 2
    for kind in ("number", "whole", "time"):
        assert getattr(type_names, f"is_{kind}")(name) == (kind in TYPES[value].split())
