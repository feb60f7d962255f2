"""The handler's events, compared with those that AWS documents."""

from __future__ import annotations

import base64
import re
import time
import uuid
from typing import Any

import pytest

from tests.local.edge import EchoServer

# The input of a Lambda function for proxy integration, as the API Gateway developer guide shows it (payload
# format 1.0); `authorizer` is left out, since Parley's API has none, and so is the version.
DOCUMENTED: dict[str, Any] = {
    "resource": "/my/path",
    "path": "/my/path",
    "httpMethod": "GET",
    "headers": {"header1": "value1", "header2": "value2"},
    "multiValueHeaders": {"header1": ["value1"], "header2": ["value1", "value2"]},
    "queryStringParameters": {"parameter1": "value2", "parameter2": "value"},
    "multiValueQueryStringParameters": {"parameter1": ["value1", "value2"], "parameter2": ["value"]},
    "requestContext": {
        "accountId": "123456789012",
        "apiId": "id",
        "domainName": "id.execute-api.us-east-1.amazonaws.com",
        "domainPrefix": "id",
        "extendedRequestId": "request-id",
        "httpMethod": "GET",
        "identity": {
            "accessKey": None,
            "accountId": None,
            "caller": None,
            "cognitoAuthenticationProvider": None,
            "cognitoAuthenticationType": None,
            "cognitoIdentityId": None,
            "cognitoIdentityPoolId": None,
            "principalOrgId": None,
            "sourceIp": "127.0.0.1",
            "user": None,
            "userAgent": "user-agent",
            "userArn": None,
            "clientCert": None,
        },
        "path": "/my/path",
        "protocol": "HTTP/1.1",
        "requestId": "id=",
        "requestTime": "04/Mar/2020:19:15:17 +0000",
        "requestTimeEpoch": 1583349317135,
        "resourceId": None,
        "resourcePath": "/my/path",
        "stage": "$default",
    },
    "pathParameters": None,
    "stageVariables": None,
    "body": "Hello from Lambda!",
    "isBase64Encoded": False,
}
OF_THE_DEPLOYMENT = ("accountId", "apiId", "domainName", "domainPrefix", "resourceId", "stage")
OF_THE_REQUEST = ("extendedRequestId", "requestId", "requestTime", "requestTimeEpoch")


def echoed(echo: EchoServer, *head: str, body: bytes = b"") -> Any:
    """Return the handler's view of a request."""
    with echo.peer() as peer:
        length = [f"Content-Length: {len(body)}"] if body else []
        peer.send(head[0], "Host: localhost", *head[1:], *length, body=body)
        answer = peer.answer()
        assert answer.status == 200, answer.body
        return answer.json


def event_of(echo: EchoServer, *head: str, body: bytes = b"") -> Any:
    """Return the event of a request."""
    return echoed(echo, *head, body=body)["event"]


def test_documented_request_makes_the_documented_event(echo: EchoServer) -> None:
    """The documented request gives the documented event, except names of a deployment or a time."""
    event = event_of(
        echo,
        "GET /my/path?parameter1=value1&parameter1=value2&parameter2=value HTTP/1.1",
        "User-Agent: user-agent",
        "header1: value1",
        "header2: value1",
        "header2: value2",
        body=b"Hello from Lambda!",
    )
    context, documented = event["requestContext"], dict(DOCUMENTED["requestContext"])
    for name in (*OF_THE_DEPLOYMENT, *OF_THE_REQUEST):
        assert isinstance(context.pop(name), int if name == "requestTimeEpoch" else str)
        del documented[name]
    assert context.pop("identity").items() >= documented.pop("identity").items()
    assert context == documented
    for name in ("headers", "multiValueHeaders"):
        assert event.pop(name).items() >= DOCUMENTED[name].items()
    assert event == {name: DOCUMENTED[name] for name in event} | {"requestContext": context}
    assert event.keys() == DOCUMENTED.keys() - {"headers", "multiValueHeaders"}


def test_missing_parts_of_a_request_are_none(echo: EchoServer) -> None:
    """Query, parameters, body and user agent are None when they are missing."""
    event = event_of(echo, "GET /my/path HTTP/1.1")
    names = ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "body")
    assert [event[name] for name in names] == [None] * 4
    assert event["requestContext"]["identity"]["userAgent"] is None


def test_every_request_has_its_own_id_and_time(echo: EchoServer) -> None:
    """requestId is a new UUID, which the context has too; the two times agree with the clock."""
    first, second = echoed(echo, "GET /my/path HTTP/1.1"), echoed(echo, "GET /my/path HTTP/1.1")
    context = first["event"]["requestContext"]
    assert str(uuid.UUID(context["requestId"])) == context["requestId"] == first["context"]["aws_request_id"]
    assert context["requestId"] != second["event"]["requestContext"]["requestId"]
    assert abs(context["requestTimeEpoch"] / 1000 - time.time()) < 60
    assert re.fullmatch(r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000", context["requestTime"])
    assert 0 < first["context"]["remaining"] <= 29_000


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("a=%41%20b+c", {"a": ["A b c"]}),
        ("a=%C3%A9", {"a": ["\u00e9"]}),
        ("a=%", {"a": ["%"]}),
        ("a&b=", {"a": [""], "b": [""]}),
        ("a=1;b=2", {"a": ["1;b=2"]}),
        ("a==&&a=2", {"a": ["=", "2"]}),
        ("", None),
    ],
)
def test_query_parameters_are_decoded(echo: EchoServer, query: str, expected: Any) -> None:
    """A query is percent-decoded, and a lone percent sign stays."""
    event = event_of(echo, f"GET /my/path?{query} HTTP/1.1")
    assert event["multiValueQueryStringParameters"] == expected


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        ("a:b", "a:b"),
        ("100%25", "100%25"),
        ("%C3%A9", "%C3%A9"),
        ("a%20b", "a%20b"),
        ("a+b", "a+b"),
        ("a%2Fb", "a%2Fb"),
        ("a%2fparts%2Fb", "a%2fparts%2Fb"),
        ("a%3Ab%7E", "a%3Ab%7E"),
        ("%EF%BF%BD", "%EF%BF%BD"),
        ("\u00c3\u00a9", "%C3%A9"),
    ],
)
def test_path_parameters_stay_encoded(echo: EchoServer, segment: str, expected: str) -> None:
    """A path parameter stays percent-encoded, in the event's path too."""
    event = event_of(echo, f"GET /things/{segment} HTTP/1.1")
    assert event["pathParameters"] == {"thing": expected}
    assert event["path"] == event["requestContext"]["path"] == f"/things/{expected}"
    assert event["resource"] == "/things/{thing}"


def test_an_encoded_slash_stays_in_its_segment(echo: EchoServer) -> None:
    """`%2F` separates no segments: each parameter gets its own, and a literal after them is still one."""
    event = event_of(echo, "GET /things/a%2Fb/parts/%2Fparts%2F HTTP/1.1")
    assert event["resource"] == "/things/{thing}/parts/{part}"
    assert event["pathParameters"] == {"thing": "a%2Fb", "part": "%2Fparts%2F"}


def test_headers_beyond_ascii_arrive(echo: EchoServer) -> None:
    """A header's value is read as UTF-8, and invalid bytes become U+FFFD."""
    event = event_of(
        echo, "GET /my/path HTTP/1.1", "X-Name: zo\u00c3\u00ab", "X-Name: \u00ff", "X-Other: \u00ff"
    )
    assert event["multiValueHeaders"]["x-name"] == ["zo\u00eb", "\ufffd"]
    assert event["headers"]["x-other"] == "\ufffd"


@pytest.mark.parametrize("body", [b"\xff\x00", b"caf\xe9", b"\xed\xa0\x80"])
def test_a_body_that_is_not_utf8_is_base64(echo: EchoServer, body: bytes) -> None:
    """Bytes that are not UTF-8 come as base64, with the flag set."""
    event = event_of(echo, "POST /my/path HTTP/1.1", body=body)
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body


def test_a_chunked_body_is_whole(echo: EchoServer) -> None:
    """A body in chunks, without a length, arrives as one."""
    chunks = b"5\r\nHello\r\n6;x=y\r\n, you!\r\n0\r\n\r\n"
    with echo.peer() as peer:
        peer.send("POST /my/path HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked", body=chunks)
        assert peer.answer().json["event"]["body"] == "Hello, you!"
