"""The queues and the schedule of the laptop server, in their process beside the workers."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from chalicelib.store import keys
from chalicelib.store.redis.credentials import ACCESS_STRING
from infra.local.event_sources.aws_events import message, queue_event
from infra.local.event_sources.polling import Loop
from infra.local.event_sources.queue import MAX_RECEIVES, RETRY_SECONDS, Queue, Source
from infra.local.event_sources.schedule import Schedule
from infra.local.sockets.shared import Meeting, SocketSettings
from tests.clock import Clock
from tests.local.processes import processes
from tests.local.test_shutdown import kill_each_successor
from tests.servers.commands import run
from tests.servers.engines import ValkeyEngine
from tests.servers.gateway import Gateway, running_gateway
from tests.servers.process import STOP_SECONDS
from tests.servers.waiting import eventually
from tests.store.store_users import WORD, user

NEVER, OFTEN = ["--sweep-seconds", "86400"], ["--sweep-seconds", "0.2"]
ONE = ["--workers", "1"]
ASKED_AT_THE_START = {"info", "config|get"}
"""The commands of a server's durability check; a refused one counts as a good answer."""
ITEM = "index:nobody"
LONG_AGO = 1_000_000


def sources(server: Gateway) -> int | None:
    """Return the id of the process of the queue and the schedule, if it runs."""
    found = [pid for pid, command in processes(server).items() if "infra.local.event_sources" in command]
    return found[0] if found else None


@contextlib.contextmanager
def raw(url: str) -> Iterator[redis.Redis]:
    """A client of a store."""
    with contextlib.closing(redis.Redis.from_url(url)) as client:
        yield client


def make_pending(client: redis.Redis) -> None:
    """Make an item pending since long ago."""
    client.hset(keys.pending("nobody"), ITEM, str(LONG_AGO))


def is_pending(client: redis.Redis) -> bool:
    """Return whether the item is still pending."""
    return bool(client.hexists(keys.pending("nobody"), ITEM))


def put(client: redis.Redis, body: str = json.dumps({"item": ITEM})) -> None:
    """Put a job into the list."""
    client.rpush(keys.jobs(), body)


def lines(server: Gateway, event: str) -> list[dict[str, Any]]:
    """Return the server's log lines of an event."""
    return [line for line in server.log_lines() if line.get("event") == event]


def repeated(server: Gateway) -> list[int]:
    """Return the number of repeated items of each sweep that repeated any."""
    return [line["repeated"] for line in lines(server, "sweep") if line["repeated"]]


@pytest.fixture
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, redis.Redis]]:
    """A server with a store of its own that sweeps only at its start, and a client of that store."""
    data = tmp_path_factory.mktemp("data")
    with running_gateway(args=[*ONE, *NEVER, "--data", str(data)]) as server:
        assert eventually(lambda: len(lines(server, "sweep")) == 1)
        with raw(f"unix://{data}/valkey.sock") as client:
            yield server, client


def test_a_job_is_done(embedded: tuple[Gateway, redis.Redis]) -> None:
    """A job in the list is taken and done, and its item is no longer pending."""
    server, client = embedded
    make_pending(client)
    put(client)
    assert eventually(lambda: not is_pending(client))
    assert eventually(lambda: [line["item"] for line in lines(server, "work")] == [ITEM])
    assert client.llen(keys.jobs()) == 0


@pytest.mark.long
def test_what_is_no_job_is_dropped(embedded: tuple[Gateway, redis.Redis]) -> None:
    """An unreadable message is reported once, and later ones are done."""
    server, client = embedded
    put(client, "no job")
    put(client)
    assert eventually(lambda: len(lines(server, "work")) == 1)
    assert len(lines(server, "work_malformed")) == 1


@pytest.mark.long
def test_a_sweep_finds_what_was_lost() -> None:
    """In a store of REDIS_URL too, pending items are done without a job, repeatedly."""
    with ValkeyEngine() as engine, raw(engine.url) as client:
        make_pending(client)
        with running_gateway({"REDIS_URL": engine.url}, [*ONE, *OFTEN]) as server:
            assert eventually(lambda: not is_pending(client))
            make_pending(client)
            assert eventually(lambda: not is_pending(client))
            assert eventually(lambda: repeated(server) == [1, 1])


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_all_ends_it_too(embedded: tuple[Gateway, redis.Redis], number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM to every process of the server: status 0, no process left, and no death reported."""
    server, _ = embedded
    assert sources(server) is not None
    os.killpg(server.process.pid, number)
    assert server.process.wait(STOP_SECONDS) == 0
    assert eventually(lambda: not processes(server))
    assert "died" not in server.output()
    assert "Traceback" not in server.output()


@pytest.mark.long
def test_it_is_started_again_when_it_is_killed(embedded: tuple[Gateway, redis.Redis]) -> None:
    """After a kill the process is replaced, with one line, and jobs are done as before."""
    server, client = embedded
    killed = sources(server)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: sources(server) not in (None, killed))
    make_pending(client)
    put(client)
    assert eventually(lambda: not is_pending(client))
    own_lines = [line for line in server.output().splitlines() if line.startswith("parley:")]
    assert own_lines == ["parley: The event sources died; starting them again."]


@pytest.mark.long
def test_when_it_keeps_dying_it_is_started_each_time(embedded: tuple[Gateway, redis.Redis]) -> None:
    """After repeated kills the process comes back with one line, and does the waiting jobs."""
    server, client = embedded
    make_pending(client)
    kill_each_successor(lambda: [running] if (running := sources(server)) else [], 3)
    put(client)
    assert eventually(lambda: not is_pending(client))
    assert server.output().count("parley: The event sources died") == 1


@pytest.mark.long
@pytest.mark.parametrize("rights", ["+@all ~*", ACCESS_STRING])
def test_jobs_are_polled_without_the_permission_to_block(rights: str) -> None:
    """A connection waits in the store for the next job; with the documented ACL it polls instead."""
    with ValkeyEngine() as engine, raw(engine.url) as client, user(engine, "few", rights):
        login = {"REDIS_URL": engine.url, "PARLEY_REDIS_USER": "few", "PARLEY_REDIS_PASSWORD": WORD}
        with running_gateway(login, [*ONE, *NEVER]) as server:
            assert eventually(lambda: len(lines(server, "sweep")) == 1)
            for _ in range(3):
                make_pending(client)
                put(client)
                assert eventually(lambda: not is_pending(client))
            may_wait = rights != ACCESS_STRING
            assert eventually(lambda: (client.info("clients")["blocked_clients"] == 1) == may_wait)
            refused = {entry["object"] for entry in client.acl_log()}
            assert refused == (set() if may_wait else {*ASKED_AT_THE_START, "blmove"})
            assert not lines(server, "queue_unreachable")


@pytest.mark.long
def test_a_store_that_goes_and_comes_back() -> None:
    """Without the store the process waits, with one line, and then continues by itself."""
    with (
        ValkeyEngine(appendonly=True) as engine,
        running_gateway({"REDIS_URL": engine.url}, [*ONE, *NEVER]) as server,
    ):
        first = sources(server)
        assert eventually(lambda: len(lines(server, "sweep")) == 1)
        engine.kill()
        assert eventually(lambda: len(lines(server, "queue_unreachable")) == 1)
        engine.start()
        with raw(engine.url) as client:
            make_pending(client)
            put(client)
            assert eventually(lambda: not is_pending(client))
        assert len(lines(server, "queue_unreachable")) == len(lines(server, "queue_back")) == 1
        assert sources(server) == first


@pytest.mark.long
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "often", "86401"])
def test_a_time_that_cannot_be(value: str) -> None:
    """An invalid interval of the sweep is one line that names the option."""
    refused = run("infra.local", env={"PARLEY_SWEEP_SECONDS": value})
    assert refused.returncode == 2
    assert refused.stderr.startswith("parley: argument --sweep-seconds: ")
    assert refused.stderr.count("\n") == 1


class Jobs:
    """A list of jobs in this process that records settled ones."""

    def __init__(self, *bodies: str) -> None:
        self.bodies = list(bodies)
        self.settled: list[str] = []

    def take(self, most: int) -> list[str]:
        """Take the oldest job."""
        taken, self.bodies = self.bodies[:most], self.bodies[most:]
        return taken


class Function:
    """A function that records its events, and fails the messages with refused bodies."""

    def __init__(self, *refused: str) -> None:
        self.refused = refused
        self.events: list[Any] = []

    def __call__(self, event: Any, context: Any) -> Any:
        assert context.aws_request_id
        self.events.append(event)
        if "crash" in self.refused:
            raise RuntimeError("a defect")
        failed = [one["messageId"] for one in event["Records"] if one["body"] in self.refused]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}


def bodies(function: Function) -> list[list[str]]:
    """Return the bodies of each event."""
    return [[one["body"] for one in event["Records"]] for event in function.events]


def test_an_event_is_as_aws_documents_it() -> None:
    """A record has the fields of SQS's, all texts, and counts how often it was received."""
    one = message("Hello")
    queue_event("work", [one])
    (record,) = queue_event("work", [one])["Records"]
    assert record.keys() == {
        "messageId", "receiptHandle", "body", "attributes", "messageAttributes", "md5OfBody",
        "eventSource", "eventSourceARN", "awsRegion",
    }  # fmt: skip
    assert record["md5OfBody"] == "8b1a9953c4611296a827abf8c47804d7"
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith(":work")
    assert record["attributes"]["ApproximateReceiveCount"] == "2"
    assert all(isinstance(value, str) for value in record["attributes"].values())


@pytest.mark.parametrize("refused", ["b", "crash"])
def test_what_failed_is_handed_over_again(refused: str) -> None:
    """Failed messages are retried a few times, with doubling delays; a crash fails the whole batch."""
    function, clock, jobs = Function(refused), Clock(), Jobs("a", "b")
    queue = Queue("work", function, Source(jobs.take, jobs.settled.append), clock)
    again = ["b"] if refused == "b" else ["a", "b"]
    assert queue.poll()
    for failures in range(1, MAX_RECEIVES):
        assert jobs.settled == [body for body in ("a", "b") if body not in again]
        assert queue.seconds_left == pytest.approx(RETRY_SECONDS * 2 ** (failures - 1))
        clock.now += queue.seconds_left - 0.01
        assert not queue.poll()
        clock.now += 0.02
        assert queue.poll()
        assert sorted(bodies(function)[failures]) == again
    assert sorted(jobs.settled) == ["a", "b"]
    clock.now += 1e6
    assert not queue.poll()


def test_what_cannot_be_settled_holds_up_nothing() -> None:
    """A source that fails to settle a message still gets the others."""
    settled: list[str] = []

    def settle(body: str) -> None:
        settled.append(body)
        raise OSError("no space left on device")

    function = Function()
    queue = Queue("media", function, Source(Jobs("a", "b").take, settle), Clock())
    assert queue.poll()
    assert settled == ["a", "b"]
    assert not queue.poll()


def test_jobs_are_down_without_a_beat(tmp_path: Path) -> None:
    """Jobs are done as long as the last beat lasts; a removed folder is made again by the next one."""
    meeting = Meeting(tmp_path / "run", SocketSettings(port=1))
    assert not meeting.does_jobs()
    for _ in range(2):
        meeting.beat()
        assert meeting.does_jobs()
        shutil.rmtree(tmp_path / "run")
        assert not meeting.does_jobs()
    meeting.beat(-1)
    assert not meeting.does_jobs()


@pytest.mark.parametrize("kind", ["queue", "sweep"])
def test_a_source_that_fails_is_known(kind: str) -> None:
    """While a queue cannot be polled, or sweeps fail, the jobs count as down."""
    failing = {kind}

    def ask(what: str) -> list[str]:
        if what in failing:
            raise OSError(errno.EMFILE, "Too many open files")
        return []

    clock = Clock()
    queue = Queue("work", lambda *_: None, Source(lambda _: ask("queue")))
    loop = Loop([queue], Schedule(lambda *_: ask("sweep"), 1, clock), lambda *_: None)
    loop._turn()
    assert loop.failing
    failing.clear()
    clock.now += 2
    loop._turn()
    assert not loop.failing


def test_a_schedule_calls_at_once_and_then_by_the_clock() -> None:
    """The first call is at the start; a failing function is not called again sooner."""
    clock = Clock(0.0)
    events: list[Any] = []

    def fails(event: Any, context: Any) -> Any:
        events.append(event)
        raise RuntimeError("a defect")

    schedule = Schedule(fails, 60, clock)
    for clock.now, calls in ((0.0, 1), (59.9, 1), (60.0, 2), (60.1, 2), (200.0, 3)):
        schedule.poll()
        assert len(events) == calls
    assert events[0]["detail-type"] == "Scheduled Event"
    assert events[0]["source"] == "aws.events"
