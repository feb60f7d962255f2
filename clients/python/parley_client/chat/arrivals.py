"""Users who come into rooms and leave them."""

from __future__ import annotations

from parley_client.incoming import RoomNotice
from parley_client.models import Message


class Arrivals:
    """Finds repetitions: a system message and a notice may report the same."""

    def __init__(self) -> None:
        self._here: dict[tuple[str, str], bool] = {}

    def is_news(self, event: Message | RoomNotice) -> bool:
        """Return whether an event is news: a user who joins a room also enters it, in either order."""
        user, here = _coming(event)
        if user is None or here is None:
            return True
        was = self._here.get((event.chat, user))
        self._here[event.chat, user] = here
        return was is not here


def _coming(event: Message | RoomNotice) -> tuple[str | None, bool | None]:
    """Return the user who came (True) or went (False); None: neither happened."""
    if isinstance(event, RoomNotice):
        return event.user, {"entered": True, "gone": False}.get(event.event)
    kind = event.event.get("type") if event.event else None
    return event.sender, {"joined": True, "left": False}.get(str(kind))
