"""Where a target is unlike the contract or unlike AWS: every such place has a name, and a test of its own.

A test asks `target.differs("name")` and then asserts what the target does instead; docs/localstack.md and
docs/ministack.md list them all. What is said of AWS comes from its documentation, and was not seen on an
account.
"""

from __future__ import annotations

from typing import NamedTuple

# localstack: as infra/localstack starts it, with its plugin; localstack-docker: the image as it is published.
# ministack: as infra/ministack starts it.
KINDS = ("gateway", "localstack", "localstack-docker", "ministack", "aws")
LOCALSTACK = ("localstack", "localstack-docker")
MINISTACK = ("ministack",)


class Difference(NamedTuple):
    """One place where some targets are unlike the others.

    targets: where it is so. what: one sentence for the tables in docs. why: where it comes from.
    """

    targets: tuple[str, ...]
    what: str
    why: str


DIFFERENCES: dict[str, Difference] = {
    "unknown-method-is-404": Difference(
        (*LOCALSTACK, *MINISTACK, "aws"),
        "A known path with a method it does not have is answered as an unknown path, not with a 405.",
        "API Gateway does not tell the two apart: [decision 4](adr/0004-method-not-allowed.md).",
    ),
    "gateway-responses-are-not-rendered": Difference(
        ("localstack-docker", *MINISTACK),
        'An unknown path is a 403 `{"message":"Missing Authentication Token"}`, not a 404 problem.',
        "They leave the GatewayResponses out when they import an API; on LocalStack the plugin adds them.",
    ),
    "edge-has-its-own-request-id": Difference(
        (*LOCALSTACK, *MINISTACK, "aws"),
        "The answer to an unknown path carries API Gateway's request id, not the caller's `X-Request-Id`.",
        "A GatewayResponse gives a header one source, and cannot fall back to another.",
    ),
    "challenge-header-renamed": Difference(
        ("aws",),
        "A 401 carries its challenge as `x-amzn-Remapped-WWW-Authenticate`.",
        "API Gateway renames that header of a function's answer (AWS: important notes for REST APIs).",
    ),
    "location-lacks-the-urls-prefix": Difference(
        (*LOCALSTACK, *MINISTACK),
        "`Location` begins with the stage, not with `/_aws/execute-api/<id>` as the URL does.",
        "These URLs stand for host names that need DNS, and a function is told the path below the host.",
    ),
    "broken-utf8-is-replaced": Difference(
        (*MINISTACK, "aws"),
        "A body of broken UTF-8 arrives with U+FFFD in it and is stored so; elsewhere it is a 400.",
        "API Gateway makes text of a body unless its media type is a binary one, and MiniStack of every one.",
    ),
    "broken-query-stays-encoded": Difference(
        LOCALSTACK,
        "In a query, percent-encoding that is not UTF-8 arrives undecoded; elsewhere it is a 400.",
        "LocalStack reads queries with Werkzeug, which leaves such bytes as they are.",
    ),
    "json-as-a-form-is-rewritten": Difference(
        LOCALSTACK,
        "JSON sent as `application/x-www-form-urlencoded`, which is `curl -d` without a header, is a 400.",
        "LocalStack parses a form and writes it anew for the function, and JSON does not survive that.",
    ),
    "gzip-is-unpacked": Difference(
        LOCALSTACK,
        "A body that says `Content-Encoding: gzip` and is not is refused in words of LocalStack's; elsewhere"
        " it is a 415 problem.",
        "LocalStack unpacks such a body itself, before its API sees it.",
    ),
    "leading-slashes-are-merged": Difference(
        (*LOCALSTACK, *MINISTACK),
        "`//ping` is `/ping`; elsewhere it is no route.",
        "They take slashes off the front of a path.",
    ),
    "broken-query-is-replaced": Difference(
        MINISTACK,
        "In a query or a path, percent-encoding that is not UTF-8 arrives as U+FFFD; elsewhere it is a 400.",
        "MiniStack's HTTP server decodes both before the API sees them.",
    ),
    "encoded-slash-splits-the-path": Difference(
        MINISTACK,
        "`%2F` in a path is a slash, so a name that has one in it reaches no route.",
        "MiniStack matches the decoded path.",
    ),
    "stage-alone-has-a-slash": Difference(
        MINISTACK,
        "The page at the stage's URL without a slash at its end has links that lead nowhere.",
        "A function is told the path `/` for both, and its links are relative to that.",
    ),
    "sockets-are-missing": Difference(
        LOCALSTACK,
        "There are no sockets, and a ticket is a 503 `realtime_unavailable`.",
        "LocalStack 4.14 has no WebSocket APIs; the suite for sockets runs on [MiniStack](ministack.md).",
    ),
    "refused-socket-is-403": Difference(
        MINISTACK,
        "A socket that `$connect` refuses with a 401 is answered by a 403 without a body.",
        "MiniStack closes before it accepts, and its server makes that a 403.",
    ),
    "no-subprotocol-is-chosen": Difference(
        MINISTACK,
        "The answer to an upgrade names no subprotocol; frames go by the one asked for all the same.",
        "MiniStack passes no header of `$connect`'s answer on.",
    ),
    "binary-is-taken-as-text": Difference(
        MINISTACK,
        "A binary frame is taken as text; elsewhere it closes the socket with 1003.",
        "MiniStack decodes it.",
    ),
    "sockets-have-no-limits": Difference(
        MINISTACK,
        "A frame over 32 KiB and a message over 128 KiB are taken; elsewhere they close it with 1009.",
        "MiniStack has none of API Gateway's limits of size and time.",
    ),
}
