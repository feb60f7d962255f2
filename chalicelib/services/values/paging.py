"""Pages: how cursors are written and read, and how many rows a page takes."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar, cast

import msgspec
from msgspec import Raw

from chalicelib.errors import bad_field
from chalicelib.schemas.encoded import Encoded

T = TypeVar("T")
Value = TypeVar("Value", bound=tuple[Any, ...])

BASE64 = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
FIELD_NAME = re.compile(r"\{(\w+)\}")
_json = msgspec.json.Encoder().encode
NEXT_OF_A_PAGE = "send the `next` of a page"


class CursorCodec(ABC, Generic[T]):
    """One kind of cursor.

    hint: Detail of the error for a client that sent another text.
    """

    hint = NEXT_OF_A_PAGE

    def decode(self, text: str, field: str) -> T:
        """Return the value of a cursor that a client sent; raises BadRequest naming the field."""
        try:
            return self.read(text)
        except ValueError:
            raise bad_field(field, self.hint) from None

    @abstractmethod
    def read(self, text: str) -> T:
        """Return the value of a cursor; raises ValueError."""

    @abstractmethod
    def encode(self, value: T) -> str:
        """Return the cursor of a value, as it is sent to a client."""


class Field(NamedTuple):
    """A field of a cursor: the pattern of its text, without groups, and the function that reads it."""

    pattern: str
    read: Callable[[str], Any] = str


def number(digits: int) -> Field:
    """Return a field that is a whole number of at most so many digits."""
    return Field(rf"\d{{1,{digits}}}", int)


class TextCursor(CursorCodec[Value]):
    """A cursor that is the text of its fields.

    make: Returns the value, a tuple, for the fields in their order.
    layout: The cursor with the name of each field in braces. The cursor of a tuple whose last element is None
        ends before the brackets.
    hint: Detail of the error for a client that sent another text.
    fields: Each field by its name.
    """

    def __init__(
        self, make: Callable[..., Value], layout: str, hint: str = NEXT_OF_A_PAGE, **fields: Field
    ) -> None:
        start, _, end = layout.removesuffix("]").partition("[")
        names = FIELD_NAME.findall(layout)
        self.hint = hint
        self._make = make
        self._required = start.count("{")
        self._reads = [fields[name].read for name in names]
        pattern = f"{_grouped(start, fields)}(?:{_grouped(end, fields)})?"
        self._pattern = re.compile(pattern, re.ASCII | re.DOTALL)
        self._short, self._whole = (FIELD_NAME.sub("{}", part).format for part in (start, start + end))

    def read(self, text: str) -> Value:
        """Return the value of a cursor; raises ValueError."""
        match = self._pattern.fullmatch(text)
        if match is None:
            raise ValueError
        given = match.groups()
        if given[-1] is None:
            given = given[: self._required]
        return self._make(*[read(part) for read, part in zip(self._reads, given, strict=False)])

    def encode(self, value: Value) -> str:
        """Return the cursor of a value."""
        return self._short(*value) if value[-1] is None else self._whole(*value)


def to_base64(raw: bytes) -> str:
    """Return bytes as base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64(text: str) -> bytes:
    """Return the bytes of a text in base64url without padding; raises ValueError."""
    if not BASE64.fullmatch(text):
        raise ValueError
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Page(NamedTuple, Generic[T]):
    """Rows of a page, and the cursor of the page after it; next is None at the end."""

    rows: Sequence[T]
    next: str | None


def page_of(found: Sequence[T], limit: int, cursor: Callable[[T], str]) -> Page[T]:
    """Return a page of at most `limit` rows.

    found: Rows from the first of the page on; more than `limit` of them if another page follows.
    cursor: Returns the cursor of a row.
    """
    rows = found[:limit]
    return Page(rows, cursor(rows[-1]) if len(found) > limit else None)


def encoded(row: T) -> Encoded[T]:
    """Return a row as JSON, which becomes part of a response or frame as it is."""
    return cast("Encoded[T]", Raw(_json(row)))


def take_fitting(rows: Iterable[T], size: Callable[[T], int], most: int, limit: int | None = None) -> list[T]:
    """Return as many leading rows as fit in `most` bytes, and the first one whatever its size.

    size: Returns the size of a row in bytes. A row of 0 bytes is not shown: it always fits.
    limit: Maximum number of shown rows; None for no limit.
    """
    taken: list[T] = []
    total = shown = 0
    for row in rows:
        if row_size := size(row):
            total += row_size
            if shown and (total > most or shown == limit):
                break
            shown += 1
        taken.append(row)
    return taken


def until_enough(parts: Iterable[T], size: Callable[[T], int], enough: int) -> Iterator[T]:
    """Yield parts until their sizes add up to `enough` bytes; read no further part."""
    total = 0
    for part in parts:
        yield part
        total += size(part)
        if total >= enough:
            return


def _grouped(layout: str, fields: dict[str, Field]) -> str:
    """Return the pattern of a layout, with a group for each field."""
    parts = enumerate(FIELD_NAME.split(layout))
    return "".join(f"({fields[part].pattern})" if number % 2 else re.escape(part) for number, part in parts)
