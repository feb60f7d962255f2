"""The OpenAPI document against the routes, the errors and its committed copy."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from app import app
from chalicelib.apidocs import openapi
from chalicelib.http import OPERATIONS, Operation
from infra.openapi import COPY
from tests.documents import nodes_of

DOCUMENT: dict[str, Any] = openapi.document()
OPERATIONS_OF_DOCUMENT = [
    (path, method, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
]
EVERY_OPERATION = pytest.mark.parametrize(
    ("path", "method", "operation"),
    OPERATIONS_OF_DOCUMENT,
    ids=lambda value: value if isinstance(value, str) else "",
)


def test_committed_copy_is_fresh() -> None:
    """docs/openapi.json is what the code describes; `python -m infra.openapi` writes it."""
    assert COPY.read_text(encoding="utf-8") == openapi.as_json() + "\n", "run: python -m infra.openapi"


def test_every_route_is_described_and_no_other() -> None:
    """The app and the document have the same routes, except OPTIONS, which every path has."""
    routes = {(path, method.lower()) for path, methods in app.routes.items() for method in methods}
    options = {(path, "options") for path in app.routes}
    assert options <= routes

    assert {(path, method) for path, method, _ in OPERATIONS_OF_DOCUMENT} == routes - options


def test_head_of_the_document() -> None:
    """The document has its title, version and licence."""
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert DOCUMENT["info"]["title"] == "Parley"
    assert re.fullmatch(r"\d+\.\d+\.\d+", DOCUMENT["info"]["version"])
    assert DOCUMENT["info"]["license"] == {"name": "MIT", "identifier": "MIT"}


@EVERY_OPERATION
def test_v1_bodies_have_no_other_fields(path: str, method: str, operation: dict[str, Any]) -> None:
    """Objects in the body of a /v1 call are closed, so that a misspelt field is refused."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        body = DOCUMENT["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
        closed = [node.get("additionalProperties") for node in nodes_of(body) if "properties" in node]
        assert closed == ([False] if path.startswith("/v1/") else [None]) * len(closed)
        assert closed


def test_every_reference_leads_somewhere() -> None:
    """Every $ref names a schema of the document, and every schema is referred to."""
    referred = {node["$ref"] for node in nodes_of(DOCUMENT) if "$ref" in node}

    assert referred == {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}


def test_operation_ids_are_unique() -> None:
    """No two operations share an id, so that clients can be generated."""
    ids = [operation["operationId"] for _, _, operation in OPERATIONS_OF_DOCUMENT]

    assert len(ids) == len(set(ids))


def test_every_tag_is_described() -> None:
    """The tags of the operations are the ones that the document describes."""
    used = {tag for _, _, operation in OPERATIONS_OF_DOCUMENT for tag in operation["tags"]}

    assert used == {tag["name"] for tag in DOCUMENT["tags"]}


def test_legacy_tags_stand_last_and_name_their_system() -> None:
    """The paths of the replaced systems have tags of their own, after all others."""
    names = [tag["name"] for tag in DOCUMENT["tags"]]
    by_path = {path: operation["tags"] for path, _, operation in OPERATIONS_OF_DOCUMENT}

    assert names[-2:] == ["TikTok-IM (legacy)", "Go-Chat (legacy)"]
    assert [by_path[path] for path in ("/api/send", "/follow")] == [[names[-2]], [names[-1]]]
    assert not any(tags[0] in names[-2:] for path, tags in by_path.items() if path.startswith("/v1/"))


@EVERY_OPERATION
def test_operation_is_explained(path: str, method: str, operation: dict[str, Any]) -> None:
    """An operation has a short summary without Markdown, and every answer a description."""
    assert 0 < len(operation["summary"]) <= 90
    assert "`" not in operation["summary"]
    assert operation["responses"]
    assert all(response["description"] for response in operation["responses"].values())


@EVERY_OPERATION
def test_path_parameters_are_described(path: str, method: str, operation: dict[str, Any]) -> None:
    """Each parameter of a path is required and described, and belongs to the path."""
    described = [one for one in operation["parameters"] if one["in"] == "path"]

    assert [one["name"] for one in described] == re.findall(r"{(\w+)}", path)
    assert all(one["required"] and one["description"] for one in described)


@EVERY_OPERATION
def test_errors_are_problems(path: str, method: str, operation: dict[str, Any]) -> None:
    """Every answer from 400 on is a problem."""
    for status, response in operation["responses"].items():
        is_problem = "application/problem+json" in response.get("content", {})
        assert is_problem == (int(status) >= 400)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_declared_errors_are_described(operation: Operation) -> None:
    """The code of each error that a route declares is in the description of its status."""
    responses = DOCUMENT["paths"][operation.path][operation.method.lower()]["responses"]

    for error in operation.fails:
        assert f"`{error.code}`" in responses[str(error.status)]["description"]


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.body], ids=lambda one: one.path)
def test_examples_are_valid(operation: Operation) -> None:
    """The example of a body is one that the route accepts."""
    assert operation.example is not None
    assert msgspec.convert(operation.example, operation.body)


def test_no_null_in_parameters() -> None:
    """A query parameter cannot be null: it is left out."""
    for _, _, operation in OPERATIONS_OF_DOCUMENT:
        for parameter in operation["parameters"]:
            assert {"type": "null"} not in list(nodes_of(parameter["schema"]))
