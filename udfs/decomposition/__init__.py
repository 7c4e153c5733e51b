"""Matrices as a few directions: principal components."""
