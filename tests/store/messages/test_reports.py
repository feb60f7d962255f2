"""Reports of messages: made by members, read and dismissed by admins."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from chalicelib.errors import (
    BadRequest,
    ChatNotFound,
    Forbidden,
    MessageDeleted,
    MessageNotFound,
    NotAMember,
    TooManyReports,
)
from chalicelib.logs import LOGGER
from chalicelib.schemas.chats import NewChat
from chalicelib.schemas.reports import Report, ReportPage, ReportRequest
from chalicelib.store import keys
from chalicelib.store.chats.info import Relation
from chalicelib.store.messages import reports as stored
from tests.servers.engines import Engine
from tests.store.account_records import write_account
from tests.store.chat_calls import Groups
from tests.store.log_records import RawClient
from tests.store.scheduling import App, app_on

ONE_ENGINE = pytest.mark.parametrize("engine", ["valkey"], indirect=True)
CHAT = "g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10"
SPAM = ReportRequest("spam", "sends it every day")


@pytest.fixture
def app(engine: Engine) -> App:
    """An application."""
    return app_on(engine)


@pytest.fixture
def groups(app: App) -> Groups:
    """A group of ann, its owner, with bob, carol and two messages of carol."""
    groups = Groups(app.services._store)
    groups.make("bob", "carol", chat=CHAT)
    app.send("first", CHAT, "carol")
    app.send("second", CHAT, "carol")
    return groups


def report(app: App, handle: str, seq: int | str, chat: str = CHAT, request: ReportRequest = SPAM) -> None:
    """Report a message."""
    app.services.reports.add(app.caller(handle), chat, str(seq), request)


def page(app: App, cursor: str | None = None, limit: int = 20, *, handle: str = "ann") -> ReportPage:
    """Read the reports of the group."""
    return app.services.reports.page(app.caller(handle), CHAT, cursor, limit)


def shown(one: Report) -> tuple[int, str, str | None]:
    """Return a report's message, reporter, and the message's text as it is now."""
    return one.seq, one.reporter, one.message.text if one.message else None


def test_admins_read_reports_with_the_messages(app: App, groups: Groups, raw: RawClient) -> None:
    """Admins read reports, newest first, with the messages as they are; the store has no copy of a text."""
    report(app, "bob", 2)
    report(app, "ann", 3, request=ReportRequest())
    report(app, "bob", 2, request=ReportRequest("hate"))
    found = page(app).reports

    assert [shown(one) for one in found] == [(3, "ann", "second"), (2, "bob", "first")]
    assert [(one.reason, one.note) for one in found] == [("other", ""), ("hate", "")]
    held: Any = raw.hgetall(keys.reports(CHAT))
    assert b"first" not in b"".join(held.values())
    first = page(app, limit=1)
    assert [one.seq for one in [*first.reports, *page(app, first.next).reports]] == [3, 2]


@ONE_ENGINE
def test_only_admins_read_and_dismiss_reports(app: App, groups: Groups) -> None:
    """A member or stranger cannot; an admin dismisses a report, also twice, and it can be made again."""
    report(app, "bob", 2)
    for handle, refusal in (("bob", Forbidden), ("eve", NotAMember)):
        with pytest.raises(refusal):
            page(app, handle=handle)
        with pytest.raises(refusal):
            app.services.reports.dismiss(app.caller(handle), CHAT, "2", "bob")
    for _ in range(2):
        app.services.reports.dismiss(app.caller(), CHAT, "2", "bob")
    assert page(app).reports == []
    report(app, "bob", 2)
    assert len(page(app).reports) == 1


@ONE_ENGINE
def test_only_a_message_of_another_user_is_reported(app: App, groups: Groups) -> None:
    """Not one's own, none of the server, none that does not exist; and none by a user who is not a member."""
    groups.change({"bob": Relation.LEFT}, chat=CHAT)
    refusals: list[tuple[str, int | str, type[Exception]]] = [
        ("carol", 2, BadRequest),
        ("carol", 1, BadRequest),
        ("carol", 9, MessageNotFound),
        ("carol", "x", BadRequest),
        ("eve", 2, NotAMember),
        ("bob", 2, NotAMember),
    ]
    for handle, seq, refusal in refusals:
        with pytest.raises(refusal):
            report(app, handle, seq)
    with pytest.raises(BadRequest):
        report(app, "ann", 2, request=ReportRequest("spam", "x" * 501))
    with pytest.raises(ChatNotFound):
        report(app, "ann", 2, CHAT[:-1] + "1")
    assert page(app).reports == []


@ONE_ENGINE
def test_a_report_of_a_message_that_was_deleted_shows_no_text(app: App, groups: Groups) -> None:
    """The list shows that the message was deleted; a deleted message cannot be reported."""
    report(app, "bob", 2)
    app.services.message_changes.delete(app.caller("carol"), CHAT, 2)
    (found,) = page(app).reports

    assert found.message
    assert (found.message.text, bool(found.message.deleted)) == ("", True)
    with pytest.raises(MessageDeleted):
        report(app, "ann", 2)


@ONE_ENGINE
def test_reports_have_a_limit(
    app: App, groups: Groups, raw: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member makes a limited number of reports in a chat, and a chat has a limited number of them."""
    monkeypatch.setattr(stored, "MAX_OF_MEMBER", 1)
    report(app, "bob", 2)
    report(app, "bob", 2)
    with pytest.raises(TooManyReports):
        report(app, "bob", 3)
    monkeypatch.setattr(stored, "MAX_REPORTS", 1)
    with pytest.raises(TooManyReports):
        report(app, "ann", 3)
    assert raw.hlen(keys.reports(CHAT)) == 1


@ONE_ENGINE
def test_a_report_in_a_direct_chat_is_for_the_operator(
    app: App, raw: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    """It is stored and logged, without text or note; no user can read it."""
    app.send("nasty", "ann:bob", "bob")
    with caplog.at_level(logging.INFO, LOGGER.name):
        report(app, "ann", 1, "ann:bob")

    line = {"event": "message_reported", "chat": "ann:bob", "seq": 1, "reporter": "ann", "reason": "spam"}
    assert [record.msg for record in caplog.records] == [line]
    assert raw.hlen(keys.reports("ann:bob")) == 1
    for handle in ("ann", "bob"):
        with pytest.raises(BadRequest):
            app.services.reports.page(app.caller(handle), "ann:bob", None, 20)


@ONE_ENGINE
def test_reports_go_with_the_chat_and_with_the_reporter(app: App, raw: RawClient) -> None:
    """A deleted account leaves no report, a deleted chat none at all."""
    for handle in ("ann", "bob", "carol"):
        write_account(raw, handle)
    request = NewChat(kind="group", name="Tea", members=["bob", "carol"])
    group = app.services.chats.create(app.caller(account=True), request)[0].chat
    app.send("x", group, "carol")
    report(app, "bob", 2, group)
    report(app, "ann", 2, group)
    app.services.deletion.delete("bob")
    assert [one.reporter for one in app.services.reports.page(app.caller(), group, None, 9).reports] == [
        "ann"
    ]

    app.services.chats.delete(app.caller(), group)
    assert list(raw.scan_iter(match="*:reports:*")) == []
