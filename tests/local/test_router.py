"""The routes of paths."""

from __future__ import annotations

import pytest

from infra.local.router import Router

ROUTER = Router(
    [
        "/",
        "/ping",
        "/v1/chats",
        "/v1/chats/mine",
        "/v1/chats/{chat}",
        "/v1/chats/{chat}/messages",
        "/v1/chats/{chat}/messages/{seq}",
        "/v1/{kind}/newest",
    ]
)


@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("/", "/", {}),
        ("/ping", "/ping", {}),
        ("/ping/", "/ping", {}),
        ("/v1/chats/a:b", "/v1/chats/{chat}", {"chat": "a:b"}),
        ("/v1/chats/mine", "/v1/chats/mine", {}),
        ("/v1/chats/mine/messages", "/v1/chats/{chat}/messages", {"chat": "mine"}),
        ("/v1/chats/a/messages/7/", "/v1/chats/{chat}/messages/{seq}", {"chat": "a", "seq": "7"}),
        ("/v1/chats/newest", "/v1/chats/{chat}", {"chat": "newest"}),
        ("/v1/users/newest", "/v1/{kind}/newest", {"kind": "users"}),
        ("/v1/chats/a%2Fmessages", "/v1/chats/{chat}", {"chat": "a%2Fmessages"}),
        ("/v1/chats/a%2fb:c/messages", "/v1/chats/{chat}/messages", {"chat": "a%2fb:c"}),
        ("/v1/chats/%2F/messages/%2F", "/v1/chats/{chat}/messages/{seq}", {"chat": "%2F", "seq": "%2F"}),
        ("/v1/%63hats/m%69ne", "/v1/chats/mine", {}),
        ("/v1/chats/messages/messages", "/v1/chats/{chat}/messages", {"chat": "messages"}),
    ],
)
def test_a_path_has_its_route(path: str, resource: str, parameters: dict[str, str]) -> None:
    """A literal segment beats a parameter, one slash at the end is ignored, an encoded slash is text."""
    assert ROUTER.match(path) == (resource, parameters)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "ping",
        "*",
        "//ping",
        "/ping//",
        "/PING",
        "/ping/x",
        "/v1",
        "/v1/chats//",
        "/v1/x",
        "/v1/chats/a/b",
        "%2Fping",
        "/v1%2Fchats",
        "/v1/chats/a/messages%2F7",
    ],
)
def test_a_path_without_a_route(path: str) -> None:
    """Any other path has no route; a parameter takes no empty segment."""
    assert ROUTER.match(path) is None
