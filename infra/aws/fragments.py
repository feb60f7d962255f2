"""Fragments of a CloudFormation template in YAML: reading and merging them without conflicts."""

from __future__ import annotations

import copy
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

Template = dict[str, Any]


class FragmentError(Exception):
    """A fragment cannot be used; the message names the file and the problem."""


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short tags; a duplicate key in a mapping is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return a mapping; raises FragmentError for a duplicate key."""
        keys = [key.value for key, _ in node.value]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise yaml.constructor.ConstructorError(
                problem=f"{', '.join(sorted(twice))} is given twice", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep)


def _intrinsic(loader: _Loader, name: str, node: yaml.Node) -> Template:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _intrinsic)


def read(file: Path) -> Template:
    """Return a fragment with its short tags written out. Raises FragmentError for invalid YAML."""
    try:
        fragment: Template = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 # a SafeLoader
    except yaml.YAMLError as error:
        raise FragmentError(f"{file}: {error}") from None
    unshared: Template = _unshared(fragment)
    return unshared


def _unshared(value: Any) -> Any:
    """Copy a value, so that parts that an alias shares become independent."""
    if isinstance(value, dict):
        return {key: _unshared(item) for key, item in value.items()}
    return [_unshared(item) for item in value] if isinstance(value, list) else value


def joined(files: list[Path]) -> Template:
    """Return the fragments as one template; raises FragmentError if two of them set the same value."""
    template: Template = {}
    for file in files:
        _add(read(file), template, f"{file}: ")
    return template


def is_intrinsic(value: Any) -> bool:
    """Return whether a value is a call of an intrinsic function, such as `{"Ref": "Vpc"}`."""
    return (
        isinstance(value, dict)
        and len(value) == 1
        and next(iter(value)).startswith(("Fn::", "Ref", "Condition"))
    )


def _is_open(value: Any) -> bool:
    return isinstance(value, dict) and not is_intrinsic(value)


def _add(fragment: Template, template: Template, where: str) -> None:
    for key, value in fragment.items():
        if key not in template:
            template[key] = copy.deepcopy(value)
        elif _is_open(value) and _is_open(held := template[key]):
            _add(value, held, f"{where}{key}.")
        else:
            raise FragmentError(f"{where}{key} has another value in another fragment")
