"""The two ways to call the application, which give the same answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import app
from chalicelib import services
from chalicelib.errors import BadRequest
from chalicelib.http import OPERATIONS, Operation, cors
from infra.local.http.calls import Call, by_event, chosen, straight
from infra.local.http.writing import Answer
from infra.local.requests import Request
from infra.local.router import Match
from tests.servers.engines import Engine
from tests.servers.gateway import PATIENCE

PAGES = "https://pages.example"
SIDE = "\u00a7"
"""Stands in requests for a digit that differs between the ways, so that neither sees what the other wrote."""
VARYING = re.compile(r'\b[0-9a-f]{32}\b|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|"next":"[^"]*"|\d+')
PARAMETER = re.compile(r"{(\w+)}")
EXAMPLE_NAMES = re.compile(r"\b(?:alice|bob|carol|lobby)\b")

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "get", "X"]
CONTENT_TYPES = [
    ["application/json"],
    ["APPLICATION/JSON"],
    ["application/json; charset=utf-8"],
    ["text/plain; application/json"],
    ["text/plain,application/json"],
    ["text/plain", "application/json"],
    ["application/json", "text/plain"],
    ["text/plain"],
    ["application/jsonx"],
    ["application/ json"],
    ["*/*"],
    ["text/*/*"],
    [""],
]
HEADERS: dict[str, list[list[str]]] = {
    "content-type": CONTENT_TYPES,
    "x-parley-user": [
        [f"ann{SIDE}"],
        [f"ANN{SIDE}"],
        ["Zo%C3%A9"],
        ["%FF"],
        ["\ufffd"],
        [""],
        ["a", f"ann{SIDE}"],
    ],
    "authorization": [["Bearer x"], ["Bearer a.b.c"], ["bearer  "], ["Basic eA=="], [""]],
    "origin": [[PAGES], ["null"], ["http://evil.example"], [""], ["http://localhost"]],
    "x-forwarded-proto": [["https"], ["http"], ["https", "http"]],
    "x-request-id": [["mine-1"], ["not valid"], ["x" * 200]],
    "prefer": [["return=representation"], ["x, return=representation"]],
    "idempotency-key": [["k"], ["\u00e9"], ["x" * 100]],
    "content-encoding": [["gzip"], ["identity"], [" "]],
    "accept": [["application/json"], ["text/html;q=0.1, */*"]],
    "host": [["localhost"], ["evil.example"]],
}
QUERIES = [
    "",
    "limit=3",
    "LIMIT=3&limit=x",
    "limit=3.0&limit=1e1",
    "after=%FF",
    "a+b=%20&c",
    "&&=&x=",
    "x=a=b",
    f"chat=ann{SIDE}:bob{SIDE}&cursor=0",
    f"chat=ann{SIDE}%3Abob{SIDE}&text=a+b&sender=ann{SIDE}",
    "zzz=1",
    "q=b&kind=group",
]
CHAT = f"ann{SIDE}:bob{SIDE}"
PARAMETERS = [CHAT, f"ann{SIDE}", f"ann{SIDE}%3Abob{SIDE}", "me", "1", "%FF", "%2F", "%", "a%20b", "%00"]
BODIES = [
    b"",
    b"{}",
    b" ",
    b"[]",
    b"{",
    b"null",
    b'"x"',
    b"\xff\xfe",
    b'{"text":"\xc3\x28"}',
    b'{"zzz":"\xff"}',
    b'{"text":"\\ud800"}',
    b'{"zzz":1}',
    b"[" * 5000,
    f'{{"text":"hi","id":"k","sender":"ann{SIDE}","chat":"{CHAT}"}}'.encode(),
    f'{{"TEXT":"hi","Sender":"ann{SIDE}","receiver":"bob{SIDE}","text":"ho"}}'.encode(),
]

headers = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in HEADERS.items()}
)


class Sent(msgspec.Struct):
    """A request, with SIDE in it."""

    operation: Operation
    method: str
    parameters: list[str]
    query: str
    headers: dict[str, list[str]]
    body: bytes

    def by(self, call: Call, side: str) -> Answer | str:
        """Send it in one of the two ways; side: What SIDE stands for. Returns the text of a BadRequest."""
        names = PARAMETER.findall(self.operation.path)
        values = {
            name: value.replace(SIDE, side) for name, value in zip(names, self.parameters, strict=False)
        }
        path = PARAMETER.sub(lambda name: values[name[1]], self.operation.path)
        lists = {name: [one.replace(SIDE, side) for one in lines] for name, lines in self.headers.items()}
        request = Request(self.method, path, self.query.replace(SIDE, side), lists, "127.0.0.1", "1.1")
        body = self.body.replace(SIDE.encode(), side.encode())
        try:
            answer = call(request, Match(self.operation.path, values), body)
        except BadRequest as error:
            return error.detail
        return alike(answer, given_id="x-request-id" in self.headers)


def alike(answer: Answer, *, given_id: bool) -> Answer:
    """Return an answer without what differs from one call to the next: ids, times and other numbers."""
    headers = [(name, VARYING.sub("0", value)) for name, value in sorted(answer.headers)]
    assert "X-Request-Id" in dict(headers)
    if not given_id:
        headers = [(name, value) for name, value in headers if name != "X-Request-Id"]
    try:
        body = answer.body.decode()
    except UnicodeDecodeError:
        return Answer(answer.status, headers, answer.body)
    return Answer(answer.status, headers, VARYING.sub("0", body).encode())


@st.composite
def requests(draw: st.DrawFn) -> Sent:
    """Return a request that is good in most of its parts."""
    operation = draw(st.sampled_from([one for one in OPERATIONS if not one.slow]))
    method = draw(st.just(operation.method) | st.just(operation.method) | st.sampled_from(METHODS))
    parameters = draw(st.lists(st.sampled_from(PARAMETERS), min_size=3, max_size=3))
    good = EXAMPLE_NAMES.sub(rf"\g<0>{SIDE}", msgspec.json.encode(operation.example or {}).decode()).encode()
    body = draw(st.just(good) | st.sampled_from(BODIES))
    given_headers: dict[str, Any] = draw(st.just({}) | headers)
    usual = {"content-type": ["application/json"], "x-parley-user": [f"ann{SIDE}"], "host": ["localhost"]}
    return Sent(operation, method, parameters, draw(st.sampled_from(QUERIES)), usual | given_headers, body)


@pytest.fixture(scope="module", autouse=True)
def open_app(valkey: Engine) -> Iterator[None]:
    """The application of this process, open, with a store."""
    variables = {"STAGE": "local", "AUTH": "open", "CORS_ORIGINS": PAGES}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (
            {f"PARLEY_{name}": value for name, value in variables.items()} | PATIENCE
        ).items():
            patch.setenv(name, value)
        patch.setenv("REDIS_URL", valkey.url)
        for cached in (services.current, cors.current):
            cached.cache_clear()
        yield
    for cached in (services.current, cors.current):
        cached.cache_clear()


@settings(max_examples=300)
@given(requests())
def test_both_ways_give_the_same_answer(sent: Sent) -> None:
    """Good and hostile requests get the same status, headers and body directly and through Chalice."""
    assert sent.by(straight, "1") == sent.by(by_event(app), "2")


def operation(method: str, path: str) -> Operation:
    """Return a route."""
    (found,) = (one for one in OPERATIONS if (one.method, one.path) == (method, path))
    return found


@pytest.mark.parametrize("content_type", [None, *CONTENT_TYPES])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/send"), ("POST", "/v1/chats/{chat}/messages"), ("DELETE", "/v1/sessions")],
)
def test_both_ways_take_the_same_bodies(method: str, path: str, content_type: list[str] | None) -> None:
    """Every body with every Content-Type, or none, gets the same answer in both ways."""
    given_headers = {"x-parley-user": [f"ann{SIDE}"], "host": ["localhost"]}
    if content_type is not None:
        given_headers["content-type"] = content_type
    for body in BODIES:
        sent = Sent(operation(method, path), method, [CHAT], "", given_headers, body)

        assert sent.by(straight, "1") == sent.by(by_event(app), "2")


def test_the_way_is_chosen_by_its_variable() -> None:
    """DISPATCH=chalice calls the handler of events; anything else, the application."""
    assert chosen(app, {}) is chosen(app, {"DISPATCH": "direct"}) is straight
    assert chosen(app, {"DISPATCH": "chalice"}) is not straight
