"""Charts of bars that consist of parts."""

from __future__ import annotations

from collections.abc import Sequence

from bench.plots import svg as pieces
from bench.plots.axes import Axis, Range, range_of, text
from bench.plots.svg import COLOURS, WIDTH

LEFT, RIGHT, TOP = 110, 60, 48
BAR, GAP = 34.0, 18.0
LEGEND_COLUMNS, LEGEND_LEFT, LEGEND_HEIGHT = 2, 40, 20.0
WIDE_ENOUGH = 30.0
"""Width of a part, in pixels, that has room for its figure."""

Parts = Sequence[tuple[str, float]]


def svg(title: str, description: str, x: Axis, bars: Sequence[tuple[str, Parts]]) -> str:
    """Return a chart of bars, one below the other, with a legend of their parts."""
    across = range_of(x, [sum(value for _, value in parts) for _, parts in bars])
    names = list(dict.fromkeys(name for _, parts in bars for name, _ in parts))
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}
    bottom = TOP + len(bars) * (BAR + GAP)
    drawn = [piece for place, bar in enumerate(bars) for piece in _bar(place, *bar, across, colours)]
    legend = _legend(colours, bottom + 66)
    height = bottom + 66 + LEGEND_HEIGHT * -(-len(names) // LEGEND_COLUMNS)
    return pieces.document(title, description, height, [*_axis(x, across, bottom), *drawn, *legend])


def _x(across: Range, value: float) -> float:
    return LEFT + across.place(value) * (WIDTH - LEFT - RIGHT)


def _axis(x: Axis, across: Range, bottom: float) -> list[str]:
    lines = [pieces.line(_x(across, mark), TOP, _x(across, mark), bottom) for mark in across.marks]
    lines += [pieces.text(_x(across, mark), bottom + 18, text(mark), "middle") for mark in across.marks]
    return [*lines, pieces.text((LEFT + WIDTH - RIGHT) / 2, bottom + 40, x.label, "middle")]


def _bar(place: int, name: str, parts: Parts, across: Range, colours: dict[str, str]) -> list[str]:
    top = TOP + place * (BAR + GAP) + GAP / 2
    middle, start = top + BAR / 2 + 5, 0.0
    drawn = [pieces.text(LEFT - 12, middle, name, "end", ' font-weight="600"')]
    for part, value in parts:
        left, right = _x(across, start), _x(across, start + value)
        drawn.append(pieces.box(left, top, right - left, BAR, colours[part], f"{part}: {value:.1f}"))
        if right - left > WIDE_ENOUGH:
            white = ' fill="#fff" font-size="12"'
            drawn.append(pieces.text((left + right) / 2, middle, f"{value:.0f}", "middle", white))
        start += value
    return [*drawn, pieces.text(_x(across, start) + 8, middle, f"{start:,.0f}", more=' font-weight="600"')]


def _legend(colours: dict[str, str], top: float) -> list[str]:
    drawn = []
    for place, (name, colour) in enumerate(colours.items()):
        x = LEGEND_LEFT + place % LEGEND_COLUMNS * (WIDTH - LEGEND_LEFT) / LEGEND_COLUMNS
        y = top + place // LEGEND_COLUMNS * LEGEND_HEIGHT
        drawn += [pieces.box(x, y - 10, 11, 11, colour, name), pieces.text(x + 18, y, name)]
    return drawn
