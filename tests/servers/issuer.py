"""A local OpenID Connect issuer with real keys: discovery and JWKS over HTTP, and the tokens it signs."""

from __future__ import annotations

import json
import socket
import time
from types import TracebackType
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.servers.scripted_http import Request, ScriptedServer, answer, json_answer

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/jwks.json"
AUDIENCE = "parley-api"
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


class Issuer:
    """An issuer on 127.0.0.1.

    keys: private keys by key id, of which the public halves are published. extra: more of the JWKS.
    document: what the discovery document says beside, or instead of, the usual. down: answers 503.
    """

    def __init__(self) -> None:
        self.keys: dict[str, tuple[str, PrivateKey]] = {}
        self.extra: list[dict[str, Any]] = []
        self.document: dict[str, Any] = {}
        self.down = False
        self.server = ScriptedServer(self._answer)
        self.url = self.server.url

    def add_key(self, kid: str, algorithm: str = "RS256", *, bits: int = 2048) -> None:
        """Make a key and publish it."""
        self.keys[kid] = (algorithm, private_key(algorithm, bits))

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return valid claims, with changes; None removes one."""
        now = int(time.time())
        right = {"iss": self.url, "sub": "ann-1", "aud": AUDIENCE, "iat": now, "exp": now + 300}
        return {name: value for name, value in (right | changes).items() if value is not None}

    def token(self, kid: str = "one", headers: dict[str, Any] | None = None, **changes: Any) -> str:
        """Return a token signed with a key; changes: see `claims`."""
        algorithm, key = self.keys[kid]
        return jwt.encode(self.claims(**changes), key, algorithm, headers={"kid": kid, **(headers or {})})

    @property
    def fetches(self) -> int:
        """The number of fetches of the keys."""
        return self.server.count(JWKS)

    def _answer(self, request: Request, _connection: socket.socket) -> bytes:
        if self.down:
            return answer(b"", "503 Service Unavailable")
        if request.target == DISCOVERY:
            return json_answer({"issuer": self.url, "jwks_uri": f"{self.url}{JWKS}", **self.document})
        published = [
            published_key(key, kid=kid, alg=name, use="sig") for kid, (name, key) in self.keys.items()
        ]
        return json_answer({"keys": published + self.extra})

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.__exit__(kind, error, trace)


def private_key(algorithm: str, bits: int = 2048) -> PrivateKey:
    """Return a new private key for an algorithm."""
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm])
    return rsa.generate_private_key(65537, bits)


def published_key(key: PrivateKey, **members: str) -> dict[str, Any]:
    """Return the public half of a key as a JWK."""
    if isinstance(key, rsa.RSAPrivateKey):
        jwk = RSAAlgorithm.to_jwk(key.public_key())
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        jwk = ECAlgorithm.to_jwk(key.public_key())
    else:
        jwk = OKPAlgorithm.to_jwk(key.public_key())
    return {**json.loads(jwk), **members}
