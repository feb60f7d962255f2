"""Rows that are JSON before the reply or frame around them is encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

T = TypeVar("T")

if TYPE_CHECKING:

    class Encoded(Generic[T]):
        """The JSON of a row: a msgspec.Raw, so that a row is encoded once, to be measured and to be sent."""

        def __len__(self) -> int: ...
else:

    class Encoded:
        """The type that the documents of the API show: that of the row."""

        def __class_getitem__(cls, row: Any) -> Any:
            """Return the type of the row."""
            return row
