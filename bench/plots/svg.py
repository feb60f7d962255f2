"""Pieces of an SVG document. Its colours read well on light and on dark pages, and its ground is clear."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH = 760
FAINT, GREY = "#8886", "#797979"
COLOURS = (
    "#2f81d8",
    "#d97a1e",
    "#2f9e5c",
    "#c2528b",
    "#8a6fd1",
    "#a8861a",
    "#2a9da3",
    "#cf4f43",
    "#7d8894",
    "#5f8f1f",
    "#9c6b4e",
)
"""Grey and the colours have about the same contrast with white and with GitHub's dark ground."""
FONT = 'font-family="system-ui, -apple-system, \'Segoe UI\', Helvetica, Arial, sans-serif" font-size="13"'


def document(title: str, description: str, height: float, pieces: Sequence[str]) -> str:
    """Return a document with a title above its pieces."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}"'
            f' height="{height:.0f}" role="img" {FONT} fill="{GREY}">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(description)}</desc>",
            f'<text x="16" y="26" font-size="16" font-weight="600">{escape(title)}</text>',
            *pieces,
            "</svg>\n",
        ]
    )


def text(x: float, y: float, words: str, anchor: str = "start", more: str = "") -> str:
    """Return a line of text; anchor: start, middle or end; more: Further attributes."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(words)}</text>'


def line(x: float, y: float, to_x: float, to_y: float, colour: str = FAINT) -> str:
    """Return a thin line."""
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{colour}"/>'


def path(points: Sequence[tuple[float, float]], colour: str, dashed: bool) -> str:
    """Return a line through points, with a dot on each."""
    dashes = ' stroke-dasharray="6 4"' if dashed else ""
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
    stroke = f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'
    return "\n".join([stroke, *dots])


def box(x: float, y: float, width: float, height: float, colour: str, words: str) -> str:
    """Return a filled rectangle; words: Its tooltip."""
    size = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {size} fill="{colour}"><title>{escape(words)}</title></rect>'
