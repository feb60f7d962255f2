"""Users: read and change profiles, find users, export and delete an account."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import Call, Response, Who, no_content, reply, route
from chalicelib.schemas.export import Export, ExportQuery
from chalicelib.schemas.users import Me, ProfileChanges, SearchQuery, User, UserPage
from chalicelib.services.auth.caller import Caller

blueprint = Blueprint(__name__)

USERS = "/v1/users"
ME = USERS + "/me"
REFUSALS = (errors.BadRequest,)


@route(blueprint, Who.ACCOUNT, "GET", ME, {200: Me}, fails=REFUSALS)
def me(call: Call, caller: Caller) -> Response:
    """Read your own profile."""
    return reply(call.services.profiles.me(caller.handle))


@route(
    blueprint,
    Who.ACCOUNT,
    "PATCH",
    ME,
    {200: Me},
    body=ProfileChanges,
    example={"name": "Alice Liddell", "bio": "Down the rabbit hole."},
    fails=(*REFUSALS, errors.AlreadyTaken, errors.StoreFull),
)
def change(call: Call, caller: Caller) -> Response:
    """Change your own profile.

    An absent field stays as it is; null clears a field. Either all changes are made or none.
    """
    handle, changes = caller.handle, call.body(ProfileChanges)
    if changes.email:
        call.services.authenticator.take(call.address, "auth")  # like registering, it says who has an email
    return reply(call.services.profiles.change(handle, changes))


@route(blueprint, Who.ACCOUNT, "DELETE", ME, {204: None}, fails=REFUSALS)
def delete(call: Call, caller: Caller) -> Response:
    """Delete your account, at once and for good; nobody gets the handle again."""
    call.services.deletion.delete(caller.handle)
    return no_content()


@route(
    blueprint,
    Who.ACCOUNT,
    "GET",
    ME + "/export",
    {200: Export},
    query=ExportQuery,
    fails=REFUSALS,
    rate="search",
)
def export(call: Call, caller: Caller) -> Response:
    """Export everything that the server holds about you, as JSON in pages.

    The first page has the profile, the ways to sign in and the sessions; lists continue on later pages.
    """
    handle, query = caller.handle, call.query(ExportQuery)
    found = call.services.exports.page(handle, query.cursor)
    return reply(found, headers={"Content-Disposition": f'attachment; filename="parley-{handle}.json"'})


@route(blueprint, Who.CALLER, "GET", USERS, {200: UserPage}, query=SearchQuery, fails=REFUSALS, rate="search")
def search(call: Call, caller: Caller) -> Response:
    """Find users by the beginning of their handle or of a word of their name, or by handles.

    Each user comes once, and the order is the same on every page. A page may have fewer users than `limit`
    and still a `next`. With `handles` all of them are on one page, in that order, and each ten count as one
    more request.
    """
    query = call.query(SearchQuery)
    if query.handles is not None and query.q is None:
        return reply(call.services.profiles.users(caller, query.handles.split(",")))
    if query.q is None or query.handles is not None:
        raise errors.bad_field("q", "send either `q`, to search, or `handles`")
    return reply(call.services.user_search.users(query.q, query.limit, query.cursor))


@route(
    blueprint,
    Who.CALLER,
    "GET",
    USERS + "/{handle}",
    {200: User},
    fails=(*REFUSALS, errors.UserNotFound),
)
def user(call: Call, caller: Caller, handle: str) -> Response:
    """Read a user's profile; deleted users are not found."""
    return reply(call.services.profiles.user(handle))
