"""The head of a request: its request line and its headers, by the grammar of RFC 9112 and nothing else."""

from __future__ import annotations

import re
import sys
from typing import NamedTuple
from urllib.parse import quote

from chalicelib.errors import BadRequest
from infra.local.requests import PRINTABLE, Request

NAME_PATTERN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
REQUEST_LINE = re.compile(rf"({NAME_PATTERN}) ([!\"$-~\x80-\U0010ffff]+) HTTP/(1\.[01])")
ABSOLUTE = re.compile(r"https?://([^/?@]+)(/[^?]*)?(\?.*)?", re.IGNORECASE)
NAME = re.compile(NAME_PATTERN)
CONTROLS = bytes(byte for byte in range(0x20) if byte not in b"\t\r\n") + b"\x7f"
CONTROLS_AND_ENDS = CONTROLS + b"\r\n"
LONE_LINE_END = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)")
BARE_LINE_END = "Every line of the head must end with CR and LF; neither may stand alone."
CHUNKED = -1
"""The length of a body that comes in chunks."""
LENGTH_DIGITS = 18
MAX_NAMES, MAX_NAME_LENGTH = 1000, 64

_names: dict[str, str] = {}
"""Names of headers that were found to be valid, in lower case, by the name as a client wrote it."""


class Head(NamedTuple):
    """The head of a request, and what follows from it for its connection.

    length: Number of bytes of the body, or CHUNKED. keep_alive: Whether the client will use the connection
    again. expects_continue: Whether it waits for `100 Continue` before it sends the body.
    raw: The bytes of the head, without the empty line at its end.
    """

    request: Request
    length: int
    keep_alive: bool
    expects_continue: bool
    raw: bytes


def parse_head(head: bytes, client: str) -> Head:
    """Return a head of its bytes, which end before the empty line; raises BadRequest.

    client: Address of the connection's other end. What is not UTF-8 in a header becomes U+FFFD.
    """
    lines = lines_of(head)
    method, target, version = _request_line(lines, head)
    headers = fields_of(lines[1:])
    path, _, query = target.partition("?")
    if target[0] != "/" and target != "*":
        path, query = _absolute(target, headers, 1 if version == "1.1" else 0)
    request = Request(method, path, query, headers, client, version[-3:])
    is_new = version == "1.1"
    return Head(
        request,
        _length(headers, is_new=is_new),
        _keeps_alive(headers, is_new=is_new),
        is_new and "expect" in headers and headers["expect"][-1].lower() == "100-continue",
        head,
    )


def lines_of(head: bytes) -> list[str]:
    """Return the lines of a head or of trailers; raises BadRequest for a control character among them."""
    lines = head.decode("utf-8", "replace").split("\r\n")
    ends = 2 * (len(lines) - 1)
    if len(head) - len(head.translate(None, CONTROLS_AND_ENDS)) != ends:
        check_part(head)
        raise BadRequest(BARE_LINE_END)
    return lines


def check_part(data: bytes, start: int = 0) -> None:
    """Raise BadRequest if a part of a head, from an index on, has bytes that no head has."""
    part = data[start:]
    if part.translate(None, CONTROLS) != part:
        raise BadRequest("The request line and headers must not contain control characters.")
    if LONE_LINE_END.search(data, start):
        raise BadRequest(BARE_LINE_END)


def fields_of(lines: list[str]) -> dict[str, list[str]]:
    """Return every value of each header by its name in lower case; raises BadRequest."""
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequest("A header line must have a name, a colon and a value.")
        key = _names.get(name) or _checked(name)
        if key in headers:
            headers[key].append(value.strip(" \t"))
        else:
            headers[key] = [value.strip(" \t")]
    return headers


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise BadRequest(
            "The name of a header must be a token, right before its colon and at the line's start."
        )
    key = name.lower()
    if len(_names) >= MAX_NAMES:
        _names.clear()
    if len(name) <= MAX_NAME_LENGTH:
        _names[name] = key
    return key


def _request_line(lines: list[str], head: bytes) -> tuple[str, str, str]:
    parts = REQUEST_LINE.fullmatch(lines[0])
    if parts is None:
        raise BadRequest("The request line must be a method, a path and HTTP/1.1, with single spaces.")
    method, target, version = parts.groups()
    if not target.isascii():
        target = _quoted(head)
    return method, target, version


def _quoted(head: bytes) -> str:
    """Return the target with the bytes beyond ASCII percent-encoded."""
    target = head.partition(b"\r\n")[0].split(b" ")[1]
    try:
        target.decode()
    except UnicodeDecodeError:
        raise BadRequest("The path and the query must be UTF-8; percent-encode what is not ASCII.") from None
    return quote(target, safe=PRINTABLE)


def _absolute(target: str, headers: dict[str, list[str]], needed: int) -> tuple[str, str]:
    """Return path and query of a whole URL, and let its host take the place of the Host header.

    needed: Number of Host headers without which the request is wrong in any case. Source: RFC 9112, 3.2.2.
    """
    parts = ABSOLUTE.fullmatch(target)
    if parts is None:
        raise BadRequest("The path must begin with a slash.")
    if needed <= len(headers.get("host", ())) <= 1:
        headers["host"] = [parts[1]]
    return parts[2] or "/", (parts[3] or "?")[1:]


def _length(headers: dict[str, list[str]], *, is_new: bool) -> int:
    """Return the length of the body. Source: RFC 9112, 6.3."""
    lengths = headers.get("content-length")
    if "transfer-encoding" in headers:
        if lengths is not None or not is_new:
            raise BadRequest("Transfer-Encoding needs HTTP/1.1, and no Content-Length beside it.")
        (coding, *others) = headers["transfer-encoding"]
        if others or not coding.isascii() or coding.lower() != "chunked":  # KELVIN SIGN is a k in lower case
            raise BadRequest("The only Transfer-Encoding that this server accepts is: chunked.")
        return CHUNKED
    if lengths is None:
        return 0
    digits = lengths[0]
    if len(lengths) > 1 or not (digits.isascii() and digits.isdigit()):
        raise BadRequest("Content-Length must be one whole number.")
    return int(digits) if len(digits) <= LENGTH_DIGITS else sys.maxsize


def _keeps_alive(headers: dict[str, list[str]], *, is_new: bool) -> bool:
    if "connection" not in headers:
        return is_new
    options = [option.strip(" \t").lower() for option in ",".join(headers["connection"]).split(",")]
    return "close" not in options if is_new else "keep-alive" in options and "close" not in options
