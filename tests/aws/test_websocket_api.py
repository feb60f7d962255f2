"""The WebSocket API in the templates: removed parts, and its state on AWS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.aws.fragments import Template
from infra.aws.template import finished
from tests.aws.packaging import package, parley
from tests.aws.template_lookup import of_type

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
    """The project's template for AWS."""
    return package(sockets, "prod", MERGED)


@pytest.fixture(scope="module")
def on_localstack(sockets: Path) -> Template:
    """The project's template for LocalStack."""
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
    """The input stays unchanged."""
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


# --- Parley's own -------------------------------------------------------------------------------------------


def test_parley_has_sockets_on_aws(prod: Template) -> None:
    """The production template has the API with its three routes, and a stage that comes after them."""
    routes = {route["RouteKey"] for route in of_type(prod, "AWS::ApiGatewayV2::Route").values()}
    (api,) = of_type(prod, "AWS::ApiGatewayV2::Api").values()

    assert routes == {"$connect", "$default", "$disconnect"}
    assert (api["ProtocolType"], api["IpAddressType"]) == ("WEBSOCKET", "dualstack")
    assert set(prod["Resources"]["WebsocketAPIStage"]["DependsOn"]) == {
        f"Websocket{kind}Route" for kind in ("Connect", "Message", "Disconnect")
    }


def test_localstack_has_none(tmp_path: Path) -> None:
    """The template for LocalStack has no WebSocket resources, nor their functions: it could not call them."""
    text = json.dumps(package(parley(tmp_path), "localstack"))

    assert "Websocket" not in text
    assert "PARLEY_PUSH_URL" not in text


def test_nothing_logs_a_ticket(prod: Template) -> None:
    """Tracing of data is off, and the access log, if there is one, has no query string and no header."""
    (stage,) = of_type(prod, "AWS::ApiGatewayV2::Stage").values()
    settings, (on, logs, off) = stage["DefaultRouteSettings"], stage["AccessLogSettings"]["Fn::If"]
    line = logs["Format"]

    assert (settings["DataTraceEnabled"], settings["LoggingLevel"]) == (False, "OFF")
    assert (on, off) == ("SocketsLogged", {"Ref": "AWS::NoValue"})
    assert json.loads(line).keys() == {
        "time",
        "request_id",
        "connection",
        "event",
        "address",
        "status",
        "error",
    }
    assert not [word for word in ("query", "header", "authorizer", "input") if word in line.lower()]


def test_sockets_are_throttled_as_the_parameters_say(prod: Template) -> None:
    """Every route of the sockets has the rate and the burst that the parameters give."""
    (stage,) = of_type(prod, "AWS::ApiGatewayV2::Stage").values()
    settings = stage["DefaultRouteSettings"]

    assert settings["ThrottlingRateLimit"] == {"Ref": "SocketRate"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "SocketBurst"}


def test_functions_know_where_to_push(prod: Template) -> None:
    """All functions get the API's address, with its stage, where they can reach it."""
    (stage,) = of_type(prod, "AWS::ApiGatewayV2::Stage").values()
    host = "${WebsocketAPI}.execute-api.${AWS::Region}.${AWS::URLSuffix}/" + stage["StageName"]
    variables = prod["Globals"]["Function"]["Environment"]["Variables"]

    for name, scheme in (("PARLEY_SOCKET_URL", "wss"), ("PARLEY_PUSH_URL", "https")):
        condition, url, otherwise = variables[name]["Fn::If"]
        own = url["Fn::If"][2] if "Fn::If" in url else url
        assert (condition, own) == ("CanPush", {"Fn::Sub": f"{scheme}://{host}"})
        assert otherwise == {"Ref": "AWS::NoValue"}
    assert prod["Conditions"]["CanPush"] == {
        "Fn::Or": [{"Condition": "EgressByIpv6"}, {"Condition": "EgressByNat"}]
    }
