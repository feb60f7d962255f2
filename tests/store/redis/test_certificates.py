"""Certificates that TLS connections to the store accept."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from chalicelib.config import Settings
from chalicelib.errors import StoreUnavailable
from chalicelib.store.redis.client import connect
from tests.servers.faults import Fault
from tests.store.store_users import refusal

pytestmark = pytest.mark.usefixtures("each_kind_of_node")


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
    """Return the TLS context of a server with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The authority that the tests trust."""
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
    ("issue", "message"),
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
    message: str,
    cluster: bool,
) -> None:
    """An invalid certificate is refused with what to do, and not tried again for a second."""
    with TlsServer(context_of(issue(authority))) as server:
        settings = Settings(redis_url=server.url, redis_ca=trusted, redis_cluster=cluster)
        store = connect(settings)
        refused = str(refusal(store))
        tried = server.connections
        with pytest.raises(StoreUnavailable):
            store.ping()

        assert server.connections == tried
    for word in (message, "certificate is refused", "REDIS_URL", "PARLEY_REDIS_CA"):
        assert word in refused


def test_only_the_given_authority_is_trusted(authority: trustme.CA, trusted: str) -> None:
    """A certificate of the given authority is accepted; without the setting, the system does not know it."""
    with TlsServer(context_of(authority.issue_cert("127.0.0.1"))) as server:
        connect(Settings(redis_url=server.url, redis_ca=trusted)).ping()

        assert "certificate is refused" in str(refusal(connect(Settings(redis_url=server.url))))


def test_a_port_without_tls(trusted: str) -> None:
    """The error of a port without TLS says so."""
    with TlsServer(None) as server:
        message = str(refusal(connect(Settings(redis_url=server.url, redis_ca=trusted))))

    assert "TLS with the store fails" in message
    assert "a port with TLS" in message


def test_a_file_that_is_no_authority(authority: trustme.CA, tmp_path: Path) -> None:
    """The error of a PARLEY_REDIS_CA without a certificate says so."""
    file = tmp_path / "authority.pem"
    file.write_text("no certificate")
    with TlsServer(context_of(authority.issue_cert("127.0.0.1"))) as server:
        message = str(refusal(connect(Settings(redis_url=server.url, redis_ca=str(file)))))

    assert "PARLEY_REDIS_CA" in message


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
