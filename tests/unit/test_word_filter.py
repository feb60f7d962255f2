"""The word filter: a Lambda function or a URL that allows, refuses or changes texts."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest

from chalicelib.errors import FilterUnavailable, TextRefused
from chalicelib.logs import LOGGER
from chalicelib.services.values.message_limits import checked_text
from chalicelib.word_filter.word_filter import WordFilter
from tests.servers import management_api
from tests.servers.word_filter import Filter

TOKEN = "session-token"
SECRET = "chrysanthemum"


@pytest.fixture
def server() -> Iterator[Filter]:
    """A word filter."""
    with Filter(TOKEN) as started:
        yield started


def asking(named: str, *, is_open: bool = False, seconds: float = 5.0) -> WordFilter:
    """Return the client of a filter."""
    return WordFilter(named, checked_text, is_open=is_open, seconds=seconds)


def check(words: WordFilter) -> str:
    """Ask about a text."""
    return words.check("ann:bob", "ann", SECRET)


def test_a_filter_allows_redacts_and_denies(server: Filter) -> None:
    """It gets chat, sender and text; its verdict is the text to store, or the refusal."""
    words = asking(f"{server.url}/check")
    assert check(words) == SECRET
    assert server.asked == [("/check", {"chat": "ann:bob", "sender": "ann", "text": SECRET})]
    server.answers("redact", text="c***m")
    assert check(words) == "c***m"
    server.answers("deny", detail="No flowers here.")
    with pytest.raises(TextRefused, match=r"No flowers here\."):
        check(words)


def test_a_lambda_function_is_invoked_by_a_signed_request(
    server: Filter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request names the function with its alias, and is signed for the service `lambda`."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": management_api.KEY,
        "AWS_SECRET_ACCESS_KEY": management_api.SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_DEFAULT_REGION": management_api.REGION,
        "AWS_ENDPOINT_URL_LAMBDA": server.url,
    }.items():
        monkeypatch.setenv(name, value)
    server.answers("redact", text="***")

    assert check(asking("words:live")) == "***"
    assert [path for path, _ in server.asked] == ["/2015-03-31/functions/words%3Alive/invocations"]
    server.headers = {"X-Amz-Function-Error": "Unhandled"}
    with pytest.raises(FilterUnavailable):
        check(asking("words:live"))


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"allow",
        b'{"action": "perhaps"}',
        b'{"action": "redact"}',
        b'{"action": "redact", "text": ""}',
        b'{"action": "allow", "text": "other"}',
        b'{"action": "redact", "text": "a\\u0000b"}',
    ],
)
def test_an_answer_that_is_no_verdict_is_a_failure(server: Filter, answer: bytes) -> None:
    """Only a whole verdict counts, whose text can be stored."""
    server.answer = answer

    with pytest.raises(FilterUnavailable):
        check(asking(server.url))
    assert check(asking(server.url, is_open=True)) == SECRET


@pytest.mark.parametrize("failure", ["status", "slow", "drip", "refused"])
def test_a_filter_that_fails_is_closed_or_open(
    server: Filter, failure: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure refuses the text in time, or lets it pass by the setting; no log line has the text."""
    monkeypatch.setattr(LOGGER, "propagate", True)
    caplog.set_level(logging.DEBUG)
    server.status = 500 if failure == "status" else 200
    server.seconds = 10.0 if failure == "slow" else 0.0
    server.drips = failure == "drip"
    url = "http://127.0.0.1:1" if failure == "refused" else server.url
    for is_open in (True, False):
        started = time.monotonic()
        words = asking(url, is_open=is_open, seconds=0.3)
        if is_open:
            assert check(words) == SECRET
        else:
            with pytest.raises(FilterUnavailable):
                check(words)
        assert time.monotonic() - started < 5.0

    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    assert {(line["event"], line["open"]) for line in lines} == {
        ("word_filter_failed", True),
        ("word_filter_failed", False),
    }
    assert SECRET not in caplog.text
