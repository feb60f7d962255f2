"""Facts about the types of requests that errors need: fields, values of enumerations, whole numbers."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import inspect, structs

STEP = re.compile(r"\[(?:\d+|\.\.\.)\]|[^.\[]+")


def fields_at(kind: Any, path: str, value: Any) -> list[str]:
    """Return the names of the fields that an object can have; empty if it can have any.

    kind: Type of the whole value.
    path: Path of the object in the value, as msgspec writes it after `$.`.
    value: The whole value; its tag selects the type in a union.
    """
    shape = _at(_shape(kind), path, value)
    found = _struct(shape, value if path == "" else None)
    if found is None:
        return []
    tag = [] if found.tag_field is None else [found.tag_field]
    return [*tag, *(field.encode_name for field in found.fields)]


def values_at(kind: Any, path: str, value: Any) -> list[str]:
    """Return the values of the enumeration at a path, empty if it is no enumeration; see fields_at."""
    options = _options(_shape(kind))
    tagged = [option for option in options if isinstance(option, inspect.StructType) and option.tag]
    if tagged and path == tagged[0].tag_field:
        return [str(option.tag) for option in tagged]
    found = _options(_at(_shape(kind), path, value))
    return [str(one) for option in found if isinstance(option, inspect.LiteralType) for one in option.values]


def whole_fields(kind: Any, value: Any = None) -> frozenset[str]:
    """Return the names of the fields of a type that hold whole numbers; see fields_at."""
    found = _struct(_shape(kind), value)
    return frozenset() if found is None else _whole_fields(found.cls)


def listed(values: Sequence[str], word: str) -> str:
    """Return values as an English list: `a`, `b` or `c`, with the word `or`."""
    quoted = [f"`{value}`" for value in values]
    return f" {word} ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most similar to another name; None if none is similar."""
    import difflib

    spelt = {_plain(one): one for one in known}
    near = difflib.get_close_matches(_plain(name), spelt, n=1)
    return spelt[near[0]] if near else None


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")


@functools.cache
def _shape(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


@functools.cache
def _whole_fields(struct: type) -> frozenset[str]:
    return frozenset(
        field.encode_name
        for field in structs.fields(struct)
        if any(isinstance(option, inspect.IntType) for option in _options(inspect.type_info(field.type)))
    )


def _options(shape: inspect.Type) -> list[inspect.Type]:
    """Return the types that a value can have."""
    if isinstance(shape, inspect.Metadata):
        return _options(shape.type)
    if isinstance(shape, inspect.UnionType):
        return [option for one in shape.types for option in _options(one)]
    return [shape]


def _struct(shape: inspect.Type, value: Any) -> inspect.StructType | None:
    """Return the struct type of a value; in a union, the one that the tag of the value names."""
    found = [option for option in _options(shape) if isinstance(option, inspect.StructType)]
    if len(found) == 1:
        return found[0]
    for struct in found:
        if isinstance(value, dict) and value.get(struct.tag_field) == struct.tag:
            return struct
    return None


def _at(shape: inspect.Type, path: str, value: Any) -> inspect.Type:
    """Return the type at a path; AnyType if the path leads nowhere."""
    for step in STEP.findall(path):
        struct = _struct(shape, value)
        listed = [option for option in _options(shape) if isinstance(option, inspect.ListType)]
        if step.startswith("["):
            shape = listed[0].item_type if listed else inspect.AnyType()
        else:
            fields = {} if struct is None else {field.encode_name: field.type for field in struct.fields}
            shape = fields.get(step, inspect.AnyType())
        value = value.get(step) if isinstance(value, dict) else None
    return shape
