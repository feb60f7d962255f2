"""The finished templates: sound for cfn-lint, and consistent."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

from chalicelib.config import VARIABLES
from infra.aws.fragments import Template
from infra.aws.template import FOLDER, FRAGMENTS, merge_template
from infra.local.event_sources.queue import BATCH, MAX_RECEIVES
from tests.aws.lint_exceptions import CFN_LINT
from tests.aws.template_lookup import called, of_type, references, values

REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-2"]
OF_THE_SDK = {"AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_LAMBDA"}


def problems(template: Template) -> list[str]:
    """Return what cfn-lint finds in a template."""
    found = lint(json.dumps(template), config=ManualArgs(regions=REGIONS, include_checks=["I", "W", "E"]))
    return [f"{match.rule.id} {match.message}" for match in found if not is_exception(match)]


def is_exception(match: Any) -> bool:
    """Return whether a finding of cfn-lint is an accepted one."""
    return re.fullmatch(CFN_LINT.get(match.rule.id, ""), match.message) is not None


@pytest.mark.long
def test_template_is_sound(template: Template) -> None:
    """cfn-lint finds nothing in the template of any stage, in three regions."""
    assert problems(template) == []


@pytest.mark.long
def test_lint_sees_what_is_unsound(prod: Template) -> None:
    """cfn-lint checks functions, the API and Globals: an unknown property is found there."""
    broken = json.loads(json.dumps(prod))
    broken["Resources"]["APIHandler"]["Properties"]["Memory"] = 1
    broken["Resources"]["RestAPI"]["Properties"]["Throttle"] = 1
    broken["Globals"]["Function"]["VpcConfig"]["Subnets"] = []

    assert {re.findall(r"'(\w+)' was", problem)[0] for problem in problems(broken)} == {
        "Memory",
        "Throttle",
        "Subnets",
    }


LONGEST = {
    ("AWS::SNS::Topic", "DisplayName"): 100,
    ("AWS::CloudWatch::Alarm", "AlarmName"): 255,
    ("AWS::WAFv2::WebACL", "Name"): 128,
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
    ("AWS::CloudWatch::Dashboard", "DashboardName"): 255,
}
"""AWS's limits of names, in characters. SNS says its own only by refusing what is longer."""


@pytest.mark.parametrize(("kind", "name"), LONGEST)
def test_a_stack_may_have_the_longest_name(prod: Template, kind: str, name: str) -> None:
    """Names made from the stack's name fit, even with CloudFormation's maximum of 128 characters."""
    for properties in of_type(prod, kind).values():
        text = properties[name]
        value = "${AWS::StackName}" if text == {"Ref": "AWS::StackName"} else text
        written = value["Fn::Sub"] if isinstance(value, dict) else value
        whole = written.replace("${AWS::StackName}", "s" * 128).replace("${AWS::Region}", "ap-southeast-2")
        assert "${" not in whole
        assert len(whole) <= LONGEST[kind, name]


def test_every_fragment_is_used() -> None:
    """A stage names each file of the folder, and no other."""
    named = {name for names in FRAGMENTS.values() for name in names}

    assert named == {file.stem for file in FOLDER.glob("*.yaml")}


def test_every_function_is_watched(prod: Template) -> None:
    """The alarms on errors and on throttles have a metric of each function."""
    functions = of_type(prod, "AWS::Serverless::Function").keys()
    alarms = of_type(prod, "AWS::CloudWatch::Alarm")

    for alarm in ("FunctionErrorsAlarm", "FunctionThrottlesAlarm"):
        named = {
            dimension["Value"]["Ref"]
            for metric in alarms[alarm]["Metrics"]
            for dimension in metric.get("MetricStat", {}).get("Metric", {}).get("Dimensions", [])
        }
        assert named == functions


def test_alarms_have_names_of_their_own(prod: Template) -> None:
    """No two alarms share a name: when one kind of store replaces the other, both stand there for a while."""
    names = [alarm["AlarmName"]["Fn::Sub"] for alarm in of_type(prod, "AWS::CloudWatch::Alarm").values()]

    assert len(names) == len(set(names))


def test_functions_have_the_memory_of_the_parameter(prod: Template) -> None:
    """FunctionMemory is the memory of every function but the import, which has its own."""
    own = {
        name: function["MemorySize"]
        for name, function in of_type(prod, "AWS::Serverless::Function").items()
        if "MemorySize" in function
    }

    assert prod["Globals"]["Function"]["MemorySize"] == {"Ref": "FunctionMemory"}
    assert own == {"ImportUsers": 1024}


def test_every_dead_letter_queue_is_watched(prod: Template) -> None:
    """Each dead-letter queue has an alarm."""
    failed = {
        queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for queue in of_type(prod, "AWS::SQS::Queue").values()
        if "RedrivePolicy" in queue
    }
    watched = {
        alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for alarm in of_type(prod, "AWS::CloudWatch::Alarm").values()
        if alarm.get("MetricName") == "ApproximateNumberOfMessagesVisible"
    }

    assert watched == failed


def test_messages_outlast_six_attempts(prod: Template) -> None:
    """A queue hides a message for six times its function's time-out."""
    functions = of_type(prod, "AWS::Serverless::Function")
    takers = {
        source["EventSourceArn"]["Fn::GetAtt"][0]: functions[called(source["FunctionName"])]["Timeout"]
        for source in of_type(prod, "AWS::Lambda::EventSourceMapping").values()
    }

    assert takers.keys() == {"Work", "MediaEvents"}
    for name, queue in of_type(prod, "AWS::SQS::Queue").items():
        assert ("RedrivePolicy" in queue) == (name in takers)
        assert name not in takers or queue["VisibilityTimeout"] == 6 * takers[name]


def test_failed_messages_alone_come_back(template: Template) -> None:
    """Both stages deliver both queues' messages in batches, of which the function names the failed ones."""
    sources = of_type(template, "AWS::Lambda::EventSourceMapping").values()

    assert {
        called(source["FunctionName"]): source["EventSourceArn"]["Fn::GetAtt"][0] for source in sources
    } == {
        "Worker": "Work",
        "Media": "MediaEvents",
    }
    for source in sources:
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert source["BatchSize"] == BATCH


def test_lost_work_is_swept_each_minute(template: Template) -> None:
    """Both stages have a schedule for the sweep, which alone may call it."""
    (rule,) = of_type(template, "AWS::Events::Rule").values()
    permission = of_type(template, "AWS::Lambda::Permission")["SweepPermission"]

    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert [called(target["Arn"]) for target in rule["Targets"]] == ["Sweep"]
    assert permission["Principal"] == "events.amazonaws.com"
    assert called(permission["FunctionName"]) == "Sweep"
    assert permission["SourceArn"] == {"Fn::GetAtt": ["SweepSchedule", "Arn"]}


@pytest.mark.parametrize("name", ["Work", "MediaEvents"])
def test_retries_here_are_those_of_the_queue(prod: Template, name: str) -> None:
    """The laptop server gives up a message after as many attempts as the queue does."""
    redrive = prod["Resources"][name]["Properties"]["RedrivePolicy"]

    assert redrive["maxReceiveCount"] == MAX_RECEIVES


def test_a_sweep_that_does_not_run_is_seen(prod: Template) -> None:
    """The alarm on the sweep fires when it takes longer than its schedule, and when it is silent."""
    alarm = of_type(prod, "AWS::CloudWatch::Alarm")["SweepAlarm"]

    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "Sweep"}}]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("Duration", 60_000)
    assert alarm["TreatMissingData"] == "breaching"


def test_uncounted_calls_are_seen_in_the_log(prod: Template) -> None:
    """The alarms on open rate limits and failed pushes watch metrics made of the functions' own lines."""
    metrics = of_type(prod, "AWS::Logs::MetricFilter")
    alarms = of_type(prod, "AWS::CloudWatch::Alarm")
    events = {"RateLimitOpen": ("rate_limit_open", "1"), "PushesFailed": ("pushes_failed", "$.failed")}

    assert metrics.keys() == events.keys()
    for name, metric in metrics.items():
        (made,) = metric["MetricTransformations"]
        event, value = events[name]
        alarm = alarms[f"{name}Alarm"]
        assert metric["LogGroupName"] == {"Ref": "FunctionLogs"}
        assert metric["FilterPattern"] == f'{{ $.event = "{event}" }}'
        assert made["MetricValue"] == value
        assert (alarm["Namespace"], alarm["MetricName"]) == (made["MetricNamespace"], made["MetricName"])


def test_settings_are_ones_the_application_reads(template: Template) -> None:
    """Functions get variables that the application or the SDK knows, each defined once."""
    everywhere = template["Globals"]["Function"]["Environment"]["Variables"].keys() - OF_THE_SDK

    for name, function in of_type(template, "AWS::Serverless::Function").items():
        own = function["Environment"]["Variables"].keys()
        assert own | everywhere <= VARIABLES.keys(), name
        assert not own & everywhere
        assert {"PARLEY_STAGE", "PARLEY_AUTH", "REDIS_URL", "PARLEY_WORK_QUEUE"} <= own | everywhere


def test_parameters_explain_themselves() -> None:
    """Every parameter has a description, and one that takes free text says what it must be."""
    for stage in FRAGMENTS:
        for name, parameter in merge_template(stage)["Parameters"].items():
            assert parameter["Description"].endswith("."), name
            free = "AllowedPattern" in parameter or "MinValue" in parameter
            assert free == ("ConstraintDescription" in parameter) or "AllowedValues" in parameter, name


def test_every_parameter_has_an_effect(template: Template) -> None:
    """Each is referred to by its resources: a resource, condition, rule, output, or all functions."""
    used = {
        name for section, part in template.items() if section != "Parameters" for name in references(part)
    }

    assert template["Parameters"].keys() <= used


def test_calls_are_throttled_as_the_parameters_say(prod: Template) -> None:
    """Every method of every path has the rate and the burst that the parameters give."""
    assert prod["Resources"]["RestAPI"]["Properties"]["MethodSettings"] == [
        {
            "HttpMethod": "*",
            "ResourcePath": "/*",
            "ThrottlingRateLimit": {"Ref": "ThrottleRate"},
            "ThrottlingBurstLimit": {"Ref": "ThrottleBurst"},
        }
    ]


def test_functions_speak_ipv6_where_that_is_the_way_out(prod: Template) -> None:
    """Their subnets give out IPv6 addresses, and functions use them if egress is by IPv6."""
    network = prod["Globals"]["Function"]["VpcConfig"]
    private = [subnet["Ref"] for subnet in network["SubnetIds"]]

    assert prod["Conditions"]["EgressByIpv6"] == {"Fn::Equals": [{"Ref": "Egress"}, "ipv6"]}
    assert network["Ipv6AllowedForDualStack"] == {"Fn::If": ["EgressByIpv6", True, False]}
    assert private == ["SubnetA", "SubnetB"]
    for name, subnet in of_type(prod, "AWS::EC2::Subnet").items():
        assert subnet.get("AssignIpv6AddressOnCreation", False) is (name in private), name


def test_stack_has_defaults(prod: Template) -> None:
    """The production stack needs no parameters, and then requires authentication."""
    assert all("Default" in parameter for parameter in prod["Parameters"].values())
    assert prod["Parameters"]["Auth"]["Default"] == "required"
    assert prod["Parameters"]["Tracing"]["Default"] == "off"


def test_metrics_are_of_the_deployed_stage(prod: Template) -> None:
    """Alarms, dashboard and URL name the stage that Chalice deploys, and the API by its own name."""
    api = prod["Resources"]["RestAPI"]["Properties"]
    stage = api["StageName"]
    dimensions = [
        {dimension["Name"]: dimension["Value"] for dimension in found}
        for found in values(of_type(prod, "AWS::CloudWatch::Alarm"), "Dimensions")
    ]
    of_api = [found for found in dimensions if "ApiName" in found]

    assert len(of_api) == 3
    assert all(found == {"ApiName": api["Name"], "Stage": stage} for found in of_api)
    assert api["DefinitionBody"]["info"]["title"] == api["Name"]
    assert api["EndpointConfiguration"] == "REGIONAL"


def test_dashboard_is_json(prod: Template) -> None:
    """The dashboard's body is JSON once its variables are filled in."""
    (dashboard,) = of_type(prod, "AWS::CloudWatch::Dashboard").values()
    body, _ = dashboard["DashboardBody"]["Fn::Sub"]

    assert len(json.loads(re.sub(r"\$\{[^}]+}", "name", body))["widgets"]) == 7
