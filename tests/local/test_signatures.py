"""The cost of invalid signatures: refused by their form before anything is computed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from infra.local.sockets.signatures import MAX_SIGNED_HEADERS, Signed, Verifier
from tests.deployed.client import PROBLEM
from tests.servers.gateway import Gateway

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STAMP = NOW.strftime("%Y%m%dT%H%M%SZ")


def request_with(
    names: list[str], *, key: str = "key", date: str = STAMP, day: str = STAMP[:8], gone: str = ""
) -> Signed:
    """Return a request whose signature names some headers, with each of them except `gone`."""
    claim = (
        f"AWS4-HMAC-SHA256 Credential={key}/{day}/us-east-1/execute-api/aws4_request, "
        f"SignedHeaders={';'.join(names)}, Signature={'0' * 64}"
    )
    headers = dict.fromkeys(names, "a") | {"authorization": claim, "x-amz-date": date}
    return Signed("GET", "ab_c-1=", {name: headers[name] for name in headers if name != gone}, b"")


def signed_with(extra: int, monkeypatch: pytest.MonkeyPatch) -> Signed:
    """Return a request that botocore signed, with its host, date and further headers."""
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW)
    headers = {"Host": "localhost"} | {f"X-Name-{number}": "a" for number in range(extra)}
    request = AWSRequest("GET", "http://localhost/@connections/ab_c-1=", headers)
    SigV4Auth(Credentials("key", "secret"), "execute-api", "us-east-1").add_auth(request)
    return Signed("GET", "ab_c-1=", {name.lower(): value for name, value in request.headers.items()}, b"")


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The canonical requests computed so far."""
    done: list[str] = []
    original = SigV4Auth.canonical_request

    def counted(signer: SigV4Auth, request: Any) -> str:
        done.append(original(signer, request))
        return done[-1]

    monkeypatch.setattr(SigV4Auth, "canonical_request", counted)
    return done


USUAL = ["host", "x-amz-date"]
MANY = [*USUAL, *(f"x-{number}" for number in range(4000))]
REFUSED = {
    "4,000 headers": request_with(MANY),
    "the same header 4,000 times": request_with([*USUAL, *["a"] * 4000]),
    "one header too many": request_with(MANY[: MAX_SIGNED_HEADERS + 1]),
    "a header twice": request_with([*USUAL, "host"]),
    "a header that is not there": request_with([*USUAL, "x-gone"], gone="x-gone"),
    "no date": request_with(USUAL, gone="x-amz-date"),
    "another key": request_with(USUAL, key="other"),
    "an old request": request_with(USUAL, date="20261121T115400Z"),
    "another day": request_with(USUAL, day="20261120"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_nothing_is_computed_for_a_request_that_cannot_be_right(computed: list[str], kind: str) -> None:
    """Too many or absent headers, another key, a wrong date: refused before any signature is made."""
    assert not Verifier("key", "secret").allows(REFUSED[kind], NOW)
    assert computed == []


def test_twenty_headers_may_be_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The maximum number of signed headers is verified, one more is refused."""
    most = signed_with(MAX_SIGNED_HEADERS - 2, monkeypatch)
    assert Verifier("key", "secret").allows(most, NOW)
    assert not Verifier("key", "secret").allows(signed_with(MAX_SIGNED_HEADERS - 1, monkeypatch), NOW)


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH"])
def test_without_keys_there_is_no_management_api(shared: Gateway, method: str) -> None:
    """A server without keys answers 404, whatever key signed the request."""
    claimed = request_with(MANY[:1000]).headers["authorization"]  # as many as a head may have
    for headers in ({}, {"Authorization": claimed, "X-Amz-Date": STAMP}):
        answer = httpx.request(method, f"{shared.url}/@connections/a", headers=headers)
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, PROBLEM)
