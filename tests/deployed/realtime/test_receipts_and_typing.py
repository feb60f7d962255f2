"""Receipts and typing notices between members."""

from __future__ import annotations

import pytest

from tests.deployed.realtime.users import Net


@pytest.mark.parametrize("mark", ["read", "received"])
def test_marks_reach_the_other(net: Net, mark: str) -> None:
    """`read` and `received` are pushed to the other member, with user and position, and not to oneself."""
    chat, alice, bob = net.pair()
    seq = net.write(alice, chat, "hello")
    reader, other = net.device(bob), net.device(alice)
    reader.say(mark, chat=chat, seq=seq)
    receipt = other.expect("receipt", chat=chat, user=bob.handle)
    assert receipt[mark] == seq
    assert reader.kept("receipt", "error") == []


def test_marks_of_http_reach_the_other(net: Net) -> None:
    """A read mark set over HTTP is pushed as well."""
    chat, alice, bob = net.pair()
    seq = net.write(alice, chat, "hello")
    other = net.device(alice)
    answer = net.api.call("PUT", f"/v1/chats/{chat}/read", person=bob, json={"seq": seq})
    assert answer.status_code == 204, answer.text
    assert other.expect("receipt", chat=chat, user=bob.handle)["read"] == seq


def test_reading_everything_shows_on_other_devices(net: Net) -> None:
    """A read without a seq is confirmed; the user's other device gets the row, and the total falls."""
    chat, alice, bob = net.strangers()
    net.write(alice, chat, "one")
    seq = net.write(alice, chat, "two")
    reader, other = net.device(bob), net.device(bob)
    assert net.api.call("GET", "/v1/unread", person=bob).json()["unread"] == 2
    assert reader.ask("read", chat=chat)["type"] == "ok"
    row = other.expect("chat", chat=chat)
    assert (row["read"], row["unread"]) == (seq, 0)
    assert [user["handle"] for user in row["users"]] == [alice.handle, bob.handle]
    net.write(alice, chat, "three")
    answer = net.api.call("POST", "/v1/read", person=bob)
    assert answer.json() == {"chats": [chat], "next": None}
    assert other.expect("chat", chat=chat, read=seq + 1)["unread"] == 0
    assert net.api.call("GET", "/v1/unread", person=bob).json()["unread"] == 0


def test_marks_only_rise(net: Net) -> None:
    """A lower mark than before is not pushed, and does not lower the stored one."""
    chat, alice, bob = net.pair()
    first = net.write(alice, chat, "one")
    second = net.write(alice, chat, "two")
    reader, other = net.device(bob), net.device(alice)
    for seq in (second, first):
        reader.say("read", chat=chat, seq=seq)
        assert reader.ask("ping")["type"] == "pong"
    third = net.write(alice, chat, "three")
    reader.say("read", chat=chat, seq=third)
    marks = [other.expect("receipt", chat=chat, user=bob.handle)["read"] for _ in range(2)]
    assert sorted(marks) == [second, third]
    assert other.kept("receipt") == []


def test_typing_reaches_the_other(net: Net) -> None:
    """A typing notice goes to the other member alone."""
    chat, alice, bob = net.pair()
    net.write(bob, chat, "are you there?")
    typist, other, stranger = net.device(alice), net.device(bob), net.device(net.someone())
    for on in (True, False):
        typist.say("typing", chat=chat, on=on)
        assert other.expect("typing", chat=chat)["on"] is on
    assert typist.kept("typing", "error") == []
    assert stranger.kept("typing") == []


def test_a_stranger_types_in_no_chat(net: Net) -> None:
    """Typing in the chat of others is an error."""
    chat, _, bob = net.pair()
    stranger, other = net.device(net.someone()), net.device(bob)
    assert stranger.ask("typing", chat=chat, on=True)["code"] == "not_a_member"
    assert other.kept("typing") == []
