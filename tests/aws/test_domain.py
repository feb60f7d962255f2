"""The operator's own names of both APIs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from chalicelib.config import Settings
from infra.aws.fragments import Template
from tests.aws.template_lookup import of_type

NOTHING = {"Ref": "AWS::NoValue"}


def test_each_api_has_a_name_of_its_own(prod: Template) -> None:
    """Both names lead to the stage that is deployed, at their root, and take TLS 1.2 or later."""
    (name,) = of_type(prod, "AWS::ApiGateway::DomainName").values()
    (path,) = of_type(prod, "AWS::ApiGateway::BasePathMapping").values()
    (sockets,) = of_type(prod, "AWS::ApiGatewayV2::DomainName").values()
    (to_sockets,) = of_type(prod, "AWS::ApiGatewayV2::ApiMapping").values()

    assert (name["DomainName"], name["SecurityPolicy"]) == ({"Ref": "DomainName"}, "TLS_1_2")
    assert (path["RestApiId"], path["Stage"]) == ({"Ref": "RestAPI"}, {"Ref": "RestAPIprodStage"})
    assert "BasePath" not in path
    (configuration,) = sockets["DomainNameConfigurations"]
    assert (sockets["DomainName"], configuration["SecurityPolicy"]) == (
        {"Ref": "SocketDomainName"},
        "TLS_1_2",
    )
    assert (to_sockets["ApiId"], to_sockets["Stage"]) == (
        {"Ref": "WebsocketAPI"},
        {"Ref": "WebsocketAPIStage"},
    )
    assert "ApiMappingKey" not in to_sockets
    assert {str(name["RegionalCertificateArn"]), str(configuration["CertificateArn"])} == {
        str({"Ref": "CertificateArn"})
    }


def test_clients_see_the_operators_names(prod: Template) -> None:
    """Tickets, outputs and Parameter Store have the operator's names; pushes go to API Gateway's own."""
    variables = prod["Globals"]["Function"]["Environment"]["Variables"]
    condition, sockets, _ = variables["PARLEY_SOCKET_URL"]["Fn::If"][1]["Fn::If"]
    texts = {
        "ApiUrl": prod["Outputs"]["ApiUrl"]["Value"],
        "api-url": prod["Resources"]["ApiUrlParameter"]["Properties"]["Value"],
    }

    assert (condition, sockets) == ("HasSocketDomain", {"Fn::Sub": "wss://${SocketDomainName}/"})
    assert prod["Outputs"]["SocketUrl"]["Value"] == variables["PARLEY_SOCKET_URL"]["Fn::If"][1]
    assert {str(value["Fn::If"][:2]) for value in texts.values()} == {
        str(["HasDomain", {"Fn::Sub": "https://${DomainName}"}])
    }
    assert "SocketDomainName" not in str(variables["PARLEY_PUSH_URL"])


def test_the_name_of_the_sockets_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application accepts the URL as the template writes it."""
    monkeypatch.setenv("PARLEY_SOCKET_URL", "wss://sockets.chat.example/")

    assert Settings.from_env().socket_url in ("wss://sockets.chat.example/", "wss://sockets.chat.example")


def test_dns_gets_its_targets(prod: Template) -> None:
    """Each name has outputs with the target of its alias, and its zone."""
    for prefix, resource in (("Domain", "ApiDomain"), ("SocketDomain", "SocketDomain")):
        target, zone = prod["Outputs"][f"{prefix}Target"], prod["Outputs"][f"{prefix}Zone"]
        assert target["Value"] == {"Fn::GetAtt": [resource, "RegionalDomainName"]}
        assert zone["Value"] == {"Fn::GetAtt": [resource, "RegionalHostedZoneId"]}
        assert target["Condition"] == zone["Condition"] == prod["Resources"][resource]["Condition"]


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        ({}, []),
        ({"DomainName": "a.example"}, ["need CertificateArn"]),
        ({"SocketDomainName": "a.example"}, ["need CertificateArn"]),
        ({"DomainName": "a.example", "CertificateArn": "arn"}, []),
        ({"DomainName": "a.example", "SocketDomainName": "a.example", "CertificateArn": "x"}, ["two names"]),
        ({"DomainName": "a.example", "SocketDomainName": "b.example", "CertificateArn": "x"}, []),
    ],
)
def test_names_without_a_certificate_are_refused(
    prod: Template, names: dict[str, str], refused: list[str]
) -> None:
    """CloudFormation refuses incomplete parameters before it makes anything, and says what is needed."""
    values = {"DomainName": "", "SocketDomainName": "", "CertificateArn": "", **names}
    texts = [
        one["AssertDescription"]
        for one in prod["Rules"]["CertificateOfTheNames"]["Assertions"]
        if not holds(one["Assert"], values)
    ]

    assert [re.search(r"need CertificateArn|two names", text)[0] for text in texts] == refused  # type: ignore[index]


def holds(condition: dict[str, Any], values: dict[str, str]) -> bool:
    """Return CloudFormation's value of a condition."""
    ((name, operands),) = condition.items()
    if name == "Fn::Equals":
        first, second = (values[one["Ref"]] if isinstance(one, dict) else one for one in operands)
        return bool(first == second)
    found = [holds(one, values) for one in operands]
    if name == "Fn::Not":
        return not found[0]
    return any(found) if name == "Fn::Or" else all(found)


@pytest.mark.parametrize("name", ["DomainName", "SocketDomainName"])
@pytest.mark.parametrize(
    ("value", "taken"),
    [
        *[("", True), ("chat.example", True), ("a-b.c1.example", True)],
        *[("Chat.example", False), ("https://chat.example", False), ("chat.example.", False)],
        *[("chat", False), ("-a.example", False), ("*.example", False)],
    ],
)
def test_a_name_is_a_host_name(prod: Template, name: str, value: str, taken: bool) -> None:
    """A URL, a wildcard and capitals are refused."""
    assert bool(re.fullmatch(prod["Parameters"][name]["AllowedPattern"], value)) is taken
