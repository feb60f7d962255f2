"""One HTTP GET to another server, with checked addresses and limits on bytes and seconds."""

from __future__ import annotations

import functools
import re
import socket
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin

import msgspec

from chalicelib.fetching.targets import (
    DEFAULT_PORTS,
    FetchError,
    PrivateAddress,
    addresses_of,
    origin_of,
    parsed,
    resolved,
    shown,
)
from chalicelib.fetching.timed import Deadline, TimedSocket

if TYPE_CHECKING:
    from http.client import HTTPResponse

REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEADERS = {"Accept": "application/json", "User-Agent": "parley"}

__all__ = ["FetchError", "Fetched", "Limits", "PrivateAddress", "fetch", "origin_of", "parsed", "shown"]


class Limits(msgspec.Struct, frozen=True):
    """Limits of one fetch: bytes of the body, seconds in total, redirects."""

    body_bytes: int = 1024 * 1024
    seconds: float = 10.0
    redirects: int = 3


class Fetched(msgspec.Struct, frozen=True):
    """A 2xx response; url: After redirects. media_type: Content-Type without parameters."""

    url: str
    media_type: str
    body: bytes


def fetch(
    url: str, *, headers: Mapping[str, str] | None = None, limits: Limits | None = None, allow_private: bool
) -> Fetched:
    """GET a URL.

    url: With http or https, without user and password.
    headers: Request headers, also for redirects.
    allow_private: Whether the host may have private and loopback addresses.
    Redirects must stay on the same scheme, host and port. No proxy and no cookie is used. Certificates must
    be signed by one of the system's authorities, or of those in SSL_CERT_FILE.
    Raises FetchError, whose text names the URL without its query and never a header.
    """
    if not all(re.fullmatch(r"[\t -~]*", value) for value in (headers or {}).values()):
        raise FetchError("a header has a line break or a character that HTTP does not allow in headers")
    bounds = limits or Limits()
    deadline = Deadline(bounds.seconds)
    origin, here = origin_of(parsed(url)), url
    for _ in range(bounds.redirects + 1):
        answer = _one(here, headers or {}, bounds, deadline, allow_private)
        if isinstance(answer, Fetched):
            return answer
        here = _joined(here, answer)
        if origin_of(parsed(here)) != origin:
            raise FetchError(
                f"{shown(url)} redirects to another server, {shown(here)}; give that URL instead"
            )
    raise FetchError(f"{shown(url)} redirects more than {bounds.redirects} times")


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise FetchError(f"{shown(url)} redirects to an invalid URL") from None


def _one(
    url: str, headers: Mapping[str, str], limits: Limits, deadline: Deadline, allow_private: bool
) -> Fetched | str:
    """Return the response, or the Location of a redirect."""
    from http.client import HTTPException  # takes 8 ms, which a send need not wait for

    parts = parsed(url)
    try:
        addresses = addresses_of(resolved(parts, deadline.left), parts, allow_private=allow_private)
        with _connected(parts, addresses, deadline) as connected:
            return _read(_request(parts, TimedSocket(connected, deadline), headers), url, limits)
    except TimeoutError:
        raise FetchError(f"{shown(url)} did not send a complete answer within {limits.seconds:g} s") from None
    except ssl.SSLCertVerificationError as error:
        raise FetchError(f"{shown(url)} has no valid certificate: {error.verify_message}") from None
    except ssl.SSLError as error:
        raise FetchError(f"{shown(url)} does not speak TLS: {error.reason}") from None
    except (HTTPException, ValueError) as error:  # ValueError: a chunk has a negative length
        raise FetchError(f"{shown(url)} does not answer with valid HTTP: {type(error).__name__}") from None
    except OSError as error:
        raise FetchError(f"{shown(url)} cannot be reached: {error.strerror or error}") from None


def _connected(parts: SplitResult, addresses: list[str], deadline: Deadline) -> socket.socket:
    """Return a connection to the first address that accepts one, with TLS for https."""
    port = parts.port or DEFAULT_PORTS[parts.scheme]
    refusal: OSError | None = None
    for after, address in enumerate(addresses):
        try:
            plain = socket.create_connection((address, port), deadline.left() / (len(addresses) - after))
        except OSError as error:
            refusal = error
            continue
        return _secured(plain, parts, deadline) if parts.scheme == "https" else plain
    raise refusal or OSError("it has no address")


def _secured(plain: socket.socket, parts: SplitResult, deadline: Deadline) -> ssl.SSLSocket:
    try:
        context = _context(ssl.get_default_verify_paths())
        plain.settimeout(deadline.left())
        return context.wrap_socket(plain, server_hostname=parts.hostname)
    except BaseException:
        plain.close()
        raise


@functools.cache
def _context(_authorities: ssl.DefaultVerifyPaths) -> ssl.SSLContext:
    """Return the TLS context for some certificate authorities, which take 17 ms to read."""
    return ssl.create_default_context()


def _request(parts: SplitResult, connected: TimedSocket, headers: Mapping[str, str]) -> HTTPResponse:
    from http.client import HTTPConnection

    connection = HTTPConnection(parts.hostname or "", parts.port)
    connection.sock = connected
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = {"Host": parts.netloc, "Accept-Encoding": "identity", "Connection": "close"}
    connection.request("GET", target, headers={**HEADERS, **headers, **own})
    return connection.getresponse()


def _read(response: HTTPResponse, url: str, limits: Limits) -> Fetched | str:
    location = response.headers.get("Location", "")
    if response.status in REDIRECTS and location:
        return location
    if not 200 <= response.status < 300:
        raise FetchError(f"{shown(url)} answered {response.status}", status=response.status)
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity"):
        raise FetchError(f"{shown(url)} sends {encoding[:20]!r} although no encoding was accepted")
    return Fetched(url, response.headers.get_content_type(), _body(response, url, limits.body_bytes))


def _body(response: HTTPResponse, url: str, most: int) -> bytes:
    declared = response.length or 0
    body = b"" if declared > most else response.read(most + 1)
    if declared > most or len(body) > most:
        raise FetchError(f"{shown(url)} sends more than {most} bytes")
    if response.length:
        raise FetchError(f"{shown(url)} closed the connection before the end of its answer")
    return body
