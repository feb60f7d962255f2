"""The keys that an outside issuer signs with, as it publishes them (OpenID Connect Discovery, RFC 7517)."""

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
"""Minimum pause between fetches for unknown key ids: anyone can make one up."""
RETRY_SECONDS = 5.0
"""Pause after an issuer did not answer."""
MAX_KEYS = 100
MIN_RSA_BITS = 2048
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Discovery(msgspec.Struct, frozen=True):
    """The fields of an issuer's discovery document that are read."""

    issuer: str
    jwks_uri: str


class KeySet(msgspec.Struct, frozen=True):
    """A JWK set."""

    keys: list[dict[str, Any]]


class SigningKeys:
    """The keys of an issuer, fetched at the first look-up and each hour after; for many threads.

    An unknown key id fetches them at once, at most every UNKNOWN_SECONDS. While the issuer does not answer,
    the old keys are kept.
    read: fetches a document, raising FetchError. clock: seconds that never go back.
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
        """Return the key of an id for an algorithm; of no id: the only key there is for it.

        Raises IdentityUnavailable when the issuer has not answered yet.
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
            return  # another thread fetches; the old keys serve meanwhile
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
            self._tried = self._clock()  # it may have taken as long as it is left alone for
            return
        self._keys, self._made, self._fetched = keys[:MAX_KEYS], {}, self._tried


def read_document(url: str) -> bytes:
    """Return a document of the issuer that the settings name, which may be in a private network."""
    return fetch(url, limits=LIMITS, allow_private=True).body


def _is_safe(url: str) -> bool:
    """Return whether nobody on the way can change what a URL answers."""
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
    """Return whether a key is for an algorithm; the key decides its kind, never the token alone."""
    if key.get("alg", algorithm) != algorithm or key.get("use", "sig") != "sig":
        return False
    if algorithm in CURVES:
        return key.get("kty") == "EC" and key.get("crv") == CURVES[algorithm]
    return bool(key.get("kty") == ("OKP" if algorithm == "EdDSA" else "RSA"))


def _made(key: dict[str, Any], algorithm: str) -> PyJWK | None:
    """Return a key ready to check signatures with; None: it is broken, too weak, or not a public one."""
    from jwt import PyJWK, PyJWTError

    public = {name: value for name, value in key.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}
    try:
        made = PyJWK(public, algorithm)
    except (PyJWTError, ValueError, TypeError):
        return None
    weak = key["kty"] == "RSA" and made.key.key_size < MIN_RSA_BITS
    return None if weak else made
