"""A whole import, in as many calls as it needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec

from chalicelib.schemas.imports import Code, ImportCursor, ImportReport, ImportRequest
from infra.import_users.callers import Caller

ADDED = ("read", "created", "updated", "unchanged", "skipped", "codes")
SHOW_SECONDS = 0.1


class Whole:
    """An import from its start to its end.

    show: Called with the growing report.
    keep: Called with each code, once, before the next user is imported.
    """

    def __init__(
        self,
        caller: Caller,
        show: Callable[[ImportReport], None],
        keep: Callable[[Sequence[Code]], None] = lambda _codes: None,
    ) -> None:
        self._caller = caller
        self._show = show
        self._keep = keep
        self._before = ImportReport()
        self._now = ImportReport()
        self._kept = 0
        self._shown = 0.0

    @property
    def report(self) -> ImportReport:
        """The report of all calls so far."""
        before, now = self._before, self._now
        added = {name: getattr(before, name) + getattr(now, name) for name in ADDED}
        return ImportReport(**added, total=now.total or before.total, problem=now.problem, next=now.next)

    def run(self, request: ImportRequest) -> ImportReport:
        """Make calls until the end or until one cannot continue; return the report."""
        seen: set[ImportCursor] = set()
        try:
            while True:
                self._now = self._caller(request, self._tick)
                self._tick(self._now)
                place = self._now.next
                if place is None or self._now.problem:
                    break
                if place in seen:
                    self._now.problem = "the pages lead back to one that was already read"
                    break
                seen.add(place)
                request = msgspec.structs.replace(request, next=place)
                self._before, self._now, self._kept = self.report, ImportReport(), 0
        except KeyboardInterrupt:
            self._now.problem = "interrupted"
        return self.report

    def _tick(self, now: ImportReport) -> None:
        """Take the report of a running call."""
        self._now = now
        if len(now.codes) > self._kept:
            self._keep(now.codes[self._kept :])
            self._kept = len(now.codes)
        if time.monotonic() >= self._shown + SHOW_SECONDS:
            self._shown = time.monotonic()
            self._show(self.report)
