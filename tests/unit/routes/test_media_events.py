"""The function of the media bucket's queue, and its events."""

from __future__ import annotations

import json
import logging
from typing import Any

import msgspec
import pytest

from chalicelib.logs import LOGGER
from chalicelib.routes import media_events
from tests.unit.routes.test_work_events import event

TEST_EVENT = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2014-10-13T15:57:02.089Z",
    "Bucket": "amzn-s3-demo-bucket",
    "RequestId": "5582815E1AEA5ADF",
    "HostId": "8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE",
}


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """The log."""
    monkeypatch.setattr(LOGGER, "propagate", True)
    caplog.set_level(logging.INFO, logger=LOGGER.name)
    return caplog


def logged(lines: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the fields of each line, without the message's id."""
    found = [record.msg for record in lines.records if isinstance(record.msg, dict)]
    return [{name: value for name, value in line.items() if name != "message_id"} for line in found]


def record(name: str, key: str, **stored: Any) -> dict[str, Any]:
    """Return a record as S3's documentation shows it."""
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-west-2",
        "eventTime": "1970-01-01T00:00:00.000Z",
        "eventName": name,
        "userIdentity": {"principalId": "AIDAJDPLRKLG7UEXAMPLE"},
        "requestParameters": {"sourceIPAddress": "172.16.0.1"},
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "testConfigRule",
            "bucket": {"name": "amzn-s3-demo-bucket", "arn": "arn:aws:s3:::amzn-s3-demo-bucket"},
            "object": {"key": key, "sequencer": "0055AED6DCD90281E5", **stored},
        },
    }


def body(*records: dict[str, Any]) -> str:
    """Return a message's body."""
    return json.dumps({"Records": list(records)})


STORED = record(
    "ObjectCreated:Put", "red+flower%C3%A9.jpg", size=1024, eTag="d41d8cd98f00b204e9800998ecf8427e"
)


def test_what_is_stored_and_removed_is_a_line_each(lines: pytest.LogCaptureFixture) -> None:
    """Each record of each message is a line with the decoded key, and the size if there is one."""
    removed = record("ObjectRemoved:Delete", "a/b.png")
    answer = media_events.handle(event(body(STORED, removed), body(removed)))

    gone = {"event": "media_removed", "key": "a/b.png", "bytes": None}
    assert answer == {"batchItemFailures": []}
    assert logged(lines) == [{"event": "media_stored", "key": "red floweré.jpg", "bytes": 1024}, gone, gone]


@pytest.mark.parametrize("way", ["Put", "Post", "Copy", "CompleteMultipartUpload"])
def test_every_way_of_storing_counts(lines: pytest.LogCaptureFixture, way: str) -> None:
    """Every way to create an object is logged as stored."""
    media_events.handle(event(body(record(f"ObjectCreated:{way}", "a", size=0))))
    assert logged(lines) == [{"event": "media_stored", "key": "a", "bytes": 0}]


def test_the_message_of_a_new_bucket(lines: pytest.LogCaptureFixture) -> None:
    """S3's test message at the setup of notifications is a line, and no error."""
    assert media_events.handle(event(json.dumps(TEST_EVENT))) == {"batchItemFailures": []}
    assert logged(lines) == [{"event": "media_test"}]
    assert [one.levelname for one in lines.records] == ["INFO"]


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "no event",
        "[]",
        "{}",
        '{"Records": []}',
        '{"Event": "s3:Other"}',
        "[" * 100_000,
        '{"a": ' + "[" * 100_000,
        body(record("ObjectCreated:Put", "a", size=-1)),
        body(record("ObjectCreated:Put", "a", size="1")),
        body(record("ObjectCreated:Put", "")),
        body(record("ObjectCreated:Put", "secret%ff", size=1)),
        body(record("ObjectCreated:Put", "secret" * 1000, size=1)),
        body(record("ObjectRestore:Post", "secret", size=1)),
        body({**STORED, "s3": {"bucket": {"name": "secret"}}}),
        '{"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "\\ud800"}}}]}',
    ],
)
def test_what_is_no_notification_is_dropped(lines: pytest.LogCaptureFixture, malformed: str) -> None:
    """An invalid message is one error in the log without its text, not repeated; others are still logged."""
    assert media_events.handle(event(malformed, body(STORED))) == {"batchItemFailures": []}
    first, second = logged(lines)
    assert (first["event"], second["event"]) == ("media_malformed", "media_stored")
    assert [one.levelname for one in lines.records] == ["ERROR", "INFO"]
    assert "secret" not in first["reason"]


def test_one_bad_record_rejects_the_whole_message(lines: pytest.LogCaptureFixture) -> None:
    """One bad record makes the whole message malformed."""
    media_events.handle(event(body(STORED, record("ObjectCreated:Put", "%ff"))))
    assert [line["event"] for line in logged(lines)] == ["media_malformed"]


def test_what_is_no_event_of_a_queue_is_refused() -> None:
    """A manual call with another event gets an error that says what is missing."""
    with pytest.raises(msgspec.ValidationError, match="Records"):
        media_events.handle({"records": []})
