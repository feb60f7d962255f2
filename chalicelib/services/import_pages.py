"""Pages of users on another server: fetched, read by a mapping, and followed to the end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin

import msgspec

from chalicelib.fetching import Limits, PrivateAddress, fetch, origin_of, parsed, shown
from chalicelib.schemas.imports import ImportRequest, Mapping, Place

MOST_BYTES = 8 * 1024 * 1024
FETCH_SECONDS = 10.0
MOST_PAGES = 100_000
MISSING = msgspec.UNSET

Get = Callable[[str, dict[str, str]], bytes]


class SourceError(Exception):
    """The other server's reply cannot be used, whenever it is asked; the text says why."""


class Page(msgspec.Struct, frozen=True):
    """One page: all its items, how many users there are (if told), their digest, and the whole reply."""

    items: list[Any]
    total: int | None
    digest: str
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
    reply = _decoded(get(url, headers), url)
    items = _items(reply, mapping, url)
    digest = hashlib.sha256(repr(items).encode()).hexdigest()[:32]
    if mapping.page and (not items or (digest == place.digest and not place.skip)):
        return None
    if mapping.next and items and digest == place.digest and not place.skip:
        raise SourceError(f"{shown(url)} gives the page before it once more; is `next` of the mapping right?")
    return Page(items, _total(reply, mapping), digest, reply)


def place_after(page: Page, place: Place, request: ImportRequest) -> Place | None:
    """Return where the next page is, None after the last; raises FetchError or SourceError."""
    pages = place.pages + 1
    if pages >= MOST_PAGES:
        raise SourceError(f"{shown(place.url)} has more than {MOST_PAGES} pages")
    if place.number is not None:
        return Place(url=place.url, number=place.number + 1, pages=pages, digest=page.digest)
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
    return Place(url=url, pages=pages, digest=page.digest)


def found_at(value: Any, path: str) -> Any:
    """Return what is at a dotted path, MISSING if nothing is; a field's own name may have dots in it."""
    if isinstance(value, dict):
        if path in value:
            return value[path]
        head, dot, rest = path.partition(".")
        return found_at(value[head], rest) if dot and head in value else MISSING
    if isinstance(value, list):
        head, dot, rest = path.partition(".")
        if not (head.isdecimal() and len(head) < 7 and int(head) < len(value)):
            return MISSING
        return found_at(value[int(head)], rest) if dot else value[int(head)]
    return MISSING


def kind_of(value: Any) -> str:
    """Say what a JSON value is."""
    if isinstance(value, dict):
        return "an object with " + (", ".join(f"`{name[:40]}`" for name in list(value)[:10]) or "no fields")
    kinds = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return "nothing" if value is MISSING else kinds.get(type(value), "a number")


def _page_url(place: Place, mapping: Mapping) -> str:
    if mapping.page is None:
        return place.url
    parts = parsed(place.url)
    others = [
        pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != mapping.page.parameter
    ]
    query = urlencode([*others, (mapping.page.parameter, str(place.number))])
    return parts._replace(query=query, fragment="").geturl()


def _decoded(body: bytes, url: str) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError):
        raise SourceError(f"{shown(url)} answers what is not JSON") from None
    except RecursionError:
        raise SourceError(f"{shown(url)} answers JSON that is nested too deeply") from None


def _items(reply: Any, mapping: Mapping, url: str) -> list[Any]:
    items = reply if mapping.items is None else found_at(reply, mapping.items)
    if isinstance(items, list):
        return items
    where = f"at `{mapping.items}` of" if mapping.items else "as the whole of"
    within = (
        f"; the reply is {kind_of(reply)}"
        if mapping.items
        else "; `items` of the mapping says where the list is"
    )
    raise SourceError(f"there is {kind_of(items)}, not a list, {where} what {shown(url)} answers{within}")


def _total(reply: Any, mapping: Mapping) -> int | None:
    total = found_at(reply, mapping.total) if mapping.total else None
    return total if type(total) is int else None


def _joined(url: str, link: str) -> str:
    try:
        return urljoin(url, link)
    except ValueError:
        raise SourceError(f"{shown(url)} names a next page that is not a URL") from None
