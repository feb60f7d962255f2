"""Permissions of web pages of other sites to call (CORS, of the Fetch standard)."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping
from urllib.parse import urlsplit

from chalicelib.config import Settings
from chalicelib.http.responses import Response

ANY_ORIGIN = "*"
EXPOSED = (
    "X-Request-Id",
    "Location",
    "Retry-After",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
)
TAKEN = ("Authorization", "Content-Type", "Idempotency-Key", "Prefer", "X-Parley-User", "X-Request-Id")
PREFLIGHT_SECONDS = 7200  # the maximum of Chromium


class Cors:
    """The headers by which a browser lets pages of listed origins read answers.

    No header allows credentials: a page authenticates by a bearer token, never by a cookie.

    origins: As settings.cors_origins; empty: no page may call; with `*` every page may.
    """

    def __init__(self, origins: Iterable[str]) -> None:
        listed = frozenset(origins)
        self._allowed: dict[str, dict[str, str]] = {}
        self._others: dict[str, str] = {}
        if ANY_ORIGIN in listed:
            self._others = _allowing(ANY_ORIGIN)
        elif listed:
            self._allowed = {origin: _allowing(origin) | {"Vary": "Origin"} for origin in listed}
            self._others = {"Vary": "Origin"}

    def headers(self, origin: str | None) -> dict[str, str]:
        """Return the headers of every answer to a page of an origin, or to no page."""
        return self._allowed.get(origin, self._others) if origin else self._others

    def allows(self, origin: str | None) -> bool:
        """Return whether pages of an origin may call."""
        return "Access-Control-Allow-Origin" in self.headers(origin)


def is_page_of(origin: str, hosts: Collection[str]) -> bool:
    """Return whether an origin is a page of one of some hosts, on any port."""
    try:
        return urlsplit(origin).hostname in hosts
    except ValueError:
        return False


@functools.cache
def current() -> Cors:
    """Return this process's instance, made at the first call from the environment."""
    return Cors(Settings.from_env().cors_origins)


def preflight(headers: Mapping[str, str], methods: Iterable[str]) -> Response:
    """Answer OPTIONS: the methods of a path, and for an allowed page the headers that it may send.

    headers: Of the request, names in lower case.
    """
    allowed = ", ".join(methods)
    granted = {}
    if current().allows(headers.get("origin")):
        granted = {
            "Access-Control-Allow-Methods": allowed,
            "Access-Control-Allow-Headers": ", ".join(TAKEN),
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        }
    return Response(b"", {"Allow": allowed, **granted}, 204)


def _allowing(origin: str) -> dict[str, str]:
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": ", ".join(EXPOSED),
    }
