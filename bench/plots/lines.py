"""Charts of lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bench.plots import svg as pieces
from bench.plots.axes import Axis, Range, range_of, text
from bench.plots.svg import COLOURS, GREY, WIDTH

LEFT, RIGHT, TOP, PLOT_HEIGHT = 92, 190, 48, 280
BOTTOM = TOP + PLOT_HEIGHT
NAME_HEIGHT = 17.0


class Drawn(NamedTuple):
    """A line to draw; a dashed one has the colour of the line before it."""

    name: str
    points: Sequence[tuple[float, float]]
    dashed: bool


def svg(title: str, description: str, x: Axis, y: Axis, drawn: Sequence[Drawn]) -> str:
    """Return a chart of lines, each with its name at its right end."""
    across = range_of(x, [point[0] for one in drawn for point in one.points])
    up = range_of(y, [point[1] for one in drawn for point in one.points])
    placed = [[(_x(across, a), _y(up, b)) for a, b in one.points] for one in drawn]
    colours = _colours(drawn)
    strokes = [
        pieces.path(points, colour, one.dashed)
        for one, points, colour in zip(drawn, placed, colours, strict=True)
    ]
    names = _names(drawn, [points[-1][1] for points in placed], colours)
    return pieces.document(
        title, description, BOTTOM + 52, [*_grid(across, up), *_labels(x, y), *strokes, *names]
    )


def _x(across: Range, value: float) -> float:
    return LEFT + across.place(value) * (WIDTH - LEFT - RIGHT)


def _y(up: Range, value: float) -> float:
    return BOTTOM - up.place(value) * PLOT_HEIGHT


def _grid(across: Range, up: Range) -> list[str]:
    right = WIDTH - RIGHT
    lines = [pieces.line(LEFT, _y(up, mark), right, _y(up, mark)) for mark in up.marks]
    lines += [pieces.text(LEFT - 10, _y(up, mark) + 4, text(mark), "end") for mark in up.marks]
    lines += [
        pieces.line(_x(across, mark), BOTTOM, _x(across, mark), BOTTOM + 5, GREY) for mark in across.marks
    ]
    lines += [pieces.text(_x(across, mark), BOTTOM + 21, text(mark), "middle") for mark in across.marks]
    return lines


def _labels(x: Axis, y: Axis) -> list[str]:
    middle = TOP + PLOT_HEIGHT / 2
    turned = f' transform="rotate(-90 18 {middle:.0f})"'
    return [
        pieces.text((LEFT + WIDTH - RIGHT) / 2, BOTTOM + 43, x.label, "middle"),
        pieces.text(18, middle, y.label, "middle", turned),
    ]


def _colours(drawn: Sequence[Drawn]) -> list[str]:
    """Return the colour of each line: a dashed line has that of the solid one before it."""
    colours, number = list[str](), -1
    for one in drawn:
        number += not (one.dashed and colours)
        colours.append(COLOURS[number % len(COLOURS)])
    return colours


def _names(drawn: Sequence[Drawn], heights: Sequence[float], colours: Sequence[str]) -> list[str]:
    """Return the names beside the lines' ends, moved apart where they would overlap."""
    order = sorted(range(len(drawn)), key=lambda place: heights[place])
    at, last = dict[int, float](), TOP - NAME_HEIGHT
    for place in order:
        last = at[place] = max(heights[place], last + NAME_HEIGHT)
    over, limit = last - BOTTOM, BOTTOM + NAME_HEIGHT
    for place in reversed(order) if over > 0 else ():
        limit = at[place] = min(at[place], limit - NAME_HEIGHT)
    x = WIDTH - RIGHT + 10
    return [
        pieces.text(x, at[place] + 4, drawn[place].name, more=f' fill="{colours[place]}" font-weight="600"')
        for place in order
    ]
