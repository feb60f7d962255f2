"""Text tables for the command and the documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def dollars(cost: float) -> str:
    """Return dollars with cents."""
    return f"{cost:,.2f}"


def number(value: float) -> str:
    """Return a number with commas and all of its digits."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,g}"


def table(rows: Iterable[Sequence[str]], texts: int = 1) -> list[str]:
    """Return aligned columns; texts: Number of leading columns that are aligned to the left."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(["", *_cells(row, widths, texts)]).rstrip() for row in rows]


def _cells(row: Sequence[str], widths: Sequence[int], texts: int) -> Iterable[str]:
    for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
        yield cell.ljust(width) if place < texts else cell.rjust(width)
