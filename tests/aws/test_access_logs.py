"""The access logs of both APIs: the contents of a line, and the order of resources."""

from __future__ import annotations

import json
import re

import pytest

from infra.aws.fragments import Template
from tests.aws.template_lookup import of_type

GROUPS = {"AWS::Serverless::Api": "CallLogs", "AWS::ApiGatewayV2::Stage": "SocketLogs"}
SETTINGS = {"AWS::Serverless::Api": "AccessLogSetting", "AWS::ApiGatewayV2::Stage": "AccessLogSettings"}
EVERY_LOG = pytest.mark.parametrize("kind", sorted(GROUPS))
# Values that API Gateway makes itself, none of which has a quote in it.
SAFE = {
    *("requestTime", "requestId", "httpMethod", "resourcePath", "identity.sourceIp", "status"),
    *("responseLength", "responseLatency", "error.responseType", "wafResponseCode"),
    *("connectionId", "eventType"),
}


def setting(template: Template, kind: str) -> list[Template]:
    """Return the choice between an access log and none."""
    (stage,) = of_type(template, kind).values()
    choice: list[Template] = stage[SETTINGS[kind]]["Fn::If"]
    return choice


@EVERY_LOG
def test_a_line_is_json_without_secrets(prod: Template, kind: str) -> None:
    """A line has values that are safe to log and to quote: no path, query, header or content."""
    _, logged, otherwise = setting(prod, kind)
    line = json.loads(logged["Format"])

    assert otherwise == {"Ref": "AWS::NoValue"}
    assert "\n" not in logged["Format"]
    assert {"time", "request_id", "address", "status"} <= line.keys()
    assert all(re.fullmatch(r"\$context\.[\w.]+", value) for value in line.values())
    assert {value.removeprefix("$context.") for value in line.values()} <= SAFE


@EVERY_LOG
def test_lines_are_kept_for_as_long_as_the_parameter_says(prod: Template, kind: str) -> None:
    """Each log has a group of the stack's own, which is there when the log is on."""
    condition, logged, _ = setting(prod, kind)
    group = prod["Resources"][GROUPS[kind]]

    assert logged["DestinationArn"] == {"Fn::GetAtt": [GROUPS[kind], "Arn"]}
    assert group["Condition"] == condition
    assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@EVERY_LOG
def test_the_role_is_there_before_the_stage(prod: Template, kind: str) -> None:
    """Where the stack makes the account's role, the group waits for it, and the stage for the group."""
    tags = prod["Resources"][GROUPS[kind]]["Properties"]["Tags"]

    condition, waits, _ = tags[0]["Fn::If"]
    assert (condition, waits["Value"]) == ("MakesLogRole", {"Ref": "LogAccount"})
    assert prod["Resources"]["LogAccount"]["Properties"]["CloudWatchRoleArn"] == {
        "Fn::GetAtt": ["LogRole", "Arn"]
    }


def test_the_role_outlives_the_stack(prod: Template) -> None:
    """It is the account's: a deleted stack takes it from no other API."""
    for name in ("LogRole", "LogAccount"):
        assert prod["Resources"][name]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert prod["Resources"][name]["Condition"] == "MakesLogRole"
