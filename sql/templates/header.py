"""The header of a template: its contract, read from the Jinja comment that opens the file.

    {#
    Summary: what the template answers, up to the first blank line.

    Functions                              a template of `create macro` statements, or
        name(x, mean := 0)  DOUBLE  meaning
    Parameters
        name  TYPE  meaning                (a default is written `name := default`)
    Columns (note)                         a template that is one query
        name  TYPE  meaning

    Level: partial | keyed | global
    Example: SELECT ml.name(1)
    Source: paper or book
    #}

The type of a parameter says how its argument is written into the query: relation and column are
names, and are quoted; an expression is SQL as it stands; a distribution is the name of a family
that has `ml.<name>_cdf`, `ml.<name>_random` and so on, and goes between `ml.` and `_cdf` in the
body; numbers are a list of at least one, written as arguments of a call: `1e0, 2e0`; a duration is
a number, or an INTERVAL or its text, written as what can be added to a time; strings are a list of
texts. forms.py has other forms of them. A condition is SQL, or a value of the column that the
parameter `event` names, if that is given; conditions are a list of these, written as one whole
number whose bits say which of them hold, the highest that of the first, and `name.texts` is the
list as it came.

An argument of a table function that has no default must not be NULL, unless its meaning has the
words "NULL means". A list of columns, or one whose meaning begins with "names of", must have no
NULL in it, and if its meaning has the words ", each once" no name twice.

Fields are parted by two spaces or more; a line indented deeper continues the one above.

Every test has the same fields (inference/result.j2). Its header writes them as one column
`test_fields  TEST  …` (`f_test_fields` with df_between and df_within); a later line of the same
name says what, say, `estimate` is in this test. A function returns them as a STRUCT: `TEST`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mlpond.errors import TemplateError

LEVELS = ("partial", "keyed", "global")
PARAMETER_TYPES = (
    "model", "relation", "column", "columns", "expression", "distribution", "double", "integer",
    "boolean", "string", "strings", "list", "numbers", "any", "duration", "condition",
    "conditions",
)  # fmt: skip
TEST_FIELDS = {
    "statistic": ("DOUBLE", "the test statistic"),
    "df": ("DOUBLE", "degrees of freedom; NULL if the test has none"),
    "p_value": ("DOUBLE", "probability of a statistic as far out, if the null hypothesis holds"),
    "log10_p_value": (
        "DOUBLE",
        "its decimal logarithm, also where p_value is too small for a double",
    ),
    "estimate": ("DOUBLE", "what the test is about, as estimated; NULL if there is no such number"),
    "standard_error": ("DOUBLE", "standard error of the estimate"),
    "ci_lower": ("DOUBLE", "lower end of the confidence interval of the estimate"),
    "ci_upper": ("DOUBLE", "upper end of the confidence interval of the estimate"),
    "effect_size": ("DOUBLE", "size of the effect, free of units"),
    "n": ("BIGINT", "observations used"),
    "n_missing": ("BIGINT", "rows left out because a value was NULL or NaN"),
}
F_TEST_FIELDS = {
    name: field
    for key, value in TEST_FIELDS.items()
    for name, field in (
        {
            "df_between": ("DOUBLE", "degrees of freedom between groups"),
            "df_within": ("DOUBLE", "degrees of freedom within groups"),
        }
        if key == "df"
        else {key: value}
    ).items()
}
_SECTION = re.compile(r"(Functions|Parameters|Columns)\b(?:\s*\((.*)\))?\s*\Z")
_LABEL = re.compile(r"(Level|Example|Source):\s*(.*)\Z")
# what stands between commas that are not inside a text or a list
_ARGUMENT = re.compile(r"(?:'[^']*'|\[[^\]]*\]|[^,'\[])+")
_SIGNATURE = re.compile(r"([a-z_][a-z0-9_]*)\((.*)\)\Z")


@dataclass(frozen=True)
class Parameter:
    """One parameter: its type decides how the renderer quotes the argument."""

    name: str
    type: str
    default: str | None
    meaning: str

    @property
    def may_be_null(self) -> bool:
        """Whether NULL is an argument like others, though there is no default."""
        return "NULL means " in self.meaning


@dataclass(frozen=True)
class Column:
    """One column of a result."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class Function:
    """One macro that a template of macros defines; ``result`` is its type, or TABLE."""

    name: str
    arguments: tuple[tuple[str, str | None], ...]
    result: str
    meaning: str


@dataclass(frozen=True)
class Header:
    """Everything the opening comment of a template says."""

    summary: str
    functions: tuple[Function, ...]
    parameters: tuple[Parameter, ...]
    columns: tuple[Column, ...]
    level: str
    example: str | None
    source: str


def read_header(text: str, path: str) -> Header:
    """Read the header of a template.

    Args:
        text: The whole text of the template.
        path: Its name, for messages.

    Raises:
        TemplateError: there is no header, or a line of it does not follow the form.
    """
    match = re.match(r"\s*\{#-?\n(.*?)\n-?#\}", text, re.DOTALL)
    if match is None:
        raise TemplateError(f"template {path}: it does not open with a header comment {{# … #}}.")
    summary: list[str] = []
    sections: dict[str, list[str]] = {"Functions": [], "Parameters": [], "Columns": []}
    labels: dict[str, list[str]] = {"Level": [], "Example": [], "Source": []}
    target = summary
    for line in match.group(1).splitlines():
        bare = line.strip()
        if section := _SECTION.match(line):
            target = sections[section.group(1)]
        elif label := _LABEL.match(line):
            target = labels[label.group(1)]
            target.append(label.group(2))
        elif not bare:
            if target is not summary:
                target = []
        elif target is summary or any(target is lines for lines in labels.values()):
            target.append(bare)
        else:
            _continue_or_append(target, line, path)
    level = " ".join(labels["Level"]).strip()
    if level not in LEVELS:
        raise TemplateError(
            f"template {path}: Level is {level!r}; accepted are {', '.join(LEVELS)}."
        )
    return Header(
        summary=" ".join(summary),
        functions=tuple(_function(line, path) for line in sections["Functions"]),
        parameters=tuple(_parameter(line, path) for line in sections["Parameters"]),
        columns=_columns(sections["Columns"], path),
        level=level,
        example="\n".join(labels["Example"]).strip() or None,
        source=" ".join(labels["Source"]).strip(),
    )


def _continue_or_append(lines: list[str], line: str, path: str) -> None:
    indent = len(line) - len(line.lstrip())
    if indent > 4 and lines:
        lines[-1] = f"{lines[-1]} {line.strip()}"
    elif indent == 4:
        lines.append(line.strip())
    else:
        raise TemplateError(f"template {path}: cannot read the header line {line!r}.")


def _fields(line: str, path: str) -> tuple[str, str, str]:
    fields = re.split(r"\s{2,}", line, maxsplit=2)
    if len(fields) != 3:
        raise TemplateError(
            f"template {path}: the header line {line!r} has {len(fields)} fields; it needs "
            "name, type and meaning, parted by two spaces."
        )
    return fields[0], fields[1], fields[2]


def _columns(lines: list[str], path: str) -> tuple[Column, ...]:
    columns: dict[str, Column] = {}
    for line in lines:
        name, kind, meaning = _fields(line, path)
        if kind == "TEST":
            fields = F_TEST_FIELDS if name == "f_test_fields" else TEST_FIELDS
            columns |= {key: Column(key, *field) for key, field in fields.items()}
        else:
            columns[name] = Column(name, kind, meaning)
    return tuple(columns.values())


def _result(text: str) -> str:
    """Write out the STRUCT of a function that returns the fields of a test."""
    fields = F_TEST_FIELDS if text.endswith("F_TEST") else TEST_FIELDS
    struct = ", ".join(f"{name} {kind}" for name, (kind, _) in fields.items())
    return re.sub(r"\b(F_)?TEST\Z", f"STRUCT({struct})", text)


def _parameter(line: str, path: str) -> Parameter:
    name, kind, meaning = _fields(line, path)
    name, _, default = name.partition(" := ")
    if kind not in PARAMETER_TYPES:
        raise TemplateError(
            f"template {path}: parameter {name} has type {kind!r}; "
            f"accepted are {', '.join(PARAMETER_TYPES)}."
        )
    return Parameter(name, kind, default or None, meaning)


def _function(line: str, path: str) -> Function:
    signature, result, meaning = _fields(line, path)
    match = _SIGNATURE.match(signature)
    if match is None:
        raise TemplateError(f"template {path}: cannot read the signature {signature!r}.")
    name, inside = match.groups()
    arguments = []
    for part in _ARGUMENT.findall(inside):
        argument, _, default = part.strip().partition(" := ")
        arguments.append((argument, default or None))
    return Function(name, tuple(arguments), _result(result), meaning)
