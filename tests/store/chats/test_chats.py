"""Groups and rooms are created, read and deleted, on every kind of store."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.config import Secret
from chalicelib.errors import ChatFull, ChatNotFound, LastOwner
from chalicelib.store import keys
from chalicelib.store.chats.changes import MemberChange
from chalicelib.store.chats.chats import OF_MESSAGES
from chalicelib.store.chats.info import Info, Member, Relation, Role
from chalicelib.store.inbox.entries import InboxEntry, InboxState
from chalicelib.store.redis.client import Store, connect
from tests.servers.engines import Engine
from tests.store.account_records import clock, fields_of
from tests.store.chat_calls import (
    GROUP,
    NEWS,
    TEAM,
    Groups,
    bodies,
    keys_of,
    pending,
    uncounted,
    write_reader,
)
from tests.store.log_records import EPOCH, RawClient, elements_of, entry, header, settings_for, write

pytestmark = pytest.mark.cluster_smoke

PAIR = "ann:bob"


@pytest.fixture
def groups(store: Store) -> Groups:
    """Groups that are large above 100 members."""
    return Groups(store)


# --- creating -----------------------------------------------------------------------------------------------


def test_a_chat_is_made(groups: Groups) -> None:
    """A new chat has its fields and members, all with one time of the store's clock."""
    made = groups.make("bob")

    view = groups.view("bob", "ann", "cid")
    assert view.info == msgspec.structs.replace(TEAM, made=made.time, members=2)
    assert view.records == {
        "bob": Member("bob", Role.MEMBER, 0, made.time, 0),
        "ann": Member("ann", Role.OWNER, 0, made.time, 0),
        "cid": None,
    }
    members = groups.store.run(groups.chats.members(GROUP))
    assert sorted(members) == [
        Member("ann", Role.OWNER, 0, made.time, 0),
        Member("bob", Role.MEMBER, 0, made.time, 0),
    ]


def test_creation_message_is_first_and_reaches_all_inboxes(groups: Groups, raw: RawClient) -> None:
    """The system message of the creation is the log's first, does not count, and awaits all inboxes."""
    made = groups.make("bob")

    assert made.seq == 1
    assert sorted(made.members or ()) == ["ann", "bob"]
    assert made.entries == [
        InboxEntry(handle, made.time, InboxState.IN, made.time) for handle in ("ann", "bob")
    ]
    assert elements_of(raw, GROUP)[0] == header(0, made.time)
    assert bodies(raw) == [msgspec.msgpack.decode(NEWS)]
    assert uncounted(raw) == [1]
    assert pending(raw) == {f"{item}{GROUP}": made.time for item in ("m", "i", "pann\0", "pbob\0")}
    assert groups.changes() == [("info", made.time), ("m:ann", made.time), ("m:bob", made.time)]


def test_stored_chat_and_members_match_the_documented_layout(groups: Groups, raw: RawClient) -> None:
    """The stored records of a chat and its users have the documented layout."""
    groups.make()
    groups.change({"cid": Relation.INVITED}, body=None)

    chat = fields_of(raw, keys.chat(GROUP))
    assert chat.keys() == {
        *("name", "notice", "avatar", "join", "history", "made", "maker", "owners"),
        *("change_seq", "change_time", "info_time"),
    }
    member, other = groups.member("ann"), groups.other("cid")
    assert fields_of(raw, keys.members(GROUP)) == {
        "ann": bytes([3]) + bytes(8) + member.joined.to_bytes(8) + bytes(8)
    }
    assert fields_of(raw, keys.others(GROUP)) == {"cid": bytes([1]) + other.at.to_bytes(8) + bytes(16)}
    assert set(map(bytes.decode, raw.scan_iter())) == set(keys_of()) - {keys.chat_connections(GROUP)}


@pytest.mark.parametrize("deleted", [False, True])
def test_an_id_is_taken_once(groups: Groups, raw: RawClient, deleted: bool) -> None:
    """A chat id that exists, or ever existed, can't be used again; nothing is changed."""
    groups.make()
    if deleted:
        groups.delete()
    before = {key: raw.dump(key) for key in keys_of()}

    assert groups.store.run(groups.chats.create(GROUP, Info("Mine"), [("eve", Role.OWNER)], NEWS)) is None

    assert {key: raw.dump(key) for key in keys_of()} == before


def test_limits_of_a_new_chat(store: Store, raw: RawClient) -> None:
    """A chat with too many members or without an owner is refused, and nothing is stored."""
    small = Groups(store, most=2)
    with pytest.raises(ChatFull, match="2 members"):
        small.make("bob", "cid")
    with pytest.raises(LastOwner):
        small.store.run(small.chats.create(GROUP, TEAM, [("ann", Role.ADMIN)], NEWS))

    assert list(raw.scan_iter()) == []
    assert small.make("bob").seq == 1


def test_a_chat_may_be_large_from_the_start(store: Store, raw: RawClient) -> None:
    """A chat that begins with more members than the limit of small chats is large."""
    made = Groups(store, large=2).make("bob", "cid")

    assert made.members is None
    assert {entry.state for entry in made.entries} == {InboxState.LARGE}
    assert pending(raw)[f"m{GROUP}"] == made.time
    assert Groups(store).view().info == msgspec.structs.replace(TEAM, made=made.time, members=3, large=True)


@pytest.mark.long
def test_ten_thousand_members(store: Store, raw: RawClient) -> None:
    """A chat with the maximum number of members is made, read, paged and deleted in one step each."""
    handles = [f"user-{number:05}" for number in range(9999)]
    groups = Groups(store, most=10_000)

    assert len(groups.make(*handles).entries) == 10_000
    assert len(store.run(groups.chats.members(GROUP))) == 10_000
    gone = groups.delete()

    assert {entry.handle for entry in gone.entries} == {"ann", *handles}
    assert len(pending(raw)) == 10_001


# --- reading ------------------------------------------------------------------------------------------------


def test_no_such_chat(groups: Groups) -> None:
    """An unknown chat has no info, no members and no inbox entries."""
    view = groups.view("ann")

    assert (view.info, view.records) == (None, {"ann": None})
    assert (
        groups.store.run(groups.chats.change(GROUP, view, [MemberChange("ann", Role.OWNER)], body=NEWS))
        is None
    )
    assert groups.store.run(groups.chats.delete(GROUP, view)) is None
    assert groups.inbox_entry("ann") == InboxEntry("ann", 0, InboxState.OUT, 0)
    with pytest.raises(ChatNotFound):
        groups.changes()


def test_others_by_relation(groups: Groups, store: Store) -> None:
    """Users who are not members are listed by relation."""
    groups.make("bob", "cid")
    groups.change({"bob": Relation.LEFT, "cid": Relation.BANNED, "dan": Relation.REQUESTED})
    groups.change({"eve": Relation.INVITED, "fay": Relation.INVITED}, body=None)

    found = {
        relation: sorted(other.handle for other in store.run(groups.chats.others(GROUP, relation)))
        for relation in Relation
    }

    assert found == {
        Relation.INVITED: ["eve", "fay"],
        Relation.REQUESTED: ["dan"],
        Relation.BANNED: ["cid"],
        Relation.LEFT: ["bob"],
        Relation.DELETED: [],
        Relation.REMOVED: [],
    }


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_changes_in_pages(groups: Groups, limit: int) -> None:
    """Pages of any size list every change once, also the many changes of one message."""
    groups.make(*(f"user-{number}" for number in range(20)), "Élodie", "zoë")
    groups.change({"bob": Role.MEMBER})
    groups.change({"user-3": Role.ADMIN, "user-4": Relation.LEFT})
    groups.change(info={"name": "Crew"})
    found: list[Any] = []
    since, subject = 0, ""

    while page := groups.changes(since, limit, subject):
        found += page
        subject, since = page[-1]

    assert found == groups.changes()
    assert [name for name, _ in found[-4:]] == ["m:bob", "m:user-3", "m:user-4", "info"]
    assert len(found) == 25
    assert groups.changes(found[-1][1]) == []
    assert groups.changes(found[-2][1]) == found[-1:]


def test_places_of_a_group(groups: Groups) -> None:
    """A group is in the inboxes of its members and invited users, and no others."""
    groups.make("bob", "cid")
    last = groups.change({"bob": Relation.LEFT, "cid": Relation.BANNED, "dan": Relation.REQUESTED})
    invited = groups.change({"eve": Relation.INVITED}, body=None)

    assert groups.inbox_entry("ann").state == InboxState.IN
    assert groups.inbox_entry("ann").active == last.time
    assert [groups.inbox_entry(one.handle) for one in last.entries] == last.entries
    assert {one.handle for one in last.entries} == {"ann", "bob", "cid", "dan"}
    assert (
        [groups.inbox_entry("eve")]
        == invited.entries
        == [InboxEntry("eve", invited.time, InboxState.INVITED, invited.time)]
    )
    assert groups.inbox_entry("zed") == InboxEntry("zed", 0, InboxState.OUT, last.time)


@pytest.mark.parametrize(
    ("record", "state", "active"),
    [
        (None, InboxState.IN, EPOCH + 20),
        ((2, 2, 0, 77, 8), InboxState.IN, EPOCH + 20),
        ((0, 0, 2, 77, 16), InboxState.OUT, EPOCH + 20),
        ((0, 0, 1, 77, 16), InboxState.IN, EPOCH + 20),
        ((0, 0, 2, 77, 0), InboxState.IN, 0),
    ],
)
def test_places_of_a_direct_chat(
    groups: Groups, raw: RawClient, record: tuple[int, ...] | None, state: InboxState, active: int
) -> None:
    """A direct chat is in both inboxes, except of a user who left it and got no message since."""
    write(raw, [entry(1), entry(2)])
    if record:
        write_reader(raw, "ann", *record, chat=PAIR)

    assert groups.inbox_entry("ann", PAIR) == InboxEntry("ann", 77 if record else 0, state, active)


# --- deleting -----------------------------------------------------------------------------------------------


def test_deleting_leaves_a_tombstone(groups: Groups, raw: RawClient) -> None:
    """A deleted chat leaves its tombstone, pending work, and the entries that search has yet to drop."""
    groups.make("bob")
    raw.hset(keys.chat(GROUP), "terms", "team")

    gone = groups.delete()

    assert groups.view("ann").info is None
    assert fields_of(raw, keys.chat(GROUP)) == {"deleted": str(gone.time).encode(), "terms": b"team"}
    assert set(map(bytes.decode, raw.scan_iter())) == {keys.chat(GROUP), keys.outbox(GROUP)}
    assert groups.inbox_entry("ann").state == InboxState.OUT
    assert groups.store.run(groups.chats.delete(GROUP, groups.view("ann"))) is None


def test_deletion_of_a_chat_awaits_all_its_inboxes(groups: Groups, raw: RawClient) -> None:
    """Members and invited users await the deletion in their inboxes, with stamps above their last."""
    made = groups.make("bob", "cid")
    groups.change({"cid": Relation.LEFT})
    groups.change({"dan": Relation.INVITED, "eve": Relation.REQUESTED}, body=None)
    ahead = clock(raw) + 10**9
    write_reader(raw, "bob", 1, 1, 0, ahead, 2)
    raw.delete(keys.outbox(GROUP))

    gone = groups.delete()

    assert (gone.members, gone.seq) == (None, 2)
    assert {entry.handle: entry.state for entry in gone.entries} == dict.fromkeys(
        ("ann", "bob", "dan"), InboxState.OUT
    )
    stamps = {entry.handle: entry.stamp for entry in gone.entries}
    assert stamps == {"ann": gone.time, "bob": ahead + 1, "dan": gone.time}
    assert pending(raw) == {f"i{GROUP}": gone.time} | {
        f"p{handle}\0{GROUP}": stamp for handle, stamp in stamps.items()
    }
    assert gone.time > made.time


def test_deleting_what_has_moved(groups: Groups) -> None:
    """A chat is not deleted if a user's record has changed since it was viewed."""
    groups.make("bob")
    seen = groups.view("ann")
    groups.change({"bob": Role.OWNER, "ann": Role.ADMIN})

    assert groups.store.run(groups.chats.delete(GROUP, seen)) is None
    assert groups.view().info is not None


def test_every_key_is_declared(engine: Engine, store: Store) -> None:
    """A store user with access to declared keys only can run every branch of the scripts."""
    names = [*keys_of(), keys.retained(GROUP), *(key(GROUP) for key in OF_MESSAGES)]
    names += keys.hidden(GROUP, "ann"), keys.hidings(GROUP, "ann")
    rules = ["on", ">pass", "+@all", *(f"~{name}" for name in names)]
    for node in engine.nodes:
        node.execute_command("ACL SETUSER", "narrow", *rules)
    try:
        narrow = connect(settings_for(engine, redis_user="narrow", redis_password=Secret("pass")))
        groups = Groups(narrow, large=3, keep=2)
        groups.make("bob")
        groups.change({"bob": Relation.LEFT, "cid": Relation.INVITED})
        groups.change({"bob": Role.MEMBER, "cid": Role.MEMBER, "dan": Role.MEMBER}, info={"name": "Crew"})
        assert groups.inbox_entry("dan").state == InboxState.LARGE
        assert groups.changes() is not None
        assert narrow.run(groups.chats.others(GROUP, Relation.LEFT)) == []
        assert len(narrow.run(groups.chats.members(GROUP))) == 4
        assert groups.delete().entries
    finally:
        for node in engine.nodes:
            node.execute_command("ACL DELUSER", "narrow")
