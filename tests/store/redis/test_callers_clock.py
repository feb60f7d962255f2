"""Stores that give their scripts no time, which then use the caller's clock."""

from __future__ import annotations

import itertools
import logging
import operator
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from chalicelib import services
from chalicelib.config import Secret
from chalicelib.errors import StoreUnavailable
from chalicelib.push_gateway import installed
from chalicelib.routes import work as owed_work
from chalicelib.store import keys
from chalicelib.store.accounts.login_attempts import PAIR_FAILURES, LoginAttempts
from chalicelib.store.messages.content import Content
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.redis.client import Store, connect
from chalicelib.store.redis.clocks import ASK_TIME, ScriptClock
from chalicelib.store.redis.credentials import ACCESS_STRING
from chalicelib.store.redis.nodes import ClusterNodes
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script
from tests.realtime.in_process import PASSWORD, Door, Recorder
from tests.servers.engines import Engine
from tests.servers.gateway import PATIENCE
from tests.servers.serverless_limits import TimelessNode
from tests.store.app_requests import Answer, call
from tests.store.counted_round_trips import RoundTrips
from tests.store.log_records import CHAT, Log, RawClient, settings_for
from tests.store.store_users import WORD, refusal, user
from tests.unit.nodes import CannedNode
from tests.unit.store.lua_files import scripts

on_timeless = pytest.mark.parametrize("engine", ["timeless_cluster"], indirect=True)
MINUTES = 300 * 1_000_000_000
YEAR = 365 * 86_400 * 1_000_000_000
APART = 2_000_000_000
"""The difference between the clocks of two callers, in nanoseconds."""
USERS = ("ann", "bob", "cyd")
SETTINGS = {
    "PARLEY_STAGE": "local",
    "PARLEY_AUTH": "required",
    "PARLEY_SOCKET_URL": "ws://127.0.0.1:8080",
    "PARLEY_ARGON2": "m=8,t=1,p=1",
    "PARLEY_RATE_LIMITS": "read=1000,write=1000,search=2,auth=1000,frame=1000",
    "PARLEY_LARGE_CHAT": "2",
}


@pytest.fixture
def clocks() -> Iterator[int]:
    """How far the clock of each call is ahead of time, in nanoseconds."""
    return itertools.cycle((APART, 0))


@pytest.fixture
def town(engine: Engine, clocks: Iterator[int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """The closed app on the store, with accounts of USERS; its calls use two clocks in turn."""
    for name, value in {**SETTINGS, **PATIENCE, **engine.env}.items():
        monkeypatch.setenv(name, value)
    services.current.cache_clear()
    installed.install(recorder := Recorder())
    store = services.current()._store
    store._script_clock = ScriptClock(asks=True, clock=lambda: time.time_ns() + next(clocks))
    made = {name: done(register(name)).body["token"] for name in USERS}
    yield Door(recorder, made)
    installed.install(None)
    services.current.cache_clear()


def turn_clock(ahead: int) -> None:
    """Use a clock for calls that is ahead of time by some nanoseconds."""
    services.current()._store._script_clock._clock = lambda: time.time_ns() + ahead


def register(name: str) -> Answer:
    """Make an account."""
    return call("POST", "/v1/register", body={"handle": name, "password": PASSWORD})


def done(answer: Answer) -> Answer:
    """Make a call that must succeed."""
    assert answer.status < 300, answer
    return answer


def ran(engine: Engine, among: list[Script]) -> set[str]:
    """Return the names of the scripts that a server received."""
    found = [node.script_exists(*(script.sha for script in among)) for node in engine.nodes]
    return {script.name for place, script in enumerate(among) if any(one[place] for one in found)}


def asking() -> list[Script]:
    """Return the scripts that ask for the time."""
    return [script for script in scripts() if "redis.call('TIME')" in script.source]


def every_script() -> list[Script]:
    """Return every script, and those without writes."""
    return [*scripts(), *(one for script in scripts() if (one := script.without_writes))]


def variants() -> list[Script]:
    """Return the scripts that use the caller's clock."""
    return [one for script in every_script() if (one := script.on_callers_clock) is not script]


@pytest.mark.parametrize("engine", ["valkey", "redis7"], indirect=True)
def test_every_script_has_a_variant_that_does_not_ask(engine: Engine) -> None:
    """Scripts read the time only where their variant replaces it; servers compile every variant."""
    assert (
        {one.name for one in asking()}
        == {one.name for one in variants()}
        >= {
            "messages/append_message",
            "accounts/authenticate",
        }
    )
    for script in every_script():
        assert not re.search(r"""["']time["']""", script.on_callers_clock.source, re.IGNORECASE), script.name
    for variant in variants():
        assert engine.nodes[0].script_load(variant.source) == variant.sha


class Walk:
    """An hour of user actions; every call succeeds."""

    def __init__(self, town: Door) -> None:
        self._town = town

    def ask(self, user: str, method: str, path: str, body: Any = None, query: str = "") -> Any:
        """Make a call that succeeds, and return its body."""
        return done(call(method, path, query, body, Authorization=f"Bearer {self._town.tokens[user]}")).body

    def write(self) -> None:
        """Write in a chat of two, and read it in pages, in the inbox and by a sync."""
        messages = f"/v1/chats/{CHAT}/messages"
        for sender, text in (("ann", "one"), ("bob", "two"), ("ann", "three")):
            for duplicate in (False, True):
                sent = self.ask(sender, "POST", messages, {"text": text, "id": text})
                assert sent["duplicate"] is duplicate
        first = self.ask("bob", "GET", messages, query="after=0&limit=2")
        rest = self.ask("bob", "GET", messages, query=f"after={first['next']}")
        assert [one["text"] for page in (first, rest) for one in page["messages"]] == ["one", "two", "three"]
        (row,) = self.ask("bob", "GET", "/v1/chats")["chats"]
        assert (row["seq"], row["unread"]) == (3, 1)
        self.ask("bob", "PUT", f"/v1/chats/{CHAT}/read", {"seq": 3})
        self.ask("bob", "PATCH", f"/v1/chats/{CHAT}/flags", {"pinned": True})
        held = [{"chat": CHAT, "cursor": rest["next"]}]
        sync = self.ask("bob", "POST", "/v1/sync", {"check": held})
        assert (sync["history_changed"], sync["unreadable"]) == ([], [])
        assert [(row["chat"], row["unread"], row["pinned"]) for row in sync["chats"]] == [(CHAT, 0, True)]
        assert self.ask("bob", "GET", f"/v1/chats/{CHAT}/receipts")["receipts"]
        self.ask("bob", "POST", f"/v1/chats/{CHAT}/leave")
        self.ask("bob", "POST", "/v1/chats", {"kind": "direct", "with": "ann"})

    def meet(self) -> None:
        """Make groups and a room, one of them large, change them, leave them, and end one."""
        for member in ("bob", "cyd"):
            self.ask(member, "PATCH", "/v1/users/me", {"who_may_add_me": "everybody"})
        made = {"kind": "group", "name": "tea", "members": ["bob", "cyd"]}
        group = self.ask("ann", "POST", "/v1/chats", made)["chat"]
        self.ask("ann", "PATCH", f"/v1/chats/{group}", {"name": "coffee"})
        self.ask("bob", "POST", f"/v1/chats/{group}/messages", {"text": "hello"})
        assert self.ask("cyd", "GET", "/v1/sync")["chats"]
        assert self.ask("cyd", "GET", "/v1/chats")["chats"]
        self.ask("bob", "POST", f"/v1/chats/{group}/leave")
        self.ask("ann", "DELETE", f"/v1/chats/{group}")
        lobby = {"kind": "room", "id": "lobby", "name": "Lobby", "join": "open"}
        self.ask("ann", "POST", "/v1/chats", lobby)
        self.ask("ann", "PATCH", "/v1/chats/r-lobby", {"keep_days": 1})

    def change(self) -> None:
        """Change, schedule and delete messages, and let some expire."""
        messages = f"/v1/chats/{CHAT}/messages"
        for text in ("four", "five"):
            self.ask("ann", "POST", messages, {"text": text})
        self.ask("ann", "PATCH", f"{messages}/4", {"text": "edited"})
        self.ask("bob", "PUT", f"{messages}/4/reactions/%F0%9F%91%8D")
        self.ask("bob", "PUT", f"{messages}/4/pin")
        self.ask("bob", "DELETE", f"{messages}/4", query="for=me")
        self.ask("ann", "PATCH", f"/v1/chats/{CHAT}", {"expires_in": 60})
        self.ask("ann", "POST", messages, {"text": "soon gone", "reply_to": 4})
        self.ask("ann", "PATCH", f"/v1/chats/{CHAT}", {"expires_in": None})
        self.ask("bob", "POST", f"{messages}/5/report", {})
        self.ask("ann", "DELETE", f"{messages}/5", query="for=all")
        later = (datetime.now(UTC) + timedelta(days=2)).isoformat()
        self.ask("ann", "POST", f"/v1/chats/{CHAT}/scheduled", {"text": "later", "send_at": later})
        assert self.ask("bob", "GET", f"/v1/chats/{CHAT}/changes")["changes"]
        self.ask("ann", "PATCH", "/v1/users/me", {"name": "Ann"})

    def follow(self) -> None:
        """Follow, post, read, and block."""
        self.ask("bob", "PUT", "/v1/users/me/following/ann")
        self.ask("ann", "POST", "/v1/posts", {"text": "news"})
        services.current().jobs.run("posts:ann")
        assert [post["text"] for post in self.ask("bob", "GET", "/v1/feed")["posts"]] == ["news"]
        self.ask("bob", "DELETE", "/v1/users/me/following/ann")
        self.ask("ann", "PUT", "/v1/users/me/blocked/cyd")
        self.ask("ann", "DELETE", "/v1/users/me/blocked/cyd")

    def connect(self) -> None:
        """Connect, watch, type, call, join a room, and disconnect."""
        ann, bob = self._town.enter("ann"), self._town.enter("bob")
        assert ann.send({"type": "watch", "users": ["bob"]})[0]["users"][0]["online"]
        for socket in (ann, bob):
            frames = socket.send({"type": "send", "chat": CHAT, "id": socket.connection, "text": "hello"})
            assert "ack" in {frame["type"] for frame in frames}
        bob.send({"type": "typing", "chat": CHAT, "on": True})
        bob.send({"type": "signal", "to": "ann", "call": "c1", "kind": "offer"})
        assert {"message", "typing", "signal"} <= {frame["type"] for frame in ann.received()}
        for socket in (ann, bob):
            socket.send({"type": "room.join", "room": "lobby"})
        turn_clock(MINUTES)  # when a frame renews leases
        assert bob.send({"type": "room.clients", "room": "lobby"})[0]["clients"] == ["ann", "bob"]
        assert self.ask("ann", "GET", "/v1/users/bob/presence")["online"]
        bob.send({"type": "room.leave", "room": "lobby"})
        bob.leave()
        assert not ann.received()[-1]["users"][0]["online"]

    def end(self) -> None:
        """Guess a password, log in and out, and make and delete an account."""
        done(register("dan"))
        assert call("POST", "/v1/login", body={"handle": "bob", "password": "another"}).status == 401
        self._town.tokens["bob"] = self._town.log_in("bob")
        self.ask("bob", "DELETE", "/v1/sessions")
        assert call("GET", "/v1/chats", Authorization=f"Bearer {self._town.tokens['bob']}").status == 401
        self.ask("cyd", "DELETE", "/v1/users/me")


@on_timeless
def test_an_hour_of_users(engine: Engine, town: Door, raw: RawClient) -> None:
    """Every action works from two clocks: each script that reads the time runs as its variant."""
    for node in engine.nodes:
        node.script_flush()
        node.execute_command("ACL LOG RESET")
    walk = Walk(town)
    walk.write()
    walk.meet()
    walk.change()
    walk.follow()
    walk.connect()
    raw.rpop(keys.log(CHAT))  # a message that the store loses
    (row,) = [row for row in walk.ask("bob", "GET", "/v1/sync")["chats"] if row["chat"] == CHAT]
    assert row["seq"] == 7
    walk.end()
    turn_clock(YEAR)
    assert owed_work.sweep(None)["expired"] == 2  # the sessions of ann and dan

    assert ran(engine, asking()) == set()
    unused = {"redis/ask_time", "messages/send_message"}  # the latter is for a store that is no cluster
    assert {one.name for one in variants()} - ran(engine, variants()) == unused
    assert [node.execute_command("ACL LOG") for node in engine.nodes] == [[], [], []]


@on_timeless
def test_two_clocks_in_one_chat(town: Door) -> None:
    """Message times rise whoever sends, by 1 µs while a clock is behind; cursors and counts are right."""
    walk, messages = Walk(town), f"/v1/chats/{CHAT}/messages"
    for number, text in enumerate("abcdef"):
        turn_clock(APART if number % 2 == 0 else 0)
        walk.ask("ann", "POST", messages, {"text": text})
        turn_clock(APART if number % 3 == 0 else 0)
        (row,) = walk.ask("bob", "GET", "/v1/sync")["chats"]
        assert row["unread"] == row["seq"] == number + 1

    found, cursor = [], "0"
    for number in range(6):
        turn_clock(APART if number % 2 == 0 else 0)
        (message,), cursor = operator.itemgetter("messages", "next")(
            walk.ask("bob", "GET", messages, query=f"after={cursor}&limit=1")
        )
        found.append((message["text"], datetime.fromisoformat(message["sent_at"])))
    assert [text for text, _ in found] == list("abcdef")
    steps = [later - time for (_, time), (_, later) in itertools.pairwise(found)]
    assert steps[::2] == [timedelta(microseconds=1)] * 3
    assert min(steps) > timedelta(0)
    walk.ask("bob", "PUT", f"/v1/chats/{CHAT}/read", {"cursor": cursor})
    assert walk.ask("bob", "GET", "/v1/chats")["chats"][0]["unread"] == 0


@on_timeless
def test_a_limit_holds_whichever_clock_it_is_asked_by(town: Door) -> None:
    """At most the limit of searches from two clocks passes; the clock behind may have to wait."""
    statuses = []
    for ahead in (APART, 0, APART, 0):
        turn_clock(ahead)
        searched = call("GET", "/v1/users", "q=bo", Authorization=f"Bearer {town.tokens['ann']}")
        statuses.append(searched.status)

    assert statuses == [200, 429, 200, 429]


@on_timeless
def test_failed_logins_count_whichever_clock_they_are_of(engine: Engine, clocks: Iterator[int]) -> None:
    """A caller whose clock is behind forgets no failure that another caller recorded."""
    store, attempts = skewed(engine, clocks), LoginAttempts()
    waits = [store.run(attempts.begin("ann", "192.0.2.7")).wait for _ in range(PAIR_FAILURES + 1)]

    assert [wait > 0 for wait in waits] == [False] * PAIR_FAILURES + [True]


@on_timeless
def test_a_store_that_takes_no_writes_either(engine: Engine, town: Door) -> None:
    """Scripts without writes run by the caller's clock: sessions authenticate, and chats are read."""
    town.rest("ann", "POST", f"/v1/chats/{CHAT}/messages", {"text": "hello"})
    for node in engine.nodes:
        node.config_set("min-replicas-to-write", 1)
    try:
        assert town.rest("bob", "GET", f"/v1/chats/{CHAT}/messages").body["messages"][0]["text"] == "hello"
        refused = town.rest("bob", "POST", f"/v1/chats/{CHAT}/messages", {"text": "hello"})
        assert (refused.status, refused.body["code"]) == (503, "store_unavailable")
    finally:
        for node in engine.nodes:
            node.config_set("min-replicas-to-write", 0)


def skewed(engine: Engine, clocks: Iterator[int]) -> Store:
    """Return a store whose calls use two clocks in turn."""
    store = connect(settings_for(engine))
    store._script_clock = ScriptClock(asks=True, clock=lambda: time.time_ns() + next(clocks))
    return store


@pytest.mark.parametrize(
    "reason",
    [
        "This Redis command is not allowed from script",
        "This Valkey command is not allowed from script",
        "Unknown Redis command called from script",
        "The user executing the script can't run this command or subcommand",
    ],
)
@pytest.mark.parametrize("engine", ["cluster"], indirect=True)
def test_what_stores_say(engine: Engine, reason: str, caplog: pytest.LogCaptureFixture) -> None:
    """A store that gives its scripts no time is logged in one line, which names the clock in use."""
    caplog.set_level(logging.INFO, "parley")
    store = Store(
        TimelessNode(ClusterNodes(settings_for(engine)), reason), script_clock=ScriptClock(asks=True)
    )
    log = Log(store)
    before = time.time_ns() // 1000
    sent = [log.append(CHAT, Content("ann", text, text)) for text in ("one", "two", "one")]

    assert [(one.seq, one.duplicate) for one in sent] == [(1, False), (2, False), (1, True)]
    assert before <= sent[0].time < sent[1].time
    assert [entry.content.text for entry in log.after(CHAT, 0, 10).entries] == ["one", "two"]
    assert logged_clocks(caplog) == [("caller", f"{reason} script: {ASK_TIME.sha}, on @user_script:2.")]


def logged_clocks(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str | None]]:
    """Return the logged clocks with their reasons."""
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [(line["clock"], line.get("reason")) for line in lines if line["event"] == "script_clock"]


@pytest.mark.parametrize(
    ("engine", "clock"), [("cluster", "store"), ("timeless_cluster", "caller")], indirect=["engine"]
)
def test_the_store_is_asked_once(engine: Engine, clock: str, caplog: pytest.LogCaptureFixture) -> None:
    """The first query of a process takes one more round trip, and later ones none."""
    caplog.set_level(logging.INFO, "parley")
    store = connect(settings_for(engine))
    store._node = round_trips = RoundTrips(store._node)
    log = Log(store)
    log.append(CHAT, Content("ann", "one"))
    log.append(CHAT, Content("ann", "two"))
    first = list(round_trips.sizes)
    log.append(CHAT, Content("ann", "three"))

    assert sum(round_trips.sizes) == sum(first) + 1
    assert [whose for whose, _ in logged_clocks(caplog)] == [clock]


@pytest.mark.parametrize("engine", ["valkey", "redis7"], indirect=True)
def test_one_server_is_not_asked(engine: Engine) -> None:
    """A store that is no cluster takes no more round trips: the script by its digest, then in full."""
    store = connect(settings_for(engine))
    engine.nodes[0].script_flush()
    store._node = round_trips = RoundTrips(store._node)
    Log(store).append(CHAT, Content("ann", "one"))

    assert round_trips.sizes == [1, 1]


@pytest.mark.parametrize("engine", ["cluster"], indirect=True)
def test_a_process_that_prepares_asks_no_more(engine: Engine) -> None:
    """A prepared store needs no question: its first query is the script alone."""
    for engine_node in engine.nodes:
        engine_node.script_flush()
    store = connect(settings_for(engine))
    store.prepare()
    store._node = round_trips = RoundTrips(store._node)
    Log(store).append(CHAT, Content("ann", "one"))

    assert round_trips.sizes == [1, 1]


@on_timeless
def test_a_server_that_forgot_its_scripts(engine: Engine, store: Store) -> None:
    """A server that lost its scripts receives them again, with the time, in a pipeline as well."""
    log, chats = MessageLog(), [f"ann:bob{number}" for number in range(9)]
    for chat in chats:
        store.run(log.append(chat, Content("ann", "hello")))
    for node in engine.nodes[1:]:
        node.script_flush()

    found = store.run_all([log.after(chat, 0, 10) for chat in chats])
    assert [len(one.entries) for one in found] == [1] * len(chats)


def test_an_outage_at_the_question() -> None:
    """A store that fails at the question is unavailable; the next query asks again."""
    node = CannedNode(redis.ConnectionError("gone"), [b"1", b"2"], b"value")
    store = Store(node, script_clock=ScriptClock(asks=True))
    query: Query[bytes] = Query("GET", ("{c000}:a",))
    with pytest.raises(StoreUnavailable):
        store.run(query)

    assert store.run(query) == b"value"
    assert [command[0] for (command,) in node.round_trips] == ["EVAL", "EVAL", "EVALSHA"]


@pytest.mark.parametrize("lacking", ["-eval", "resetkeys"])
@pytest.mark.parametrize("engine", ["cluster"], indirect=True)
def test_missing_script_permission_is_no_clock_problem(engine: Engine, lacking: str) -> None:
    """A user without permission for scripts or keys gets that error, not one about clocks."""
    with user(engine, "few", f"{ACCESS_STRING} {lacking}"):
        store = connect(settings_for(engine, redis_user="few", redis_password=Secret(WORD)))
        assert "lacks a permission" in str(refusal(store))
        assert not store._script_clock.chosen


def test_the_time_is_the_last_two_arguments() -> None:
    """A query passes the time in seconds and µs to scripts that ask for it, and to no others."""
    key, asking, other = ("{c000}:a",), Script("realtime/open_connection"), Script("social/read_follow")

    timed: Query[Any] = Query(asking, key, ("ann", 5)).at(1_700_000_000_000_007)
    assert timed.by_name == ("EVALSHA", asking.on_callers_clock.sha, 1, *key, "ann", 5, 1_700_000_000, 7)
    for run in (other, "GET"):
        query: Query[Any] = Query(run, key, ("ann",))
        assert query.at(1_700_000_000_000_007) == query
