"""From what a client sent to typed values, or a BadRequest that names the field at fault."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from chalicelib.errors import BadRequest, bad_field

T = TypeVar("T")

MISSING_FIELD = re.compile(r"Object missing required field `(.*?)`.*")
FIELD_PATH = re.compile(r"(.*?) - at `\$\.?(.*)`", re.DOTALL)


def decoded(decode: Callable[[Any], T], raw: Any, what: str = "body") -> T:
    """Return decode(raw); raises BadRequest for what only the client's bytes can cause.

    what: the English name of what is decoded.
    """
    try:
        return decode(raw)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except UnicodeError:
        raise BadRequest(f"The {what} is not UTF-8.") from None
    except RecursionError:
        raise BadRequest(f"The {what} is nested too deeply.") from None
    except msgspec.DecodeError as error:
        raise BadRequest(f"The {what} is not JSON: {error}.") from None


def _invalid(text: str) -> BadRequest:
    if missing := MISSING_FIELD.fullmatch(text):
        return bad_field(missing[1], "it is missing")
    match = FIELD_PATH.fullmatch(text)
    if match and match[2]:
        return bad_field(match[2], match[1])
    return BadRequest(text)
