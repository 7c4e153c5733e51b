"""Run every benchmark."""

from benchmarks import (
    data_checks,
    distribution_columns,
    factorization,
    group_tests,
    journeys,
    least_squares,
    linear_models,
    naive_bayes,
    opening,
    principal_components,
    rank_tests,
    regression_inference,
    roc_auc,
    shop,
    support_vectors,
    welch_tests,
    windows,
)

if __name__ == "__main__":
    opening.main()
    distribution_columns.main()
    group_tests.main()
    rank_tests.main()
    welch_tests.main()
    least_squares.main()
    linear_models.main()
    regression_inference.main()
    factorization.main()
    roc_auc.main()
    principal_components.main()
    naive_bayes.main()
    support_vectors.main()
    windows.main()
    journeys.main()
    shop.main()
    data_checks.main()
