"""The headers of every answer."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from chalicelib.http.cors import Cors

COMMON_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",  # pages that CORS lets in are not asked for it
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
HTTPS_HEADERS = COMMON_HEADERS | {"Strict-Transport-Security": "max-age=31536000"}


def common_headers(headers: Mapping[str, str], allowed: Cors) -> Mapping[str, str]:
    """Return the headers of every answer that does not set them itself.

    headers: the request's, names in lower case. allowed: the web pages that may call.
    """
    origin, secure = headers.get("origin"), headers.get("x-forwarded-proto") == "https"
    if origin is None:
        return _to_no_page(allowed, secure)
    return (HTTPS_HEADERS if secure else COMMON_HEADERS) | allowed.headers(origin)


@functools.lru_cache(maxsize=8)
def _to_no_page(allowed: Cors, secure: bool) -> Mapping[str, str]:
    return (HTTPS_HEADERS if secure else COMMON_HEADERS) | allowed.headers(None)
