"""The events that AWS would call a function with for a queue's messages and for a schedule."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec

from infra.local.events import ACCOUNT_ID

REGION = "local"


class Message(msgspec.Struct):
    """A message of the queue.

    sent: ms since 1970. received: the same, of the first time. receives: how often so far.
    """

    body: str
    id: str
    sent: int
    received: int = 0
    receives: int = 0


def message(body: str) -> Message:
    """Return a new message."""
    return Message(body, str(uuid.uuid4()), _now())


def queue_event(messages: Sequence[Message]) -> dict[str, Any]:
    """Receive messages once more, as the event of an SQS queue.

    Source: "Using Lambda with Amazon SQS" in the AWS Lambda Developer Guide.
    """
    for one in messages:
        one.receives += 1
        one.received = one.received or _now()
    return {"Records": [_record(one) for one in messages]}


def schedule_event() -> dict[str, Any]:
    """Return the event of a schedule.

    Source: "Invoke a Lambda function on a schedule" in the AWS Lambda Developer Guide.
    """
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT_ID,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT_ID}:rule/sweep"],
        "detail": {},
    }


def _record(one: Message) -> dict[str, Any]:
    return {
        "messageId": one.id,
        "receiptHandle": f"{one.id}#{one.receives}",
        "body": one.body,
        "attributes": {
            "ApproximateReceiveCount": str(one.receives),
            "SentTimestamp": str(one.sent),
            "SenderId": ACCOUNT_ID,
            "ApproximateFirstReceiveTimestamp": str(one.received),
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(one.body.encode(errors="replace"), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:work",
        "awsRegion": REGION,
    }


def _now() -> int:
    return int(time.time() * 1000)
