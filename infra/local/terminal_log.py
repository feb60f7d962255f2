"""The log as a person at a terminal wants it: errors and slow requests alone, one short line each."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.logs import LOGGER, LineHandler
from chalicelib.texts import plain
from infra.local import line_writer

TEXT, JSON = "text", "json"
SLOW_MILLISECONDS = 1000.0
RED, YELLOW, PLAIN = "\x1b[31m", "\x1b[33m", "\x1b[0m"
SHOWN_APART = frozenset({"event", "method", "route", "path", "status", "code", "ms", "request_id", "type"})


class TerminalFormatter(logging.Formatter):
    """Writes a record as a line of text, and an exception below it; coloured: red for errors, yellow else."""

    def __init__(self, *, coloured: bool) -> None:
        super().__init__()
        self._coloured = coloured

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        fields = record.msg if isinstance(record.msg, dict) else {"event": record.getMessage()}
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        line = plain(f"{time} {_level(record)} {_told(fields)}")
        if self._coloured:
            line = f"{RED if record.levelno >= logging.ERROR else YELLOW}{line}{PLAIN}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def is_worth_a_line(level: int, fields: Mapping[str, Any]) -> bool:
    """Return whether a person should see a line: a warning, an error, or what took a second or more."""
    return level >= logging.WARNING or float(fields.get("ms", 0.0)) >= SLOW_MILLISECONDS


def install(environ: Mapping[str, str] = os.environ) -> None:
    """Wait for no reader of the log, and in a process whose server has LOG=text log for a person.

    Source of NO_COLOR: no-color.org.
    """
    line_writer.install(_dropped)
    for handler in LOGGER.handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(sys.stderr)
    if environ.get("LOG") != TEXT:
        return
    coloured = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    for handler in LOGGER.handlers:
        handler.setFormatter(TerminalFormatter(coloured=coloured))
        if isinstance(handler, LineHandler):
            handler.is_shown = is_worth_a_line


def _dropped(count: int) -> str:
    """Return the line that says how many lines nobody took."""
    line = {"event": "log_lines_dropped", "lines": count}
    record = logging.makeLogRecord({"levelno": logging.WARNING, "levelname": "WARNING", "msg": line})
    return f"{LOGGER.handlers[0].format(record)}\n"


def _level(record: logging.LogRecord) -> str:
    return "slow" if record.levelno < logging.WARNING else record.levelname.lower()


def _told(fields: Mapping[str, Any]) -> str:
    """Return what happened, then how it ended, then the rest by name."""
    what = [fields.get("method"), fields.get("route") or fields.get("path")]
    first = what if any(what) else [fields["event"], fields.get("type")]
    took = f"{fields['ms']:.0f} ms" if "ms" in fields else None
    rest = [f"{name}={value}" for name, value in fields.items() if name not in SHOWN_APART]
    parts = [*first, fields.get("status"), fields.get("code"), took, *rest, fields.get("request_id")]
    return " ".join(str(part) for part in parts if part is not None)
