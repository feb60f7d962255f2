"""Checks of frames against the AsyncAPI document."""

from __future__ import annotations

from typing import Any

import msgspec
from jsonschema import Draft7Validator, FormatChecker

from chalicelib.apidocs import asyncapi
from tests.documents import nodes_of


def check(frame: dict[str, Any]) -> None:
    """Raise if a frame of the server's is not as documented, or has an undocumented field."""
    SERVER[frame["type"]].validate(frame)


def check_sent(frame: dict[str, Any]) -> None:
    """Raise if a frame of a client's is not as documented."""
    CLIENT[frame["type"]].validate(frame)


def _validators(kinds: tuple[type[msgspec.Struct], ...]) -> dict[str, Draft7Validator]:
    """Return a validator of the payload for each type of frame, by the whole document."""
    return {asyncapi.type_of(kind): _validator(kind.__name__) for kind in kinds}


def _validator(message: str) -> Draft7Validator:
    components = STRICT["components"]
    schema = {"allOf": [components["messages"][message]["payload"]], "components": components}
    return Draft7Validator(schema, format_checker=FormatChecker())


def _strict(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with no additional fields allowed in any object."""
    for schema in nodes_of(document["components"]["schemas"]):
        if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
            schema["additionalProperties"] = False
    return document


STRICT = _strict(msgspec.json.decode(asyncapi.as_json()))
CLIENT = _validators(asyncapi.FROM_CLIENT)
SERVER = _validators(asyncapi.FROM_SERVER)
