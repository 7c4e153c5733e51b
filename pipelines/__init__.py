"""Pipelines: the runner, and one folder a pipeline."""
