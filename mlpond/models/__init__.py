"""The life of a model: read the statement, train, store rows, install macros."""
