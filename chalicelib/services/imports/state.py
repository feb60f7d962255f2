"""The state of an import, and the result for each of its users."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from chalicelib.services.imports.candidates import Candidate


class ImportRun:
    """The users that a run has imported so far: a dry run reports duplicates as a real run does.

    ids: Handles by the ids of imported users. handles: The reverse. emails: Handles by their emails.
    read_pages: Pages that were read, by URL and number.
    users: Ids and handles on those pages.
    pending: Jobs for the queue.
    """

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        self.handles: dict[str, str] = {}
        self.emails: dict[str, str] = {}
        self.read_pages: set[tuple[str, int | None]] = set()
        self.users: set[str] = set()
        self.pending: list[str] = []

    def add(self, user: Candidate) -> None:
        """Add an imported user."""
        self.ids[user.id], self.handles[user.handle] = user.handle, user.id
        if email := user.fields.get("email"):
            self.emails[email] = user.handle


class Result(Enum):
    """The result for one user."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class Imported(NamedTuple):
    """The result for one user; code: The user's password for one login, if one was made."""

    result: Result
    code: str | None = None
