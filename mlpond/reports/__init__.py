"""Reports: a pipeline's results as one HTML page that opens anywhere.

    mlpond.report("flights", database="pond.duckdb", out="flights.html")

``past`` reads the runs and ``ledger`` says what they were, ``automatic`` chooses what is shown if
pipeline.toml does not say, ``models`` knows what to say of a model, ``charts`` draws, ``assemble``
puts it together as ``content``, and ``page`` writes it as HTML. Charts are SVG inside the page, not
scripts: a page of ten charts has 0.2 MB, where the scripts of Vega alone would take 0.8 MB; it can
be printed, mailed and archived, and nothing in it runs.

The package is not called ``report``, for that is the function.
"""
