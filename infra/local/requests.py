"""The head of an HTTP request, as the edge has it."""

from __future__ import annotations

from typing import NamedTuple

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
