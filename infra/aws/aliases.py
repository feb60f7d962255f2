"""Function aliases: callers use an alias, which a deployment moves to a new version, at once or step by step.

A version has the code and variables of one deployment. Without versions, CloudFormation changes a function's
variables first and its code seconds later; calls in between run old code with new variables.
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
# The resources that call a function, and the property that names it.
NAMING = {"AWS::Lambda::Permission": "FunctionName", "AWS::Lambda::EventSourceMapping": "FunctionName"}


def alias_of(function: str) -> str:
    """Return the name of the alias that SAM makes for a function, by its name in the template."""
    return f"{function}Alias{ALIAS}"


def call_aliases(template: Template) -> None:
    """Let APIs, queues and schedules call the functions' aliases, with permission; changes the template."""
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
            # Not only for new code: a version has the variables too.
            properties["AutoPublishAliasAllProperties"] = True
        elif kind == "AWS::Serverless::Api":
            _call_alias_by_paths(properties["DefinitionBody"], functions)


def mark_release(template: Template, values: Mapping[str, str], after: str = "") -> None:
    """Write a digest of a template and its parameters' values into the functions and the API's document.

    after: Time of the last update, if CloudFormation has rolled it back; empty otherwise. The versions of
        that update stay; without this value, the same release would equal the last version and could not be
        deployed again.

    SAM publishes a version of a function, and deploys an API, when their part of the template changes; it
    does not notice a new value of a parameter. With the digest in a variable, every change publishes a
    version, and only a change does, because Lambda refuses a version that equals the last. Changes the
    template.
    """
    content = json.dumps([template, dict(values), *filter(None, [after])], sort_keys=True)
    release = hashlib.sha256(content.encode()).hexdigest()[:12]
    template["Globals"]["Function"]["Environment"]["Variables"][RELEASE] = release
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Api":
            resource["Properties"]["DefinitionBody"]["info"]["description"] = f"Release {release}"


def has_aliases(template: Template) -> bool:
    """Return whether the functions of a template have versions and aliases."""
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
