"""Kernels and trainers in numpy; nothing here knows that a database exists."""
