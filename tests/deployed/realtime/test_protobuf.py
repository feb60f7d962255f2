"""The subprotocol parley.protobuf: the same services with the Messages of other clients."""

from __future__ import annotations

from chalicelib.schemas.message_pb2 import Message
from tests.deployed.realtime.device import PROTOBUF, unwrapped, wrapped
from tests.deployed.realtime.users import Net, new_id

TO_USER = 1


def test_the_subprotocol_is_chosen(net: Net) -> None:
    """A client that asks for the subprotocol gets it confirmed."""
    chosen = net.device(net.someone(), protobuf=True).socket.subprotocol
    assert chosen == (None if net.target.differs("no-subprotocol-is-chosen") else PROTOBUF)


def test_protobuf_and_json_clients_exchange_messages(net: Net) -> None:
    """A Message reaches a JSON client with its true sender; a JSON frame arrives as a Message."""
    chat, alice, bob = net.pair()
    ours, theirs = net.device(alice, protobuf=True), net.device(bob)
    text = Message(to=bob.handle, content="from protobuf", messageType=TO_USER, contentType=1)
    setattr(text, "from", bob.handle)
    ours.raw(wrapped(text))
    got = theirs.expect("message", chat=chat)
    assert (got["sender"], got["text"]) == (alice.handle, "from protobuf")
    theirs.ask("send", chat=chat, id=new_id(), text="from JSON")
    message = ours.expect("protobuf")["message"]
    assert (getattr(message, "from"), message.to, message.content) == (bob.handle, alice.handle, "from JSON")


def test_protobuf_heartbeat_is_answered_by_the_server(net: Net) -> None:
    """The server answers the heartbeat of protobuf clients."""
    device = net.device(net.someone(), hello=False, protobuf=True)
    device.raw(wrapped(Message(type="heatbeat")))
    text = device.receive()
    assert isinstance(text, str)
    assert (unwrapped(text).type, unwrapped(text).content) == ("heatbeat", "pong")


def test_any_frame_may_be_sent(net: Net) -> None:
    """A frame without a Message of its own is wrapped in one, and so is its answer."""
    chat, alice, _ = net.pair()
    device = net.device(alice, protobuf=True)
    assert device.ask("send", chat=chat, id=new_id(), text="wrapped")["type"] == "ack"
    assert device.ask("pull", chat=chat, limit=1)["messages"][0]["text"] == "wrapped"


def test_undecodable_message_is_answered_with_an_error(net: Net) -> None:
    """Invalid base64, or bytes that are no Message, get an error, and the connection stays open."""
    device = net.device(net.someone(), protobuf=True)
    for text in ("no base64!", "////", '{"type":"ping"}'):
        device.raw(text)
        assert device.expect("error")["status"] == 400
    assert device.ask("ping")["type"] == "pong"
