"""Signals of calls, passed on and never stored."""

from __future__ import annotations

import pytest

from tests.deployed.realtime.users import Net

OFFER = {"call": "c1", "kind": "offer", "data": {"sdp": "v=0", "list": [1, None]}}


@pytest.mark.parametrize("by", ["to", "chat"])
def test_a_signal_reaches_the_other(net: Net, by: str) -> None:
    """A signal arrives as it was sent, with the true sender; it cannot name another."""
    chat, alice, bob = net.pair()
    net.write(bob, chat, "call me!")
    caller, called = net.device(alice), net.device(bob)
    recipient = {"to": bob.handle} if by == "to" else {"chat": chat}
    caller.say("signal", **OFFER, **recipient, **{"from": bob.handle})
    assert caller.expect("error")["errors"][0]["field"] == "from"
    caller.say("signal", **OFFER, **recipient)
    got = called.expect("signal")
    assert (got["from"], got["call"], got["kind"], got["data"]) == (
        alice.handle,
        "c1",
        "offer",
        OFFER["data"],
    )
    assert caller.kept("signal", "error") == []


def test_signal_to_an_offline_user_is_an_error(net: Net) -> None:
    """A signal to a user without a connection is an error."""
    chat, alice, bob = net.strangers()
    net.write(bob, chat, "call me!")
    answer = net.device(alice).ask("signal", to=bob.handle, **OFFER)
    assert (answer["type"], answer["status"], answer["code"]) == ("error", 404, "nobody_there")


def test_a_stranger_calls_nobody(net: Net) -> None:
    """A signal to somebody one has no chat with is an error, and reaches nobody."""
    stranger, called = net.device(net.someone()), net.someone()
    device = net.device(called)
    answer = stranger.ask("signal", to=called.handle, **OFFER)
    assert (answer["type"], answer["status"], answer["code"]) == ("error", 403, "not_a_member")
    assert device.kept("signal") == []
