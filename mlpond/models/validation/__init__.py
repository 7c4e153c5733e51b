"""Many trainings for one statement: cross-validation, tuning, learning curves."""
