"""Every route is guarded: no view answers outside the guard that turns errors into problems."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from chalice.app import Blueprint

from app import app
from chalicelib import services
from chalicelib.http import (
    OPERATIONS,
    Call,
    CallerNamed,
    Operation,
    Response,
    Who,
    carry,
    dispatch,
    reply,
    routing,
)
from chalicelib.http.authentication import Authentication
from chalicelib.http.request import Request
from chalicelib.services.auth.caller import Caller
from chalicelib.services.values.tokens import new_token
from tests.store.app_requests import call

ROUTES = [(method, path) for path, methods in app.routes.items() for method in methods if method != "OPTIONS"]


def test_every_route_is_dispatched() -> None:
    """Chalice runs no view: its routes have stand-ins, and the only middleware answers by dispatch."""
    registered = {(one.method, one.path): one for one in OPERATIONS}

    assert app.middleware_handlers == [(carry, "http")]
    for method, path in ROUTES:
        view: Any = app.routes[path][method].view_function
        operation = registered.pop((method, path))
        assert routing.RESOURCES[path][method] is operation
        assert view.__wrapped__ is operation.view
        with pytest.raises(RuntimeError, match="Chalice has called a view"):
            view()
    assert registered == {}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_no_route_leaks_a_defect(monkeypatch: pytest.MonkeyPatch, method: str, path: str) -> None:
    """A defect below a route is a problem without details of it."""

    def defective() -> Any:
        raise RuntimeError("secret")

    monkeypatch.setattr(services, "current", defective)

    answer = call(method, path.replace("{chat}", "ann:bob").replace("{seq}", "1"), body={})

    assert (answer.status, answer.body["code"]) == (500, "internal_error")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["X-Request-Id"] in repr(answer)
    assert "secret" not in repr(answer)


@pytest.mark.parametrize(
    "origin", ["null", "http://evil.example", "http://localhost:81", "http://[", "\u00e9", "x"]
)
def test_open_server_refuses_foreign_origins(monkeypatch: pytest.MonkeyPatch, origin: str) -> None:
    """An open server refuses pages of any other site, in any spelling of its origin."""
    monkeypatch.setenv("PARLEY_STAGE", "local")
    monkeypatch.setenv("PARLEY_AUTH", "open")
    services.current.cache_clear()

    answer = call("GET", "/ping", Origin=origin, Host="localhost:80")

    services.current.cache_clear()
    assert (answer.status, answer.body["code"]) == (403, "cross_site")


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://chat.example.lan", 200),
        ("https://CHAT.example.lan:3000", 200),
        ("http://evil.chat.example.lan", 403),
        ("http://chat.example.lan.evil", 403),
        ("http://chat.example.lan@evil", 403),
        ("chat.example.lan", 403),
    ],
)
def test_pages_of_listed_hosts(monkeypatch: pytest.MonkeyPatch, origin: str, status: int) -> None:
    """An open server accepts pages of its own hosts, on any port, and no others."""
    for name, value in {"STAGE": "local", "AUTH": "open", "OPEN_HOSTS": "chat.example.lan"}.items():
        monkeypatch.setenv(f"PARLEY_{name}", value)
    services.current.cache_clear()

    answer = call("GET", "/ping", Origin=origin, Host="localhost:80")

    services.current.cache_clear()
    assert answer.status == status


def test_a_view_without_its_store_call_answers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A view's answer is withheld if its store call did not authenticate the caller."""
    monkeypatch.setenv("PARLEY_AUTH", "required")
    services.current.cache_clear()
    token = {"authorization": f"Bearer {new_token('ann')}"}
    forgetful = Operation(
        Who.CALLER_IN_ROUND_TRIP, "GET", "/forgetful", lambda call, caller: reply("secret"), {200: str}
    )

    given = Call(Request("GET", "/forgetful", "/forgetful", {}, token, {}, b"", "127.0.0.1"))

    with pytest.raises(RuntimeError, match="GET /forgetful"):
        dispatch.answered(given, Authentication(given, "read"), forgetful, {})

    services.current.cache_clear()


def without_caller(call: Call) -> Response:
    """Answer any caller."""
    return reply("secret")


def with_caller(call: Call, caller: Caller) -> Response:
    """Answer a caller."""
    return reply(caller.handle)


def with_names(call: Call, caller_named: CallerNamed) -> Response:
    """Answer a caller by the name in the request."""
    return reply(caller_named("ann").handle)


def of_a_chat(call: Call, caller: Caller, handle: str) -> Response:
    """Answer a caller about a user."""
    return reply(handle)


@pytest.mark.parametrize(
    ("who", "path", "view"),
    [
        (Who.CALLER, "/x", without_caller),
        (Who.ACCOUNT, "/x", without_caller),
        (Who.CALLER_IN_ROUND_TRIP, "/x", without_caller),
        (Who.CALLER_NAMED, "/x", with_caller),
        (Who.CALLER, "/x", with_names),
        (Who.ANYBODY, "/x", with_caller),
        (Who.CALLER, "/x/{chat}", of_a_chat),
        (Who.CALLER, "/x/{chat}", with_caller),
    ],
)
def test_a_view_that_does_not_take_its_caller_cannot_be_registered(
    who: Who, path: str, view: Callable[..., Response]
) -> None:
    """A view whose parameters do not match its route fails when its module is imported."""
    register: Any = routing.route
    before = list(OPERATIONS)

    with pytest.raises(TypeError, match=f"GET {re.escape(path)} gives its view"):
        register(Blueprint("x"), who, "GET", path, {200: str})(view)

    assert before == OPERATIONS


def test_a_view_that_does_not_take_its_caller_is_a_type_error() -> None:
    """The type checker refuses such a view too; it would report these comments if it did not."""
    for_caller = routing.route(Blueprint("x"), Who.CALLER, "GET", "/x", {200: str})
    for_named = routing.route(Blueprint("x"), Who.CALLER_NAMED, "GET", "/x", {200: str})

    with pytest.raises(TypeError):
        for_caller(without_caller)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        for_named(with_caller)  # type: ignore[arg-type]
