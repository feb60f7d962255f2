"""API Gateway's own answers: problems like the application's."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from chalicelib import errors
from chalicelib.errors import PROBLEM_JSON, ParleyError, Problem
from chalicelib.http.cors import EXPOSED
from infra.aws.template import merge_template
from tests.aws.packaging import ROOT

RESPONSES: dict[str, Any] = merge_template("prod")["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]
EVERY_RESPONSE = pytest.mark.parametrize("kind", sorted(RESPONSES))

# What only a gateway can say; the application raises none of these.
OF_THE_GATEWAY = {
    "bad_gateway": 502,
    "firewall_blocked": 403,
    "gateway_timeout": 504,
    "too_many_requests": 429,
}

# Every kind of response that API Gateway can give a status of its own, with that status:
# docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
KINDS = {
    "ACCESS_DENIED": 403,
    "API_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_CONFIGURATION_ERROR": 500,
    "AUTHORIZER_FAILURE": 500,
    "BAD_REQUEST_BODY": 400,
    "BAD_REQUEST_PARAMETERS": 400,
    "EXPIRED_TOKEN": 403,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "INVALID_API_KEY": 403,
    "INVALID_SIGNATURE": 403,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "QUOTA_EXCEEDED": 429,
    "REQUEST_TOO_LARGE": 413,
    "RESOURCE_NOT_FOUND": 404,
    "THROTTLED": 429,
    "UNAUTHORIZED": 401,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "WAF_FILTERED": 403,
}
DEFAULTS = {"DEFAULT_4XX", "DEFAULT_5XX"}

# A kind whose status is another here, and why.
OTHER_STATUS = {
    "MISSING_AUTHENTICATION_TOKEN": 404,  # only an unknown path or method asks for a signature
    "INVALID_SIGNATURE": 404,  # the same, where the request has an Authorization header
    "EXPIRED_TOKEN": 404,  # the same, where that looks like an expired signature
    "INTEGRATION_FAILURE": 502,  # the function gave no answer that can be passed on; nothing ran out of time
}


def of_the_application() -> dict[str, type[ParleyError]]:
    """Return the application's errors by code."""
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ParleyError)
    ]
    return {kind.code: kind for kind in kinds}


def problem(kind: str) -> Problem:
    """Return a response's body as its receiver reads it."""
    body = RESPONSES[kind]["ResponseTemplates"]["application/json"]
    filled = body.replace("$context.error.messageString", '"Forbidden"')
    return msgspec.json.decode(filled, type=Problem)


@EVERY_RESPONSE
def test_response_is_a_problem(kind: str) -> None:
    """The body is a whole problem whose status is the response's, and whose type follows from its code."""
    body = problem(kind)

    assert int(RESPONSES[kind]["StatusCode"]) == body.status
    assert body.type == f"urn:parley:problem:{body.code}"
    assert body.detail.strip()


@EVERY_RESPONSE
def test_code_means_what_it_means_elsewhere(kind: str) -> None:
    """A code is the application's own, with its title and status, or one that only a gateway has."""
    body = problem(kind)
    own = of_the_application().get(body.code)

    if own is None:
        assert OF_THE_GATEWAY[body.code] == body.status
    else:
        assert (own.status, own.title) == (body.status, body.title)


@EVERY_RESPONSE
def test_headers_are_those_of_every_answer(kind: str) -> None:
    """Each has a problem's media type, the request's id, and no caching; a throttled call gets a wait."""
    headers = RESPONSES[kind]["ResponseParameters"]["Headers"]

    assert headers["Content-Type"] == f"'{PROBLEM_JSON}'"
    assert headers["X-Request-Id"] == "context.requestId"
    assert headers["Cache-Control"] == "'no-store'"
    assert ("Retry-After" in headers) == (problem(kind).status == 429)


def test_every_response_is_of_a_kind_there_is() -> None:
    """Every name is right, and one without a response of its own uses one of the two defaults."""
    assert DEFAULTS <= RESPONSES.keys() <= KINDS.keys() | DEFAULTS


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_kind_keeps_its_status(kind: str) -> None:
    """A default gives its status to each kind that has no response here, which must be the kind's own."""
    default = "DEFAULT_4XX" if KINDS[kind] < 500 else "DEFAULT_5XX"

    assert int(RESPONSES.get(kind, RESPONSES[default])["StatusCode"]) == OTHER_STATUS.get(kind, KINDS[kind])


@EVERY_RESPONSE
def test_pages_read_what_the_gateway_answers(kind: str) -> None:
    """Where pages of any origin may call, every answer lets them read it, and the headers that it has."""
    headers = RESPONSES[kind]["ResponseParameters"]["Headers"]
    given = {name: value["Fn::If"] for name, value in headers.items() if name.startswith("Access-Control-")}

    assert given["Access-Control-Allow-Origin"] == ["PagesMayCall", "'*'", {"Ref": "AWS::NoValue"}]
    condition, exposed, otherwise = given["Access-Control-Expose-Headers"]
    assert (condition, otherwise) == ("PagesMayCall", {"Ref": "AWS::NoValue"})
    assert exposed == f"'{','.join(name for name in EXPOSED if name in {*headers, 'Retry-After'})}'"


def test_variables_are_ones_that_quote_themselves() -> None:
    """The one variable in a body is the message as a JSON string, quotes included."""
    variables = {
        name
        for response in RESPONSES.values()
        for name in re.findall(r"\$[\w.]+", response["ResponseTemplates"]["application/json"])
    }

    assert variables == {"$context.error.messageString"}


def test_codes_are_documented() -> None:
    """docs/api.md or docs/aws.md explains every code."""
    text = "".join((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("api.md", "aws.md"))

    assert [kind for kind in RESPONSES if f"`{problem(kind).code}`" not in text] == []
