"""Stores that refuse Parley's login."""

from __future__ import annotations

import io
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib import services
from chalicelib.config import Secret
from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER, JsonFormatter
from chalicelib.store.redis.client import NotAsked, Store, connect
from chalicelib.store.redis.credentials import ACCESS_STRING
from chalicelib.store.redis.installed import node_of
from tests.servers.engines import Engine, TlsClusterEngine
from tests.store.app_requests import call
from tests.store.log_records import CHAT, settings_for
from tests.store.store_users import WORD, refusal, user

pytestmark = pytest.mark.usefixtures("each_kind_of_node")

MESSAGES = f"/v1/chats/{CHAT}/messages"


def test_no_login_where_one_is_needed(tls_cluster: TlsClusterEngine) -> None:
    """The error of a store that needs a login and gets none names the settings."""
    settings = settings_for(tls_cluster, redis_user=None, redis_password=None)

    assert "set PARLEY_REDIS_USER and PARLEY_REDIS_PASSWORD" in str(refusal(connect(settings)))


def test_a_login_where_none_is_known(valkey: Engine) -> None:
    """The error of a store without passwords that gets a login says so."""
    settings = settings_for(valkey, redis_password=Secret(WORD))

    assert "without any password configured" in str(refusal(connect(settings)))


@pytest.mark.parametrize("engine_name", ["valkey", "tls_cluster"])
def test_a_refused_login_is_not_tried_at_once_again(request: pytest.FixtureRequest, engine_name: str) -> None:
    """After a refused login calls fail for a second without another attempt, then it is tried again."""
    engine: Engine = request.getfixturevalue(engine_name)
    engine.flush()
    clock = SimpleNamespace(now=1000.0)
    with user(engine, "few", ACCESS_STRING) as set_password:
        set_password("another")
        settings = settings_for(engine, redis_user="few", redis_password=Secret(WORD))
        store = Store(node_of(settings), lambda: clock.now)
        refusal(store)
        set_password(WORD)

        clock.now += 0.9
        with pytest.raises(StoreUnavailable) as raised:
            store.ping()
        assert isinstance(raised.value.__cause__, NotAsked)
        assert "PARLEY_REDIS_PASSWORD" in str(raised.value.__cause__)

        clock.now += 0.2
        store.ping()


def test_a_refused_login_is_tried_once(valkey: Engine) -> None:
    """A call whose login is refused does not try the same login on a second connection."""
    (node,) = valkey.nodes
    node.config_resetstat()
    with user(valkey, "few", ACCESS_STRING):
        refusal(connect(settings_for(valkey, redis_user="few", redis_password=Secret("wrong"))))

    stats: Any = node.info("commandstats")
    assert stats["cmdstat_auth"]["calls"] == 1


def environ_of(engine: Engine, login: str) -> dict[str, str]:
    """Return variables with a wrong password in the URL, beside it, or none."""
    environ = {name: value for name, value in engine.env.items() if login != "url" or "_USER" not in name}
    if login == "url":
        environ["REDIS_URL"] = engine.url.replace("://", f"://nobody:{WORD}@")
        environ.pop("PARLEY_REDIS_PASSWORD", None)
    else:
        environ["PARLEY_REDIS_PASSWORD"] = WORD
    return environ


@pytest.mark.parametrize("login", ["url", "variable"])
@pytest.mark.parametrize("engine_name", ["redis7", "tls_cluster"])
def test_the_log_of_a_refused_login(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, engine_name: str, login: str
) -> None:
    """A wrong password is a 503, and one log line that says what to check and does not show the password."""
    engine: Engine = request.getfixturevalue(engine_name)
    environ = {"PARLEY_STAGE": "local", "PARLEY_AUTH": "open", **environ_of(engine, login)}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    stream, everything = io.StringIO(), io.StringIO()
    handlers = {LOGGER: logging.StreamHandler(stream), logging.getLogger(): logging.StreamHandler(everything)}
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    for logger, handler in handlers.items():
        handler.setFormatter(JsonFormatter())
        logger.addHandler(handler)
    services.current.cache_clear()
    try:
        answer = call("POST", MESSAGES, body={"text": "hello"})
        shown = repr(services.current().settings)
    finally:
        services.current.cache_clear()
        for logger, handler in handlers.items():
            logger.removeHandler(handler)

    (line,) = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (answer.status, line["status"], line["code"]) == (503, 503, "store_unavailable")
    assert "AccessRefused: the store refuses the login" in line["cause"]
    assert ("REDIS_URL" if login == "url" else "PARLEY_REDIS_PASSWORD") in line["cause"]
    for text in (stream.getvalue(), everything.getvalue(), shown, str(answer)):
        assert WORD not in text
