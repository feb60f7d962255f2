"""Accounts: register, log in, choose a handle, change the password."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import Call, Response, Who, no_content, reply, route
from chalicelib.schemas.accounts import Entry, IdentityRequest, LoginRequest, PasswordChange, RegisterRequest
from chalicelib.schemas.users import Me
from chalicelib.services.accounts.login import StartedSession
from chalicelib.services.auth.caller import Caller
from chalicelib.services.values.times import rfc3339
from chalicelib.store.accounts.accounts import Account

blueprint = Blueprint(__name__)

REFUSALS = (errors.BadRequest, errors.TooManyRequests, errors.StoreUnavailable)
ENTERING = (*REFUSALS, errors.WrongCredentials, errors.PasswordChangeNeeded)
MAKING = (*REFUSALS, errors.AlreadyTaken, errors.StoreFull)
PASSWORD = "correct horse battery staple"  # noqa: S105 # an example
PERSON = {"handle": "alice", "password": PASSWORD, "email": "alice@example.org"}


def _entry(call: Call, entered: StartedSession, status: int) -> Response:
    me = call.services.profiles.me(entered.handle)
    return reply(Entry(user=me, token=entered.token, expires_at=rfc3339(entered.expires)), status)


def logged_in(call: Call, kind: type[LoginRequest]) -> Response:
    """Log in by a body of a kind; the answer has the token."""
    return _entry(call, call.services.login.login(call.body(kind), call.details), 200)


def registered(call: Call, account: Account, password: str, field: str) -> Response:
    """Make an account and log in; field: the field that has the handle."""
    entered = call.services.registration.register(account, password, call.details, field=field)
    return _entry(call, entered, 201)


@route(
    blueprint,
    Who.ANYBODY,
    "POST",
    "/v1/register",
    {201: Entry},
    body=RegisterRequest,
    example=PERSON,
    fails=MAKING,
    rate="auth",
    slow=True,
)
def register(call: Call) -> Response:
    """Make an account and log in.

    A handle is never given to another person, even after its account is deleted. A taken handle and a taken
    email get the same answer.
    """
    wanted = call.body(RegisterRequest)
    account = Account(handle=wanted.handle, name=wanted.name or "", email=wanted.email)
    return registered(call, account, wanted.password, "handle")


@route(
    blueprint,
    Who.ANYBODY,
    "POST",
    "/v1/login",
    {200: Entry},
    body=LoginRequest,
    example={"handle": "alice", "password": PASSWORD},
    fails=ENTERING,
    rate="auth",
    slow=True,
)
def login(call: Call) -> Response:
    """Log in by handle or email.

    An unknown name and a wrong password get the same answer. The answer is `too_many_requests` after 10
    failures of a name from an address, or 50 from an address, within 15 minutes, or while many fail at once.
    """
    return logged_in(call, LoginRequest)


@route(
    blueprint,
    Who.ANYBODY,
    "POST",
    "/v1/identity",
    {201: Me},
    body=IdentityRequest,
    example={"handle": "alice", "name": "Alice"},
    fails=(*MAKING, errors.NotAuthenticated, errors.IdentityUnavailable),
    rate="auth",
    slow=True,
)
def identity(call: Call) -> Response:
    """Choose a handle for a signed identity.

    For servers with PARLEY_OIDC_ISSUER. Send the issuer's token as the bearer token. From then on, the
    issuer's tokens for the same subject authenticate the user of this handle.
    """
    proven = call.services.authenticator.identity(call.bearer or "")
    wanted = call.body(IdentityRequest)
    account = Account(handle=wanted.handle, name=wanted.name or "")
    handle = call.services.registration.register_identity(proven, account)
    return reply(call.services.profiles.me(handle), 201)


@route(
    blueprint,
    Who.ACCOUNT,
    "PUT",
    "/v1/users/me/password",
    {204: None},
    body=PasswordChange,
    example={"password": PASSWORD, "new_password": "a longer one, with a horse in it"},
    fails=(*REFUSALS, errors.WrongCredentials),
    rate="auth",
    slow=True,
)
def change_password(call: Call, caller: Caller) -> Response:
    """Change the password, and end all other sessions."""
    handle, change = caller.handle, call.body(PasswordChange)
    call.services.login.change_password(handle, change, call.digest, call.address)
    return no_content()
