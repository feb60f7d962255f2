"""Answers, and the bytes of their responses."""

from __future__ import annotations

import base64
import time
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, NamedTuple

from chalicelib.errors import PROBLEM_JSON, ParleyError
from infra.local.events import header_pairs

BODILESS = frozenset({HTTPStatus.NO_CONTENT.value, HTTPStatus.NOT_MODIFIED.value})
UNPRINTABLE = bytes(byte for byte in range(0x100) if not 0x20 <= byte < 0x7F and byte not in b"\r\n")
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Answer(NamedTuple):
    """What a request is answered with."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @classmethod
    def of(cls, response: dict[str, Any]) -> Answer:
        """Return the answer that a handler gives in the shape of a Lambda proxy response."""
        text: str = response.get("body") or ""
        body = base64.b64decode(text) if response.get("isBase64Encoded") else text.encode()
        return cls(response["statusCode"], header_pairs(response), body)

    @classmethod
    def problem(cls, error: ParleyError, headers: dict[str, str]) -> Answer:
        """Return an error as an answer; headers: beside its own."""
        every = {**headers, "Content-Type": PROBLEM_JSON, **error.headers}
        return cls(error.status, list(every.items()), error.problem())


class _Date:
    """The Date header, made once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._line = ""

    def line(self) -> str:
        """Return the line of now."""
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._line = f"Date: {formatdate(second, usegmt=True)}\r\n"
        return self._line


_DATE = _Date()


def response_bytes(answer: Answer, *, with_body: bool = True, connection: str = "") -> bytes:
    """Return the response of an answer; raises ValueError if HTTP cannot carry one of its headers.

    with_body: False for the response to HEAD, which says the body's length and leaves the body out.
    connection: Value of the Connection header; empty: there is none.
    """
    status, headers, body = answer
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
    if status in BODILESS:
        length, body = "", b""
    else:
        length = f"Content-Length: {len(body)}\r\n"
    ending = f"Connection: {connection}\r\n\r\n" if connection else "\r\n"
    head = f"HTTP/1.1 {status} {_PHRASES.get(status, '')}\r\n{lines}{length}{_DATE.line()}{ending}".encode()
    ends = len(headers) + 3 + bool(length) + bool(connection)
    if head.count(b"\n") != ends or head.count(b"\r") != ends or head.translate(None, UNPRINTABLE) != head:
        raise ValueError(f"the handler gave a header that HTTP cannot carry, among {lines!r}")
    return head + body if with_body else head
