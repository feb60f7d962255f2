"""One bounded fetch: accepted URLs and addresses, and every limit."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest
import trustme

from chalicelib.fetching import Fetched, FetchError, Limits, fetch, origin_of, parsed, shown
from chalicelib.fetching.targets import may_be_reached
from tests.servers.ports import ReservedPort
from tests.servers.scripted_http import Request, ScriptedServer, answer

SHORT = Limits(body_bytes=1000, seconds=0.5)
PATIENT = Limits(body_bytes=1000, seconds=20)


def serving(reply: bytes) -> ScriptedServer:
    """Return a server that always gives the same answer."""
    return ScriptedServer(lambda _request, _connection: reply)


def fetched(url: str, limits: Limits = PATIENT, headers: dict[str, str] | None = None) -> Fetched:
    """Fetch from this machine."""
    return fetch(url, headers=headers, limits=limits, allow_private=True)


def refusal(url: str, limits: Limits = PATIENT, *, allow_private: bool = True) -> str:
    """Return the reason of a refused fetch."""
    with pytest.raises(FetchError) as raised:
        fetch(url, limits=limits, allow_private=allow_private)
    return str(raised.value)


def test_fetch_sends_headers_and_returns_body_and_type() -> None:
    """A fetch sends its headers, asks for an unencoded body, and returns the body and its media type."""
    with serving(answer(b"[1]", headers={"Content-Type": "application/json; charset=utf-8"})) as server:
        found = fetched(f"{server.url}/users?page=2", headers={"Authorization": "Bearer s3cret"})

    assert found == Fetched(f"{server.url}/users?page=2", "application/json", b"[1]")
    [request] = server.requests
    assert request.target == "/users?page=2"
    assert request.headers["host"] == f"127.0.0.1:{server.port}"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["authorization"] == "Bearer s3cret"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ftp://127.0.0.1/", "http:// or https://"),
        ("file:///etc/passwd", "http:// or https://"),
        ("//127.0.0.1/", "http:// or https://"),
        ("http:///users", "http:// or https://"),
        ("", "2048 ASCII characters"),
        ("http://127.0.0.1/" + "x" * 2048, "2048 ASCII characters"),
        ("http://127.0.0.1/a b", "2048 ASCII characters"),
        ("http://127.0.0.1/\r\nX: y", "2048 ASCII characters"),
        ("http://b\u00fccher.example/", "2048 ASCII characters"),
        ("http://ann:s3cret@127.0.0.1/", "not contain a user or password"),
        ("http://@127.0.0.1/", "not contain a user or password"),
        ("http://127.0.0.1:99999/", "invalid host or port"),
        ("http://127.0.0.1:0/", "http:// or https://"),
        ("http://[::1/", "invalid host or port"),
    ],
)
def test_url_that_is_not_fetched(url: str, expected: str) -> None:
    """Only an http or https URL with a host and no login is fetched, and the refusal shows no secret."""
    text = refusal(url)

    assert expected in text
    assert "s3cret" not in text
    assert "\n" not in text


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "127.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "0.0.0.0",  # noqa: S104  # an address to refuse, not one to listen on
        "169.254.169.254",
        "10.0.0.1",
    ],
)
def test_private_address_is_refused(host: str) -> None:
    """A private address is refused however it is written, before a connection is made."""
    with serving(answer(b"[]")) as server:
        text = refusal(f"http://{host}:{server.port}/", allow_private=False)

    assert "private, local or reserved address" in text
    assert not server.requests


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_address_is_allowed(address: str) -> None:
    """A public address is allowed, and so is a NAT64 address of one."""
    assert may_be_reached(address, allow_private=False)


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "100.64.0.1", "::1", "fd12::1", "::ffff:10.0.0.1"],
)
def test_private_address_needs_the_setting(address: str) -> None:
    """A private address is allowed only by the setting."""
    assert may_be_reached(address, allow_private=True)
    assert not may_be_reached(address, allow_private=False)


@pytest.mark.parametrize("allow_private", [False, True])
@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104  # an address to refuse, not one to listen on
        "0.1.2.3",
        "169.254.169.254",
        "169.254.170.2",
        "192.0.0.170",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::7f00:1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::1",
        "3fff::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_address_that_is_never_reached(address: str, allow_private: bool) -> None:
    """Link-local, metadata, multicast, documentation and reserved addresses are refused in any case."""
    assert not may_be_reached(address, allow_private=allow_private)


def test_every_address_of_a_name_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with one public and one private address is refused."""
    addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, 0)) for text in ("8.8.8.8", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: addresses)

    assert "private" in refusal("http://rebinding.example/", allow_private=False)


def test_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to the checked address, although the name changes a moment later."""
    names: list[str] = []
    real = socket.getaddrinfo

    def looked_up(host: str, port: Any, *args: Any, **options: Any) -> Any:
        if host != "rebinding.example":
            return real(host, port, *args, **options)
        names.append(host)
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1" if len(names) == 1 else "192.0.2.1", 0))
        ]

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with serving(answer(b"[]")) as server:
        fetched(f"http://rebinding.example:{server.port}/")

    assert names == ["rebinding.example"]
    assert server.requests[0].headers["host"] == f"rebinding.example:{server.port}"


def test_no_such_host() -> None:
    """The error of a missing host names it."""
    assert refusal("http://no-such-host.invalid/a") == "http://no-such-host.invalid: there is no such host"


def test_slow_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that does not answer delays a fetch no longer than its time limit."""
    release = threading.Event()

    def stalled(*_args: Any, **_options: Any) -> Any:
        release.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", stalled)
    assert "did not send a complete answer within 0.5 s" in refusal("http://slow.example/", SHORT)
    release.set()


def test_port_without_a_server_is_a_clear_error() -> None:
    """The error of a port without a server says so."""
    with ReservedPort() as port:
        assert refusal(f"http://127.0.0.1:{port}/u?key=s3cret") == (
            f"http://127.0.0.1:{port}/u cannot be reached: Connection refused"
        )


@pytest.mark.parametrize(
    "status", ["400 Bad Request", "401 Unauthorized", "404 Not Found", "503 Busy", "304 No"]
)
def test_answer_without_2xx_is_an_error_with_its_status(status: str) -> None:
    """An answer other than 2xx is an error with its status."""
    with (
        serving(answer(b"[]", status)) as server,
        pytest.raises(FetchError, match=f"answered {status[:3]}") as raised,
    ):
        fetched(server.url)

    assert raised.value.status == int(status[:3])


def test_body_of_the_limit() -> None:
    """A body may be as long as the limit."""
    with serving(answer(b"x" * 1000)) as server:
        assert len(fetched(server.url).body) == 1000


def chunked(size: int) -> bytes:
    """Return an endless chunked answer."""
    chunk = b"%x\r\n%b\r\n" % (size, b"x" * size)
    return (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * (1001 // size + 1) + b"0\r\n\r\n"
    )


@pytest.mark.parametrize(
    "reply",
    [
        answer(b"x" * 1001),
        answer(b"", length=10**12),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001,
        chunked(1001),
        chunked(7),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n" + b"x" * 5000,
    ],
    ids=["length", "claim", "until closed", "chunk", "chunks", "endless chunk"],
)
def test_body_over_the_limit(reply: bytes) -> None:
    """A body over the limit is refused, however the server states its length."""
    with serving(reply) as server:
        assert "sends more than 1000 bytes" in refusal(server.url)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (answer(b"[1", length=10), "closed the connection before the end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n[1", "IncompleteRead"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n[1", "does not answer with valid HTTP"),
        (b"220 smtp.example ready\r\n", "does not answer with valid HTTP"),
        (b"", "RemoteDisconnected"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n", "does not answer with valid HTTP"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000 + b"\r\n\r\n", "LineTooLong"),
        (
            answer(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
            "sends 'gzip' although no encoding was accepted",
        ),
    ],
    ids=["length", "chunk", "negative chunk", "not HTTP", "nothing", "headers", "header", "gzip"],
)
def test_answer_that_cannot_be_used(reply: bytes, expected: str) -> None:
    """A broken, truncated or compressed answer is a FetchError, never another exception."""
    with serving(reply) as server:
        assert expected in refusal(server.url)


@pytest.mark.parametrize(
    "prologue",
    [b"", b"HTTP/1.1 200 OK\r\nA: ", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"],
    ids=["silent", "header", "body"],
)
def test_slow_server_is_cut_off_at_the_deadline(prologue: bytes) -> None:
    """A server that sends single bytes slowly is cut off at the deadline of the whole fetch."""
    gone = threading.Event()

    def drip(_request: Request, connection: socket.socket) -> None:
        connection.sendall(prologue)
        while not select.select([connection], [], [], 0.05)[0]:
            if prologue:
                connection.sendall(b"x")
        gone.set()

    with ScriptedServer(drip) as server:
        assert "did not send a complete answer within 0.5 s" in refusal(server.url, SHORT)
        assert gone.wait(20)


def test_silent_tls_handshake_is_cut_off() -> None:
    """A server that accepts a connection and never speaks TLS is cut off."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        text = refusal(f"https://127.0.0.1:{silent.getsockname()[1]}/", SHORT)

    assert "did not send a complete answer within 0.5 s" in text


def redirecting(*targets: str, status: str = "302 Found") -> ScriptedServer:
    """Return a server that redirects /0 to the first target, /1 to the second, …, and answers any other."""

    def handler(request: Request, _connection: socket.socket) -> bytes:
        step = request.target.strip("/")
        if step.isdigit() and int(step) < len(targets):
            return answer(b"", status, headers={"Location": targets[int(step)]})
        return answer(b"[]")

    return ScriptedServer(handler)


@pytest.mark.parametrize("status", ["301 M", "302 F", "303 S", "307 T", "308 P"])
def test_three_redirects_are_followed_with_the_headers(status: str) -> None:
    """Three redirects on the same server are followed, with the headers."""
    with redirecting("/1", "2", "/end?a=b", status=status) as server:
        found = fetched(f"{server.url}/0", headers={"Authorization": "Bearer x"})

    assert found.url == f"{server.url}/end?a=b"
    assert [request.target for request in server.requests] == ["/0", "/1", "/2", "/end?a=b"]
    assert all(request.headers["authorization"] == "Bearer x" for request in server.requests)


def test_fourth_redirect_is_not_followed() -> None:
    """A fourth redirect is not followed."""
    with redirecting("/0") as server:
        assert refusal(f"{server.url}/0").endswith("/0 redirects more than 3 times")

    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "target",
    [
        "http://localhost:{port}/x",
        "https://127.0.0.1:{port}/x",
        "http://127.0.0.1:1/x",
        "//example.com/x",
        "http://ann:s3cret@127.0.0.1:{port}/x",
        "file:///etc/passwd",
        "http://127.0.0.1:{port}/a b",
        "http://[",
    ],
)
def test_redirect_to_another_origin_is_not_followed(target: str) -> None:
    """A redirect to another scheme, host or port, or to a URL with a login, is not followed."""
    with ScriptedServer(lambda _request, _connection: b"") as server:
        location = target.replace("{port}", str(server.port))
        server.handler = lambda _request, _connection: answer(
            b"", "302 Found", headers={"Location": location}
        )
        text = refusal(server.url)

    assert len(server.requests) == 1
    assert "s3cret" not in text


@pytest.mark.parametrize("value", ["Bearer a\r\nX: y", "Bearer \u20ac", "Bearer a\0"])
def test_header_that_cannot_be_sent(value: str) -> None:
    """A header with a line break is refused without showing it."""
    with serving(answer(b"[]")) as server, pytest.raises(FetchError) as raised:
        fetched(server.url, headers={"Authorization": value})

    assert "Bearer" not in str(raised.value)
    assert not server.requests


def test_errors_show_urls_without_login_query_or_fragment() -> None:
    """An error shows a URL without its login, query and fragment."""
    assert shown("https://ann:pw@h.example/a?key=s3cret#x") == "https://***@h.example/a"
    assert shown("https://h.example/a#token") == "https://h.example/a"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("HTTP://Example.COM:80/a", "http://example.com"),
        ("https://example.com:443", "https://example.com"),
        ("https://example.com:8443/", "https://example.com:8443"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_origin_is_the_same_in_every_spelling(url: str, origin: str) -> None:
    """An origin is the same in every spelling of a URL."""
    assert origin_of(parsed(url)) == origin


class Authority:
    """A certificate authority of the tests, and servers with its certificates."""

    def __init__(self, folder: Path) -> None:
        self._made = trustme.CA()
        self.file = folder / "authority.pem"
        self._made.cert_pem.write_to_path(str(self.file))

    def server(self, *names: str) -> ScriptedServer:
        """Return a TLS server with a certificate for names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._made.issue_cert(*names).configure_cert(context)
        return ScriptedServer(lambda _request, _connection: answer(b"[]"), context)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that this process trusts."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made


def test_certificate_is_checked_for_the_urls_host(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificate is checked for the URL's host, which the handshake names, too."""
    real = socket.getaddrinfo

    def looked_up(host: str, port: Any, *args: Any, **options: Any) -> Any:
        return real("127.0.0.1" if host == "users.example" else host, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    with authority.server("users.example") as server:
        found = fetched(f"https://users.example:{server.port}/a")

    assert found.body == b"[]"
    assert server.names == ["users.example"]


def test_authorities_are_read_once(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """The authorities are read at the first connection, once for all fetches of an import."""
    made: list[ssl.SSLContext] = []
    create = ssl.create_default_context

    def counted() -> ssl.SSLContext:
        made.append(create())
        return made[-1]

    with authority.server("127.0.0.1") as server:
        monkeypatch.setattr(ssl, "create_default_context", counted)
        for _ in range(3):
            assert fetched(server.url).body == b"[]"

    assert len(made) == 1


def test_certificate_of_another_name_is_refused(authority: Authority) -> None:
    """A certificate for another name is refused, and no request is sent."""
    with authority.server("users.example") as server:
        text = refusal(f"{server.url}/a?key=s3cret")

    assert "has no valid certificate: IP address mismatch" in text
    assert not server.requests


def test_certificate_of_an_unknown_authority_is_refused(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A certificate of an untrusted authority is refused."""
    stranger = Authority(tmp_path_factory.mktemp("stranger"))
    with stranger.server("127.0.0.1") as server:
        assert "has no valid certificate: unable to get local issuer" in refusal(server.url)


def test_plain_server_behind_https(authority: Authority) -> None:
    """The error of a server without TLS behind an https URL says so."""

    def greet(listener: socket.socket) -> None:
        with listener.accept()[0] as connection:
            connection.sendall(answer(b"[]"))

    with socket.create_server(("127.0.0.1", 0)) as plain:
        server = threading.Thread(target=greet, args=(plain,))
        server.start()
        text = refusal(f"https://127.0.0.1:{plain.getsockname()[1]}/")
        server.join()

    assert "does not speak TLS" in text
