"""A send in one step: the order of its checks, stores that refuse it, and what it leaves in the outbox."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from chalicelib import services
from chalicelib.push_gateway import installed
from chalicelib.schemas.messages import SendRequest
from chalicelib.store import keys, partitions
from chalicelib.store.accounts.rate_limits import RateLimits
from chalicelib.store.inbox.entries import InboxEntry, InboxState
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.messages.content import Content
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.messages.one_step import OneStepSends, SendOutcome, Steps
from chalicelib.store.redis.client import Store
from tests.servers.engines import Engine
from tests.store.account_records import write_account, write_tombstone
from tests.store.app_requests import Answer, call
from tests.store.closed_app import TOKEN, close_app
from tests.store.counted_round_trips import RoundTrips
from tests.store.log_records import RawClient
from tests.store.recording_pusher import Wire, connect

ONE_ENGINE = pytest.mark.parametrize("engine", ["valkey"], indirect=True)
BOTH = pytest.mark.parametrize("engine", ["valkey", "cluster"], indirect=True)
CHAT = "ann:bob"
MESSAGES = f"/v1/chats/{CHAT}/messages"


@pytest.fixture
def wire(app_on_engine: None, raw: RawClient, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """The pusher of the closed app, with ann's session and bob's account."""
    close_app(raw, monkeypatch)
    wire = Wire()
    installed.install(wire)
    yield wire
    installed.install(None)


def send(chat: str = CHAT, token: str = TOKEN, **body: Any) -> Answer:
    """Send a message with a token."""
    path = f"/v1/chats/{chat}/messages"
    return call("POST", path, "", {"text": "hello"} | body, Authorization=f"Bearer {token}")


def written(raw: RawClient) -> set[str]:
    """Return the keys of the store except the limits of ann, and the indexes."""
    return {key.decode() for key in raw.scan_iter(match="*") if b":rates:" not in key}


@BOTH
@pytest.mark.usefixtures("wire")
@pytest.mark.parametrize("blocks", [False, True])
@pytest.mark.parametrize(
    ("status", "code"), [("active", None), ("none", "user_not_found"), ("deleted", "user_not_found")]
)
def test_message_is_stored_only_if_the_other_user_may_be_contacted(
    raw: RawClient, status: str, code: str | None, blocks: bool
) -> None:
    """The script and the service agree on who may be contacted: nothing is written, or everything."""
    raw.delete(keys.user("bob"))
    if status != "none":
        (write_account if status == "active" else write_tombstone)(raw, "bob")
    if blocks:
        raw.zadd(keys.blocked("bob"), {"ann": 1})
    before = written(raw)
    answer = send()

    expected = code or ("blocked" if blocks else None)
    assert answer.body.get("code") == expected
    assert (written(raw) == before) == (expected is not None)
    assert raw.exists(keys.user_limits("ann"))


@BOTH
@pytest.mark.usefixtures("wire")
def test_call_over_the_limit_stores_nothing(raw: RawClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call over the limit is refused before anything of it is read or written."""
    monkeypatch.setenv("PARLEY_RATE_LIMITS", "read=1,write=1,search=1,auth=1")
    services.current.cache_clear()
    assert send().status == 201
    assert (send().status, send("ann:nobody").status) == (429, 429)
    assert raw.llen(keys.log(CHAT)) == 2


@contextmanager
def refusing(engine: Engine, option: str, value: str) -> Iterator[None]:
    """Make every server refuse writes for a while."""
    before: list[Any] = [node.config_get(option)[option] for node in engine.nodes]
    for node in engine.nodes:
        node.config_set(option, value)
    yield
    for node, old in zip(engine.nodes, before, strict=True):
        node.config_set(option, old)


@BOTH
@pytest.mark.usefixtures("wire")
@pytest.mark.parametrize(
    ("option", "value", "code"),
    [("min-replicas-to-write", "1", "store_unavailable"), ("maxmemory", "1", "store_full")],
)
def test_store_that_refuses_writes_still_tells_callers_apart(
    engine: Engine, raw: RawClient, option: str, value: str, code: str
) -> None:
    """A store that refuses writes refuses invalid tokens and blocked callers first, and stores nothing."""
    assert send().status == 201
    raw.zadd(keys.blocked("bob"), {"cid": 1})
    before = written(raw)
    with refusing(engine, option, value):
        assert send(token=f"parley_{'B' * 43}.ann").status == 401
        assert send("ann:nobody").body["code"] == "user_not_found"
        answer = send()
        assert (answer.status, answer.body["code"]) == (503, code)
        assert call("GET", MESSAGES, Authorization=f"Bearer {TOKEN}").body["head"] == 1

    assert written(raw) == before
    assert send().body["seq"] == 2


@pytest.mark.parametrize("engine", ["cluster"], indirect=True)
@pytest.mark.usefixtures("wire")
def test_cluster_behind_one_address_takes_sends_step_by_step(engine: Engine, raw: RawClient) -> None:
    """A store that refuses keys of several slots gets the send in steps, and is not asked again."""
    store = services.current()._store
    store._grouping = partitions.all_together
    assert (send().body["seq"], send().body["seq"]) == (1, 2)
    assert not store.has_one_slot
    assert raw.hlen(keys.outbox(CHAT)) == 1


# --- the outbox ---------------------------------------------------------------------------------------------


@ONE_ENGINE
def test_outbox_has_a_message_until_it_is_pushed(raw: RawClient, wire: Wire) -> None:
    """A message has no entry without connections, none once it is pushed, and one while it is not."""
    assert send().status == 201
    assert raw.hlen(keys.outbox(CHAT)) == 0
    connect(services.current()._store, "bob", "bob-1")
    assert send().status == 201
    assert (raw.hlen(keys.outbox(CHAT)), wire.seqs("bob-1")) == (0, [2])

    wire.failing = {"bob-1"}
    assert send().status == 201
    assert raw.hkeys(keys.outbox(CHAT)) == [f"m{CHAT}".encode()]
    wire.failing = set()
    assert send().status == 201
    assert (raw.hlen(keys.outbox(CHAT)), wire.seqs("bob-1")) == (0, [2, 4])


@ONE_ENGINE
@pytest.mark.usefixtures("wire")
def test_connection_of_the_sender_needs_no_entry(raw: RawClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender whose own connection has the answer causes no entry, and no further round trip."""
    current = services.current()
    connect(current._store, "ann", "ann-1")
    caller = current.authenticator.trusted("ann")
    current._store._node = trips = RoundTrips(current._store._node)
    current.messages.send(caller, CHAT, SendRequest("hello"), skip="ann-1")
    trips.sizes.clear()
    current.messages.send(caller, CHAT, SendRequest("hello"), skip="ann-1")
    assert trips.sizes == [1]
    assert raw.hlen(keys.outbox(CHAT)) == 0


@ONE_ENGINE
@pytest.mark.usefixtures("wire")
def test_late_inbox_entry_does_not_hide_a_message_for_good(raw: RawClient) -> None:
    """A message is in the outbox while an inbox entry is pending, which may be written after it."""
    store, inboxes = services.current()._store, Inboxes()
    assert send().status == 201
    hidden = raw.zscore(keys.active("bob"), CHAT)
    raw.hset(keys.outbox(CHAT), f"pbob\0{CHAT}", 1)
    assert send().status == 201
    assert raw.hexists(keys.outbox(CHAT), f"m{CHAT}")

    store.run_all([inboxes.update(CHAT, InboxEntry("bob", 1, InboxState.OUT, int(hidden or 0)))])
    assert raw.zscore(keys.active("bob"), CHAT) is None
    services.current().outbox_sweep._clock = lambda: 1e11
    services.current().outbox_sweep.sweep()
    assert raw.zscore(keys.active("bob"), CHAT) is not None
    assert raw.hlen(keys.outbox(CHAT)) == 0


@BOTH
@pytest.mark.usefixtures("wire")
def test_message_to_a_damaged_inbox_stays_pending(raw: RawClient) -> None:
    """An inbox that cannot be written does not fail the send, and the message is in the outbox."""
    raw.set(keys.active("bob"), "no sorted set")
    assert send().body["seq"] == 1
    assert raw.hkeys(keys.outbox(CHAT)) == [f"m{CHAT}".encode()]

    raw.delete(keys.active("bob"))
    services.current().outbox_sweep._clock = lambda: 1e11
    services.current().outbox_sweep.sweep()
    assert raw.zscore(keys.active("bob"), CHAT) == raw.zscore(keys.active("ann"), CHAT)
    assert raw.hlen(keys.outbox(CHAT)) == 0


@ONE_ENGINE
def test_repeated_send_in_one_step_changes_nothing(store: Store, raw: RawClient) -> None:
    """A send with an id that runs twice, because its reply was lost, is stored once and in both inboxes."""
    log, inboxes = MessageLog(), Inboxes()
    content = Content("ann", "hello", "id-1")
    steps = Steps(log.append(CHAT, content, pending=False), delivery=inboxes.delivery(CHAT, ["ann", "bob"]))
    query = OneStepSends().send(CHAT, steps, needs_account=False, skip=None)
    assert query.repeatable
    run = functools.partial(store.run, query)
    first, again = run(), run()
    assert isinstance(first, SendOutcome)
    assert isinstance(again, SendOutcome)

    assert (first.appended().duplicate, again.appended().duplicate) == (False, True)
    assert (first.delivered is None, again.delivered is None) == (False, True)
    assert raw.zscore(keys.active("bob"), CHAT) == first.appended().time
    unnamed = Steps(log.append(CHAT, Content("ann", "hello"), pending=False))
    assert not OneStepSends().send(CHAT, unnamed, needs_account=False, skip=None).repeatable


@ONE_ENGINE
def test_limit_alone_is_taken_in_the_same_step(store: Store, raw: RawClient) -> None:
    """A caller who is authenticated already, such as by a frame, is still refused over the limit."""
    append = MessageLog().append(CHAT, Content("ann", "hello"), pending=False)
    limits = [RateLimits.of_user("ann", b"\1" * 32, "write", 1) for _ in range(2)]
    sends = [OneStepSends().send(CHAT, Steps(append, one), needs_account=False, skip=None) for one in limits]
    first, second = map(store.run, sends)
    assert isinstance(first, SendOutcome)
    assert isinstance(second, SendOutcome)

    assert first.rate is not None
    assert second.rate is not None
    assert (first.rate.wait, second.rate.wait > 0) == (0, True)
    assert raw.llen(keys.log(CHAT)) == 2
    other: Any = Steps(append, append)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="send_message does not run"):
        store.run(OneStepSends().send(CHAT, other, needs_account=False, skip=None))
