"""A store as a cloud has it: TLS, users of few rights, and passwords and tokens that change."""

from __future__ import annotations

import io
import json
import logging
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import redis
import trustme
from redis.exceptions import RedisClusterException

from chalicelib import services
from chalicelib.config import Secret, Settings
from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER, JsonFormatter
from chalicelib.store.client import ClusterNodes, Command, SingleNode, Store, connect
from chalicelib.store.connections import AccessRefused
from chalicelib.store.credentials import ACCESS_STRING, IamLogin, SecretLogin, StoreLogin
from chalicelib.store.messages import Content, MessageLog
from tests.servers.engines import Engine, TlsClusterEngine
from tests.servers.faults import Fault
from tests.store.calls import call
from tests.store.logs import CHAT, settings_for

HELLO = Content("ann", "hello")
WORD = "chrysanthemum"
MESSAGES = f"/v1/chats/{CHAT}/messages"
DOCS = Path(__file__).parents[2] / "docs"

SetPassword = Callable[[str], None]


@contextmanager
def user(engine: Engine, name: str, rules: str) -> Iterator[SetPassword]:
    """Have a user with some rights on every server; yields what gives it another password, at first WORD."""

    def tell(*words: str) -> None:
        for node in engine.nodes:
            node.execute_command("ACL SETUSER", name, *words)

    tell("reset", "on", f">{WORD}", *rules.split())
    try:
        yield lambda password: tell("resetpass", f">{password}")
    finally:
        for node in engine.nodes:
            node.execute_command("ACL DELUSER", name)


def cut_all(engine: Engine) -> None:
    """Close every connection to the servers but the test's own, as a managed store does after 12 hours."""
    for node in engine.nodes:
        node.client_kill_filter(_type="normal", skipme=True)


def refusal(store: Store) -> AccessRefused:
    """Send a message that must be refused, and return why."""
    with pytest.raises(StoreUnavailable) as raised:
        MessageLog(store).append(CHAT, HELLO)
    assert isinstance(raised.value.__cause__, AccessRefused)
    return raised.value.__cause__


# --- rights -------------------------------------------------------------------------------------------------


def test_the_documented_rights_are_enough(tls_cluster: TlsClusterEngine) -> None:
    """Nothing that Parley asks of a store is denied to its user; the suite of the store runs as that user."""
    tls_cluster.flush()
    for node in tls_cluster.nodes:
        node.execute_command("ACL LOG RESET")
    store = connect(settings_for(tls_cluster))
    log = MessageLog(store, keep=2)

    store.ping()
    for _ in range(3):
        assert log.append(CHAT, Content("ann", "hello", "id-1")).seq == 1
        log.append(CHAT, HELLO)
    cut_all(tls_cluster)

    assert [entry.seq for entry in log.after(CHAT, 0, 10).entries] == [3, 4]
    assert [node.execute_command("ACL LOG") for node in tls_cluster.nodes] == [[], [], []]
    assert ACCESS_STRING in (DOCS / "redis.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["valkey", "redis7"])
def test_the_documented_rights_on_one_server(request: pytest.FixtureRequest, name: str) -> None:
    """Valkey and Redis both take the documented rules, and they are enough on one server, too."""
    engine: Engine = request.getfixturevalue(name)
    engine.flush()
    with user(engine, "few", ACCESS_STRING):
        settings = settings_for(engine, redis_user="few", redis_password=Secret(WORD))
        assert MessageLog(connect(settings), keep=1).append(CHAT, HELLO).seq == 1


@pytest.mark.parametrize(
    "command",
    [
        "FLUSHALL",
        "KEYS *",
        "SCAN 0",
        "CONFIG GET maxmemory",
        "ACL LIST",
        "CLIENT LIST",
        "CLIENT KILL TYPE normal",
        "SCRIPT FLUSH",
        "FUNCTION FLUSH",
        "INFO",
        "MONITOR",
        "SHUTDOWN",
        "REPLICAOF NO ONE",
        "CLUSTER FORGET x",
        "CLUSTER RESET",
        "BLPOP {c000}:log:a 0",
        "SORT {c000}:log:a",
        "GET other",
        "SUBSCRIBE a",
        "PUBLISH a b",
    ],
)
def test_rights_that_are_not_given(tls_cluster: TlsClusterEngine, command: str) -> None:
    """Parley's user can neither see nor harm what is not Parley's."""
    options = {"password": tls_cluster.password, "username": tls_cluster.user}
    with (
        redis.Redis.from_url(tls_cluster.url, **{**tls_cluster.admin, **options}) as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.execute_command(*command.split())


@pytest.mark.parametrize("engine_name", ["valkey", "tls_cluster"])
@pytest.mark.parametrize("lacking", ["-rpush", "-evalsha", "resetkeys", "resetkeys ~{u*"])
def test_a_right_that_is_lacking(request: pytest.FixtureRequest, engine_name: str, lacking: str) -> None:
    """A user who lacks a right is told so in the log; nothing is written, and what is allowed goes on."""
    engine: Engine = request.getfixturevalue(engine_name)
    engine.flush()
    with user(engine, "few", f"{ACCESS_STRING} {lacking}"):
        store = connect(settings_for(engine, redis_user="few", redis_password=Secret(WORD)))
        told = refusal(store)
        store.ping()

    assert "lacks a permission" in str(told)
    assert "docs/redis.md" in str(told)
    assert [node.dbsize() for node in engine.nodes] == [0] * len(engine.nodes)


def test_a_cluster_that_does_not_show_its_slots(tls_cluster: TlsClusterEngine) -> None:
    """A user who may not ask a cluster for its slots is told what is lacking, not that it is no cluster."""
    with user(tls_cluster, "few", f"{ACCESS_STRING} -cluster|slots"):
        told = refusal(connect(settings_for(tls_cluster, redis_user="few", redis_password=Secret(WORD))))

    assert "lacks a permission" in str(told)


# --- a login that is refused --------------------------------------------------------------------------------


def test_no_login_where_one_is_needed(tls_cluster: TlsClusterEngine) -> None:
    """A store that wants a login and gets none says which settings to set."""
    settings = settings_for(tls_cluster, redis_user=None, redis_password=None)

    assert "set PARLEY_REDIS_USER and PARLEY_REDIS_PASSWORD" in str(refusal(connect(settings)))


def test_a_login_where_none_is_known(valkey: Engine) -> None:
    """A store without passwords refuses one, which is said."""
    settings = settings_for(valkey, redis_password=Secret(WORD))

    assert "without any password configured" in str(refusal(connect(settings)))


@pytest.mark.parametrize("engine_name", ["valkey", "tls_cluster"])
def test_a_refused_login_is_not_tried_at_once_again(request: pytest.FixtureRequest, engine_name: str) -> None:
    """After a refused login calls are refused without another try for a second, then it is tried again."""
    engine: Engine = request.getfixturevalue(engine_name)
    engine.flush()
    clock = SimpleNamespace(now=1000.0)
    with user(engine, "few", ACCESS_STRING) as set_password:
        set_password("another")
        settings = settings_for(engine, redis_user="few", redis_password=Secret(WORD))
        node = ClusterNodes(settings) if engine.is_cluster else SingleNode(settings)
        store = Store(node, lambda: clock.now)
        refusal(store)
        set_password(WORD)

        clock.now += 0.9
        with pytest.raises(StoreUnavailable) as raised:
            store.ping()
        assert raised.value.__cause__ is None

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
    """Return variables with a wrong password in the URL, or beside it, or none at all."""
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
    """A wrong password is a 503, and one line that says what to check and does not show the password."""
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


# --- passwords and tokens that change -----------------------------------------------------------------------


class SecretsManager:
    """A place for one secret, that counts how often it is read."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.reads = 0

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803  # boto3's own names
        """Return the secret, as boto3's client does."""
        self.reads += 1
        stored = {"username": "few", "password": self.password}
        return {"SecretString": msgspec.json.encode(stored).decode()}


@pytest.mark.parametrize("engine_name", ["valkey", "redis7", "tls_cluster"])
def test_a_rotated_password(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, engine_name: str
) -> None:
    """A password in a secret is read once, and once more when the store no longer takes it."""
    engine: Engine = request.getfixturevalue(engine_name)
    engine.flush()
    manager = SecretsManager(WORD)
    monkeypatch.setattr(SecretLogin, "_client", lambda self: manager)
    with user(engine, "few", ACCESS_STRING) as set_password:
        settings = settings_for(engine, redis_user=None, redis_password=None, redis_secret="parley/store")
        store = connect(settings)
        log = MessageLog(store)
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

    told = "nothing"

    def renew(self) -> bool:
        """Say so."""
        return True


class RefusingNode:
    """A node of a cluster that is refused when, after a lost answer, it asks again who has the slots.

    calls: how often it was asked.
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

    def ping(self) -> None:
        """Fail as redis-py does."""
        self.execute(("PING",), repeatable=True)


@pytest.mark.parametrize(("id_", "calls"), [(None, 1), ("id-1", 2)], ids=["send", "send with id"])
def test_a_send_that_may_have_been_done(id_: str | None, calls: int) -> None:
    """A send without an id whose answer is lost is not done again, also when there is a newer password."""
    node = RefusingNode()

    with pytest.raises(StoreUnavailable):
        MessageLog(Store(node)).append(CHAT, Content("ann", "hello", id_))

    assert node.calls == calls


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """An AWS identity of this process, and the clock that botocore signs by, which stands still."""
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
    """Return the token that the store is to take at the time of the clock; tests/unit checks its form."""
    return IamLogin("elasticache-serverless", "chat", "few").get_credentials()[1]


IAM_ENV = {"PARLEY_REDIS_IAM": "elasticache-serverless:chat", "PARLEY_REDIS_USER": "few"}


def test_iam(tls_cluster: TlsClusterEngine, now: SimpleNamespace) -> None:
    """By settings alone, a cluster with TLS is logged in to with a token, of its own for each connection."""
    tls_cluster.flush()
    environ = {**tls_cluster.env, **IAM_ENV}
    environ.pop("PARLEY_REDIS_PASSWORD")
    with user(tls_cluster, "few", ACCESS_STRING) as set_password:
        set_password(token())
        store = connect(Settings.from_env(environ))
        log = MessageLog(store)
        store.ping()
        assert log.append(CHAT, HELLO).seq == 1

        now.time += timedelta(hours=12)
        assert log.append(CHAT, HELLO).seq == 2
        set_password(token())
        cut_all(tls_cluster)

        assert log.append(CHAT, HELLO).seq == 3
        store.ping()


def test_iam_on_one_server(valkey: Engine, now: SimpleNamespace) -> None:
    """One server that cuts the connection after 12 hours is logged in to with a token of that hour."""
    valkey.flush()
    settings = settings_for(valkey, redis_iam=IAM_ENV["PARLEY_REDIS_IAM"], redis_user="few")
    with user(valkey, "few", ACCESS_STRING) as set_password:
        set_password(token())
        log = MessageLog(connect(settings))
        assert log.append(CHAT, HELLO).seq == 1

        now.time += timedelta(hours=12)
        set_password(token())
        cut_all(valkey)
        assert log.append(CHAT, HELLO).seq == 2
        assert [entry.seq for entry in log.after(CHAT, 0, 10).entries] == [1, 2]


def test_a_token_that_is_refused(
    tls_cluster: TlsClusterEngine, now: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that does not take the token, and a lack of what to sign with, are refusals that say which."""
    settings = settings_for(
        tls_cluster, redis_iam=IAM_ENV["PARLEY_REDIS_IAM"], redis_user="few", redis_password=None
    )
    with user(tls_cluster, "few", ACCESS_STRING):
        told = str(refusal(connect(settings)))
        assert "PARLEY_REDIS_IAM" in told
        assert "elasticache:Connect" in told
        assert "X-Amz" not in told

        monkeypatch.delenv("AWS_DEFAULT_REGION")
        assert "AWS_DEFAULT_REGION" in str(refusal(connect(settings)))


# --- certificates -------------------------------------------------------------------------------------------


class TlsServer(Fault):
    """Answers every command with OK over TLS; connections: how many were tried."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        super().__init__()
        self.url = self.url.replace("redis://", "rediss://")
        self.connections = 0
        self._context = context

    def serve(self, client: Any) -> None:
        """Serve one connection until it ends."""
        self.connections += 1
        if self._context is None:
            client.sendall(b"-ERR this is no TLS\r\n")
            return
        with self._context.wrap_socket(client, server_side=True) as tls:
            while data := tls.recv(65_536):
                tls.sendall(b"+OK\r\n" * data.count(b"*"))


def context_of(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return what a server with a certificate makes connections with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The authority that the tests below trust."""
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path) -> str:
    """The file of that authority."""
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    return str(file)


YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.mark.parametrize("cluster", [False, True], ids=["one server", "cluster"])
@pytest.mark.parametrize(
    ("issue", "told"),
    [
        (lambda authority: authority.issue_cert("cache.example"), "IP address mismatch"),
        (lambda authority: authority.issue_cert("127.0.0.1", not_after=YESTERDAY), "expired"),
        (lambda authority: trustme.CA().issue_cert("127.0.0.1"), "unable to get local issuer"),
    ],
    ids=["another host", "expired", "another authority"],
)
def test_a_certificate_that_is_refused(
    authority: trustme.CA,
    trusted: str,
    issue: Callable[[trustme.CA], trustme.LeafCert],
    told: str,
    cluster: bool,
) -> None:
    """A certificate that proves nothing is refused, with what to do, and not looked at again for a second."""
    with TlsServer(context_of(issue(authority))) as server:
        settings = Settings(redis_url=server.url, redis_ca=trusted, redis_cluster=cluster)
        store = connect(settings)
        refused = str(refusal(store))
        tried = server.connections
        with pytest.raises(StoreUnavailable):
            store.ping()

        assert server.connections == tried
    for word in (told, "certificate is refused", "REDIS_URL", "PARLEY_REDIS_CA"):
        assert word in refused


def test_only_the_given_authority_is_trusted(authority: trustme.CA, trusted: str) -> None:
    """A good certificate of the given authority is taken; without the setting, the system knows none such."""
    with TlsServer(context_of(authority.issue_cert("127.0.0.1"))) as server:
        connect(Settings(redis_url=server.url, redis_ca=trusted)).ping()

        assert "certificate is refused" in str(refusal(connect(Settings(redis_url=server.url))))


def test_a_port_without_tls(trusted: str) -> None:
    """A server that does not speak TLS is said not to."""
    with TlsServer(None) as server:
        told = str(refusal(connect(Settings(redis_url=server.url, redis_ca=trusted))))

    assert "TLS with the store fails" in told
    assert "a port with TLS" in told


def test_a_file_that_is_no_authority(authority: trustme.CA, tmp_path: Path) -> None:
    """A PARLEY_REDIS_CA without a certificate in it is said to be one."""
    file = tmp_path / "authority.pem"
    file.write_text("no certificate")
    with TlsServer(context_of(authority.issue_cert("127.0.0.1"))) as server:
        told = str(refusal(connect(Settings(redis_url=server.url, redis_ca=str(file)))))

    assert "PARLEY_REDIS_CA" in told


def test_one_context_for_every_connection(
    authority: trustme.CA, trusted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The authorities are read once, not for each connection."""
    made: list[ssl.SSLContext] = []
    create = ssl.create_default_context

    def counted(**options: Any) -> ssl.SSLContext:
        made.append(create(**options))
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", counted)
    with TlsServer(context_of(authority.issue_cert("127.0.0.1"))) as server:
        for _ in range(3):
            connect(Settings(redis_url=server.url, redis_ca=trusted)).ping()

        assert server.connections == 3
    assert len(made) == 1
