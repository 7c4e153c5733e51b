"""The errors that mlpond raises on purpose.

Every message says who speaks, what came, what is accepted and what to do next.
"""

from __future__ import annotations


class MlpondError(Exception):
    """Base of every error that mlpond raises on purpose."""


class InputError(MlpondError, ValueError):
    """An argument, option, name or column that cannot be used as given."""


class StatementError(MlpondError, ValueError):
    """A model statement that does not follow the grammar."""


class TemplateError(MlpondError):
    """A SQL template that cannot be rendered, or whose SQL DuckDB refused."""


class ModelError(MlpondError):
    """A model that does not exist, exists already, or cannot answer what is asked."""


class TrainingError(MlpondError):
    """Data from which the model cannot be trained."""


class PipelineError(MlpondError):
    """A pipeline that is malformed, or a step or check that failed."""


class DatabaseError(MlpondError):
    """A database file that cannot be opened or that another version owns."""
