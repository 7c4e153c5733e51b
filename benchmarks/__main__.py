"""Run every benchmark."""

from benchmarks import linear_models, opening

if __name__ == "__main__":
    opening.main()
    linear_models.main()
