"""What users see does not depend on the store: a send is one step on a single server, three on a cluster."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import redis

from chalicelib import services
from chalicelib.push_gateway import installed
from chalicelib.services.values.tokens import digest_of
from chalicelib.store.redis.connect import Pool
from tests.servers.engines import Engine
from tests.servers.gateway import PATIENCE
from tests.store.account_records import HOUR, clock, write_account, write_session
from tests.store.app_requests import Answer, call
from tests.store.closed_app import CLOSED
from tests.store.log_records import RawClient
from tests.store.recording_pusher import Wire, connect
from tests.store.syncing_client import row_of

USERS = ["ann", "bob", "cid", "dan"]
CHATS = ["ann:bob", "ann:cid", "bob:cid", "ann:ann", "ann:dan", "ann:nobody", "bob:dan"]
GROUP = "g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10"
STEPS = 150


class Player:
    """Does random things as users of a closed server, and keeps what the users see of them."""

    def __init__(self, seed: int, raw: RawClient, wire: Wire) -> None:
        self.random, self.wire = random.Random(seed), wire
        self.seen: list[Any] = []
        self.tokens = {user: f"parley_{user[0] * 43}.{user}" for user in USERS}
        self.since: dict[str, str] = {}
        for user, token in self.tokens.items():
            now = clock(raw)
            write_account(raw, user)
            write_session(raw, user, digest_of(token), now, now, now + HOUR)
        for user in ("ann", "bob"):
            connect(services.current()._store, user, f"{user}-1")
        body = {"kind": "group", "name": "Tea", "members": ["bob", "cid"], "id": GROUP[2:]}
        assert self.ask("POST", "/v1/chats", "ann", body).status == 201

    def ask(self, method: str, path: str, user: str, body: Any = None, query: str = "") -> Answer:
        """Call the app with a user's token, or with an invalid one for nobody."""
        token = self.tokens.get(user, f"parley_{'x' * 43}.ann")
        return call(method, path, query, body, Authorization=f"Bearer {token}")

    def play(self) -> list[Any]:
        """Do random things, and return what the users see."""
        actions: list[Callable[[], object]] = [self.send] * 12
        actions += [
            self.mark,
            self.clear,
            self.make,
            self.block,
            self.member,
            self.read,
            self.sync,
            self.list,
        ]
        for _ in range(STEPS):
            self.seen.append(self.random.choice(actions)())
        self.seen += [self.list(user) for user in USERS]
        services.current().outbox_sweep._clock = lambda: 1e11
        services.current().outbox_sweep.sweep()
        self.seen += [self.sync(user) for user in USERS]
        self.seen += [self.list(user) for user in USERS]
        frames = {
            one: [(f["type"], f.get("chat"), f.get("seq")) for f in self.wire.frames[one]] for one in FRAMES
        }
        return [*self.seen, frames]

    def user(self) -> str:
        """Return any user."""
        return self.random.choice(USERS)

    def chat(self) -> str:
        """Return any chat."""
        return self.random.choice([*CHATS, GROUP, GROUP])

    def send(self) -> Any:
        """Send a message: some have an id, which may be in use, or reply to another message."""
        body: dict[str, Any] = {"text": self.random.choice(["hello", "again"])}
        if self.random.random() < 0.4:
            body["id"] = f"id-{self.random.randrange(3)}"
        if self.random.random() < 0.2:
            body["reply_to"] = self.random.randrange(1, 30)
        user = self.random.choice([*USERS * 4, "stranger"])
        answer = self.ask("POST", f"/v1/chats/{self.chat()}/messages", user, body)
        shown = [answer.body.get(name) for name in ("code", "chat", "seq", "duplicate", "text", "detail")]
        return answer.status, shown if answer.status != 429 else None, "RateLimit-Remaining" in answer.headers

    def mark(self) -> int:
        """Mark a chat as read."""
        path = f"/v1/chats/{self.chat()}/read"
        return self.ask("PUT", path, self.user(), {"seq": self.random.randrange(1, 9)}).status

    def clear(self) -> int:
        """Leave a group, or hide a direct chat."""
        return self.ask("POST", f"/v1/chats/{self.chat()}/leave", self.user()).status

    def make(self) -> int:
        """Put a direct chat into the inbox before anybody writes."""
        first, second = self.random.sample(USERS, 2)
        return self.ask("POST", "/v1/chats", first, {"kind": "direct", "members": [second]}).status

    def block(self) -> int:
        """Block a user, or end a block."""
        first, second = self.random.sample(USERS, 2)
        method = self.random.choice(["PUT", "DELETE", "DELETE"])
        return self.ask(method, f"/v1/users/me/blocked/{second}", first).status

    def member(self) -> int:
        """Add a member to the group, or remove one."""
        method = self.random.choice(["PUT", "PUT", "DELETE"])
        return self.ask(method, f"/v1/chats/{GROUP}/members/{self.user()}", "ann").status

    def read(self) -> Any:
        """Read the newest messages of a chat."""
        answer = self.ask("GET", f"/v1/chats/{self.chat()}/messages", self.user(), query="limit=5")
        messages = answer.body.get("messages", [])
        return answer.status, [(one["seq"], one["sender"], one["text"]) for one in messages]

    def list(self, user: str | None = None) -> Any:
        """Read an inbox."""
        answer = self.ask("GET", "/v1/chats", user or self.user())
        return [(row["chat"], row_of(row)) for row in answer.body["chats"]]

    def sync(self, user: str | None = None) -> Any:
        """Sync a user: the chats that have moved since the last time, in their order."""
        one = user or self.user()
        since = f"since={quote(self.since[one])}" if one in self.since else ""
        page = self.ask("GET", "/v1/sync", one, query=since).body
        self.since[one] = page["next"]
        return [(row["chat"], row["state"]) for row in page["chats"]], page["reset"], page["more"]


FRAMES = ("ann-1", "bob-1")


def client_of(engine: Engine) -> RawClient:
    """Return a client of an engine that may do everything."""
    if engine.is_cluster:
        return redis.RedisCluster.from_url(engine.url, connection_pool_class=Pool, **engine.admin)
    return redis.Redis.from_url(engine.url, **engine.admin)


def played(engine: Engine, seed: int, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what the users of an engine see."""
    for name, value in (PATIENCE | {"PARLEY_STAGE": "local"} | CLOSED | engine.env).items():
        monkeypatch.setenv(name, value)
    engine.flush()
    services.current.cache_clear()
    wire = Wire()
    installed.install(wire)
    with client_of(engine) as raw:
        return Player(seed, raw, wire).play()


@pytest.fixture(autouse=True)
def own_services() -> Iterator[None]:
    """Leave no services and no pusher behind."""
    yield
    installed.install(None)
    services.current.cache_clear()


@pytest.mark.parametrize("seed", range(4))
def test_users_see_the_same_on_a_single_server_and_on_a_cluster(
    valkey: Engine, cluster: Engine, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same random calls have the same answers, inboxes, syncs and pushes on both."""
    single = played(valkey, seed, monkeypatch)
    several = played(cluster, seed, monkeypatch)

    for step, (one, other) in enumerate(zip(single, several, strict=True)):
        assert one == other, step
    statuses = {one[0] for one in single if isinstance(one, tuple) and isinstance(one[0], int)}
    assert statuses >= {201, 401, 403, 404}
