"""What a request to send says, checked and completed: the message as it is to be appended."""

from __future__ import annotations

from chalicelib.errors import ParleyError, bad_field
from chalicelib.schemas.messages import ForwardedFrom, SendRequest
from chalicelib.services.auth.caller import Caller
from chalicelib.services.messages.append import NewMessage
from chalicelib.services.messages.forwarding import ForwardSources
from chalicelib.services.messages.mentions import Mentioned, MentionFinder
from chalicelib.services.messages.text_filter import TextFilter
from chalicelib.services.values.chat_id import ChatId
from chalicelib.services.values.message_limits import checked_data, checked_id, checked_text
from chalicelib.store.messages.content import NO_EXTRA, Content, Extra, with_extra
from chalicelib.store.messages.log import LogPage, MessageLog
from chalicelib.store.redis.client import Store


class Drafts:
    """Makes messages of requests to send.

    A plain one takes no round trip, a forward takes one, and mentions and replies take up to two.
    """

    def __init__(
        self,
        store: Store,
        log: MessageLog,
        sources: ForwardSources,
        texts: TextFilter,
        mentions: MentionFinder,
    ) -> None:
        self._store = store
        self._log = log
        self._sources = sources
        self._texts = texts
        self._mentions = mentions

    def make(self, caller: Caller, chat: ChatId, request: SendRequest, sender: str) -> NewMessage:
        """Return the message of a request; sender: As the log stores it.

        Raises BadRequest, TextTooLong, TextRefused, FilterUnavailable; MessageNotFound and Forbidden of a
        message to forward.
        """
        if request.forward is not None:
            return self._forward(caller, chat, request, request.forward, sender)
        text = self._texts.checked(caller, chat.text, request.text)
        content = _content(request, sender, text, _extra(request))
        new = NewMessage(content, request.text, request.expires_in or 0)
        if "@" not in text and request.reply_to is None:
            return new
        return _mentioning(new, self._mentions.find(caller, chat, text, request.reply_to))

    def check(self, caller: Caller, request: SendRequest) -> Content:
        """Return the content of a request that the word filter is not asked about; raises as `make`."""
        if request.forward is None:
            return _content(request, caller.handle, checked_text(request.text), _extra(request))
        _check_forward(request)
        text, extra = self._sources.read(caller, request.forward)
        return _content(request, caller.handle, text, extra)

    def repeated(self, caller: Caller, chat: ChatId, request: SendRequest, sender: str) -> LogPage | None:
        """Return the page with what an earlier forward with the same id stored; None: there is nothing.

        The message that was forwarded may have been edited or deleted since.
        """
        if request.forward is None or request.id is None or not caller.authenticated:
            return None
        try:
            reference = self._sources.reference(caller, request.forward)
            new = NewMessage(_content(request, sender, "", NO_EXTRA), "", request.expires_in or 0, reference)
            seq = self._store.run(new.finding(self._log, chat.text))
            page = self._store.run(self._log.after(chat.text, seq - 1, 1, reader=caller.handle))
        except ParleyError:
            return None
        return page if page.first(seq) else None

    def _forward(
        self, caller: Caller, chat: ChatId, request: SendRequest, forwarded: ForwardedFrom, sender: str
    ) -> NewMessage:
        _check_forward(request)
        text, extra = self._sources.read(caller, forwarded)
        reference = self._sources.reference(caller, forwarded)
        text = self._texts.checked(caller, chat.text, text)
        new = NewMessage(_content(request, sender, text, extra), "", request.expires_in or 0, reference)
        if request.reply_to is None:
            return new
        return _mentioning(new, self._mentions.find(caller, chat, "", request.reply_to))


def _mentioning(new: NewMessage, found: Mentioned) -> NewMessage:
    """Return a message with its mentions."""
    if not found.handles and not found.all:
        return new._replace(mentioned=found.fields)
    content = with_extra(new.content, mentions=found.handles, mentions_all=found.all)
    return new._replace(content=content, mentioned=found.fields)


def _check_forward(request: SendRequest) -> None:
    if request.text:
        raise bad_field("text", "a forwarded message has the text of the other; send either of the two")
    if request.data is not None:
        raise bad_field("data", "a forwarded message has the data of the other")


def _extra(request: SendRequest) -> Extra:
    return NO_EXTRA if request.data is None else Extra(data=checked_data(request.data))


def _content(request: SendRequest, sender: str, text: str, extra: Extra) -> Content:
    return Content(sender, text, checked_id(request.id), request.kind, None, request.reply_to, extra)
