"""What is shown, as lines of plain text."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from parley_client.incoming import ChatRow, Message, Preview

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
JOINERS = "\u200c\u200d"
"""Format characters that scripts and emoji need."""


def clean(text: str, *, lines: bool = False) -> str:
    """Return a text that cannot move the cursor, colour the screen, or turn the direction of writing.

    lines: whether line breaks may stay, the lines after the first indented.
    """
    if lines:
        return "\n      ".join(clean(line) for line in text.splitlines())
    return "".join(
        character if character in JOINERS or unicodedata.category(character) not in HIDDEN else "\ufffd"
        for character in text
    )


def time_of(moment: datetime) -> str:
    """Return a time as it is here, with the day if that is not today."""
    here = moment.astimezone()
    today = here.date() == datetime.now().astimezone().date()
    return here.strftime("%H:%M" if today else "%d %b %H:%M")


def line_of(message: Message | Preview, me: str, label: str = "") -> str:
    """Return a message as a line; label: the chat, where it is not the one on the screen."""
    text = clean(message.text, lines=True)
    said = f"* {text}" if message.kind == "system" else f"{clean(_name(message.sender, me))}: {text}"
    return f"{time_of(message.sent_at)} {f'[{clean(label)}] ' if label else ''}{said}"


def title(chat: str, me: str) -> str:
    """Return what a chat is called: the other's name, or the room's or group's id."""
    first, _, second = chat.partition(":")
    if not second:
        return chat.removeprefix("r-")
    return first if second == me else second


def row_line(row: ChatRow, me: str) -> str:
    """Return a chat of the inbox as a line."""
    name = clean(row.name or title(row.chat, me))
    unread = f", {row.unread} unread" if row.unread else ""
    return f"  {name}{unread}" + (f"  {line_of(row.last, me)}" if row.last else "")


def _name(sender: str, me: str) -> str:
    return "you" if sender == me else sender
