"""WebSockets of several workers: pushes from one to another, by the application and by the management API."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from websockets.exceptions import ConnectionClosed

from chalicelib.push_gateway.pusher import SESSION_ENDED, Outcome, OutgoingFrame
from infra.local.sockets.pushing import LocalPusher
from infra.local.sockets.signatures import Signed, Verifier
from tests.local.connection_edge import KEYS, SocketServer, ask, id_of, process_of, running_sockets
from tests.local.raw_http import TIMEOUT_SECONDS
from tests.servers.waiting import eventually

KIB = 1024
NOBODY = "000000xxxxxxxxx="


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SocketServer]:
    """A server of two workers."""
    with running_sockets(tmp_path_factory.mktemp("sockets"), 2) as server:
        yield server


def api(server: SocketServer, secret: str = KEYS["AWS_SECRET_ACCESS_KEY"]) -> Any:
    """Return boto3's client of the management API."""
    return boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=f"http://127.0.0.1:{server.port}",
        region_name="eu-central-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
    )


def test_a_push_reaches_every_worker(echo: SocketServer) -> None:
    """A push from one worker reaches connections of each, in order, and finds nobody gone."""
    clients = echo.open_in_each()
    ids = [id_of(client) for client in clients]
    assert len({process_of(client) for client in clients}) == 2
    for client in clients:
        for text in "abc":
            client.send(f'{{"do": "push", "to": {ids!r}, "text": "{text}", "silent": 1}}'.replace("'", '"'))
        for reader in clients:
            assert [reader.recv(TIMEOUT_SECONDS) for _ in range(3)] == ["a", "b", "c"]
    assert ask(clients[0], do="push", to=ids[1:], text="d") == {"gone": [], "failed": []}
    for client in clients:
        client.close()


def test_large_pushes_cross_whole(echo: SocketServer) -> None:
    """A push larger than the link's buffer arrives all the same; one too large for a message fails."""
    one, other = echo.open_in_each()
    to = [id_of(other)]
    most = 128 * KIB
    sizes = [most, 9 * KIB, 1, most, most, most, most, most]
    assert ask(one, do="push", to=to, text="x", times=sizes) == {"gone": [], "failed": []}
    assert [len(other.recv(TIMEOUT_SECONDS)) for _ in sizes] == sizes
    answer = ask(one, do="push", to=to, text="x", times=[most + 1])
    assert answer == {"gone": [], "failed": to}
    one.close()
    other.close()


def test_another_process_pushes(echo: SocketServer) -> None:
    """A process without WebSockets, such as that of the queues, pushes to every worker's, and closes them."""
    clients = echo.open_in_each()
    ids = [id_of(client) for client in clients]
    pusher = LocalPusher(echo.meeting)
    assert pusher.push([OutgoingFrame([*ids, NOBODY], b"a"), OutgoingFrame(ids, b"b")]) == Outcome(
        [NOBODY], []
    )
    pusher.close([*ids, NOBODY], SESSION_ENDED)
    pusher.end()
    for client in clients:
        assert [client.recv(TIMEOUT_SECONDS) for _ in range(2)] == ["a", "b"]
        with pytest.raises(ConnectionClosed) as closed:
            client.recv(TIMEOUT_SECONDS)
        assert closed.value.rcvd
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == SESSION_ENDED


def test_gone_connection_is_found_on_any_worker(echo: SocketServer) -> None:
    """Own gone connections and unknown ones are found; another worker calls `$disconnect` for its own."""
    one, other = echo.open_in_each()
    ended = [id_of(client) for client in (one, other)]
    one.close()
    other.close()
    one, other = sorted(echo.open_in_each(), key=lambda client: id_of(client)[:6] != ended[0][:6])
    assert eventually(lambda: set(ended) <= echo.ends().keys())
    answer = ask(one, do="push", to=[*ended, NOBODY, "", "../../"], text="x")
    assert sorted(answer["gone"]) == sorted([ended[0], NOBODY, "", "../../"])
    unknown = f"{ended[1][:6]}yyyyyyyyy="
    ask(one, do="push", to=[unknown], text="x")
    assert echo.end_of(unknown)["disconnectStatusCode"] == 1006
    one.close()
    other.close()


def test_connections_are_closed_for_the_application(echo: SocketServer) -> None:
    """A close reaches connections of each worker, which end with its code."""
    clients = echo.open_in_each()
    ids = [id_of(client) for client in clients]
    with echo.open() as closing:
        closing.send(f'{{"do": "close", "to": {ids!r}}}'.replace("'", '"'))
        for client, connection in zip(clients, ids, strict=True):
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(TIMEOUT_SECONDS)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == SESSION_ENDED.code
            assert echo.end_of(connection)["disconnectStatusCode"] == SESSION_ENDED.code


@pytest.mark.long
def test_killed_worker_loses_only_its_own_connections(tmp_path: Any) -> None:
    """A killed worker's connections are gone, others stay open; its successor has new connections."""
    with running_sockets(tmp_path, 2) as server:
        lost, kept = server.open_in_each()
        ids = [id_of(lost), id_of(kept)]
        ask(kept, do="push", to=ids[:1], text="before")
        assert lost.recv(TIMEOUT_SECONDS) == "before"
        os.kill(process_of(lost), signal.SIGKILL)
        with pytest.raises(ConnectionClosed):
            lost.recv(TIMEOUT_SECONDS)
        assert eventually(lambda: ask(kept, do="push", to=ids[:1], text="x")["gone"] == ids[:1])
        with pytest.raises(httpx.HTTPStatusError):
            signed_get(server, ids[0]).raise_for_status()
        again = server.open_in_each()
        news = [id_of(client) for client in again]
        assert ids[0][:6] not in {one[:6] for one in news}
        assert ask(kept, do="push", to=news, text="after") == {"gone": [], "failed": []}
        for client in again:
            assert client.recv(TIMEOUT_SECONDS) == "after"
            client.close()
        kept.close()


def signed_get(server: SocketServer, connection: str) -> httpx.Response:
    """Request a connection's state, once the server answers again."""
    url = f"http://127.0.0.1:{server.port}/%40connections/{connection}"
    request = AWSRequest("GET", url)
    keys = Credentials(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(keys, "execute-api", "us-east-1").add_auth(request)
    return httpx.get(url, headers=dict(request.headers.items()))


def test_boto3_reaches_connections_of_any_worker(echo: SocketServer) -> None:
    """Boto3's client pushes to, asks about and closes connections of any worker, through any."""
    client = api(echo)
    for connection in echo.open_in_each():
        one = id_of(connection)
        for _ in range(5):  # each call is a new connection, to either worker
            client.post_to_connection(ConnectionId=one, Data="h\u00e9llo".encode())
            assert connection.recv(TIMEOUT_SECONDS) == "h\u00e9llo"
            answer = client.get_connection(ConnectionId=one)
            assert answer["Identity"]["SourceIp"] == "127.0.0.1"
            assert answer["Identity"]["UserAgent"].startswith("Python/")
            assert datetime.now(UTC) - answer["ConnectedAt"] < timedelta(minutes=1)
            assert answer["LastActiveAt"] >= answer["ConnectedAt"]
        client.delete_connection(ConnectionId=one)
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(TIMEOUT_SECONDS)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000
        for call in (client.get_connection, client.delete_connection):
            with pytest.raises(client.exceptions.GoneException):
                call(ConnectionId=one)
        with pytest.raises(client.exceptions.GoneException):
            client.post_to_connection(ConnectionId=one, Data=b"x")


def test_a_frame_that_is_too_large(echo: SocketServer) -> None:
    """Frames of 128 KB are pushed, larger ones are a 413."""
    client = api(echo)
    with echo.open() as connection:
        client.post_to_connection(ConnectionId=id_of(connection), Data=b"x" * 128 * KIB)
        assert connection.recv(TIMEOUT_SECONDS) == "x" * 128 * KIB
        one = id_of(connection)
        url = f"http://127.0.0.1:{echo.port}/@connections/{one}"
        assert signed(url, b"x" * (128 * KIB + 1)).status_code == 413


def signed(url: str, body: bytes) -> httpx.Response:
    """Post a body, signed with the server's keys."""
    request = AWSRequest("POST", url, {"Content-Type": "text/plain"}, body)
    keys = Credentials(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(keys, "execute-api", "us-east-1").add_auth(request)
    return httpx.post(url, content=body, headers=dict(request.headers.items()))


def test_a_signature_is_needed(echo: SocketServer) -> None:
    """Without a valid signature nothing is pushed, and the connection's existence is not shown."""
    with echo.open() as connection:
        one = id_of(connection)
        url = f"http://127.0.0.1:{echo.port}/@connections/{one}"
        for method in ("POST", "GET", "DELETE"):
            assert httpx.request(method, url).status_code == 403
        wrong = api(echo, secret="wrong")
        with pytest.raises(wrong.exceptions.ForbiddenException):
            wrong.post_to_connection(ConnectionId=one, Data=b"x")
        with pytest.raises(wrong.exceptions.ForbiddenException):
            wrong.get_connection(ConnectionId=NOBODY)
        assert httpx.patch(url).status_code == 405
        connection.send("undisturbed")
        assert connection.recv(TIMEOUT_SECONDS) == "undisturbed"


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def sealed(monkeypatch: pytest.MonkeyPatch, path: str, body: bytes = b"hello") -> Signed:
    """Return a request as botocore signs it at NOW, for a path as a client writes it."""
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW)
    request = AWSRequest("POST", f"http://localhost:8080{path}", {"Host": "localhost:8080"}, body)
    SigV4Auth(Credentials("key", "secret"), "execute-api", "us-east-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Signed("POST", "ab_c-1=", headers, body)


@pytest.mark.parametrize("prefix", ["/@connections/", "/%40connections/"])
@pytest.mark.parametrize("name", ["ab_c-1=", "ab_c-1%3D"])
def test_any_spelling_of_a_path(monkeypatch: pytest.MonkeyPatch, prefix: str, name: str) -> None:
    """Clients may encode `@` and `=` or leave them; the signature is valid either way."""
    assert Verifier("key", "secret").allows(sealed(monkeypatch, prefix + name), NOW)


def test_what_a_signature_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another key, body, connection, method, host or time invalidates a signature; so does an omission."""
    good = sealed(monkeypatch, "/@connections/ab_c-1%3D")
    verifier = Verifier("key", "secret")
    authorization = good.headers["authorization"]
    assert verifier.allows(good, NOW + timedelta(minutes=4))
    for bad in (
        good._replace(body=b"other"),
        good._replace(connection="other="),
        good._replace(method="DELETE"),
        good._replace(headers={**good.headers, "host": "other"}),
        good._replace(headers={**good.headers, "x-amz-date": "20261121T120001Z"}),
        good._replace(headers={**good.headers, "x-amz-date": "never"}),
        good._replace(headers={**good.headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}),
        good._replace(headers={**good.headers, "authorization": authorization.replace("host;", "")}),
        good._replace(headers={**good.headers, "authorization": authorization.replace("execute-api", "s3")}),
        good._replace(headers={**good.headers, "authorization": authorization[:-1]}),
        good._replace(headers={}),
    ):
        assert not verifier.allows(bad, NOW)
    assert not Verifier("other", "secret").allows(good, NOW)
    assert not Verifier("key", "other").allows(good, NOW)
    assert not verifier.allows(good, NOW + timedelta(minutes=6))
    assert not verifier.allows(good, NOW - timedelta(minutes=6))
