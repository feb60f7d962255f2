"""What can go wrong, as RFC 9457 problems. Knows no framework."""

from __future__ import annotations

from typing import ClassVar

import msgspec

PROBLEM_JSON = "application/problem+json"
MOST_CHARACTERS = 1000
"""Maximum length of a text in an error: a frame has room for three such texts of any characters."""


class ConfigError(Exception):
    """A setting has a value that it cannot have; the text names the variable."""


class FieldError(msgspec.Struct, frozen=True):
    """One field of a request and what is wrong with it."""

    field: str
    detail: str


class Problem(msgspec.Struct, omit_defaults=True):
    """The body of every error answer (RFC 9457), with a stable `code`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] = []


class ParleyError(Exception):
    """A request that cannot be answered as asked.

    detail: one or two sentences for the person who made the call: what is wrong and what to do.
    errors: the fields at fault, where it is fields.
    headers: response headers that belong to the error, such as Retry-After.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        self.detail = _shortened(detail)
        super().__init__(self.detail)
        self.errors = tuple(FieldError(_shortened(each.field), _shortened(each.detail)) for each in errors)
        self.headers = headers or {}

    def problem(self) -> bytes:
        """Return the error as the bytes of an application/problem+json body."""
        return msgspec.json.encode(
            Problem(
                type=f"urn:parley:problem:{self.code}",
                title=self.title,
                status=self.status,
                detail=self.detail,
                code=self.code,
                errors=list(self.errors),
            )
        )


def _shortened(text: str) -> str:
    """Return a text, without its middle if it is too long because it quotes a request."""
    half = MOST_CHARACTERS // 2
    return text if len(text) <= MOST_CHARACTERS else f"{text[:half]} \u2026 {text[-half:]}"


class InternalError(ParleyError):
    """A defect of ours; the caller learns only the request's id."""


class BadRequest(ParleyError):
    """The client's bytes are not what the route takes."""

    status, code, title = 400, "bad_request", "Bad request"


BEARER = 'Bearer realm="parley"'
"""The challenge that every 401 has (RFC 9110, 15.5.2), unless it has one that says more."""


class NotAuthenticated(ParleyError):
    """Nobody, or nobody we know, is calling."""

    status, code, title = 401, "not_authenticated", "Not authenticated"

    def __init__(self, detail: str, *, challenge: str = BEARER) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class WrongCredentials(NotAuthenticated):
    """The name and password of a login do not belong together, or nobody has the name."""

    code, title = "wrong_credentials", "Wrong credentials"


class ConnectionEnded(NotAuthenticated):
    """The connection's session has ended, or the connection was taken for dead."""

    code, title = "connection_ended", "Connection ended"


class Forbidden(ParleyError):
    """The caller is known and may not do this."""

    status, code, title = 403, "forbidden", "Forbidden"


class NotAMember(Forbidden):
    """The caller is not one of the chat's members."""

    code, title = "not_a_member", "Not a member"


class Muted(Forbidden):
    """The member may read the chat, and not write to it for now."""

    code, title = "muted", "Muted"


class Banned(Forbidden):
    """The user may not be a member of the chat."""

    code, title = "banned", "Banned"


class Blocked(Forbidden):
    """The other does not want to hear from the caller."""

    code, title = "blocked", "Blocked"


class CallNotAccepted(Forbidden):
    """The other has not written to the caller yet, nor follows them."""

    code, title = "call_not_accepted", "Call not accepted"


class PasswordChangeNeeded(Forbidden):
    """The password is good for one thing alone: to choose another."""

    code, title = "password_change_needed", "Password change needed"


class HandleNeeded(Forbidden):
    """A signed identity that has not chosen its handle is calling."""

    code, title = "handle_needed", "Handle needed"


class CrossSite(Forbidden):
    """A web page of another site made a browser call an open server."""

    code, title = "cross_site", "Cross-site call refused"


class NoSuchRoute(ParleyError):
    """No route has this path."""

    status, code, title = 404, "no_such_route", "No such route"


class ChatNotFound(ParleyError):
    """No chat has this id."""

    status, code, title = 404, "chat_not_found", "Chat not found"


class MessageNotFound(ParleyError):
    """The chat holds no message of this number."""

    status, code, title = 404, "message_not_found", "Message not found"


class UserNotFound(ParleyError):
    """Nobody has this handle, or nobody any more."""

    status, code, title = 404, "user_not_found", "User not found"


class PostNotFound(ParleyError):
    """The caller has made no post of this id, or has deleted it."""

    status, code, title = 404, "post_not_found", "Post not found"


class SessionNotFound(ParleyError):
    """The caller has no session of this id."""

    status, code, title = 404, "session_not_found", "Session not found"


class NobodyThere(ParleyError):
    """The signal is for somebody who has no connection open."""

    status, code, title = 404, "nobody_there", "Nobody there"


class MethodNotAllowed(ParleyError):
    """The path exists, without this method."""

    status, code, title = 405, "method_not_allowed", "Method not allowed"


class RequestTimeout(ParleyError):
    """The request's body did not arrive in time."""

    status, code, title = 408, "request_timeout", "Request timed out"


class IdConflict(ParleyError):
    """The idempotency id was used for another message."""

    status, code, title = 409, "id_conflict", "Id already used"


class AlreadyTaken(ParleyError):
    """The handle, the email or the chat's id is taken; which of them, and by whom, is not said."""

    status, code, title = 409, "already_taken", "Already taken"


class ChatFull(ParleyError):
    """The chat has as many members as a chat may have."""

    status, code, title = 409, "chat_full", "Chat full"


class InvitationsFull(ParleyError):
    """The user has the maximum number of waiting invitations, or of those that the caller sent."""

    status, code, title = 409, "invitations_full", "Too many invitations"


class TooManyChats(ParleyError):
    """The user is in the maximum number of large chats."""

    status, code, title = 409, "too_many_chats", "Too many chats"


class LastOwner(ParleyError):
    """The chat would be without an owner."""

    status, code, title = 409, "last_owner", "Last owner"


class HistoryChanged(ParleyError):
    """The history that a cursor was taken from is no longer the chat's history."""

    status, code, title = 409, "history_changed", "History changed"


class PayloadTooLarge(ParleyError):
    """The body is larger than any request may be."""

    status, code, title = 413, "payload_too_large", "Payload too large"


class TextTooLong(PayloadTooLarge):
    """A text is longer than a message's, or a post's, may be."""

    code, title = "text_too_long", "Text too long"


class UnsupportedMediaType(ParleyError):
    """The body's Content-Type or Content-Encoding is not one the route takes."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class Overloaded(ParleyError):
    """More calls that take long are waiting than the server can answer in time."""

    status, code, title = 503, "overloaded", "Overloaded"


class IdentityUnavailable(ParleyError):
    """The issuer of signed identities does not answer, and its keys are not known yet."""

    status, code, title = 503, "identity_unavailable", "Identity unavailable"


class RealtimeUnavailable(ParleyError):
    """This server has no sockets."""

    status, code, title = 503, "realtime_unavailable", "Real time unavailable"


class TooManyRequests(ParleyError):
    """The caller has used up what a while allows."""

    status, code, title = 429, "too_many_requests", "Too many requests"


class StoreUnavailable(ParleyError):
    """The store cannot be reached or did not answer in time."""

    status, code, title = 503, "store_unavailable", "Store unavailable"

    def __init__(self, detail: str = "The message store is not reachable. Try again.") -> None:
        super().__init__(detail, headers={"Retry-After": "1"})


class StoreFull(StoreUnavailable):
    """The store has no room left for another write, in memory or on disk."""

    code, title = "store_full", "Store full"

    def __init__(self) -> None:
        super().__init__("The message store is full; nothing was stored. Try again later.")


def bad_field(field: str, detail: str) -> BadRequest:
    """Return a BadRequest that names one field and what is wrong with it."""
    return BadRequest(f"{field}: {detail}", errors=(FieldError(field, detail),))


def no_chat(chat: str) -> ChatNotFound:
    """Return a ChatNotFound that names what is not there."""
    return ChatNotFound(f"There is no chat {chat}.")


def session_ended() -> ConnectionEnded:
    """Return a ConnectionEnded for a connection whose session has ended."""
    return ConnectionEnded("The session of this connection has ended. Log in again.")


def lease_over() -> ConnectionEnded:
    """Return a ConnectionEnded for a connection that no frame has renewed in time."""
    return ConnectionEnded(
        "Nothing was heard on this connection for too long, or its token has ended. "
        "Open another, with a new ticket."
    )


def not_a_member(chat: str) -> NotAMember:
    """Return a NotAMember that names the chat."""
    return NotAMember(f"You are not a member of chat {chat}.")


def no_user(handle: str) -> UserNotFound:
    """Return a UserNotFound that names who is not there."""
    return UserNotFound(f"There is no user {handle}, or not any more.")
