"""What a send and a pull cost the store, counted by the store itself (`INFO commandstats`)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from chalicelib.store.client import Store
from chalicelib.store.messages import Content, MessageLog
from tests.servers.engines import Engine
from tests.store.calls import call
from tests.store.logs import CHAT

OWN_COMMANDS = {"config|resetstat", "info", "cluster|info"}
PAGE_OF_THREE = {"evalsha": 1, "lindex": 1, "llen": 1, "lrange": 1}
SEND = {"evalsha": 1, "time": 1, "lindex": 2, "rpush": 1}
IDS_KEYS = 4
SEND_WITH_ID = SEND | {"hget": IDS_KEYS, "hset": 1, "expire": 1}

MESSAGES = f"/v1/chats/{CHAT}/messages"
SEND_BODY = {"chat": CHAT, "sender": "ann", "text": "hello"}
PULL_BODY = {"chat": CHAT, "cursor": 0, "limit": 10}


class Commands:
    """Counts the commands that an engine runs, those inside scripts included."""

    def __init__(self, engine: Engine) -> None:
        self._nodes = engine.nodes

    def reset(self) -> None:
        """Begin to count."""
        for node in self._nodes:
            node.config_resetstat()

    def counted(self) -> dict[str, int]:
        """Return how often each command ran since `reset`, on all nodes together."""
        counts: Counter[str] = Counter()
        for node in self._nodes:
            stats: Any = node.info("commandstats")
            for name, values in stats.items():
                counts[name.removeprefix("cmdstat_")] += values["calls"]
        return {name: count for name, count in counts.items() if name not in OWN_COMMANDS}


@pytest.fixture
def commands(engine: Engine) -> Commands:
    """The engine's own count of commands."""
    return Commands(engine)


@pytest.fixture
def warm(log: MessageLog) -> MessageLog:
    """A log of three messages on a connection that has both scripts loaded."""
    for i in range(3):
        log.append(CHAT, Content("ann", f"text {i}"))
    log.after(CHAT, 0, 1)
    return log


def test_send(warm: MessageLog, commands: Commands) -> None:
    """A send is one round trip, and a handful of commands inside it."""
    commands.reset()
    warm.append(CHAT, Content("ann", "hello"))

    assert commands.counted() == SEND


def test_first_message_of_a_chat(warm: MessageLog, commands: Commands) -> None:
    """The message that begins a chat is one round trip as well."""
    commands.reset()
    warm.append("ann:cid", Content("ann", "hello"))

    assert commands.counted()["evalsha"] == 1
    assert commands.counted().keys() <= SEND.keys()


def test_send_with_id(warm: MessageLog, commands: Commands) -> None:
    """A send with an id is one round trip, and so is the same again."""
    commands.reset()
    warm.append(CHAT, Content("ann", "hello", "id-1"))
    assert commands.counted() == SEND_WITH_ID

    commands.reset()
    assert warm.append(CHAT, Content("ann", "hello", "id-1")).duplicate
    counted = commands.counted()
    assert counted["evalsha"] == 1
    assert counted.keys() == {"evalsha", "time", "hget"}


def test_trimming_send(warm: MessageLog, store: Store, commands: Commands) -> None:
    """A send that trims is one round trip."""
    commands.reset()
    MessageLog(store, keep=2).append(CHAT, Content("ann", "hello"))

    assert commands.counted() == SEND | {"lset": 1, "ltrim": 1}


@pytest.mark.parametrize("side", ["after", "before", "newest"])
def test_pull(warm: MessageLog, commands: Commands, side: str) -> None:
    """A pull is one round trip, in either direction."""
    commands.reset()
    getattr(warm, side)(CHAT, {"after": 0, "before": 4, "newest": 0}[side], 10)

    assert commands.counted() == PAGE_OF_THREE


def test_pull_with_checked_cursor(warm: MessageLog, commands: Commands) -> None:
    """The check of a cursor costs no round trip of its own."""
    part = warm.after(CHAT, 0, 1)
    commands.reset()
    warm.after(CHAT, 1, 10, time=part.entries[0].time, epoch=part.epoch)

    assert commands.counted() == PAGE_OF_THREE | {"lindex": 2}


@pytest.fixture
def served(app_on_engine: None, commands: Commands) -> Commands:
    """The app on the engine, with three messages, and the engine's count of commands."""
    for _ in range(3):
        assert call("POST", "/api/send", body=SEND_BODY).status == 204
    assert call("POST", "/api/pull", body=PULL_BODY).status == 200
    return commands


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "status", "expected"),
    [
        ("POST", "/api/send", "", SEND_BODY, 204, SEND),
        ("POST", "/api/send", "", SEND_BODY | {"id": "id-1"}, 204, SEND_WITH_ID),
        ("POST", "/api/pull", "", PULL_BODY, 200, PAGE_OF_THREE),
        ("GET", "/api/pull", f"chat={CHAT}&reverse=true", None, 200, PAGE_OF_THREE),
        ("POST", MESSAGES, "", {"text": "hello"}, 201, SEND),
        ("POST", MESSAGES, "", {"text": "hello", "id": "id-1"}, 201, SEND_WITH_ID),
        ("GET", MESSAGES, "", None, 200, PAGE_OF_THREE),
        ("GET", MESSAGES, "after=0", None, 200, PAGE_OF_THREE),
        ("GET", MESSAGES, "before=4", None, 200, PAGE_OF_THREE),
        ("GET", MESSAGES + "/2", "", None, 200, PAGE_OF_THREE),
    ],
)
def test_requests(
    served: Commands,
    method: str,
    path: str,
    query: str,
    body: Any,
    status: int,
    expected: dict[str, int],
) -> None:
    """Every request for messages is one round trip."""
    served.reset()
    answer = call(method, path, query, body)

    assert (answer.status, served.counted()) == (status, expected)


def test_page_goes_on_by_its_own_cursor(served: Commands) -> None:
    """A page asked for with the cursor of the one before is one round trip, its check included."""
    page = call("GET", MESSAGES, "after=0&limit=1").body
    served.reset()
    following = call("GET", MESSAGES, f"after={page['next']}").body

    assert [message["seq"] for message in following["messages"]] == [2, 3]
    assert served.counted() == PAGE_OF_THREE | {"lindex": 2}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/send", {"chat": CHAT, "sender": "cid", "text": "hello"}, 400),
        ("/api/send", {"chat": CHAT, "sender": "ann", "text": " "}, 400),
        ("/api/send", {"chat": CHAT, "sender": "ann", "text": "x" * 20_000}, 413),
        ("/api/send", {"chat": "ann", "sender": "ann", "text": "hello"}, 400),
        ("/api/pull", {"chat": CHAT, "cursor": -1}, 400),
        ("/v1/chats/cid:dan/messages", {"text": "hello"}, 403),
        (MESSAGES, {"text": "hello", "id": "x" * 65}, 400),
    ],
)
def test_a_refused_request_does_not_ask_the_store(
    served: Commands, path: str, body: Any, status: int
) -> None:
    """What the rules refuse never reaches the store."""
    served.reset()
    answer = call("POST", path, body=body)

    assert (answer.status, served.counted()) == (status, {})


def test_ping_does_not_ask_the_store(served: Commands) -> None:
    """GET /ping is answered without the store."""
    served.reset()

    assert call("GET", "/ping").status == 200
    assert served.counted() == {}


def test_health_asks_every_primary(served: Commands, engine: Engine) -> None:
    """GET /health is one PING for each primary."""
    call("GET", "/health")
    served.reset()

    assert call("GET", "/health").status == 200
    assert served.counted() == {"ping": len(engine.nodes)}
