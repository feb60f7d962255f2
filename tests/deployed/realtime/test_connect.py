"""Opening connections: with a ticket, once, or with a token."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from websockets.exceptions import InvalidStatus

from tests.deployed.client import Api
from tests.deployed.people import People, Person
from tests.deployed.realtime.conftest import Server
from tests.deployed.realtime.users import Net, opening
from tests.deployed.target import Target
from tests.servers.engines import ValkeyEngine
from tests.servers.waiting import eventually


def check_refused(net: Net, url: str, headers: Mapping[str, str] | None = None) -> None:
    """Check that a connection is refused as not authenticated."""
    with pytest.raises(InvalidStatus) as refused:
        net.open(url, headers=headers)
    response = refused.value.response
    if net.target.differs("refused-socket-is-403"):
        assert (response.status_code, response.body) == (403, b"")
    else:
        assert response.status_code == 401
        assert b"not_authenticated" in (response.body or b"")


def test_where_there_are_no_sockets(realtime_target: Target, crowd: People) -> None:
    """A server without WebSockets gives no tickets, and says so."""
    api = Api(realtime_target.url)
    answer = api.call("POST", "/v1/realtime/ticket", person=crowd.someone(), json={})
    if realtime_target.differs("sockets-are-missing"):
        assert (answer.status_code, answer.json()["code"]) == (503, "realtime_unavailable")
    else:
        assert answer.status_code == 201
    api.close()


def test_a_ticket_says_where_and_how_long(net: Net) -> None:
    """A ticket has the URL without the ticket in it, ends after 30 seconds, and is not cached."""
    person = net.someone()
    answer = net.api.call("POST", "/v1/realtime/ticket", person=person, json={})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    ticket = answer.json()
    assert ticket["url"].startswith(("ws://127.0.0.1:", "wss://"))
    assert "?" not in ticket["url"]
    left = datetime.fromisoformat(ticket["expires_at"]) - datetime.now(UTC)
    assert timedelta(0) < left < timedelta(seconds=60)


def test_a_ticket_opens_one_socket(net: Net) -> None:
    """A ticket lets its user in once."""
    person = net.someone()
    url = net.url(person)
    device = net.open(url)
    ref = device.say("hello")
    assert device.expect("ready", ref=ref)["user"] == person.handle
    check_refused(net, url)
    assert device.ask("ping")["type"] == "pong"


@pytest.mark.parametrize(
    "ticket", ["guess", "ticket_" + "A" * 43, "ticket_" + "A" * 43 + ".{handle}", "{token}"]
)
def test_a_bad_ticket_opens_none(net: Net, ticket: str) -> None:
    """An invalid ticket is refused, a token too."""
    person = net.someone()
    held = {**net.ticket(person), "ticket": ticket.format(handle=person.handle, token=person.token)}
    check_refused(net, opening(held))


def test_a_ticket_of_another_opens_none(net: Net) -> None:
    """A ticket with a changed handle is refused for both handles."""
    alice, bob = net.someone(), net.someone()
    ticket = net.ticket(alice)
    check_refused(net, opening({**ticket, "ticket": ticket["ticket"].replace(alice.handle, bob.handle)}))


@pytest.mark.parametrize("query", ["", "?ticket=", "?user={handle}"])
def test_without_a_ticket_there_is_none(net: Net, query: str) -> None:
    """A name alone opens no connection, except on an open server on a laptop."""
    person = net.someone()
    check_refused(net, net.ticket(person)["url"] + query.format(handle=person.handle))


def test_a_token_in_the_header_opens_one(net: Net) -> None:
    """A program, unlike a web page, can send its token in a header."""
    person = net.someone()
    url = net.ticket(person)["url"]
    device = net.open(url, headers=person.bearer)
    ref = device.say("hello")
    assert device.expect("ready", ref=ref)["user"] == person.handle
    check_refused(net, url, {"Authorization": "Bearer guess"})


def test_a_ticket_ends_with_its_session(net: Net) -> None:
    """A ticket is invalid after the logout of its user."""
    person = net.someone()
    url = net.url(person)
    assert net.api.call("POST", "/v1/logout", person=person).status_code == 202
    check_refused(net, url)


def test_expired_ticket_opens_nothing(net: Net, server: Server | None) -> None:
    """The store keeps a ticket for 30 seconds; after that it is invalid."""
    if server is None:
        pytest.skip("the store of the server at --url cannot be reached from here")
    person = net.someone()
    url = net.url(person)
    expire_ticket(server.store, person)
    check_refused(net, url)


def expire_ticket(engine: ValkeyEngine, person: Person) -> None:
    """Expire a user's only ticket."""
    (client,) = engine.nodes
    (key,) = client.scan_iter(f"*ticket:{person.handle}:*")
    assert 0 < client.pttl(key) <= 30_000
    client.pexpire(key, 1)
    assert eventually(lambda: not client.exists(key))
