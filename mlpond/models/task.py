"""What a model predicts."""

from __future__ import annotations

from dataclasses import dataclass

from mlpond.sql.templates.quoting import string


@dataclass(frozen=True)
class ClassScores:
    """How a classifier says what it thinks of each class: by probabilities, or by raw scores.

    ``predict`` gives the column ``predicted_<label>_<suffix>``, a list of structs with the fields
    ``label`` and ``field``, the greatest label first.
    """

    suffix: str
    field: str

    def column(self, label: str) -> str:
        """The column of ``predict`` that holds them."""
        return f"predicted_{label}_{self.suffix}"


PROBABILITIES = ClassScores("probs", "prob")
SCORES = ClassScores("scores", "score")


@dataclass(frozen=True)
class Task:
    """What is predicted: a number, one of two classes, one of several, or nothing with a label."""

    kind: str  # regression, binary, multiclass; or of a model without a label, such as clustering
    label: str = ""  # empty for a model without a label
    label_type: str = ""
    classes: tuple[str, ...] = ()

    @property
    def class_labels(self) -> list[str | None]:
        """The class that each weight vector belongs to; None where there is one vector."""
        return list(self.classes) if self.kind == "multiclass" else [None]

    def literals(self) -> list[str]:
        """The classes as SQL literals of the label's type."""
        return [f"{string(text)}::{self.label_type}" for text in self.classes]
