"""Errors about the caller: authentication, accounts and sessions."""

from __future__ import annotations

from chalicelib.errors.base import Forbidden, ParleyError

BEARER = 'Bearer realm="parley"'
"""The challenge of a 401 (RFC 9110, 15.5.2) that has no more specific one."""


class NotAuthenticated(ParleyError):
    """The request does not say who calls, or its token is not valid."""

    status, code, title = 401, "not_authenticated", "Not authenticated"

    def __init__(self, detail: str, *, challenge: str = BEARER) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class WrongCredentials(NotAuthenticated):
    """The name or the password of a login is wrong."""

    code, title = "wrong_credentials", "Wrong credentials"


class ConnectionEnded(NotAuthenticated):
    """The session of this connection has ended, or its lease has expired."""

    code, title = "connection_ended", "Connection ended"


class PasswordChangeNeeded(Forbidden):
    """The password works only for a login that sets a new one."""

    code, title = "password_change_needed", "Password change needed"


class HandleNeeded(Forbidden):
    """The signed identity has not chosen a handle yet."""

    code, title = "handle_needed", "Handle needed"


class CrossSite(Forbidden):
    """A web page of another site called an open server."""

    code, title = "cross_site", "Cross-site call refused"


class UserNotFound(ParleyError):
    """No user has this handle, or the account was deleted."""

    status, code, title = 404, "user_not_found", "User not found"


class SessionNotFound(ParleyError):
    """The caller has no session of this id."""

    status, code, title = 404, "session_not_found", "Session not found"


class AlreadyTaken(ParleyError):
    """The handle, the email or the chat's id is taken; the answer does not say which."""

    status, code, title = 409, "already_taken", "Already taken"


class IdentityUnavailable(ParleyError):
    """The issuer of signed identities does not answer, and the server has no copy of its keys."""

    status, code, title = 503, "identity_unavailable", "Identity unavailable"


def session_ended() -> ConnectionEnded:
    """Return a ConnectionEnded for a connection whose session has ended."""
    return ConnectionEnded("The session of this connection has ended. Log in again.")


def lease_over() -> ConnectionEnded:
    """Return a ConnectionEnded for a connection that no frame has renewed in time."""
    return ConnectionEnded(
        "No frame arrived on this connection for too long, or its token has expired. "
        "Open another with a new ticket."
    )


def no_user(handle: str) -> UserNotFound:
    """Return a UserNotFound that names the user."""
    return UserNotFound(f"There is no user {handle}, or the account was deleted.")
