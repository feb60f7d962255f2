"""Slow mode: members of a group or room wait between two messages."""

from __future__ import annotations

import pytest

from chalicelib.errors import BadRequest, Forbidden, SlowMode
from chalicelib.schemas.chats import ChatChanges
from chalicelib.schemas.messages import SendRequest
from chalicelib.store import keys
from chalicelib.store.chats.info import Role
from tests.servers.engines import Engine
from tests.store.account_records import clock
from tests.store.chat_calls import Groups
from tests.store.log_records import RawClient
from tests.store.scheduling import App, app_on, texts_of

ONE_ENGINE = pytest.mark.parametrize("engine", ["valkey"], indirect=True)
CHAT = "g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10"
HOUR = 3600


@pytest.fixture
def app(engine: Engine) -> App:
    """An application with a group of ann, its owner, of bob and of carol, an admin."""
    app = app_on(engine)
    groups = Groups(app.services._store)
    groups.make("bob", "carol", chat=CHAT)
    groups.change({"carol": Role.ADMIN}, chat=CHAT)
    return app


def slow(app: App, seconds: int, handle: str = "carol") -> None:
    """Set the slow mode of the group."""
    app.services.chats.change(app.caller(handle), CHAT, ChatChanges(slow=seconds))


def wait_over(raw: RawClient, handle: str, seconds: int) -> None:
    """Let a member's last message be older."""
    last = raw.hget(keys.last_sent(CHAT), handle)
    raw.hset(keys.last_sent(CHAT), handle, int(last) - seconds * 1_000_000)  # type: ignore[arg-type]


@pytest.mark.cluster_smoke
def test_a_member_waits_between_two_messages(app: App, raw: RawClient) -> None:
    """The second message is a 429 that says when; admins and owners, and the first message, do not wait."""
    app.send("before", CHAT, "bob")
    slow(app, HOUR)
    app.send("first", CHAT, "bob")
    with pytest.raises(SlowMode) as refused:
        app.send("second", CHAT, "bob")
    assert 0 < int(refused.value.headers["Retry-After"]) <= HOUR
    for handle in ("ann", "carol"):
        app.send("free", CHAT, handle)
        app.send("free", CHAT, handle)
    wait_over(raw, "bob", HOUR)
    app.send("third", CHAT, "bob")

    assert [text for text in texts_of(raw, CHAT) if text] == ["before", "first", *["free"] * 4, "third"]


@ONE_ENGINE
def test_a_repeated_send_is_never_refused(app: App, raw: RawClient) -> None:
    """A retry of the same id answers the first message, however soon; a refused one may be repeated later."""
    slow(app, HOUR)
    request = SendRequest("hi", id="one")
    app.services.messages.send(app.caller("bob"), CHAT, request)

    assert app.services.messages.send(app.caller("bob"), CHAT, SendRequest("hi", id="one")).duplicate
    with pytest.raises(SlowMode):
        app.services.messages.send(app.caller("bob"), CHAT, SendRequest("ho", id="two"))
    wait_over(raw, "bob", HOUR)
    assert not app.services.messages.send(app.caller("bob"), CHAT, SendRequest("ho", id="two")).duplicate


@ONE_ENGINE
def test_admins_set_the_slow_mode(app: App, raw: RawClient) -> None:
    """A change is in the chat and in a system message; a member cannot make it; 0 ends it."""
    with pytest.raises(Forbidden):
        slow(app, 60, "bob")
    slow(app, 60)
    page = app.services.messages.page(app.caller(), CHAT, after=None, before=None, limit=1)
    assert app.services.chat_details.read(app.caller("bob"), CHAT).slow == 60
    assert page.messages[0].event.slow == 60  # type: ignore[union-attr]
    assert page.messages[0].text == "carol changed how often members may write."  # type: ignore[union-attr]
    app.send("first", CHAT, "bob")
    slow(app, 0)
    app.send("second", CHAT, "bob")


@ONE_ENGINE
def test_a_direct_chat_has_no_slow_mode(app: App, raw: RawClient) -> None:
    """The field is refused, and sends store no time."""
    with pytest.raises(BadRequest):
        app.services.chats.change(app.caller(), "ann:bob", ChatChanges(slow=60))
    app.send("a")
    app.send("b")

    assert texts_of(raw) == ["a", "b"]
    assert not raw.exists(keys.last_sent("ann:bob"))
    assert app.services.chat_details.read(app.caller(), "ann:bob").slow is None


@ONE_ENGINE
def test_a_clock_that_falls_back_locks_nobody_out(app: App, raw: RawClient) -> None:
    """A last message that lies further ahead than the pause does not count."""
    slow(app, 60)
    raw.hset(keys.last_sent(CHAT), "bob", clock(raw) + 3600 * 1_000_000)

    app.send("hi", CHAT, "bob")


@ONE_ENGINE
def test_a_scheduled_message_waits_for_the_slow_mode(app: App, raw: RawClient) -> None:
    """It is sent once its sender may write again, and can be cancelled until then."""
    groups = Groups(app.services._store)
    groups.change({"bob": Role.OWNER, "ann": Role.MEMBER}, chat=CHAT)
    slow(app, HOUR)
    app.send("first", CHAT)
    app.schedule("second", CHAT)
    assert (app.sweep(), app.failures()) == (0, [])
    due: list[tuple[bytes, float]] = raw.zrange(keys.scheduled_due("ann"), 0, -1, withscores=True)  # type: ignore[assignment]
    assert due[0][1] > clock(raw) + (HOUR - 60) * 1_000_000

    app.services.scheduled.cancel("ann", app.listed()[0].id)
    assert app.listed() == []
