"""A resource that an update may replace has no fixed name: the new one is made before the old one goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

from infra.aws.fragments import Template
from tests.aws.template_lookup import references

KEPT = "docs/aws.md says that it cannot be changed once the store is made"
STAYING = {("ServerlessCache", "StoreRestoreFrom"): KEPT, ("DurableCluster", "StoreRestoreFrom"): KEPT}
"""Parameters whose new value would replace a resource of the same name, with the reason to accept it."""


def replacing(kind: str, properties: Template) -> Iterator[tuple[str, Any]]:
    """Yield the properties, by their last name, of which another value replaces a resource of a type."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    for path in schema.get("createOnlyProperties", []):
        value: Any = properties
        *_, last = steps = path.split("/")[2:]
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            yield last, value


def is_fixed_name(name: str, value: Any, template: Template) -> bool:
    """Whether a property is a resource's own name, and the same for all values of the parameters."""
    return name.endswith("Name") and not set(references(value)) & {
        *template["Parameters"],
        *template["Resources"],
    }


def clashes(template: Template) -> set[tuple[str, str]]:
    """Return the named resources that a parameter's new value replaces, each with that parameter."""
    found: set[tuple[str, str]] = set()
    for name, resource in template["Resources"].items():
        if resource["Type"].startswith("AWS::Serverless::"):
            continue
        held = list(replacing(resource["Type"], resource.get("Properties", {})))
        if any(is_fixed_name(key, value, template) for key, value in held):
            named = {one for _, value in held for one in references(value)}
            found |= {(name, one) for one in named & template["Parameters"].keys()}
    return found


def test_no_parameter_replaces_a_resource_of_a_fixed_name(prod: Template) -> None:
    """Otherwise CloudFormation makes the new one while the old one has the name, and the update fails."""
    assert clashes(prod) == STAYING.keys()


def test_a_named_budget_would_clash(prod: Template) -> None:
    """The check sees a budget with a name, whose address is part of what cannot be changed in place."""
    resource = prod["Resources"]["Budget"]
    budget = {**resource["Properties"]["Budget"], "BudgetName": {"Ref": "AWS::StackName"}}
    named = {**resource, "Properties": {**resource["Properties"], "Budget": budget}}
    other = {**prod, "Resources": {**prod["Resources"], "Budget": named}}

    assert clashes(other) - STAYING.keys() == {("Budget", "BudgetEmail")}
