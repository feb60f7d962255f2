"""Log lines: one JSON object each, and no text of any message."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.logs import LOGGER, configure, log


@pytest.fixture(autouse=True)
def restored_logger() -> Iterator[None]:
    """Restore the logger after the test."""
    handlers, level, propagate = LOGGER.handlers[:], LOGGER.level, LOGGER.propagate
    yield
    LOGGER.handlers[:], LOGGER.propagate = handlers, propagate
    LOGGER.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines on standard error."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    """A dict is logged as its fields, on one line, with time and level."""
    configure("INFO")
    LOGGER.info({"event": "request", "route": "/ping\nforged", "ms": 0.25})

    (line,) = lines(capsys)
    written = datetime.fromisoformat(line.pop("time"))
    assert abs((datetime.now(UTC) - written).total_seconds()) < 60
    assert line == {"level": "INFO", "event": "request", "route": "/ping\nforged", "ms": 0.25}


def test_a_text_is_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    """A plain text with arguments is the event."""
    configure("INFO")
    LOGGER.warning("%s of %s", 1, 2)

    assert lines(capsys)[0]["event"] == "1 of 2"


def test_an_exception_is_a_field(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback is one field of the line, not lines of its own."""
    configure("INFO")
    try:
        raise KeyError("missing")
    except KeyError:
        LOGGER.exception({"event": "defect", "request_id": "r-1"})

    (line,) = lines(capsys)
    assert (line["level"], line["event"], line["request_id"]) == ("ERROR", "defect", "r-1")
    assert line["exception"].startswith("Traceback")
    assert "KeyError: 'missing'" in line["exception"]


def test_lines_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines below the level are not written."""
    configure("ERROR")
    LOGGER.warning({"event": "quiet"})
    LOGGER.error({"event": "loud"})

    assert [line["event"] for line in lines(capsys)] == ["loud"]


def test_repeated_configuration_writes_each_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    """After a repeated configuration each line is still written once, and not by other loggers."""
    configure("INFO")
    configure("INFO")
    LOGGER.info({"event": "once"})

    assert len(lines(capsys)) == 1
    assert not LOGGER.propagate


def test_fields_are_logged_as_a_record_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    """Fields given to `log` make the line that a record with them makes."""
    configure("INFO")
    fields = {"event": "request", "route": "/ping\nforged", "ms": 0.25}
    for level in (logging.INFO, logging.ERROR):
        LOGGER.log(level, fields)
        log(level, fields)

    first, same, third, fourth = lines(capsys)
    for one, other in ((first, same), (third, fourth)):
        assert list(one) == list(other)
        times = [datetime.fromisoformat(line.pop("time")) for line in (one, other)]
        assert one == other
        assert timedelta(0) <= times[1] - times[0] < timedelta(minutes=1)


def test_fields_below_the_level_are_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Fields given to `log` below the level are not written."""
    configure("ERROR")
    log(logging.INFO, {"event": "quiet"})
    log(logging.ERROR, {"event": "loud"})

    assert [line["event"] for line in lines(capsys)] == ["loud"]


def test_fields_that_json_cannot_have_fail_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """Half of a surrogate pair in a field is reported on standard error, and the caller goes on."""
    configure("INFO")
    log(logging.INFO, {"event": "\ud800"})

    assert "Logging error" in capsys.readouterr().err


def test_every_handler_gets_the_fields(caplog: pytest.LogCaptureFixture) -> None:
    """Where the logger has other handlers than its own, fields come to them as a record."""
    configure("INFO")
    LOGGER.addHandler(caplog.handler)
    log(logging.INFO, {"event": "shared"})

    assert [record.msg for record in caplog.records] == [{"event": "shared"}]
