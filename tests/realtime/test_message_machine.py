"""Users change messages at random; after each step every way to read says what the model says."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from chalicelib.errors import ParleyError
from chalicelib.schemas.chats import NewChat
from chalicelib.schemas.inbox import ReadUpTo
from chalicelib.schemas.messages import EditRequest, SendRequest
from chalicelib.services.chats.rules import moderation
from chalicelib.services.messages.reactions import WantedReaction
from tests.realtime import recorded_connections
from tests.realtime.expired_messages import set_expiry
from tests.realtime.message_device import Device, plain, pulled
from tests.realtime.message_model import OWNER, ChatModel, comparable, derived
from tests.realtime.recorded_connections import Stage
from tests.servers.engines import Engine
from tests.store.log_records import settings_for

pytestmark = pytest.mark.long

PAIR, USERS = "ann:bob", ("ann", "bob", "cid")
WORDS = ("tea", "croquet", "flamingo")
MENTIONS = ("@bob", "@CID @ann", "@all", "@eve")
EMOJI = ("\U0001f44d", "\U0001f680")
EXAMPLES = {"valkey": 15, "cluster": 4}
STEPS = 40

users = st.sampled_from(USERS)
chats = st.booleans()
picks = st.integers(0, 50)
words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
texts = st.one_of(words, st.tuples(words, st.sampled_from(MENTIONS)).map(" ".join))


class MessageMachine(RuleBasedStateMachine):
    """Ann and bob have a direct chat, and all three a group of ann; each has two devices.

    One device of each connects and disconnects, the other one is away until the end.
    """

    def __init__(self, engine: Engine, raw: Any, *, history: bool) -> None:
        super().__init__()
        engine.flush()
        self._raw = raw
        self._stage = Stage(settings_for(engine))
        self._services = self._stage.services
        request = NewChat(kind="group", name="Tea", members=["bob", "cid"], join="open", history=history)
        group = self._services.chats.create(self._caller(OWNER), request)[0].chat
        self._direct = ChatModel(PAIR, ["ann", "bob"], group=False)
        self._group = ChatModel(group, list(USERS), group=True, history=history)
        self._group.report(OWNER)
        self._group.members[OWNER] = 0
        self._devices = [Device(self._stage, user) for user in USERS]
        self._away = [Device(self._stage, user) for user in USERS]
        self._touched = [self._direct, self._group]
        self._pins = 0

    def teardown(self) -> None:
        """Let all devices come back: they hold what a pull shows."""
        for device in (*self._devices, *self._away):
            if device.socket is None:
                device.sync()
            else:
                device.receive()
            self._compare(device)
        self._stage.close()

    # --- what users do --------------------------------------------------------------------------------------

    @rule(user=users, in_group=chats, text=texts, expires=st.booleans(), reply=st.none() | picks)
    def send(self, user: str, in_group: bool, text: str, expires: bool, reply: int | None) -> None:
        """Send a message, which may reply to another."""
        chat = self._chat(in_group)
        replied = None if reply is None else chat.one(user, reply)
        fields = {"reply_to": replied.seq if replied and replied.kind == "text" else None}
        request = SendRequest(text, expires_in=60 if expires else None, **fields)  # type: ignore[arg-type]

        def act() -> None:
            self._services.messages.send(self._caller(user), chat.chat, request)

        if self._done(act, allowed=user in chat.members):
            made = chat.add(user, text, expires=expires, **fields)
            chat.mention(made)
            if replied and made.reply_to and not replied.by and replied.sender != user:
                made.answered = replied.sender

    @rule(user=users, in_group=chats, pick=picks, text=texts)
    def edit(self, user: str, in_group: bool, pick: int, text: str) -> None:
        """Edit a message: one's own."""
        chat = self._chat(in_group)
        if (one := chat.one(user, pick)) is not None:
            changer, request = self._services.message_changes, EditRequest(text)
            allowed = user in chat.members and one.sender == user and one.kind == "text"

            def act() -> None:
                changer.edit(self._caller(user), chat.chat, one.seq, request)

            if self._done(act, allowed=allowed and (not one.by)) and one.text != text:
                one.text, one.edited = text, True
                chat.mention(one)

    @rule(user=users, in_group=chats, pick=picks)
    def delete(self, user: str, in_group: bool, pick: int) -> None:
        """Delete a message for all: one's own, or as the owner of the group any."""
        chat = self._chat(in_group)
        if (one := chat.one(user, pick)) is not None:
            may = one.sender == user or (chat.is_group and user == OWNER)
            allowed = one.by != "" or (user in chat.members and may and one.kind == "text")

            def act() -> None:
                self._services.message_changes.delete(self._caller(user), chat.chat, one.seq)

            if self._done(act, allowed=allowed) and not one.by:
                one.delete(user)

    @rule(user=users, in_group=chats, pick=picks)
    def hide(self, user: str, in_group: bool, pick: int) -> None:
        """Delete a message for oneself."""
        chat = self._chat(in_group)
        if (one := chat.one(user, pick)) is not None:
            hider = self._services.message_hider

            def act() -> None:
                hider.hide(self._caller(user), chat.chat, one.seq)

            if self._done(act, allowed=user in chat.members):
                one.hidden.add(user)

    @rule(user=users, in_group=chats, pick=picks, emoji=st.sampled_from(EMOJI), on=st.booleans())
    def react(self, user: str, in_group: bool, pick: int, emoji: str, on: bool) -> None:
        """React to a message, or take a reaction back."""
        chat = self._chat(in_group)
        if (one := chat.one(user, pick)) is not None:
            wanted = WantedReaction(chat.chat, one.seq, emoji, on)
            allowed = user in chat.members and one.kind == "text" and not one.by

            def act() -> None:
                self._services.reactions.react(self._caller(user), wanted)

            if self._done(act, allowed=allowed):
                one.react(emoji, user, on=on)

    @rule(user=users, in_group=chats, pick=picks, on=st.booleans())
    def pin(self, user: str, in_group: bool, pick: int, on: bool) -> None:
        """Pin a message, or unpin it."""
        chat = self._chat(in_group)
        if (one := chat.one(user, pick)) is not None:
            may = user == OWNER or not chat.is_group
            changes = (one.pinned > 0) is not on
            allowed = user in chat.members and one.kind == "text" and (may or not changes)

            def act() -> None:
                self._services.pins.pin(self._caller(user), chat.chat, one.seq, on=on)

            if self._done(act, allowed=allowed and not (on and one.by)) and changes:
                self._pins += 1
                one.pinned = self._pins if on else 0

    @rule(user=users, in_group=chats, pick=picks)
    def read(self, user: str, in_group: bool, pick: int) -> None:
        """Read up to a message."""
        chat = self._chat(in_group)
        one = chat.one(user, pick)
        if one is not None and user in chat.members:
            self._services.read_states.read(self._caller(user), chat.chat, ReadUpTo(seq=one.seq))
            chat.read[user] = max(chat.read.get(user, 0), one.seq)

    @rule(in_group=chats, pick=picks)
    def expire(self, in_group: bool, pick: int) -> None:
        """Let a message expire, and sweep."""
        chat = self._chat(in_group)
        waiting = [one for one in chat.messages if one.expires]
        if waiting:
            one = waiting[pick % len(waiting)]
            set_expiry(self._raw, chat.chat, one.seq)
            assert self._services.expiry_sweep.sweep() == 1
            one.delete("server")

    @rule(user=st.sampled_from(USERS[1:]))
    def leave(self, user: str) -> None:
        """Leave the group."""
        self._services.chats.leave(self._caller(user), self._chat(True).chat)
        self._end(user, user)

    @rule(user=st.sampled_from(USERS[1:]))
    def remove(self, user: str) -> None:
        """Have the owner remove a member of the group."""
        chat = self._chat(True).chat
        self._services.membership.apply(self._caller(OWNER), chat, user, moderation.remove)
        self._end(OWNER, user)

    @rule(user=st.sampled_from(USERS[1:]))
    def join(self, user: str) -> None:
        """Join the group again."""
        self._services.membership.join(self._caller(user), self._chat(True).chat)
        if user not in self._group.members:
            self._group.join(user)
            self._group.report(user)

    @rule(user=users)
    def come_or_go(self, user: str) -> None:
        """Connect a device, or disconnect it."""
        device = self._devices[USERS.index(user)]
        if device.socket is None:
            device.connect()
        else:
            device.disconnect()

    # --- what they read -------------------------------------------------------------------------------------

    @invariant()
    def every_way_to_read_says_the_same(self) -> None:
        """Pull, unread, preview, search, threads and connected devices are as the model says."""
        for chat in self._touched:
            for user in USERS:
                if chat.is_group or user in chat.members:
                    self._check(chat, user)
        self._touched = []
        for device in self._devices:
            if device.socket is not None:
                device.receive()
                self._compare(device)
                state = "member" if device.user in self._group.members else "left"
                shown = device.rows.get(self._group.chat, {"state": "left"})
                assert shown["state"] == state

    def _check(self, chat: ChatModel, user: str) -> None:
        caller = self._caller(user)
        found = pulled(self._services, caller, chat.chat)
        assert [comparable(one) for one in found] == chat.rows(user)
        assert [derived(one) for one in found] == list(chat.derived(user))
        if user in chat.members:
            row = plain(self._services.chat_details.read(caller, chat.chat))
            last = chat.visible(user)[-1] if chat.visible(user) else None
            assert (row["unread"], row["seq"]) == (chat.unread(user), chat.head)
            assert row.get("mentions", 0) == chat.mentioned(user)
            if last is not None and last.kind == "text":
                assert (row["last"]["text"], bool(row["last"].get("deleted"))) == (last.text, bool(last.by))
            self._check_threads(chat, user)
            pins = plain(self._services.pins.page(caller, chat.chat, None, 100).messages)
            assert [one["seq"] for one in pins] == chat.pins(user)
        for word in WORDS:
            hits = plain(self._services.message_search.page(caller, word, chat.chat, None, None, 100)).get(
                "hits"
            )
            assert [hit["message"]["seq"] for hit in hits] == chat.found(user, word)

    def _check_threads(self, chat: ChatModel, user: str) -> None:
        shown = chat.visible(user)
        for root in {chat.root(one) for one in shown if one.reply_to is not None} & set(shown):
            page = self._services.threads.page(self._caller(user), chat.chat, str(root.seq), None, 100)
            wanted = [one.seq for one in chat.replies(root) if one in shown]
            assert [one["seq"] for one in plain(page.messages)] == wanted

    def _compare(self, device: Device) -> None:
        """Check that a device holds the messages of the chats that its user is in, as they are."""
        for chat in (self._direct, self._group):
            if device.user in chat.members:
                held = device.held.get(chat.chat, {})
                assert [comparable(held[seq]) for seq in sorted(held)] == chat.rows(device.user)

    def _chat(self, in_group: bool) -> ChatModel:
        chat = self._group if in_group else self._direct
        self._touched = [chat]
        return chat

    def _end(self, by: str, user: str) -> None:
        if user in self._group.members:
            self._group.report(by)
            self._group.leave(user)

    def _done(self, act: Callable[[], object], *, allowed: bool) -> bool:
        """Do something, and check that it is refused if it is not allowed."""
        refused = False
        try:
            act()
        except ParleyError:
            refused = True
        assert refused is not allowed
        return not refused

    def _caller(self, user: str) -> Any:
        return self._stage.caller(user)


@contextlib.contextmanager
def raw_client(engine: Engine) -> Iterator[Any]:
    """Yield a client that looks at keys by hand."""
    kind = redis.RedisCluster if engine.is_cluster else redis.Redis
    with kind.from_url(engine.url, **engine.admin) as client:
        yield client


@pytest.mark.parametrize("history", [True, False])
@pytest.mark.parametrize("large", [True, False])
@pytest.mark.parametrize("engine", ["valkey", "cluster"], indirect=True)
def test_every_way_to_read_says_what_the_model_says(
    engine: Engine, large: bool, history: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever users do with messages, in any order, on one server and on a cluster of three.

    large: Whether the group writes no inboxes. history: Whether its members read it from the start.
    """
    monkeypatch.setattr(recorded_connections, "LARGE_CHAT", 2 if large else 5)
    with raw_client(engine) as raw:

        class MachineOnEngine(MessageMachine):
            def __init__(self) -> None:
                super().__init__(engine, raw, history=history)

        run_state_machine_as_test(
            MachineOnEngine,
            settings=settings(
                max_examples=EXAMPLES["cluster" if engine.is_cluster else "valkey"],
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
