"""Makes fitting.py importable from the folders below: pytest adds this one to the path."""
