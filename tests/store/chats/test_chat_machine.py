"""Chats of all kinds against a model: every user's inbox, unread counts and syncs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chalicelib import services
from tests.servers.engines import Engine, ValkeyEngine
from tests.store.app_requests import Answer
from tests.store.chat_model import ADMIN, CHANGED, FLAGS, MEMBER, OWNER, REFUSED, Chat, Membership, Outcome
from tests.store.syncing_client import Client, asked, inbox_of, row_of

pytestmark = pytest.mark.long

USERS = ("ann", "bob", "cid", "dan", "eve")
ROOMS = ("lobby", "attic")
MOST, LARGE = 4, 3
"""The maximum size of a chat, which is above the limit of small chats; the chats here pass both."""
EXAMPLES, FEWER_EXAMPLES, STEPS = 80, 20, 50
"""Fewer are for the stores other than the first: the scripts' own tests compare what each store does."""
MAX_KINDS = 14
"""Kinds of changes that the rules know; a run of few examples need not come to all."""
FAR = "2100-01-01T00:00:00Z"

someone = st.sampled_from(USERS)
makers = st.sampled_from(("ann", "ann", "ann", *USERS))


class ChatMachine(RuleBasedStateMachine):
    """Does the same to the app and to the model. done: counts of the exercised cases."""

    def __init__(self, engine: Engine, done: Counter[str]) -> None:
        super().__init__()
        engine.flush()
        self._done = done
        self._positions = [0]
        self._chats: dict[str, Chat] = {}
        self._clients = [Client(user) for user in USERS]

    @initialize(join=st.sampled_from(["invite", "open"]), members=st.sets(someone, max_size=3))
    def begin(self, join: str, members: set[str]) -> None:
        """Begin with a group and a chat of two."""
        self.make_group("ann", members, join, False)
        self.make_direct("ann", "bob")

    def _chat(self, data: st.DataObject, *, groups: bool = False) -> Chat:
        wanted = [chat for chat in self._chats.values() if not (groups and chat.direct)]
        return data.draw(st.sampled_from(wanted))

    def _expect(self, what: str, outcome: Outcome, answer: Answer) -> None:
        refused = 400 <= answer.status < 500
        assert refused == (outcome is REFUSED), (what, outcome, answer.status, answer.body)
        assert refused or answer.status < 300, (what, answer)
        self._done[f"{what} {outcome.name}"] += 1

    @precondition(lambda self: len(self._chats) < 6)
    @rule(
        maker=someone,
        members=st.sets(someone, max_size=3),
        join=st.sampled_from(["invite", "request", "open"]),
    )
    def make_another(self, maker: str, members: set[str], join: str) -> None:
        """Make a group."""
        self.make_group(maker, members, join, len(members) % 2 == 0)

    def make_group(self, maker: str, members: set[str], join: str, history: bool) -> None:
        """Make a group with members."""
        given = sorted(members - {maker})
        body = {"kind": "group", "name": "some group", "members": given, "join": join, "history": history}
        answer = asked("POST", "/v1/chats", maker, body)
        assert answer.status == 201, answer
        self._found(Chat(answer.body["chat"], self._positions, MOST, join, history), maker, given)

    def _found(self, chat: Chat, maker: str, members: list[str]) -> None:
        self._chats[chat.id] = chat
        chat.members = {one: Membership(OWNER if one == maker else MEMBER, 0) for one in [maker, *members]}
        chat.note(maker, "created")

    @rule(maker=someone, room=st.sampled_from(ROOMS))
    def make_room(self, maker: str, room: str) -> None:
        """Make a room; an id that was used before is refused."""
        answer = asked("POST", "/v1/chats", maker, {"kind": "room", "id": room, "name": "some room"})
        taken = f"r-{room}" in self._chats
        self._expect("room", REFUSED if taken else CHANGED, answer)
        if not taken:
            self._found(Chat(f"r-{room}", self._positions, MOST, "open"), maker, [])

    @rule(user=someone, other=someone)
    def make_direct(self, user: str, other: str) -> None:
        """Open a direct chat, or notes to oneself."""
        answer = asked("POST", "/v1/chats", user, {"kind": "direct", "with": other})
        assert answer.status in (200, 201), answer
        key = ":".join(sorted((user, other)))
        chat = self._chats.setdefault(key, Chat(key, self._positions, MOST))
        chat.reader(user).opened, chat.reader(user).hidden = True, False

    @rule(user=someone, data=st.data())
    def send(self, user: str, data: st.DataObject) -> None:
        """Send a message."""
        chat = self._chat(data)
        if chat.direct and user not in chat.pair:
            user = chat.pair[0]
        answer = asked("POST", f"/v1/chats/{chat.id}/messages", user, {"text": f"text {self._positions[0]}"})
        outcome = chat.send(user, f"text {self._positions[0]}")
        self._expect("send", outcome, answer)
        if outcome is CHANGED:
            assert answer.body["seq"] == len(chat.log)

    def _do(
        self, what: str, data: st.DataObject, act: Callable[[Chat], Outcome], ask: Callable[[Chat], Answer]
    ) -> None:
        chat = self._chat(data, groups=True)
        self._expect(what, act(chat), ask(chat))

    @rule(user=someone, data=st.data())
    def join(self, user: str, data: st.DataObject) -> None:
        """Join, request to join, or accept an invitation."""
        self._do(
            "join", data, lambda c: c.join_as(user), lambda c: asked("POST", f"/v1/chats/{c.id}/join", user)
        )

    @rule(user=makers, data=st.data())
    def leave(self, user: str, data: st.DataObject) -> None:
        """Leave a chat of any kind."""
        chat = self._chat(data)
        if not (chat.direct and user not in chat.pair):
            outcome = chat.leave(user)
            answer = asked("POST", f"/v1/chats/{chat.id}/leave", user)
            if outcome is REFUSED and answer.status == 204:  # a former member may leave again
                assert user not in chat.members
                return
            self._expect("leave", outcome, answer)

    @rule(
        user=someone,
        other=someone,
        data=st.data(),
        what=st.sampled_from(["members", "invitations", "banned"]),
    )
    def put(self, user: str, other: str, data: st.DataObject, what: str) -> None:
        """Add, invite or ban a user."""
        acts: dict[str, Callable[[Chat], Outcome]] = {
            "members": lambda c: c.add(user, other),
            "invitations": lambda c: c.invite(user, other),
            "banned": lambda c: c.remove(user, other, "banned"),
        }
        self._do(what, data, acts[what], lambda c: asked("PUT", f"/v1/chats/{c.id}/{what}/{other}", user))

    @rule(user=someone, data=st.data())
    def decline(self, user: str, data: st.DataObject) -> None:
        """Refuse an invitation."""
        self._do(
            "decline",
            data,
            lambda c: c.decline(user),
            lambda c: asked("DELETE", f"/v1/chats/{c.id}/invitations/{user}", user),
        )

    @rule(user=makers, other=someone, data=st.data())
    def remove(self, user: str, other: str, data: st.DataObject) -> None:
        """Remove a member."""
        if user != other:
            chat = self._chat(data, groups=True)
            outcome = chat.remove(user, other)
            answer = asked("DELETE", f"/v1/chats/{chat.id}/members/{other}", user)
            if outcome is REFUSED and answer.status == 204:  # a user who is not a member counts as removed
                assert other not in chat.members
                return
            self._expect("remove", outcome, answer)

    @rule(user=makers, other=someone, data=st.data(), role=st.sampled_from(["member", "admin"]))
    def set_role(self, user: str, other: str, data: st.DataObject, role: str) -> None:
        """Make a member an admin, or an admin a member."""
        rank = ADMIN if role == "admin" else MEMBER
        self._do(
            "role",
            data,
            lambda c: c.set_role(user, other, rank),
            lambda c: asked("PATCH", f"/v1/chats/{c.id}/members/{other}", user, {"role": role}),
        )

    @rule(user=makers, other=someone, data=st.data(), muted=st.booleans())
    def mute(self, user: str, other: str, data: st.DataObject, muted: bool) -> None:
        """Mute or unmute a member."""
        body = {"muted_until": FAR if muted else None}
        self._do(
            "mute",
            data,
            lambda c: c.mute(user, other, muted),
            lambda c: asked("PATCH", f"/v1/chats/{c.id}/members/{other}", user, body),
        )

    @rule(user=makers, other=someone, data=st.data())
    def hand_over(self, user: str, other: str, data: st.DataObject) -> None:
        """Make another member the owner."""
        self._do(
            "hand over",
            data,
            lambda c: c.hand_over(user, other),
            lambda c: asked("POST", f"/v1/chats/{c.id}/owner", user, {"handle": other}),
        )

    @rule(user=makers, data=st.data(), shown=st.booleans())
    def show_history(self, user: str, data: st.DataObject, shown: bool) -> None:
        """Let members read from the start, or from when they joined."""
        self._do(
            "history",
            data,
            lambda c: c.show_history(user, shown),
            lambda c: asked("PATCH", f"/v1/chats/{c.id}", user, {"history": shown}),
        )

    @precondition(lambda self: self._positions[0] > 25)
    @rule(user=someone, data=st.data())
    def delete(self, user: str, data: st.DataObject) -> None:
        """End a chat."""
        self._do(
            "delete", data, lambda c: c.delete(user), lambda c: asked("DELETE", f"/v1/chats/{c.id}", user)
        )

    @rule(user=someone, data=st.data(), seq=st.integers(1, 12))
    def read(self, user: str, data: st.DataObject, seq: int) -> None:
        """Mark a chat as read up to some message."""
        chat = self._chat(data)
        answer = asked("PUT", f"/v1/chats/{chat.id}/read", user, {"seq": seq})
        self._expect("read", chat.mark_read(user, seq), answer)

    @rule(user=someone, data=st.data(), flag=st.sampled_from(FLAGS), on=st.booleans())
    def flag(self, user: str, data: st.DataObject, flag: str, on: bool) -> None:
        """Set or clear a flag: marked unread, pinned, muted or archived."""
        chat = self._chat(data)
        answer = asked("PATCH", f"/v1/chats/{chat.id}/flags", user, {flag: on})
        self._expect("flag", chat.flag(user, flag, on), answer)

    @rule(index=st.integers(0, len(USERS) - 1), limit=st.integers(1, 4))
    def sync(self, index: int, limit: int) -> None:
        """Bring a client up to date; another sync then returns nothing."""
        client = self._clients[index]
        rows = client.sync(limit)
        assert len(rows) == len(set(rows))
        self._compare(client)
        assert client.sync(limit) == []
        self._done["sync"] += 1

    def _compare(self, client: Client) -> None:
        assert client.known == self._rows(client.user)

    def _rows(self, user: str) -> dict[str, Any]:
        rows = {chat.id: chat.row(user) for chat in self._chats.values()}
        return {chat: row for chat, row in rows.items() if row is not None}

    @rule(user=someone, limit=st.integers(1, 4))
    def inbox(self, user: str, limit: int) -> None:
        """Read an inbox: its rows match the model, ordered by last message."""
        rows = inbox_of(user, limit)
        assert {row["chat"]: row_of(row) for row in rows} == self._rows(user)
        assert len(rows) == len({row["chat"] for row in rows})
        positions = [self._chats[row["chat"]].log[-1].position for row in rows if row["last"]]
        assert positions == sorted(positions, reverse=True)
        self._done["inbox"] += 1

    @rule(user=someone, data=st.data())
    def pull(self, user: str, data: st.DataObject) -> None:
        """Pull a chat: the page has exactly the readable messages."""
        chat = self._chat(data)
        answer = asked("GET", f"/v1/chats/{chat.id}/messages", user, query="limit=1000&after=0")
        seqs = chat.readable(user)
        if seqs is None:
            assert answer.status in (403, 404), answer
            self._done["pull refused"] += 1
            return
        found = [(one["seq"], one["sender"], one["kind"]) for one in answer.body["messages"]]
        assert found == [(seq, chat.log[seq - 1].sender, chat.log[seq - 1].kind) for seq in seqs]
        assert answer.body["head"] == (seqs.stop - 1)
        self._done["pull"] += 1

    @rule()
    def sweep(self) -> None:
        """Repeat all pending work: nothing changes."""
        services.current().outbox_sweep.sweep()

    def teardown(self) -> None:
        """Compare every user's view once more."""
        for client in self._clients:
            client.sync()
            self._compare(client)
            fresh = Client(client.user)
            fresh.sync()
            self._compare(fresh)
            assert {row["chat"]: row_of(row) for row in inbox_of(client.user, 2)} == self._rows(client.user)
        super().teardown()


def machine_on(engine: Engine, done: Counter[str]) -> type[ChatMachine]:
    """Return the machine for an engine, as Hypothesis wants it: a class without arguments."""

    class MachineOnEngine(ChatMachine):
        def __init__(self) -> None:
            super().__init__(engine, done)

    return MachineOnEngine


@pytest.fixture
def small_chats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits that a handful of users reach."""
    monkeypatch.setenv("PARLEY_MAX_MEMBERS", str(MOST))
    monkeypatch.setenv("PARLEY_LARGE_CHAT", str(LARGE))


@pytest.mark.usefixtures("small_chats", "app_on_engine")
def test_chats_against_a_model(engine: Engine) -> None:
    """After any actions of several users, every inbox, unread count and sync matches the model."""
    done: Counter[str] = Counter()
    run_state_machine_as_test(
        machine_on(engine, done),
        settings=settings(
            max_examples=EXAMPLES if isinstance(engine, ValkeyEngine) else FEWER_EXAMPLES,
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
        ),
    )
    if isinstance(engine, ValkeyEngine):  # the others have too few examples to reach everything
        assert {"send CHANGED", "sync", "inbox", "pull"} <= set(done)
        assert sum(what.endswith(" CHANGED") for what in done) >= MAX_KINDS // 2, done
