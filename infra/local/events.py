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

from infra.local.router import Match

Scope = dict[str, Any]  # an ASGI connection scope of type "http"

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

# What RFC 3986 lets a path hold as it is, `%` and `/` among it.
_PATH_SAFE = "/%:@!$&'()*+,;=-._~"


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


def raw_path(scope: Scope) -> str:
    """Return a request's path percent-encoded, as it came; bytes that no URL may hold are encoded too."""
    raw: bytes = scope["raw_path"]
    return raw.decode() if raw.isascii() else quote(raw, safe=_PATH_SAFE)


def header_lists(scope: Scope) -> dict[str, list[str]]:
    """Return every header with all its values; bytes beyond ASCII are read as Latin-1 (RFC 9110, 5.5)."""
    lists: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        lists.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return lists


def proxy_event(
    scope: Scope, path: str, headers: dict[str, list[str]], match: Match, body: bytes
) -> dict[str, Any]:
    """Build the event of a request.

    path and headers: what raw_path and header_lists return. match: the route of the path.
    """
    text, encoded = _body(body)
    query = _query(scope["query_string"])
    method: str = scope["method"]
    return {
        "resource": match.resource,
        "path": path,
        "httpMethod": method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} if query else None,
        "multiValueQueryStringParameters": query,
        "pathParameters": match.parameters,
        "stageVariables": None,
        "requestContext": _request_context(scope, path, headers, match.resource, method),
        "body": text,
        "isBase64Encoded": encoded,
    }


def _request_context(
    scope: Scope, path: str, headers: dict[str, list[str]], resource: str, method: str
) -> dict[str, Any]:
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
        "httpMethod": method,
        "identity": {
            **IDENTITY,
            "sourceIp": scope["client"][0],
            "userAgent": agent[-1] if agent else None,
        },
        "path": path,
        "protocol": f"HTTP/{scope['http_version']}",
        "requestId": request_id,
        "requestTime": _request_time(int(now)),
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


def _query(query_string: bytes) -> dict[str, list[str]] | None:
    if not query_string:
        return None
    lists: dict[str, list[str]] = {}
    for name, value in parse_qsl(query_string.decode(errors="replace"), keep_blank_values=True):
        lists.setdefault(name, []).append(value)
    return lists or None


@functools.lru_cache(maxsize=2)
def _request_time(epoch_seconds: int) -> str:
    return time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(epoch_seconds))
