"""Whether frames are as the AsyncAPI document says."""

from __future__ import annotations

from typing import Any

import msgspec
from jsonschema import Draft7Validator, FormatChecker

from chalicelib.apidocs import asyncapi
from tests.documents import nodes_of


def check(frame: dict[str, Any]) -> None:
    """Raise when a frame of the server's is not as documented, or has a field that no document names."""
    SERVER[frame["type"]].validate(frame)


def check_sent(frame: dict[str, Any]) -> None:
    """Raise when a frame of a client's is not as documented."""
    CLIENT[frame["type"]].validate(frame)


def _validators(kinds: tuple[type[msgspec.Struct], ...]) -> dict[str, Draft7Validator]:
    """Return for each type of frames what validates its payload, by the whole document."""
    return {asyncapi.type_of(kind): _validator(kind.__name__) for kind in kinds}


def _validator(message: str) -> Draft7Validator:
    components = STRICT["components"]
    schema = {"allOf": [components["messages"][message]["payload"]], "components": components}
    return Draft7Validator(schema, format_checker=FormatChecker())


def _strict(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with no object that may have more fields than are named."""
    for schema in nodes_of(document["components"]["schemas"]):
        if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
            schema["additionalProperties"] = False
    return document


STRICT = _strict(msgspec.json.decode(asyncapi.as_json()))
CLIENT = _validators(asyncapi.FROM_CLIENT)
SERVER = _validators(asyncapi.FROM_SERVER)
