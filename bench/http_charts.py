"""Charts of rates and latencies by number of connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median

from bench.plots.axes import Axis
from bench.plots.charts import Chart, Line
from bench.wrk import Sample

PERCENTILES: dict[str, Callable[[Sample], float]] = {
    "p99.9": lambda sample: sample.p999,
    "p99": lambda sample: sample.p99,
    "p90": lambda sample: sample.p90,
    "p50": lambda sample: sample.p50,
}
Samples = Mapping[int, Sequence[Sample]]
"""The samples of a request by number of connections."""


def throughput(named: Mapping[str, Samples]) -> Chart:
    """Return the chart of requests a second; named: The samples of each line."""
    lines = [Line(name, _points(samples, lambda one: one.rate)) for name, samples in named.items()]
    return Chart(
        "throughput",
        "Requests a second by number of connections",
        f"Lines: {', '.join(named)}. The table of requests over HTTP has the figures.",
        _connections(list(named.values())),
        Axis("requests/s (log scale)", log=True),
        lines,
    )


def latency(name: str, request: str, samples: Samples) -> Chart:
    """Return the chart of the latency percentiles of a request; name: Of its file."""
    lines = [Line(percentile, _points(samples, read)) for percentile, read in PERCENTILES.items()]
    return Chart(
        name,
        f"Latency of a {request} by number of connections",
        f"Lines: {', '.join(PERCENTILES)} of a {request} by name.",
        _connections([samples]),
        Axis("ms (log scale)", log=True),
        lines,
    )


def ratios(named: Mapping[str, tuple[Samples, Samples]]) -> Chart:
    """Return the chart of requests a second; named: The samples before and now of each request."""
    lines = []
    for name, (before, now) in named.items():
        lines.append(Line(f"{name}, now", _points(now, lambda one: one.rate)))
        lines.append(Line(f"{name}, before", _points(before, lambda one: one.rate), dashed=True))
    every = [samples for pair in named.values() for samples in pair]
    return Chart(
        "before-and-now",
        "Requests a second, before and now",
        f"Solid lines: {', '.join(named)} of this commit; dashed lines: of the commit before.",
        _connections(every),
        Axis("requests/s"),
        lines,
    )


def _connections(every: Sequence[Samples]) -> Axis:
    counts = sorted({float(count) for samples in every for count in samples})
    return Axis("connections (log scale)", log=True, marks=counts)


def _points(samples: Samples, read: Callable[[Sample], float]) -> list[tuple[float, float]]:
    return [(count, round(median(map(read, runs)), 3)) for count, runs in sorted(samples.items())]
