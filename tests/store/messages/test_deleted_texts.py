"""A text that was deleted or has expired is nowhere: not for readers, not in the store, not in the log."""

from __future__ import annotations

import contextlib
import itertools
import logging
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from app import app
from chalicelib import services
from chalicelib.errors import MessageChanged, MessageDeleted
from chalicelib.logs import LOGGER
from chalicelib.schemas.messages import EditRequest, SendRequest
from chalicelib.services import Services
from chalicelib.services.auth.caller import Caller
from chalicelib.services.messages import transaction
from chalicelib.store import keys
from chalicelib.store.messages.content import stored_entry
from chalicelib.store.messages.expiries import Expiry
from tests.realtime.expired_messages import set_expiry
from tests.servers.engines import DEADLINE_SECONDS, Engine, ValkeyEngine
from tests.store.app_requests import Answer, call
from tests.store.log_records import CHAT, RawClient, element, elements_of, settings_for
from tests.store.scheduling import end_leases
from tests.store.store_contents import keys_with

SECRET = "Xylophonist Quetzalcoatl"
WORDS = SECRET.lower().split()
FORMS = [word.encode() for word in WORDS]
FILLER = 2_100
"""Enough messages for filters of words."""
ROUNDS = 1_000
ON_ONE = pytest.mark.parametrize("engine", ["valkey"], indirect=True)
ON_BOTH = pytest.mark.parametrize("engine", ["valkey", "cluster"], indirect=True)


# --- races --------------------------------------------------------------------------------------------------


class Edit(NamedTuple):
    """An accepted edit: the change that it was made on, and its own."""

    on: int
    change: int


class Race:
    """A message, and what two editors, a deleter and the sweep do with it at once."""

    def __init__(self, served: Services) -> None:
        self._services = served
        self._random = random.Random(7)
        self._numbers = itertools.count()
        self.edits: list[Edit] = []
        self.seq = 0

    def run(self, pool: ThreadPoolExecutor) -> None:
        """Send a message that expires, and let all of them have at it."""
        self.edits = []
        request = SendRequest(SECRET, expires_in=60)
        self.seq = self._services.messages.send(self._caller(), CHAT, request).seq
        racing: list[Callable[[], None]] = [self._edit, self._edit, self._delete, self._expire]
        self._random.shuffle(racing)
        for done in [pool.submit(one) for one in racing]:
            done.result()

    def _caller(self) -> Caller:
        return Caller(self._services._store, "ann")

    def _edit(self) -> None:
        """Edit the message, each time on the version that was read, until it is deleted."""
        on = 0
        while True:
            text = EditRequest(f"{SECRET} {next(self._numbers)}")
            try:
                made = self._services.message_changes.edit(self._caller(), CHAT, self.seq, text, if_change=on)
                self.edits.append(Edit(on, made.entry.change))
            except MessageChanged:
                pass
            except MessageDeleted:
                return
            shown = self._services.messages.one(self._caller(), CHAT, str(self.seq))
            on = shown.change or 0
            assert not shown.deleted or shown.text == ""

    def _delete(self) -> None:
        self._look()
        self._services.message_changes.delete(self._caller(), CHAT, self.seq)

    def _expire(self) -> None:
        """Delete it as a sweep that has read that its time has come."""
        self._look()
        self._services.expiry_sweep._delete([Expiry(2**53, CHAT, self.seq)])

    def _look(self) -> None:
        """Read the message a few times, so that there are edits first."""
        for _ in range(self._random.randrange(4)):
            self._services.messages.one(self._caller(), CHAT, str(self.seq))


@pytest.mark.long
@ON_ONE
def test_no_update_is_lost_and_no_deleted_text_returns(
    engine: Engine, raw: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1,000 races: each accepted edit was made on the one before, and nothing comes after the deletion."""
    monkeypatch.setattr(transaction, "MAX_PAUSE_SECONDS", 0)
    race, edits = Race(Services(settings_for(engine))), 0
    with ThreadPoolExecutor(4) as pool:
        for _ in range(ROUNDS):
            race.run(pool)
            made = sorted(race.edits, key=lambda one: one.change)
            assert [one.on for one in made] == [0, *(one.change for one in made)][: len(made)]
            entry = stored_entry(race.seq, elements_of(raw, CHAT)[-1])
            last = raw.zscore(keys.changes(CHAT), f"e:{race.seq}")
            assert (entry.content.text, entry.is_deleted, entry.expires) == ("", True, 0)
            assert entry.change == last
            assert entry.change > max((one.change for one in made), default=0)
            edits += len(made)
    assert edits > ROUNDS / 10
    assert keys_with(engine, SECRET) == []
    assert not raw.exists(keys.expiries(CHAT))


# --- copies -------------------------------------------------------------------------------------------------


@pytest.fixture
def log_text(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Return all that was logged."""
    monkeypatch.setattr(LOGGER, "propagate", True)
    caplog.set_level(logging.DEBUG)
    return lambda: caplog.text.lower() + repr([one.__dict__ for one in caplog.records]).lower()


def done(method: str, path: str, user: str = "ann", **options: Any) -> Any:
    """Make a call that succeeds, and return its body."""
    answer = call(method, path, X_Parley_User=user, **options)
    assert answer.status < 300, answer.body
    return answer.body


def answers_of(user: str, chat: str, seq: int) -> Iterator[tuple[str, Answer]]:
    """Yield the path and the answer of every GET of the API, as far as it concerns a message."""
    values = {"chat": chat, "seq": str(seq), "handle": "ann", "room": "x", "scheduled": "0" * 32}
    for path, methods in app.routes.items():
        if "GET" not in methods or "{asset}" in path or path.endswith((".json", "/docs", "/")):
            continue
        query = "q=xylophonist" if "search" in path else ""
        query = f"chat={chat}&cursor=0&limit=9" if path == "/api/pull" else query
        filled = path.format(**values)
        yield filled, call("GET", filled, query, X_Parley_User=user)


def paths_with_the_secret(chat: str, seq: int) -> set[str]:
    """Return the paths that show the secret to ann or bob."""
    return {
        path
        for user in ("ann", "bob")
        for path, answer in answers_of(user, chat, seq)
        if any(word in repr(answer.body).lower() for word in WORDS)
    }


def fill(raw: RawClient, chat: str) -> None:
    """Append so many messages of bob that the chat has filters of words."""
    done("POST", f"/v1/chats/{chat}/messages", body={"text": "first"})
    last = int.from_bytes(elements_of(raw, chat)[-1][1:9])
    raw.rpush(keys.log(chat), *(element(last + number, "bob", "filler") for number in range(1, FILLER)))


def send_later(raw: RawClient, chat: str, **fields: Any) -> int:
    """Schedule a message of ann, let its time come, and return its seq."""
    send_at = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    body = {"text": SECRET, "data": {"note": SECRET}, "send_at": send_at, **fields}
    done("POST", f"/v1/chats/{chat}/scheduled", body=body)
    end_leases(raw)
    assert services.current().scheduled_sender.sweep() == 1
    return int(done("GET", f"/v1/chats/{chat}/messages", query="limit=1")["head"])


def use(chat: str, seq: int) -> None:
    """Do with a message all that might leave a copy of its text."""
    message = f"/v1/chats/{chat}/messages/{seq}"
    done("PATCH", message, body={"text": f"{SECRET} again"})
    done("POST", f"/v1/chats/{chat}/messages", "bob", body={"text": "what?", "reply_to": seq})
    done("POST", f"{message}/report", "bob", body={"reason": "other", "note": "look"})
    done("PUT", f"/v1/chats/{chat}/read", "bob", body={"seq": seq})
    done("PUT", f"{message}/reactions/%F0%9F%91%8D", "bob")
    done("DELETE", message, "bob", query="for=me")
    assert not done("GET", "/v1/search", "bob", query=f"q=xylophonist+quetz&chat={chat}")["hits"]
    assert done("GET", "/v1/search", "ann", query=f"q=xylophonist+quetz&chat={chat}")["hits"]


def forward(raw: RawClient, chat: str, seq: int) -> None:
    """Forward a message, and delete the copy, which is a message of its own."""
    sent = done("POST", "/v1/chats/bob:cid/messages", "bob", body={"forward": {"chat": chat, "seq": seq}})
    assert sent["text"] == SECRET
    delete(raw, "bob:cid", sent["seq"], "bob")


def delete(raw: RawClient, chat: str, seq: int, user: str = "ann") -> None:
    """Delete a message for all."""
    done("DELETE", f"/v1/chats/{chat}/messages/{seq}", user, query="for=all")


def expire(raw: RawClient, chat: str, seq: int) -> None:
    """Let a message expire, and sweep."""
    set_expiry(raw, chat, seq)
    assert paths_with_the_secret(chat, seq) == set()
    assert services.current().expiry_sweep.sweep() == 1


@pytest.mark.usefixtures("app_on_engine")
@pytest.mark.parametrize("vanish", [delete, expire])
@pytest.mark.parametrize("kind", ["direct", "group"])
@ON_BOTH
def test_no_copy_of_a_deleted_text_is_left(
    engine: Engine,
    raw: RawClient,
    kind: str,
    vanish: Callable[[RawClient, str, int], None],
    log_text: Callable[[], str],
) -> None:
    """A message was scheduled, forwarded, edited, answered, found, reported, previewed: its text goes."""
    made = {"kind": "group", "name": "Tea", "members": ["bob"]}
    chat = "ann:bob" if kind == "direct" else done("POST", "/v1/chats", body=made)["chat"]
    fill(raw, chat)
    seq = send_later(raw, chat, **({"expires_in": 60} if vanish is expire else {}))
    if vanish is delete:
        forward(raw, chat, seq)
    use(chat, seq)
    assert len(paths_with_the_secret(chat, seq)) >= 4
    assert keys_with(engine, SECRET) == [keys.log(chat)]
    assert raw.exists(keys.word_filters(chat))

    vanish(raw, chat, seq)

    assert paths_with_the_secret(chat, seq) == set()
    assert keys_with(engine, SECRET) == []
    assert not any(word in log_text() for word in WORDS)


# --- files --------------------------------------------------------------------------------------------------


def files_with_the_secret(engine: Engine) -> list[str]:
    """Return the names of the store's files that have the secret."""
    found = []
    for file in engine.folder.rglob("*"):
        with contextlib.suppress(OSError):  # a socket, or a file that is gone again
            held = file.read_bytes().lower() if file.is_file() else b""
            found += [file.name] if any(word in held for word in FORMS) else []
    return found


def test_a_rewrite_removes_deleted_texts_from_the_append_only_file() -> None:
    """The file has what was written until it is rewritten, which takes one command; then no file has it."""
    with ValkeyEngine(appendonly=True) as engine:
        (node,) = engine.nodes
        served = Services(settings_for(engine))
        ann = Caller(served._store, "ann")
        seq = served.messages.send(ann, CHAT, SendRequest(SECRET)).seq
        served.message_changes.delete(ann, CHAT, seq)
        assert keys_with(engine, SECRET) == []
        assert files_with_the_secret(engine)

        node.bgrewriteaof()

        deadline = time.monotonic() + DEADLINE_SECONDS
        while files_with_the_secret(engine) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert files_with_the_secret(engine) == []
        assert len(served.messages.page(ann, CHAT, after="0", before=None, limit=9).messages) == 1
