"""Bearer tokens of an outside issuer: a handle of one's own, the same rules, and an end to them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.deployed.client import Api
from tests.local.raw_http import Peer, port_of
from tests.servers.gateway import gateway
from tests.servers.issuer import AUDIENCE, Issuer
from tests.servers.scripted_http import Request, ScriptedServer, answer
from tests.servers.waiting import eventually


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """An issuer with one key."""
    with Issuer() as running:
        running.add_key("one")
        yield running


@pytest.fixture(scope="module")
def url(issuer: Issuer) -> Iterator[str]:
    """A closed server that takes the issuer's tokens."""
    settings = {
        "PARLEY_AUTH": "required",
        "PARLEY_OIDC_ISSUER": issuer.url,
        "PARLEY_OIDC_AUDIENCE": AUDIENCE,
        "PARLEY_RATE_LIMITS": "auth=100000",
    }
    with gateway(env=settings) as running:
        yield running


def bearer(token: str) -> dict[str, str]:
    """Return the header with a token."""
    return {"Authorization": f"Bearer {token}"}


def code_of(api: Api, token: str, method: str = "GET", path: str = "/v1/sessions", **body: str) -> str:
    """Return the error of a call with a token."""
    options = {"json": body} if body else {}
    return str(api.call(method, path, headers=bearer(token), **options).json()["code"])


def test_an_identity_chooses_its_handle_first(api: Api, issuer: Issuer) -> None:
    """Before an identity has a handle the error says so; after that, any token of it authenticates."""
    first, later = (issuer.token(sub="chooser", jti=name) for name in ("a", "b"))
    assert code_of(api, first) == "handle_needed"

    made = api.call("POST", "/v1/identity", headers=bearer(first), json={"handle": "chooser", "name": "Cho"})
    assert (made.status_code, made.json()["handle"], made.json()["email"]) == (201, "chooser", None)

    me = api.call("GET", "/v1/users/me", headers=bearer(later))
    assert (me.status_code, me.json()["name"]) == (200, "Cho")


def test_choosing_again_is_harmless(api: Api, issuer: Issuer) -> None:
    """Repeating the choice of a handle gives the same account; another or a taken handle is refused."""
    token = issuer.token(sub="again")
    for _ in range(2):
        made = api.call("POST", "/v1/identity", headers=bearer(token), json={"handle": "again"})
        assert made.status_code == 201

    assert code_of(api, token, "POST", "/v1/identity", handle="again2") == "already_taken"
    other = issuer.token(sub="other")
    assert code_of(api, other, "POST", "/v1/identity", handle="again") == "already_taken"
    assert code_of(api, other) == "handle_needed"


def test_an_identity_is_never_merged_by_name_or_email(api: Api, issuer: Issuer) -> None:
    """An account with a password stays its owner's, whatever name and email a token claims."""
    person = {"handle": "owner", "password": "12345678", "email": "owner@example.org"}
    assert api.call("POST", "/v1/register", json=person).status_code == 201
    token = issuer.token(sub="owner", email="owner@example.org", preferred_username="owner")

    assert code_of(api, token) == "handle_needed"
    assert code_of(api, token, "POST", "/v1/identity", handle="owner") == "already_taken"


def test_an_identity_has_no_password(api: Api, issuer: Issuer) -> None:
    """An identity's handle has no password login."""
    token = issuer.token(sub="nopass")
    api.call("POST", "/v1/identity", headers=bearer(token), json={"handle": "nopass"})

    for password in ("", "12345678"):
        answer = api.call("POST", "/v1/login", json={"handle": "nopass", "password": password})
        assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")


def test_logging_out_ends_what_was_signed_before(api: Api, issuer: Issuer) -> None:
    """After a logout an earlier token is refused on the next request; a later one is accepted."""
    now = int(issuer.claims()["iat"])
    before, after = issuer.token(sub="leaver", iat=now - 5), issuer.token(sub="leaver", iat=now + 20)
    api.call("POST", "/v1/identity", headers=bearer(before), json={"handle": "leaver"})
    assert api.call("POST", "/v1/logout", headers=bearer(before)).status_code == 202

    assert code_of(api, before) == "not_authenticated"
    assert api.call("GET", "/v1/sessions", headers=bearer(after)).status_code == 200


def test_a_deleted_identity_is_gone(api: Api, issuer: Issuer) -> None:
    """After the account is deleted its tokens are refused, and its handle stays taken."""
    token = issuer.token(sub="goner")
    api.call("POST", "/v1/identity", headers=bearer(token), json={"handle": "goner"})
    assert api.call("DELETE", "/v1/users/me", headers=bearer(token)).status_code == 204

    assert code_of(api, token) == "handle_needed"
    assert code_of(api, token, "POST", "/v1/identity", handle="goner") == "already_taken"


@pytest.mark.parametrize("path", ["/v1/sessions", "/v1/users/me", "/v1/chats/chooser:x/messages"])
def test_a_token_of_another_audience_opens_nothing(api: Api, issuer: Issuer, path: str) -> None:
    """A token for another client is refused; the error says why, and does not show the token."""
    token = issuer.token(sub="chooser", aud="another")
    answer = api.call("GET", path, headers=bearer(token))

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert "invalid_token" in answer.headers["WWW-Authenticate"]
    assert token not in answer.text


def test_an_unnamed_identity_cannot_choose(api: Api) -> None:
    """Choosing a handle needs a signed token; a session's token is refused."""
    made = api.call("POST", "/v1/register", json={"handle": "sess", "password": "12345678"}).json()
    for headers in ({}, bearer(made["token"])):
        answer = api.call("POST", "/v1/identity", headers=headers, json={"handle": "free"})
        assert answer.status_code == 401


@pytest.mark.long
def test_an_issuer_that_hangs_holds_nobody_up(issuer: Issuer) -> None:
    """The one worker serves other calls while it waits for the issuer's keys, which any token asks for."""
    goes_on = threading.Event()

    def hang(_request: Request, _connection: socket.socket) -> bytes:
        goes_on.wait(60)
        return answer(b"", "503 Service Unavailable")

    with ScriptedServer(hang) as slow, ThreadPoolExecutor(1) as pool:
        settings = {
            "PARLEY_AUTH": "required",
            "PARLEY_OIDC_ISSUER": slow.url,
            "PARLEY_OIDC_AUDIENCE": AUDIENCE,
        }
        with gateway(env=settings, args=["--workers", "1"]) as url:
            client, other = Api(url), Api(url)
            asked = pool.submit(code_of, client, issuer.token())
            assert eventually(lambda: bool(slow.requests))
            assert other.call("GET", "/ping").status_code == 200
            assert not asked.done()
            goes_on.set()
            assert asked.result() == "identity_unavailable"
            client.close()
            other.close()


@pytest.mark.long
def test_socket_of_an_unknown_key_holds_nobody_up(issuer: Issuer) -> None:
    """The one worker serves other calls while it waits for the issuer of a connect's token; then a 503."""
    goes_on = threading.Event()

    def hang(_request: Request, _connection: socket.socket) -> bytes:
        goes_on.wait(60)
        return answer(b"", "503 Service Unavailable")

    with ScriptedServer(hang) as slow:
        settings = {
            "PARLEY_AUTH": "required",
            "PARLEY_OIDC_ISSUER": slow.url,
            "PARLEY_OIDC_AUDIENCE": AUDIENCE,
        }
        with (
            gateway(env=settings, args=["--workers", "1"]) as url,
            Peer(port_of(url)) as peer,
            Peer(port_of(url)) as other,
        ):
            ask_for_socket(peer, issuer.token(kid="one", headers={"kid": "made-up"}))
            assert eventually(lambda: bool(slow.requests))
            ask_for_socket(other, None)
            assert other.answer().status == 401
            assert httpx.get(f"{url}/ping").status_code == 200
            goes_on.set()
            refused = peer.answer()
            assert (refused.status, refused.json["code"]) == (503, "identity_unavailable")


def test_token_opens_a_socket(api: Api, issuer: Issuer) -> None:
    """A valid token of the issuer opens a connection, and an invalid one is a 401 with the reason."""
    token = issuer.token(sub="opener")
    assert api.call("POST", "/v1/identity", headers=bearer(token), json={"handle": "opener"}).is_success
    made = api.call("POST", "/v1/realtime/ticket", headers=bearer(token), json={}).json()
    port = port_of(made["url"])
    for shown, status in ((token, 101), (issuer.token(sub="opener", aud="another"), 401)):
        with Peer(port) as peer:
            ask_for_socket(peer, shown)
            answered = peer.answer()
            assert answered.status == status
            assert status == 101 or "invalid_token" in answered.headers["WWW-Authenticate"]


def ask_for_socket(peer: Peer, token: str | None) -> None:
    """Request an upgrade, with a bearer token or without one."""
    peer.send(
        "GET / HTTP/1.1",
        "Host: localhost",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
        *([] if token is None else [f"Authorization: Bearer {token}"]),
    )
