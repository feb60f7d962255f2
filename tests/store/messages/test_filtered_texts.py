"""Texts that a word filter allows, changes or refuses, before they are stored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.errors import FilterUnavailable, IdConflict, NotAuthenticated, TextRefused
from chalicelib.schemas.messages import EditRequest, SendRequest
from chalicelib.services.auth.caller import Caller
from chalicelib.store.accounts.sessions import Credential, Details, Sessions
from tests.servers.engines import Engine
from tests.servers.word_filter import Filter
from tests.store.log_records import CHAT, RawClient
from tests.store.scheduling import App, app_on, end_leases, texts_of

pytestmark = pytest.mark.parametrize("engine", ["valkey"], indirect=True)


@pytest.fixture
def words() -> Iterator[Filter]:
    """A word filter."""
    with Filter() as started:
        yield started


@pytest.fixture
def app(engine: Engine, words: Filter) -> App:
    """An application with the word filter."""
    return app_on(engine, word_filter=words.url)


def test_the_store_has_the_redacted_text_alone(app: App, raw: RawClient, words: Filter) -> None:
    """A redacted text is stored, also by an edit; the text of the sender is nowhere."""
    words.answers("redact", text="***")
    sent = app.services.messages.send(app.caller(), CHAT, SendRequest("damn", id="one"))
    assert (sent.text, texts_of(raw, CHAT)) == ("***", ["***"])
    words.answers("redact", text="###")
    app.services.message_changes.edit(app.caller(), CHAT, 1, EditRequest("darn"))

    assert texts_of(raw, CHAT) == ["###"]
    assert [question["text"] for _, question in words.asked] == ["damn", "darn"]
    assert {(question["chat"], question["sender"]) for _, question in words.asked} == {(CHAT, "ann")}


def test_a_repeated_send_is_recognised_by_the_text_as_sent(app: App, raw: RawClient, words: Filter) -> None:
    """A retry is a duplicate, whatever the filter makes of it now; another text is a conflict."""
    words.answers("redact", text="***")
    app.services.messages.send(app.caller(), CHAT, SendRequest("damn", id="one"))
    words.answers("redact", text="###")

    assert app.services.messages.send(app.caller(), CHAT, SendRequest("damn", id="one")).duplicate
    with pytest.raises(IdConflict):
        app.services.messages.send(app.caller(), CHAT, SendRequest("darn", id="one"))
    assert texts_of(raw, CHAT) == ["***"]


def test_a_refused_text_is_not_stored(app: App, raw: RawClient, words: Filter) -> None:
    """Denied, or not checked because the filter fails: no message, and no change by an edit."""
    app.send("fine")
    words.answers("deny")
    with pytest.raises(TextRefused):
        app.send("damn")
    with pytest.raises(TextRefused):
        app.services.message_changes.edit(app.caller(), CHAT, 1, EditRequest("damn"))
    words.status = 500
    with pytest.raises(FilterUnavailable):
        app.send("damn")

    assert texts_of(raw, CHAT) == ["fine"]


def test_a_scheduled_message_is_filtered_when_it_is_sent(app: App, raw: RawClient, words: Filter) -> None:
    """The filter is asked at that moment; a refusal is the message's problem, a failure is repeated."""
    app.schedule("damn")
    assert words.asked == []
    words.status = 500
    assert (app.sweep(), app.failures()) == (0, [])
    words.status = 200
    words.answers("deny")
    end_leases(raw)
    assert (app.sweep(), app.failures()) == (0, ["text_refused"])


def test_only_who_is_authenticated_reaches_the_filter(engine: Engine, app: App, words: Filter) -> None:
    """A token that is not valid is refused before the operator's function is asked."""
    shown = Credential("ann", b"x" * 32)
    caller = Caller(
        app.services._store,
        "ann",
        "0" * 16,
        lambda cost: Sessions().authenticate(shown, "write", 0, Details(), cost),
    )
    with pytest.raises(NotAuthenticated):
        app.services.messages.send(caller, CHAT, SendRequest("damn"))
    assert words.asked == []
