"""The outputs of an import: a line of progress, a file of one-time codes, a report."""

from __future__ import annotations

import csv
import os
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import msgspec

from chalicelib.schemas.imports import Code, ImportReport
from chalicelib.texts import plain

BAR_CHARACTERS = 10
LINE_SECONDS = 5.0
SHOWN_SKIPPED = 10


class Progress:
    """Shows growing counts: one line that is redrawn in a terminal, otherwise a line now and then.

    Shows nothing before the first user.
    """

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream
        self._in_terminal = stream.isatty()
        self._next = 0.0

    def show(self, report: ImportReport) -> None:
        """Show a report; outside a terminal, not more than one in a while."""
        now = time.monotonic()
        if report.read and (self._in_terminal or now >= self._next):
            self._next = now + LINE_SECONDS
            self._draw(report)

    def end(self, report: ImportReport) -> None:
        """Show the last report, and keep its line."""
        if report.read:
            self._draw(report)
        if report.read and self._in_terminal:
            self._stream.write("\n")

    def _draw(self, report: ImportReport) -> None:
        line = f"{_bar(report)}{counts(report)}"
        if self._in_terminal:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r{line[:width]:<{width}}")
        else:
            self._stream.write(f"{line}\n")
        self._stream.flush()


def counts(report: ImportReport) -> str:
    """Return how many users were read, and the results, as text."""
    of = f" of {report.total:,}" if report.total else ""
    done = f"created {report.created:,}, updated {report.updated:,}, unchanged {report.unchanged:,}"
    return f"{report.read:,}{of} read: {done}, skipped {len(report.skipped):,}"


def _bar(report: ImportReport) -> str:
    if not report.total or report.total < 0:
        return ""
    full = min(BAR_CHARACTERS, BAR_CHARACTERS * report.read // report.total)
    return f"[{'#' * full}{'.' * (BAR_CHARACTERS - full)}] "


def skipped_lines(report: ImportReport) -> list[str]:
    """Return a line for each of the first skipped users."""
    lines = [
        f"  skipped id {_plain(one.id)}, handle {_plain(one.handle)}: {_plain(one.reason)}"
        for one in report.skipped[:SHOWN_SKIPPED]
    ]
    more = len(report.skipped) - SHOWN_SKIPPED
    return [*lines, f"  and {more:,} more"] if more > 0 else lines


def _plain(text: str | None) -> str:
    """Return text of another server in a form that a terminal can show safely."""
    return "(none)" if text is None else plain(text).replace("\ufffd", "?")


class CodesFile:
    """A CSV file of handles and their one-time codes, readable only by its owner.

    Each code is on disk before the next user is imported. Raises OSError; an existing file is not changed.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(["id", "handle", "code"])
        self._file.flush()

    def add(self, codes: Sequence[Code]) -> None:
        """Add codes."""
        # A spreadsheet would read a text that begins like this as a formula.
        self._rows.writerows(
            (f"'{one.id}" if one.id.startswith(("=", "+", "-", "@")) else one.id, one.handle, one.code)
            for one in codes
        )
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def write_report(path: Path, report: ImportReport) -> None:
    """Write the whole report, without codes, as JSON; raises OSError."""
    values = msgspec.to_builtins(report)
    del values["codes"]
    path.write_bytes(msgspec.json.format(msgspec.json.encode(values), indent=2) + b"\n")
