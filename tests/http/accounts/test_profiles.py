"""People over HTTP: profiles, the search, the archive, the end of an account."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.deployed.client import Api
from tests.deployed.people import People, Person
from tests.servers.gateway import gateway

SETTINGS = {"PARLEY_AUTH": "required", "PARLEY_RATE_LIMITS": "auth=0", "PARLEY_ARGON2": "m=64,t=1,p=1"}
PUBLIC = {"handle", "name", "bio", "avatar", "made_at", "followers", "following", "posts"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A closed server."""
    with gateway(env=SETTINGS) as running:
        yield running


def email() -> str:
    """Return an unused email."""
    return f"{uuid.uuid4().hex}@example.org"


def me(api: Api, person: Person) -> Any:
    """Read one's own profile."""
    answer = api.call("GET", "/v1/users/me", person=person)
    assert answer.status_code == 200, answer.text
    return answer.json()


def change(api: Api, person: Person, **changes: Any) -> httpx.Response:
    """Change one's profile."""
    return api.call("PATCH", "/v1/users/me", person=person, json=changes)


def found(api: Api, person: Person, **query: Any) -> Any:
    """Search."""
    answer = api.call("GET", "/v1/users", person=person, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_own_profile_and_as_others_see_it(api: Api, people: People) -> None:
    """A user's own profile has the email; the profile shown to others has not."""
    address = email()
    alice, bob = people.new(name="Alice", email=address.upper()), people.new()
    own = me(api, alice)
    seen = api.call("GET", f"/v1/users/{alice.handle.upper()}", person=bob)

    assert own == {**seen.json(), "email": address, "reset": False, "who_may_add_me": "everybody"}
    assert seen.json().keys() == PUBLIC
    assert (own["name"], own["followers"], own["following"], own["posts"]) == ("Alice", 0, 0, 0)


def test_patch_changes_only_the_named_fields(api: Api, people: People) -> None:
    """A PATCH sets the named fields, clears those that are null, and answers the whole profile."""
    alice = people.new(name="Alice")
    assert change(api, alice, bio="down", avatar="pic").json()["bio"] == "down"
    answer = change(api, alice, name=None)

    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["bio"], answer.json()["avatar"]) == ("", "down", "pic")
    assert me(api, alice) == answer.json()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "x" * 65}, "name"),
        ({"name": 5}, "name"),
        ({"bio": "x" * 501}, "bio"),
        ({"avatar": "a b"}, "avatar"),
        ({"email": "x@"}, "email"),
    ],
)
def test_invalid_change_names_the_field_at_fault(
    api: Api, people: People, changes: dict[str, Any], field: str
) -> None:
    """The error of an invalid change names the field at fault."""
    answer = change(api, people.someone(), **changes)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_taken_email_is_refused_without_naming_its_owner(api: Api, people: People) -> None:
    """Another user's email is refused without naming its owner; once released, another user can take it."""
    address = email()
    alice, bob = people.new(email=address), people.new()
    answer = change(api, bob, email=address)
    assert (answer.status_code, answer.json()["code"]) == (409, "already_taken")
    assert alice.handle not in answer.text
    assert change(api, alice, email=None).json()["email"] is None
    assert change(api, bob, email=address).json()["email"] == address

    entered = api.call("POST", "/v1/login", json={"email": address, "password": bob.password})
    assert (entered.status_code, entered.json()["user"]["handle"]) == (200, bob.handle)


def test_search_by_pages(api: Api, people: People) -> None:
    """Users are found by handle and by the words of their names, page by page, each once, without emails."""
    word = uuid.uuid4().hex[:10]
    made = [people.new(name=f"{first} {word}{first}", email=email()) for first in ("Anna", "Øyvind", "小龙")]
    seen, cursor = [], None
    while True:
        page = found(api, made[0], q=word.upper(), limit=1, **({"cursor": cursor} if cursor else {}))
        assert all(user.keys() == PUBLIC for user in page["users"])
        seen += [user["handle"] for user in page["users"]]
        if (cursor := page["next"]) is None:
            break

    assert seen == [person.handle for person in made]
    by_handle = found(api, made[0], q=made[1].handle)["users"]
    assert [user["handle"] for user in by_handle] == [made[1].handle]


def test_renamed_and_deleted_people_are_not_found(api: Api, people: People) -> None:
    """A renamed user is found by the new name alone, a deleted one not at all."""
    old, new = uuid.uuid4().hex, uuid.uuid4().hex
    alice, bob = people.new(name=old), people.new()
    change(api, alice, name=new)
    assert found(api, bob, q=old)["users"] == []
    assert [user["handle"] for user in found(api, bob, q=new)["users"]] == [alice.handle]
    assert api.call("DELETE", "/v1/users/me", person=alice).status_code == 204

    assert found(api, bob, q=new) == {"users": [], "next": None}
    assert found(api, bob, q=alice.handle)["users"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "q"),
        ({"q": "a"}, "q"),
        ({"q": "x" * 65}, "q"),
        ({"q": "an", "limit": 0}, "limit"),
        ({"q": "an", "limit": 101}, "limit"),
        ({"q": "an", "cursor": "nonsense"}, "cursor"),
    ],
)
def test_invalid_search_names_the_field_at_fault(
    api: Api, people: People, query: dict[str, Any], field: str
) -> None:
    """The error of an invalid search names the field at fault."""
    answer = api.call("GET", "/v1/users", person=people.someone(), params=query)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


def test_unknown_handle_is_404_and_an_invalid_one_400(api: Api, people: People) -> None:
    """An unknown handle is not found; an invalid one is refused."""
    bob = people.someone()
    answer = api.call("GET", f"/v1/users/x{uuid.uuid4().hex[:9]}", person=bob)
    assert (answer.status_code, answer.json()["code"]) == (404, "user_not_found")
    assert api.call("GET", "/v1/users/a%20b", person=bob).status_code == 400


@pytest.mark.parametrize("path", ["/v1/users/me", "/delete"])
def test_deletion_ends_sessions_and_keeps_the_handle_taken(api: Api, people: People, path: str) -> None:
    """A deletion ends every session at once, frees the email, and keeps the handle taken."""
    address = email()
    alice, bob = people.new(email=address), people.new()
    login = {"handle": alice.handle, "password": alice.password}
    phone = alice._replace(token=api.call("POST", "/v1/login", json=login).json()["token"])
    api.call("PUT", f"/v1/users/me/following/{bob.handle}", person=alice)
    api.call("PUT", f"/v1/users/me/following/{alice.handle}", person=bob)
    answer = api.call("DELETE", path, person=alice)

    assert (answer.status_code, answer.content) == (204, b"")
    for gone in (alice, phone):
        assert api.call("GET", "/v1/users/me", person=gone).status_code == 401
    assert api.call("POST", "/v1/login", json=login).status_code == 401
    assert api.call("GET", f"/v1/users/{alice.handle}", person=bob).status_code == 404
    assert (me(api, bob)["followers"], me(api, bob)["following"]) == (0, 0)
    again = {"handle": alice.handle, "password": "another password"}
    assert api.call("POST", "/v1/register", json=again).status_code == 409
    assert change(api, bob, email=address).status_code == 200


def test_export_is_a_file_without_secrets(api: Api, people: People) -> None:
    """The export is a file with the user's data, and without secrets or other users' emails."""
    alice, bob = people.new(name="Alice", email=email()), people.new(email=email())
    api.call("PUT", f"/v1/users/me/following/{bob.handle}", person=alice)
    api.call("POST", "/v1/posts", person=alice, json={"text": "a post"})
    for person in (alice, bob):
        path = f"/v1/chats/{alice.handle}:{bob.handle}/messages"
        assert api.call("POST", path, person=person, json={"text": f"by {person.handle}"}).status_code == 201
    answer = api.call("GET", "/v1/users/me/export", person=alice)
    whole = answer.json()

    assert answer.headers["Content-Disposition"] == f'attachment; filename="parley-{alice.handle}.json"'
    assert (whole["profile"], whole["next"]) == (me(api, alice), None)
    assert whole["sign_in"] == {"password": True, "outside_identity": False, "imported_from": None}
    assert len(whole["sessions"]) == 1
    assert [one["handle"] for one in whole["following"]] == [bob.handle]
    assert [post["text"] for post in whole["posts"]] == ["a post"]
    assert [(chat["kind"], chat["state"]) for chat in whole["chats"]] == [("direct", "member")]
    assert [message["text"] for message in whole["messages"]] == [f"by {alice.handle}"]
    assert all(secret not in answer.text for secret in (alice.token, "argon2", me(api, bob)["email"]))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/users/me"),
        ("PATCH", "/v1/users/me"),
        ("DELETE", "/v1/users/me"),
        ("DELETE", "/delete"),
        ("GET", "/v1/users/me/export"),
        ("GET", "/v1/users?q=al"),
        ("GET", "/v1/users/alice"),
    ],
)
def test_profiles_need_a_token(api: Api, method: str, path: str) -> None:
    """Without a token no user data is shown."""
    answer = api.call(method, path, **({"json": {}} if method == "PATCH" else {}))

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_users_by_handle_are_in_the_given_order_without_missing_ones(api: Api, people: People) -> None:
    """Many users are read at once; deleted and unknown ones are left out, and each comes once."""
    alice, bob, gone = people.new(name="Alice"), people.new(), people.new()
    assert api.call("DELETE", "/v1/users/me", person=gone).status_code == 204
    handles = [bob.handle, alice.handle.upper(), gone.handle, "nobody-here", bob.handle]

    page = found(api, alice, handles=",".join(handles))

    assert [(user["handle"], user["name"]) for user in page["users"]] == [
        (bob.handle, ""),
        (alice.handle, "Alice"),
    ]
    assert page["next"] is None
    assert page["users"][1] == api.call("GET", f"/v1/users/{alice.handle}", person=bob).json()


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "q"),
        ({"q": "ali", "handles": "alice"}, "q"),
        ({"handles": ""}, "handles"),
        ({"handles": "alice,a b"}, "handles"),
        ({"handles": ",".join(f"user{number}" for number in range(101))}, "handles"),
    ],
)
def test_users_by_invalid_handles_are_refused(
    api: Api, people: People, query: dict[str, str], field: str
) -> None:
    """The error names the parameter that is wrong."""
    answer = api.call("GET", "/v1/users", person=people.someone(), params=query)

    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field])
