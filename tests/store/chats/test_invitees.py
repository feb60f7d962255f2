"""The pending invitations of a user: who sent them, and how a block affects them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from chalicelib import services
from chalicelib.errors import StoreUnavailable
from chalicelib.services.chats.transaction import ChatTransactions
from chalicelib.store import keys
from chalicelib.store.chats.invitee import Invitees
from chalicelib.store.inbox.entries import InboxState
from chalicelib.store.inbox.repair import InboxRepair
from chalicelib.store.redis.client import Store
from chalicelib.store.social.blocks import item
from tests.store.log_records import RawClient
from tests.store.syncing_client import asked, inbox_of

pytestmark = pytest.mark.usefixtures("app_on_engine")
LATER_SECONDS = 60.0


def invite(by: str, maker: str = "") -> str:
    """Invite bob to a new group; an inviter who is not its maker is its admin."""
    body = {"kind": "group", "name": "tea", "members": [by]}
    chat = str(asked("POST", "/v1/chats", maker or by, body).body["chat"])
    if maker:
        asked("PATCH", f"/v1/chats/{chat}/members/{by}", maker, {"role": "admin"})
    assert asked("PUT", f"/v1/chats/{chat}/invitations/bob", by).status == 204
    return chat


def waiting(store: Store, by: str) -> tuple[int, int]:
    """Return the number of bob's invitations, and how many of them one user sent."""
    invitee = store.run(Invitees.of("bob", by))
    return invitee.invitations, invitee.by_other


def invited_to() -> set[str]:
    """Return the chats whose invitations bob's inbox shows."""
    return {row["chat"] for row in inbox_of("bob", 10) if row["state"] == "invited"}


def forget_inviter(raw: RawClient, chat: str) -> None:
    """Rewrite an invitation of bob in index and chat, as earlier versions stored it."""
    for key, field, size in ((keys.inbox_entries("bob"), chat, 17), (keys.others(chat), "bob", 25)):
        held: Any = raw.hget(key, field)
        raw.hset(key, field, held[:size])


def test_the_sender_of_an_invitation_is_known(store: Store) -> None:
    """An invitation counts for the admin who sent it, whoever made the group, until it is answered."""
    first, second = invite("ann"), invite("ann", maker="cid")
    assert [waiting(store, by) for by in ("ann", "cid")] == [(2, 2), (2, 0)]

    assert asked("DELETE", f"/v1/chats/{first}/invitations/bob", "bob").status == 204
    assert waiting(store, "ann") == (1, 1)
    assert asked("POST", f"/v1/chats/{second}/join", "bob").status == 200
    assert waiting(store, "ann") == (0, 0)


def test_the_sweep_knows_the_sender(store: Store, raw: RawClient) -> None:
    """An invitation that only the sweep brings into an index has its sender."""
    chat = invite("ann")
    raw.delete(keys.inbox_entries("bob"))
    raw.delete(keys.invitations("bob"))
    assert waiting(store, "ann") == (0, 0)

    services.current().outbox_sweep._clock = lambda: time.time() + LATER_SECONDS
    services.current().outbox_sweep.sweep()

    assert (waiting(store, "ann"), invited_to()) == ((1, 1), {chat})


def test_a_repair_keeps_the_sender(store: Store) -> None:
    """A repair after lost writes keeps the sender that the index has."""
    chat = invite("ann")
    (known,) = store.run(InboxRepair.first("bob", 0, 10)).chats
    entry = store.run(services.current().outbox_sweep._chats.entry(chat, "bob"))
    assert (entry.state, entry.inviter) == (InboxState.INVITED, "ann")

    assert store.run(InboxRepair.repair(known, entry._replace(inviter="")))
    assert waiting(store, "ann") == (1, 1)


def test_an_invitation_without_a_sender_is_read(store: Store, raw: RawClient) -> None:
    """An invitation without a sender, from an earlier version, is listed, counts for no sender, and works."""
    chats = [invite("ann") for _ in range(3)]
    for chat in chats:
        forget_inviter(raw, chat)

    assert (waiting(store, "ann"), waiting(store, "cid")) == ((3, 0), (3, 0))
    listed = asked("GET", f"/v1/chats/{chats[0]}/invitations", "ann").body["users"]
    assert [one["handle"] for one in listed] == ["bob"]
    assert asked("POST", f"/v1/chats/{chats[0]}/join", "bob").status == 200
    assert asked("DELETE", f"/v1/chats/{chats[1]}/invitations/bob", "bob").status == 204
    assert invited_to() == {chats[2]}


def test_pending_work_of_a_block_declines_until_all_is_done(
    store: Store, raw: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep declines the invitations that a block could not; other invitations stay."""
    for _ in range(3):
        invite("ann")
    other, work = invite("cid"), services.current().jobs
    raw.zadd(keys.blocked("bob"), {"ann": 1})
    raw.hset(keys.pending("bob"), item("bob", "ann"), 1)
    change, made = ChatTransactions.change, [0]

    def breaking(self: ChatTransactions, *args: Any) -> Any:
        made[0] += 1
        if made[0] == 2:
            raise StoreUnavailable("The store is gone.")
        return change(self, *args)

    monkeypatch.setattr(ChatTransactions, "change", breaking)
    work.try_now(item("bob", "ann"))
    assert waiting(store, "ann") == (3, 2)

    assert work.sweep() == 1
    assert (waiting(store, "ann"), invited_to()) == ((1, 0), {other})
    assert work.sweep() == 0


def test_a_block_that_is_over_declines_nothing(store: Store) -> None:
    """Pending work of a block that has ended declines no invitation."""
    chat = invite("ann")
    services.current().blocked_invitations.decline("bob", "ann")

    assert (waiting(store, "ann"), invited_to()) == ((1, 1), {chat})


def test_a_block_leaves_what_was_answered_or_sent_by_another_meanwhile(store: Store, raw: RawClient) -> None:
    """A block does not decline invitations that the chat has replaced or ended."""
    joined, replaced, deleted = (invite("ann") for _ in range(3))
    index: Any = raw.hgetall(keys.inbox_entries("bob"))
    invitations: Any = raw.zrange(keys.invitations("bob"), 0, -1, withscores=True)
    asked("POST", f"/v1/chats/{joined}/join", "bob")
    asked("DELETE", f"/v1/chats/{deleted}", "ann")
    asked("DELETE", f"/v1/chats/{replaced}/invitations/bob", "ann")
    asked("PUT", f"/v1/chats/{replaced}/members/cid", "ann")
    asked("PATCH", f"/v1/chats/{replaced}/members/cid", "ann", {"role": "admin"})
    assert asked("PUT", f"/v1/chats/{replaced}/invitations/bob", "cid").status == 204
    raw.hset(keys.inbox_entries("bob"), mapping=index)
    raw.zadd(keys.invitations("bob"), dict(invitations))
    raw.zadd(keys.blocked("bob"), {"ann": 1})
    assert waiting(store, "ann") == (3, 3)

    services.current().blocked_invitations.decline("bob", "ann")

    assert asked("GET", f"/v1/chats/{joined}", "bob").body["state"] == "member"
    assert asked("GET", f"/v1/chats/{replaced}", "bob").body["state"] == "invited"
