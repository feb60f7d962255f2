"""The production template with the changes that LocalStack 4.14 needs."""

from __future__ import annotations

import ipaddress
import itertools
import sys
from collections.abc import Callable
from typing import Any

from infra.aws.fragments import Template, is_intrinsic
from infra.aws.template import finished
from tests.aws.describers import Description

# LocalStack has no resource of these types; CloudFormation says CREATE_COMPLETE nevertheless.
NOT_MADE = {
    "Budget",
    "DurableCluster",
    "DurableParameters",
    "DurableSubnets",
    "DurableUser",
    "DurableUsers",
    "Firewall",
    "FirewallOfApi",
    "Ipv6Gateway",
    "NatAddress",
    "PushesFailed",
    "QueueEndpointFromFunctions",
    "RateLimitOpen",
    "SecretEndpointFromFunctions",
    "ServerlessCache",
    "ServerlessDefaultUser",
    "ServerlessUser",
    "ServerlessUsers",
    "StoreFromFunctions",
    "VpcIpv6",
}

# It has these types, and fails on them for want of the address, gateway or range above.
FAILING = {"Ipv6Route", "NatGateway"}
LEFT_OUT = FAILING | {"NatRoute"}

# It cannot take down what it never came to make before a stack failed, if that refers to other resources.
NOT_TAKEN_DOWN = {"MediaSource", "SweepPermission", "WorkSource"}

# It makes the resource and does not hear of these properties; each with what would show that it did.
IGNORED: dict[str, Callable[[Description], bool]] = {
    "FunctionLogs.RetentionInDays": lambda group: "retentionInDays" in group,
    "FunctionsGroup.SecurityGroupEgress": lambda group: len(group["IpPermissionsEgress"]) > 1,
    "MediaBucket.LifecycleConfiguration": lambda bucket: bucket["lifecycle"] is not None,
    "RestAPIprodStage.MethodSettings": lambda stage: "*/*" in stage.get("methodSettings", {}),
    "StoreGroup.SecurityGroupEgress": lambda group: "127.0.0.1/32" in str(group["IpPermissionsEgress"]),
}

# It ignores these properties, and takes an update of an API or stage with a condition in it for a second one.
LEFT_AWAY = {"RestAPI.AccessLogSetting", "RestAPI.GatewayResponses"}

# It runs functions as processes of this Python.
HERE = f"python{sys.version_info.major}.{sys.version_info.minor}"

# It takes this deletion policy for Delete; `Retain` it knows.
NOT_KNOWN, KNOWN = "RetainExceptOnCreate", "Retain"

# It does not know Fn::Cidr, nor give a VPC an IPv6 range: the first are worked out here, the second left out.
WORKED_OUT = {"SubnetA.CidrBlock", "SubnetB.CidrBlock", "PublicSubnet.CidrBlock"}
WITHOUT_IPV6 = {"SubnetA.Ipv6CidrBlock", "SubnetB.Ipv6CidrBlock"}


def emulated(template: Template, vpc: str, left_out: set[str]) -> Template:
    """Return a template without the resources and properties that LocalStack lacks or refuses.

    vpc: the VPC's IPv4 range, the default of VpcCidr.
    """
    template = finished(template, "localstack")
    resources = {
        name: {**resource, "Properties": _worked_out(name, resource.get("Properties", {}), vpc)}
        for name, resource in template["Resources"].items()
        if name not in left_out
    }
    for name, _, left_away in (one.partition(".") for one in LEFT_AWAY):
        del resources[name]["Properties"][left_away]
    for resource in resources.values():
        if resource.get("DeletionPolicy") == NOT_KNOWN:
            resource["DeletionPolicy"] = KNOWN
        if "Runtime" in resource["Properties"]:
            resource["Properties"]["Runtime"] = HERE
    return {**template, "Resources": resources}


def refused(template: Template) -> set[str]:
    """Return the names of resources that LocalStack does not get: WebSockets and their dependents."""
    return set(template["Resources"]) - set(finished(template, "localstack")["Resources"])


def _worked_out(name: str, properties: Template, vpc: str) -> Template:
    properties = dict(properties)
    for key in [key for key, value in properties.items() if is_intrinsic(value) and "Fn::Cidr" in str(value)]:
        value = properties.pop(key)
        if f"{name}.{key}" not in WITHOUT_IPV6:
            assert f"{name}.{key}" in WORKED_OUT
            properties[key] = _block(value, vpc)
    return properties


def _block(value: Any, vpc: str) -> str:
    index, ranges = value["Fn::Select"]
    source, _, host_bits = ranges["Fn::Cidr"]
    assert source == {"Ref": "VpcCidr"}
    blocks = ipaddress.ip_network(vpc).subnets(new_prefix=32 - int(host_bits))
    return str(next(itertools.islice(blocks, int(index), None)))
