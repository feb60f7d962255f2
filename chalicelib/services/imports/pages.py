"""Pages of users on another server: fetched, read by a mapping, and followed to the end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin

import msgspec

from chalicelib.fetching import Limits, PrivateAddress, fetch, origin_of, parsed, shown
from chalicelib.schemas.imports import Fields, ImportRequest, Mapping, Place
from chalicelib.services.imports.replies import MISSING, SourceError, decoded, found_at, items_of, kind_of

MOST_BYTES = 8 * 1024 * 1024
FETCH_SECONDS = 10.0
MOST_PAGES = 100_000
MOST_IDLE = 100
"""Pages in a row that may come without a single user, as some servers answer a filter."""

Get = Callable[[str, dict[str, str]], bytes]


class Page(msgspec.Struct, frozen=True):
    """One page.

    items: all of it. total: how many users there are, if told. digest: of the items. users: each by its
    names, the id and the handle. users_digest: of them in any order, empty without any. reply: the whole.
    """

    items: list[Any]
    total: int | None
    digest: str
    users: list[list[str]]
    users_digest: str
    reply: Any


def getter(*, allow_private: bool) -> Get:
    """Return what fetches a page within the limits."""
    limits = Limits(body_bytes=MOST_BYTES, seconds=FETCH_SECONDS)

    def get(url: str, headers: dict[str, str]) -> bytes:
        try:
            return fetch(url, headers=headers, limits=limits, allow_private=allow_private).body
        except PrivateAddress as refusal:
            raise SourceError(f"{refusal}; PARLEY_IMPORT_PRIVATE=1 admits private ones") from None

    return get


def first_place(request: ImportRequest) -> Place:
    """Return where a call begins; raises FetchError or SourceError when that cannot be fetched."""
    place = request.next or Place(url=request.url)
    origin = origin_of(parsed(request.url))
    if origin_of(parsed(place.url)) != origin:
        raise SourceError(f"next.url is not on {origin}")
    if request.mapping.page and place.number is None:
        return msgspec.structs.replace(place, number=request.mapping.page.first)
    return place


def read_page(request: ImportRequest, place: Place, get: Get) -> Page | None:
    """Return a page, or None when numbered pages have come to their end.

    Raises FetchError, which another try may mend, and SourceError, which needs another mapping or server.
    """
    url, mapping = _page_url(place, mapping=request.mapping), request.mapping
    headers = {"Authorization": request.authorization} if request.authorization else {}
    reply = decoded(get(url, headers), url)
    items = items_of(reply, mapping, url)
    digest, users = _digest(items), _users_of(items, mapping.fields)
    if mapping.page and (not items or (digest == place.digest and not place.skip)):
        return None
    if mapping.next and items and digest == place.digest and not place.skip:
        raise SourceError(f"{shown(url)} gives the page before it once more; is `next` of the mapping right?")
    users_digest = _digest(sorted(names[0] for names in users)) if users else ""
    return Page(items, _total(reply, mapping), digest, users, users_digest, reply)


def is_end(page: Page, place: Place, known: AbstractSet[str]) -> bool:
    """Return whether a page that has no new user is the end of all of them.

    known: names of the users on the pages before, as far as they are remembered.
    Raises SourceError for one that is not: the server would go on for ever.
    """
    if place.skip:
        return False
    if not page.users:
        if place.idle + 1 >= MOST_IDLE:
            raise SourceError(f"{shown(place.url)}: {MOST_IDLE} pages in a row have no user")
        return False
    repeated = page.users_digest in (place.users_digest, place.first_digest)
    if not repeated and any(known.isdisjoint(user) for user in page.users):
        return False
    if page.total is not None and page.total <= sum(name.startswith("id ") for name in known):
        return True
    where = f"page {place.pages + 1} of {shown(place.url)}"
    way = "next" if place.number is None else "page"
    raise SourceError(f"{where} brings no user that no page before it had: is `{way}` of the mapping right?")


def place_after(page: Page, place: Place, request: ImportRequest) -> Place | None:
    """Return where the next page is, None after the last; raises FetchError or SourceError."""
    pages = place.pages + 1
    if pages >= MOST_PAGES:
        raise SourceError(f"{shown(place.url)} has more than {MOST_PAGES} pages")
    read = Place(
        url=place.url,
        pages=pages,
        digest=page.digest,
        users_digest=page.users_digest,
        first_digest=place.first_digest or page.users_digest,
        idle=0 if page.users else place.idle + 1,
    )
    if place.number is not None:
        return msgspec.structs.replace(read, number=place.number + 1)
    path = request.mapping.next
    link = found_at(page.reply, path) if path else None
    if link is None or link is MISSING or link in ("", False):
        return None
    if not isinstance(link, str):
        raise SourceError(
            f"there is {kind_of(link)}, not a URL, at `{path}` of what {shown(place.url)} answers"
        )
    url = _joined(place.url, link)
    if origin_of(parsed(url)) != origin_of(parsed(request.url)):
        raise SourceError(f"{shown(place.url)} names a next page on another server, {shown(url)}")
    return msgspec.structs.replace(read, url=url)


def _page_url(place: Place, mapping: Mapping) -> str:
    if mapping.page is None:
        return place.url
    parts = parsed(place.url)
    others = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != mapping.page.parameter
    ]
    query = urlencode([*others, (mapping.page.parameter, str(place.number))])
    return parts._replace(query=query, fragment="").geturl()


def _users_of(items: list[Any], fields: Fields) -> list[list[str]]:
    """Return the users of a page, each by the id and the handle, as far as they have these."""
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
