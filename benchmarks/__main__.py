"""Run every benchmark."""

from benchmarks import group_tests, least_squares, linear_models, opening, regression_inference

if __name__ == "__main__":
    opening.main()
    least_squares.main()
    linear_models.main()
    regression_inference.main()
    group_tests.main()
