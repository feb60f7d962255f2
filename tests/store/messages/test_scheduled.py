"""Scheduled messages: sent exactly once, by the rules of a send at that moment."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.errors import (
    BadRequest,
    BeingSent,
    Blocked,
    ChatNotFound,
    IdConflict,
    MessageNotFound,
    Muted,
    NotAMember,
    ParleyError,
    ScheduledNotFound,
    TooManyScheduled,
    UserNotFound,
)
from chalicelib.schemas.scheduled import ScheduledChanges
from chalicelib.services.chats.rules import moderation
from chalicelib.services.messages.scheduled_sender import CERTAIN_MICROSECONDS
from chalicelib.services.values.times import rfc3339
from chalicelib.store import keys
from chalicelib.store.chats.info import Role
from chalicelib.store.messages.scheduled import MAX_SCHEDULED, packed
from tests.servers.engines import Engine, ValkeyEngine
from tests.servers.refusing_writes import no_memory
from tests.store.account_records import clock, write_account
from tests.store.account_services import Crash
from tests.store.chat_calls import Groups
from tests.store.log_records import RawClient
from tests.store.scheduling import App, app_on, end_leases, texts_of

ONE_ENGINE = pytest.mark.parametrize("engine", ["valkey"], indirect=True)
CHAT = "g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10"
FAR = 4_000_000_000_000_000
CHATS = [f"ann:friend{number}" for number in range(8)]
STEPS = 12
"""More queries than an attempt to send takes."""


@pytest.fixture
def app(engine: Engine) -> App:
    """An application that does not crash."""
    return app_on(engine)


def later(raw: RawClient, seconds: float = 60.0) -> str:
    """Return a time after now."""
    return rfc3339(clock(raw) + int(seconds * 1_000_000))


def group_of(app: App) -> Groups:
    """Make the group CHAT of bob, its owner, and of ann."""
    groups = Groups(app.services._store)
    groups.make("bob", chat=CHAT)
    groups.change({"bob": Role.OWNER, "ann": Role.MEMBER}, chat=CHAT)
    return groups


def test_a_message_is_sent_once_its_time_has_come(app: App, raw: RawClient) -> None:
    """A message is sent with its own id, not before its time, and then leaves the list and the store."""
    waiting = app.schedule("later", late=False)
    sent = app.schedule("now")

    assert (app.sweep(), app.sweep()) == (1, 0)
    assert texts_of(raw) == ["now"]
    page = app.services.messages.page(app.caller("bob"), "ann:bob", after=None, before=None, limit=9)
    assert [(one.id, one.sender) for one in page.messages] == [(sent.id, "ann")]  # type: ignore[union-attr]
    assert [one.id for one in app.listed()] == [waiting.id]
    assert raw.zcard(keys.scheduled_due("ann")) == 1


@pytest.mark.cluster_smoke
def test_a_scheduler_that_dies_at_any_step_sends_a_message_exactly_once(
    engine: Engine, app: App, raw: RawClient
) -> None:
    """Whatever the last step of a scheduler, and whether its answer arrived, the next one sends the rest."""
    crashes = 0
    for left in range(STEPS):
        for done in (False, True):
            made = app.schedule(f"{left} {done}")
            with contextlib.suppress(Crash):
                app_on(engine, left, done=done).attempt(made)
                crashes -= 1
            crashes += 1
            end_leases(raw)
            app.attempt(made)
            assert app.listed() == []

    assert crashes >= 6
    assert texts_of(raw) == [f"{left} {done}" for left in range(STEPS) for done in (False, True)]


@ONE_ENGINE
def test_schedulers_at_once_send_each_message_exactly_once(engine: Engine, app: App, raw: RawClient) -> None:
    """Of three schedulers at once two die in the middle; each message is sent, and none twice."""
    chance = random.Random(16)
    texts = [f"message {number}" for number in range(40)]
    for text in texts:
        app.schedule(text, chance.choice(CHATS))
    for _ in range(4):
        apps = [app_on(engine, 256 + chance.randrange(60), done=bool(turn)) for turn in (0, 1)]
        threads = [threading.Thread(target=swept, args=(one,)) for one in (*apps, app_on(engine))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        end_leases(raw)
    app.sweep()

    assert app.listed() == []
    assert sorted(text for chat in CHATS for text in texts_of(raw, chat)) == sorted(texts)


def swept(app: App) -> None:
    """Sweep, or crash."""
    with contextlib.suppress(Crash):
        app.sweep()


@ONE_ENGINE
def test_a_cancelled_message_is_never_sent(engine: Engine, app: App, raw: RawClient) -> None:
    """Of a cancellation and a scheduler at once, one wins: it is cancelled and not sent, or the other way."""
    other, cancelled, sent = app_on(engine), 0, 0
    for number in range(40):
        made = app.schedule(f"{number}")
        thread = threading.Thread(target=swept, args=(other,))
        thread.start()
        try:
            app.services.scheduled.cancel("ann", made.id)
            cancelled += 1
        except (BeingSent, ScheduledNotFound):
            sent += 1
        thread.join()
        app.sweep()
        assert len(texts_of(raw)) == sent

    assert cancelled + sent == 40
    assert app.listed() == []


@ONE_ENGINE
def test_a_message_that_is_being_sent_cannot_be_changed(engine: Engine, app: App, raw: RawClient) -> None:
    """Once an attempt has begun, nobody knows its outcome: an edit and a cancellation are refused."""
    made = app.schedule("secret")
    with pytest.raises(Crash):
        app_on(engine, 1).attempt(made)  # it has taken the message

    with pytest.raises(BeingSent):
        app.services.scheduled.cancel("ann", made.id)
    with pytest.raises(BeingSent):
        app.services.scheduled.change(app.caller(), made.id, ScheduledChanges(text="other"))
    end_leases(raw)
    app.sweep()
    assert texts_of(raw) == ["secret"]


@ONE_ENGINE
def test_a_message_that_a_full_store_delays_can_be_changed(
    engine: ValkeyEngine, app: App, raw: RawClient
) -> None:
    """A store without memory has not stored it: its sender can cancel it, and another is sent later."""
    app.services.scheduled_sender._pause = lambda seconds: None
    made, other = app.schedule("secret"), app.schedule("later")
    with no_memory(engine):
        assert app.sweep() == 0
        app.services.scheduled.cancel("ann", made.id)
    end_leases(raw)

    assert (app.sweep(), app.listed()) == (1, [])
    assert texts_of(raw) == [other.text]


def leave(app: App) -> None:
    """Have ann leave the group."""
    app.services.membership.leave(app.caller(), CHAT)


def delete(app: App) -> None:
    """Have bob delete the group."""
    app.services.chats.delete(app.caller("bob"), CHAT)


def mute(app: App) -> None:
    """Have bob mute ann."""
    app.services.membership.apply(app.caller("bob"), CHAT, "ann", lambda action: moderation.mute(action, FAR))


def block(app: App) -> None:
    """Have bob, who has an account, block ann."""
    app.services.blocks.block("bob", "ann")


@ONE_ENGINE
@pytest.mark.parametrize(
    ("refuse", "chat", "code"),
    [
        (leave, CHAT, "not_a_member"),
        (delete, CHAT, "chat_not_found"),
        (mute, CHAT, "muted"),
        (block, "ann:bob", "blocked"),
    ],
)
def test_a_refused_message_stays_with_its_problem(
    app: App, raw: RawClient, refuse: Callable[[App], None], chat: str, code: str
) -> None:
    """Who may not write when the time comes sends nothing, and reads why; a week later it is gone."""
    for handle in ("ann", "bob"):
        write_account(raw, handle)
    group_of(app)
    app.schedule("secret", chat, account=True)
    refuse(app)

    assert (app.sweep(), app.failures()) == (0, [code])
    assert "secret" not in texts_of(raw, chat)
    end_leases(raw)
    assert (app.sweep(), app.listed()) == (0, [])
    assert list(raw.scan_iter(match="*:scheduled*")) == []


@ONE_ENGINE
def test_a_failed_message_is_sent_at_a_new_time(app: App, raw: RawClient) -> None:
    """A new time schedules a message that failed again; another change alone is refused."""
    for handle in ("ann", "bob"):
        write_account(raw, handle)
    made = app.schedule("first", account=True)
    block(app)
    app.sweep()
    service = app.services.scheduled
    caller = app.caller(account=True)
    with pytest.raises(Blocked):
        service.change(caller, made.id, ScheduledChanges(send_at=later(raw)))
    app.services.blocks.unblock("bob", "ann")

    with pytest.raises(BadRequest):
        service.change(caller, made.id, ScheduledChanges(text="second"))
    service.change(caller, made.id, ScheduledChanges(send_at=later(raw), text="second"))
    assert app.failures() == []
    end_leases(raw)
    assert (app.sweep(), texts_of(raw)) == (1, ["second"])


@ONE_ENGINE
def test_a_sent_message_is_no_failure_though_its_sender_was_muted_since(
    engine: Engine, app: App, raw: RawClient
) -> None:
    """A scheduler dies after the append, and then the sender is muted: the message counts as sent."""
    group_of(app)
    made = app.schedule("sent", CHAT)
    for step in range(STEPS):
        end_leases(raw)
        with contextlib.suppress(Crash):
            app_on(engine, step).attempt(made)
        if "sent" in texts_of(raw, CHAT):
            break
    mute(app)
    end_leases(raw)

    assert (app.sweep(), app.listed()) == (1, [])
    assert texts_of(raw, CHAT).count("sent") == 1


@ONE_ENGINE
def test_a_message_whose_attempt_is_forgotten_is_not_sent_again(
    engine: Engine, app: App, raw: RawClient
) -> None:
    """A day after an interrupted attempt nobody knows whether it sent the message: it is not repeated."""
    made = app.schedule("perhaps")
    with pytest.raises(Crash):
        app_on(engine, 1).attempt(made)
    held = app.services._store.run(app.services._stores.scheduled.one("ann", made.id))
    assert held is not None
    old = held.message._replace(first=held.message.first - CERTAIN_MICROSECONDS - 1)
    raw.hset(keys.scheduled("ann"), made.id, packed(old))
    end_leases(raw)

    assert (app.sweep(), app.failures(), texts_of(raw)) == (0, ["send_unconfirmed"], [])


@ONE_ENGINE
def test_an_attempt_that_outlasts_its_lease_does_not_send(app: App, raw: RawClient) -> None:
    """An attempt that was stopped for half of its lease sends nothing; a later one does."""
    app.schedule("once")
    ticks = iter([0.0, 0.0, 0.0, 31.0])
    app.services.scheduled_sender._monotonic = lambda: next(ticks)
    assert (app.sweep(), texts_of(raw)) == (0, [])

    app.services.scheduled_sender._monotonic = lambda: 0.0
    end_leases(raw)
    assert (app.sweep(), texts_of(raw)) == (1, ["once"])


def test_a_deleted_account_sends_nothing(app: App, raw: RawClient) -> None:
    """The messages of an account go with it, and none can be added afterwards."""
    write_account(raw, "ann")
    app.schedule("secret", account=True)
    app.schedule("later", account=True, late=False)
    app.services.deletion.delete("ann")

    assert list(raw.scan_iter(match="*:scheduled*")) == []
    assert (app.sweep(), texts_of(raw)) == (0, [])
    with pytest.raises(UserNotFound):
        app.schedule("secret", account=True)


@ONE_ENGINE
def test_a_name_that_got_an_account_sends_nothing(app: App, raw: RawClient) -> None:
    """What a name of an open server scheduled is not sent in the name of a later account."""
    app.schedule("not mine")
    write_account(raw, "ann")

    assert (app.sweep(), texts_of(raw), app.listed()) == (0, [], [])


@ONE_ENGINE
def test_a_repeated_request_schedules_once(app: App, raw: RawClient) -> None:
    """The same id and content give the same message, also after an edit; other content is a conflict."""
    fields: dict[str, Any] = {"id": "once", "late": False}
    now = time.time()
    app.now = lambda: now
    first = app.schedule("hi", **fields)
    with pytest.raises(IdConflict):
        app.schedule("other", **fields)
    app.services.scheduled.change(app.caller(), first.id, ScheduledChanges(text="edited"))

    assert app.schedule("hi", **fields).text == "edited"
    assert len(app.listed()) == 1
    assert app.schedule("hi", chat="ann:carol", **fields).id != first.id


@ONE_ENGINE
def test_a_message_is_checked_when_it_is_scheduled(app: App, raw: RawClient) -> None:
    """Who may not write to a chat schedules nothing there; nor does a reply to no message."""
    group_of(app)
    mute(app)
    refusals: list[tuple[str, dict[str, Any], type[ParleyError]]] = [
        (CHAT, {}, Muted),
        ("bob:carol", {}, NotAMember),
        (CHAT[:-1] + "1", {}, ChatNotFound),
        ("ann:bob", {"reply_to": 1}, MessageNotFound),
    ]
    for chat, fields, refusal in refusals:
        with pytest.raises(refusal):
            app.schedule("x", chat, **fields)
    assert app.listed() == []


@ONE_ENGINE
def test_scheduled_messages_are_the_senders_own(app: App) -> None:
    """Nobody else finds, changes or deletes a message; the list has a limit, a filter and pages."""
    made = [app.schedule(f"{number}", f"ann:bob{number % 2}", late=False) for number in range(MAX_SCHEDULED)]
    with pytest.raises(TooManyScheduled):
        app.schedule("more")
    service = app.services.scheduled
    for wrong in (made[0].id, "x" * 32, "0" * 32):
        with pytest.raises(ScheduledNotFound):
            service.one("bob0", wrong)
        with pytest.raises(ScheduledNotFound):
            service.cancel("bob0", wrong)
        with pytest.raises(ScheduledNotFound):
            service.change(app.caller("bob0"), wrong, ScheduledChanges(text="x"))

    page, seen = service.page("ann", "ann:bob1", None, 20), list[str]()
    while True:
        seen += [one.id for one in page.scheduled]
        if page.next is None:
            break
        page = service.page("ann", "ann:bob1", page.next, 20)
    assert sorted(seen) == sorted(one.id for one in made[1::2])


@ONE_ENGINE
def test_a_page_of_long_messages_fits_in_an_answer(app: App) -> None:
    """A page is short if its texts are long."""
    for _ in range(50):
        app.schedule("x" + "\x01" * 16_000, late=False)
    page = app.services.scheduled.page("ann", None, None, 100)

    assert 0 < len(page.scheduled) < 50
    assert page.next is not None
