"""What API Gateway's REST proxy integration would hand to the function (payload version 1.0).

The shape is the one documented in AWS's "Set up Lambda proxy integrations in API Gateway".
"""

from __future__ import annotations

import base64
import functools
import time
import uuid
from typing import Any
from urllib.parse import parse_qsl, quote

from chalicelib.errors import BadRequest
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

SEGMENT_SAFE = ":@!$&'()*+,;=-._~"  # what a path segment may hold as it is (RFC 3986, 3.3)


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


def header_lists(scope: Any) -> dict[str, list[str]]:
    """Return every header with all its values.

    Granian leaves out a value that is not ASCII; a header with none left is there as empty, so that nobody
    takes it for one that did not come.
    """
    lists: dict[str, list[str]] = {}
    for name, value in scope.headers.items():
        lists.setdefault(name, []).append(value)
    for name in scope.headers:
        lists.setdefault(name, [""])
    return lists


def proxy_event(scope: Any, headers: dict[str, list[str]], match: Match, body: bytes) -> dict[str, Any]:
    """Build the event of a request.

    scope: Granian's (RSGI), whose path is decoded. headers: what header_lists returns. match: the route.
    """
    text, encoded = _body(body)
    query = _query(scope.query_string)
    parameters = {name: quote(value, safe=SEGMENT_SAFE) for name, value in match.parameters.items()}
    path = match.resource
    for name, value in parameters.items():
        path = path.replace(f"{{{name}}}", value)
    return {
        "resource": match.resource,
        "path": path,
        "httpMethod": scope.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} if query else None,
        "multiValueQueryStringParameters": query,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": _request_context(scope, path, headers, match.resource),
        "body": text,
        "isBase64Encoded": encoded,
    }


def _request_context(scope: Any, path: str, headers: dict[str, list[str]], resource: str) -> dict[str, Any]:
    request_id = str(uuid.uuid4())
    now = time.time()
    host = headers.get("host", [""])[0]
    agent = headers.get("user-agent")
    return {
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "extendedRequestId": request_id,
        "httpMethod": scope.method,
        "identity": {
            **IDENTITY,
            "sourceIp": scope.client.rpartition(":")[0].strip("[]"),
            "userAgent": agent[-1] if agent else None,
        },
        "path": path,
        "protocol": f"HTTP/{scope.http_version}",
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


def _pairs(query_string: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query_string, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise BadRequest("The query's percent-encoding is not UTF-8.") from None


def _query(query_string: str) -> dict[str, list[str]] | None:
    if not query_string:
        return None
    lists: dict[str, list[str]] = {}
    for name, value in _pairs(query_string):
        lists.setdefault(name, []).append(value)
    return lists or None


@functools.lru_cache(maxsize=2)
def request_time(epoch_seconds: int) -> str:
    """Return a time, in seconds since 1970, as `requestTime` has it."""
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(epoch_seconds))
