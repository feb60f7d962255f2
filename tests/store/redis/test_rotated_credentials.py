"""Rotated passwords and expiring tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import redis
from redis.exceptions import RedisClusterException

from chalicelib.config import Settings
from chalicelib.errors import StoreUnavailable
from chalicelib.store.messages.content import Content
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.redis.client import Store, connect
from chalicelib.store.redis.credentials import ACCESS_STRING, IamLogin, SecretLogin, StoreLogin
from chalicelib.store.redis.nodes import Command
from tests.servers.engines import Engine, TlsClusterEngine
from tests.servers.gateway import PATIENCE
from tests.store.log_records import CHAT, Log, settings_for
from tests.store.store_users import HELLO, WORD, cut_all, refusal, user

pytestmark = pytest.mark.usefixtures("each_kind_of_node")


class SecretsManager:
    """A store of one secret that counts its reads."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.reads = 0

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803  # boto3's own names
        """Return the secret, as boto3's client does."""
        self.reads += 1
        stored = {"username": "few", "password": self.password}
        return {"SecretString": msgspec.json.encode(stored).decode()}


@pytest.mark.parametrize("engine_name", ["valkey", "redis7", "tls_cluster"])
def test_rotated_secret_is_read_again_after_a_refusal(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, engine_name: str
) -> None:
    """A password in a secret is read once, and again when the store no longer accepts it."""
    engine: Engine = request.getfixturevalue(engine_name)
    engine.flush()
    manager = SecretsManager(WORD)
    monkeypatch.setattr(SecretLogin, "_client", lambda self: manager)
    with user(engine, "few", ACCESS_STRING) as set_password:
        settings = settings_for(engine, redis_user=None, redis_password=None, redis_secret="parley/store")
        store = connect(settings)
        log = Log(store)
        assert manager.reads == 0
        assert [log.append(CHAT, HELLO).seq for _ in range(3)] == [1, 2, 3]
        cut_all(engine)
        assert log.append(CHAT, HELLO).seq == 4
        assert manager.reads == 1

        manager.password = "another"
        set_password("another")
        cut_all(engine)
        assert [log.append(CHAT, HELLO).seq for _ in range(3)] == [5, 6, 7]
        assert manager.reads == 2

        set_password("a third")
        cut_all(engine)
        assert "PARLEY_REDIS_SECRET" in str(refusal(store))
        assert manager.reads == 3


class NewerLogin(StoreLogin):
    """A login that always has a newer password."""

    advice = "nothing"

    def renew(self) -> bool:
        """Report a newer password."""
        return True


class RefusingNode:
    """A node of a cluster that is refused when, after a lost answer, it asks again who has the slots.

    calls: number of calls.
    """

    def __init__(self) -> None:
        self.login: StoreLogin | None = NewerLogin()
        self.calls = 0

    def execute(self, command: Command, *, repeatable: bool) -> Any:
        """Fail as redis-py does."""
        self.calls += 1
        try:
            raise redis.TimeoutError
        except redis.TimeoutError:
            try:
                raise redis.AuthenticationError
            except redis.AuthenticationError as refused:
                raise RedisClusterException from refused

    def execute_all(self, commands: Sequence[Command]) -> list[Any]:
        """Fail as redis-py does."""
        return [self.execute(command, repeatable=True) for command in commands]

    def ping(self) -> None:
        """Fail as redis-py does."""
        self.execute(("PING",), repeatable=True)


@pytest.mark.parametrize(("id_", "calls"), [(None, 1), ("id-1", 2)], ids=["send", "send with id"])
def test_a_send_that_may_have_been_done(id_: str | None, calls: int) -> None:
    """A send without an id whose answer is lost is not repeated, also when there is a newer password."""
    node = RefusingNode()

    with pytest.raises(StoreUnavailable):
        Log(Store(node)).append(CHAT, Content("ann", "hello", id_))

    assert node.calls == calls


def test_several_queries_that_may_have_been_done() -> None:
    """Queries of one round trip may run twice, and are repeated with a newer password."""
    node = RefusingNode()
    queries = [MessageLog().newest(CHAT, 0, 1) for _ in range(2)]

    with pytest.raises(StoreUnavailable):
        Store(node).run_all(queries)

    assert node.calls == 2


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """An AWS identity of this process, and a clock for botocore's signatures that stands still."""
    clock = SimpleNamespace(time=datetime(2026, 11, 21, 12, tzinfo=UTC))
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: clock.time)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "AWS_DEFAULT_REGION": "eu-north-1",
        "AWS_CONFIG_FILE": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)
    return clock


def token() -> str:
    """Return the expected token at the time of the clock; tests/unit checks its form."""
    return IamLogin("elasticache-serverless", "chat", "few").get_credentials()[1]


IAM_ENV = {"PARLEY_REDIS_IAM": "elasticache-serverless:chat", "PARLEY_REDIS_USER": "few"}


def test_iam_login_uses_a_new_token_per_connection(
    tls_cluster: TlsClusterEngine, now: SimpleNamespace
) -> None:
    """By settings alone, each connection to a cluster with TLS logs in with an IAM token of its own."""
    tls_cluster.flush()
    environ = {**PATIENCE, **tls_cluster.env, **IAM_ENV}
    environ.pop("PARLEY_REDIS_PASSWORD")
    with user(tls_cluster, "few", ACCESS_STRING) as set_password:
        set_password(token())
        store = connect(Settings.from_env(environ))
        log = Log(store)
        store.ping()
        assert log.append(CHAT, HELLO).seq == 1

        now.time += timedelta(hours=12)
        assert log.append(CHAT, HELLO).seq == 2
        set_password(token())
        cut_all(tls_cluster)

        assert log.append(CHAT, HELLO).seq == 3
        store.ping()


def test_iam_on_one_server(valkey: Engine, now: SimpleNamespace) -> None:
    """A server that cuts connections after 12 hours gets a login with a new token."""
    valkey.flush()
    settings = settings_for(valkey, redis_iam=IAM_ENV["PARLEY_REDIS_IAM"], redis_user="few")
    with user(valkey, "few", ACCESS_STRING) as set_password:
        set_password(token())
        log = Log(connect(settings))
        assert log.append(CHAT, HELLO).seq == 1

        now.time += timedelta(hours=12)
        set_password(token())
        cut_all(valkey)
        assert log.append(CHAT, HELLO).seq == 2
        assert [entry.seq for entry in log.after(CHAT, 0, 10).entries] == [1, 2]


def test_a_token_that_is_refused(
    tls_cluster: TlsClusterEngine, now: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says whether the store refused the token or the credentials for signing are missing."""
    settings = settings_for(
        tls_cluster, redis_iam=IAM_ENV["PARLEY_REDIS_IAM"], redis_user="few", redis_password=None
    )
    with user(tls_cluster, "few", ACCESS_STRING):
        message = str(refusal(connect(settings)))
        assert "PARLEY_REDIS_IAM" in message
        assert "elasticache:Connect" in message
        assert "X-Amz" not in message

        monkeypatch.delenv("AWS_DEFAULT_REGION")
        assert "AWS_DEFAULT_REGION" in str(refusal(connect(settings)))
