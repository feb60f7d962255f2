"""The production stack for `chalice package`: what to merge in before, and what to remove after."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from infra.aws.aliases import call_aliases, has_aliases
from infra.aws.fragments import Template, is_intrinsic, joined

FOLDER = Path(__file__).parent

FRAGMENTS = {
    "prod": (
        "network",
        "egress",
        "security-groups",
        "store",
        "store-serverless",
        "store-durable",
        "media",
        "queues",
        "work",
        "functions",
        "rollout",
        "concurrency",
        "edge",
        "access-logs",
        "sockets",
        "domain",
        "firewall",
        "responses",
        "pages",
        "alarms",
        "alarms-store",
        "budget",
        "dashboard",
        "outputs",
    ),
    "localstack": ("localstack", "media", "queues", "work", "responses"),
    "ministack": ("localstack", "ministack", "media", "queues", "work", "responses"),
}
"""The fragments of each stage."""

DROPPED = {
    # A deployment of a WebSocket API is a snapshot of its routes: later ones would never reach the stage.
    "prod": ("AWS::ApiGatewayV2::Deployment",),
    # LocalStack refuses WebSocket APIs.
    "localstack": ("AWS::ApiGatewayV2::*",),
    # MiniStack refuses this resource, and prod does not want it either.
    "ministack": ("AWS::ApiGatewayV2::Deployment",),
}
"""Types of resources that Chalice writes and a stage does not get, with everything that refers to them."""

RUNTIMES = {"prod": "python3.13"}
"""The runtime of a stage's functions; by default the Python that builds the package."""

# These resources lose only the property that refers to a removed one; any other resource is removed too.
DO_WITHOUT = ("AWS::Serverless::Function", "AWS::IAM::Role", "AWS::ApiGatewayV2::Stage")

NAMED_IN_SUB = re.compile(r"\$\{([A-Za-z0-9]+)[.}]")


def merge_template(stage: str, folder: Path = FOLDER) -> Template:
    """Return what to merge into Chalice's own template of a stage (`chalice package --merge-template`).

    stage: One of FRAGMENTS.
    folder: The folder of the fragments.
    Raises FragmentError if a fragment is broken or two of them conflict.
    """
    return joined([folder / f"{name}.yaml" for name in FRAGMENTS[stage]])


def finished(template: Template, stage: str) -> Template:
    """Return a merged template ready for deployment; removes what merging cannot remove.

    template: The output of `chalice package`; it is not changed.
    stage: One of DROPPED.

    Functions get the stage's runtime. WebSocket stages deploy their routes by themselves. A function's own
    value would override Globals, so variables are removed from the functions, and so is the memory that
    Chalice gives to each function without its own entry in .chalice/config.json.
    """
    template = _without(template, _dropped(template["Resources"], DROPPED[stage]))
    if stage == "prod" and has_aliases(template):
        call_aliases(template)
    globals_ = template.get("Globals", {}).get("Function", {})
    everywhere = _variables(globals_)
    usual_memory = _default(template, globals_.get("MemorySize"))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::ApiGatewayV2::Stage":
            resource["Properties"]["AutoDeploy"] = True
        if resource["Type"] == "AWS::Serverless::Function":
            if stage in RUNTIMES:
                resource["Properties"]["Runtime"] = RUNTIMES[stage]
            own = _variables(resource["Properties"])
            for name in own.keys() & everywhere.keys():
                del own[name]
            if usual_memory and resource["Properties"].get("MemorySize") == usual_memory:
                del resource["Properties"]["MemorySize"]
    return template


def _default(template: Template, value: Any) -> Any:
    """Return the default of the parameter that a value refers to; None if there is no value."""
    return None if value is None else template["Parameters"][value["Ref"]]["Default"]


def _variables(properties: Template) -> Template:
    variables: Template = properties.get("Environment", {}).get("Variables", {})
    return variables


def _dropped(resources: Template, types: Iterable[str]) -> set[str]:
    """Return the names of the resources of some types, and of those that depend on them."""
    gone = {
        name
        for name, resource in resources.items()
        if any(fnmatchcase(resource["Type"], pattern) for pattern in types)
    }
    bound = {
        name: set(_references(resource))
        for name, resource in resources.items()
        if resource["Type"] not in DO_WITHOUT
    }
    while more := {name for name, named in bound.items() if named & gone} - gone:
        gone |= more
    return gone


def _without(template: Template, gone: set[str]) -> Template:
    """Return a template without some resources, and without references to them."""
    kept = {name: resource for name, resource in template["Resources"].items() if name not in gone}
    outputs = {
        name: output
        for name, output in template.get("Outputs", {}).items()
        if not gone.intersection(_references(output))
    }
    return {
        **{section: _pruned(value, gone) for section, value in template.items()},
        "Resources": _pruned(kept, gone),
        "Outputs": outputs,
    }


def _pruned(value: Any, gone: set[str]) -> Any:
    if isinstance(value, dict):
        kept = {key: _pruned(item, gone) for key, item in value.items() if not _lost(item, gone)}
        if "DependsOn" in kept:
            kept["DependsOn"] = [name for name in _named("DependsOn", kept["DependsOn"]) if name not in gone]
        return kept
    if isinstance(value, list):
        return [_pruned(item, gone) for item in value if not _lost(item, gone)]
    return value


def _lost(value: Any, gone: set[str]) -> bool:
    return is_intrinsic(value) and not gone.isdisjoint(_references(value))


def _references(value: Any) -> Iterable[str]:
    """Yield the names that a part of a template refers to."""
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _named(key, item)
            yield from _references(item)


def _named(key: str, value: Any) -> Iterable[str]:
    if key == "Ref":
        return [value]
    if key == "DependsOn":
        return [value] if isinstance(value, str) else value
    if key == "Fn::GetAtt":
        return [value.partition(".")[0] if isinstance(value, str) else value[0]]
    if key == "Fn::Sub":
        return NAMED_IN_SUB.findall(value if isinstance(value, str) else value[0])
    return []
