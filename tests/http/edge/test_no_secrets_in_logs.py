"""Secrets left behind: a password, token, text or email in a log, a password or token at rest."""

from __future__ import annotations

import json
import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.local.processes import store
from tests.servers.gateway import Gateway, running_gateway
from tests.servers.waiting import eventually

pytestmark = pytest.mark.long

ENV = {
    "PARLEY_AUTH": "required",
    "PARLEY_LOG_LEVEL": "DEBUG",
    "PARLEY_RATE_LIMITS": "auth=0",
    "PARLEY_ARGON2": "m=64,t=1,p=1",
    "PARLEY_CORS_ORIGINS": "https://chat.example.com",
    "PARLEY_REDIS_TIMEOUT": "2",
}
MIN_CALLS = 60


class Secrets:
    """Texts that occur nowhere else: made here, or given by the server."""

    def __init__(self) -> None:
        self.kept_apart: set[str] = set()  # passwords and tokens: not even in the store
        self.private: set[str] = set()  # texts and emails: in the store alone

    def password(self) -> str:
        """Return a new password."""
        made = f"pw-{secrets.token_hex(12)}"
        self.kept_apart.add(made)
        return made

    def token(self, given: str) -> str:
        """Remember a token of the server, or one that looks like it, and return it."""
        self.kept_apart.add(given.removeprefix("parley_").partition(".")[0])
        return given

    def text(self, form: str = "text-{}") -> str:
        """Return a new text of a form."""
        made = secrets.token_hex(12)
        self.private.add(made)
        return form.format(made)


class Run:
    """Calls to a server with secrets in every field that may carry them."""

    def __init__(self, url: str, secret: Secrets) -> None:
        self._http = httpx.Client(base_url=url, timeout=30)
        self._secret = secret
        self.statuses: list[int] = []

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(self, method: str, path: str, token: str | None = None, **options: Any) -> httpx.Response:
        """Send one request, with a bearer token if one is given."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = self._http.request(
            method, path, headers={**headers, **options.pop("headers", {})}, **options
        )
        self.statuses.append(response.status_code)
        return response

    def enter(self, path: str, **body: Any) -> str:
        """Register or log in, and return the token."""
        response = self.call("POST", path, json=body)
        assert response.status_code in (200, 201), response.text
        return self._secret.token(response.json()["token"])

    def lives(self) -> tuple[str, str]:
        """Register, log in, write and read as two users; return a chat of theirs and one's token."""
        secret, password, email = self._secret, self._secret.password(), self._secret.text("{}@example.org")
        names = [f"u{secrets.token_hex(6)}" for _ in range(2)]
        first = self.enter("/v1/register", handle=names[0], password=password, email=email)
        self.enter("/register", username=names[1], password=secret.password())
        self.enter("/v1/login", email=email, password=password)
        token = self.enter("/login", username=names[0], password=password)
        chat = ":".join(sorted(names))
        for route, body in (
            (f"/v1/chats/{chat}/messages", {"text": secret.text(), "id": secret.text()}),
            ("/api/send", {"chat": chat, "sender": names[0], "text": secret.text()}),
            ("/v1/posts", {"text": secret.text()}),
        ):
            assert self.call("POST", route, token, json=body).status_code in (201, 204)
        bio = self.call(
            "PATCH", "/v1/users/me", token, json={"name": secret.text("{}"), "bio": secret.text()}
        )
        assert bio.status_code == 200
        for path in (
            f"/v1/chats/{chat}/messages",
            f"/api/pull?chat={chat}",
            "/v1/feed",
            "/v1/sessions",
            "/v1/users/me",
            "/v1/users/me/export",
            f"/v1/users?q={secret.text('{}')}",
            f"/follow?toFollowId={names[1]}",
        ):
            self.call("POST" if "follow" in path else "GET", path, token)
        changed = {"password": password, "new_password": secret.password()}
        assert self.call("PUT", "/v1/users/me/password", token, json=changed).status_code == 204
        assert self.call("POST", "/v1/logout", token).status_code == 202
        assert self.call("GET", "/v1/users/me", first).status_code == 401
        return chat, self.enter("/v1/login", handle=names[0], password=changed["new_password"])

    def goes_wrong(self, chat: str, token: str) -> None:
        """Make every invalid call with a secret in it."""
        secret, messages = self._secret, f"/v1/chats/{chat}/messages"
        for path in ("/v1/login", "/login", "/v1/register", "/register"):
            for body in (
                {"handle": "nobody", "username": "nobody", "password": secret.password()},
                {"email": secret.text("{}@example.org"), "password": secret.password()},
                {"email": secret.text(), "handle": secret.text(), "password": secret.password()},
                {"handle": 1, "password": [secret.password()]},
            ):
                self.call("POST", path, json=body)
                self.call("POST", path, content=json.dumps(body)[:-1])
                self.call("POST", path, params={name: str(value) for name, value in body.items()})
        alike = secret.token(f"parley_{secrets.token_urlsafe(32)}.nobody")
        signed = ".".join(secret.token(secrets.token_urlsafe(24)) for _ in range(3))
        for wrong in (alike, signed, secret.token(secrets.token_hex(20)), f"{secret.token(token)}x"):
            for method, path in (("GET", messages), ("POST", "/v1/logout"), ("POST", "/v1/identity")):
                self.call(method, path, wrong, json={"handle": "x"} if method == "POST" else None)
            self.call("GET", messages, headers={"Authorization": f"Basic {wrong}"})
        for wanted in (
            {"text": secret.text() * 2000},
            {"text": [secret.text()]},
            {"text": secret.text(), "id": secret.text("\u0000{}")},
            {"text": secret.text(), "kind": secret.text()},
        ):
            self.call("POST", messages, token, json=wanted)
            self.call("POST", "/api/send", token, json={**wanted, "chat": chat})
        self.call("POST", messages, token, content=b'{"text":"%s\xff"' % secret.text().encode())
        self.call("POST", messages, token, content=(secret.text() * 12_000).encode())
        self.call("PUT", messages, token, json={"text": secret.text()})
        self.call("POST", "/nowhere", token, json={"text": secret.text()}, params={"text": secret.text()})
        self.call("GET", f"/api/pull?chat={chat}&limit={secret.text()}", token)
        self.call("GET", f"/v1/users?q={secret.text()}&cursor={secret.text()}", token)
        self.call("GET", messages, token, headers={"Host": "evil.example", "Cookie": secret.text()})

    def store_stalls(self, server: Gateway, chat: str, token: str) -> None:
        """Write and log in while the store does not answer."""
        stalled = store(server)
        assert stalled is not None
        os.kill(stalled, signal.SIGSTOP)
        try:
            body = {"text": self._secret.text(), "id": self._secret.text()}
            assert self.call("POST", f"/v1/chats/{chat}/messages", token, json=body).status_code == 503
            login = {"handle": "nobody", "password": self._secret.password()}
            assert self.call("POST", "/v1/login", json=login).status_code == 503
        finally:
            os.kill(stalled, signal.SIGCONT)


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Secrets, str, Path]]:
    """The secrets of a run, the server's output, and the paths of its data."""
    secret, data = Secrets(), tmp_path_factory.mktemp("data")
    with running_gateway(ENV, ["--data", str(data), "--workers", "1"]) as server:
        run = Run(server.url, secret)
        run.goes_wrong(*run.lives())
        run.store_stalls(server, *run.lives())
        run.close()
        assert len(run.statuses) > MIN_CALLS
        assert {200, 201, 202, 204, 400, 401, 404, 405, 413, 503} <= set(run.statuses)
        assert 500 not in run.statuses
        assert eventually(lambda: server.output().count('"event":"request"') >= len(run.statuses))
        yield secret, server.output(), data


def test_server_log_contains_no_secret(traces: tuple[Secrets, str, Path]) -> None:
    """A full run logs a line for each call, and no password, token, text or email."""
    secret, log, _ = traces
    assert log.count('"event":"request"') > MIN_CALLS
    assert len(secret.kept_apart) > 20
    assert len(secret.private) > 20
    assert [line for line in log.splitlines() if _any_of(secret.kept_apart | secret.private, line)] == []


def test_store_log_contains_no_secret(traces: tuple[Secrets, str, Path]) -> None:
    """The store's own log contains no secret either."""
    secret, _, data = traces
    logs = [path.read_text(errors="replace") for path in data.rglob("*.log")]
    assert logs
    assert not any(_any_of(secret.kept_apart | secret.private, log) for log in logs)


def test_no_password_and_no_token_is_kept(traces: tuple[Secrets, str, Path]) -> None:
    """The store's files hold the texts, and neither a password nor a token."""
    secret, _, data = traces
    kept = "".join(path.read_bytes().decode("latin-1") for path in data.rglob("*") if path.is_file())
    assert _any_of(secret.private, kept)
    assert not _any_of(secret.kept_apart, kept)


def _any_of(texts: set[str], where: str) -> bool:
    return any(text in where for text in texts)
