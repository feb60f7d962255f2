"""Axes of a chart: where a value lies on them, and which values are marked."""

from __future__ import annotations

import math

import msgspec

STEPS = (1, 2, 5)
MAX_MARKS = 6


class Axis(msgspec.Struct, frozen=True):
    """An axis.

    label: What it shows, with the unit. log: Whether equal distances are equal factors. marks: The marked
    values; none: chosen by the figures.
    """

    label: str
    log: bool = False
    marks: list[float] = []


class Range(msgspec.Struct, frozen=True):
    """The part of an axis that a chart shows, and the values that are marked on it."""

    low: float
    high: float
    log: bool
    marks: list[float]

    def place(self, value: float) -> float:
        """Return where a value lies, from 0 at the low end to 1 at the high one."""
        if self.log:
            value, low, high = math.log(max(value, self.low)), math.log(self.low), math.log(self.high)
        else:
            low, high = self.low, self.high
        return (value - low) / (high - low) if high > low else 0.5


def range_of(axis: Axis, values: list[float]) -> Range:
    """Return the range of an axis for figures: from 0, or, on a logarithmic axis, around the figures."""
    if axis.marks:
        return Range(min(axis.marks), max(axis.marks), axis.log, axis.marks)
    marks = _factors(min(values), max(values)) if axis.log else _steps(max(values))
    return Range(marks[0], marks[-1], axis.log, marks)


def _steps(high: float) -> list[float]:
    """Return round values from 0 to the first that is not below the highest figure."""
    rough = (high or 1.0) / MAX_MARKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (*STEPS, 10) if power * factor >= rough)
    return [step * number for number in range(math.ceil((high or 1.0) / step) + 1)]


def _factors(low: float, high: float) -> list[float]:
    """Return values of the form 1, 2 or 5 times a power of ten, around the figures."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [float(f"{step}e{power}") for power in powers for step in STEPS]
    first = max((place for place, value in enumerate(values) if value <= low), default=0)
    last = min(place for place, value in enumerate(values) if value >= high)
    return values[first : max(last, first + 1) + 1]


def text(value: float) -> str:
    """Return a value as an axis shows it."""
    return f"{value:,.0f}" if value >= 1 or not value else f"{value:g}"
