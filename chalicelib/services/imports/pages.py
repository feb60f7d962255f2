"""Pages of users of another server: fetch one, read it by a mapping, find the next."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin

import msgspec

from chalicelib.fetching import Limits, PrivateAddress, fetch, origin_of, parsed, shown
from chalicelib.schemas.imports import Fields, ImportCursor, ImportRequest, Mapping
from chalicelib.services.imports.replies import MISSING, SourceError, decoded, found_at, items_of, kind_of

MAX_BYTES = 8 * 1024 * 1024
FETCH_SECONDS = 10.0
MAX_PAGES = 100_000
MAX_IDLE = 100
"""Maximum number of pages in a row without users, which some servers send for a filter."""

Get = Callable[[str, dict[str, str]], bytes]


class Page(msgspec.Struct, frozen=True):
    """One page of users.

    total: Number of all users, if the server says it.
    digest: Of the items.
    users: The id and the handle of each user.
    users_digest: Of the users in any order; empty without users.
    reply: The decoded reply that has the items.
    """

    items: list[Any]
    total: int | None
    digest: str
    users: list[list[str]]
    users_digest: str
    reply: Any


def getter(*, allow_private: bool) -> Get:
    """Return the function that fetches a page within the limits."""
    limits = Limits(body_bytes=MAX_BYTES, seconds=FETCH_SECONDS)

    def get(url: str, headers: dict[str, str]) -> bytes:
        try:
            return fetch(url, headers=headers, limits=limits, allow_private=allow_private).body
        except PrivateAddress as refusal:
            raise SourceError(f"{refusal}; PARLEY_IMPORT_PRIVATE=1 allows private ones") from None

    return get


def first_cursor(request: ImportRequest) -> ImportCursor:
    """Return the page that a call begins with; raises FetchError, SourceError for a URL not to be fetched."""
    cursor = request.next or ImportCursor(url=request.url)
    origin = origin_of(parsed(request.url))
    if origin_of(parsed(cursor.url)) != origin:
        raise SourceError(f"next.url is not on {origin}")
    if request.mapping.page and cursor.number is None:
        return msgspec.structs.replace(cursor, number=request.mapping.page.first)
    return cursor


def read_page(request: ImportRequest, cursor: ImportCursor, get: Get) -> Page | None:
    """Return a page; None after the last of numbered pages.

    Raises FetchError, after which a retry may succeed; SourceError, which needs another mapping or server.
    """
    url, mapping = _page_url(cursor, mapping=request.mapping), request.mapping
    headers = {"Authorization": request.authorization} if request.authorization else {}
    reply = decoded(get(url, headers), url)
    items = items_of(reply, mapping, url)
    digest, users = _digest(items), _users_of(items, mapping.fields)
    if mapping.page and (not items or (digest == cursor.digest and not cursor.skip)):
        return None
    if mapping.next and items and digest == cursor.digest and not cursor.skip:
        raise SourceError(f"{shown(url)} returns the previous page again: check `next` of the mapping")
    users_digest = _digest(sorted(names[0] for names in users)) if users else ""
    return Page(items, _total(reply, mapping), digest, users, users_digest, reply)


def is_end(page: Page, cursor: ImportCursor, known: AbstractSet[str]) -> bool:
    """Return whether a page without new users is the last page.

    known: Ids and handles on the previous pages that this process has read.
    Raises SourceError for a page without new users that is not the last: such a server sends pages for ever.
    """
    if cursor.skip:
        return False
    if not page.users:
        if cursor.idle + 1 >= MAX_IDLE:
            raise SourceError(f"{shown(cursor.url)}: {MAX_IDLE} pages in a row have no user")
        return False
    repeated = page.users_digest in (cursor.users_digest, cursor.first_digest)
    if not repeated and any(known.isdisjoint(user) for user in page.users):
        return False
    if page.total is not None and page.total <= sum(name.startswith("id ") for name in known):
        return True
    where = f"page {cursor.pages + 1} of {shown(cursor.url)}"
    way = "next" if cursor.number is None else "page"
    raise SourceError(f"{where} has no new user: check `{way}` of the mapping")


def cursor_after(page: Page, cursor: ImportCursor, request: ImportRequest) -> ImportCursor | None:
    """Return the cursor of the next page, None after the last; raises FetchError, SourceError."""
    if cursor.pages + 1 >= MAX_PAGES:
        raise SourceError(f"{shown(cursor.url)} has more than {MAX_PAGES} pages")
    following = ImportCursor(
        url=cursor.url,
        pages=cursor.pages + 1,
        digest=page.digest,
        users_digest=page.users_digest,
        first_digest=cursor.first_digest or page.users_digest,
        idle=0 if page.users else cursor.idle + 1,
    )
    if cursor.number is not None:
        return msgspec.structs.replace(following, number=cursor.number + 1)
    url = _next_url(page, cursor.url, request)
    return None if url is None else msgspec.structs.replace(following, url=url)


def _next_url(page: Page, here: str, request: ImportRequest) -> str | None:
    """Return the URL that a page names for the next one; None if it names none."""
    path = request.mapping.next
    link = found_at(page.reply, path) if path else None
    if link is None or link is MISSING or link in ("", False):
        return None
    if not isinstance(link, str):
        raise SourceError(f"`{path}` in the answer of {shown(here)} is {kind_of(link)}, not a URL")
    url = _joined(here, link)
    if origin_of(parsed(url)) != origin_of(parsed(request.url)):
        raise SourceError(f"{shown(here)} names a next page on another server, {shown(url)}")
    return url


def _page_url(cursor: ImportCursor, mapping: Mapping) -> str:
    if mapping.page is None:
        return cursor.url
    parts = parsed(cursor.url)
    others = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != mapping.page.parameter
    ]
    query = urlencode([*others, (mapping.page.parameter, str(cursor.number))])
    return parts._replace(query=query, fragment="").geturl()


def _users_of(items: list[Any], fields: Fields) -> list[list[str]]:
    """Return the ids and handles of the users on a page, without users that have neither."""
    users = [
        [
            f"{name} {value}"
            for name, path in (("id", fields.id), ("handle", fields.handle))
            if isinstance(value := found_at(item, path), str | int)
        ]
        for item in items
    ]
    return [user for user in users if user]


def _digest(values: list[Any]) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()[:32]


def _total(reply: Any, mapping: Mapping) -> int | None:
    total = found_at(reply, mapping.total) if mapping.total else None
    return total if type(total) is int else None


def _joined(url: str, link: str) -> str:
    try:
        return urljoin(url, link)
    except ValueError:
        raise SourceError(f"{shown(url)} names a next page that is not a URL") from None
