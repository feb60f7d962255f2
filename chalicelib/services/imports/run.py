"""Imports of users from another server's REST API, in calls that stop in time and say where to go on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from chalicelib.errors import StoreUnavailable
from chalicelib.fetching import FetchError, origin_of, parsed, shown
from chalicelib.schemas.imports import Code, ImportReport, ImportRequest, Place, Skipped
from chalicelib.services.imports.accounts import Importer, Run
from chalicelib.services.imports.candidates import Unfit, candidate, named
from chalicelib.services.imports.pages import Get, Page, first_place, is_end, place_after, read_page
from chalicelib.services.imports.replies import SourceError
from chalicelib.services.values.names import Names

BUDGET_SECONDS = 20.0
"""How long a call takes, give or take one password: less than a Lambda function of ours may run."""
MOST_USERS = 5000
"""How many users a call reads: what it reports of them fits in a Lambda function's reply of 6 MB."""

Tick = Callable[[ImportReport], None]


class Imports:
    """Imports users.

    get: fetches a page. soon: has the queue do what a call owes. clock: seconds that never go back.
    """

    def __init__(
        self,
        importer: Importer,
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
        self, request: ImportRequest, run: Run | None = None, tick: Tick = lambda _report: None
    ) -> ImportReport:
        """Import users until all are done, the time is up, or something is in the way; returns the report.

        run: of the calls before, where they were made by this process. tick: called with the report so far
        after each user.
        What is in the way of one user is a reason to skip that user; anything else is the report's problem.
        """
        report, seen = ImportReport(), run or Run()
        try:
            report.next = first_place(request)
            self._pages(request, report, seen, tick)
        except SourceError as problem:
            report.problem, report.next = str(problem), None
        except FetchError as problem:
            report.problem = str(problem)
        except StoreUnavailable as problem:
            report.problem = problem.detail
        finally:
            self._soon(*seen.owed)
            seen.owed.clear()
        return report

    def _pages(self, request: ImportRequest, report: ImportReport, run: Run, tick: Tick) -> None:
        started, begun = self._clock(), False
        while (place := report.next) is not None:
            # A page may take half of the time to come: begun any later, nothing of it might be done.
            if begun and (self._clock() > started + BUDGET_SECONDS / 2 or report.read >= MOST_USERS):
                return
            page = read_page(request, place, self._get)
            begun = True
            if page is None or is_end(page, place, run.users):
                report.next = None
                return
            report.total = page.total
            for item in page.items[place.skip :]:
                if report.read and (self._clock() > started + BUDGET_SECONDS or report.read >= MOST_USERS):
                    return
                self._user(item, request, report, run)
                tick(report)
            report.next = self._following(page, place, request, run)

    def _user(self, item: Any, request: ImportRequest, report: ImportReport, run: Run) -> None:
        """Import one user, count what became of them, and have the report go on after them."""
        fields, place = request.mapping.fields, report.next
        try:
            user = candidate(item, fields, origin_of(parsed(request.url)), self._names)
            did, code = self._importer.put(user, run, codes=request.codes, dry_run=request.dry_run)
            setattr(report, did.value, getattr(report, did.value) + 1)
            if code is not None:
                report.codes.append(Code(id=user.id, handle=user.handle, code=code))
        except Unfit as unfit:
            known = Skipped(id=named(item, fields.id), handle=named(item, fields.handle), reason=str(unfit))
            report.skipped.append(known)
        report.read += 1
        if place is not None:
            report.next = msgspec.structs.replace(place, skip=place.skip + 1)

    def _following(self, page: Page, place: Place, request: ImportRequest, run: Run) -> Place | None:
        run.places.add((place.url, place.number))
        run.users.update(*page.users)
        following = place_after(page, place, request)
        if following and (following.url, following.number) in run.places:
            raise SourceError(f"the pages come back to one that was read, {shown(following.url)}")
        return following
