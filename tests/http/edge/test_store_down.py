"""A store that stops, and one that stalls: reported at once, and served again when back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.deployed.client import Api, client_of, new_pair
from tests.servers.engines import ValkeyEngine
from tests.servers.gateway import Gateway, running_gateway
from tests.servers.waiting import eventually

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def store() -> Iterator[ValkeyEngine]:
    """A store of this module's own, which keeps its data."""
    with ValkeyEngine(appendonly=True) as engine:
        yield engine


@pytest.fixture(scope="module")
def server(store: ValkeyEngine) -> Iterator[Gateway]:
    """An open server on that store."""
    with running_gateway(env={"REDIS_URL": store.url, "PARLEY_REDIS_TIMEOUT": "1"}) as server:
        yield server


@pytest.fixture(scope="module")
def api(server: Gateway) -> Iterator[Api]:
    """A client of that server."""
    yield from client_of(server.url)


def send(url: str, chat: str, sender: str) -> tuple[int, str | None, str]:
    """Send once on a new connection; return status, Retry-After and the request's id."""
    own = Api(url)
    response = own.send(chat=chat, sender=sender, text="hi")
    own.close()
    return response.status_code, response.headers.get("Retry-After"), response.headers["X-Request-Id"]


def waited(server: Gateway, request_ids: set[str]) -> set[str]:
    """Return the requests that waited for the store until its time-out, once all have their lines."""
    assert eventually(lambda: all(one in server.output() for one in request_ids))
    lines = server.log_lines()
    late = {line["request_id"] for line in lines if line.get("cause", "").startswith("TimeoutError")}
    return late & request_ids


@contextlib.contextmanager
def failing(store: ValkeyEngine, fault: str) -> Iterator[None]:
    """Kill or stall the store, and restore it at the end."""
    store.kill() if fault == "killed" else store.pause()
    try:
        yield
    finally:
        store.start() if fault == "killed" else store.resume()


@pytest.mark.parametrize("fault", ["killed", "stalled"])
def test_a_store_that_is_gone_is_a_503_and_comes_back_by_itself(
    server: Gateway, api: Api, store: ValkeyEngine, fault: str
) -> None:
    """20 callers get 503 with Retry-After, later ones without a wait; ping goes on; service comes back."""
    chat, alice, _ = new_pair()
    assert api.send(chat=chat, sender=alice, text="before").status_code == 204
    with failing(store, fault):
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: send(server.url, chat, alice), range(20)))
        assert {status for status, _, _ in answers} == {503}
        assert {retry for _, retry, _ in answers} == {"1"}
        late = waited(server, {request_id for _, _, request_id in answers})
        assert bool(late) == (fault == "stalled")
        assert eventually(lambda: not waited(server, {send(server.url, chat, alice)[2]}))
        assert api.call("GET", "/health").json()["code"] == "store_unavailable"
        assert api.call("GET", "/ping").status_code == 200
    assert eventually(lambda: api.send(chat=chat, sender=alice, text="after").status_code == 204)
    texts = [m["text"] for m in api.pull(chat=chat, limit=100)["messages"]]
    assert (texts[0], texts[-1]) == ("before", "after")
    if fault == "killed":
        assert texts == ["before", "after"]


def test_a_full_store_says_so_and_stores_nothing(api: Api, store: ValkeyEngine) -> None:
    """A send to a store without memory is a 503 store_full; reading goes on; nothing was written."""
    chat, alice, _ = new_pair()
    api.post(chat, alice, text="before")
    (node,) = store.nodes
    node.config_set("maxmemory", 1)
    try:
        refused = api.post(chat, alice, text="too much")
        assert (refused.status_code, refused.json()["code"]) == (503, "store_full")
        assert api.page(chat, alice)["head"] == 1
    finally:
        node.config_set("maxmemory", 0)
    assert api.post(chat, alice, text="after").json()["seq"] == 2
