"""The running server against its own OpenAPI document, and the page that shows it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from tests.deployed import fresh_tokens, own_chat
from tests.deployed.client import Api
from tests.deployed.options import trusts_names
from tests.deployed.people import People
from tests.deployed.target import Target, check_no_route

ROOT = Path(__file__).parents[2]
DESCRIPTION = ROOT / "docs" / "openapi.json"
SOCKET_DESCRIPTION = ROOT / "docs" / "asyncapi.json"
OPEN_NAME = "a name no account can have"
# What ends a session or an account.
ENDINGS = (
    "POST /logout",
    "POST /v1/logout",
    "DELETE /delete",
    "DELETE /v1/users/me",
    "DELETE /v1/sessions",
    "DELETE /v1/sessions/{session}",
    "PUT /v1/users/me/password",
)
# A generated name may be one that no chat can have, so a well-formed call may rightly be a 400. And DELETE of
# a direct chat hides what it has from the caller alone: the chat is still there, and says it was left.
CHECKS_LEFT_OUT = ["positive_data_acceptance", "use_after_free"]
# The handlers are the same everywhere, and away from here a call takes ten times as long: there, and through
# Chalice, only what an edge may get wrong is tried, once, and by an account; nobody, and a name, try less.
# Here an account tries most: who calls makes no difference to how a call is read.
EXAMPLES, FEWER_EXAMPLES, FEWEST_EXAMPLES = 30, 10, 3
ALL_PHASES = "examples,coverage,fuzzing,stateful"
FEWER_PHASES = "examples,fuzzing"
PHASES_AWAY = "examples,fuzzing,stateful"
# API Gateway hands on all calls of one form in the same way. So the calls of "coverage", 30 an operation, are
# made there for each method, with and without a path, a query, a header and a body.
OF_EACH_FORM = (
    "GET /v1/chats",
    "POST /v1/chats",
    "PATCH /v1/chats/{chat}",
    "PUT /v1/chats/{chat}/members/{handle}",
    "PUT /v1/chats/{chat}/read",
    "DELETE /v1/posts/{post}",
    "DELETE /v1/chats/{chat}/messages/{seq}",
    "GET /v1/chats/{chat}/messages",
    "POST /v1/chats/{chat}/messages",
    "POST /follow",
    "GET /api/pull",
    "POST /api/pull",
)


def test_the_description_is_this_checkouts(anyone: Api) -> None:
    """The server describes the routes and types that docs/openapi.json has."""
    assert anyone.call("GET", "/openapi.json").json() == json.loads(DESCRIPTION.read_bytes())


def test_the_description_of_the_socket_is_this_checkouts(anyone: Api) -> None:
    """The server describes the frames that docs/asyncapi.json has."""
    assert anyone.call("GET", "/asyncapi.json").json() == json.loads(SOCKET_DESCRIPTION.read_bytes())


@pytest.mark.long
def test_strangers_are_answered_as_documented(target: Target, tmp_path: Path) -> None:
    """Generated unauthenticated calls, valid and invalid, get documented answers, and never a 5xx."""
    run(target, tmp_path, target.url, FEWER_PHASES)


@pytest.mark.long
def test_names_are_answered_as_documented(
    target: Target, tmp_path: Path, open_url: str, named: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Generated calls by name on an open server get documented answers, too."""
    group = new_group(named, user=OPEN_NAME)
    use_hooks(monkeypatch, own_chat, PARLEY_TEST_CHAT=f"{OPEN_NAME}:somebody", PARLEY_TEST_GROUP=group)
    header = ("--header", f"X-Parley-User: {OPEN_NAME}")
    run(target, tmp_path, open_url, FEWER_PHASES, *header)


@pytest.mark.long
def test_tokens_are_answered_as_documented(
    target: Target, tmp_path: Path, registered: Api, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Generated calls of an account get documented answers, except those that would end its session."""
    person, friend = people.new(), people.someone()
    chat, group = f"{person.handle}:{friend.handle}", new_group(registered, person=person)
    use_hooks(monkeypatch, own_chat, PARLEY_TEST_CHAT=chat, PARLEY_TEST_GROUP=group)
    options = ["--header", f"Authorization: Bearer {person.token}"]
    options += [word for name in ENDINGS for word in ("--exclude-name", name)]
    if target.kind == "gateway":
        run(target, tmp_path, target.url, ALL_PHASES, *options, examples=EXAMPLES)
    else:
        run(target, tmp_path, target.url, PHASES_AWAY, *options)
        options += [word for name in OF_EACH_FORM for word in ("--include-name", name)]
        run(target, tmp_path, target.url, "coverage", *options)
    assert registered.call("GET", "/v1/users/me", person=person).status_code == 200


@pytest.mark.long
def test_endings_are_answered_as_documented(
    target: Target, tmp_path: Path, given_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls that end a session or an account get documented answers, each with the token of a new account."""
    use_hooks(monkeypatch, fresh_tokens, PARLEY_TEST_URL=target.url)
    options = [word for name in ENDINGS for word in ("--include-name", name)]
    if given_url is not None:
        options += ["--phases", "examples"]  # it may let an address register 20 accounts a minute
    run(target, tmp_path, target.url, FEWER_PHASES, *options)


def new_group(api: Api, **caller: Any) -> str:
    """Make a group and return its id; caller: as Api.raw takes it."""
    answer = api.call("POST", "/v1/chats", json={"kind": "group", "name": "a group"}, **caller)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["chat"])


def use_hooks(monkeypatch: pytest.MonkeyPatch, module: ModuleType, **variables: str) -> None:
    """Have schemathesis load a module of hooks, which reads some variables."""
    for name, value in {"SCHEMATHESIS_HOOKS": module.__name__, **variables}.items():
        monkeypatch.setenv(name, value)


def run(
    target: Target, folder: Path, url: str, phases: str, *options: str, examples: int = FEWER_EXAMPLES
) -> None:
    """Have schemathesis call a server, and check that nothing was wrong and some calls were tested.

    phases: Those where a call takes long; all elsewhere. examples: Maximum for an operation, elsewhere.
    """
    left_out = list(CHECKS_LEFT_OUT)
    if trusts_names(url):
        left_out.append("ignored_auth")  # the legacy paths need no header there
    if target.differs("unknown-method-is-404"):
        left_out.append("unsupported_method")
    # By itself it would register somebody, and call as them.
    (folder / "schemathesis.toml").write_text("[auth]\nauto-signup = false\n", encoding="utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", "--url", url]
    command += ["--no-color", "--exclude-checks", ",".join(left_out)]
    if target.takes_many_calls:
        command += ["--max-examples", str(examples)]
    else:
        command += ["--max-examples", str(FEWEST_EXAMPLES), "--phases", phases]
    if target.differs("sockets-are-missing") and "--include-name" not in options:
        command += ["--exclude-name", "POST /v1/realtime/ticket"]  # documented as a 503, which no call may be
    command += options
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Tested: [1-9]\d*", done.stdout), done.stdout


def test_the_page_needs_no_other_site(anyone: Api) -> None:
    """All resources of the documentation page are on this server, and its policy allows nothing else."""
    page = anyone.call("GET", "/docs")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self'")
    parts = re.findall(r'(?:src|href)="(?!data:)([^"]+)"', page.text)
    assert len(parts) == 8
    assert {"openapi.json", "asyncapi.json"} <= set(parts)
    for part in parts:
        url = urljoin(f"{anyone.url}/docs", part)
        assert url.startswith(anyone.url)
        assert anyone.call("GET", url.removeprefix(anyone.url)).status_code == 200


@pytest.mark.parametrize("path", ["/docs/%2e%2e%2fapp.py", "/docs/..%2f..%2fapp.py", "/docs/app.py"])
def test_the_page_has_no_other_parts(anyone: Api, path: str) -> None:
    """A name that is no part of the page, or leaves its folder, is a 404."""
    assert anyone.call("GET", path).status_code == 404


def test_a_path_cannot_climb(anyone: Api, target: Target) -> None:
    """A path with `..` in it, as written, is no route."""
    as_written = (urlsplit(anyone.url).path + "/docs/../app.py").encode()
    check_no_route(anyone.raw("GET", "/docs", extensions={"target": as_written}), target)
