"""Events of AWS services, as far as Parley reads them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Size = Annotated[int, Meta(ge=0)]
EncodedKey = Annotated[str, Meta(min_length=1, max_length=3 * 1024)]
"""A key of at most 1,024 bytes, each of which may be percent-encoded."""
EventName = Annotated[str, Meta(pattern=r"^Object(Created|Removed):[A-Za-z]{1,64}$")]


class Message(Struct, frozen=True, rename="camel"):
    """One record of an SQS event."""

    message_id: str
    body: str


class Batch(Struct, frozen=True):
    """An SQS event. Source: "Using Lambda with Amazon SQS" in the AWS Lambda Developer Guide."""

    records: list[Message] = field(name="Records")


class StoredObject(Struct, frozen=True):
    """The object of a notification; size: bytes, None when it was removed."""

    key: EncodedKey
    size: Size | None = None


class ObjectIn(Struct, frozen=True):
    """Where the object is."""

    object: StoredObject


class ObjectEvent(Struct, frozen=True, rename="camel"):
    """What happened to one object; event_name: without the `s3:` of the bucket's configuration."""

    event_name: EventName
    s3: ObjectIn


class Notification(Struct, frozen=True, kw_only=True):
    """What S3 puts into a queue. Source: "Event message structure" in the Amazon S3 User Guide.

    event: of the message without records that comes once, when notifications are set up.
    """

    records: list[ObjectEvent] = field(name="Records", default=[])
    event: Literal["s3:TestEvent"] | None = field(name="Event", default=None)

    def __post_init__(self) -> None:
        if bool(self.records) == bool(self.event):
            raise ValueError("Expected either `Records` or `Event`")
