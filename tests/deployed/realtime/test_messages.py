"""Messages: sent, acknowledged, pushed, pulled, and synced after an absence."""

from __future__ import annotations

from chalicelib.store import keys
from tests.deployed.realtime.conftest import Server
from tests.deployed.realtime.users import Net, new_id


def test_hello_lists_chats_heads_and_unread(net: Net) -> None:
    """Before `ready` a client gets its chats, their newest numbers, and what is unread."""
    chat, alice, bob = net.strangers()
    seq = net.write(bob, chat, "while you were away")
    pages = net.device(alice, hello=False).hello()
    (row,) = [row for page in pages for row in page["chats"]]
    assert (row["chat"], row["seq"], row["unread"]) == (chat, seq, 1)
    assert not pages[-1]["more"]


def test_hello_with_a_version_lists_only_changes(net: Net) -> None:
    """With the version of its last sync a client gets only what changed since."""
    chat, alice, bob = net.strangers()
    net.write(bob, chat, "one")
    version = net.device(alice, hello=False).hello()[-1]["version"]
    again = net.device(alice, hello=False).hello(version)
    assert [row for page in again for row in page["chats"]] == []
    net.write(bob, chat, "two")
    later = net.device(alice, hello=False).hello(version)
    assert [(row["chat"], row["seq"]) for page in later for row in page["chats"]] == [(chat, 2)]
    assert not later[0]["reset"]


def test_hello_reports_messages_that_the_store_lost(net: Net, server: Server | None) -> None:
    """A message that was pushed and acknowledged and is lost is reported at the next hello.

    Where the store is out of reach it is a message of the next number, which no log has.
    """
    chat, alice, bob = net.pair()
    sending, other = net.device(alice), net.device(bob)
    version = net.device(bob, hello=False).hello()[-1]["version"]
    sending.ask("send", chat=chat, id=new_id(), text="kept")
    ack = sending.ask("send", chat=chat, id=new_id(), text="phantom")
    pushed = other.expect("message", chat=chat, seq=ack["seq"])
    page = net.api.call("GET", f"/v1/chats/{chat}/messages", person=bob).json()
    assert ack["sent_at"] == pushed["sent_at"] == page["messages"][-1]["sent_at"]
    held = {"chat": chat, "cursor": page["next"]}
    assert "history_changed" not in net.device(bob, hello=False).hello(version, check=[held])[0]
    if server is None:
        seq, rest = page["next"].split(".", 1)
        held["cursor"] = f"{int(seq) + 1}.{rest}"
    else:
        server.store.nodes[0].rpop(keys.log(chat))
    (lost,) = net.device(bob, hello=False).hello(version, check=[held])[0]["history_changed"]
    now = net.api.call("GET", f"/v1/chats/{chat}/messages", person=bob).json()
    assert lost == {"chat": chat, "epoch": now["epoch"], "seq": now["head"], "cursor": now["next"]}


def test_a_message_reaches_every_other_device(net: Net) -> None:
    """A send is acknowledged, and pushed to the other member and to the sender's other device."""
    chat, alice, bob = net.pair()
    sending, own, other = net.device(alice), net.device(alice), net.device(bob)
    sent = new_id()
    ack = sending.ask("send", chat=chat, id=sent, text="hello")
    assert (ack["type"], ack["id"], ack["chat"], ack["duplicate"]) == ("ack", sent, chat, False)
    for device in (own, other):
        got = device.expect("message", chat=chat)
        assert (got["seq"], got["sender"], got["text"]) == (ack["seq"], alice.handle, "hello")
        assert got["sent_at"] == ack["sent_at"]
    assert sending.kept("message") == []


def test_a_reply_names_what_it_replies_to(net: Net) -> None:
    """A reply has the number of its message; a missing message cannot be replied to."""
    chat, alice, bob = net.pair()
    sending, other = net.device(alice), net.device(bob)
    first = sending.ask("send", chat=chat, id=new_id(), text="tea?")
    reply = other.ask("send", chat=chat, id=new_id(), text="yes", reply_to=first["seq"])
    assert reply["reply_to"] == sending.expect("message", chat=chat)["reply_to"] == first["seq"]
    refused = other.ask("send", chat=chat, id=new_id(), text="no", reply_to=reply["seq"] + 1)
    assert (refused["type"], refused["code"]) == ("error", "message_not_found")


def test_what_http_sends_is_pushed(net: Net) -> None:
    """A message of either API over HTTP reaches the devices of both members."""
    chat, alice, bob = net.pair()
    devices = [net.device(alice), net.device(bob)]
    net.write(alice, chat, "by v1")
    assert net.api.send(chat=chat, sender=bob.handle, text="by legacy").status_code == 204
    for device in devices:
        texts = {device.expect("message", chat=chat)["text"] for _ in range(2)}
        assert texts == {"by v1", "by legacy"}


def test_messages_are_numbered_in_the_order_of_their_acks(net: Net) -> None:
    """Each message has the seq after the one before, and arrives with it."""
    chat, alice, bob = net.pair()
    sending, other = net.device(alice), net.device(bob)
    texts = [f"number {number}" for number in range(8)]
    seqs = [sending.ask("send", chat=chat, id=new_id(), text=text)["seq"] for text in texts]
    assert seqs == list(range(seqs[0], seqs[0] + len(texts)))
    got = sorted((other.expect("message", chat=chat) for _ in texts), key=lambda frame: int(frame["seq"]))
    assert [(frame["seq"], frame["text"]) for frame in got] == list(zip(seqs, texts, strict=True))


def test_a_send_that_is_repeated_is_stored_once(net: Net) -> None:
    """The same id is acknowledged with the same seq, as a duplicate, and is pushed once."""
    chat, alice, bob = net.pair()
    sending, other = net.device(alice), net.device(bob)
    frame = {"chat": chat, "id": new_id(), "text": "once"}
    first, second = sending.ask("send", **frame), sending.ask("send", **frame)
    assert (second["seq"], second["duplicate"]) == (first["seq"], True)
    last = sending.ask("send", chat=chat, id=new_id(), text="last")
    other.expect("message", chat=chat, seq=last["seq"])
    other.expect("message", chat=chat, seq=first["seq"])
    assert other.kept("message") == []
    assert last["seq"] == first["seq"] + 1


def test_pull_reads_forwards_backwards_or_the_newest(net: Net) -> None:
    """A pull reads forwards from a cursor, backwards, or the newest messages, as over HTTP."""
    chat, alice, bob = net.pair()
    first = net.write(alice, chat, "0")
    for text in "1234":
        net.write(bob, chat, text)
    device = net.device(alice)

    def texts(**query: object) -> list[str]:
        page = device.ask("pull", chat=chat, **query)
        assert (page["type"], page["chat"], page["head"]) == ("page", chat, first + 4)
        return [message["text"] for message in page["messages"]]

    assert texts() == ["0", "1", "2", "3", "4"]
    assert texts(after=str(first), limit=2) == ["1", "2"]
    assert texts(before=str(first + 3), limit=2) == ["1", "2"]
    assert texts(limit=1) == ["4"]


def test_a_socket_is_pushed_to_after_hello(net: Net) -> None:
    """Before its hello a client gets nothing; its first sync has the messages since."""
    chat, alice, bob = net.strangers()
    early = net.device(alice, hello=False)
    ready = net.device(alice)
    seq = net.write(bob, chat, "early")
    ready.expect("message", chat=chat, seq=seq)
    assert early.kept("message") == []
    (row,) = [row for page in early.hello() for row in page["chats"]]
    assert (row["chat"], row["seq"]) == (chat, seq)


def test_nobody_sends_as_another(net: Net) -> None:
    """A message's sender is the connection's user: a frame that names another is refused."""
    chat, alice, bob = net.pair()
    sending, other = net.device(alice), net.device(bob)
    for name in ("from", "sender", "user"):
        answer = sending.ask("send", chat=chat, id=new_id(), text="it is I", **{name: bob.handle})
        assert (answer["type"], answer["errors"][0]["field"]) == ("error", name)
    ack = sending.ask("send", chat=chat, id=new_id(), text="it is I")
    assert other.expect("message", chat=chat, seq=ack["seq"])["sender"] == alice.handle


def test_a_stranger_reaches_no_chat(net: Net) -> None:
    """A user who is not a member can neither send to a chat nor pull it, and gets no messages."""
    chat, alice, bob = net.strangers()
    stranger, other = net.device(net.someone()), net.device(bob)
    for refused in (
        stranger.ask("send", chat=chat, id=new_id(), text="let me in"),
        stranger.ask("pull", chat=chat),
    ):
        assert (refused["type"], refused["status"], refused["code"]) == ("error", 403, "not_a_member")
    seq = net.write(alice, chat, "hi")
    other.expect("message", chat=chat, seq=seq)
    assert stranger.kept("message") == []
