"""What is taken out of the template of an application with WebSocket handlers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.aws.fragments import Template
from infra.aws.template import finished
from tests.aws.packaging import package

APP = """
from chalice import Chalice

app = Chalice(app_name="sockets")
app.experimental_feature_flags.update(["WEBSOCKETS"])


@app.route("/")
def index():
    return {}


@app.on_ws_connect()
def connect(event):
    pass


@app.on_ws_message()
def message(event):
    pass


@app.on_ws_disconnect()
def disconnect(event):
    pass
"""
STAGE = {"api_gateway_stage": "v1", "environment_variables": {"SHARED": "own", "OWN": "own"}}
CONFIG = {
    "version": "2.0",
    "app_name": "sockets",
    "autogen_policy": False,
    "iam_policy_file": "policy.json",
    "api_gateway_endpoint_type": "REGIONAL",
    "stages": {"prod": STAGE, "localstack": STAGE},
}
MERGED: Template = {
    "Globals": {
        "Function": {
            "Environment": {
                "Variables": {
                    "SHARED": "everywhere",
                    "SOCKETS": {
                        "Fn::Sub": "https://${WebsocketAPI}.execute-api.${AWS::Region}.amazonaws.com/v1"
                    },
                }
            }
        }
    },
    "Resources": {
        "SocketsUrl": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Type": "String", "Value": {"Ref": "WebsocketAPI"}},
        },
        "AfterSocketsUrl": {"Type": "AWS::SNS::Topic", "DependsOn": ["SocketsUrl"], "Properties": {}},
        "WebsocketMessage": {"DependsOn": "WebsocketAPIStage"},
        "WebsocketConnect": {"DependsOn": ["WebsocketAPIStage", "RestAPI"]},
    },
}


@pytest.fixture(scope="module")
def sockets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Chalice project with a route and the three WebSocket handlers."""
    project = tmp_path_factory.mktemp("sockets")
    (project / ".chalice").mkdir()
    (project / "app.py").write_text(APP)
    (project / "requirements.txt").touch()
    (project / ".chalice" / "config.json").write_text(json.dumps(CONFIG))
    (project / ".chalice" / "policy.json").write_text('{"Version": "2012-10-17", "Statement": []}')
    return project


@pytest.fixture(scope="module")
def on_aws(sockets: Path) -> Template:
    """Its template as AWS gets it."""
    return package(sockets, "prod", MERGED)


@pytest.fixture(scope="module")
def on_localstack(sockets: Path) -> Template:
    """Its template as LocalStack gets it."""
    return package(sockets, "localstack", MERGED)


def types(template: Template) -> set[str]:
    """Return the types of a template's resources."""
    return {resource["Type"] for resource in template["Resources"].values()}


def test_sockets_deploy_their_routes_by_themselves(on_aws: Template) -> None:
    """On AWS the static deployment is gone, and the stage takes every route that comes."""
    stage = on_aws["Resources"]["WebsocketAPIStage"]["Properties"]

    assert "AWS::ApiGatewayV2::Deployment" not in types(on_aws)
    assert stage["AutoDeploy"] is True
    assert "DeploymentId" not in stage


def test_sockets_stay_on_aws(on_aws: Template) -> None:
    """On AWS all else of the WebSocket API is there: routes, permissions, outputs, variables."""
    resources = on_aws["Resources"]

    assert {"AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Integration", "AWS::ApiGatewayV2::Route"} <= types(
        on_aws
    )
    assert "WebsocketConnectInvokePermission" in resources
    assert "WebsocketAPIId" in on_aws["Outputs"]
    assert "SOCKETS" in on_aws["Globals"]["Function"]["Environment"]["Variables"]
    assert resources["WebsocketMessage"]["DependsOn"] == ["WebsocketAPIStage"]


def test_localstack_gets_no_trace_of_sockets(on_localstack: Template) -> None:
    """On LocalStack nothing is a part of the WebSocket API or names one; functions and the REST API stay."""
    text = json.dumps(on_localstack)

    assert not [kind for kind in types(on_localstack) if kind.startswith("AWS::ApiGatewayV2::")]
    assert "WebsocketAPI" not in text
    assert on_localstack["Globals"]["Function"]["Environment"]["Variables"] == {"SHARED": "everywhere"}
    resources = on_localstack["Resources"]
    assert {"WebsocketConnect", "WebsocketMessage", "APIHandler", "RestAPI"} <= resources.keys()
    assert "APIHandlerInvokePermission" in resources
    assert "EndpointURL" in on_localstack["Outputs"]


def test_what_cannot_be_without_sockets_goes_too(on_localstack: Template) -> None:
    """A resource that names the WebSocket API goes, and so does what depends on that; a function stays."""
    resources = on_localstack["Resources"]

    assert not {"SocketsUrl", "AfterSocketsUrl", "WebsocketConnectInvokePermission"} & resources.keys()
    assert resources["WebsocketMessage"]["DependsOn"] == []
    assert resources["WebsocketConnect"]["DependsOn"] == ["RestAPI"]


def test_globals_win_over_a_functions_own_variable(on_aws: Template) -> None:
    """A variable of Globals is in no function; a function's other variables stay."""
    for resource in on_aws["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            assert resource["Properties"]["Environment"]["Variables"] == {"OWN": "own"}


def test_a_template_is_not_changed_in_place() -> None:
    """What is handed in stays as it is."""
    given: dict[str, Any] = {
        "Globals": {"Function": {"Environment": {"Variables": {"A": "1"}}}},
        "Resources": {
            "F": {
                "Type": "AWS::Serverless::Function",
                "Properties": {"Environment": {"Variables": {"A": "2"}}},
            }
        },
    }
    before = json.dumps(given)

    finished(given, "prod")

    assert json.dumps(given) == before
