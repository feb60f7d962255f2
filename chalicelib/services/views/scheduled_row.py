"""Scheduled messages as the API shows them."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from chalicelib.schemas.scheduled import Scheduled, SendFailure
from chalicelib.services.values.times import rfc3339
from chalicelib.store.messages.scheduled import Failure, ScheduledMessage


def scheduled_row(message: ScheduledMessage) -> Scheduled:
    """Return a scheduled message as its sender sees it."""
    body = message.body
    return Scheduled(
        id=message.id,
        chat=body.chat,
        send_at=rfc3339(message.send_at),
        made_at=rfc3339(body.made),
        text=body.request.text,
        reply_to=body.request.reply_to or UNSET,
        expires_in=body.request.expires_in or UNSET,
        data=UNSET if body.request.data is None else body.request.data,
        forward=body.request.forward or UNSET,
        failed=_failed(body.failure),
    )


def _failed(failure: Failure | None) -> SendFailure | UnsetType:
    if failure is None:
        return UNSET
    return SendFailure(code=failure.code, detail=failure.detail, at=rfc3339(failure.at))
