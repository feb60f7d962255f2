"""The SVG charts of docs/performance.md."""

from __future__ import annotations

import itertools
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.plots.axes import Axis, range_of, text
from bench.plots.charts import FOLDER, Bar, Chart, Line, read, write
from bench.plots.lines import BOTTOM, TOP

CONNECTIONS = Axis("connections", log=True, marks=[1, 20, 100, 1000])
LINES = Chart(
    "rates",
    "Rates & shares",
    "Two lines.",
    CONNECTIONS,
    Axis("requests/s"),
    lines=[Line("now", [(1, 500), (1000, 900)]), Line("before", [(1, 400), (1000, 880)], dashed=True)],
)
BARS = Chart("parts", "Parts", "Two bars.", Axis("µs"), bars=[Bar("now", [("edge", 50), ("log", 3.5)])])


def parsed(chart: Chart) -> ElementTree.Element:
    """Return a chart's document."""
    return ElementTree.fromstring(chart.svg())  # noqa: S314 # it is our own


def texts(chart: Chart) -> list[str]:
    """Return the words that a chart shows."""
    return [element.text or "" for element in parsed(chart).iter() if element.text]


@pytest.mark.parametrize("chart", [LINES, BARS])
def test_chart_is_xml_with_title_and_description(chart: Chart) -> None:
    """The document parses, and a screen reader finds what it shows."""
    shown = texts(chart)
    assert chart.title in shown
    assert chart.description in shown


def test_line_chart_names_axes_marks_and_lines() -> None:
    """Every axis, mark and line has its words."""
    assert {"connections", "requests/s", "1", "20", "100", "1,000", "now", "before"} <= set(texts(LINES))


def test_dashed_line_has_the_colour_of_its_solid_one() -> None:
    """The lines of one request before and now share a colour."""
    root = parsed(LINES)
    strokes = [element.get("stroke") for element in root.iter() if element.tag.endswith("polyline")]
    assert len(strokes) == 2
    assert len(set(strokes)) == 1


def test_names_of_close_lines_do_not_overlap() -> None:
    """Names beside lines that end at one place are moved apart, within the chart."""
    close = [Line(f"line {number}", [(1, 1), (2, 100)]) for number in range(6)]
    chart = Chart("close", "Close", "", Axis("x"), Axis("y"), lines=close)
    root = parsed(chart)
    places = sorted(float(one.get("y") or 0) for one in root.iter() if (one.text or "").startswith("line "))
    assert all(below - above >= 15 for above, below in itertools.pairwise(places))
    assert TOP - 20 <= places[0] <= places[-1] <= BOTTOM + 20


def test_bar_chart_shows_parts_and_their_sum() -> None:
    """A bar is followed by its sum, and a legend names its parts."""
    assert {"now", "54", "edge", "log", "edge: 50.0", "log: 3.5"} <= set(texts(BARS))


@pytest.mark.parametrize(
    ("axis", "values", "marks"),
    [
        (Axis("x"), [0.0, 11.0], [0, 2, 4, 6, 8, 10, 12]),
        (Axis("x"), [0.0], [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (Axis("x", log=True), [3.0, 70.0], [2, 5, 10, 20, 50, 100]),
        (Axis("x", log=True), [5.0], [5, 10]),
        (CONNECTIONS, [20.0], [1, 20, 100, 1000]),
    ],
)
def test_axis_marks_round_values_around_figures(axis: Axis, values: list[float], marks: list[float]) -> None:
    """Marks are round, from 0 or a value below the figures to one above them."""
    assert range_of(axis, values).marks == pytest.approx(marks)


def test_logarithmic_axis_places_equal_factors_apart_equally() -> None:
    """10 lies halfway between 1 and 100."""
    assert range_of(Axis("x", log=True), [1.0, 100.0]).place(10) == pytest.approx(0.5)


@pytest.mark.parametrize(("value", "shown"), [(0, "0"), (0.05, "0.05"), (20_000, "20,000")])
def test_marks_are_written_with_separators(value: float, shown: str) -> None:
    """Large numbers have separated thousands, and small ones no useless zeros."""
    assert text(value) == shown


def test_charts_are_drawn_again_from_written_figures(tmp_path: Path) -> None:
    """The JSON has all that the files are drawn from, and the files of earlier charts are gone."""
    (tmp_path / "old.svg").touch()
    write([LINES, BARS], tmp_path)
    assert read(tmp_path) == [LINES, BARS]
    assert {path.name for path in tmp_path.iterdir()} == {"figures.json", "rates.svg", "parts.svg"}


def test_drawn_charts_are_those_of_their_figures() -> None:
    """Each file in docs/plots is what its figures draw."""
    charts = read() if (FOLDER / "figures.json").exists() else []
    drawn = {chart.name: chart.svg() for chart in charts}
    assert {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.svg")} == drawn
