"""Reading requests out of bytes, held to h11, an independent implementation of HTTP/1.1."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import h11
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chalicelib.errors import BadRequest, ParleyError, PayloadTooLarge
from infra.local.hosts import only_host
from infra.local.http.body import MAX_LINE, STEPS_AT_ONCE, HeadersTooLarge
from infra.local.http.reader import MAX_HEAD_BYTES, RequestReader

CLIENT = "192.0.2.1"
MORE, REFUSED, LAST = "needs more bytes", "refused", "the connection ends with it"


class Read(NamedTuple):
    """A request as it was read: method, path and query, headers and body."""

    method: str
    target: tuple[str, str]
    headers: dict[str, list[str]]
    body: bytes


class Verdict(NamedTuple):
    """The requests in some bytes, what follows them, and where each of them ends."""

    requests: list[Read]
    end: str
    ends: list[int]


def ours(pieces: Sequence[bytes]) -> Verdict:
    """Return the verdict of our reader, and of the gateway's rule that a request names one host."""
    reader, fed = RequestReader(CLIENT), 0
    requests: list[Read] = []
    ends = [0]
    for piece in pieces:
        reader.feed(piece)
        fed += len(piece)
        try:
            while (received := reader.next()) is not None:
                request = received.head.request
                only_host(request.headers.get("host", ()), request.version)
                target = (request.path, request.query)
                requests.append(Read(request.method, target, request.headers, received.body))
                ends.append(fed - reader.waiting)
                if not received.head.keep_alive:
                    return Verdict(requests, LAST, ends)
            if reader.head is not None:
                request = reader.head.request
                only_host(request.headers.get("host", ()), request.version)
        except ParleyError:
            return Verdict(requests, REFUSED, ends)
    return Verdict(requests, MORE, ends)


def of_h11(data: bytes) -> Verdict:
    """Return the verdict of h11."""
    connection = h11.Connection(h11.SERVER, MAX_HEAD_BYTES)
    if data:  # none would be the end of the connection
        connection.receive_data(data)
    found: list[Read] = []
    try:
        while (request := _next_of(connection)) is not None:
            found.append(request)
            connection.send(h11.Response(status_code=400, headers=[("Content-Length", "0")]))
            connection.send(h11.EndOfMessage())
            if connection.our_state is not h11.DONE:
                return Verdict(found, LAST, [])
            connection.start_next_cycle()
    except h11.RemoteProtocolError:
        return Verdict(found, REFUSED, [])
    return Verdict(found, MORE, [])


def _next_of(connection: h11.Connection) -> Read | None:
    request, body = None, b""
    while (event := connection.next_event()) is not h11.NEED_DATA:
        if isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif request is not None:
            return _read(request, body)
    return None


def _read(request: h11.Request, body: bytes) -> Read:
    headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        headers.setdefault(name.decode(), []).append(value.decode("utf-8", "replace"))
    path, _, query = request.target.decode().partition("?")
    if whole := re.fullmatch("https?://([^/?]+)(.*)", path, re.IGNORECASE):
        headers["host"] = [whole[1]]  # RFC 9112, 3.2.2
        path = whole[2] or "/"
    return Read(request.method.decode(), (path, query), headers, body)


def head_of(rest: bytes) -> bytes:
    """Return the head at the begin of some bytes, as far as h11 reads it."""
    return re.split(rb"\n\r?\n", rest, maxsplit=1)[0]


def has(pattern: bytes) -> Callable[[bytes], bool]:
    """Return whether a head has a pattern, in any case of its letters."""
    return lambda rest: re.search(pattern, head_of(rest), re.IGNORECASE) is not None


STRICTER: dict[str, Callable[[bytes], bool]] = {
    "a line may not end with LF alone, nor have a lone CR in it (RFC 9112, 2.2)": lambda rest: (
        re.search(rb"(?<!\r)\n|\r(?!\n)", rest.split(b"\r\n\r\n")[0]) is not None
    ),
    "control characters stand for no field (RFC 9110, 5.5)": has(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"),
    "a folded line is refused (RFC 9112, 5.2)": has(rb"\n[ \t]"),
    "a target has no fragment (RFC 9112, 3.2)": has(rb"^(\r\n)?\S+ \S*#"),
    "a target is a path, a URL or an asterisk; there is no CONNECT": has(
        rb"^(\r\n)?\S+ (?!/|\* |\*$|https?://[^/?@ ]+[/? ])"
    ),
    "other versions than 1.0 and 1.1 are refused": has(rb"^(\r\n)?\S+ \S+ HTTP/(?!1\.[01]\b)"),
    "equal lengths are refused as well (RFC 9110, 8.6)": has(
        rb"\ncontent-length:.*(,|\n(.*\n)*content-length:)"
    ),
    "a length in chunks and in bytes is refused (RFC 9112, 6.3)": has(
        rb"(?s)(?=.*\ncontent-length:)(?=.*\ntransfer-encoding:)"
    ),
    "HTTP/1.0 has no chunks (RFC 9112, 6.1)": has(rb"(?s)HTTP/1\.0.*\ntransfer-encoding:"),
    "a Host header is not empty": has(rb"\nhost:[ \t]*(\r|$)"),
    "no space follows a chunk's length (RFC 9112, 7.1)": lambda rest: (
        re.search(rb"\n[0-9a-f]+(;.*)?[ \t]+\r\n", rest, re.IGNORECASE) is not None
    ),
    "neither control characters nor LF are part of a chunk's line or a trailer": lambda rest: (
        b"chunked" in rest.lower()
        and re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?!\n)|\n[ \t]", rest) is not None
    ),
}
"""Why our reader refuses what h11 accepts or waits for."""
LOOSER: dict[str, Callable[[bytes], bool]] = {
    "one empty line may come first (RFC 9112, 2.2)": lambda rest: rest.startswith((b"\r\n", b"\n", b"\r")),
    "bytes of UTF-8 in a target are percent-encoded": has(rb"^(\r\n)?\S+ [^ ]*[\x80-\xff]"),
    "a head that begins with a space or tab is refused when it has arrived": lambda rest: (
        rest[:1] in (b" ", b"\t")
    ),
}
"""Why our reader accepts or waits for what h11 refuses."""


OPTIONAL_CLOSE = has(rb"(?s) HTTP/1\.0\r?\n.*connection:.*keep-alive")
"""HTTP/1.0 whose client asks for the connection to be kept, which h11 never does."""


def check(pieces: Sequence[bytes]) -> None:
    """Assert that our reader and h11 read the same, but for what one of the tables names."""
    data = b"".join(pieces)
    mine, theirs = ours(pieces), of_h11(data)
    both = min(len(mine.requests), len(theirs.requests))
    assert mine.requests[:both] == theirs.requests[:both]
    rest = data[mine.ends[both] :]
    if mine.end == REFUSED and theirs.end == MORE:  # h11 looks at lines when all of them have come
        later = of_h11(data + b"\r\n\r\n")
        theirs = later if later.end == REFUSED else theirs
    if (len(mine.requests), mine.end) == (len(theirs.requests), theirs.end):
        return
    if both and theirs.end == LAST and len(theirs.requests) == both:
        assert OPTIONAL_CLOSE(data[mine.ends[both - 1] :])
    elif len(mine.requests) == both and mine.end == REFUSED:
        assert any(reason(rest) for reason in STRICTER.values()), (rest, theirs)
    else:
        assert any(reason(rest) for reason in LOOSER.values()), (rest, mine)


def chunked(body: bytes, sizes: Sequence[int], extension: bytes, trailer: bytes) -> bytes:
    """Return a body in chunks."""
    parts, start = [], 0
    for size in sizes:
        if piece := body[start : start + size]:
            parts.append(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece))
        start += size
    return b"".join([*parts, b"0", extension, b"\r\n", trailer, b"\r\n"])


METHODS = st.sampled_from([b"GET", b"POST", b"PUT", b"HEAD", b"get", b"M-SEARCH", b"CONNECT", b"OPTIONS"])
TARGETS = st.sampled_from(
    [
        b"/",
        b"/a%2Fb?c=d&e",
        b"*",
        b"http://h.example/a?b",
        b"HTTP://h.example",
        b"a:1",
        b"/a#b",
        b"//",
        b"/\xc3\xa9",
    ]
)
VERSIONS = st.sampled_from(
    [b"HTTP/1.1"] * 8 + [b"HTTP/1.0", b"HTTP/1.2", b"HTTP/2.0", b"http/1.1", b"HTTP/1.10"]
)
FIELDS = st.lists(
    st.sampled_from(
        [
            b"Host: h.example",
            b"Content-Length: 3",
            b"content-length: 3, 3",
            b"Content-Length: +3",
            b"Content-Length: 0x3",
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: gzip, chunked",
            b"Transfer-Encoding: chunked, identity",
            b"transfer-encoding:\tCHUNKED ",
            b"Connection: close",
            b"Connection: keep-alive, Upgrade",
            b"Upgrade: h2c",
            b"Expect: 100-continue",
            b"X-Empty:",
            b"X-Text:  zo\xc3\xab \xff ",
            b" folded",
            b"X-Space : 1",
            b"no colon",
            b": no name",
        ]
    ),
    max_size=3,
)
SNIPPETS = [
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"0",
    b"\0",
    b"\x7f",
    b"\xff",
    b"#",
    b"chunked",
    b"\r\n\r\n",
]


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Return the bytes of a request that is mostly right."""
    framing = draw(st.sampled_from(["none", "length", "chunks"]))
    body = draw(
        st.sampled_from([b"", b"abc", b"0123456789abcdef"]) if framing == "chunks" else st.binary(max_size=20)
    )
    lines = [b" ".join([draw(METHODS), draw(TARGETS), draw(VERSIONS)]), b"Host: h.example"]
    lines += draw(FIELDS) if draw(st.booleans()) else []
    if framing == "length":
        lines.append(b"Content-Length: %d" % len(body))
    elif framing == "chunks":
        lines.append(b"Transfer-Encoding: chunked")
        sizes = draw(st.lists(st.integers(1, 9), min_size=20, max_size=20))
        extension = draw(st.sampled_from([b"", b"", b";a=b", b' ;a="b"', b" ", b";\x01"]))
        trailer = draw(
            st.sampled_from([b"", b"X-Sum: 1\r\n", b"X-Sum : 1\r\n", b" x\r\n", b"Content-Length: 9\r\n"])
        )
        body = chunked(body, sizes, extension, trailer)
    else:
        body = b""
    return b"\r\n".join([*lines, b"", body])


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """Return requests one after the other, with some changes, in pieces."""
    data = b"".join(draw(st.lists(requests(), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(0, 2))):
        at, length = draw(st.integers(0, len(data))), draw(st.integers(0, 2))
        data = data[:at] + draw(st.sampled_from([b"", *SNIPPETS])) + data[at + length :]
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=4)))
    return [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@example([b"GET HTTP://h.example HTTP/1.0\r\n\r\n"])
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(streams())
def test_every_stream_is_read_as_h11_reads_it(pieces: list[bytes]) -> None:
    """Requests, refusals and waiting are those of h11, but for the named differences, in any pieces."""
    check(pieces)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.binary(max_size=50), max_size=3))
def test_any_bytes_are_read_as_h11_reads_them(pieces: list[bytes]) -> None:
    """Bytes without any form are refused, or wait for more, as in h11."""
    check(pieces)


GET = b"GET / HTTP/1.1\r\nHost: h.example\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h.example\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
REFUSALS: dict[str, tuple[type[ParleyError], bytes]] = {
    "both framings": (BadRequest, POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "two lengths": (BadRequest, POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
    "the same length twice": (BadRequest, POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n"),
    "a list of lengths": (BadRequest, POST + b"Content-Length: 1, 1\r\n\r\n"),
    "a length with a sign": (BadRequest, POST + b"Content-Length: +1\r\n\r\n"),
    "a length with a line": (BadRequest, POST + b"Content-Length: 1_0\r\n\r\n"),
    "a length of other digits": (BadRequest, POST + "Content-Length: \u0661\r\n\r\n".encode()),
    "an empty length": (BadRequest, POST + b"Content-Length:\r\n\r\n"),
    "a huge length": (PayloadTooLarge, POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"),
    "another coding": (BadRequest, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n"),
    "chunked and another coding": (BadRequest, POST + b"Transfer-Encoding: chunked, identity\r\n\r\n"),
    "chunked twice": (BadRequest, POST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n"),
    "a coding with KELVIN SIGN": (BadRequest, POST + "Transfer-Encoding: chun\u212aed\r\n\r\n".encode()),
    "an empty coding": (BadRequest, POST + b"Transfer-Encoding:\r\n\r\n"),
    "a coding of a GET": (BadRequest, GET + b"Transfer-Encoding: identity\r\n\r\n"),
    "chunks in HTTP/1.0": (BadRequest, CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0")),
    "LF alone": (BadRequest, b"GET / HTTP/1.1\nHost: h.example\n\n"),
    "LF alone in the middle": (BadRequest, GET + b"A: b\nC: d\r\n\r\n"),
    "CR alone": (BadRequest, GET + b"A: b\rC: d\r\n\r\n"),
    "a folded line": (BadRequest, GET + b"A: b\r\n c\r\n\r\n"),
    "a folded first line": (BadRequest, b"GET / HTTP/1.1\r\n Host: h.example\r\n\r\n"),
    "a space before the colon": (BadRequest, GET + b"A : b\r\n\r\n"),
    "no name": (BadRequest, GET + b": b\r\n\r\n"),
    "no colon": (BadRequest, GET + b"Content-Length\r\n\r\n"),
    "a name beyond ASCII": (BadRequest, GET + b"\xc3\x84: b\r\n\r\n"),
    "NUL": (BadRequest, GET + b"A: b\0c\r\n\r\n"),
    "another control character": (BadRequest, GET + b"A: b\x01c\r\n\r\n"),
    "DEL": (BadRequest, GET + b"A: b\x7fc\r\n\r\n"),
    "two empty lines first": (BadRequest, b"\r\n\r\n" + GET + b"\r\n"),
    "two spaces": (BadRequest, b"GET  / HTTP/1.1\r\nHost: h.example\r\n\r\n"),
    "a tab": (BadRequest, b"GET\t/ HTTP/1.1\r\nHost: h.example\r\n\r\n"),
    "a space at the end": (BadRequest, b"GET / HTTP/1.1 \r\nHost: h.example\r\n\r\n"),
    "a fragment": (BadRequest, b"GET /#a HTTP/1.1\r\nHost: h.example\r\n\r\n"),
    "no slash": (BadRequest, b"GET a HTTP/1.1\r\nHost: h.example\r\n\r\n"),
    "another scheme": (BadRequest, b"GET ftp://h.example/ HTTP/1.1\r\nHost: h.example\r\n\r\n"),
    "a URL with a user": (BadRequest, b"GET http://a@h.example/ HTTP/1.1\r\nHost: h.example\r\n\r\n"),
    "a path that is not UTF-8": (BadRequest, b"GET /\xe9 HTTP/1.1\r\nHost: h.example\r\n\r\n"),
    "a tunnel": (BadRequest, b"CONNECT h.example:443 HTTP/1.1\r\nHost: h.example\r\n\r\n"),
    "HTTP/0.9": (BadRequest, b"GET /\r\n\r\n"),
    "HTTP/2": (BadRequest, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "another protocol": (BadRequest, b"SOURCE / ICE/1.0\r\n\r\n"),
    "TLS": (BadRequest, b"\x16\x03\x01\x02\0\x01\0"),
    "a large head": (HeadersTooLarge, GET + b"A: " + b"b" * MAX_HEAD_BYTES),
    "a chunk without a length": (BadRequest, CHUNKED + b"\r\n"),
    "a chunk with 0x": (BadRequest, CHUNKED + b"0x1\r\n"),
    "a chunk with a sign": (BadRequest, CHUNKED + b"-1\r\n"),
    "a space behind the length": (BadRequest, CHUNKED + b"1 \r\na\r\n"),
    "LF alone behind the length": (BadRequest, CHUNKED + b"1\na\r\n"),
    "a chunk that is longer": (BadRequest, CHUNKED + b"1\r\nab\r\n"),
    "a long extension": (BadRequest, CHUNKED + b"1;" + b"a" * MAX_LINE),
    "a control character in an extension": (BadRequest, CHUNKED + b"1;\x01\r\n"),
    "a huge chunk": (PayloadTooLarge, CHUNKED + b"ffffffffffffffff\r\n"),
    "a length of 17 digits": (BadRequest, CHUNKED + b"00000000000000001\r\n"),
    "a trailer without a colon": (BadRequest, CHUNKED + b"0\r\na\r\n\r\n"),
    "many trailers": (HeadersTooLarge, CHUNKED + b"0\r\n" + b"a: b\r\n" * 5000),
    "a large trailer": (HeadersTooLarge, CHUNKED + b"0\r\na: " + b"b" * MAX_LINE),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_ambiguous_framing_is_refused(kind: str) -> None:
    """What two servers could read differently is refused, byte by byte as well as whole."""
    error, data = REFUSALS[kind]
    for size in (len(data), 1):
        with pytest.raises(ParleyError) as refused:
            read_nothing(data, size)
        assert type(refused.value) is error


def read_nothing(data: bytes, size: int) -> None:
    """Assert that no request is in some bytes, in pieces of a size."""
    reader = RequestReader(CLIENT)
    for start in range(0, len(data), size):
        reader.feed(data[start : start + size])
        assert reader.next() is None
        while reader.has_halted:
            assert reader.next() is None


def test_many_small_chunks_are_read_a_part_at_a_time() -> None:
    """A body of thousands of chunks is not read at once, so that others get their turn in between."""
    reader = RequestReader(CLIENT)
    reader.feed(CHUNKED + b"1\r\na\r\n" * STEPS_AT_ONCE + b"0\r\n\r\n")
    rests = 0
    while (received := reader.next()) is None:
        assert reader.has_halted
        rests += 1
    assert received.body == b"a" * STEPS_AT_ONCE
    assert rests == 3  # a line, a piece and an end each
    assert not reader.has_halted


def test_requests_are_read_in_order_from_pieces_of_any_size() -> None:
    """Requests with and without bodies, one after the other, are read alike in pieces of any size."""
    chunks = b"3;a=b\r\nabc\r\n1\r\nd\r\n0\r\nX-Sum: 1\r\n\r\n"
    parts = [GET + b"\r\n", POST + b"Content-Length: 3\r\n\r\nabc", CHUNKED + chunks, b"\r\n" + GET + b"\r\n"]
    data = b"".join(parts)
    for size in range(1, len(data) + 1):
        found = ours([data[start : start + size] for start in range(0, len(data), size)])
        assert [request.body for request in found.requests] == [b"", b"abc", b"abcd", b""]
        assert found.end == MORE
        assert found.ends[-1] == len(data)
