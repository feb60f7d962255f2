"""The template of stage ministack: the WebSocket API, and its URL for the functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.aws.fragments import Template
from tests.aws.packaging import package, parley
from tests.aws.template_lookup import of_type

WHERE = "${Host}/_aws/execute-api/${WebsocketAPI}/ministack"


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The finished template."""
    return package(parley(tmp_path_factory.mktemp("ministack")), "ministack")


def test_ministack_has_sockets(ministack: Template) -> None:
    """The API has its routes, and a stage of the name in its URL that takes every route."""
    (api,) = of_type(ministack, "AWS::ApiGatewayV2::Api")
    (stage,) = of_type(ministack, "AWS::ApiGatewayV2::Stage").values()
    assert api == "WebsocketAPI"
    assert (stage["StageName"], stage["AutoDeploy"]) == ("ministack", True)
    assert len(of_type(ministack, "AWS::ApiGatewayV2::Route")) == 3
    assert not of_type(ministack, "AWS::ApiGatewayV2::Deployment")


def test_every_function_knows_the_websocket_urls(ministack: Template) -> None:
    """Globals have the URLs for clients and for the functions' pushes."""
    variables = ministack["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["PARLEY_SOCKET_URL"] == {"Fn::Sub": f"ws://{WHERE}"}
    assert variables["PARLEY_PUSH_URL"] == {"Fn::Sub": f"http://{WHERE}"}


def test_ministack_is_what_localstack_is_beside(ministack: Template, tmp_path: Path) -> None:
    """Everything else is as on LocalStack."""
    localstack = package(parley(tmp_path), "localstack")
    sockets = {name for name in ministack["Resources"] if name.startswith("Websocket")}
    assert ministack["Resources"].keys() - sockets == localstack["Resources"].keys()
