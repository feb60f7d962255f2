"""Looking things up in a template."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from infra.aws.fragments import Template


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


def references(value: Any) -> Iterator[str]:
    """Yield the names that a part of a template refers to by Ref or in Fn::Sub."""
    yield from values(value, "Ref")
    for text in values(value, "Fn::Sub"):
        yield from re.findall(r"\$\{(\w+)}", text if isinstance(text, str) else text[0])
