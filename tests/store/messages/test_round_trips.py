"""The store commands of a send and a pull, counted by the store itself (`INFO commandstats`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest

from chalicelib import services
from chalicelib.services.auth import account_status
from chalicelib.store import keys, partitions
from chalicelib.store.chats.info import Relation
from chalicelib.store.messages.content import Content
from chalicelib.store.redis.client import Store
from tests.servers.engines import Engine
from tests.store.app_requests import call
from tests.store.chat_records import GROUP, write_group, write_other
from tests.store.closed_app import BAD, WITH_TOKEN, close_app
from tests.store.counted_round_trips import RoundTrips
from tests.store.log_records import CHAT, Log, RawClient

OWN_COMMANDS = {"config|resetstat", "info", "cluster|info"}
PAGE_OF_THREE = {"evalsha": 1, "lindex": 1, "llen": 1, "lrange": 1}
RIGHTS_IN_GROUP = {"hmget": 1, "hget": 1}
IDS_KEYS = 4
SEND = {"evalsha": 1, "time": 1, "lindex": 2, "rpush": 1, "hget": 2, "hset": 2}
SEND_WITH_ID = SEND | {"hget": 2 + IDS_KEYS, "hset": 3, "expire": 1}
SEND_TO_GROUP = SEND | {"hget": 2, "hmget": 1, "hkeys": 1}
TELL_ONE = {"hmget": 1, "hexists": 1, "zadd": 2, "hset": 1}
TELL_GROUP = {"evalsha": 1, "time": 1, "exists": 1}
IN_ONE_STEP = {"hset": -1, "exists": 1, "hmget": 1}
"""A send in one step looks into the outbox, and writes nothing there."""

MESSAGES = f"/v1/chats/{CHAT}/messages"
SEND_BODY = {"chat": CHAT, "sender": "ann", "text": "hello"}
PULL_BODY = {"chat": CHAT, "cursor": 0, "limit": 10}


def together(*counts: dict[str, int]) -> dict[str, int]:
    """Return the total count of each command."""
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)


def groups_of(engine: Engine, handles: Sequence[str]) -> list[Sequence[str]]:
    """Return users in the groups to whose inboxes one script call delivers."""
    grouping = partitions.by_partition if engine.is_cluster else partitions.all_together
    return grouping(handles, 5)


HIDDEN = {"zrangebyscore": 1}
READ_OWN_PAGE = PAGE_OF_THREE | {"hget": 1} | HIDDEN


class Commands:
    """Counts the commands that an engine runs, those inside scripts included."""

    def __init__(self, engine: Engine) -> None:
        self._nodes = engine.nodes

    def reset(self) -> None:
        """Begin to count."""
        for node in self._nodes:
            node.config_resetstat()

    def counted(self) -> dict[str, int]:
        """Return the count of each command since `reset`, on all nodes together."""
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
def warm(log: Log) -> Log:
    """A log of three messages on a connection that has both scripts loaded."""
    for i in range(3):
        log.append(CHAT, Content("ann", f"text {i}"))
    log.after(CHAT, 0, 1)
    return log


def test_send_takes_one_round_trip(warm: Log, commands: Commands) -> None:
    """A send takes one round trip, with a handful of commands inside it."""
    commands.reset()
    warm.append(CHAT, Content("ann", "hello"))

    assert commands.counted() == SEND


def test_first_message_of_a_chat(warm: Log, commands: Commands) -> None:
    """The first message of a chat takes one round trip."""
    commands.reset()
    warm.append("ann:cid", Content("ann", "hello"))

    assert commands.counted()["evalsha"] == 1
    assert commands.counted().keys() <= SEND.keys()


def test_send_with_id(warm: Log, commands: Commands) -> None:
    """A send with an id takes one round trip, and so does its repetition."""
    commands.reset()
    warm.append(CHAT, Content("ann", "hello", "id-1"))
    assert commands.counted() == SEND_WITH_ID

    commands.reset()
    assert warm.append(CHAT, Content("ann", "hello", "id-1")).duplicate
    counted = commands.counted()
    assert counted["evalsha"] == 1
    assert counted.keys() == {"evalsha", "time", "hget", "lindex", "llen"}


def test_send_to_a_group(warm: Log, commands: Commands, raw: RawClient) -> None:
    """A send to a group takes one round trip, which reads permissions and recipients."""
    write_group(raw, {"ann": 0, "bob": 0})
    warm.append(GROUP, Content("ann", "hello"))
    commands.reset()
    warm.append(GROUP, Content("ann", "hello"))

    assert commands.counted() == SEND_TO_GROUP


@pytest.mark.parametrize("relation", ["member", "left"])
def test_pull_of_a_group(warm: Log, commands: Commands, raw: RawClient, relation: str) -> None:
    """A pull of a group takes one round trip, which reads permissions and deleted senders."""
    write_group(raw, {"ann": 0, "bob": 0})
    for _ in range(3):
        warm.append(GROUP, Content("ann", "hello"))
    write_other(raw, "cid", Relation.LEFT, 0, 3)
    warm.after(GROUP, 0, 1)
    commands.reset()
    warm.after(GROUP, 0, 10, reader="ann" if relation == "member" else "cid")

    asked_others = {} if relation == "member" else {"hget": 1}
    assert commands.counted() == together(PAGE_OF_THREE, RIGHTS_IN_GROUP, {"hmget": 1}, HIDDEN, asked_others)


def test_pull_as_a_reader(warm: Log, commands: Commands) -> None:
    """A pull of a direct chat takes one round trip, which reads the reader's cleared messages."""
    commands.reset()
    warm.after(CHAT, 0, 10, reader="ann")

    assert commands.counted() == READ_OWN_PAGE


def test_trimming_send_takes_one_round_trip(warm: Log, store: Store, commands: Commands) -> None:
    """A send that trims takes one round trip, and has the sweep clean up after it."""
    commands.reset()
    Log(store, keep=2).append(CHAT, Content("ann", "hello"))

    assert commands.counted() == SEND | {"lset": 1, "ltrim": 1, "zremrangebyscore": 1, "zadd": 1}


@pytest.mark.parametrize("side", ["after", "before", "newest"])
def test_pull_takes_one_round_trip(warm: Log, commands: Commands, side: str) -> None:
    """A pull takes one round trip, in either direction."""
    commands.reset()
    getattr(warm, side)(CHAT, {"after": 0, "before": 4, "newest": 0}[side], 10)

    assert commands.counted() == PAGE_OF_THREE


def test_pull_with_checked_cursor(warm: Log, commands: Commands) -> None:
    """The check of a cursor costs no round trip of its own."""
    part = warm.after(CHAT, 0, 1)
    commands.reset()
    warm.after(CHAT, 1, 10, time=part.entries[0].time, epoch=part.epoch)

    assert commands.counted() == PAGE_OF_THREE | {"lindex": 2}


@pytest.fixture
def served(app_on_engine: None, commands: Commands, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """The app on the engine, with three messages, and the engine's count of commands.

    An open server asks once a second whether a name has an account: here for ann, bob and cid before, and
    then not again.
    """
    monkeypatch.setattr(account_status, "KEPT_SECONDS", 3600.0)
    for _ in range(3):
        assert call("POST", "/api/send", body=SEND_BODY).status == 204
    assert call("POST", "/api/pull", body=PULL_BODY).status == 200
    assert call("POST", "/api/send", body={"chat": "ann:cid", "sender": "cid", "text": "hello"}).status == 204
    return commands


@pytest.mark.parametrize(
    ("path", "body", "status", "expected"),
    [
        ("/api/send", SEND_BODY, 204, SEND),
        ("/api/send", SEND_BODY | {"id": "id-1"}, 204, SEND_WITH_ID),
        (MESSAGES, {"text": "hello"}, 201, SEND),
        (MESSAGES, {"text": "hello", "id": "id-1"}, 201, SEND_WITH_ID),
    ],
)
def test_send_runs_one_script_and_on_a_cluster_one_for_each_partition_more(
    served: Commands, engine: Engine, path: str, body: Any, status: int, expected: dict[str, int]
) -> None:
    """A send runs one script on a single server; on a cluster that of the append, and one a partition.

    A message that is in both inboxes, and has no connection to be pushed to, has no entry in the outbox.
    """
    served.reset()
    answer = call("POST", path, "", body)

    groups = [TELL_GROUP] * len(groups_of(engine, ["ann", "bob"]))
    told = [TELL_ONE] * 2 + (groups if engine.is_cluster else [IN_ONE_STEP])
    assert (answer.status, served.counted()) == (status, together(expected, *told))


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("POST", "/api/pull", "", PULL_BODY),
        ("GET", "/api/pull", f"chat={CHAT}&reverse=true", None),
        ("GET", MESSAGES, "", None),
        ("GET", MESSAGES, "after=0", None),
        ("GET", MESSAGES, "before=4", None),
        ("GET", MESSAGES + "/2", "", None),
    ],
)
def test_request_for_messages_runs_one_script(
    served: Commands, method: str, path: str, query: str, body: Any
) -> None:
    """A request for messages runs one script."""
    served.reset()
    answer = call(method, path, query, body)

    assert (answer.status, served.counted()) == (200, READ_OWN_PAGE)


def test_page_goes_on_by_its_own_cursor(served: Commands) -> None:
    """A pull by the cursor of the previous page takes one round trip, its check included."""
    page = call("GET", MESSAGES, "after=0&limit=1").body
    served.reset()
    following = call("GET", MESSAGES, f"after={page['next']}").body

    assert [message["seq"] for message in following["messages"]] == [2, 3]
    assert served.counted() == READ_OWN_PAGE | {"lindex": 2}


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
    """A request that the rules refuse sends no command to the store."""
    served.reset()
    answer = call("POST", path, body=body)

    assert (answer.status, served.counted()) == (status, {})


def test_ping_does_not_ask_the_store(served: Commands) -> None:
    """GET /ping is answered without the store."""
    served.reset()

    assert call("GET", "/ping").status == 200
    assert served.counted() == {}


def test_health_asks_every_primary(served: Commands, engine: Engine) -> None:
    """GET /health sends one PING to each primary."""
    call("GET", "/health")
    served.reset()

    assert call("GET", "/health").status == 200
    assert served.counted() == {"ping": len(engine.nodes)}


# --- with a token -------------------------------------------------------------------------------------------


@pytest.fixture
def round_trips(app_on_engine: None, raw: RawClient, monkeypatch: pytest.MonkeyPatch) -> RoundTrips:
    """The app on the engine, closed, with ann's session, bob and three messages; counts later round trips."""
    close_app(raw, monkeypatch)
    store = services.current()._store
    store._node = round_trips = RoundTrips(store._node)
    for _ in range(3):
        assert call("POST", "/api/send", body=SEND_BODY, **WITH_TOKEN).status == 204
    assert call("GET", MESSAGES, **WITH_TOKEN).status == 200
    # Every server that a test asks has the scripts by now.
    assert call("POST", "/v1/chats/ann:nobody/messages", body={"text": "hello"}, **WITH_TOKEN).status == 404
    assert call("GET", MESSAGES, Authorization=BAD.format("nobody")).status == 401
    round_trips.sizes.clear()
    return round_trips


AUTHENTICATE, AUTHENTICATE_AND_PEER, AUTHENTICATE_AND_PAGE, APPEND = 1, 2, 2, 1
ONE_STEP = 1
TELL = 0
"""In the place of the script calls that deliver: how many they are depends on the store."""


class Sizes(NamedTuple):
    """The sizes of a call's round trips, on a single server and on a cluster."""

    single: list[int]
    cluster: list[int]

    def on(self, engine: Engine, *handles: str) -> list[int]:
        """Return those on an engine; handles: of the users to whom a send delivers."""
        sizes = self.cluster if engine.is_cluster else self.single
        return [len(groups_of(engine, handles)) if size == TELL else size for size in sizes]


def everywhere(*sizes: int) -> Sizes:
    """Return sizes that are the same on a single server and on a cluster."""
    return Sizes(list(sizes), list(sizes))


DIRECT = Sizes([ONE_STEP], [AUTHENTICATE_AND_PEER, APPEND, TELL])
REFUSED_PEER = Sizes([ONE_STEP], [AUTHENTICATE_AND_PEER])
NOTE = Sizes([ONE_STEP], [AUTHENTICATE, APPEND, TELL])
TO_GROUP = Sizes([ONE_STEP, TELL], [AUTHENTICATE, APPEND, TELL])
TO_LARGE_GROUP = Sizes([ONE_STEP], [AUTHENTICATE, APPEND])
PULL = everywhere(AUTHENTICATE_AND_PAGE)
CASES = [
    ("POST", "/api/send", "", SEND_BODY, 204, DIRECT),
    ("POST", MESSAGES, "", {"text": "hello"}, 201, DIRECT),
    ("POST", MESSAGES, "", {"text": "hello", "id": "id-1"}, 201, DIRECT),
    ("POST", "/v1/chats/ann:ann/messages", "", {"text": "note"}, 201, NOTE),
    ("POST", "/api/pull", "", PULL_BODY, 200, PULL),
    ("GET", "/api/pull", f"chat={CHAT}", None, 200, PULL),
    ("GET", MESSAGES, "after=1", None, 200, PULL),
    ("GET", MESSAGES + "/2", "", None, 200, PULL),
    ("POST", MESSAGES, "", {"text": " "}, 400, everywhere(AUTHENTICATE)),
    ("POST", "/v1/chats/bob:cid/messages", "", {"text": "hello"}, 403, everywhere(AUTHENTICATE)),
    ("POST", "/v1/chats/ann:nobody/messages", "", {"text": "hello"}, 404, REFUSED_PEER),
]


@pytest.mark.parametrize("case", CASES)
def test_send_with_a_token_takes_one_round_trip_and_three_on_a_cluster(
    round_trips: RoundTrips, engine: Engine, case: tuple[str, str, str, Any, int, Sizes]
) -> None:
    """A send is authenticated, written and delivered in one; so is a pull, or a call that is refused."""
    method, path, query, body, status, sizes = case
    answer = call(method, path, query, body, **WITH_TOKEN)

    handles = ["ann"] if "ann:ann" in path else ["ann", "bob"]
    assert (answer.status, round_trips.sizes) == (status, sizes.on(engine, *handles))


OF_GROUP = f"/v1/chats/{GROUP}/messages"


def test_duplicate_send_is_not_delivered(round_trips: RoundTrips, engine: Engine) -> None:
    """A repeated send is authenticated and found: one round trip, on a cluster two."""
    for sizes in (DIRECT, Sizes([ONE_STEP], [AUTHENTICATE_AND_PEER, APPEND])):
        round_trips.sizes.clear()
        assert call("POST", MESSAGES, "", {"text": "hello", "id": "id-1"}, **WITH_TOKEN).status == 201
        assert round_trips.sizes == sizes.on(engine, "ann", "bob")


@pytest.mark.parametrize(("members", "large"), [(2, {}), (100, {}), (100, {"large": 1})])
def test_group_send_takes_one_round_trip_more_for_its_inboxes(
    round_trips: RoundTrips, engine: Engine, raw: RawClient, members: int, large: dict[str, Any]
) -> None:
    """A send to a group of 100 takes two, on a cluster three; a large one writes no inboxes."""
    handles = ["ann", *(f"user{i}" for i in range(1, members))]
    write_group(raw, dict.fromkeys(handles, 0), **large)
    assert call("POST", OF_GROUP, "", {"text": "hello"}, **WITH_TOKEN).status == 201
    assert call("GET", OF_GROUP, **WITH_TOKEN).status == 200
    round_trips.sizes.clear()

    assert call("POST", OF_GROUP, "", {"text": "hello"}, **WITH_TOKEN).status == 201
    assert round_trips.sizes == (TO_LARGE_GROUP if large else TO_GROUP).on(engine, *handles)
    for path in (OF_GROUP, OF_GROUP + "/2"):
        round_trips.sizes.clear()
        assert call("GET", path, **WITH_TOKEN).status == 200
        assert round_trips.sizes == [AUTHENTICATE_AND_PAGE]


@pytest.mark.parametrize(
    ("method", "body", "sizes"), [("POST", {"text": "hello"}, TO_LARGE_GROUP), ("GET", None, PULL)]
)
@pytest.mark.parametrize("there", [True, False])
def test_stranger_is_refused_in_the_same_script(
    round_trips: RoundTrips, engine: Engine, raw: RawClient, method: str, body: Any, sizes: Sizes, there: bool
) -> None:
    """The very script that reads or writes refuses a user who is not a member of the group."""
    if there:
        write_group(raw, {"bob": 0})
    assert call(method, OF_GROUP, "", body, **WITH_TOKEN).status >= 400
    round_trips.sizes.clear()
    answer = call(method, OF_GROUP, "", body, **WITH_TOKEN)

    assert (answer.status, round_trips.sizes) == (403 if there else 404, sizes.on(engine))


@pytest.mark.parametrize("of", ["ann", "bob", "nobody"])
@pytest.mark.parametrize(
    ("method", "body"), [("GET", None), ("POST", {"text": "hello"}), ("POST", {"text": " "})]
)
def test_refused_token_is_checked_once(
    round_trips: RoundTrips, raw: RawClient, method: str, body: Any, of: str
) -> None:
    """An invalid token is checked once, and nothing is written."""
    before: Any = raw.llen(keys.log(CHAT))
    answer = call(method, MESSAGES, "", body, Authorization=BAD.format(of))

    assert (answer.status, len(round_trips.sizes)) == (401, 1)
    assert raw.llen(keys.log(CHAT)) == before
