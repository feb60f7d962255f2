"""The AsyncAPI 3.0 document of the WebSocket, made from the types of its frames.

`make openapi` writes the committed copy, docs/asyncapi.json.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any, get_args

import msgspec
from msgspec import Struct

from chalicelib import __version__
from chalicelib.apidocs.asyncapi_examples import EXAMPLES
from chalicelib.apidocs.asyncapi_texts import (
    ANSWERS,
    CLOSE_CODES,
    DESCRIPTION,
    LIMITS,
    PUSHED,
    SECURITY,
)
from chalicelib.schemas.realtime import ClientFrame, ErrorFrame, ServerFrame

Schema = dict[str, Any]

CHANNEL = "socket"
FROM_CLIENT: tuple[type[Struct], ...] = get_args(ClientFrame)
FROM_SERVER: tuple[type[Struct], ...] = get_args(ServerFrame)


@functools.cache
def as_json() -> str:
    """Return the document as JSON text."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode()


def document() -> Schema:
    """Return the document of every frame."""
    every = (*FROM_CLIENT, *FROM_SERVER)
    _, schemas = msgspec.json.schema_components(every, ref_template="#/components/schemas/{name}")
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Parley",
            "version": __version__,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
            "x-limits": LIMITS,
            "x-close-codes": {str(code): text for code, text in CLOSE_CODES.items()},
        },
        "defaultContentType": "application/json",
        "servers": {"socket": _server()},
        "channels": {CHANNEL: _channel(every)},
        "operations": {
            **{_id(kind): _asked(kind) for kind in FROM_CLIENT},
            "events": _pushed(),
        },
        "components": {
            "messages": {kind.__name__: _message(kind) for kind in every},
            "schemas": schemas,
            "securitySchemes": SECURITY,
        },
    }


def type_of(kind: type[Struct]) -> str:
    """Return the `type` of a frame."""
    return str(kind.__struct_config__.tag)


def example_of(kind: type[Struct], example: Schema) -> Schema:
    """Return an example with its `type`."""
    return {"type": type_of(kind), **example}


def _server() -> Schema:
    return {
        "host": "{host}",
        "pathname": "{path}",
        "protocol": "wss",
        "description": "The `url` of a ticket; `ws` on your own machine.",
        "variables": {
            "host": {"default": "localhost:8080", "description": "Host and port."},
            "path": {"default": "/", "description": "On AWS the stage, such as /prod."},
        },
        "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in SECURITY],
    }


def _channel(kinds: tuple[type[Struct], ...]) -> Schema:
    return {
        "address": "/",
        "title": "The WebSocket",
        "description": "All frames, in both directions. The `type` of a frame names it.",
        "servers": [{"$ref": "#/servers/socket"}],
        "messages": {kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"} for kind in kinds},
    }


def _message(kind: type[Struct]) -> Schema:
    examples = [{"payload": example_of(kind, example)} for example in EXAMPLES[kind]]
    return {
        "name": type_of(kind),
        "title": type_of(kind),
        "summary": inspect.getdoc(kind),
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "examples": examples,
    }


def _asked(kind: type[Struct]) -> Schema:
    """Return the operation of a frame that a client sends."""
    answers: tuple[type[Struct], ...] = (*ANSWERS[kind], ErrorFrame)
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{CHANNEL}"},
        "summary": inspect.getdoc(kind),
        "messages": [_in_channel(kind)],
        "reply": {
            "channel": {"$ref": f"#/channels/{CHANNEL}"},
            "messages": [_in_channel(answer) for answer in answers],
        },
    }


def _pushed() -> Schema:
    """Return the operation of the frames that the server sends unasked."""
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{CHANNEL}"},
        "summary": "What other users do, pushed once the connection is `ready`.",
        "messages": [_in_channel(kind) for kind in PUSHED],
    }


def _in_channel(kind: type[Struct]) -> Schema:
    return {"$ref": f"#/channels/{CHANNEL}/messages/{kind.__name__}"}


def _id(kind: type[Struct]) -> str:
    return type_of(kind).replace(".", "_")
