"""The charts of a run: what they show, and how Markdown and JSON name them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bench.plots import bars, lines
from bench.plots.axes import Axis

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "plots"
FIGURES = FOLDER / "figures.json"


class Line(msgspec.Struct, frozen=True):
    """One line of a chart; dashed: As the figures of an earlier commit are drawn."""

    name: str
    points: list[tuple[float, float]]
    dashed: bool = False


class Bar(msgspec.Struct, frozen=True):
    """One bar, of parts with a name and a value."""

    name: str
    parts: list[tuple[str, float]]


class Chart(msgspec.Struct, frozen=True):
    """A chart: lines over an x axis, or bars of parts along it.

    name: Of its file. description: Alternative text: what a reader sees in it.
    """

    name: str
    title: str
    description: str
    x: Axis
    y: Axis | None = None
    lines: list[Line] = []
    bars: list[Bar] = []

    def markdown(self) -> str:
        """Return the image, as docs/performance.md names it."""
        return f"![{self.title}. {self.description}](plots/{self.name}.svg)"

    def svg(self) -> str:
        """Return the chart as an SVG document."""
        if self.y is None:
            return bars.svg(
                self.title, self.description, self.x, [(bar.name, bar.parts) for bar in self.bars]
            )
        drawn = [lines.Drawn(line.name, line.points, line.dashed) for line in self.lines]
        return lines.svg(self.title, self.description, self.x, self.y, drawn)


def write(charts: list[Chart], folder: Path = FOLDER) -> None:
    """Write the figures of all charts, and each as a file; files of other charts are deleted."""
    folder.mkdir(exist_ok=True)
    figures = msgspec.json.format(msgspec.json.encode(charts), indent=1)
    (folder / FIGURES.name).write_bytes(figures + b"\n")
    for old in folder.glob("*.svg"):
        old.unlink()
    for chart in charts:
        (folder / f"{chart.name}.svg").write_text(chart.svg(), encoding="utf-8")


def read(folder: Path = FOLDER) -> list[Chart]:
    """Return the charts whose figures were written."""
    return msgspec.json.decode((folder / FIGURES.name).read_bytes(), type=list[Chart])
