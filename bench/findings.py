"""The findings of a part of the benchmark, and their form as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bench.plots.charts import Chart


class Skipped(Exception):
    """A part, or a piece of one, cannot be measured here; the message says why and what to do."""


class Table(NamedTuple):
    """Figures under a title; note: One sentence about what they are."""

    title: str
    note: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def markdown(self) -> str:
        """Return the table as Markdown, with aligned columns so that it reads well as plain text."""
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        rule = ["-" * width if i == 0 else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
        rows = [self.columns, tuple(rule), *self.rows]
        lines = [" | ".join(_aligned(cells, widths)) for cells in rows]
        return "\n".join([f"### {self.title}", "", self.note, "", *(f"| {line} |" for line in lines)])


class Aim(NamedTuple):
    """The wanted and the measured value of a figure."""

    what: str
    wanted: str
    measured: str
    met: bool


class Findings(NamedTuple):
    """Tables, the aims that use them, one line for each part that could not be measured, and charts.

    failed: Whether the part broke off with an error.
    """

    tables: list[Table]
    aims: list[Aim]
    skipped: list[str]
    charts: Sequence[Chart] = ()
    failed: bool = False

    def markdown(self) -> list[str]:
        """Return the charts and the tables as Markdown."""
        return [*(chart.markdown() for chart in self.charts), *(table.markdown() for table in self.tables)]


def at_least(what: str, wanted: float, measured: float) -> Aim:
    """Return the aim that a figure is at least another."""
    return Aim(what, f"at least {wanted:g}", f"{measured:.2f}", measured >= wanted)


def under(what: str, wanted: float, measured: float, unit: str) -> Aim:
    """Return the aim that a figure, in a unit, is below another."""
    figure = f"{measured:.2f}" if wanted < 10 else f"{measured:.1f}"
    return Aim(what, f"under {wanted:g} {unit}".strip(), f"{figure} {unit}".strip(), measured < wanted)


def report(all_findings: Iterable[Findings]) -> str:
    """Return all findings as Markdown: the aims, missed aims, skipped parts, and the tables."""
    findings = list(all_findings)
    aims = [aim for found in findings for aim in found.aims]
    skipped = [f"Not measured: {line}" for found in findings for line in found.skipped]
    tables = [text for found in findings for text in found.markdown()]
    return "\n\n".join([*([_verdicts(aims), _summary(aims)] if aims else []), *skipped, *tables])


def _verdicts(aims: list[Aim]) -> str:
    rows = [(aim.what, aim.wanted, aim.measured, "met" if aim.met else "falls short") for aim in aims]
    note = "Each figure is from a table below."
    return Table("Aims", note, ("aim", "wanted", "measured", "verdict"), rows).markdown()


def _summary(aims: list[Aim]) -> str:
    short = [f"{aim.what} ({aim.measured}, wanted {aim.wanted})" for aim in aims if not aim.met]
    if not short:
        return f"All {len(aims)} aims are met in this run."
    return (
        f"{len(aims) - len(short)} of {len(aims)} aims are met in this run. Falls short: {'; '.join(short)}."
    )


def _aligned(cells: tuple[str, ...], widths: list[int]) -> list[str]:
    padded = zip(cells, widths, strict=True)
    return [cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(padded)]
