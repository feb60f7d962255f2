"""Chats that keep a number of messages, or messages of some days."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.errors import BadRequest, Forbidden
from chalicelib.schemas.chats import ChatChanges
from chalicelib.schemas.messages import EditRequest, SendRequest
from chalicelib.schemas.reports import ReportRequest
from chalicelib.store import keys
from chalicelib.store.chats.info import Role
from chalicelib.store.messages import retention
from tests.servers.engines import Engine
from tests.store.account_records import clock
from tests.store.chat_calls import Groups
from tests.store.log_records import RawClient, eight, elements_of
from tests.store.scheduling import App, app_on, texts_of

ONE_ENGINE = pytest.mark.parametrize("engine", ["valkey"], indirect=True)
CHAT = "g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10"
DAY = 86_400 * 1_000_000


@pytest.fixture
def app(engine: Engine) -> App:
    """An application with a group of ann, its owner, of bob, and of carol, an admin."""
    app = app_on(engine)
    groups = Groups(app.services._store)
    groups.make("bob", "carol", chat=CHAT)
    groups.change({"carol": Role.ADMIN}, chat=CHAT)
    return app


def fill(app: App, count: int, chat: str = CHAT) -> None:
    """Send messages."""
    for number in range(count):
        app.send(f"{number}", chat)


def keep(app: App, handle: str = "ann", **settings: int) -> None:
    """Set the retention of the group."""
    app.services.chats.change(app.caller(handle), CHAT, ChatChanges(**settings))  # type: ignore[arg-type]


def age(raw: RawClient, days: float, chat: str = CHAT, upto: int | None = None) -> None:
    """Let the messages of a chat be older, all of them or those up to a seq."""
    elements = elements_of(raw, chat)
    for index, element in enumerate(elements[1 : None if upto is None else upto + 1], 1):
        time = int.from_bytes(element[1:9]) - int(days * DAY)
        raw.lset(keys.log(chat), index, element[:1] + eight(time) + element[9:])  # type: ignore[arg-type]
    due: Any = raw.zrange(keys.retained(chat), 0, -1)
    if due:
        raw.zadd(keys.retained(chat), dict.fromkeys(due, 1))


def base_of(app: App, chat: str = CHAT) -> int:
    """Return the base that a page and the row of the chat show."""
    page = app.services.messages.page(app.caller(), chat, after=None, before=None, limit=9)
    assert app.services.chat_details.read(app.caller(), chat).base == page.base
    return page.base


@pytest.mark.cluster_smoke
def test_a_chat_keeps_its_newest_messages(app: App, raw: RawClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep trims the others step by step, and an append one; pages and rows say up to where."""
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    fill(app, 8)
    keep(app, keep=4)
    head = len(texts_of(raw, CHAT))
    assert app.services.retention_sweep.sweep() == head - 4
    assert texts_of(raw, CHAT) == ["5", "6", "7", ""]
    assert base_of(app) == head - 4
    fill(app, 2)

    assert texts_of(raw, CHAT) == ["7", "", "0", "1"]
    assert base_of(app) == head - 2
    assert (app.services.retention_sweep.sweep(), base_of(app)) == (0, head - 2)


@ONE_ENGINE
def test_a_chat_keeps_messages_of_some_days(app: App, raw: RawClient) -> None:
    """Older ones are trimmed, also the last one; the next message goes on with the numbers."""
    keep(app, keep_days=7)
    fill(app, 3)
    head = len(texts_of(raw, CHAT))
    age(raw, 7.1, upto=head - 1)
    assert app.services.retention_sweep.sweep() == head - 1
    assert (texts_of(raw, CHAT), base_of(app)) == (["2"], head - 1)
    age(raw, 7.1)
    assert app.services.retention_sweep.sweep() == 1
    assert (texts_of(raw, CHAT), base_of(app)) == ([], head)

    sent = app.services.messages.send(app.caller(), CHAT, SendRequest("new"))
    assert (sent.seq, texts_of(raw, CHAT), base_of(app)) == (head + 1, ["new"], head)
    assert app.services.retention_sweep.sweep() == 0


@ONE_ENGINE
def test_the_server_keeps_messages_of_some_days_in_every_chat(engine: Engine, raw: RawClient) -> None:
    """The setting holds for direct chats too, and a chat can only keep less."""
    app = app_on(engine, keep_days=30)
    fill(app, 2, "ann:bob")
    assert app.services.retention_sweep.sweep() == 0
    age(raw, 29, "ann:bob")
    assert app.services.retention_sweep.sweep() == 0
    age(raw, 1.1, "ann:bob")

    assert app.services.retention_sweep.sweep() == 2
    assert (texts_of(raw), base_of(app, "ann:bob")) == ([], 2)


@ONE_ENGINE
def test_trimmed_messages_leave_nothing_behind(app: App, raw: RawClient) -> None:
    """No other key of the chat holds anything of a message that an append or the sweep has trimmed."""
    app.send("first", CHAT, "bob")
    head = len(texts_of(raw, CHAT))
    app.services.message_changes.edit(app.caller("bob"), CHAT, head, EditRequest("edited"))
    app.services.messages.send(app.caller("bob"), CHAT, SendRequest("reply", reply_to=head))
    app.services.reports.add(app.caller(), CHAT, str(head), ReportRequest())
    raw.zadd(keys.reactions(CHAT), {f"x\0ann\0{head}": head})
    raw.zadd(keys.pins(CHAT), {str(head): 1})
    fill(app, 3)
    app.services.message_changes.edit(app.caller(), CHAT, head + 2, EditRequest("newer"))
    keep(app, keep=1)
    fill(app, 1)
    app.services.retention_sweep.sweep()

    held = (keys.reactions, keys.pins, keys.reports, keys.threads, keys.uncounted)
    assert [raw.exists(key(CHAT)) for key in held] == [0] * len(held)
    changes: Any = raw.zrange(keys.changes(CHAT), 0, -1)
    assert f"e:{head}".encode() not in changes


@ONE_ENGINE
@pytest.mark.parametrize("days", [0, 36_500])
def test_what_an_append_trims_is_cleaned_up_within_a_day(app: App, raw: RawClient, days: int) -> None:
    """The sweep comes for it, however long the chat keeps its messages; also after a system message."""
    keep(app, keep=1, keep_days=days)
    for name in ("", "Crew"):
        app.services.retention_sweep.sweep()
        if name:
            app.services.chats.change(app.caller(), CHAT, ChatChanges(name=name))
        else:
            fill(app, 1)
        due: Any = raw.zrange(keys.retained(CHAT), 0, -1, withscores=True)
        assert [at <= clock(raw) + DAY for _, at in due] == [True]


@ONE_ENGINE
def test_only_owners_set_the_retention_of_groups(app: App, raw: RawClient) -> None:
    """Admins cannot, a direct chat has none; the chat and a system message show it."""
    for handle in ("bob", "carol"):
        with pytest.raises(Forbidden):
            keep(app, handle, keep=1)
    with pytest.raises(BadRequest):
        app.services.chats.change(app.caller(), "ann:bob", ChatChanges(keep=1))
    keep(app, keep=10, keep_days=3)
    chat = app.services.chat_details.read(app.caller("bob"), CHAT)
    page = app.services.messages.page(app.caller(), CHAT, after=None, before=None, limit=1)

    assert (chat.keep, chat.keep_days) == (10, 3)
    assert page.messages[0].text == "ann changed how many messages are kept and how long messages are kept."  # type: ignore[union-attr]


@ONE_ENGINE
def test_a_chat_without_retention_leaves_the_index(app: App, raw: RawClient) -> None:
    """The sweep looks at no chat that keeps messages for good, and at no deleted one."""
    fill(app, 1)
    assert raw.zcard(keys.retained(CHAT)) == 0
    keep(app, keep_days=1)
    app.services.retention_sweep.sweep()
    due: Any = raw.zrange(keys.retained(CHAT), 0, -1, withscores=True)
    assert due[0][1] > clock(raw)
    keep(app, keep_days=0)
    app.services.retention_sweep.sweep()
    assert raw.zcard(keys.retained(CHAT)) == 0
    keep(app, keep_days=1)
    app.services.chats.delete(app.caller(), CHAT)
    app.services.retention_sweep.sweep()

    assert raw.zcard(keys.retained(CHAT)) == 0
