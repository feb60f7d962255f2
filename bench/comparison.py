"""Figures of the compared trees, measured in turns, as rows of a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from bench.trees import BEFORE, NOW, Tree

Form = Callable[[float], str]


def in_turns(trees: Sequence[Tree], count: int) -> Iterator[Tree]:
    """Yield all trees, a number of times, in an order that turns around each time."""
    for number in range(count):
        yield from trees if number % 2 else reversed(trees)


class Turns:
    """The figures of each tree, one a turn; in a pair of turns the trees' figures belong together."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        self._figures: dict[str, list[float]] = {tree.name: [] for tree in trees}

    def add(self, tree: Tree, figure: float) -> None:
        """Note the figure of a tree's turn."""
        self._figures[tree.name].append(figure)

    def median(self, name: str = NOW) -> float:
        """Return the median of a tree's figures."""
        return median(self._figures[name])

    @property
    def ratio(self) -> float | None:
        """The median of the ratios now / before of each pair of turns; None with one tree."""
        if BEFORE not in self._figures:
            return None
        pairs = zip(self._figures[NOW], self._figures[BEFORE], strict=True)
        return median(now / before if before else float("nan") for now, before in pairs)

    def cells(self, form: Form) -> tuple[str, ...]:
        """Return the medians, and with two trees their ratio, as cells of a row."""
        ratio = () if self.ratio is None else ("-" if math.isnan(self.ratio) else f"{self.ratio:.2f}",)
        return *(form(median(figures)) for figures in self._figures.values()), *ratio


def columns(trees: Sequence[Tree], unit: str) -> tuple[str, ...]:
    """Return the headings of the cells of `Turns`."""
    return *(f"{tree.name}, {unit}".rstrip(", ") for tree in trees), *(
        ["now / before"] if len(trees) > 1 else []
    )


def decimals(places: int) -> Form:
    """Return the form of a figure with decimals and separated thousands."""
    return lambda figure: f"{figure:,.{places}f}"
