"""Decodes request parameters to typed values, or raises a BadRequest that names the field."""

from __future__ import annotations

import functools
import re
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TypeVar, cast
from urllib.parse import unquote

import msgspec

from chalicelib.errors import BadRequest, bad_field
from chalicelib.schemas.decoding import decoded, unknown_field
from chalicelib.schemas.shapes import whole_fields

T = TypeVar("T")

WHOLE = re.compile(r"-?\d+(?:\.0+)?", re.ASCII)


def converted(values: Any, kind: type[T], *, strict: bool = True) -> T:
    """Return plain values as a type; field names match in any case, and of repeated ones the last counts.

    strict: Whether numbers must be numbers; in a query they are text.
    Raises BadRequest that names the field as it was written.
    """
    if not isinstance(values, dict):
        raise BadRequest("Send a JSON object with named fields.")
    spelt = _known(cast(Hashable, kind))
    by_name, written = {}, {}
    for key, value in values.items():
        name = spelt.get(lower := str(key).lower(), lower)
        by_name[name], written[name] = value, str(key)
    if not strict:
        _check_whole(by_name, kind, written)
    return decoded(
        lambda given: msgspec.convert(given, kind, strict=strict), by_name, kind=kind, written=written
    )


def check_names(names: Iterable[str], kind: type | None) -> None:
    """Raise BadRequest for the first name of a query that no field of a type has, in any case."""
    for name in names:
        known = {} if kind is None else _known(cast(Hashable, kind))
        if name.lower() not in known:
            raise unknown_field(name, known.values(), "query parameter")


def _check_whole(values: dict[str, str], kind: Any, written: Mapping[str, str]) -> None:
    """Raise BadRequest for a number written as `1e1`, which msgspec would take for a whole one in a query."""
    for name in _whole(kind) & values.keys():
        if not WHOLE.fullmatch(values[name]):
            raise bad_field(written[name], "it must be a whole number")


@functools.cache
def _known(kind: Any) -> dict[str, str]:
    """Return the fields of a type by their names in lower case."""
    return {field.encode_name.lower(): field.encode_name for field in msgspec.structs.fields(kind)}


_whole = functools.cache(whole_fields)


def unquoted(value: str, field: str) -> str:
    """Return a percent-encoded value decoded; raises BadRequest naming the field."""
    try:
        return unquote(value, errors="strict") if "%" in value else value
    except UnicodeDecodeError:
        raise bad_field(field, "its percent-encoding is not UTF-8") from None
