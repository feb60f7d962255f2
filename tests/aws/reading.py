"""Looking things up in a template."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.aws.packaging import Template


def statements(value: Any) -> Iterator[Template]:
    """Yield every statement of every policy in a part of a template."""
    if isinstance(value, dict):
        if "Effect" in value and "Resource" in value:
            yield value
        for item in value.values():
            yield from statements(item)
    elif isinstance(value, list):
        for item in value:
            yield from statements(item)


def of_type(template: Template, kind: str) -> dict[str, Template]:
    """Return the properties of a template's resources of one type, by name."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def values(value: Any, key: str) -> Iterator[Any]:
    """Yield what a key stands for, wherever it is in a part of a template."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name == key:
                yield item
            yield from values(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from values(item, key)
