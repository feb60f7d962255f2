"""Failed starts of the server: one clear line, and no process left."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from chalicelib.config import Settings
from infra.local import launch, server
from tests.local.raw_http import TIMEOUT_SECONDS, port_of
from tests.servers.commands import run
from tests.servers.gateway import Gateway, running_gateway
from tests.servers.ports import ReservedPort

pytestmark = pytest.mark.long


def refusal(args: list[str], env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a server that cannot start; return its exit status and output."""
    ended = run("infra.local", *args, env=env)
    assert ended.stdout == ""
    return ended.returncode, ended.stderr


def is_one_line(text: str) -> bool:
    """Return whether a text is one line that begins as the server's own lines do."""
    return text.startswith("parley: ") and text.count("\n") == 1 and text.endswith("\n")


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another process uses."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port: int = listener.getsockname()[1]
        yield port


def test_busy_port_is_one_line_that_names_it(taken: int, tmp_path: Path) -> None:
    """The error of a busy port is one line that names it."""
    status, said = refusal(["--port", str(taken), "--data", str(tmp_path)])
    assert (status, is_one_line(said)) == (1, True)
    assert f"Port {taken} of 127.0.0.1 cannot be used: Address already in use. Set PORT to another." in said


def test_a_port_of_another_parley(shared: Gateway, tmp_path: Path) -> None:
    """A second server does not share the port of a first."""
    port = port_of(shared.url)
    status, said = refusal(["--port", str(port), "--data", str(tmp_path)])
    assert (status, is_one_line(said)) == (1, True)
    assert str(port) in said


def test_a_data_folder_in_use(tmp_path: Path) -> None:
    """A second server on the same data folder is refused, by any name of it."""
    folder = tmp_path / "data"
    alias = tmp_path / "alias"
    alias.symlink_to(folder)
    with running_gateway(args=["--data", str(folder), "--workers", "1"]) as server:
        for name in (folder, alias):
            status, said = refusal(["--port", "0", "--data", str(name)])
            assert (status, is_one_line(said)) == (1, True)
            assert str(name) in said
        assert httpx.get(f"{server.url}/health").status_code == 200


def test_a_data_folder_that_is_a_file(tmp_path: Path) -> None:
    """A DATA that is no folder is one line that names it."""
    file = tmp_path / "file"
    file.touch()
    status, said = refusal(["--port", "0", "--data", str(file)])
    assert (status, is_one_line(said)) == (1, True)
    assert str(file) in said


def test_a_store_that_is_not_there() -> None:
    """A REDIS_URL without a server is one line, with the password masked."""
    with ReservedPort() as port:
        url = f"redis://user:s3cr3t@127.0.0.1:{port}/0?username=s3cr3t"
        status, said = refusal(["--port", "0"], {"REDIS_URL": url})
    assert (status, is_one_line(said)) == (1, True)
    assert "s3cr3t" not in said
    assert "***@127.0.0.1" in said


@pytest.mark.parametrize(
    ("args", "env", "expected"),
    [
        (["--port", "70000"], {}, "70000"),
        (["--port", "http"], {}, "http"),
        ([], {"PORT": "-1"}, "-1"),
        (["--workers", "0"], {}, "workers"),
        ([], {"WORKERS": "many"}, "many"),
        ([], {"LOG": "loud"}, "neither text nor json"),
        ([], {"PARLEY_DURABILITY": "never"}, "durability: 'never' is neither everysec nor always"),
        (
            [],
            {"PARLEY_DURABILITY": "always", "REDIS_URL": "redis://127.0.0.1:1"},
            "set appendfsync always",
        ),
        ([], {"PARLEY_HOST": "no such host"}, "no such host"),
        (["--prot", "1"], {}, "--prot"),
        (["serve"], {}, "serve"),
        ([], {"ADDRESS_CONNECTIONS": "-1"}, "address-connections"),
        ([], {"UNCOUNTED_ADDRESSES": "10.0.0.1/8"}, "10.0.0.1/8"),
        ([], {"PARLEY_AUTH": "closed"}, "PARLEY_AUTH"),
        (
            [],
            {"PARLEY_ATUH": "required"},
            "PARLEY_ATUH is not a setting of Parley: did you mean PARLEY_AUTH?",
        ),
        ([], {"PARLEY_STAGE": "production"}, "PARLEY_STAGE has an invalid value: it must be one of"),
        ([], {"REDIS_URL": "localhost"}, "REDIS_URL"),
        ([], {"REDIS_URL": "redis://me:s3cr3t/s3cr3t@localhost"}, "REDIS_URL"),
        ([], {"PARLEY_REDIS_CLUSTER": "1"}, "PARLEY_REDIS_CLUSTER"),
        ([], {"PARLEY_REDIS_PASSWORD": "s3cr3t"}, "PARLEY_REDIS_PASSWORD"),
        ([], {"PARLEY_REDIS_SECRET": "s3cr3t"}, "PARLEY_REDIS_SECRET"),
    ],
)
def test_invalid_setting_is_one_line_that_names_it(
    tmp_path: Path, args: list[str], env: dict[str, str], expected: str
) -> None:
    """The error of an invalid value is one line that names it."""
    status, said = refusal(args, {"DATA": str(tmp_path / "data"), "PORT": "0", **env})
    assert status in (1, 2)
    assert is_one_line(said)
    assert expected in said
    assert "s3c" not in said


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104 - refused, not bound
def test_an_open_server_stays_at_home(host: str, tmp_path: Path) -> None:
    """Open mode does not listen beyond loopback without a second setting."""
    status, said = refusal(["--host", host, "--port", "0", "--data", str(tmp_path)])
    assert (status, is_one_line(said)) == (1, True)
    assert "PARLEY_OPEN_HOSTS" in said


@pytest.mark.parametrize("env", [{"PARLEY_OPEN_HOSTS": "parley.example"}, {"PARLEY_AUTH": "required"}])
def test_a_server_for_other_machines(env: dict[str, str]) -> None:
    """With that setting, or with tokens required, it does, and answers to its name."""
    with running_gateway(env, ["--host", "0.0.0.0", "--workers", "1"]) as server:  # noqa: S104 - the point
        url = f"http://127.0.0.1:{port_of(server.url)}/ping"
        assert httpx.get(url, headers={"Host": "parley.example"}).status_code == 200
        other = httpx.get(url, headers={"Host": "other.example"}).status_code
        assert other == (403 if "PARLEY_OPEN_HOSTS" in env else 200)


def test_an_open_server_names_a_host_that_it_answers_to() -> None:
    """The printed call and the WebSocket URL work as they are."""
    args = ["--host", "0.0.0.0", "--workers", "1"]  # noqa: S104 - the point
    with running_gateway({"PARLEY_OPEN_HOSTS": "parley.example"}, args) as open_server:
        for expected in ("Parley is ready on http://", "curl -i http://", "WebSockets are on ws://"):
            assert f"{expected}127.0.0.1:" in open_server.output()


@pytest.mark.parametrize(
    ("address", "hosts", "called"),
    [
        ("127.0.0.1", "parley.example", "127.0.0.1"),
        ("::", "parley.example", "[::1]"),
        ("192.0.2.1", "parley.example,other.example", "parley.example"),
        ("192.0.2.1", "parley.example,192.0.2.1", "192.0.2.1"),
        ("fd00::2", "[fd00::1]", "[fd00::1]"),
        ("192.0.2.1", "", "192.0.2.1"),
    ],
)
def test_clients_call_a_host_that_a_server_answers_to(address: str, hosts: str, called: str) -> None:
    """An open server beyond loopback prints a listed name, others print their address."""
    env = {"PARLEY_AUTH": "open", "PARLEY_OPEN_HOSTS": hosts} if hosts else {"PARLEY_AUTH": "required"}
    assert launch._called(address, Settings.from_env({"PARLEY_STAGE": "local", **env})) == called


def test_a_server_looks_for_itself_under_a_name_that_every_server_answers_to() -> None:
    """The readiness check calls localhost: an open server may not answer to its own address."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as thread:
        looked = thread.submit(server._answers, "127.0.0.1", listening.getsockname()[1])
        with listening.accept()[0] as connection:
            head = connection.recv(1024)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert looked.result(TIMEOUT_SECONDS)
    assert b"\r\nHost: localhost\r\n" in head


@pytest.mark.parametrize("name", ["d" * 200, 'it\'s a "b" of caf\u00e9'])
def test_any_name_of_a_data_folder(name: str, tmp_path: Path) -> None:
    """A data folder may have a long path, blanks, quotes and any letters; messages are kept there."""
    folder = tmp_path / name
    for expected in (0, 1):
        with running_gateway(args=["--data", str(folder), "--workers", "1"]) as server:
            pull = f"{server.url}/api/pull?chat=a:b"
            assert len(httpx.get(pull).json()["messages"]) == expected
            message = {"chat": "a:b", "sender": "a", "text": "kept"}
            assert httpx.post(f"{server.url}/api/send", json=message).status_code == 204
    assert (folder / "appendonlydir").is_dir()
