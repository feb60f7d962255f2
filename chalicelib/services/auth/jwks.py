"""The public signing keys of an outside issuer (OpenID Connect Discovery, RFC 7517)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from chalicelib.errors import IdentityUnavailable
from chalicelib.fetching import FetchError, Limits, fetch
from chalicelib.logs import LOGGER

if TYPE_CHECKING:
    from jwt import PyJWK

Read = Callable[[str], bytes]

LIMITS = Limits(body_bytes=256 * 1024, seconds=5.0)
FRESH_SECONDS = 3600.0
UNKNOWN_SECONDS = 30.0
"""Minimum time between two fetches for unknown key ids, in seconds: any caller can invent a key id."""
RETRY_SECONDS = 5.0
"""Minimum time between a failed fetch and the next one, in seconds."""
MAX_KEYS = 100
MIN_RSA_BITS = 2048
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Discovery(msgspec.Struct, frozen=True):
    """The discovery document of an issuer, with the fields that Parley uses."""

    issuer: str
    jwks_uri: str


class KeySet(msgspec.Struct, frozen=True):
    """A JWK set."""

    keys: list[dict[str, Any]]


class SigningKeys:
    """Cache of the signing keys of an issuer; safe for threads.

    Fetches the keys at the first look-up, then once an hour. A look-up of an unknown key id fetches them too,
    at most once in UNKNOWN_SECONDS. While the issuer does not answer, the previous keys stay in use.
    issuer: URL of the issuer.
    read: Fetches a document by its URL; raises FetchError.
    clock: Returns monotonic seconds.
    """

    def __init__(self, issuer: str, read: Read, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._read = read
        self._clock = clock
        self._fetching = threading.Lock()
        self._keys: list[dict[str, Any]] | None = None
        self._made: dict[tuple[str | None, str], PyJWK] = {}
        self._fetched = self._tried = self._asked = float("-inf")

    def find(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """Return the key with which to check a signature; None if the issuer has no such key.

        kid: Key id in the token; None: the issuer must have exactly one key for the algorithm.
        algorithm: Signature algorithm, such as RS256.
        Raises IdentityUnavailable if no fetch has succeeded yet.
        """
        self._refresh()
        if key := self._known(kid, algorithm):
            return key
        if kid is not None:
            self._ask_again(kid, algorithm)
        return self._known(kid, algorithm)

    def _known(self, kid: str | None, algorithm: str) -> PyJWK | None:
        made = self._made  # replaced as a whole by a fetch
        if (kid, algorithm) not in made and (key := _key(self._keys or [], kid, algorithm)):
            made[kid, algorithm] = key
        return made.get((kid, algorithm))

    def _refresh(self) -> None:
        """Fetch the keys if there are none, or if they are older than an hour."""
        if self._keys is not None and self._clock() < self._fetched + FRESH_SECONDS:
            return
        if not self._fetching.acquire(blocking=self._keys is None):
            return  # another thread fetches; use the old keys meanwhile
        try:
            now = self._clock()
            stale = self._keys is None or now >= self._fetched + FRESH_SECONDS
            if stale and now >= self._tried + RETRY_SECONDS:
                self._fetch()
        finally:
            self._fetching.release()
        if self._keys is None:
            raise IdentityUnavailable(
                "The issuer of signed identities does not answer. Try again.",
                headers={"Retry-After": str(int(RETRY_SECONDS))},
            )

    def _ask_again(self, kid: str, algorithm: str) -> None:
        with self._fetching:
            now = self._clock()
            allowed = now >= max(self._asked + UNKNOWN_SECONDS, self._tried + RETRY_SECONDS * self._failed)
            if self._known(kid, algorithm) is None and allowed:
                self._asked = now
                self._fetch()

    @property
    def _failed(self) -> bool:
        return self._tried > self._fetched

    def _fetch(self) -> None:
        self._tried = self._clock()
        try:
            found = msgspec.json.decode(self._read(_discovery_url(self._issuer)), type=Discovery)
            _check(found, self._issuer)
            keys = msgspec.json.decode(self._read(found.jwks_uri), type=KeySet).keys
        except (FetchError, msgspec.DecodeError, UnicodeError, RecursionError, ValueError) as error:
            LOGGER.error({"event": "identity_unavailable", "issuer": self._issuer, "reason": str(error)})
            self._tried = self._clock()  # the fetch itself may have taken longer than RETRY_SECONDS
            return
        self._keys, self._made, self._fetched = keys[:MAX_KEYS], {}, self._tried


def read_document(url: str) -> bytes:
    """Return a document of the configured issuer, which may be in a private network."""
    return fetch(url, limits=LIMITS, allow_private=True).body


def _is_safe(url: str) -> bool:
    """Return whether TLS protects the response of a URL, or it never leaves the machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _discovery_url(issuer: str) -> str:
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def _check(found: Discovery, issuer: str) -> None:
    if found.issuer != issuer:
        raise ValueError(f"its discovery document names another issuer: {found.issuer[:200]!r}")
    if not _is_safe(found.jwks_uri):
        raise ValueError("its jwks_uri does not begin with https://")


def _key(keys: list[dict[str, Any]], kid: str | None, algorithm: str) -> PyJWK | None:
    fitting = [key for key in keys if _fits(key, algorithm) and kid in (None, key.get("kid"))]
    if len(fitting) != 1:
        return None
    return _made(fitting[0], algorithm)


def _fits(key: dict[str, Any], algorithm: str) -> bool:
    """Return whether a key is for an algorithm: a token cannot choose another one than its key has."""
    if key.get("alg", algorithm) != algorithm or key.get("use", "sig") != "sig":
        return False
    if algorithm in CURVES:
        return key.get("kty") == "EC" and key.get("crv") == CURVES[algorithm]
    return bool(key.get("kty") == ("OKP" if algorithm == "EdDSA" else "RSA"))


def _made(key: dict[str, Any], algorithm: str) -> PyJWK | None:
    """Return a key that can check signatures; None for one that is malformed, too weak or not public."""
    from jwt import PyJWK, PyJWTError

    public = {name: value for name, value in key.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}
    try:
        made = PyJWK(public, algorithm)
    except (PyJWTError, ValueError, TypeError):
        return None
    weak = key["kty"] == "RSA" and made.key.key_size < MIN_RSA_BITS
    return None if weak else made
