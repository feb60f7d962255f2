"""Sending a message in one script call, on a store whose scripts may touch keys of any slots."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from chalicelib.store import keys
from chalicelib.store.access import inbox_item, message_item
from chalicelib.store.accounts.accounts import UserRelation
from chalicelib.store.accounts.rate_limits import TAKE_USER_LIMIT, Rate
from chalicelib.store.accounts.sessions import AUTHENTICATE
from chalicelib.store.messages.append_result import Appended
from chalicelib.store.realtime.connection_results import Recipient
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

T = TypeVar("T")

SEND_MESSAGE = Script("messages/send_message")
LEFT_OUT = (0, 0)
"""The numbers of keys and arguments of a script that is left out."""


class Steps(NamedTuple):
    """The queries of a send, in the order in which they run; the first one that refuses it ends it.

    authentication: Of the caller, by Sessions, or only the limit of a caller who is authenticated, by
    RateLimits; None: neither. relation: Of the other user of a direct chat to the
    caller; None: anybody may be written to. delivery: To the inboxes of a direct chat, see Inboxes.delivery;
    None: the caller delivers the message, and the append adds the delivery to the outbox. naming: Of the
    sender's name, which its reader remembers; None: it is known.
    """

    append: Query[Appended]
    authentication: Query[Rate | None] | None = None
    relation: Query[UserRelation] | None = None
    delivery: Query[list[Recipient]] | None = None
    naming: Query[str] | None = None


class Delivered(NamedTuple):
    """A message of a direct chat that is in both inboxes; recipients: Connections to push it to.

    settled: Whether nothing but the push is left to be done, so that the outbox has no entry without
    recipients; else an inbox entry is pending that the sweep writes first.
    """

    recipients: list[Recipient]
    settled: bool


class SendOutcome(NamedTuple):
    """The result of a send in one step.

    rate: Result of the authentication; None: it was left out or refused. relation: None: it was left out, or
    the send ended before. appended: Returns the result of the append, or raises its errors. delivered: None:
    the message is not delivered by this call.
    """

    rate: Rate | None
    relation: UserRelation | None
    appended: Callable[[], Appended]
    delivered: Delivered | None


class OneStepSends:
    """Sends in one step. It has no keys of its own; see Sessions, Accounts, MessageLog, Inboxes, Outbox.

    The message is in the log and in both inboxes, or in none of them, whatever happens. So the outbox of the
    chat has an entry only until the message is pushed; without a connection it has none.
    """

    def send(
        self, chat: str, steps: Steps, *, needs_account: bool, skip: str | None
    ) -> Query[SendOutcome | None]:
        """Return the query that sends a message; None: the store refused all of it, and nothing has run.

        chat: The canonical id. needs_account: Whether the other user of a direct chat must have an account.
        skip: Id of a connection that the message is not pushed to.
        """
        append, authentication, relation, delivery, naming = steps
        first, _, second = chat.partition(":")
        named: tuple[str, ...] = (keys.outbox(chat),)
        args: tuple[bytes | str | int, ...] = (int(needs_account), message_item(chat))
        args += inbox_item(first, chat), inbox_item(second, chat), skip or ""
        for step in (*_by_script(authentication), naming, relation, append, delivery):
            if step is None:
                args += LEFT_OUT
            else:
                named += step.keys
                args += len(step.keys), len(step.args), *step.args
        read = functools.partial(_outcome, steps)
        return Query(SEND_MESSAGE, named, args, read, append.repeatable, if_refused=None)


def _by_script(authentication: Query[Any] | None) -> tuple[Query[Any] | None, Query[Any] | None]:
    """Return the query if it authenticates, and if it takes from a limit alone."""
    if authentication is None or authentication.script is AUTHENTICATE:
        return authentication, None
    if authentication.script is TAKE_USER_LIMIT:
        return None, authentication
    raise ValueError(f"send_message does not run {authentication.script}")


def _outcome(steps: Steps, reply: list[Any] | None) -> SendOutcome | None:
    if reply is None:
        return None
    authenticated, relation, appended, recipients, settled, named = (reply + [None] * 6)[:6]
    _result(steps.naming, named)
    reached = _result(steps.delivery, recipients)
    return SendOutcome(
        _result(steps.authentication, authenticated),
        _result(steps.relation, relation),
        functools.partial(steps.append.read, appended),
        None if reached is None else Delivered(reached, bool(settled)),
    )


def _result(step: Query[T] | None, reply: Any) -> T | None:
    return None if step is None or reply is None else step.read(reply)
