"""What follows the name of a command."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from parley_client.chat.conversation import Conversation
from parley_client.errors import ParleyError

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
PERIOD = re.compile("([0-9]{1,6})([smhd])")
CLOCK = re.compile("([0-9]{1,2}):([0-9]{2})")
MAX_DIGITS = 15


class WrongInput(ParleyError):
    """A command that cannot be carried out as it was typed; the message says how to type it."""


def chat_of(conversation: Conversation) -> str:
    """Return the chat on the screen; raises WrongInput without one."""
    if conversation.chat is None:
        raise WrongInput("Choose a chat first: /to NAME or /room NAME.")
    return conversation.chat


def numbered(rest: str, usage: str) -> tuple[int, str]:
    """Return the number of a message, and what follows it; usage: An example for the error."""
    number, _, more = rest.partition(" ")
    digits = number.removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS and int(digits)):
        raise WrongInput(f"Name a message by the number before it: {usage}")
    return int(digits), more.strip()


def period(text: str, usage: str) -> timedelta:
    """Return a time such as 30s, 10m, 2h or 1d; usage: An example for the error."""
    if found := PERIOD.fullmatch(text.lower()):
        return timedelta(**{UNITS[found[2]]: int(found[1])})
    raise WrongInput(f"Give a time such as 30s, 10m, 2h or 1d: {usage}")


def moment(text: str, usage: str) -> datetime:
    """Return a time from now, such as 10m, or the next time that a clock shows, such as 18:30."""
    now = datetime.now().astimezone()
    found = CLOCK.fullmatch(text)
    if found is None:
        return now + period(text, usage)
    hour, minute = int(found[1]), int(found[2])
    if hour > 23 or minute > 59:
        raise WrongInput(f"There is no time {text}: {usage}")
    then = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return then if then > now else then + timedelta(days=1)
