"""Lines of plain text for the screen."""

from __future__ import annotations

import re
from datetime import datetime

from parley_client.models import ChatRow, Deletion, FoundMessage, Message, Preview

HIDDEN = re.compile(
    "[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"  # controls, halves, no characters
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what changes the direction of writing
    "\u00ad\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufffb]"  # what nobody sees
)
"""A list of code points: the interpreter's categories lack emoji that are newer than it."""

STYLE = re.compile("\x1b\\[[0-9;]*m")


def clean(text: str, *, lines: bool = False) -> str:
    """Return a text that cannot move the cursor, colour the screen or change the direction of writing.

    lines: Whether line breaks may stay; the lines after the first are indented.
    """
    if lines:
        return "\n      ".join(clean(line) for line in text.splitlines())
    return HIDDEN.sub("\ufffd", text)


def time_of(moment: datetime) -> str:
    """Return a time in the local time zone, with the date unless it is today."""
    here = moment.astimezone()
    today = here.date() == datetime.now().astimezone().date()
    return here.strftime("%H:%M" if today else "%d %b %H:%M")


def dim(text: str) -> str:
    """Return a text that a terminal shows dimly."""
    return f"\x1b[2m{text}\x1b[22m"


def bold(text: str) -> str:
    """Return a text that a terminal shows in bold."""
    return f"\x1b[1m{text}\x1b[22m"


def unstyled(line: str) -> str:
    """Return a line without colours and brightness, for a pipe or file."""
    return STYLE.sub("", line)


def line_of(message: Message | Preview, me: str, label: str = "") -> str:
    """Return a message as a line; label: The chat's name, unless the chat is on the screen.

    A message of the chat on the screen begins with its number, by which the commands name it.
    """
    text = text_of(message, me)
    said = f"* {text}" if message.kind == "system" else f"{clean(_name(message.sender, me))}: {text}"
    number = f"{dim(f'#{message.seq}')} " if isinstance(message, Message) and not label else ""
    return f"{number}{time_of(message.sent_at)} {f'[{clean(label)}] ' if label else ''}{said}"


def text_of(message: Message | Preview, me: str) -> str:
    """Return the text of a message as the screen shows it, with what has become of it."""
    if isinstance(message.deleted, Deletion):
        by = message.deleted.by
        return dim(f"(deleted by {clean(by)})" if by else "(expired)")
    if message.deleted:
        return dim("(deleted)")
    text = clean(message.text, lines=True)
    if isinstance(message, Preview):
        return text
    return " ".join([_with_mentions(text, message, me), *map(dim, _marks(message))])


def _with_mentions(text: str, message: Message, me: str) -> str:
    """Return a text with the mentions of the user in bold."""
    names = [re.escape(clean(me))] * (me in message.mentions) + ["all"] * message.mentions_all
    if not names:
        return text
    mention = re.compile(rf"(?<!\w)@(?:{'|'.join(names)})(?![\w.-])", re.IGNORECASE)
    return mention.sub(lambda found: bold(found[0]), text)


def _marks(message: Message) -> list[str]:
    """Return what follows a message's text on its line."""
    marks = []
    if message.edited_at:
        marks.append("(edited)")
    if message.forwarded:
        sender = message.forwarded.sender
        marks.append(f"(forwarded from {clean(sender)})" if sender else "(forwarded)")
    if message.expires_at:
        marks.append(f"(until {time_of(message.expires_at)})")
    if message.pinned_at:
        marks.append("(pinned)")
    if message.thread:
        marks.append(f"({message.thread.replies} {'reply' if message.thread.replies == 1 else 'replies'})")
    if message.reactions:
        marks.append(reactions_of(message))
    if replied := message.replied:
        text = "(deleted)" if replied.deleted else clean(replied.text.replace("\n", " "))
        marks.append(f"↩ #{replied.seq} {clean(replied.sender)}: {text}")
    return marks


def reactions_of(message: Message) -> str:
    """Return the reactions to a message."""
    counts = (f"{clean(one.emoji)} {one.count}{' (you)' if one.me else ''}" for one in message.reactions)
    return ", ".join(counts) or "no reactions"


def found_line(hit: FoundMessage, me: str, chat: str | None) -> str:
    """Return a found message as a line, with what was found in bold; chat: The one on the screen."""
    message, parts, at = hit.message, [], 0
    text = message.text.replace("\n", " ")
    for found in hit.ranges:
        parts += [clean(text[at : found.start]), bold(clean(text[found.start : found.end]))]
        at = found.end
    text = "".join([*parts, clean(text[at:])])
    label = "" if message.chat == chat else f"[{clean(title(message.chat, me))}] "
    number = "" if label else f"{dim(f'#{message.seq}')} "
    return f"{number}{time_of(message.sent_at)} {label}{clean(_name(message.sender, me))}: {text}"


def title(chat: str, me: str) -> str:
    """Return a chat's title: the other user's name, or the id of the room or group."""
    first, _, second = chat.partition(":")
    if not second:
        return chat.removeprefix("r-")
    return first if second == me else second


def row_line(row: ChatRow, me: str) -> str:
    """Return a chat of the inbox as a line."""
    name = clean(row.name or title(row.chat, me))
    unread = f", {row.unread} unread" if row.unread else ""
    unread += f", {row.mentions} for you" if row.mentions else ""
    return f"  {name}{unread}" + (f"  {line_of(row.last, me)}" if row.last else "")


def _name(sender: str, me: str) -> str:
    return "you" if sender == me else sender
