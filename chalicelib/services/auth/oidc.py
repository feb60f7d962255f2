"""The identity that a signed token of an outside issuer (OpenID Connect) proves."""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections.abc import Callable
from typing import NoReturn

import msgspec

from chalicelib.config import Settings
from chalicelib.errors import NotAuthenticated
from chalicelib.services.auth.jwks import Read, SigningKeys, read_document

IDENTITY = "identity"
"""The kind of the claims of signed identities; the value is the digest in hexadecimal."""
MAX_CHARACTERS = 8192
MAX_SUBJECT_CHARACTERS = 255
"""As long as a subject may be (OpenID Connect Core, section 2)."""
MAX_SECONDS = 2**32
"""Later ends than in 2106 are as good as that."""
LEEWAY_SECONDS = 30
"""How far the issuer's clock and ours may differ."""
CHALLENGE = 'Bearer realm="parley", error="invalid_token", error_description="{}"'


class Identity(msgspec.Struct, frozen=True):
    """A person with an account at an issuer.

    issued_at, expires_at: Of the token, µs since 1970. digest: See `digest`.
    """

    issuer: str
    subject: str
    issued_at: int
    digest: bytes
    expires_at: int = 0


class Header(msgspec.Struct, frozen=True):
    """The fields of a token's header that are checked."""

    alg: str
    kid: str | None = None
    crit: object = None


class Claims(msgspec.Struct, frozen=True):
    """The claims of a token that are checked; times in seconds since 1970."""

    iss: str
    sub: str
    exp: float
    iat: float
    nbf: float | None = None
    aud: str | list[str] | None = None
    client_id: str | None = None
    token_use: str | None = None


class Verifier:
    """Checks the signed tokens of one issuer.

    issuer: Its URL, exactly as in the tokens. audience: Names; one of them must be in a token's `aud`, or be
    the `client_id` of a token without `aud`. algorithms: Of PARLEY_OIDC_ALGORITHMS. read: Fetches a document
    of the issuer. clock: Seconds since 1970.

    Opens no connection before the first token.
    """

    def __init__(
        self,
        issuer: str,
        audience: tuple[str, ...],
        algorithms: tuple[str, ...],
        read: Read = read_document,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._audience = frozenset(audience)
        self._algorithms = frozenset(algorithms)
        self._keys = SigningKeys(issuer, read)
        self._clock = clock

    def verify(self, token: str) -> Identity:
        """Return the identity that a signed token (a JWT) proves.

        Raises NotAuthenticated, whose text has the reason and never the token, and IdentityUnavailable if
        the issuer's keys cannot be read.
        """
        if len(token) > MAX_CHARACTERS:
            _refuse(f"The token is longer than {MAX_CHARACTERS} characters.")
        claims = self._signed(token, self._header(token))
        self._check_purpose(claims)
        self._check_times(claims)
        person = digest(self._issuer, claims.sub)
        ends = int(min(claims.exp, MAX_SECONDS) * 1_000_000)
        return Identity(self._issuer, claims.sub, int(claims.iat * 1_000_000), person, ends)

    def _header(self, token: str) -> Header:
        try:
            raw = token.partition(".")[0].encode("ascii")
            padded = raw + b"=" * (-len(raw) % 4)
            header = msgspec.json.decode(base64.b64decode(padded, b"-_", validate=True), type=Header)
        except (binascii.Error, msgspec.DecodeError, UnicodeError, RecursionError):
            _refuse("The token is not a signed JWT.")
        if header.alg not in self._algorithms:
            _refuse(f"The token is not signed with {' or '.join(sorted(self._algorithms))}.")
        if header.crit is not None:
            _refuse("The token has critical header fields, which this server does not support.")
        return header

    def _signed(self, token: str, header: Header) -> Claims:
        """Return the claims of a token with a valid signature of the issuer."""
        import jwt

        key = self._keys.find(header.kid, header.alg)
        if key is None:
            _refuse("The token is signed with a key that the issuer does not publish.")
        try:
            payload = jwt.PyJWS().decode(token, key, algorithms=[header.alg])
            return msgspec.json.decode(payload, type=Claims)
        except jwt.InvalidSignatureError:
            _refuse("The token's signature is not the issuer's.")
        except msgspec.ValidationError as error:
            _refuse(f"The token's claims cannot be used: {error}.")
        except (jwt.PyJWTError, msgspec.DecodeError, ValueError, RecursionError):
            _refuse("The token is not a signed JWT.")

    def _check_purpose(self, claims: Claims) -> None:
        if claims.iss != self._issuer:
            _refuse("The token is from another issuer.")
        audience = claims.client_id if claims.aud is None else claims.aud
        names = [audience] if isinstance(audience, str) else audience or []
        if self._audience.isdisjoint(names):
            _refuse("The token is for another audience or client.")
        if claims.token_use not in (None, "access"):
            _refuse("The token is not an access token.")
        if not 0 < len(claims.sub) <= MAX_SUBJECT_CHARACTERS:
            _refuse(f"The token's subject is not 1-{MAX_SUBJECT_CHARACTERS} characters.")

    def _check_times(self, claims: Claims) -> None:
        now = self._clock()
        if claims.exp <= now - LEEWAY_SECONDS:
            _refuse("The token has expired.")
        if (claims.nbf or 0) > now + LEEWAY_SECONDS:
            _refuse("The token is not valid yet.")
        if not 0 <= claims.iat <= now + LEEWAY_SECONDS:
            _refuse("The token was issued in the future, or the clocks differ.")


def verifier(settings: Settings) -> Verifier | None:
    """Return the verifier of the outside issuer's tokens; None: the settings name no issuer."""
    if settings.oidc_issuer is None:
        return None
    return Verifier(settings.oidc_issuer, settings.oidc_audience, settings.oidc_algorithms)


def digest(issuer: str, subject: str) -> bytes:
    """Return the 32 bytes that identify a person of an issuer in the store; no two pairs share them."""
    name = issuer.encode()
    return hashlib.sha256(len(name).to_bytes(8) + name + subject.encode()).digest()


def _refuse(detail: str) -> NoReturn:
    quoted = detail.replace("`", "'").replace('"', "'").replace("\\", "/")
    described = "".join(sign for sign in quoted if " " <= sign <= "~")
    raise NotAuthenticated(detail, challenge=CHALLENGE.format(described)) from None
