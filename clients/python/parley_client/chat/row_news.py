"""What a new row of the inbox tells the user."""

from __future__ import annotations

from parley_client.chat.lines import clean, title
from parley_client.models import ChatRow


class RowNews:
    """Knows the user's state in each chat."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}

    def line(self, row: ChatRow, me: str) -> str | None:
        """Return a line if the user is invited now, or no longer a member; None otherwise."""
        before, self._states[row.chat] = self._states.get(row.chat), row.state
        name = clean(row.name or title(row.chat, me))
        if row.state == "invited" and before != "invited":
            return f"* You are invited to {name}: {clean(row.chat)}"
        if before == "member" and row.state != "member" and ":" not in row.chat:
            return f"* You are no longer a member of {name}."
        return None
