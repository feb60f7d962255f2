"""The log lines of requests."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.deployed.client import Api, new_pair
from tests.servers.gateway import Gateway
from tests.servers.waiting import eventually

pytestmark = pytest.mark.long

REQUEST_LINE = '"event":"request"'


def test_one_log_line_a_request_without_its_text(own_gateway: Gateway) -> None:
    """A request is one JSON line with its id, route, status and time, and no text and no name."""
    api, (chat, alice, _) = Api(own_gateway.url), new_pair()
    lines_before = own_gateway.output().count(REQUEST_LINE)
    secret = f"secret-{uuid.uuid4().hex}"
    given = {"X-Request-Id": uuid.uuid4().hex}
    message = {"chat": chat, "sender": alice, "text": secret}
    api.call("POST", "/api/send", json=message, headers=given)
    api.call("POST", "/api/send", params=message)
    api.post(chat, alice, text=secret)
    api.page(chat, alice)
    api.call("POST", "/api/send", json={**message, "sender": secret})
    api.call("POST", "/api/send", json={"chat": secret})
    api.close()
    assert eventually(lambda: own_gateway.output().count(REQUEST_LINE) == lines_before + 6)
    log = own_gateway.output()
    (line,) = [json.loads(line) for line in log.splitlines() if given["X-Request-Id"] in line]
    expected = {"event": "request", "method": "POST", "route": "/api/send", "status": 204, "level": "INFO"}
    assert expected.items() <= line.items()
    assert isinstance(line["ms"], float)
    assert secret not in log
    assert alice not in log


def test_the_edges_own_refusals_name_nobody_in_the_log(own_gateway: Gateway) -> None:
    """A call that the edge refuses is logged with its route, without the names in its path."""
    api, (chat, alice, _) = Api(own_gateway.url), new_pair()
    path = f"/v1/chats/{chat}/messages"
    assert api.call("GET", path, user=alice, headers={"Host": "evil.example"}).status_code == 403
    assert api.call("POST", path, user=alice, content=b"x" * 300_000).status_code == 413
    api.close()
    refused = '"route":"/v1/chats/{chat}/messages"'
    assert eventually(lambda: own_gateway.output().count(refused) == 2)
    assert alice not in own_gateway.output()
