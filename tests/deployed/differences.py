"""Where a target is unlike the contract or unlike AWS: every such place has a name, and a test of its own.

A test asks `target.differs("name")` and then asserts what the target does instead; docs/localstack.md lists
them all. What is said of AWS comes from its documentation, and was not seen on an account.
"""

from __future__ import annotations

from typing import NamedTuple

# localstack: as infra/localstack starts it, with its plugin; localstack-docker: the image as it is published.
KINDS = ("gateway", "localstack", "localstack-docker", "aws")
LOCALSTACK = ("localstack", "localstack-docker")


class Difference(NamedTuple):
    """One place where some targets are unlike the others.

    targets: where it is so. what: one sentence for the table in docs/localstack.md. why: where it comes from.
    """

    targets: tuple[str, ...]
    what: str
    why: str


DIFFERENCES: dict[str, Difference] = {
    "unknown-method-is-404": Difference(
        (*LOCALSTACK, "aws"),
        "A known path with a method it does not have is answered as an unknown path, not with a 405.",
        "API Gateway does not tell the two apart: [decision 4](adr/0004-method-not-allowed.md).",
    ),
    "gateway-responses-are-not-rendered": Difference(
        ("localstack-docker",),
        'An unknown path is a 403 `{"message":"Missing Authentication Token"}`, not a 404 problem.',
        "LocalStack 4.14 leaves the GatewayResponses out when it imports an API; the plugin puts them in.",
    ),
    "edge-has-its-own-request-id": Difference(
        (*LOCALSTACK, "aws"),
        "The answer to an unknown path carries API Gateway's request id, not the caller's `X-Request-Id`.",
        "A GatewayResponse gives a header one source, and cannot fall back to another.",
    ),
    "challenge-header-renamed": Difference(
        ("aws",),
        "A 401 carries its challenge as `x-amzn-Remapped-WWW-Authenticate`.",
        "API Gateway renames that header of a function's answer (AWS: important notes for REST APIs).",
    ),
    "location-lacks-the-urls-prefix": Difference(
        LOCALSTACK,
        "`Location` begins with the stage, not with `/_aws/execute-api/<id>` as the URL does.",
        "These URLs stand for host names that need DNS, and a function is told the path below the host.",
    ),
    "broken-utf8-is-replaced": Difference(
        ("aws",),
        "A body of broken UTF-8 arrives with U+FFFD in it and is stored so; elsewhere it is a 400.",
        "API Gateway makes text of a body unless its media type is a binary one.",
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
    "header-beyond-ascii-is-taken": Difference(
        LOCALSTACK,
        "An `Idempotency-Key` beyond ASCII is taken as Latin-1; the gateway refuses it.",
        "LocalStack's HTTP server decodes headers as Latin-1.",
    ),
    "leading-slashes-are-merged": Difference(
        LOCALSTACK,
        "`//ping` is `/ping`; elsewhere it is no route.",
        "LocalStack takes slashes off the front of a path.",
    ),
}
