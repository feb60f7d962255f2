"""Import users from another server's REST API, in calls that stop in time and return where to go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from chalicelib.errors import StoreUnavailable
from chalicelib.fetching import FetchError, origin_of, parsed, shown
from chalicelib.schemas.imports import Code, ImportCursor, ImportReport, ImportRequest, Skipped
from chalicelib.services.imports.accounts import AccountImporter
from chalicelib.services.imports.candidates import UserRejected, candidate, named
from chalicelib.services.imports.pages import Get, Page, cursor_after, first_cursor, is_end, read_page
from chalicelib.services.imports.replies import SourceError
from chalicelib.services.imports.state import ImportRun
from chalicelib.services.values.names import Names

BUDGET_SECONDS = 20.0
"""Maximum time of a call, plus that of one password: less than the time limit of the Lambda function."""
MAX_USERS = 5000
"""Maximum number of users in a call: its report fits in a Lambda function's reply of 6 MB."""

Progressed = Callable[[ImportReport], None]


class Imports:
    """Imports users.

    get: Fetches a page.
    soon: Adds the pending jobs of a call to the queue.
    clock: Returns seconds that never go back.
    """

    def __init__(
        self,
        importer: AccountImporter,
        names: Names,
        get: Get,
        soon: Callable[..., None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._importer = importer
        self._names = names
        self._get = get
        self._soon = soon
        self._clock = clock

    def call(
        self,
        request: ImportRequest,
        run: ImportRun | None = None,
        on_progress: Progressed = lambda _report: None,
    ) -> ImportReport:
        """Import users until all are imported, the time is over or a problem stops it; return the report.

        run: State of the previous calls, if this process made them.
        on_progress: Is called with the report so far after each user.
        A problem with one user skips that user; any other problem is the report's.
        """
        report, seen = ImportReport(), run or ImportRun()
        try:
            report.next = first_cursor(request)
            self._pages(request, report, seen, on_progress)
        except SourceError as problem:
            report.problem, report.next = str(problem), None
        except FetchError as problem:
            report.problem = str(problem)
        except StoreUnavailable as problem:
            report.problem = problem.detail
        finally:
            self._soon(*seen.pending)
            seen.pending.clear()
        return report

    def _pages(
        self, request: ImportRequest, report: ImportReport, run: ImportRun, on_progress: Progressed
    ) -> None:
        started, begun = self._clock(), False
        while (cursor := report.next) is not None:
            # A page may take half of the time: one that begins later might be fetched for nothing.
            if begun and self._is_over(started + BUDGET_SECONDS / 2, report):
                return
            page = read_page(request, cursor, self._get)
            begun = True
            if page is None or is_end(page, cursor, run.users):
                report.next = None
                return
            report.total = page.total
            for item in page.items[cursor.skip :]:
                if report.read and self._is_over(started + BUDGET_SECONDS, report):
                    return
                self._user(item, request, report, run)
                on_progress(report)
            report.next = self._following(page, cursor, request, run)

    def _is_over(self, end: float, report: ImportReport) -> bool:
        """Return whether a call has used its time or read its maximum of users."""
        return self._clock() > end or report.read >= MAX_USERS

    def _user(self, item: Any, request: ImportRequest, report: ImportReport, run: ImportRun) -> None:
        """Import one user, count the result, and move the report's cursor past the user."""
        fields, cursor = request.mapping.fields, report.next
        try:
            user = candidate(item, fields, origin_of(parsed(request.url)), self._names)
            result, code = self._importer.put(user, run, codes=request.codes, dry_run=request.dry_run)
            setattr(report, result.value, getattr(report, result.value) + 1)
            if code is not None:
                report.codes.append(Code(id=user.id, handle=user.handle, code=code))
        except UserRejected as unfit:
            known = Skipped(id=named(item, fields.id), handle=named(item, fields.handle), reason=str(unfit))
            report.skipped.append(known)
        report.read += 1
        if cursor is not None:
            report.next = msgspec.structs.replace(cursor, skip=cursor.skip + 1)

    def _following(
        self, page: Page, cursor: ImportCursor, request: ImportRequest, run: ImportRun
    ) -> ImportCursor | None:
        run.read_pages.add((cursor.url, cursor.number))
        run.users.update(*page.users)
        following = cursor_after(page, cursor, request)
        if following and (following.url, following.number) in run.read_pages:
            raise SourceError(f"the next page, {shown(following.url)}, was already read")
        return following
