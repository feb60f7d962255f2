"""One HTTP request as the edge has it, whatever server read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


class Request(NamedTuple):
    """The head of a request.

    path, query: as the client wrote them, but for bytes beyond ASCII, which are percent-encoded.
    headers: every value by the name in lower case. client: the address of the connection's other end.
    version: of HTTP, such as `1.1`.
    """

    method: str
    path: str
    query: str
    headers: dict[str, list[str]]
    client: str
    version: str


def request_of(scope: Mapping[str, Any]) -> Request:
    """Return the request of an ASGI scope; what of its headers is not UTF-8 is U+FFFD.

    Granian gives a request without a Host header an empty one, and calls HTTP/1.0 `1`.
    """
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1"), []).append(value.decode("utf-8", "replace"))
    if headers.get("host") == [""]:
        del headers["host"]
    version: str = scope["http_version"]
    return Request(
        scope["method"],
        quote(scope["raw_path"], safe=PRINTABLE),
        quote(scope["query_string"], safe=PRINTABLE),
        headers,
        scope["client"][0],
        "1.0" if version == "1" else version,
    )
