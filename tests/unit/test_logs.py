"""Log lines: one JSON object each, and no word of anybody's message."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.logs import LOGGER, configure

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """The lines on standard error since the last look, with the logs configured for them."""
    handlers, level, propagate = LOGGER.handlers[:], LOGGER.level, LOGGER.propagate
    configure("INFO")
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    LOGGER.handlers[:], LOGGER.propagate = handlers, propagate
    LOGGER.setLevel(level)


def test_a_line_is_one_object(lines: Lines) -> None:
    """A dict is logged as its fields, on one line, with time and level."""
    LOGGER.info({"event": "request", "route": "/ping\nforged", "ms": 0.25})

    (line,) = lines()
    written = datetime.fromisoformat(line.pop("time"))
    assert abs((datetime.now(UTC) - written).total_seconds()) < 60
    assert line == {"level": "INFO", "event": "request", "route": "/ping\nforged", "ms": 0.25}


def test_a_text_is_an_event(lines: Lines) -> None:
    """A plain text with arguments is the event."""
    LOGGER.warning("%s of %s", 1, 2)

    assert lines()[0]["event"] == "1 of 2"


def test_an_exception_is_a_field(lines: Lines) -> None:
    """A traceback is one field of the line, not lines of its own."""
    try:
        raise KeyError("missing")
    except KeyError:
        LOGGER.exception({"event": "defect", "request_id": "r-1"})

    (line,) = lines()
    assert (line["level"], line["event"], line["request_id"]) == ("ERROR", "defect", "r-1")
    assert line["exception"].startswith("Traceback")
    assert "KeyError: 'missing'" in line["exception"]


def test_level(lines: Lines) -> None:
    """What is below the level is not written."""
    configure("ERROR")
    LOGGER.warning({"event": "quiet"})
    LOGGER.error({"event": "loud"})

    assert [line["event"] for line in lines()] == ["loud"]


def test_configured_twice(lines: Lines) -> None:
    """Configuring again does not write every line twice, nor hand it to other loggers."""
    configure("INFO")
    LOGGER.info({"event": "once"})

    assert len(lines()) == 1
    assert not LOGGER.propagate
