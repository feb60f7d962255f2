"""The messages that the screen shows, and what changes of them look like."""

from __future__ import annotations

from parley_client.chat.lines import clean, dim, line_of, reactions_of
from parley_client.models import Message

MAX_KEPT = 2_000
"""Number of messages after which the longest shown ones are forgotten: changes of them are not shown."""

EXCERPT = 30
"""Number of characters of a message that a line about its reactions shows."""


class ShownMessages:
    """Knows the shown version of each message."""

    def __init__(self) -> None:
        self._messages: dict[tuple[str, int], Message] = {}

    def add(self, message: Message) -> None:
        """Note that a message is shown as it is now."""
        self._messages.pop((message.chat, message.seq), None)
        self._messages[message.chat, message.seq] = message
        if len(self._messages) > MAX_KEPT:
            del self._messages[next(iter(self._messages))]

    def get(self, chat: str, seq: int) -> Message | None:
        """Return the shown version of a message."""
        return self._messages.get((chat, seq))

    def drop(self, chat: str, seq: int) -> bool:
        """Forget a message; return whether it was shown."""
        return self._messages.pop((chat, seq), None) is not None

    def forget(self, chat: str) -> None:
        """Forget the messages of a chat."""
        self._messages = {key: message for key, message in self._messages.items() if key[0] != chat}

    def changed(self, message: Message, me: str, label: str = "") -> str | None:
        """Return the line that shows a change; None if the message is not shown, or looks as before.

        label: The chat's name, unless the chat is on the screen.
        """
        old = self.get(message.chat, message.seq)
        if old is None or old.change >= message.change:
            return None
        self.add(message)
        if message.deleted or _content(message) != _content(old):
            return line_of(message, me, label)
        if message.reactions != old.reactions:
            where = f"[{clean(label)}] " if label else ""
            text = clean(message.text[:EXCERPT].replace("\n", " "))
            return f"{dim(f'#{message.seq}')} {where}{reactions_of(message)} {dim(f'on “{text}”')}"
        return None


def _content(message: Message) -> tuple[object, ...]:
    return message.text, message.edited_at, message.pinned_at
