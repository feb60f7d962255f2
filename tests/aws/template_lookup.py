"""Looking things up in a template."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from infra.aws.aliases import alias_of
from infra.aws.fragments import Template
from tests.documents import nodes_of


def statements(value: Any) -> Iterator[Template]:
    """Yield every statement of every policy in a part of a template."""
    return (node for node in nodes_of(value) if "Effect" in node and "Resource" in node)


def of_type(template: Template, kind: str) -> dict[str, Template]:
    """Return the properties of a template's resources of one type, by name."""
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def values(value: Any, key: str) -> Iterator[Any]:
    """Yield the values of a key, wherever it is in a part of a template."""
    return (node[key] for node in nodes_of(value) if key in node)


def called(reference: Template) -> str:
    """Return the name of the function that a reference to it, or to its alias, names."""
    name: str = reference["Fn::GetAtt"][0] if "Fn::GetAtt" in reference else reference["Ref"]
    return name.removesuffix(alias_of(""))


def references(value: Any) -> Iterator[str]:
    """Yield the names that a part of a template refers to by Ref or in Fn::Sub."""
    yield from values(value, "Ref")
    for text in values(value, "Fn::Sub"):
        yield from re.findall(r"\$\{(\w+)}", text if isinstance(text, str) else text[0])
