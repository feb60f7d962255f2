"""Decodes request parameters to typed values, or raises a BadRequest that names the field."""

from __future__ import annotations

import functools
import re
from collections.abc import Hashable, Iterable, Mapping, Set
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import unquote

import msgspec

from chalicelib.errors import BadRequest, bad_field
from chalicelib.schemas.decoding import NOTHING, decoded, unknown_field, untyped
from chalicelib.schemas.shapes import whole_fields

T = TypeVar("T")

KEPT_CHARACTERS = 256
"""Maximum length of a percent-encoded value that is remembered decoded."""
WHOLE = re.compile(r"-?\d+(?:\.0+)?", re.ASCII)


def converted(values: Any, kind: type[T], *, strict: bool = True) -> T:
    """Return plain values as a type; field names match in any case, and of repeated ones the last counts.

    strict: Whether numbers must be numbers; in a query they are text.
    Raises BadRequest that names the field as it was written.
    """
    if not isinstance(values, dict):
        raise BadRequest("Send a JSON object with named fields.")
    shape = _shape(cast(Hashable, kind))
    by_name, written = values, NOTHING
    if not values.keys() <= shape.names:
        by_name, written = _spelt(values, shape.spelt)
    if not strict and shape.whole:
        _check_whole(by_name, shape.whole, written)
    try:
        return msgspec.convert(by_name, kind, strict=strict)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return decoded(
            lambda given: msgspec.convert(given, kind, strict=strict), by_name, kind=kind, written=written
        )


def from_json_in_any_case(raw: bytes, kind: type[T]) -> T:
    """Decode a JSON object as `converted` does; at once if its names are written as in the type."""
    try:
        return cast(T, _exact_decoder(cast(Hashable, kind)).decode(raw))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return converted(untyped(raw), kind)


def check_names(names: Iterable[str], kind: type | None) -> None:
    """Raise BadRequest for the first name of a query that no field of a type has, in any case."""
    for name in names:
        known = {} if kind is None else _shape(cast(Hashable, kind)).spelt
        if name.lower() not in known:
            raise unknown_field(name, known.values(), "query parameter")


class _Shape(NamedTuple):
    """The fields of a type: their names, the same by their lower case, and those of whole numbers."""

    names: frozenset[str]
    spelt: dict[str, str]
    whole: frozenset[str]


@functools.cache
def _shape(kind: Any) -> _Shape:
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    return _Shape(frozenset(names), {name.lower(): name for name in names}, frozenset(whole_fields(kind)))


@functools.cache
def _exact_decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """Return the decoder of a type that knows no other field, in whatever case."""
    exact = msgspec.defstruct(kind.__name__, [], bases=(kind,), forbid_unknown_fields=True)
    return msgspec.json.Decoder(exact)


def _spelt(values: dict[Any, Any], spelt: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return values by the names of a type, and the names as they were written."""
    by_name, written = {}, {}
    for key, value in values.items():
        name = spelt.get(lower := str(key).lower(), lower)
        by_name[name], written[name] = value, str(key)
    return by_name, written


def _check_whole(values: dict[str, str], whole: Set[str], written: Mapping[str, str]) -> None:
    """Raise BadRequest for a number written as `1e1`, which msgspec would take for a whole one in a query."""
    for name in whole & values.keys():
        if not WHOLE.fullmatch(values[name]):
            raise bad_field(written.get(name, name), "it must be a whole number")


def unquoted(value: str, field: str) -> str:
    """Return a percent-encoded value decoded; raises BadRequest naming the field."""
    if "%" not in value:
        return value
    try:
        return _unquoted(value) if len(value) <= KEPT_CHARACTERS else unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise bad_field(field, "its percent-encoding is not UTF-8") from None


@functools.lru_cache(4096)
def _unquoted(value: str) -> str:
    return unquote(value, errors="strict")
