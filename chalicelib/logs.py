"""Logging: one JSON object a line on standard error."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

LOGGER = logging.getLogger("parley")
MAX_FAILURES = 10
"""Failures of one sweep that have a line of their own in the log."""


class JsonFormatter(logging.Formatter):
    """Writes a record as JSON: time, level, and the fields of a dict message or the text as `event`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
        }
        line.update(record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


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
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(level)
    LOGGER.propagate = False
