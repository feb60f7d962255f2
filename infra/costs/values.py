"""The values of the stack's parameters that the model of costs accepts."""

from __future__ import annotations

import re

from infra.costs.stack import template_parameter

OPTIONS = {
    "Store": "store",
    "StoreAuth": "auth",
    "Egress": "egress",
    "FunctionMemory": "memory-mb",
    "DurableNodeType": "node-hour",
    "DurableShards": "shards",
    "DurableReplicas": "replicas",
}
"""Parameters with an option of their own; the model counts more than their resources."""


def refusal(name: str, value: str) -> str | None:
    """Return why a parameter's value is not accepted, in the template's words; None if it is.

    name: One of the stack's parameters.
    """
    if option := OPTIONS.get(name):
        return f"{name} has an option of its own: --{option}"
    rules = template_parameter(name)
    allowed = [str(one) for one in rules.get("AllowedValues", [])]
    if allowed and value not in allowed:
        return f"{name} must be one of {', '.join(allowed)}"
    fits = re.fullmatch(rules.get("AllowedPattern", ".*"), value) is not None
    if fits and (rules["Type"] != "Number" or allowed or _is_between(value, rules)):
        return None
    return f"{name} {rules.get('ConstraintDescription', 'has no such value')}"


def _is_between(value: str, rules: dict[str, int]) -> bool:
    return value.isascii() and value.isdigit() and rules["MinValue"] <= int(value) <= rules["MaxValue"]
