"""The function behind the queue of the media bucket: it logs stored and removed objects."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

import msgspec

from chalicelib.logs import LOGGER
from chalicelib.schemas.aws_events import Batch, Message, Notification, ObjectEvent

KINDS = {"ObjectCreated": "media_stored", "ObjectRemoved": "media_removed"}


def handle(event: Any) -> dict[str, Any]:
    """Log a line for each stored or removed object of an SQS event.

    No message is retried, because logging cannot fail. A malformed message is logged as an error and dropped,
    because it would fail each time.
    """
    for message in msgspec.convert(event, Batch).records:
        _log(message)
    return {"batchItemFailures": []}


def _log(message: Message) -> None:
    try:
        lines = [{**line, "message_id": message.message_id} for line in _lines(message.body)]
    except (msgspec.DecodeError, UnicodeError, RecursionError) as problem:
        LOGGER.error({"event": "media_malformed", "message_id": message.message_id, "reason": str(problem)})
        return
    for line in lines:
        LOGGER.info(line)


def _lines(body: str) -> list[dict[str, Any]]:
    notification = msgspec.json.decode(body, type=Notification)
    if notification.event:
        return [{"event": "media_test"}]
    return [_line(record) for record in notification.records]


def _line(record: ObjectEvent) -> dict[str, Any]:
    happened, _, _ = record.event_name.partition(":")
    stored = record.s3.object
    return {
        "event": KINDS[happened],
        "key": unquote_plus(stored.key, errors="strict"),
        "bytes": stored.size,
    }
