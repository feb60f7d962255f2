"""Replies of another server: decode them, and read them by the dotted paths of a mapping."""

from __future__ import annotations

import codecs
import json
from typing import Any

import msgspec

from chalicelib.fetching import shown
from chalicelib.schemas.imports import Mapping
from chalicelib.texts import plain

MISSING = msgspec.UNSET


class SourceError(Exception):
    """The other server's reply can't be used, and a retry will not help; the text says why."""


def decoded(body: bytes, url: str) -> Any:
    """Return the values in a reply, JSON with or without the byte order mark; raises SourceError."""
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeError):
            return _with_halves(body)
    except ValueError:
        raise SourceError(f"the answer of {shown(url)} is not JSON") from None
    except RecursionError:
        raise SourceError(f"the answer of {shown(url)} is nested too deeply") from None


def items_of(reply: Any, mapping: Mapping, url: str) -> list[Any]:
    """Return the list of users in a reply; raises SourceError."""
    items = reply if mapping.items is None else found_at(reply, mapping.items)
    if isinstance(items, list):
        return items
    where = f"`{mapping.items}` in the answer" if mapping.items else "the answer"
    within = (
        f"; the whole answer is {kind_of(reply)}"
        if mapping.items
        else "; `items` of the mapping says where the list is"
    )
    raise SourceError(f"{where} of {shown(url)} is {kind_of(items)}, not a list{within}")


def found_at(value: Any, path: str) -> Any:
    """Return the value at a dotted path, else MISSING; the name of a field may have dots."""
    if isinstance(value, dict):
        if path in value:
            return value[path]
        head, dot, rest = path.partition(".")
        return found_at(value[head], rest) if dot and head in value else MISSING
    if isinstance(value, list):
        head, dot, rest = path.partition(".")
        if not (head.isdecimal() and len(head) < 7 and int(head) < len(value)):
            return MISSING
        return found_at(value[int(head)], rest) if dot else value[int(head)]
    return MISSING


def kind_of(value: Any) -> str:
    """Return a description of a JSON value for an error."""
    if isinstance(value, dict):
        fields = ", ".join(f"`{plain(name[:40])}`" for name in list(value)[:10])
        return f"an object with {fields or 'no fields'}"
    kinds = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return "nothing" if value is MISSING else kinds.get(type(value), "a number")


def _with_halves(body: bytes) -> Any:
    """Decode JSON with halves of surrogate pairs, or with bytes that are not UTF-8, in some texts.

    Such a byte becomes half of a pair. Raises ValueError for a body that is not JSON.
    """
    return json.loads(body.decode("utf-8", "surrogateescape"), parse_constant=_no_number)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
