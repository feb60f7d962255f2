"""The generated section of docs/performance.md."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.plots import charts as plots
from bench.plots.charts import Chart

PATH = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN = "<!-- bench: begin; `make bench` writes what is between the markers -->"
END = "<!-- bench: end -->"


class DocumentError(Exception):
    """The document has no section for the figures."""


def write(section: str, charts: Sequence[Chart], path: Path = PATH) -> None:
    """Replace the section between the document's markers, leave the rest as it is, and draw the charts.

    Raises DocumentError if the markers are missing.
    """
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise DocumentError(f"{path} needs these two lines, in this order: {BEGIN} and {END}")
    plots.write(list(charts), path.parent / "plots")
    path.write_text(f"{before}{begin}\n\n{section}\n\n{end}{after}", encoding="utf-8")
