"""The Lambda handler in this process, with its own store."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TextIO

import redis

from bench.loads import (
    FILL,
    ID_CHARACTERS,
    MEMBERS,
    PAGE,
    PULL_CHAT_LENGTH,
    UNIQUE_ID,
    Load,
    pulls,
    registration,
    sends,
)
from bench.options import LIMITS
from infra.local.events import LambdaContext, proxy_event
from infra.local.requests import Request
from infra.local.router import Router
from tests.servers.engines import ValkeyEngine

Event = dict[str, Any]
App = Callable[[Event], dict[str, Any]]

_ids = itertools.count()


class Received(NamedTuple):
    """A request as the gateway gets it from its HTTP server, and its body."""

    request: Request
    body: bytes


class Handler:
    """The application as on Lambda, and the requests for it.

    app: Handles an event. routes: Its paths, as Chalice writes them.
    store: A connection to its store.
    url: The store's REDIS_URL.
    """

    def __init__(self, app: App, routes: Iterable[str], store: redis.Redis, url: str) -> None:
        self._call = app
        self._router = Router(routes)
        self.store = store
        self.url = url

    def events(self, load: Load, count: int) -> list[Event]:
        """Return events of a request; an id in the request is new in each."""
        return [self.event(request) for request in self.requests(load, count)]

    def requests(self, load: Load, count: int) -> list[Received]:
        """Return requests as the gateway gets them from its HTTP server."""
        return [_request(load) for _ in range(count)]

    def event(self, received: Received) -> Event:
        """Return the event that the gateway makes of a request."""
        match = self._router.match(received.request.path)
        assert match is not None, f"no route has the path {received.request.path}"
        return proxy_event(received.request, match, received.body)

    def call(self, event: Event) -> dict[str, Any]:
        """Handle one event, and return the response; fails if it is an error."""
        answer = self._call(event)
        assert answer["statusCode"] < 300, answer["body"]
        return answer

    def fill(self) -> None:
        """Send the messages that are pulled."""
        for event in self.events(FILL, PULL_CHAT_LENGTH):
            self.call(event)

    def by_token(self) -> list[Load]:
        """Return the loads of two registered users, in a chat with a page of messages."""
        first, second = (self.token(handle) for handle in MEMBERS)
        chat = ":".join(MEMBERS)
        writing, reading = sends(MEMBERS[0], chat, first), pulls(MEMBERS[1], chat, second)
        for event in self.events(writing[0], PAGE):
            self.call(event)
        made = [one for pair in zip(writing, reading, strict=True) for one in pair]
        return [load._replace(name=f"{load.name}, by token") for load in made]

    def token(self, handle: str) -> str:
        """Register a user, and return the token."""
        (event,) = self.events(registration(handle), 1)
        token: str = json.loads(self.call(event)["body"])["token"]
        return token


def _request(load: Load) -> Received:
    path, _, query = load.path.partition("?")
    headers = {"host": "127.0.0.1:8080", "user-agent": "bench", "accept": "*/*"}
    headers |= {name.lower(): value for name, value in load.headers.items()}
    lists = {name: [value] for name, value in headers.items()}
    request = Request(load.method, path, query, lists, "127.0.0.1", "1.1")
    return Received(request, load.body.replace(UNIQUE_ID, f"{next(_ids):0{ID_CHARACTERS}d}").encode())


@contextlib.contextmanager
def handler() -> Iterator[Handler]:
    """Yield the handler on an embedded Valkey without persistence; its log lines go to the null device."""
    with ValkeyEngine() as engine, open(os.devnull, "w", encoding="utf-8") as nowhere:
        os.environ.update(PARLEY_STAGE="local", PARLEY_AUTH="open", REDIS_URL=engine.url)
        os.environ["PARLEY_RATE_LIMITS"] = LIMITS
        from app import app
        from chalicelib import services
        from chalicelib.logs import LOGGER

        services.current.cache_clear()
        made = Handler(
            lambda event: app(event, LambdaContext("bench")), app.routes, engine.nodes[0], engine.url
        )
        with _logging_to(nowhere, LOGGER.handlers[0]):
            made.fill()
            yield made


@contextlib.contextmanager
def _logging_to(stream: TextIO, log_handler: logging.Handler) -> Iterator[None]:
    assert isinstance(log_handler, logging.StreamHandler)
    before = log_handler.setStream(stream)
    try:
        yield
    finally:
        log_handler.setStream(before or sys.stderr)
