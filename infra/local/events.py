"""What API Gateway's REST proxy integration would hand to the function (payload version 1.0).

The shape is the one documented in AWS's "Set up Lambda proxy integrations in API Gateway".
"""

from __future__ import annotations

import base64
import functools
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from chalicelib.errors import BadRequest
from chalicelib.http.request_ids import new_id
from infra.local.requests import Request
from infra.local.router import Match

STAGE = "local"
API_ID = "local"
ACCOUNT_ID = "000000000000"
FUNCTION = "parley-local"
GATEWAY_SECONDS = 29.0  # API Gateway's longest wait for an integration

IDENTITY: dict[str, Any] = dict.fromkeys(
    (
        "accessKey",
        "accountId",
        "apiKey",
        "apiKeyId",
        "caller",
        "clientCert",
        "cognitoAuthenticationProvider",
        "cognitoAuthenticationType",
        "cognitoIdentityId",
        "cognitoIdentityPoolId",
        "principalOrgId",
        "user",
        "userArn",
    )
)


class LambdaContext:
    """The context object of one invocation, as far as it means anything here."""

    function_name = FUNCTION
    function_version = "$LATEST"
    invoked_function_arn = f"arn:aws:lambda:local:{ACCOUNT_ID}:function:{FUNCTION}"
    memory_limit_in_mb = 1024
    log_group_name = f"/aws/lambda/{FUNCTION}"
    log_stream_name = "local"
    identity = None
    client_context = None

    def __init__(self, aws_request_id: str) -> None:
        self.aws_request_id = aws_request_id
        self._deadline = time.monotonic() + GATEWAY_SECONDS

    def get_remaining_time_in_millis(self) -> int:
        """Return how many milliseconds are left until the gateway gives up."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def proxy_event(request: Request, match: Match, body: bytes) -> dict[str, Any]:
    """Build the event of a request; match: its route."""
    text, encoded = _body(body)
    headers, query = request.headers, _query(request.query)
    return {
        "resource": match.resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} if query else None,
        "multiValueQueryStringParameters": query,
        "pathParameters": match.parameters or None,
        "stageVariables": None,
        "requestContext": _request_context(request, match.resource),
        "body": text,
        "isBase64Encoded": encoded,
    }


def _request_context(request: Request, resource: str) -> dict[str, Any]:
    request_id = new_id()
    now = time.time()
    host = request.headers.get("host", [""])[0]
    agent = request.headers.get("user-agent")
    return {
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "extendedRequestId": request_id,
        "httpMethod": request.method,
        "identity": {
            **IDENTITY,
            "sourceIp": request.client,
            "userAgent": agent[-1] if agent else None,
        },
        "path": request.path,
        "protocol": f"HTTP/{request.version}",
        "requestId": request_id,
        "requestTime": request_time(int(now)),
        "requestTimeEpoch": int(now * 1000),
        "resourceId": resource,
        "resourcePath": resource,
        "stage": STAGE,
    }


def _body(body: bytes) -> tuple[str | None, bool]:
    if not body:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True


def query_pairs(query_string: str) -> list[tuple[str, str]]:
    """Return the names and values of a query; raises BadRequest if they are not UTF-8."""
    if "%" not in query_string and "+" not in query_string:  # as parse_qsl would, at a third of its cost
        parts = (part.partition("=") for part in query_string.split("&") if part)
        return [(name, value) for name, _, value in parts]
    try:
        return parse_qsl(query_string, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise BadRequest("The query's percent-encoding is not UTF-8.") from None


def _query(query_string: str) -> dict[str, list[str]] | None:
    lists: dict[str, list[str]] = {}
    for name, value in query_pairs(query_string):
        lists.setdefault(name, []).append(value)
    return lists or None


def header_pairs(response: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the headers of a handler's response, one pair for each value."""
    headers = list((response.get("headers") or {}).items())
    for name, values in (response.get("multiValueHeaders") or {}).items():
        headers += [(name, value) for value in values]
    return headers


@functools.lru_cache(maxsize=2)
def request_time(epoch_seconds: int) -> str:
    """Return a time, in seconds since 1970, as `requestTime` has it."""
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(epoch_seconds))
