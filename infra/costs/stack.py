"""What of the production stack is paid by the hour or month: counted in its templates, for its parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

from infra.aws.template import merge_template


@cache
def standing(store: str, auth: str, egress: str) -> Counter[str]:
    """Return how many of each thing a stack with these values of Store, StoreAuth and Egress has."""
    return counted(merge_template("prod"), {"Store": store, "StoreAuth": auth, "Egress": egress})


def counted(template: Mapping[str, Any], parameters: Mapping[str, str]) -> Counter[str]:
    """Count the resources that a template makes, by type without `AWS::`.

    parameters: values by name; the others have their defaults. An alarm counts once a metric that it watches,
    an interface endpoint once a subnet, as they are charged.
    """
    defaults = {name: str(part.get("Default", "")) for name, part in template.get("Parameters", {}).items()}
    conditions = template.get("Conditions", {})
    counts: Counter[str] = Counter()
    for resource in template["Resources"].values():
        condition = resource.get("Condition")
        if condition is None or _holds({"Condition": condition}, conditions, {**defaults, **parameters}):
            kind = str(resource.get("Type", "")).removeprefix("AWS::")
            counts[kind] += _charged_as(kind, resource.get("Properties", {}))
    return counts


def _charged_as(kind: str, properties: Mapping[str, Any]) -> int:
    if kind == "CloudWatch::Alarm" and "Metrics" in properties:
        return sum("MetricStat" in metric for metric in properties["Metrics"])
    if kind == "EC2::VPCEndpoint":
        return len(properties["SubnetIds"]) if properties.get("VpcEndpointType") == "Interface" else 0
    return 1


def _holds(expression: Any, conditions: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    """Evaluate a condition of a template, of which the functions below are all there are."""
    ((function, argument),) = expression.items()
    if function == "Condition":
        return _holds(conditions[argument], conditions, values)
    if function == "Fn::Equals":
        left, right = (values.get(side["Ref"]) if isinstance(side, dict) else side for side in argument)
        return bool(left == right)
    parts = [_holds(part, conditions, values) for part in argument]
    return {"Fn::And": all(parts), "Fn::Or": any(parts), "Fn::Not": not parts[0]}[function]
