"""Logging: one JSON object a line on standard error."""

from __future__ import annotations

import contextlib
import functools
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

LOGGER = logging.getLogger("parley")
MAX_FAILURES = 10
"""Failures of one sweep that have a line of their own in the log."""
NO_FIELDS: Mapping[str, Any] = {}


class JsonFormatter(logging.Formatter):
    """Writes a record as JSON: time, level, and the fields of a dict message or the text as `event`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line: dict[str, Any] = {"time": _timestamp(record.created), "level": record.levelname}
        line.update(record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


class LineHandler(logging.StreamHandler[Any]):
    """Writes lines to a stream: records, and the fields of `log` without a record.

    is_shown: Says by a line's level and fields whether it is written; None: all are.
    """

    def __init__(self) -> None:
        super().__init__()
        self.is_shown: Callable[[int, Mapping[str, Any]], bool] | None = None

    def filter(self, record: logging.LogRecord) -> Any:
        """Return whether a record is written."""
        fields = record.msg if isinstance(record.msg, dict) else NO_FIELDS
        return self._shows(record.levelno, fields) and super().filter(record)

    def write(self, level: int, fields: dict[str, Any]) -> None:
        """Write a line of some fields, as from a record with them."""
        if not self._shows(level, fields):
            return
        if type(self.formatter) is not JsonFormatter:
            LOGGER.log(level, fields)
            return
        line = {"time": _timestamp(time.time()), "level": logging.getLevelName(level), **fields}
        try:
            encoded = msgspec.json.encode(line)
        except Exception:
            LOGGER.log(level, fields)  # which reports it without failing the caller
        else:
            self._put(encoded)

    def _put(self, line: bytes) -> None:
        stream = self.stream
        if hasattr(stream, "put_line"):
            stream.put_line(line)
            return
        with self.lock or contextlib.nullcontext(), contextlib.suppress(OSError, ValueError):
            stream.write(f"{line.decode()}{self.terminator}")
            stream.flush()

    def _shows(self, level: int, fields: Mapping[str, Any]) -> bool:
        return self.is_shown is None or self.is_shown(level, fields)


def log(level: int, fields: dict[str, Any]) -> None:
    """Log a line, as LOGGER.log does, but without a record where only this module's handler would take it."""
    if not LOGGER.isEnabledFor(level):
        return
    handlers = LOGGER.handlers
    if len(handlers) == 1 and type(handlers[0]) is LineHandler and not LOGGER.propagate:
        handlers[0].write(level, fields)
    else:
        LOGGER.log(level, fields)


def _timestamp(seconds: float) -> str:
    """Return a time, in seconds since 1970, as RFC 3339 with milliseconds."""
    whole = int(seconds)
    return f"{_to_the_second(whole)}.{int((seconds - whole) * 1000):03d}+00:00"


@functools.lru_cache(maxsize=4)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def cause_of(error: BaseException) -> dict[str, str]:
    """Return the field `cause` for an error's log line, the error that caused it; empty without a cause."""
    cause = error.__cause__
    return {} if cause is None else {"cause": f"{type(cause).__name__}: {cause}"}


def log_failures(event: str, failures: Sequence[tuple[dict[str, Any], BaseException]]) -> None:
    """Log failures of one kind: at most MAX_FAILURES in full, then the number of the others.

    failures: Fields of the log line, and the error.
    """
    for fields, failure in failures[:MAX_FAILURES]:
        LOGGER.error({"event": event, **fields}, exc_info=failure)
    if len(failures) > MAX_FAILURES:
        LOGGER.error({"event": event, "more": len(failures) - MAX_FAILURES})


def configure(level: str) -> None:
    """Send the logs of this process to standard error, from a level (DEBUG, INFO, WARNING, ERROR) on.

    Unused fields of records are not collected (Python's logging HOWTO, "Optimization").
    """
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = LineHandler()
    handler.setFormatter(JsonFormatter())
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(level)
    LOGGER.propagate = False
