"""The connections that are attached to a chat, on every kind of store."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.config import Secret
from chalicelib.errors import ChatNotFound, NotAMember
from chalicelib.store import keys
from chalicelib.store.chats.info import Relation
from chalicelib.store.messages.content import Content
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.messages.outbox import Audience, Outbox, OutboxEntry
from chalicelib.store.realtime.chat_connections import GRACE, ChatConnection, ChatConnections, Joined, Left
from chalicelib.store.realtime.connection_results import Recipient
from chalicelib.store.redis.client import Store, connect
from tests.servers.engines import Engine
from tests.store.account_records import clock, fields_of
from tests.store.chat_records import (
    FOR_EVER,
    GROUP,
    client,
    write_client,
    write_group,
    write_member,
    write_other,
    write_tombstone,
)
from tests.store.connected_users import LEASE, without_memory
from tests.store.log_records import CHAT, RawClient, settings_for

NOTHING = Left(last=False, handle="", connections=[])


class Room:
    """A group of ann, bob and cid, and its chat connections."""

    def __init__(self, store: Store, raw: RawClient) -> None:
        self.store, self.raw = store, raw
        self.connections = ChatConnections(LEASE)
        write_group(raw, {"ann": 0, "bob": 0, "cid": 0}, large=1)

    def attach(self, connection: str, handle: str, *, joined: bool = True) -> Joined | None:
        """Attach a connection."""
        return self.store.run(
            self.connections.attach(GROUP, handle, connection, joined=joined, protobuf=False)
        )

    def first(self, connection: str, handle: str, *, joined: bool = True) -> bool:
        """Attach a connection; return whether it is its user's first."""
        held = self.attach(connection, handle, joined=joined)
        assert held is not None
        return held.first

    def detach(self, connection: str) -> Left:
        """Detach a connection."""
        return self.store.run(self.connections.detach(GROUP, connection))

    def joined(self, reader: str = "ann") -> list[tuple[str, str]]:
        """Return the joined connections."""
        found = self.store.run(self.connections.joined(GROUP, reader))
        return sorted((one.connection, one.handle) for one in found)

    def age(self, connection: str, by: int = 1) -> None:
        """Age a chat connection: it expired some µs ago."""
        held: Any = self.raw.hget(keys.chat_connections(GROUP), connection)
        self.raw.hset(keys.chat_connections(GROUP), connection, (clock(self.raw) - by).to_bytes(8) + held[8:])

    def held(self) -> set[str]:
        """Return all stored chat connections."""
        return set(fields_of(self.raw, keys.chat_connections(GROUP)))


@pytest.fixture
def room(store: Store, raw: RawClient) -> Room:
    """The room under test."""
    return Room(store, raw)


def test_stored_chat_connection_matches_the_documented_layout(room: Room, raw: RawClient) -> None:
    """A stored chat connection has the documented layout, and expires some time after the last lease."""
    before = clock(raw)
    attaching = room.connections.attach(GROUP, "ann", "c1", joined=True, protobuf=True)
    assert room.store.run(attaching) == Joined(True, [ChatConnection("c1", True, "ann")])

    (held,) = fields_of(raw, keys.chat_connections(GROUP)).values()
    assert before + LEASE <= int.from_bytes(held[:8]) <= clock(raw) + LEASE
    assert held[8:] == b"\3ann"
    life: Any = raw.pttl(keys.chat_connections(GROUP))
    assert LEASE // 1000 < life <= (LEASE + GRACE) // 1000


def test_coming_and_going(room: Room) -> None:
    """A user comes with the first connection that joins, and goes with the last."""
    assert [room.first("a1", "ann"), room.first("a1", "ann"), room.first("a2", "ann")] == [True, False, False]
    assert room.first("b1", "bob")
    assert room.joined() == [("a1", "ann"), ("a2", "ann"), ("b1", "bob")]

    assert not room.detach("a1").last
    assert room.detach("a2") == Left(True, "ann", [ChatConnection("b1", False, "bob")])
    assert room.detach("a2") == NOTHING
    assert room.first("a2", "ann")


def test_attached_without_joining(room: Room) -> None:
    """A connection that is attached without joining is not announced; once joined, it stays so."""
    assert not room.first("a1", "ann", joined=False)
    assert room.joined() == []
    assert room.first("a1", "ann")
    assert not room.first("a1", "ann", joined=False)
    assert room.joined() == [("a1", "ann")]
    assert room.detach("a1").last

    room.first("a1", "ann", joined=False)
    assert room.detach("a1") == Left(False, "ann", [])


def test_expired_connection_is_absent_and_its_user_leaves_once(room: Room) -> None:
    """An expired connection is absent; a user's first detach after it counts as the last."""
    for connection, handle in (("a1", "ann"), ("a2", "ann"), ("b1", "bob"), ("c1", "cid")):
        room.first(connection, handle)
    for connection in ("a1", "a2", "b1"):
        room.age(connection)

    assert room.joined() == [("c1", "cid")]
    assert room.first("b2", "bob")
    assert not room.detach("b1").last
    gone = room.detach("a1")
    assert (gone.last, gone.handle) == (True, "ann")
    assert {one.connection for one in gone.connections} == {"b2", "c1"}
    assert room.detach("a2") == NOTHING


def test_expired_ones_are_kept_for_a_while(room: Room) -> None:
    """A newly expired connection is kept for the announcement; an old one goes when others attach."""
    for connection, handle in (("a1", "ann"), ("b1", "bob")):
        room.first(connection, handle)
    room.age("a1", GRACE + 1)
    room.age("b1")

    room.first("c1", "cid")

    assert room.held() == {"b1", "c1"}
    assert room.detach("b1").last


def test_clients_of_a_clock_that_fell_back(room: Room) -> None:
    """A connection whose lease is too long gets one from now when another attaches, and stays unchanged."""
    room.attach("c1", "ann")
    room.age("c1", by=-3 * LEASE)
    room.attach("c2", "bob")

    held: Any = room.raw.hget(keys.chat_connections(GROUP), "c1")
    assert int.from_bytes(held[:8]) <= clock(room.raw) + LEASE
    assert room.joined() == [("c1", "ann"), ("c2", "bob")]


def test_coming_again_after_expiring(room: Room) -> None:
    """A connection that expired and joins again counts as its user's first."""
    room.first("a1", "ann")
    room.age("a1")

    assert room.first("a1", "ann")
    assert room.joined() == [("a1", "ann")]


def test_renewal_extends_a_connection_and_revives_none(room: Room) -> None:
    """A renewed chat connection lives on unchanged; one that is gone or expired stays gone."""
    room.first("a1", "ann")
    before = clock(room.raw)
    assert room.store.run(room.connections.renew(GROUP, "a1"))
    held = fields_of(room.raw, keys.chat_connections(GROUP))["a1"]
    assert int.from_bytes(held[:8]) >= before + LEASE
    assert held[8:] == b"\1ann"

    room.age("a1")
    assert not room.store.run(room.connections.renew(GROUP, "a1"))
    assert not room.store.run(room.connections.renew(GROUP, "a2"))
    assert room.held() == {"a1"}


def test_only_members_attach_and_receive(room: Room, raw: RawClient) -> None:
    """Only members attach; a former member receives nothing, is not listed, and sees nobody."""
    write_other(raw, "dan", Relation.INVITED)
    assert room.attach("d1", "dan") is None
    room.first("a1", "ann")
    room.first("b1", "bob")
    raw.hdel(keys.members(GROUP), "bob")

    assert room.joined() == [("a1", "ann")]
    with pytest.raises(NotAMember):
        room.joined("bob")
    sent = room.store.run(MessageLog().append(GROUP, Content("ann", "hello")))
    assert sent.recipients == [Recipient("a1", False)]
    assert room.detach("b1") == Left(True, "bob", [ChatConnection("a1", False, "ann")])


@pytest.mark.parametrize("deleted", [False, True])
def test_nobody_attaches_to_a_missing_chat(room: Room, raw: RawClient, deleted: bool) -> None:
    """Nobody attaches to a chat that is missing or deleted."""
    if deleted:
        write_tombstone(raw)
    else:
        raw.delete(keys.chat(GROUP), keys.members(GROUP))

    assert room.attach("a1", "ann") is None
    with pytest.raises(ChatNotFound):
        room.joined()
    assert room.detach("a1") == NOTHING


def test_room_with_ten_thousand_connections_works(room: Room, raw: RawClient) -> None:
    """A room of more connections than Lua takes arguments can be listed, joined and left."""
    handles = [f"user{number}" for number in range(10_000)]
    record: Any = raw.hget(keys.members(GROUP), "ann")
    raw.hset(keys.members(GROUP), mapping=dict.fromkeys(handles, record))
    raw.hset(
        keys.chat_connections(GROUP),
        mapping={f"c-{handle}": client(handle, FOR_EVER, 1) for handle in handles},
    )

    joined = room.attach("a1", "ann")
    assert joined is not None
    assert joined.first
    assert len(joined.connections) == 10_001
    assert room.joined() == sorted([("a1", "ann"), *((f"c-{handle}", handle) for handle in handles)])
    assert len(room.detach("a1").connections) == 10_000


# --- pending ------------------------------------------------------------------------------


def test_audience_of_a_large_chat(room: Room, raw: RawClient) -> None:
    """The newest message of a large chat goes to its connections, of a small one to its members."""
    outbox, log = Outbox(), MessageLog()
    room.first("a1", "ann", joined=False)
    write_client(raw, "d1", "dan", FOR_EVER)
    sent = room.store.run(log.append(GROUP, Content("ann", "hello"))).time
    assert room.store.run(outbox.audience(GROUP)) == Audience(sent, [], [Recipient("a1", False)], 0)

    write_group(raw, {"ann": 0, "bob": 0})
    found = room.store.run(outbox.audience(GROUP))
    assert (sorted(found.members), found.recipients) == (["ann", "bob"], [])
    sent = room.store.run(log.append(CHAT, Content("ann", "hello"))).time
    assert room.store.run(outbox.audience(CHAT)) == Audience(sent, ["ann", "bob"], [], 0)


@pytest.mark.parametrize("chat", [CHAT, GROUP])
def test_what_was_pushed(room: Room, chat: str) -> None:
    """The pushed seq is stored while a message is pending, only rises, and is deleted with it."""
    outbox, log = Outbox(), MessageLog()

    def pushed(time: int) -> bool:
        return room.store.run(outbox.pushed(chat, time))

    assert not pushed(5)
    first = room.store.run(log.append(chat, Content("ann", "one"))).time
    second = room.store.run(log.append(chat, Content("ann", "two"))).time
    assert [pushed(first), pushed(second), pushed(first), pushed(second)] == [True, True, False, False]
    assert room.store.run(outbox.audience(chat)).pushed == second
    assert room.store.run(outbox.entries()) == [OutboxEntry("m", chat, "", second)]

    third = room.store.run(log.append(chat, Content("ann", "three"))).time
    assert not room.store.run(outbox.clear(OutboxEntry("m", chat, "", second)))
    assert room.store.run(outbox.audience(chat)).pushed == second
    assert room.store.run(outbox.clear(OutboxEntry("m", chat, "", third)))
    assert not room.raw.exists(keys.outbox(chat))
    assert not pushed(third)
    assert room.store.run(outbox.entries()) == []


def test_full_store_still_renews_lists_and_detaches(engine: Engine, room: Room) -> None:
    """Without memory chat connections are still renewed, listed and detached."""
    room.first("a1", "ann")
    with without_memory(engine):
        assert room.store.run(room.connections.renew(GROUP, "a1"))
        assert room.joined() == [("a1", "ann")]
        assert room.detach("a1").last
    assert room.joined() == []


def test_every_key_is_declared(engine: Engine, raw: RawClient) -> None:
    """A store user with access to declared keys only can run every branch of the scripts."""
    kinds = (keys.chat, keys.members, keys.chat_connections, keys.log, keys.outbox)
    rules = ["on", ">pass", "+@all", *(f"~{kind(GROUP)}" for kind in kinds)]
    for node in engine.nodes:
        node.execute_command("ACL SETUSER", "narrow", *rules)
    try:
        room = Room(connect(settings_for(engine, redis_user="narrow", redis_password=Secret("pass"))), raw)
        write_member(raw, "dan", 0)
        assert room.first("a1", "ann")
        assert room.joined() == [("a1", "ann")]
        assert room.store.run(room.connections.renew(GROUP, "a1"))
        assert room.store.run(Outbox().audience(GROUP)).recipients == [Recipient("a1", False)]
        assert not room.store.run(Outbox().pushed(GROUP, 1))
        assert room.detach("a1").last
    finally:
        for node in engine.nodes:
            node.execute_command("ACL DELUSER", "narrow")
