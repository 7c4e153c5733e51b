"""Scores of how far rows are from the others."""
