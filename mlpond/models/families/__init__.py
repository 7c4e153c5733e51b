"""The model types: a module a family, which says how it is trained, stored and scored."""

from __future__ import annotations

from importlib import import_module

from mlpond.models.families.family import Family, Fitted, Training

# Model type → the module of this package that defines the Family of that name.
MODEL_TYPES = {
    "CONTRIBUTION_ANALYSIS": "contribution_analysis",
    "GAUSSIAN_MIXTURE": "gaussian_mixture",
    "KMEANS": "kmeans",
    "KNN_CLASSIFIER": "knn",
    "KNN_REGRESSOR": "knn",
    "LINEAR_REG": "linear_reg",
    "LOGISTIC_REG": "linear_reg",
    "GLM": "glm",
    "MATRIX_FACTORIZATION": "matrix_factorization",
    "NAIVE_BAYES": "naive_bayes",
    "PCA": "pca",
    "SVM_CLASSIFIER": "svm",
    "SVM_REGRESSOR": "svm",
    "TRANSFORM_ONLY": "transform_only",
}

__all__ = ["MODEL_TYPES", "Family", "Fitted", "Training", "find_family"]


def find_family(model_type: str) -> Family:
    """Import the family of a model type, in upper case."""
    module = import_module(f"mlpond.models.families.{MODEL_TYPES[model_type]}")
    found: Family = getattr(module, model_type)
    return found
