"""Messages are pushed to connected users: at once, by jobs of the queue, or by the sweep."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from chalicelib import services
from chalicelib.config import Settings
from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER
from chalicelib.push_gateway import installed
from chalicelib.queues import Job, JobQueue, PushJob
from chalicelib.routes import work
from chalicelib.services.auth import account_status
from chalicelib.services.delivery import message_push
from chalicelib.services.delivery.connection_stores import ConnectionStores
from chalicelib.services.delivery.fan_out import ChatFanOut
from chalicelib.services.delivery.frame_push import FramePush
from chalicelib.services.delivery.message_push import MessagePush, change_frame, with_reaction
from chalicelib.services.delivery.outbox_sweep import OutboxSweep
from chalicelib.services.delivery.outgoing_message import OutgoingMessage
from chalicelib.services.delivery.push import PushService
from chalicelib.services.values.tokens import digest_of
from chalicelib.store import keys
from chalicelib.store.chats.changes import ChatChange
from chalicelib.store.chats.info import Relation, Role
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.messages.append_result import Appended
from chalicelib.store.messages.content import Content, LogEntry, packed
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.messages.outbox import Outbox
from chalicelib.store.realtime.chat_connections import ChatConnections
from chalicelib.store.realtime.connection import Connections
from chalicelib.store.realtime.connection_results import Recipient
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis import client
from chalicelib.store.redis.client import Store
from chalicelib.store.work.job_list import JobList
from tests.clock import Clock
from tests.servers.engines import Engine
from tests.store.account_records import HOUR, write_account, write_session
from tests.store.account_records import clock as clock_of
from tests.store.account_services import Crash, CrashingStore, names_of
from tests.store.app_requests import call
from tests.store.chat_calls import GROUP, Groups
from tests.store.chat_records import GROUP as LARGE_GROUP
from tests.store.chat_records import write_group
from tests.store.closed_app import CLOSED, TOKEN, WITH_TOKEN
from tests.store.counted_round_trips import RoundTrips
from tests.store.log_records import RawClient
from tests.store.recording_pusher import LEASE, Wire, connect

ONE_ENGINE = pytest.mark.parametrize("engine", ["valkey"], indirect=True)
DIRECT = "ann:bob"
LATER_SECONDS = 60.0


def nobody_departs(handle: str, chat: str) -> None:
    """Fail: no account in these tests is deleted."""
    raise AssertionError((handle, chat))


class Town:
    """Chats on a store, and those in them who are connected; the sweep's clock is ahead."""

    def __init__(self, store: Store, inline: int = 50) -> None:
        self.store, self.wire, self.dropped = store, Wire(inline), list[str]()
        self.groups = Groups(store, large=3)
        self.log, self.jobs = MessageLog(), JobList()
        inboxes, outbox = Inboxes(), Outbox()
        self.push = PushService(FramePush(self.wire), self._drop)
        stores = ConnectionStores(store, Connections(LEASE), UserConnections(LEASE), ChatConnections(LEASE))
        queue = JobQueue(Settings(), store)
        self.message_push = MessagePush(stores, self.log, outbox, self.push, queue, names_of(store))
        self.fan_out = ChatFanOut(store, inboxes, outbox, self.message_push)
        self.outbox_sweep = OutboxSweep(
            store,
            self.groups.chats,
            self.fan_out,
            index=lambda chat: None,
            depart=nobody_departs,
            clock=Clock(time.time() + LATER_SECONDS),
        )

    def _drop(self, connection: str) -> None:
        self.dropped.append(connection)
        self.store.run(UserConnections(LEASE).drop(connection.partition("-")[0], connection))

    def connect(self, *connections: str) -> None:
        """Connect users by the names of their connections: `<handle>-<anything>`."""
        for one in connections:
            connect(self.store, one.partition("-")[0], one)

    def change(self, to: Mapping[str, Role | Relation | None]) -> ChatChange:
        """Change members of the group, and deliver the change."""
        event = {"type": "added", "users": list(to)}
        body = packed(Content("ann", "", kind="system", event=event))
        changed = self.groups.change(to, body=body)
        self.fan_out.deliver_change(GROUP, changed.time, changed.members, changed.entries, nobody_departs)
        return changed

    def append(self, chat: str = GROUP, sender: str = "ann") -> Appended:
        """Append a message without delivery."""
        return self.store.run(self.log.append(chat, Content(sender, "hello")))

    def send(self, chat: str = GROUP, sender: str = "ann", skip: str | None = None) -> int:
        """Send a message; returns its seq."""
        sent = self.append(chat, sender)
        members = chat.split(":") if ":" in chat else sent.members
        entry = LogEntry(sent.seq, sent.time, Content(sender, "hello"))
        self.fan_out.deliver_message(
            chat,
            sent.time,
            members,
            message=OutgoingMessage(chat, entry, sent.epoch, None),
            recipients=sent.recipients or (),
            skip=skip,
        )
        return sent.seq

    def work(self) -> list[PushJob]:
        """Run the jobs of the queue, and return them."""
        jobs = [msgspec.json.decode(job, type=Job) for job in self.store.run(self.jobs.pop(100))]
        pushes = [job.push for job in jobs if job.push]
        for push in pushes:
            self.message_push.run(push)
        return pushes


@pytest.fixture
def town(store: Store) -> Town:
    """A group of three, without connections."""
    town = Town(store)
    town.groups.make("bob", "cid")
    town.outbox_sweep.sweep()
    return town


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """The log, however this process's logs are configured."""
    monkeypatch.setattr(LOGGER, "propagate", True)
    return caplog


def pushed(raw: RawClient, chat: str = GROUP) -> Any:
    """Return the seq up to which every message was pushed."""
    return raw.hget(keys.outbox(chat), f"d{chat}")


def test_everybody_but_the_sender(town: Town) -> None:
    """A message goes to all connections of all members except the sending one, and to no others."""
    town.connect("ann-1", "ann-2", "bob-1", "bob-2", "dan-1")
    seq = town.send(skip="ann-1")

    assert {one: town.wire.seqs(one) for one in ("ann-1", "ann-2", "bob-1", "bob-2", "dan-1")} == {
        "ann-1": [],
        "ann-2": [seq],
        "bob-1": [seq],
        "bob-2": [seq],
        "dan-1": [],
    }
    (frame,) = town.wire.frames["bob-1"]
    assert (frame["chat"], frame["sender"], frame["text"]) == (GROUP, "ann", "hello")


def test_protobuf_connection_gets_messages_as_protobuf(town: Town) -> None:
    """A protobuf connection gets the message as protobuf, the others as JSON."""
    town.connect("bob-1")
    connect(town.store, "cid", "cid-1", protobuf=True)
    town.send()

    assert town.wire.frames["bob-1"][0]["text"] == "hello"
    assert b"hello" in base64.b64decode(town.wire.frames["cid-1"][0], validate=True)
    assert town.wire.calls == 1


def test_delivered_push_is_not_repeated_by_the_sweep(town: Town, raw: RawClient) -> None:
    """A push that reached every connection is recorded, and the sweep does not repeat it."""
    town.connect("bob-1")
    seq = town.send()
    assert pushed(raw) is not None

    assert town.outbox_sweep.sweep() == 1
    assert town.wire.seqs("bob-1") == [seq]
    assert raw.hgetall(keys.outbox(GROUP)) == {}


def test_only_the_sender_is_there(town: Town, raw: RawClient) -> None:
    """With the sending connection alone nothing is pushed, now or by the sweep."""
    town.connect("ann-1")
    town.send(skip="ann-1")
    assert pushed(raw) is not None

    town.outbox_sweep.sweep()
    assert town.wire.calls == 0


def test_what_failed_is_pushed_by_the_sweep(town: Town, raw: RawClient) -> None:
    """A connection that was not reached leaves the message pending, until a sweep reaches all."""
    town.connect("bob-1", "cid-1")
    town.wire.failing = {"bob-1"}
    seq = town.send()
    assert (pushed(raw), town.wire.seqs("cid-1")) == (None, [seq])

    assert town.outbox_sweep.sweep() == 0
    assert town.wire.seqs("bob-1") == []
    town.wire.failing = set()
    assert town.outbox_sweep.sweep() == 1
    assert town.wire.seqs("bob-1") == [seq]
    assert town.outbox_sweep.sweep() == 0


def test_one_chat_that_fails(town: Town) -> None:
    """A connection that is not reached keeps only its own chats pending."""
    town.connect("bob-1", "dan-1")
    town.wire.failing = {"dan-1"}
    town.append()
    town.append("cid:dan", "cid")

    assert town.outbox_sweep.sweep() == 1
    assert len(town.wire.seqs("bob-1")) == 1
    town.wire.failing = set()
    assert town.outbox_sweep.sweep() == 1
    assert town.wire.seqs("dan-1") == [1]


def test_the_newest_of_several(town: Town) -> None:
    """The sweep pushes the newest of several messages; a client pulls the others."""
    town.connect("bob-1")
    seqs = [town.append().seq for _ in range(3)]

    town.outbox_sweep.sweep()
    assert town.wire.seqs("bob-1") == seqs[-1:]


def test_gone_connection_is_dropped_without_pending_work(town: Town, raw: RawClient) -> None:
    """A gone connection alone is dropped, and nothing becomes pending."""
    town.connect("bob-1", "bob-2")
    town.wire.gone = {"bob-1"}
    seq = town.send()
    town.send()

    assert town.dropped == ["bob-1"]
    assert town.wire.seqs("bob-2") == [seq, seq + 1]
    assert pushed(raw) is not None


def test_a_drop_that_fails(town: Town, raw: RawClient, lines: pytest.LogCaptureFixture) -> None:
    """A gone connection that cannot be dropped is logged, and fails nothing."""
    town.connect("bob-1", "cid-1")
    town.wire.gone = {"bob-1"}

    def fail(connection: str) -> None:
        raise StoreUnavailable

    town.push._disconnect = fail
    seq = town.send()
    assert (town.wire.seqs("cid-1"), pushed(raw) is not None) == ([seq], True)
    assert [line.msg["event"] for line in lines.records if isinstance(line.msg, dict)] == [
        "connection_not_dropped"
    ]


def test_changes_of_a_group(town: Town) -> None:
    """A change of a group is pushed as its system message, to the members at that moment."""
    town.connect("bob-1", "cid-1", "dan-1")
    town.change({"dan": Role.MEMBER, "cid": Relation.LEFT})

    (frame,) = town.wire.frames["bob-1"]
    assert (frame["kind"], frame["event"]["type"]) == ("system", "added")
    assert len(town.wire.frames["dan-1"]) == 1


# --- large chats --------------------------------------------------------------------------------------------


@pytest.fixture
def large(town: Town) -> Town:
    """The group, large; bob was connected when it became so."""
    town.connect("bob-1")
    grown = town.change({"dan": Role.MEMBER})
    assert grown.members is None
    town.wire.frames.clear()
    return town


def test_a_chat_that_becomes_large(large: Town, raw: RawClient) -> None:
    """Connections made before a chat became large get its messages afterwards."""
    seq = large.send()

    assert large.wire.seqs("bob-1") == [seq]
    assert pushed(raw) is not None
    large.outbox_sweep.sweep()
    assert large.wire.seqs("bob-1") == [seq]


def test_added_member_of_a_large_chat_gets_its_messages(large: Town) -> None:
    """A connected user who is added to a large chat gets its messages, and the one of the join."""
    large.connect("eve-1")
    large.change({"eve": Role.MEMBER})
    seq = large.send()

    assert large.wire.seqs("eve-1")[-1] == seq
    assert large.wire.seqs("bob-1")[-2:] == [seq - 1, seq]


def test_former_member_of_a_large_chat_gets_nothing(large: Town) -> None:
    """A former member gets nothing, though the connection is still attached."""
    large.change({"bob": Relation.LEFT})
    large.wire.frames.clear()
    large.send()

    assert large.wire.seqs("bob-1") == []


def test_the_sweep_of_a_large_chat(large: Town, raw: RawClient) -> None:
    """The sweep pushes a message of a large chat that was not pushed."""
    seq = large.append().seq

    large.outbox_sweep.sweep()
    assert large.wire.seqs("bob-1") == [seq]
    assert raw.hgetall(keys.outbox(GROUP)) == {}


# --- many connections ---------------------------------------------------------------------------------------


@pytest.fixture
def crowd(store: Store, monkeypatch: pytest.MonkeyPatch) -> Town:
    """The group with five connections, where two get an immediate push and a job takes two."""
    monkeypatch.setattr(message_push, "JOB_CONNECTIONS", 2)
    town = Town(store, inline=2)
    town.groups.make("bob", "cid")
    town.outbox_sweep.sweep()
    town.connect(*(f"bob-{number}" for number in range(5)))
    return town


def test_many_go_through_the_queue(crowd: Town, raw: RawClient) -> None:
    """Connections beyond the immediate maximum go as jobs without text; the message then counts as pushed."""
    sent = crowd.append()
    crowd.fan_out.deliver_change(GROUP, sent.time, sent.members, [], nobody_departs)
    jobs = raw.lrange(keys.jobs(), 0, -1)
    assert isinstance(jobs, list)
    assert all(b"hello" not in job for job in jobs)
    assert (crowd.wire.calls, pushed(raw) is not None) == (0, True)

    pushes = crowd.work()
    assert [len(push.connections) for push in pushes] == [2, 2, 1]
    assert all(crowd.wire.seqs(f"bob-{number}") == [sent.seq] for number in range(5))


def test_changes_for_many_go_through_the_queue(crowd: Town, raw: RawClient) -> None:
    """A changed message beyond the immediate maximum goes as jobs without text, which say the reaction."""
    sent = crowd.append()
    recipients = [Recipient(f"bob-{number}", protobuf=False) for number in range(5)]
    entry = LogEntry(sent.seq, sent.time, Content("ann", "hello"))
    frame = with_reaction(change_frame(GROUP, entry, sent.epoch), ("👍", "cid", True))
    crowd.message_push.push_change(frame, recipients, skip="bob-4")
    jobs = raw.lrange(keys.jobs(), 0, -1)
    assert isinstance(jobs, list)
    assert all(b"hello" not in job for job in jobs)
    assert crowd.wire.calls == 0

    assert [len(push.connections) for push in crowd.work()] == [2, 2]
    (pushed_change,) = crowd.wire.frames["bob-0"]
    assert (pushed_change["type"], pushed_change["message"]["text"]) == ("change", "hello")
    assert pushed_change["reaction"] == {"emoji": "👍", "user": "cid", "on": True}
    assert not crowd.wire.frames.get("bob-4")


def test_two_hundred_and_fifty_a_job(town: Town) -> None:
    """A job has at most 250 connections."""
    recipients = [Recipient(f"c{number}", number % 2 == 0) for number in range(501)]
    sent = town.append()
    town.message_push.push(GROUP, sent.time, recipients, message=None, skip="c0")

    pushes = [json.loads(job)["push"]["connections"] for job in town.store.run(town.jobs.pop(10))]
    assert [len(part) for part in pushes] == [250, 250]
    assert [tuple(one) for part in pushes for one in part] == recipients[1:]


def test_failed_pushes_alone_are_repeated(crowd: Town, lines: pytest.LogCaptureFixture) -> None:
    """The connections that a job did not reach get a job of their own, at most four times."""
    seq = crowd.send()
    crowd.wire.failing = {"bob-1", "bob-2"}
    crowd.work()
    repeated = crowd.work()
    assert [(push.connections, push.attempt) for push in repeated] == [
        ([("bob-1", False)], 1),
        ([("bob-2", False)], 1),
    ]

    crowd.wire.failing = {"bob-2"}
    crowd.work()
    assert (crowd.wire.seqs("bob-1"), crowd.wire.seqs("bob-2")) == ([seq], [])
    assert [[push.attempt for push in crowd.work()] for _ in range(3)] == [[3], [4], []]
    assert {"event": "push_given_up", "chat": GROUP, "seq": seq, "connections": 1} in [
        line.msg for line in lines.records
    ]


def test_jobs_that_cannot_be_put(crowd: Town, raw: RawClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that the queue refused stays pending; the sweep queues it again."""
    monkeypatch.setattr(JobQueue, "put_pushes", lambda self, pushes, delay=0: False)
    seq = crowd.send()
    assert pushed(raw) is None
    assert crowd.outbox_sweep.sweep() == 0
    monkeypatch.undo()

    assert crowd.outbox_sweep.sweep() == 1
    crowd.work()
    assert all(crowd.wire.seqs(f"bob-{number}") == [seq] for number in range(5))


def test_a_job_that_cannot_be_put_again(crowd: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job fails if the queue also refuses its repetition, so that the queue repeats it."""
    sent = crowd.append()
    crowd.wire.failing = {"bob-1"}
    monkeypatch.setattr(JobQueue, "put_pushes", lambda self, pushes, delay=0: False)

    with pytest.raises(StoreUnavailable):
        crowd.message_push.run(PushJob(GROUP, sent.seq, [("bob-1", False)]))


@pytest.mark.parametrize("seq", [2, 99])
def test_a_job_for_what_is_gone(crowd: Town, seq: int) -> None:
    """A trimmed message, or one of a deleted chat, is pushed to nobody."""
    log = MessageLog(keep=1)
    for _ in range(3):
        crowd.store.run(log.append(GROUP, Content("ann", "hello")))
    crowd.message_push.run(PushJob(GROUP, seq, [("bob-1", False)]))

    assert crowd.wire.calls == 0


def test_nothing_to_push_with(town: Town, raw: RawClient) -> None:
    """Without a pusher, messages go to inboxes alone."""
    town.wire.inline = 0
    town.connect("bob-1")
    town.send()
    town.outbox_sweep.sweep()

    assert (town.wire.calls, raw.hgetall(keys.outbox(GROUP))) == (0, {})


# --- the whole application ----------------------------------------------------------------------------------


@pytest.fixture
def wire(app_on_engine: None) -> Iterator[Wire]:
    """The pusher of the application."""
    wire = Wire()
    installed.install(wire)
    yield wire
    installed.install(None)


@pytest.fixture
def round_trips(wire: Wire, raw: RawClient, monkeypatch: pytest.MonkeyPatch) -> RoundTrips:
    """The closed application, ann in a group of a hundred with her session, and its later round trips."""
    for name, value in CLOSED.items():
        monkeypatch.setenv(name, value)
    services.current.cache_clear()
    monkeypatch.setattr(account_status, "KEPT_SECONDS", 3600.0)
    now = clock_of(raw)
    write_account(raw, "ann")
    write_session(raw, "ann", digest_of(TOKEN), now, now, now + HOUR)
    write_group(raw, dict.fromkeys(["ann", *(f"user{i}" for i in range(1, 100))], 0))
    store = services.current()._store
    connect(store, "user1", "user1-0")
    sent = call("POST", f"/v1/chats/{LARGE_GROUP}/messages", "", {"text": "hello"}, **WITH_TOKEN)
    assert (sent.status, wire.seqs("user1-0")) == (201, [1])
    store.run(UserConnections(LEASE).drop("user1", "user1-0"))
    store._node = round_trips = RoundTrips(store._node)
    return round_trips


@pytest.mark.parametrize("there", [0, 1, 40])
def test_group_send_takes_one_round_trip_more_with_connections(
    round_trips: RoundTrips, engine: Engine, wire: Wire, there: int
) -> None:
    """A send to a group of 100 takes two round trips without connections, on a cluster three."""
    store = services.current()._store
    for number in range(there):
        connect(store, f"user{number + 1}", f"user{number + 1}-1")
    round_trips.sizes.clear()
    sent = call("POST", f"/v1/chats/{LARGE_GROUP}/messages", "", {"text": "hello"}, **WITH_TOKEN)

    assert sent.status == 201
    assert len(round_trips.sizes) == 2 + engine.is_cluster + bool(there)
    assert sum(bool(wire.seqs(f"user{number + 1}-1")) for number in range(there)) == there


def test_a_job_of_the_queue(wire: Wire, raw: RawClient) -> None:
    """The queue's function does a push job, and reports a failing one for repetition."""
    sent = call("POST", "/v1/chats/ann:bob/messages", "", {"text": "hello"})
    assert sent.status == 201, sent
    job = {"push": {"chat": "ann:bob", "seq": 1, "connections": [["one", False], ["two", True]]}}
    event = {"Records": [{"messageId": "m", "body": json.dumps(job)}]}

    assert work.handle(event) == {"batchItemFailures": []}
    assert wire.seqs("one") == [1]
    wire.failing = {"one"}
    assert work.handle(event) == {"batchItemFailures": []}
    (again,) = services.current()._store.run(JobList().pop(10))
    assert json.loads(again)["push"] == job["push"] | {"connections": [["one", False]], "attempt": 1}


@ONE_ENGINE
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("large", ["100", "2"], ids=["small", "large"])
def test_a_process_that_ends(
    engine: Engine, wire: Wire, monkeypatch: pytest.MonkeyPatch, large: str, done: bool
) -> None:
    """After a process ends at any query or push of a send, the sweep pushes the newest message to all."""
    monkeypatch.setenv("PARLEY_LARGE_CHAT", large)
    for left in range(-1, 30):
        engine.flush()
        services.current.cache_clear()
        store = services.current()._store
        made = ask("POST", "/v1/chats", {"kind": "group", "name": "tea", "members": ["bob", "cid"]})
        connect(store, "bob", f"bob-{left}")
        connect(store, "cid", f"cid-{left}")
        services.current().outbox_sweep.sweep()
        ask("POST", f"/v1/chats/{made['chat']}/messages", {"text": "before"})
        sweep(store)
        if large == "2":
            for one in ("bob", "cid"):
                services.current().message_push.attach(made["chat"], one, [Recipient(f"{one}-{left}", False)])
        if left < 0:
            wire.crash = Crash()
        ended = crash(store, made["chat"], left, done)
        sweep(store)
        head = ask("GET", f"/v1/chats/{made['chat']}/messages")["head"]
        if head == 3:
            assert wire.seqs(f"bob-{left}")[-1:] == wire.seqs(f"cid-{left}")[-1:] == [head]
        if ended:
            assert head == 3
            return
    raise AssertionError("a send takes too many queries")


@ONE_ENGINE
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("connected", [True, False])
def test_process_that_ends_in_a_send_to_a_direct_chat(
    engine: Engine, wire: Wire, raw: RawClient, connected: bool, done: bool
) -> None:
    """After a process ends at any query or push of a send, a stored message is in both inboxes at once.

    The sweep pushes it to all connections; without one, and after a push, it has nothing to do.
    """
    for left in range(-1, 30):
        engine.flush()
        services.current.cache_clear()
        store = services.current()._store
        if connected:
            connect(store, "bob", f"bob-{left}")
        wire.crash = Crash() if left < 0 and connected else None
        ended = crash(store, DIRECT, left, done)
        head = ask("GET", f"/v1/chats/{DIRECT}/messages")["head"]
        active = [raw.zscore(keys.active(user), DIRECT) for user in ("ann", "bob")]
        assert active[0] == active[1]
        assert (active[0] is not None) == (head == 1)
        if ended or not connected:
            assert raw.hlen(keys.outbox(DIRECT)) == 0
        sweep(store)
        if head == 1 and connected:
            assert set(wire.seqs(f"bob-{left}")) == {1}
        if ended:
            assert head == 1
            return
    raise AssertionError("a send takes too many queries")


def ask(method: str, path: str, body: Any = None) -> Any:
    """Call as ann; returns the answer's body."""
    answer = call(method, path, "", body)
    assert answer.status < 300, answer
    return answer.body


def begin(store: Store) -> None:
    """Begin a new process on a store."""
    services.current.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "connect", lambda settings: store)
        services.current()


def crash(store: Store, chat: str, left: int, done: bool) -> bool:
    """Crash a process in the middle of a send; return whether the send completed."""
    begin(store if left < 0 else CrashingStore(store, left, done=done))
    try:
        ask("POST", f"/v1/chats/{chat}/messages", {"text": "hello"})
    except Crash:
        return False
    finally:
        begin(store)
    return True


def sweep(store: Store) -> None:
    """Sweep in a process that begins a minute later."""
    begin(store)
    services.current().outbox_sweep._clock = lambda: time.time() + LATER_SECONDS
    services.current().outbox_sweep.sweep()
    assert services.current().outbox_sweep.sweep() == 0
    begin(store)


def test_jobs_are_one_or_the_other() -> None:
    """A message of the queue is either an item or a push."""
    with pytest.raises(ValueError, match="one of"):
        Job()
    with pytest.raises(ValueError, match="one of"):
        Job("posts:ann", PushJob(DIRECT, 1, []))
