"""The app's log of requests: caller, route and outcome, without the content of messages."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib import services
from chalicelib.logs import LOGGER, JsonFormatter
from chalicelib.store import keys
from tests.servers.engines import Engine
from tests.store.app_requests import call
from tests.store.log_records import CHAT, RawClient, element, write_elements

WORD = "chrysanthemum"
MESSAGES = f"/v1/chats/{CHAT}/messages"
SEND_BODY = {"chat": CHAT, "sender": "ann", "text": WORD}


@pytest.fixture
def logged(app_on_engine: None) -> Iterator[io.StringIO]:
    """The app's log of calls, after it has connected to the store."""
    services.current().prepare(connect=True)
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    LOGGER.addHandler(handler)
    yield stream
    LOGGER.removeHandler(handler)


def lines(logged: io.StringIO) -> list[dict[str, Any]]:
    """Return the lines logged so far, none of which may have the word of the messages."""
    assert WORD not in logged.getvalue()
    return [json.loads(line) for line in logged.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("method", "path", "route", "query", "body", "status"),
    [
        ("POST", "/api/send", "/api/send", "", SEND_BODY, 204),
        ("POST", "/api/send", "/api/send", f"chat={CHAT}&sender=ann&text={WORD}", None, 204),
        ("POST", MESSAGES, "/v1/chats/{chat}/messages", "", {"text": WORD, "id": "id-1"}, 201),
        ("POST", "/api/pull", "/api/pull", "", {"chat": CHAT}, 200),
        ("GET", MESSAGES, "/v1/chats/{chat}/messages", "", None, 200),
        ("POST", "/api/send", "/api/send", "", SEND_BODY | {"sender": WORD}, 400),
        ("POST", "/api/send", "/api/send", "", SEND_BODY | {"chat": 5}, 400),
        ("POST", "/api/send", "/api/send", "", SEND_BODY | {"text": WORD * 2000}, 413),
    ],
)
def test_one_line_a_request(
    logged: io.StringIO, method: str, path: str, route: str, query: str, body: Any, status: int
) -> None:
    """A request is one line with its id, route, status and time, and without its content."""
    answer = call(method, path, query, body)

    (line,) = lines(logged)
    assert answer.status == line["status"] == status
    assert (line["event"], line["method"], line["route"]) == ("request", method, route)
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert line["ms"] >= 0
    assert line["level"] == ("ERROR" if status >= 500 else "INFO")
    assert ("code" in line) == (status >= 400)


def test_id_of_the_client(logged: io.StringIO) -> None:
    """A request that came with an id is logged and answered with it."""
    answer = call("GET", "/ping", x_request_id="client-7")

    assert answer.headers["X-Request-Id"] == lines(logged)[0]["request_id"] == "client-7"


def test_conflict_is_logged_by_its_code(logged: io.StringIO) -> None:
    """A conflict is logged by its code."""
    call("POST", MESSAGES, body={"text": WORD, "id": "id-1"})
    answer = call("POST", MESSAGES, body={"text": WORD + WORD, "id": "id-1"})

    assert answer.status == 409
    assert lines(logged)[1]["code"] == "id_conflict"


def test_store_that_is_gone(logged: io.StringIO, engine: Engine) -> None:
    """A store that is gone is logged as an error that names the server and the failure."""
    engine.kill()

    assert call("POST", MESSAGES, body={"text": WORD}).status == 503

    (line,) = lines(logged)
    assert (line["level"], line["code"]) == ("ERROR", "store_unavailable")
    assert re.search("refused|No such file|cannot be connected", line["cause"])


@pytest.mark.parametrize("damage", ["corrupt element", "wrong type"])
def test_defect_is_500_and_logged_in_two_lines(logged: io.StringIO, raw: RawClient, damage: str) -> None:
    """A corrupt stored value is a 500 without details for the caller, and two lines in the log."""
    if damage == "wrong type":
        raw.set(keys.log(CHAT), WORD)
    else:
        write_elements(raw, [element(1, "ann", WORD)[:-1]])

    answer = call("GET", MESSAGES)

    assert (answer.status, answer.body["code"]) == (500, "internal_error")
    defect, request = lines(logged)
    assert defect["event"] == "defect"
    assert defect["exception"].startswith("Traceback")
    assert defect["request_id"] == request["request_id"] == answer.headers["X-Request-Id"]
    assert (request["level"], request["status"]) == ("ERROR", 500)
