"""The ends of connections, none of which affects another."""

from __future__ import annotations

from tests.deployed.people import Person
from tests.deployed.realtime.users import Net, new_id


def other_session(net: Net, person: Person) -> Person:
    """Log a user in once more."""
    body = {"handle": person.handle, "password": person.password}
    answer = net.api.call("POST", "/v1/login", json=body)
    assert answer.status_code == 200, answer.text
    return person._replace(token=answer.json()["token"])


def test_logout_closes_the_sessions_sockets(net: Net) -> None:
    """A logout closes the connections of its session, and no others."""
    person = net.someone()
    again = other_session(net, person)
    first, second, other = net.device(person), net.device(person), net.device(again)
    assert net.api.call("POST", "/v1/logout", person=person).status_code == 202
    for device in (first, second):
        device.close_code()
    assert other.ask("ping")["type"] == "pong"


def test_deletion_closes_all_sockets(net: Net) -> None:
    """A deleted account's connections are closed, of every session."""
    person = net.someone()
    devices = [net.device(person), net.device(other_session(net, person))]
    gone = net.api.call("DELETE", "/v1/users/me", person=person)
    assert gone.status_code == 204, gone.text
    for device in devices:
        device.close_code()


def test_the_old_socket_closes_after_the_new_one_opened(net: Net) -> None:
    """A client that changes connections stays reachable."""
    chat, alice, bob = net.pair()
    sending = net.device(alice)
    old = net.device(bob)
    new = net.device(bob)
    old.close()
    for number in range(3):
        ack = sending.ask("send", chat=chat, id=new_id(), text=f"number {number}")
        assert new.expect("message", chat=chat, seq=ack["seq"])["text"] == f"number {number}"


def test_a_closed_socket_is_forgotten(net: Net) -> None:
    """After a connection has closed messages are still stored, and the next sync returns them."""
    chat, alice, bob = net.strangers()
    sending, other = net.device(alice), net.device(bob)
    version = net.device(bob, hello=False).hello()[-1]["version"]
    other.close()
    ack = sending.ask("send", chat=chat, id=new_id(), text="are you there?")
    assert ack["type"] == "ack"
    (row,) = [row for page in net.device(bob, hello=False).hello(version) for row in page["chats"]]
    assert (row["chat"], row["seq"]) == (chat, ack["seq"])
