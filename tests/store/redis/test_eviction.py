"""The state of a full store that evicted every key with an expiry, as ElastiCache Serverless does."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib import services
from chalicelib.routes import work
from chalicelib.services.values.tokens import digest_of
from chalicelib.store import keys
from tests.store.account_records import clock, session, write_session
from tests.store.app_requests import Answer, call
from tests.store.closed_app import CLOSED
from tests.store.log_records import RawClient

pytestmark = [
    pytest.mark.parametrize("engine", ["valkey", "cluster"], indirect=True),
    pytest.mark.usefixtures("closed_app"),
]
ANN = {"handle": "ann", "password": "correct horse battery"}


@pytest.fixture
def closed_app(app_on_engine: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The app on the engine, with accounts."""
    for name, value in (CLOSED | {"PARLEY_ARGON2": "m=64,t=1,p=1"}).items():
        monkeypatch.setenv(name, value)
    services.current.cache_clear()


def evict(raw: RawClient) -> set[str]:
    """Delete every key that expires; return the kinds of the deleted keys."""
    volatile: list[Any] = [key for key in raw.scan_iter() if raw.ttl(key) != -1]
    for key in volatile:
        raw.delete(key)
    return {key.decode().split(":")[1] for key in volatile}


def by(token: str, method: str, path: str, body: Any = None) -> Answer:
    """Call the app with a token."""
    return call(method, path, body=body, Authorization=f"Bearer {token}")


def logged_in(path: str) -> str:
    """Register or log in, and return the token."""
    answer = call("POST", path, body=ANN)
    assert answer.status < 300, answer
    return str(answer.body["token"])


def test_sessions_survive_the_eviction(raw: RawClient) -> None:
    """A user stays logged in on all devices, sees them, and can log out."""
    phone, laptop = logged_in("/v1/register"), logged_in("/v1/login")
    assert call("POST", "/v1/login", body=ANN | {"password": "a wrong guess"}).status == 401
    assert {"tries", "rate"} <= evict(raw)

    for token in (phone, laptop):
        assert len(by(token, "GET", "/v1/sessions").body["sessions"]) == 2
    assert by(phone, "POST", "/v1/logout").status == 202
    assert by(phone, "GET", "/v1/sessions").status == 401
    assert len(by(laptop, "GET", "/v1/sessions").body["sessions"]) == 1


def test_an_expired_session_does_not(raw: RawClient) -> None:
    """A session that has expired is refused although its key does not expire, and the sweep drops it."""
    phone, laptop = logged_in("/v1/register"), logged_in("/v1/login")
    now = clock(raw)
    write_session(raw, "ann", digest_of(phone), now - 2, now - 2, now - 1)
    raw.zadd(keys.session_ends("ann"), {"ann": now - 1})
    evict(raw)

    assert len(by(laptop, "GET", "/v1/sessions").body["sessions"]) == 1
    assert work.sweep({})["expired"] == 1
    assert session(raw, "ann", digest_of(phone)) is None
    assert by(phone, "GET", "/v1/sessions").status == 401
    assert by(laptop, "GET", "/v1/sessions").status == 200


def test_ids_do_not_survive(raw: RawClient) -> None:
    """A repeated send is stored once more, and no message is lost."""
    token = logged_in("/v1/register")
    path, once = "/v1/chats/ann:ann/messages", {"text": "hello", "id": "once"}
    assert [by(token, "POST", path, once).body["seq"] for _ in range(2)] == [1, 1]
    assert "ids" in evict(raw)

    assert by(token, "POST", path, once).body["seq"] == 2
    assert [one["text"] for one in by(token, "GET", path).body["messages"]] == ["hello", "hello"]
