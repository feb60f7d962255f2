"""Connections by the tokens of an outside issuer: they end with the token, and with a logout everywhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis

import app
from chalicelib import services
from chalicelib.store import keys
from tests.realtime.in_process import Door, Socket, event
from tests.servers.engines import Engine
from tests.servers.issuer import AUDIENCE, Issuer
from tests.servers.waiting import eventually
from tests.store.app_requests import Answer, call
from tests.store.log_records import RawClient

ID = "outside-1"


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    """An issuer with one key."""
    with Issuer() as running:
        running.add_key("one")
        yield running


@pytest.fixture
def variables(issuer: Issuer) -> dict[str, str]:
    """Have the app accept the issuer's tokens."""
    return {"PARLEY_OIDC_ISSUER": issuer.url, "PARLEY_OIDC_AUDIENCE": AUDIENCE}


@pytest.fixture
def raw(valkey: Engine) -> Iterator[RawClient]:
    """A client that looks at keys, and damages them, by hand."""
    with redis.Redis.from_url(valkey.url) as client:
        yield client


@pytest.fixture
def token(door: Door, issuer: Issuer) -> str:
    """A token of zed's, signed a minute ago and valid for some minutes."""
    token = issuer.token(sub="zed", iat=int(time.time()) - 60)
    assert by(token, "POST", "/v1/identity", {"handle": "zed"}).status == 201
    return token


def by(token: str, method: str, path: str, body: Any = None) -> Answer:
    """Make a request with a token."""
    return call(method, path, body=body, Authorization=f"Bearer {token}")


def ticket(token: str) -> dict[str, str]:
    """Get a ticket, and return the query string with it."""
    return {"ticket": str(by(token, "POST", "/v1/realtime/ticket", {}).body["ticket"])}


def shown(token: str, how: str) -> dict[str, Any]:
    """Return credentials for a connection: the token itself, or a ticket for it."""
    if how == "ticket":
        return {"query": ticket(token)}
    return {"headers": {"Authorization": f"Bearer {token}"}}


def entered(door: Door, token: str, how: str) -> Socket:
    """Open a connection, and say hello."""
    answer = app.socket_connect(event("CONNECT", ID, **shown(token, how)), None)
    assert answer == {"statusCode": 200}
    socket = Socket(door.recorder, ID)
    assert socket.hello()[-1]["type"] == "ready"
    return socket


def status(answer: dict[str, Any]) -> int:
    """Return the status of a connect."""
    return int(answer["statusCode"])


def test_ticket_of_a_revoked_token_opens_nothing(door: Door, token: str) -> None:
    """A ticket from before a logout everywhere is invalid after it."""
    shown = ticket(token)
    assert by(token, "DELETE", "/v1/sessions").status == 204

    assert status(door.knock(query=shown)) == 401


def test_ticket_of_a_token_made_after_the_logout_opens(door: Door, issuer: Issuer, token: str) -> None:
    """A logout ends tokens signed before it, and none signed later."""
    assert by(token, "DELETE", "/v1/sessions").status == 204
    later = issuer.token(sub="zed", iat=int(time.time()) + 20)

    assert status(door.knock(query=ticket(later))) == 200


@pytest.mark.parametrize("path", ["/v1/sessions", "/v1/logout"])
def test_logout_ends_its_own_token_whatever_the_clock_of_the_issuer(
    door: Door, issuer: Issuer, token: str, path: str
) -> None:
    """A token signed some seconds ahead of now that logs out is invalid from then on."""
    ahead = issuer.token(sub="zed", iat=int(time.time()) + 20)
    shown = ticket(ahead)
    assert by(ahead, "DELETE" if path == "/v1/sessions" else "POST", path).status in (202, 204)

    assert by(ahead, "GET", "/v1/users/me").status == 401
    assert status(door.knock(query=shown)) == 401


@pytest.mark.parametrize("how", ["ticket", "bearer"])
def test_logout_closes_the_connections_of_outside_tokens(door: Door, token: str, how: str) -> None:
    """A logout everywhere closes the connections of outside tokens."""
    entered(door, token, how)
    assert by(token, "POST", "/v1/logout").status == 202

    assert door.recorder.closed == [ID]


@pytest.mark.parametrize("how", ["ticket", "bearer"])
def test_frame_after_an_unheard_logout_ends_the_connection(
    door: Door, token: str, how: str, raw: RawClient
) -> None:
    """Connections that a logout did not reach end when their lease is renewed."""
    socket = entered(door, token, how)
    raw.hset(keys.user("zed"), "since", int(time.time() * 1_000_000))
    raw.hset(keys.connection(ID), "renewed", 0)

    assert [frame["code"] for frame in socket.send({"type": "ping"})] == ["connection_ended"]
    assert door.recorder.closed == [ID]


@pytest.mark.parametrize("how", ["ticket", "bearer"])
def test_no_lease_outlives_the_token(
    door: Door, issuer: Issuer, token: str, how: str, raw: RawClient
) -> None:
    """Leases end at the token's `exp`, however many frames come before."""
    ends = int(time.time()) + 200
    socket = entered(door, issuer.token(sub="zed", exp=ends), how)
    for _ in range(2):
        raw.hset(keys.connection(ID), "renewed", 0)
        assert [frame["type"] for frame in socket.send({"type": "ping"})] == ["pong"]

    lease: Any = raw.hget(keys.connection(ID), "lease")
    held: Any = raw.hget(keys.user_connections("zed"), ID)
    score: Any = raw.zscore(keys.leases("zed"), f"zed\0{ID}")
    assert {int(lease), int.from_bytes(held[:8]), int(score)} == {ends * 1_000_000}


def test_frame_after_the_end_of_the_token_ends_the_connection(door: Door, issuer: Issuer, token: str) -> None:
    """The first frame after `exp` gets `connection_ended`, and the connection is closed."""
    socket = entered(door, issuer.token(sub="zed", exp=int(time.time()) + 5), "bearer")

    assert eventually(lambda: socket.send({"type": "ping"})[-1].get("code") == "connection_ended")
    assert door.recorder.closed == [ID]


@pytest.mark.long
def test_sweep_closes_a_silent_connection_after_the_end_of_the_token(
    door: Door, issuer: Issuer, token: str
) -> None:
    """The first sweep after `exp` closes a silent connection, and its user is offline."""
    entered(door, issuer.token(sub="zed", exp=int(time.time()) + 5), "ticket")
    sweep = services.current().realtime.leases.sweep

    assert eventually(lambda: sweep() == 1)
    assert door.recorder.closed == [ID]
    presence = door.rest("ann", "GET", "/v1/users/zed/presence")
    assert presence.body["online"] is False


def test_ticket_ends_with_its_token(door: Door, issuer: Issuer, token: str) -> None:
    """A ticket opens nothing once its token has expired."""
    shown = ticket(issuer.token(sub="zed", exp=int(time.time()) - 10))  # within the leeway of clocks

    assert status(door.knock(query=shown)) == 401


def test_token_that_never_ends_lives_by_the_lease(door: Door, issuer: Issuer, token: str) -> None:
    """An `exp` beyond all dates is as good as one in a hundred years."""
    socket = entered(door, issuer.token(sub="zed", exp=1e300), "ticket")

    assert [frame["type"] for frame in socket.send({"type": "ping"})] == ["pong"]
