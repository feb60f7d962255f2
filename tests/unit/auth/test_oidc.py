"""Signed identities, against an issuer with real keys over HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from chalicelib.errors import IdentityUnavailable, NotAuthenticated
from chalicelib.fetching import FetchError
from chalicelib.services.auth.jwks import FRESH_SECONDS, RETRY_SECONDS, UNKNOWN_SECONDS, SigningKeys
from chalicelib.services.auth.jwks import read_document as read
from chalicelib.services.auth.oidc import LEEWAY_SECONDS, Identity, Verifier, digest
from tests.clock import Clock
from tests.servers.issuer import AUDIENCE, JWKS, Issuer, private_key, published_key
from tests.servers.scripted_http import Request

ALGORITHMS = ("RS256", "ES256")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer with one RSA key."""
    with Issuer() as made:
        made.add_key("one")
        yield made


def verifier(issuer: Issuer, *algorithms: str) -> Verifier:
    """Return a verifier of an issuer's tokens."""
    return Verifier(issuer.url, (AUDIENCE, "other-client"), algorithms or ALGORITHMS)


def refused(made: Verifier, token: str) -> str:
    """Return the reason of a refusal; the answer must be a challenge and show no token."""
    with pytest.raises(NotAuthenticated) as raised:
        made.verify(token)
    challenge = raised.value.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="parley", error="invalid_token", error_description="')
    assert challenge.isascii()
    assert challenge.count('"') == 6
    for part in (part for part in token.split(".") if len(part) > 8):
        assert part not in raised.value.detail + challenge
    return raised.value.detail


def segment(value: object) -> str:
    """Return a value as a segment of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_valid_token_gives_issuer_subject_and_times(issuer: Issuer) -> None:
    """A valid token gives issuer, subject, its times, and the digest of the two names."""
    ends = int(time.time()) + 60
    token = issuer.token(iat=1_700_000_000, exp=ends)

    assert verifier(issuer).verify(token) == Identity(
        issuer.url, "ann-1", 1_700_000_000_000_000, digest(issuer.url, "ann-1"), ends * 1_000_000
    )


def test_digest_is_of_both_names() -> None:
    """The same subject of two issuers is two users, and no two pairs are confused."""
    pairs = [("https://a", "bc"), ("https://ab", "c"), ("https://a", "b"), ("https://b", "bc")]
    digests = {digest(*pair) for pair in pairs}

    assert len(digests) == len(pairs)
    assert {len(one) for one in digests} == {32}
    assert digest("https://a", "bc") == digest("https://a", "bc")


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"])
def test_every_configurable_algorithm_works(issuer: Issuer, algorithm: str) -> None:
    """Every algorithm that can be configured works with its kind of key."""
    issuer.add_key("two", algorithm)

    assert verifier(issuer, algorithm).verify(issuer.token("two")).subject == "ann-1"


def test_cognito_access_token_is_accepted(issuer: Issuer) -> None:
    """Cognito's access token, with client_id and without aud, is accepted."""
    token = issuer.token(aud=None, client_id=AUDIENCE, token_use="access", username="ann", scope="openid")

    assert verifier(issuer).verify(token).subject == "ann-1"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": ["https://else.example", AUDIENCE]},
        {"aud": "other-client"},
        {"token_use": "access"},
        {"nbf": int(time.time())},
        {"iat": time.time() - 0.5},
        {"sub": "x" * 255},
    ],
)
def test_one_matching_audience_is_enough(issuer: Issuer, changes: dict[str, Any]) -> None:
    """One matching audience of several is enough, and times can have fractions of a second."""
    assert verifier(issuer).verify(issuer.token(**changes)).issuer == issuer.url


@pytest.mark.parametrize(
    ("claim", "last_good", "first_bad", "expected"),
    [
        ("exp", -LEEWAY_SECONDS + 1, -LEEWAY_SECONDS, "has expired"),
        ("nbf", LEEWAY_SECONDS, LEEWAY_SECONDS + 1, "not valid yet"),
        ("iat", LEEWAY_SECONDS, LEEWAY_SECONDS + 1, "issued in the future"),
    ],
)
def test_clocks_may_differ_by_thirty_seconds(
    issuer: Issuer, claim: str, last_good: int, first_bad: int, expected: str
) -> None:
    """The clocks may differ by at most 30 seconds."""
    now = 2_000_000_000
    made = Verifier(issuer.url, (AUDIENCE,), ALGORITHMS, clock=lambda: now)
    usual: dict[str, Any] = {"iat": now, "exp": now + 60}

    assert made.verify(issuer.token(**usual | {claim: now + last_good})).subject == "ann-1"
    assert expected in refused(made, issuer.token(**usual | {claim: now + first_bad}))


FAR = 10**6


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"iss": "https://evil.example"}, "from another issuer"),
        ({"iss": "{url}/"}, "from another issuer"),
        ({"iss": None}, "required field `iss`"),
        ({"aud": "else"}, "another audience"),
        ({"aud": ["else", "more"]}, "another audience"),
        ({"aud": []}, "another audience"),
        ({"aud": None}, "another audience"),
        ({"aud": {AUDIENCE: 1}}, "cannot be used"),
        ({"aud": "else", "client_id": AUDIENCE}, "another audience"),
        ({"aud": None, "client_id": "else"}, "another audience"),
        ({"aud": AUDIENCE.upper()}, "another audience"),
        ({"exp": int(time.time()) - FAR}, "has expired"),
        ({"exp": None}, "required field `exp`"),
        ({"exp": "tomorrow"}, "cannot be used"),
        ({"exp": True}, "cannot be used"),
        ({"exp": float("nan")}, "not a signed JWT"),
        ({"nbf": int(time.time()) + FAR}, "not valid yet"),
        ({"iat": int(time.time()) + FAR, "exp": int(time.time()) + 2 * FAR}, "issued in the future"),
        ({"iat": -1}, "issued in the future"),
        ({"iat": None}, "required field `iat`"),
        ({"token_use": "id"}, "not an access token"),
        ({"token_use": ""}, "not an access token"),
        ({"sub": ""}, "subject is not"),
        ({"sub": "x" * 256}, "subject is not"),
        ({"sub": None}, "required field `sub`"),
    ],
)
def test_wrong_or_missing_claim_is_named(issuer: Issuer, changes: dict[str, Any], expected: str) -> None:
    """A wrong or missing claim refuses the token, and the error names it."""
    filled = {
        name: value.format(url=issuer.url) if name == "iss" and value else value
        for name, value in changes.items()
    }

    assert expected in refused(verifier(issuer), issuer.token(**filled))


def test_subject_of_another_type(issuer: Issuer) -> None:
    """A numeric subject is not accepted as its text."""
    claims = issuer.claims() | {"sub": 17}
    signed = jwt.PyJWS().encode(json.dumps(claims).encode(), issuer.keys["one"][1], "RS256", {"kid": "one"})

    assert "cannot be used" in refused(verifier(issuer), signed)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "a.b.c.d",
        "\u20ac.\u20ac.\u20ac",
        "\ud800.a.b",
        segment(b"\xff") + ".e30.e30",
        segment([]) + ".e30.e30",
        segment({"alg": None}) + ".e30.e30",
        segment({"kid": "one"}) + ".e30.e30",
        segment({"alg": "RS256", "kid": 1}) + ".e30.e30",
        segment({"alg": ["RS256"]}) + ".e30.e30",
        segment(b'{"alg":"RS256","a":' + b"[" * 5000) + ".e30.e30",
        segment({"alg": "RS256", "kid": "one"}),
        segment({"alg": "RS256", "kid": "one"}) + ".e30",
        segment({"alg": "RS256", "kid": "one"}) + ".e30.!!",
    ],
)
def test_anything_but_a_signed_jwt_is_refused(issuer: Issuer, token: str) -> None:
    """Only signed JWTs are accepted."""
    assert "not a signed JWT" in refused(verifier(issuer), token)


def test_token_that_is_too_long(issuer: Issuer) -> None:
    """A token over the limit is refused before any work."""
    assert "longer than 8192" in refused(verifier(issuer), issuer.token(name="x" * 8192))
    assert not issuer.server.requests


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "HS256", "RS384", ""])
def test_algorithm_that_is_not_listed(issuer: Issuer, alg: str) -> None:
    """An unlisted algorithm is refused before the issuer is asked; none and HS256 are always refused."""
    body = f"{segment({'alg': alg, 'kid': 'one', 'typ': 'JWT'})}.{segment(issuer.claims())}"

    for token in (f"{body}.", f"{body}.{segment(b'x' * 32)}"):
        assert refused(verifier(issuer), token) == "The token is not signed with ES256 or RS256."
    assert not issuer.server.requests


@pytest.mark.parametrize(
    "shape", [serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1]
)
def test_public_key_as_a_secret(issuer: Issuer, shape: serialization.PublicFormat) -> None:
    """A token signed by HS256 with the issuer's public key is no token of the issuer."""
    public = issuer.keys["one"][1].public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, shape)
    for algorithm in ("HS256", "RS256"):
        body = f"{segment({'alg': algorithm, 'kid': 'one'})}.{segment(issuer.claims())}"
        forged = f"{body}.{segment(hmac.digest(pem, body.encode(), 'sha256'))}"

        assert refused(verifier(issuer), forged)


@pytest.mark.parametrize(("kid", "algorithm"), [("one", "ES256"), ("two", "RS256"), ("two", "ES384")])
def test_key_of_another_kind(issuer: Issuer, kid: str, algorithm: str) -> None:
    """A key is used only with algorithms of its own kind."""
    issuer.add_key("two", "ES256")
    token = jwt.encode(issuer.claims(), private_key(algorithm), algorithm, headers={"kid": kid})

    assert "key that the issuer does not publish" in refused(
        verifier(issuer, "RS256", "ES256", "ES384"), token
    )


def test_signature_of_another(issuer: Issuer) -> None:
    """A token with another signer, or with a change, is refused."""
    forged = jwt.encode(issuer.claims(), private_key("RS256"), "RS256", headers={"kid": "one"})
    head, _, signature = issuer.token().split(".")
    changed = f"{head}.{segment(issuer.claims(sub='bob-2'))}.{signature}"

    for token in (forged, changed):
        assert refused(verifier(issuer), token) == "The token's signature is not the issuer's."


def test_key_in_the_token(issuer: Issuer) -> None:
    """A key that the token itself contains, or points to, is not used."""
    mine = private_key("RS256")
    headers = {"kid": "mine", "jwk": published_key(mine, kid="mine"), "jku": "http://127.0.0.1:1/jwks"}
    token = jwt.encode(issuer.claims(), mine, "RS256", headers=headers)

    assert "key that the issuer does not publish" in refused(verifier(issuer), token)


def test_unknown_critical_header_refuses_the_token(issuer: Issuer) -> None:
    """A critical header that is not understood refuses the token."""
    token = issuer.token(headers={"crit": ["b64"], "b64": True})

    assert "critical header" in refused(verifier(issuer), token)


def test_other_keys_do_not_disturb(issuer: Issuer) -> None:
    """Broken, private, secret and encryption keys in the set are skipped."""
    issuer.extra = [
        {},
        {"kty": "oct", "kid": "secret", "k": "AAAA"},
        {"kty": "RSA", "kid": "broken", "n": "!", "e": 3},
        {"kty": "RSA", "kid": ["one"]},
        {**published_key(issuer.keys["one"][1]), "kid": "for-encryption", "use": "enc"},
    ]
    made = verifier(issuer)

    assert made.verify(issuer.token()).subject == "ann-1"
    for kid in ("secret", "broken", "for-encryption"):
        assert "does not publish" in refused(made, issuer.token(headers={"kid": kid}))


def test_rsa_key_below_2048_bits_is_not_used(issuer: Issuer) -> None:
    """An RSA key below 2048 bits is not used."""
    weak = private_key("RS256", 1024)
    issuer.extra = [published_key(weak, kid="weak")]
    body = f"{segment({'alg': 'RS256', 'kid': 'weak'})}.{segment(issuer.claims())}"

    assert "does not publish" in refused(verifier(issuer), f"{body}.{segment(b'x' * 128)}")


def test_no_key_id(issuer: Issuer) -> None:
    """A token without a key id is checked with the only key; with several keys it is refused."""
    token = jwt.encode(issuer.claims(), issuer.keys["one"][1], "RS256")
    assert verifier(issuer).verify(token).subject == "ann-1"

    issuer.add_key("two")
    assert "does not publish" in refused(verifier(issuer), token)


def test_new_issuer_key_works_and_a_withdrawn_one_fails(issuer: Issuer) -> None:
    """A new key of the issuer works at once, and a withdrawn one is refused."""
    made = verifier(issuer)
    before = issuer.token()
    made.verify(before)
    issuer.keys.clear()
    issuer.add_key("two")

    assert made.verify(issuer.token("two")).subject == "ann-1"
    assert "does not publish" in refused(made, before)
    assert issuer.fetches == 2


def test_unknown_key_ids(issuer: Issuer) -> None:
    """However many key ids are made up, by many threads, the issuer is asked once more, and once later."""
    clock = Clock()
    keys = SigningKeys(issuer.url, read, clock)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda number: keys.find(f"made-up-{number}", "RS256"), range(200)))
    assert not any(found)
    assert issuer.fetches == 2

    clock.now += UNKNOWN_SECONDS
    issuer.add_key("two")
    assert keys.find("made-up", "RS256") is None
    assert keys.find("two", "RS256")
    assert issuer.fetches == 3


def test_many_threads_fetch_once(issuer: Issuer) -> None:
    """Threads that all want the first keys share one fetch."""
    keys = SigningKeys(issuer.url, read)
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda _: keys.find("one", "RS256"), range(64)))

    assert all(found)
    assert issuer.fetches == 1


def test_keys_are_fetched_each_hour(issuer: Issuer) -> None:
    """Keys are valid for an hour, then the issuer is asked again: a withdrawn key is refused."""
    clock = Clock()
    keys = SigningKeys(issuer.url, read, clock)
    assert keys.find("one", "RS256")
    clock.now += FRESH_SECONDS - 1
    assert keys.find("one", "RS256")
    assert issuer.fetches == 1

    clock.now += 1
    issuer.keys.clear()
    assert keys.find("one", "RS256") is None


def test_issuer_down_later(issuer: Issuer) -> None:
    """While the issuer is down its last keys are kept, and not every call asks it."""
    clock = Clock()
    keys = SigningKeys(issuer.url, read, clock)
    keys.find("one", "RS256")
    issuer.down = True
    clock.now += FRESH_SECONDS
    asked = len(issuer.server.requests)

    assert all(keys.find("one", "RS256") for _ in range(10))
    assert keys.find("unknown", "RS256") is None
    assert len(issuer.server.requests) == asked + 1

    issuer.down = False
    issuer.add_key("two")
    clock.now += RETRY_SECONDS
    assert keys.find("two", "RS256")


def test_issuer_down_at_first(issuer: Issuer) -> None:
    """Without keys the answer is a 503 with a wait; soon after, the issuer is not asked again."""
    clock = Clock()
    keys = SigningKeys(issuer.url, read, clock)
    issuer.down = True
    for _ in range(10):
        with pytest.raises(IdentityUnavailable) as raised:
            keys.find("one", "RS256")
        assert int(raised.value.headers["Retry-After"]) == RETRY_SECONDS
    assert len(issuer.server.requests) == 1

    issuer.down = False
    clock.now += RETRY_SECONDS
    assert keys.find("one", "RS256")


def test_issuer_that_hangs(issuer: Issuer) -> None:
    """After a time-out an issuer is not asked for a while, counted from the end of the time-out."""
    clock, asked = Clock(), list[float]()

    def hang(_url: str) -> bytes:
        asked.append(clock.now)
        clock.now += RETRY_SECONDS
        raise FetchError("it did not answer")

    keys = SigningKeys(issuer.url, hang, clock)
    for _ in range(10):
        with pytest.raises(IdentityUnavailable):
            keys.find("one", "RS256")
    assert len(asked) == 1

    clock.now += RETRY_SECONDS
    with pytest.raises(IdentityUnavailable):
        keys.find("one", "RS256")
    assert len(asked) == 2


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.example"},
        {"issuer": 1},
        {"jwks_uri": "ftp://127.0.0.1/jwks"},
        {"jwks_uri": "http://keys.example/jwks"},
        {"jwks_uri": "http://["},
        {"jwks_uri": None},
    ],
)
def test_discovery_document_that_is_wrong(issuer: Issuer, document: dict[str, Any]) -> None:
    """A document of another issuer, or with keys over an insecure URL, gives no keys."""
    issuer.document = document

    with pytest.raises(IdentityUnavailable):
        verifier(issuer).verify(issuer.token())
    assert not issuer.fetches


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"keys":1}', b'{"keys":[1]}', b"[" * 100_000, b"x" * 300_000]
)
def test_key_set_that_is_wrong(issuer: Issuer, body: bytes) -> None:
    """An invalid or too large key set gives no keys."""
    usual = issuer.server.handler

    def handler(request: Request, connection: Any) -> bytes | None:
        if request.target != JWKS:
            return usual(request, connection)
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)

    issuer.server.handler = handler
    with pytest.raises(IdentityUnavailable):
        verifier(issuer).verify(issuer.token())


def test_nothing_is_fetched_before_a_token(issuer: Issuer) -> None:
    """Making a verifier does not ask the issuer."""
    verifier(issuer)

    assert not issuer.server.requests


def test_digest_is_stable() -> None:
    """The digest is stable: its bytes are in stored keys."""
    expected = hashlib.sha256(b"\0\0\0\0\0\0\0\x09https://aann").digest()

    assert digest("https://a", "ann") == expected
