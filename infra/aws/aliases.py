"""Callers of a function call its alias, which a deployment moves to a new version, at once or by parts.

A version has code and variables of one deployment. Without it CloudFormation changes a function's variables
first and its code seconds later, and calls in between run old code with new variables.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from infra.aws.fragments import Template

ALIAS = "live"
RELEASE = "RELEASE"
URI = (
    "arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{}}}/invocations"
)
# What calls a function, and the property that names it.
NAMING = {"AWS::Lambda::Permission": "FunctionName", "AWS::Lambda::EventSourceMapping": "FunctionName"}


def alias_of(function: str) -> str:
    """Return the name of the alias that SAM makes of a function, by the function's in the template."""
    return f"{function}Alias{ALIAS}"


def call_aliases(template: Template) -> None:
    """Have APIs, queues and schedules call the functions' aliases, and permit that; changes the template."""
    functions = _functions(template)
    for resource in template["Resources"].values():
        kind, properties = resource["Type"], resource.get("Properties", {})
        if kind in NAMING:
            properties[NAMING[kind]] = {"Ref": alias_of(properties[NAMING[kind]]["Ref"])}
        elif kind == "AWS::ApiGatewayV2::Integration":
            (called,) = [name for name in functions if {"Ref": name} in _parts(properties["IntegrationUri"])]
            properties["IntegrationUri"] = {"Fn::Sub": URI.format(alias_of(called))}
        elif kind == "AWS::Events::Rule":
            for target in properties["Targets"]:
                target["Arn"] = {"Ref": alias_of(target["Arn"]["Fn::GetAtt"][0])}
        elif kind == "AWS::Serverless::Function":
            # Not for new code alone: a version has the variables too.
            properties["AutoPublishAliasAllProperties"] = True
        elif kind == "AWS::Serverless::Api":
            _call_alias_by_paths(properties["DefinitionBody"], functions)


def mark_release(template: Template, values: Mapping[str, str], after: str = "") -> None:
    """Write a digest of a template and its parameters' values into the functions and the API's document.

    after: the update before, if it was taken back; empty if it was not. Its versions stay, so that the same
    release would be as the last version, and could not be deployed again.
    SAM publishes a version of a function, and deploys an API, where their part of the template is another
    one: a parameter's new value alone is not seen. With the digest in a variable a version is published
    exactly where there is something new, as Lambda refuses one that is as the last. It changes the template.
    """
    told = json.dumps([template, dict(values), *filter(None, [after])], sort_keys=True)
    release = hashlib.sha256(told.encode()).hexdigest()[:12]
    template["Globals"]["Function"]["Environment"]["Variables"][RELEASE] = release
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Api":
            resource["Properties"]["DefinitionBody"]["info"]["description"] = f"Release {release}"


def has_aliases(template: Template) -> bool:
    """Whether the functions of a template have versions and aliases."""
    return "AutoPublishAlias" in template.get("Globals", {}).get("Function", {})


def _functions(template: Template) -> list[str]:
    resources = template["Resources"].items()
    return [name for name, resource in resources if resource["Type"] == "AWS::Serverless::Function"]


def _parts(uri: Any) -> list[Any]:
    _, variables = uri["Fn::Sub"]
    return list(variables.values())


def _call_alias_by_paths(document: Template, functions: list[str]) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            integration = operation["x-amazon-apigateway-integration"]
            uri = integration["uri"]["Fn::Sub"]
            (called,) = [name for name in functions if f"${{{name}.Arn}}" in uri]
            integration["uri"] = {"Fn::Sub": uri.replace(f"{called}.Arn", alias_of(called))}
