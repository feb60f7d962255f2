"""The permitted callers of a route."""

from __future__ import annotations

from enum import Enum, auto


class Who(Enum):
    """The permitted callers of a route, and the caller argument of its view.

    An open server also trusts a name that has no account, except for ACCOUNT.
    """

    ANYBODY = auto()
    """Nobody has to authenticate; the view is given nothing."""
    CALLER = auto()
    """The view is given a caller who is authenticated."""
    ACCOUNT = auto()
    """As CALLER, with a bearer token."""
    CALLER_IN_ROUND_TRIP = auto()
    """The view is given a caller whom the round trip of its first store call authenticates."""
    CALLER_NAMED = auto()
    """As CALLER_IN_ROUND_TRIP, but a field of the request names the caller on an open server.

    The view is given a CallerNamed, which takes the names and returns the caller.
    """

    @property
    def parameter(self) -> tuple[str, ...]:
        """The name of the view's parameter for the caller; empty for ANYBODY."""
        return _PARAMETERS[self]


_PARAMETERS = {
    Who.ANYBODY: (),
    Who.CALLER: ("caller",),
    Who.ACCOUNT: ("caller",),
    Who.CALLER_IN_ROUND_TRIP: ("caller",),
    Who.CALLER_NAMED: ("caller_named",),
}
