"""Decodes the values of a request into types; a BadRequest names the wrong field."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from chalicelib.errors import BadRequest, bad_field
from chalicelib.schemas import shapes

T = TypeVar("T")

MISSING_FIELD = re.compile(r"Object missing required field `(.*?)`.*")
UNKNOWN = "Object contains unknown field `"
AT = " - at `$"
MAX_PATH_CHARACTERS = 100
"""Maximum length of a path in a type, with indices; a longer one contains text of the client."""
SOME_FIELD = "[...]"
"""Step of a path for an unnamed field: msgspec writes it for objects that may have any fields."""
WHOLE = re.compile(r"(-?\d{1,19})\.0+")
HALF_PAIR = re.compile("[\ud800-\udfff]")
ESCAPED_HALF = re.compile(r"\\u[dD][89a-fA-F]")
MAX_NAMED_CHARACTERS = 64
NOTHING: Mapping[str, str] = {}


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """An object without fields."""


def decoded(
    decode: Callable[[Any], T],
    raw: Any,
    what: str = "body",
    kind: Any = None,
    written: Mapping[str, str] = NOTHING,
) -> T:
    """Return decode(raw); raises BadRequest if the value is invalid.

    what: English noun for the value in an error, such as `body`.
    kind: Type of the value; with it an error can list known fields and values.
    written: Names of fields as the client wrote them, by name in the type, where they differ.
    """
    try:
        return decode(raw)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), kind, raw, written) from None
    except UnicodeError:
        raise BadRequest(f"The {what} is not UTF-8.") from None
    except RecursionError:
        raise BadRequest(f"The {what} is nested too deeply.") from None
    except msgspec.DecodeError as error:
        if (place := _half_pair(raw)) is not None:
            raise bad_field(place, "it has half of a surrogate pair, which is not a character") from None
        wrong = f"not JSON: {error}" if raw else "empty: send JSON, at least `{}`"
        raise BadRequest(f"The {what} is {wrong}.") from None


def from_json(raw: bytes | str, kind: Any, what: str = "body") -> Any:
    """Decode a JSON text into a type; raises BadRequest naming the wrong field.

    10.0 is accepted as a whole number, as in JSON Schema; 1e1 is not.
    what: See decoded.
    """
    return decoded(functools.partial(_decoded, kind), raw, what, kind)


def untyped(raw: bytes | str) -> Any:
    """Decode a JSON text into plain values, with 10.0 as an int; raises BadRequest."""
    return decoded(_WHOLE_NUMBERS.decode, raw)


def unknown_field(name: str, known: Iterable[str], what: str = "field", path: str = "") -> BadRequest:
    """Return a BadRequest for an unknown field; it suggests the most similar name, or lists the known ones.

    known: Names of the fields of the object.
    what: English noun for what has the name, such as `field`.
    path: Path of the object that has the field; empty for the whole value.
    """
    name, known = name[:MAX_NAMED_CHARACTERS], list(known)
    near = shapes.nearest(name, known)
    if near is not None:
        hint = f"did you mean `{near}`?"
    else:
        hint = f"the known ones are {shapes.listed(known, 'and')}" if known else "this call takes none"
    return bad_field(f"{path}.{name}" if path else name, f"there is no such {what}; {hint}")


def _decoded(kind: Any, raw: bytes | str) -> Any:
    try:
        return _decoder(kind).decode(raw)
    except msgspec.ValidationError as error:
        values = _with_whole_numbers(raw, kind) if "got `float`" in str(error) else None
        if values is None:
            raise
        return msgspec.convert(values, kind)


@functools.cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _number(text: str) -> int | float:
    whole = WHOLE.fullmatch(text)
    return int(whole[1]) if whole else float(text)


_WHOLE_NUMBERS = msgspec.json.Decoder(float_hook=_number)


def _with_whole_numbers(raw: bytes | str, kind: Any) -> dict[str, Any] | None:
    """Return plain values, with 10.0 as an int in fields of whole numbers; None if there are none."""
    values = msgspec.json.decode(raw)
    if not isinstance(values, dict):
        return None
    whole = {
        name: number
        for name, number in _WHOLE_NUMBERS.decode(raw).items()
        if isinstance(values[name], float) and isinstance(number, int)
    }
    wanted = shapes.whole_fields(kind, values) & whole.keys()
    return {**values, **{name: whole[name] for name in wanted}} if wanted else None


def _invalid(text: str, kind: Any, raw: Any, written: Mapping[str, str]) -> BadRequest:
    said, path = _parted(text)
    if said.startswith(UNKNOWN):
        return _unknown(text, kind, _values(raw), written)
    if missing := MISSING_FIELD.fullmatch(text):
        return bad_field(missing[1], "; ".join(["it is missing", *_allowed(kind, missing[1], raw)]))
    if path and not path.startswith(SOME_FIELD):
        return bad_field(written.get(path, path), *(_allowed(kind, path, raw) or [said]))
    return BadRequest(said)


def _parted(text: str) -> tuple[str, str]:
    """Split an error of msgspec into its text and the path of the field; an empty path is the whole value."""
    said, _, place = text.rpartition(AT)
    path = place.removeprefix(".").removesuffix("`")
    is_path = said and "`" not in path and len(path) <= MAX_PATH_CHARACTERS
    return (said, path) if is_path else (text, "")


def _unknown(text: str, kind: Any, values: Any, written: Mapping[str, str]) -> BadRequest:
    """Return a BadRequest for an unknown field; its name, chosen by a client, may look like a path."""
    said, path = _parted(text)
    known = shapes.fields_at(kind, path, values)
    if path and not known:
        said, path, known = text, "", shapes.fields_at(kind, "", values)
    name = said.removeprefix(UNKNOWN).removesuffix("`")
    return unknown_field(written.get(name, name), known, path=path)


def _allowed(kind: Any, path: str, raw: Any) -> list[str]:
    """Return a sentence that lists the values of the enumeration at a path; empty if it is no enumeration."""
    values = [] if kind is None else shapes.values_at(kind, path, _values(raw))
    return [f"it must be {shapes.listed(values, 'or')}"] if values else []


def _values(raw: Any) -> Any:
    """Return the plain values that a client sent; None if they cannot be decoded."""
    try:
        return msgspec.json.decode(raw) if isinstance(raw, (bytes, str)) else raw
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _half_pair(raw: Any) -> str | None:
    """Return the path of half of a surrogate pair in a JSON text; None if it has none, or is not JSON."""
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        steps = _steps_to_half(json.loads(text)) if ESCAPED_HALF.search(text) else None
    except (ValueError, RecursionError, TypeError):
        return None
    return None if steps is None else "".join(reversed(steps)).removeprefix(".") or "body"


def _steps_to_half(value: Any) -> list[str] | None:
    """Return the steps of the path to half of a surrogate pair, the last one first; None if there is none."""
    if isinstance(value, str):
        return [] if HALF_PAIR.search(value) else None
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in pairs:
        if isinstance(name, str) and HALF_PAIR.search(name):
            return []
        if (steps := _steps_to_half(one)) is not None:
            steps.append(f"[{name}]" if isinstance(name, int) else f".{name}")
            return steps
    return None
