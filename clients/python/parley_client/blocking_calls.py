"""Blocking forms of the calls about single messages."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar

from parley_client.async_client import AsyncClient
from parley_client.incoming import Ack, Page
from parley_client.message_calls import DeleteFor, Reason
from parley_client.models import ChatRow, Found, Message, Scheduled, Unread
from parley_client.responses import Reaction, ThreadPage

T = TypeVar("T")


class BlockingCalls:
    """What the calls of Client need of it."""

    _client: AsyncClient

    @abstractmethod
    def _do(self, work: Coroutine[Any, Any, T], *, forever: bool = False) -> T:
        """Run a coroutine on the client's thread; return its result."""


class BlockingMessageCalls(BlockingCalls):
    """The calls of Client about single messages."""

    def history(
        self, chat: str, *, before: str | None = None, after: str | None = None, limit: int = 50
    ) -> Page:
        """See AsyncClient.history."""
        return self._do(self._client.history(chat, before=before, after=after, limit=limit))

    def message(self, chat: str, seq: int) -> Message:
        """See AsyncClient.message."""
        return self._do(self._client.message(chat, seq))

    def edit(
        self,
        chat: str,
        seq: int,
        text: str | None = None,
        *,
        data: dict[str, Any] | None = None,
        if_change: int | None = None,
    ) -> Message:
        """See AsyncClient.edit."""
        return self._do(self._client.edit(chat, seq, text, data=data, if_change=if_change))

    def delete(self, chat: str, seq: int, *, for_: DeleteFor = "all") -> None:
        """See AsyncClient.delete."""
        self._do(self._client.delete(chat, seq, for_=for_))

    def forward(
        self,
        chat: str,
        seq: int,
        to: str,
        *,
        id: str | None = None,  # noqa: A002 # the API's word
    ) -> Ack:
        """See AsyncClient.forward."""
        return self._do(self._client.forward(chat, seq, to, id=id))

    def thread(self, chat: str, seq: int, *, after: str | None = None, limit: int = 50) -> ThreadPage:
        """See AsyncClient.thread."""
        return self._do(self._client.thread(chat, seq, after=after, limit=limit))

    def react(self, chat: str, seq: int, emoji: str) -> Message:
        """See AsyncClient.react."""
        return self._do(self._client.react(chat, seq, emoji))

    def unreact(self, chat: str, seq: int, emoji: str) -> Message:
        """See AsyncClient.unreact."""
        return self._do(self._client.unreact(chat, seq, emoji))

    def reactions(self, chat: str, seq: int, *, emoji: str | None = None) -> list[Reaction]:
        """See AsyncClient.reactions."""
        return self._do(self._client.reactions(chat, seq, emoji=emoji))

    def pin(self, chat: str, seq: int) -> Message:
        """See AsyncClient.pin."""
        return self._do(self._client.pin(chat, seq))

    def unpin(self, chat: str, seq: int) -> Message:
        """See AsyncClient.unpin."""
        return self._do(self._client.unpin(chat, seq))

    def pins(self, chat: str) -> list[Message]:
        """See AsyncClient.pins."""
        return self._do(self._client.pins(chat))

    def report(self, chat: str, seq: int, *, reason: Reason = "other", note: str = "") -> None:
        """See AsyncClient.report."""
        self._do(self._client.report(chat, seq, reason=reason, note=note))


class BlockingInboxCalls(BlockingCalls):
    """The calls of Client about all chats."""

    def chats(self, *, limit: int = 50) -> list[ChatRow]:
        """See AsyncClient.chats."""
        return self._do(self._client.chats(limit=limit))

    def expire(self, chat: str, seconds: int | None) -> None:
        """See AsyncClient.expire."""
        self._do(self._client.expire(chat, seconds))

    def unread(self) -> Unread:
        """See AsyncClient.unread."""
        return self._do(self._client.unread())

    def read_all(self) -> list[str]:
        """See AsyncClient.read_all."""
        return self._do(self._client.read_all())

    def search(
        self,
        text: str,
        *,
        chat: str | None = None,
        sender: str | None = None,
        before: str | None = None,
        limit: int = 20,
    ) -> Found:
        """See AsyncClient.search."""
        return self._do(self._client.search(text, chat=chat, sender=sender, before=before, limit=limit))

    def schedule(
        self,
        chat: str,
        text: str,
        send_at: datetime,
        *,
        id: str | None = None,  # noqa: A002 # the API's word
        reply_to: int | None = None,
        expires_in: int | None = None,
        data: dict[str, Any] | None = None,
    ) -> Scheduled:
        """See AsyncClient.schedule."""
        scheduling = self._client.schedule(
            chat, text, send_at, id=id, reply_to=reply_to, expires_in=expires_in, data=data
        )
        return self._do(scheduling)

    def scheduled(self, chat: str | None = None) -> list[Scheduled]:
        """See AsyncClient.scheduled."""
        return self._do(self._client.scheduled(chat))

    def reschedule(
        self,
        id: str,  # noqa: A002 # the API's word
        *,
        send_at: datetime | None = None,
        text: str | None = None,
    ) -> Scheduled:
        """See AsyncClient.reschedule."""
        return self._do(self._client.reschedule(id, send_at=send_at, text=text))

    def cancel(self, id: str) -> None:  # noqa: A002 # the API's word
        """See AsyncClient.cancel."""
        self._do(self._client.cancel(id))
