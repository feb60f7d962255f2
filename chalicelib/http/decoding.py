"""From what a client sent to typed values, or a BadRequest that names the field."""

from __future__ import annotations

import functools
from collections.abc import Hashable
from typing import Any, TypeVar, cast
from urllib.parse import unquote

import msgspec

from chalicelib.errors import BadRequest, bad_field
from chalicelib.schemas.decoding import decoded

T = TypeVar("T")


def converted(values: Any, kind: type[T], *, strict: bool = True) -> T:
    """Return plain values as a type, its field names matched in any case, the last of two alike counting.

    strict: whether numbers must be numbers; in a query they are text.
    Raises BadRequest naming the field at fault.
    """
    if not isinstance(values, dict):
        raise BadRequest("An object with named fields is wanted here.")
    spelt = _spellings(cast(Hashable, kind))
    by_name = {spelt.get(name := str(key).lower(), name): value for key, value in values.items()}
    return decoded(lambda given: msgspec.convert(given, kind, strict=strict), by_name)


@functools.cache
def _spellings(kind: Any) -> dict[str, str]:
    """Return the fields of a type that are not in lower case, by their names in lower case."""
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    return {name.lower(): name for name in names if name != name.lower()}


def unquoted(value: str, field: str) -> str:
    """Return a percent-encoded value decoded; raises BadRequest naming the field."""
    try:
        return unquote(value, errors="strict") if "%" in value else value
    except UnicodeDecodeError:
        raise bad_field(field, "its percent-encoding is not UTF-8") from None
