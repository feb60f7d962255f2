"""The chats and messages in an archive, on every kind of store."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chalicelib.services.export import chats
from chalicelib.services.values.times import rfc3339
from chalicelib.store.accounts.accounts import Account
from chalicelib.store.chats.changes import ChatChange, MemberChange
from chalicelib.store.chats.info import Info, Relation, Role
from chalicelib.store.inbox.entries import InboxEntry
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.inbox.read_state import PINNED, ReadStates
from chalicelib.store.messages.append_result import Appended
from chalicelib.store.messages.changes import MessageChanges, NewVersion
from chalicelib.store.messages.content import Content, packed, tombstone, with_extra
from chalicelib.store.messages.reactions import Reaction, Reactions
from chalicelib.store.redis.client import Store
from tests.store.account_services import Village

MAX_BYTES = 4 * 1024 * 1024
DIRECT, GROUP = "alice:bob", "g-0195a1c2-6f1e-7a51-9d53-000000000001"
OTHER_GROUP = "g-0195a1c2-6f1e-7a51-9d53-000000000002"
WORST = "\x01" * 16 * 1024
"""A message whose JSON is the longest."""


class Town(Village):
    """Users with chats, alice among them, with immediate delivery to inboxes."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.inboxes, self.readers = Inboxes(), ReadStates()
        assert self.store.run(self.accounts.create(Account(handle="alice")))

    def send(self, chat: str, sender: str, text: str) -> Appended:
        """Send a message."""
        sent = self.store.run(self.log.append(chat, Content(sender, text)))
        handles = sent.members or sorted(set(chat.split(":")))
        self.store.run(self.inboxes.deliver(chat, sent.time, handles))
        return sent

    def make(self, chat: str, name: str, **members: Role) -> None:
        """Make a group."""
        body = packed(Content("alice", "", None, "system", {"type": "created", "users": [], "name": name}))
        info = Info(name, maker="alice")
        self._tell(chat, self.store.run(self.chats.create(chat, info, list(members.items()), body)))

    def become(self, chat: str, *becomes: MemberChange) -> None:
        """Change the relations of users to a group, without a message."""
        view = self.store.run(self.chats.snapshot(chat, *(one.handle for one in becomes)))
        self._tell(chat, self.store.run(self.chats.change(chat, view, becomes, body=None)))

    def drop(self, chat: str) -> None:
        """Delete a group."""
        self._tell(chat, self.store.run(self.chats.delete(chat, self.store.run(self.chats.snapshot(chat)))))

    def enter(self, chat: str, handle: str) -> InboxEntry:
        """Write a user's inbox entry of a chat."""
        entry = self.store.run(self.chats.entry(chat, handle))
        self.store.run_all([self.inboxes.update(chat, entry)])
        return entry

    def archive(self) -> tuple[dict[str, Any], list[int]]:
        """Return alice's archive as one page, and the size of each page."""
        whole: dict[str, Any] = {"chats": [], "messages": [], "reactions": []}
        sizes, cursor = [], None
        while True:
            raw = msgspec.json.encode(self.exports.page("alice", cursor))
            sizes.append(len(raw))
            page = msgspec.json.decode(raw)
            whole["chats"] += page.get("chats", [])
            whole["messages"] += page.get("messages", [])
            whole["reactions"] += page.get("reactions", [])
            if (cursor := page["next"]) is None:
                return whole, sizes

    def _tell(self, chat: str, changed: ChatChange | None) -> None:
        assert changed is not None
        self.store.run_all([self.inboxes.update(chat, entry) for entry in changed.entries])


@pytest.fixture
def town(store: Store) -> Town:
    """People with chats on the store under test."""
    return Town(store)


def test_each_chat_shows_role_marks_and_flags(town: Town) -> None:
    """Each chat is shown with the user's role, since when, their read mark and their flags."""
    first = town.send(DIRECT, "bob", "hello")
    town.store.run(town.readers.flag(DIRECT, "alice", PINNED, 0))
    town.store.run(town.readers.read(DIRECT, "alice", 1))
    town.make(GROUP, "Chess", alice=Role.OWNER, bob=Role.MEMBER)
    town.make(OTHER_GROUP, "Go", bob=Role.OWNER, alice=Role.MEMBER)
    town.become(OTHER_GROUP, MemberChange("alice", Relation.LEFT))
    chats = town.archive()[0]["chats"]

    assert [(one["chat"], one["kind"], one["state"], one["role"]) for one in chats] == [
        (DIRECT, "direct", "member", None),
        (GROUP, "group", "member", "owner"),
        (OTHER_GROUP, "group", "left", None),
    ]
    assert (chats[0]["read"], chats[0]["pinned"], chats[0]["archived"]) == (1, True, False)
    assert (chats[0]["name"], chats[1]["name"]) == (None, "Chess")
    view = town.store.run(town.chats.snapshot(GROUP, "alice"))
    assert chats[1]["since"] == rfc3339(view.records["alice"].joined)  # type: ignore[union-attr]
    assert rfc3339(first.time) >= chats[0]["since"] < chats[1]["since"] < chats[2]["since"]


def test_reactions_edits_and_deletions(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive has a user's own reactions, and says which messages were edited or deleted, and when."""
    monkeypatch.setattr(chats, "MESSAGES", 2)
    for text in ("edited", "deleted"):
        town.send(DIRECT, "alice", text)
    for seq, content in enumerate((with_extra(Content("alice", "new"), edited=5), None), 1):
        seen = town.store.run(MessageChanges.read(DIRECT, seq, "alice"))
        assert seen is not None
        new = NewVersion(content or tombstone(seen.entry.content, 6, "alice"))
        assert town.store.run(MessageChanges.change(DIRECT, seen, new, "alice"))
    given = [
        Reaction(1, "\N{ROCKET}", "bob"),
        *(Reaction(1, emoji, "alice") for emoji in "\U0001f600\U0001f923"),
    ]
    town.store.run_all(Reactions.react(one, DIRECT, on=True) for one in given)

    whole, _ = town.archive()

    edited, deleted = whole["messages"]
    assert (edited["text"], edited["edited_at"], "deleted" in edited) == ("new", rfc3339(5), False)
    assert (deleted["text"], deleted["deleted"]) == ("", {"by": "alice", "at": rfc3339(6)})
    assert whole["reactions"] == [
        {"chat": DIRECT, "seq": 1, "emoji": emoji} for emoji in "\U0001f600\U0001f923"
    ]


def test_only_ones_own_messages(town: Town) -> None:
    """An archive has a user's own messages from every chat, also left and hidden ones, and no others."""
    for chat in (DIRECT, "alice:carol"):
        for sender, text in (("Alice", f"mine in {chat}"), (chat.split(":")[1], "secret of others")):
            town.send(chat, sender, text)
    town.make(GROUP, "Chess", bob=Role.OWNER, alice=Role.MEMBER)
    town.send(GROUP, "bob", "secret of others")
    sent = town.send(GROUP, "alice", "mine in the group")
    town.become(GROUP, MemberChange("alice", Relation.BANNED))
    town.store.run(town.readers.leave("alice:carol", "alice"))
    town.enter("alice:carol", "alice")
    whole, _ = town.archive()

    assert [(one["chat"], one["seq"], one["text"]) for one in whole["messages"] if one["kind"] == "text"] == [
        (DIRECT, 1, f"mine in {DIRECT}"),
        ("alice:carol", 1, "mine in alice:carol"),
        (GROUP, 3, "mine in the group"),
    ]
    assert whole["messages"][-1]["sent_at"] == rfc3339(sent.time)
    (message,) = (one for one in whole["messages"] if one["kind"] == "system")
    assert (message["chat"], message["event"]["type"], "alice" in message["text"]) == (GROUP, "created", True)
    assert "secret" not in msgspec.json.encode(whole).decode()


def test_deleted_group_is_in_no_archive(town: Town) -> None:
    """A deleted group is in no archive."""
    town.make(GROUP, "Chess", alice=Role.OWNER)
    town.send(GROUP, "alice", "gone")
    town.drop(GROUP)

    assert town.archive()[0] == {"chats": [], "messages": [], "reactions": []}


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
def test_pages_are_bounded(town: Town) -> None:
    """A page stays below 4 MiB, and every message is exported once, in order."""
    for number in range(150):
        town.send(DIRECT, "alice", WORST[:-3] + f"{number:03d}")
        town.send("alice:carol", "alice", f"{number}")
        town.send(DIRECT, "bob", "between")
    whole, sizes = town.archive()

    assert max(sizes) < MAX_BYTES
    assert len(sizes) > 10
    texts = [one["text"] for one in whole["messages"]]
    assert [int(text[-3:]) for text in texts[:150]] == list(range(150))
    assert texts[150:] == [f"{number}" for number in range(150)]


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
def test_page_reads_a_bounded_number_of_log_parts(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page reads a limited number of log parts, and the next page continues there."""
    monkeypatch.setattr(chats, "READS", 2)
    monkeypatch.setattr(chats, "MESSAGES", 3)
    for chat in ("alice:bob", "alice:carol", "alice:dave"):
        for _ in range(7):
            town.send(chat, chat.split(":")[1], "between")
        town.send(chat, "alice", f"mine in {chat}")
    whole, sizes = town.archive()

    assert [one["text"][8:] for one in whole["messages"]] == ["alice:bob", "alice:carol", "alice:dave"]
    assert len(sizes) == 6  # 2 of 3 parts of reactions end the first one


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
@pytest.mark.parametrize("count", [99, 100, 101, 200, 201])
def test_many_chats_are_each_shown_once_in_order(town: Town, count: int) -> None:
    """Any number of chats is exported completely, each once and in order."""
    names = [f"alice:u{number:03d}" for number in range(count)]
    for chat in names:
        town.send(chat, "alice", "hello")
    whole, _ = town.archive()

    assert [one["chat"] for one in whole["chats"]] == names
    assert [one["chat"] for one in whole["messages"]] == names


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
def test_cursor_of_another_chat(town: Town) -> None:
    """A cursor for a chat that the user does not have returns none of its messages."""
    town.send(DIRECT, "alice", "mine")
    town.store.run(town.log.append("alexa:bob", Content("alice", "forged")))

    page = msgspec.json.decode(msgspec.json.encode(town.exports.page("alice", "messages.0.alexa:bob")))
    assert [one["text"] for one in page["messages"]] == ["mine"]
