"""The differences between targets: each has a name, and a test that asserts what the target does.

A test asks `target.differs("name")` and then asserts what the target does instead; docs/localstack.md and
docs/ministack.md list all differences. Those of AWS come from its documentation: the suite has not run on an
AWS account.
"""

from __future__ import annotations

from typing import NamedTuple

# localstack: as infra/localstack starts it, with its plugin; localstack-docker: the image as it is published.
# ministack: as infra/ministack starts it.
KINDS = ("gateway", "localstack", "localstack-docker", "ministack", "aws")
LOCALSTACK = ("localstack", "localstack-docker")
MINISTACK = ("ministack",)


class Difference(NamedTuple):
    """One difference between targets.

    targets: the targets that differ. what: one sentence for the tables in docs. why: its cause.
    """

    targets: tuple[str, ...]
    what: str
    why: str


DIFFERENCES: dict[str, Difference] = {
    "unknown-method-is-404": Difference(
        (*LOCALSTACK, *MINISTACK, "aws"),
        "A wrong method on a known path is answered as an unknown path, not with a 405.",
        "API Gateway does not distinguish the two: [decision 4](adr/0004-method-not-allowed.md).",
    ),
    "gateway-responses-are-not-rendered": Difference(
        ("localstack-docker", *MINISTACK),
        'An unknown path is a 403 `{"message":"Missing Authentication Token"}`, not a 404 problem.',
        "They ignore the GatewayResponses when they import an API; on LocalStack the plugin adds them.",
    ),
    "edge-has-its-own-request-id": Difference(
        (*LOCALSTACK, *MINISTACK, "aws"),
        "The answer to an unknown path carries API Gateway's request id, not the caller's `X-Request-Id`.",
        "In a GatewayResponse a header has one source, without a fallback.",
    ),
    "challenge-header-renamed": Difference(
        ("aws",),
        "A 401 carries its challenge as `x-amzn-Remapped-WWW-Authenticate`.",
        "API Gateway renames that header of a function's answer (AWS: important notes for REST APIs).",
    ),
    "location-lacks-the-urls-prefix": Difference(
        (*LOCALSTACK, *MINISTACK),
        "`Location` begins with the stage, not with `/_aws/execute-api/<id>` as the URL does.",
        "These URLs replace host names that need DNS, and a function gets only the path below the host.",
    ),
    "broken-utf8-is-replaced": Difference(
        (*MINISTACK, "aws"),
        "A body that is not UTF-8 arrives with U+FFFD in it and is stored like that; elsewhere it is a 400.",
        "API Gateway decodes a body as text unless its media type is binary; MiniStack decodes every body.",
    ),
    "broken-query-stays-encoded": Difference(
        LOCALSTACK,
        "In a query, percent-encoding that is not UTF-8 arrives undecoded; elsewhere it is a 400.",
        "LocalStack reads queries with Werkzeug, which leaves such bytes as they are.",
    ),
    "json-as-a-form-is-rewritten": Difference(
        LOCALSTACK,
        "JSON sent as `application/x-www-form-urlencoded`, which is `curl -d` without a header, is a 400.",
        "LocalStack parses a form and encodes it again for the function, which destroys JSON.",
    ),
    "gzip-is-unpacked": Difference(
        LOCALSTACK,
        "A body with `Content-Encoding: gzip` that is not gzip gets LocalStack's own error; elsewhere it is a"
        " 415 problem.",
        "LocalStack unpacks such a body itself, before its API sees it.",
    ),
    "leading-slashes-are-merged": Difference(
        (*LOCALSTACK, *MINISTACK),
        "`//ping` is `/ping`; elsewhere it is no route.",
        "They remove slashes from the front of a path.",
    ),
    "broken-query-is-replaced": Difference(
        MINISTACK,
        "In a query or a path, percent-encoding that is not UTF-8 arrives as U+FFFD; elsewhere it is a 400.",
        "MiniStack's HTTP server decodes both before the API sees them.",
    ),
    "encoded-slash-splits-the-path": Difference(
        MINISTACK,
        "`%2F` in a path is a slash, so a name with a slash reaches no route.",
        "MiniStack matches the decoded path.",
    ),
    "stage-alone-has-a-slash": Difference(
        MINISTACK,
        "On the page at the stage's URL without a final slash, the links are broken.",
        "A function gets the path `/` for both, and its links are relative to that.",
    ),
    "sockets-are-missing": Difference(
        LOCALSTACK,
        "There are no WebSockets, and a request for a ticket is a 503 `realtime_unavailable`.",
        "LocalStack 4.14 has no WebSocket APIs; their tests run on [MiniStack](ministack.md).",
    ),
    "refused-socket-is-403": Difference(
        MINISTACK,
        "If `$connect` refuses with a 401, the answer is a 403 without a body.",
        "MiniStack closes the connection before it accepts it, and its server turns that into a 403.",
    ),
    "no-subprotocol-is-chosen": Difference(
        MINISTACK,
        "The answer to an upgrade names no subprotocol; frames use the requested one all the same.",
        "MiniStack forwards no header of `$connect`'s answer.",
    ),
    "binary-is-taken-as-text": Difference(
        MINISTACK,
        "A binary frame is accepted as text; elsewhere it closes the connection with 1003.",
        "MiniStack decodes it.",
    ),
    "sockets-have-no-limits": Difference(
        MINISTACK,
        "Frames over 32 KiB and messages over 128 KiB are accepted; elsewhere they are a close with 1009.",
        "MiniStack has none of API Gateway's limits on size and time.",
    ),
}
