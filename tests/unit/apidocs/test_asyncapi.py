"""The AsyncAPI document against its own standard, the frames' types and its committed copy."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft7Validator, ValidationError
from picows import WSCloseCode

from chalicelib.apidocs import asyncapi
from chalicelib.apidocs.asyncapi_examples import EXAMPLES
from chalicelib.apidocs.asyncapi_texts import ANSWERS, PUSHED
from chalicelib.errors import ParleyError
from chalicelib.push_gateway.pusher import LEASE_EXPIRED, SESSION_ENDED
from chalicelib.schemas.realtime import ClientFrame, ErrorFrame, ServerFrame
from infra.openapi import ASYNCAPI_COPY
from tests.documents import nodes_of
from tests.realtime.document_check import check, check_sent

SOCKETS = Path(__file__).parents[3] / "infra" / "local" / "sockets"
NAMED = re.compile(r"WSCloseCode\.([A-Z_]+)")
STANDARD = Path(__file__).parents[2] / "asyncapi" / "asyncapi-3.0.0.json"
DOCUMENT: dict[str, Any] = msgspec.json.decode(asyncapi.as_json())
MESSAGES: dict[str, dict[str, Any]] = DOCUMENT["components"]["messages"]
EVERY = (*asyncapi.FROM_CLIENT, *asyncapi.FROM_SERVER)
EXAMPLES_OF_CLIENTS, EXAMPLES_OF_SERVER = (
    [asyncapi.example_of(kind, example) for kind in kinds for example in EXAMPLES[kind]]
    for kinds in (asyncapi.FROM_CLIENT, asyncapi.FROM_SERVER)
)


def test_committed_copy_is_fresh() -> None:
    """docs/asyncapi.json is what the code describes; `python -m infra.openapi` writes it."""
    assert ASYNCAPI_COPY.read_text(encoding="utf-8") == asyncapi.as_json() + "\n", (
        "run: python -m infra.openapi"
    )


def test_document_is_asyncapi() -> None:
    """The document is valid by the JSON Schema that the AsyncAPI Initiative publishes for 3.0.0."""
    standard = Draft7Validator(json.loads(STANDARD.read_bytes()))

    assert [error.message for error in standard.iter_errors(DOCUMENT)] == []


def test_frames_of_clients_have_no_other_fields() -> None:
    """The document says of every client's frame that it is closed; the server's may grow."""
    schemas = DOCUMENT["components"]["schemas"]
    assert {schemas[kind.__name__].get("additionalProperties") for kind in asyncapi.FROM_CLIENT} == {False}
    assert {schemas[kind.__name__].get("additionalProperties") for kind in asyncapi.FROM_SERVER} == {None}


def test_schema_of_the_standard_refuses_an_unknown_action() -> None:
    """The standard's schema refuses a document whose operation has an unknown action."""
    standard = Draft7Validator(json.loads(STANDARD.read_bytes()))
    operations = {**DOCUMENT["operations"], "ping": {**DOCUMENT["operations"]["ping"], "action": "shout"}}

    assert not standard.is_valid({**DOCUMENT, "operations": operations})


def test_every_reference_leads_somewhere() -> None:
    """Every $ref names something in the document, and every schema is referred to."""
    referred = {node["$ref"] for node in nodes_of(DOCUMENT) if "$ref" in node}

    for reference in referred:
        node: Any = DOCUMENT
        for name in reference.removeprefix("#/").split("/"):
            node = node[name]
        assert node
    assert {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]} <= referred
    assert {f"#/components/messages/{name}" for name in MESSAGES} <= referred


def test_every_frame_has_an_operation() -> None:
    """Each frame of a client is received in one operation; each of the server answers one or is pushed."""
    operations = DOCUMENT["operations"].values()
    received = [_names(one["messages"]) for one in operations if one["action"] == "receive"]
    sent = {name for one in operations if one["action"] == "send" for name in _names(one["messages"])}
    answers = {name for one in operations if "reply" in one for name in _names(one["reply"]["messages"])}

    assert received == [[kind.__name__] for kind in asyncapi.FROM_CLIENT]
    assert sent | answers == {kind.__name__ for kind in asyncapi.FROM_SERVER}


def test_what_is_listed_is_what_there_is() -> None:
    """The texts cover exactly the frames of clients and the frames with an example."""
    assert set(ANSWERS) == set(asyncapi.FROM_CLIENT)
    assert set(EXAMPLES) == set(EVERY)
    assert set(PUSHED) < set(asyncapi.FROM_SERVER)


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: str(kind.__name__))
def test_frame_is_explained(kind: type[msgspec.Struct]) -> None:
    """A frame is named by its type, and explained in one line."""
    message = MESSAGES[kind.__name__]
    payload = DOCUMENT["components"]["schemas"][kind.__name__]

    assert payload["properties"]["type"] == {"enum": [message["name"]]}
    assert re.fullmatch(r"[A-Z][^\n]+[.]", message["summary"])
    assert message["examples"]


@pytest.mark.parametrize("example", EXAMPLES_OF_CLIENTS, ids=lambda one: str(one["type"]))
def test_examples_of_clients(example: dict[str, Any]) -> None:
    """An example is valid by its own schema, and is decoded as its type."""
    check_sent(example)
    frame = msgspec.convert(example, ClientFrame)

    assert asyncapi.type_of(type(frame)) == example["type"]


@pytest.mark.parametrize("example", EXAMPLES_OF_SERVER, ids=lambda one: str(one["type"]))
def test_examples_of_the_server(example: dict[str, Any]) -> None:
    """An example is valid by its own schema, and equals the encoding of its frame."""
    check(example)

    assert msgspec.to_builtins(msgspec.convert(example, ServerFrame)) == example


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "pong"},
        {"type": "pong", "time": 5},
        {"type": "pong", "time": "2026-01-05T12:00:00.000000Z", "password": "x"},
        {"type": "presence", "users": [{"user": "bob", "online": True, "last_seen_at": None, "ip": "::1"}]},
    ],
)
def test_check_refuses_undocumented_frames(frame: dict[str, Any]) -> None:
    """A frame with a missing, mistyped or undocumented field is refused."""
    with pytest.raises(ValidationError):
        check(frame)


def test_every_problem_can_be_a_frame() -> None:
    """An error frame has the fields of a problem except `type`, which the code replaces."""
    error = ParleyError("x")
    frame = ErrorFrame(status=error.status, code=error.code, title=error.title, detail=error.detail)

    check(msgspec.to_builtins(frame))


def test_limits_are_said() -> None:
    """The document gives API Gateway's limits, for people and for programs."""
    assert DOCUMENT["info"]["x-limits"] == {
        "message_bytes": 131072,
        "frame_bytes": 32768,
        "idle_seconds": 600,
        "ping_seconds": 540,
        "life_seconds": 7200,
    }
    for text in ("128 KiB", "32 KiB", "10 minutes", "2 hours", "1003", "1009", "1001"):
        assert text in DOCUMENT["info"]["description"]


def _names(references: list[dict[str, str]]) -> list[str]:
    return [reference["$ref"].rpartition("/")[2] for reference in references]


def test_close_codes_are_listed() -> None:
    """The document and docs/realtime.md have the servers' close codes, with the same texts."""
    sources = [path.read_text(encoding="utf-8") for path in SOCKETS.glob("*.py")]
    used = {WSCloseCode[name].value for source in sources for name in NAMED.findall(source)}
    used |= {SESSION_ENDED.code, LEASE_EXPIRED.code}
    listed = DOCUMENT["info"]["x-close-codes"]
    assert used == {int(code) for code in listed}
    page = (SOCKETS.parents[2] / "docs" / "realtime.md").read_text(encoding="utf-8")
    for code, text in listed.items():
        assert f"| {code} | {text} |" in page
