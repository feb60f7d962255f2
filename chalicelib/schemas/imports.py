"""Imports of users from another server: requests and reports."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Path = Annotated[str, Meta(min_length=1, max_length=200)]
"""Names joined by dots, each a field of an object or the number of a list's element: `data.users`."""


class Fields(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The path of each field of a user in an item of the list."""

    id: Path
    handle: Path
    name: Path | None = None
    email: Path | None = None
    bio: Path | None = None
    password: Path | None = None


class PageParameter(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The query parameter that numbers the pages, and the number of the first."""

    parameter: Annotated[str, Meta(pattern="^[A-Za-z0-9_.~\\[\\]-]{1,64}$")]
    first: Annotated[int, Meta(ge=0, le=1_000_000)] = 1


class Mapping(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the data is in another server's replies.

    items: the list, None: the reply is the list. next: the URL of the next page. page: the parameter that
    selects a page instead, until one is empty. total: the number of all users, to show progress.
    """

    fields: Fields
    items: Path | None = None
    next: Path | None = None
    page: PageParameter | None = None
    total: Path | None = None

    def __post_init__(self) -> None:
        if self.next is not None and self.page is not None:
            raise ValueError("`next` and `page` both lead to the next page: give only one")


class ImportCursor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an import continues: the `next` of a report, unchanged.

    url: URL of a page.
    number: Its number, where pages are numbered.
    skip: Number of its items that are imported.
    pages: Number of pages before it.
    digest: Of the items of the page before it.
    users_digest, first_digest: Of the users of the page before it, and of the first page.
    idle: Number of pages in a row before it that had no users.
    """

    url: str
    number: int | None = None
    skip: Annotated[int, Meta(ge=0)] = 0
    pages: Annotated[int, Meta(ge=0)] = 0
    digest: str = ""
    users_digest: str = ""
    first_digest: str = ""
    idle: Annotated[int, Meta(ge=0)] = 0


class ImportRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An import, or its next part.

    url: of the list of users, or of its first page. dry_run: write nothing. authorization: the value of
    the Authorization header for that server. codes: give a one-time password to each user without one.
    """

    url: str
    mapping: Mapping
    dry_run: bool = False
    authorization: str | None = None
    codes: bool = False
    next: ImportCursor | None = None

    def __repr__(self) -> str:
        return "ImportRequest(***)"


class Skipped(Struct, frozen=True, kw_only=True):
    """A user who was not imported, and the reason."""

    id: str | None
    handle: str | None
    reason: str


class Code(Struct, frozen=True, kw_only=True):
    """A password for one login that sets a new one; it is shown only once."""

    id: str
    handle: str
    code: str

    def __repr__(self) -> str:
        return f"Code({self.handle!r})"


class ImportReport(Struct, kw_only=True):
    """The result of a call; next: where the import continues, None: it is complete.

    total: number of users that the other server says it has. problem: why the call stopped early; `next` is
    then where to try again, None if trying again cannot help.
    """

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: list[Skipped] = []
    codes: list[Code] = []
    total: int | None = None
    problem: str | None = None
    next: ImportCursor | None = None
