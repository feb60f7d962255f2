"""People: profiles, the search, one's archive, the end of one's account."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import errors
from chalicelib.http import Call, no_content, reply, route
from chalicelib.schemas.export import Export, ExportQuery
from chalicelib.schemas.users import Me, ProfileChanges, SearchQuery, User, UserPage

blueprint = Blueprint(__name__)

USERS = "/v1/users"
ME = USERS + "/me"
REFUSALS = (errors.BadRequest,)


@route(blueprint, "GET", ME, {200: Me}, fails=REFUSALS, account=True)
def me(call: Call) -> Response:
    """Read one's own profile."""
    return reply(call.services.profiles.me(call.account.handle))


@route(
    blueprint,
    "PATCH",
    ME,
    {200: Me},
    body=ProfileChanges,
    example={"name": "Alice Liddell", "bio": "Down the rabbit hole."},
    fails=(*REFUSALS, errors.AlreadyTaken, errors.StoreFull),
    account=True,
)
def change(call: Call) -> Response:
    """Change one's own profile.

    A field that is absent stays as it is, null clears it. Either all changes are made or none.
    """
    handle, changes = call.account.handle, call.body(ProfileChanges)
    if changes.email:
        call.take_from_address("auth")  # it tells whether somebody has an email, as registering does
    return reply(call.services.profiles.change(handle, changes))


@route(blueprint, "DELETE", ME, {204: None}, fails=REFUSALS, account=True)
def delete(call: Call) -> Response:
    """Delete one's account, at once and for good; nobody gets the handle again."""
    call.services.deletion.delete(call.account.handle)
    return no_content()


@route(
    blueprint,
    "GET",
    ME + "/export",
    {200: Export},
    query=ExportQuery,
    fails=REFUSALS,
    account=True,
    rate="search",
)
def export(call: Call) -> Response:
    """Read everything that is held about the caller, as a JSON archive in pages.

    The first page has the profile, the ways to sign in and the sessions; lists go on over pages.
    """
    handle, query = call.account.handle, call.query(ExportQuery)
    found = call.services.exports.page(handle, query.cursor)
    return reply(found, headers={"Content-Disposition": f'attachment; filename="parley-{handle}.json"'})


@route(
    blueprint, "GET", USERS, {200: UserPage}, query=SearchQuery, fails=REFUSALS, rate="search", caller=True
)
def search(call: Call) -> Response:
    """Find people by the beginning of their handle, or of any word of their name.

    Everybody is found once, and in the same order on every page. A page may have fewer users than `limit`
    and still a `next`.
    """
    query = call.query(SearchQuery)
    return reply(call.services.search.users(query.q, query.limit, query.cursor))


@route(
    blueprint,
    "GET",
    USERS + "/{handle}",
    {200: User},
    fails=(*REFUSALS, errors.UserNotFound),
    caller=True,
)
def user(call: Call, handle: str) -> Response:
    """Read somebody's profile; that of a deleted user is not found."""
    return reply(call.services.profiles.user(handle))
