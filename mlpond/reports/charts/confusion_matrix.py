"""Which classes are taken for which."""

from __future__ import annotations

from mlpond.reports.charts.chart import Column, Drawing, Source, ident
from mlpond.reports.charts.heatmap import cells
from mlpond.reports.words import show


def confusion_matrix(
    source: Source, actual: Column, predicted: Column, *, n: Column | None = None
) -> Drawing:
    """Rows by actual and predicted class; a cell is shaded by its share of the actual class.

    ``n`` is the number of rows of a pair, where the table has a row a pair.
    """
    rows = source.rows(
        f"""
        with counted as (
            select
                {ident(actual)}::varchar as y,
                {ident(predicted)}::varchar as x,
                {f"sum({ident(n)})" if n else "count(*)"}::double as n,
            from {source.relation}
            where {ident(actual)} is not null and {ident(predicted)} is not null
            group by all
        ),
        classes as (select y as class from counted union select x from counted),
        pairs as (
            select y.class as y, x.class as x, coalesce(n, 0) as n
            from classes as y
            cross join classes as x
            left join counted on y.class = counted.y and x.class = counted.x
        )
        select *, coalesce(n / nullif(sum(n) over (partition by y), 0), 0) as shade
        from pairs
        order by y, x
        """
    )
    for row in rows:
        row["text"] = show(int(row["n"]) if float(row["n"]).is_integer() else row["n"])
    total = sum(row["n"] for row in rows)
    right = sum(row["n"] for row in rows if row["x"] == row["y"])
    chart = cells(rows, _titled(predicted, "predicted"), _titled(actual, "actual"))
    if not total:
        return Drawing(chart, "Confusion matrix: there are no rows.")
    wrong = [row for row in rows if row["x"] != row["y"] and row["n"]]
    text = f"Confusion matrix: {show(int(right))} of {show(int(total))} rows are on the diagonal"
    if wrong:
        worst = max(wrong, key=lambda row: row["n"])
        text += f"; the most frequent mistake takes {worst['y']} for {worst['x']} ({worst['text']})"
    return Drawing(chart, text + ".")


def _titled(column: str, role: str) -> str:
    return role if column.lower() == role else f"{column} ({role})"
