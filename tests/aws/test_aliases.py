"""Production's functions are called by an alias, which a deployment moves to a new version."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from infra.aws.aliases import ALIAS, RELEASE, alias_of, has_aliases, mark_release
from infra.aws.fragments import Template
from tests.aws.template_lookup import called, of_type, references, values

CALLERS = (
    *("AWS::ApiGatewayV2::Integration", "AWS::Events::Rule", "AWS::Lambda::EventSourceMapping"),
    *("AWS::Lambda::Permission", "AWS::Serverless::Api"),
)


def test_whatever_calls_a_function_calls_its_alias(prod: Template) -> None:
    """No API, queue, schedule or permission names a function itself."""
    functions = of_type(prod, "AWS::Serverless::Function").keys()
    named: dict[str, set[str]] = {
        kind: {
            name
            for properties in of_type(prod, kind).values()
            for name in {*references(properties), *(of[0] for of in values(properties, "Fn::GetAtt"))}
        }
        for kind in CALLERS
    }

    assert not [kind for kind, names in named.items() if names & functions]
    assert named["AWS::Serverless::Api"] >= {alias_of("APIHandler")}
    assert named["AWS::ApiGatewayV2::Integration"] >= {
        alias_of(f"Websocket{kind}") for kind in ("Connect", "Message", "Disconnect")
    }
    permitted = {called(one["FunctionName"]) for one in of_type(prod, "AWS::Lambda::Permission").values()}
    assert permitted == functions - {"Rpc", "Worker", "Media", "ImportUsers"}


def test_every_path_leads_to_one_alias(prod: Template) -> None:
    """Each operation of the API has the URI of the same alias, in the form that API Gateway takes."""
    document = prod["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    uris = {node["Fn::Sub"] for node in values(document, "uri")}
    operations = [one for path in document["paths"].values() for one in path.values()]

    (uri,) = uris
    assert uri.endswith(f":lambda:path/2015-03-31/functions/${{{alias_of('APIHandler')}}}/invocations")
    assert all("x-amazon-apigateway-integration" in operation for operation in operations)


def test_each_function_has_versions(prod: Template) -> None:
    """SAM publishes a version when anything of a function changes, its variables too."""
    assert prod["Globals"]["Function"]["AutoPublishAlias"] == ALIAS
    for function in of_type(prod, "AWS::Serverless::Function").values():
        assert function["AutoPublishAliasAllProperties"] is True


def test_emulators_have_no_aliases(template: Template) -> None:
    """A stage but production calls functions as Chalice has it."""
    if not has_aliases(template):
        assert alias_of("") not in json.dumps(template)
    assert has_aliases(template) == ("Rollout" in template["Parameters"])


def test_each_rollout_is_one_that_there_is(prod: Template) -> None:
    """Each rollout except `at once` has a configuration of CodeDeploy with its name."""
    choices = prod["Parameters"]["Rollout"]["AllowedValues"]
    by_code_deploy = prod["Mappings"]["Rollouts"]
    preference = prod["Globals"]["Function"]["DeploymentPreference"]

    assert prod["Parameters"]["Rollout"]["Default"] == "AllAtOnce"
    assert by_code_deploy.keys() == set(choices)
    for name in choices:
        assert by_code_deploy[name]["ByCodeDeploy"] == ("false" if name == "AllAtOnce" else "true")
        assert re.fullmatch(r"AllAtOnce|(Canary|Linear)10Percent(Every)?\d+Minutes?", name)
    assert preference["Enabled"] == {"Fn::FindInMap": ["Rollouts", {"Ref": "Rollout"}, "ByCodeDeploy"]}


def test_an_alarm_on_errors_takes_a_new_version_back(prod: Template) -> None:
    """The watched alarms are on errors: one that fires for cold starts would stop every change."""
    watched = [alarm["Ref"] for alarm in prod["Globals"]["Function"]["DeploymentPreference"]["Alarms"]]
    alarms = of_type(prod, "AWS::CloudWatch::Alarm")

    assert watched == ["ApiErrorsAlarm", "FunctionErrorsAlarm", "SocketErrorsAlarm"]
    assert all(alarms[name]["TreatMissingData"] == "notBreaching" for name in watched)


# --- what tells releases apart ------------------------------------------------------------------------------


def marked(template: Template, **given: str) -> Template:
    """Return a template as it is deployed with some values."""
    copy: dict[str, Any] = json.loads(json.dumps(template))
    mark_release(copy, given)
    return copy


def test_the_same_values_are_the_same_release(prod: Template) -> None:
    """A deployment that changes nothing has the template of the last one."""
    assert marked(prod, KeepMessages="5") == marked(prod, KeepMessages="5")


@pytest.mark.parametrize("name", ["KeepMessages", "Egress", "Store", "CorsOrigins"])
def test_another_value_is_another_release(prod: Template, name: str) -> None:
    """The functions and the API's document differ, so that SAM publishes versions and deploys the API."""
    before, after = marked(prod), marked(prod, **{name: "other"})

    variables = [one["Globals"]["Function"]["Environment"]["Variables"] for one in (before, after)]
    documents = [one["Resources"]["RestAPI"]["Properties"]["DefinitionBody"] for one in (before, after)]
    assert variables[0][RELEASE] != variables[1][RELEASE]
    assert documents[0]["info"]["description"] != documents[1]["info"]["description"]
    assert documents[1]["info"]["description"] == f"Release {variables[1][RELEASE]}"


def test_another_template_is_another_release(prod: Template) -> None:
    """Lambda is never asked for a version equal to the last, which it refuses."""
    other: dict[str, Any] = json.loads(json.dumps(prod))
    other["Resources"]["Worker"]["Properties"]["Timeout"] = 59

    assert (
        marked(prod)["Globals"]["Function"]["Environment"]["Variables"][RELEASE]
        != marked(other)["Globals"]["Function"]["Environment"]["Variables"][RELEASE]
    )
