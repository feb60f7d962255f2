"""The OpenAPI 3.1 document, made from the routes and the types on the wire.

`make openapi` writes the committed copy, docs/openapi.json.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections import defaultdict
from http import HTTPStatus
from typing import Any, get_args, get_origin

import msgspec

from chalicelib import __version__
from chalicelib.apidocs.openapi_texts import DESCRIPTION, IDEMPOTENCY_KEY, PARAMETERS, TAGS, Schema, Tag
from chalicelib.errors import (
    PROBLEM_JSON,
    BadRequest,
    CrossSite,
    HandleNeeded,
    IdConflict,
    IdentityUnavailable,
    NotAuthenticated,
    ParleyError,
    PayloadTooLarge,
    Problem,
    StoreUnavailable,
    TooManyRequests,
    UnsupportedMediaType,
)
from chalicelib.http import JSON, OPERATIONS, USER, Operation, Who


@functools.cache
def as_json() -> str:
    """Return the document as JSON text."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode()


def document() -> Schema:
    """Return the document of every registered route."""
    types: list[Any] = [Problem, *(_item(kind) for operation in OPERATIONS for kind in _types(operation))]
    named = [
        kind for kind in dict.fromkeys(types) if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
    ]
    _, components = msgspec.json.schema_components(named, ref_template="#/components/schemas/{name}")
    paths: dict[str, Schema] = defaultdict(dict)
    for operation in OPERATIONS:
        paths[operation.path][operation.method.lower()] = _operation(operation, components)
    queries = {
        operation.query.__name__ for operation in OPERATIONS if operation.query and not _is_body(operation)
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Parley", "version": __version__, "description": DESCRIPTION, "license": _LICENSE},
        "servers": [{"url": ".", "description": "this server"}],
        "tags": [_tag(tag) for tag in TAGS.values()],
        "paths": dict(paths),
        "components": {
            "schemas": {name: schema for name, schema in components.items() if name not in queries},
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of a login, or a token that the outside issuer signed.",
                },
                "user": {
                    "type": "apiKey",
                    "in": "header",
                    "name": USER,
                    "description": "On an open server: a name that has no account, percent-encoded.",
                },
            },
        },
    }


_LICENSE = {"name": "MIT", "identifier": "MIT"}


def _tag(tag: Tag) -> Schema:
    described: Schema = {"name": tag.name, "description": tag.description}
    return described if tag.link is None else {**described, "externalDocs": tag.link}


def _types(operation: Operation) -> list[Any]:
    return [operation.body, operation.query, *operation.gives.values()]


def _is_body(operation: Operation) -> bool:
    return any(other.body is operation.query for other in OPERATIONS)


def _operation(operation: Operation, components: Schema) -> Schema:
    summary, _, description = (inspect.getdoc(operation.view) or "").partition("\n\n")
    module = operation.view.__module__.rpartition(".")[2]
    described: Schema = {
        "operationId": f"{module}_{operation.view.__name__}",
        "tags": [TAGS[module].name],
        "summary": summary.rstrip("."),
        "parameters": _parameters(operation, components),
        "responses": _responses(operation),
    }
    if description:
        described["description"] = " ".join(description.split())
    if operation.who is not Who.ANYBODY:
        ways = ["bearer"] if operation.who is Who.ACCOUNT else ["bearer", "user"]
        described["security"] = [{way: []} for way in ways]
    elif NotAuthenticated in operation.fails:
        described["security"] = [{"bearer": []}]
    if operation.body:
        content = {"schema": _schema(operation.body), "example": operation.example}
        described["requestBody"] = {"required": True, "content": {JSON: content}}
    return described


def _parameters(operation: Operation, components: Schema) -> list[Schema]:
    in_path: list[Schema] = [
        {"name": name, "in": "path", "required": True, **PARAMETERS[name]}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    if operation.query:
        in_path += _query_parameters(components[operation.query.__name__])
    return [*in_path, IDEMPOTENCY_KEY] if IdConflict in operation.fails else in_path


def _query_parameters(schema: Schema) -> list[Schema]:
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _not_null(field)}
        for name, field in schema["properties"].items()
    ]


def _not_null(field: Schema) -> Schema:
    kinds = [kind for kind in field.get("anyOf", ()) if kind != {"type": "null"}]
    rest = {name: value for name, value in field.items() if name not in ("anyOf", "default")}
    return {**kinds[0], **rest} if kinds else field


def _responses(operation: Operation) -> Schema:
    responses = {str(status): _response(status, kind) for status, kind in operation.gives.items()}
    by_status: dict[int, list[type[ParleyError]]] = defaultdict(list)
    for error in dict.fromkeys(_failures(operation)):
        by_status[error.status].append(error)
    for status, failures in sorted(by_status.items()):
        responses[str(status)] = {
            "description": "; ".join(
                f"`{error.code}`: {(error.__doc__ or '').rstrip('.')}" for error in failures
            ),
            "content": {PROBLEM_JSON: {"schema": _schema(Problem)}},
        }
    return responses


def _failures(operation: Operation) -> list[type[ParleyError]]:
    failures = [*operation.fails, CrossSite, *([BadRequest] if operation.strict else [])]
    if operation.who is not Who.ANYBODY:
        failures += [NotAuthenticated, HandleNeeded, TooManyRequests, IdentityUnavailable, StoreUnavailable]
    if operation.body:
        failures += [PayloadTooLarge, UnsupportedMediaType]
    return failures


def _response(status: int, kind: type | None) -> Schema:
    described: Schema = {"description": HTTPStatus(status).phrase}
    if kind is dict:
        described["content"] = {JSON: {"schema": {"type": "object"}}}
    elif kind is not None and kind is not str:
        described["content"] = {JSON: {"schema": _schema(kind)}}
    return described


def _item(kind: Any) -> Any:
    """Return what a list is of, and anything else itself."""
    return get_args(kind)[0] if get_origin(kind) is list else kind


def _schema(kind: type) -> Schema:
    if get_origin(kind) is list:
        return {"type": "array", "items": _schema(_item(kind))}
    return {"$ref": f"#/components/schemas/{kind.__name__}"}
