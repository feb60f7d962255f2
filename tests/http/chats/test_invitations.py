"""Adding and inviting users, their consent, and lasting refusals."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.deployed.client import Api
from tests.deployed.people import People, Person
from tests.http.chat_requests import crowd, do, done, make, read, refused, roles_of, send

SETTING = "who_may_add_me"


@pytest.fixture(scope="module")
def url(small_chats_url: str) -> str:
    """The base URL of a closed server without limits."""
    return small_chats_url


@pytest.fixture
def people(api: Api) -> People:
    """Users with accounts on the server, with default settings."""
    return People(lambda body: api.call("POST", "/v1/register", json=body))


def choose(api: Api, person: Person, setting: str | None) -> None:
    """Set who may add a user."""
    answer = api.call("PATCH", "/v1/users/me", person=person, json={SETTING: setting})
    assert answer.status_code == 200, answer.text


def state(api: Api, person: Person, chat: str) -> str:
    """Return the state of a chat in a user's inbox, or "" if it is not there."""
    rows = api.call("GET", "/v1/chats", person=person, params={"limit": 100}).json()["chats"]
    return next((str(row["state"]) for row in rows if row["chat"] == chat), "")


def add(api: Api, by: Person, chat: str, whom: Person) -> str:
    """Add a user; return the outcome."""
    answer = do(api, by, "PUT", f"{chat}/members/{whom.handle}")
    if answer.status_code == 204:
        return "member"
    assert answer.status_code == 202, answer.text
    assert answer.json()["handle"] == whom.handle
    return str(answer.json()["state"])


def follow(api: Api, person: Person, other: Person) -> None:
    """Follow somebody."""
    done(api.call("PUT", f"/v1/users/me/following/{other.handle}", person=person))


def direct(person: Person, other: Person) -> str:
    """Return the id of a direct chat."""
    return ":".join(sorted((person.handle, other.handle)))


def followed(api: Api, bob: Person, ann: Person) -> None:
    """Let bob know ann by following her."""
    follow(api, bob, ann)


def written_to(api: Api, bob: Person, ann: Person) -> None:
    """Let bob know ann by a message."""
    send(api, bob, direct(ann, bob), "hello")


def written_and_put_away(api: Api, bob: Person, ann: Person) -> None:
    """Let bob know ann by a message in a chat that he has left."""
    written_to(api, bob, ann)
    done(do(api, bob, "POST", f"{direct(ann, bob)}/leave"))


def is_followed_by(api: Api, bob: Person, ann: Person) -> None:
    """Have ann follow bob."""
    follow(api, ann, bob)


def is_written_to_by(api: Api, bob: Person, ann: Person) -> None:
    """Have ann write to bob, who reads it."""
    send(api, ann, direct(ann, bob), "hello")
    done(do(api, bob, "PUT", f"{direct(ann, bob)}/read", json={"seq": 1}))


@pytest.mark.parametrize("meet", [is_followed_by, is_written_to_by, None])
def test_user_added_by_a_stranger_is_invited(
    api: Api, people: People, meet: Callable[..., None] | None
) -> None:
    """A user who has neither followed nor written to the adding user is invited, and decides."""
    ann, bob = crowd(people, 2)
    if meet is not None:
        meet(api, bob, ann)
    chat = make(api, ann)
    assert add(api, ann, chat, bob) == "invited"
    assert add(api, ann, chat, bob) == "invited"
    assert (state(api, bob, chat), list(roles_of(api, ann, chat))) == ("invited", [ann.handle])
    refused(send(api, bob, chat, "no member"), 403, "not_a_member")
    done(do(api, bob, "POST", f"{chat}/join"), 200)
    assert state(api, bob, chat) == "member"


@pytest.mark.parametrize("meet", [followed, written_to, written_and_put_away])
def test_somebody_known_adds(api: Api, people: People, meet: Callable[..., None]) -> None:
    """A user who follows, or has written to, the adding user becomes a member at once."""
    ann, bob = crowd(people, 2)
    meet(api, bob, ann)
    chat = make(api, ann)

    assert (add(api, ann, chat, bob), state(api, bob, chat)) == ("member", "member")


def test_a_group_is_made_with_strangers(api: Api, people: People) -> None:
    """Strangers among the members of a new group are invited, and named in the answer."""
    ann, bob, cid = crowd(people, 3)
    follow(api, bob, ann)
    body = {"kind": "group", "name": "tea", "members": [bob.handle, cid.handle]}
    answer = api.call("POST", "/v1/chats", person=ann, json=body).json()

    assert (answer["members"], answer["invited"]) == (2, [cid.handle])
    assert answer["last"]["event"]["users"] == [bob.handle]
    assert (state(api, bob, answer["chat"]), state(api, cid, answer["chat"])) == ("member", "invited")
    listed = read(api, ann, f"{answer['chat']}/invitations")["users"]
    assert [one["handle"] for one in listed] == [cid.handle]


@pytest.mark.parametrize(
    ("setting", "by_stranger", "by_known"),
    [("everybody", "member", "member"), ("known", "invited", "member"), ("nobody", "invited", "invited")],
)
def test_setting_decides_who_adds_without_an_invitation(
    api: Api, people: People, setting: str, by_stranger: str, by_known: str
) -> None:
    """The setting decides who adds the user without asking; the profile shows it, null resets it."""
    ann, bob, cid = crowd(people, 3)
    choose(api, bob, setting)
    follow(api, bob, cid)
    assert api.call("GET", "/v1/users/me", person=bob).json()[SETTING] == setting
    assert add(api, ann, make(api, ann), bob) == by_stranger
    assert add(api, cid, make(api, cid), bob) == by_known
    assert api.call("GET", "/v1/users/me/export", person=bob).json()["profile"][SETTING] == setting
    assert SETTING not in api.call("GET", f"/v1/users/{bob.handle}", person=ann).json()
    choose(api, bob, None)
    assert api.call("GET", "/v1/users/me", person=bob).json()[SETTING] == "known"


def test_the_setting_has_three_values(api: Api, people: People) -> None:
    """Another value is refused."""
    answer = api.call("PATCH", "/v1/users/me", person=people.new(), json={SETTING: "friends"})
    refused(answer, 400, "bad_request")


def test_former_member_is_invited_instead_of_added(api: Api, people: People) -> None:
    """A user who left a chat is invited whenever they are added."""
    ann, bob = crowd(people, 2)
    follow(api, bob, ann)
    chat = make(api, ann, [bob])
    done(do(api, bob, "POST", f"{chat}/leave"))

    assert [add(api, ann, chat, bob) for _ in range(2)] == ["invited", "invited"]
    done(do(api, ann, "DELETE", f"{chat}/invitations/{bob.handle}"))
    assert add(api, ann, chat, bob) == "invited"
    done(do(api, bob, "DELETE", f"{chat}/invitations/{bob.handle}"))
    refused(do(api, ann, "PUT", f"{chat}/members/{bob.handle}"), 403, "forbidden")


def test_removed_member_is_added_again_without_asking(api: Api, people: People) -> None:
    """An admin who removed a user who knows them can add the user again."""
    ann, bob = crowd(people, 2)
    follow(api, bob, ann)
    chat = make(api, ann, [bob])
    done(do(api, ann, "DELETE", f"{chat}/members/{bob.handle}"))

    assert add(api, ann, chat, bob) == "member"


def test_a_refused_invitation_is_not_repeated(api: Api, people: People) -> None:
    """A chat can't invite a user again who refused, on any path, until they ask to join."""
    ann, bob = crowd(people, 2)
    chat = make(api, ann)
    assert add(api, ann, chat, bob) == "invited"
    done(do(api, bob, "DELETE", f"{chat}/invitations/{bob.handle}"))
    assert state(api, bob, chat) == ""
    for path in ("members", "invitations"):
        refused(do(api, ann, "PUT", f"{chat}/{path}/{bob.handle}"), 403, "forbidden")
    done(do(api, ann, "PUT", f"{chat}/banned/{bob.handle}"))
    done(do(api, ann, "DELETE", f"{chat}/banned/{bob.handle}"))
    refused(do(api, ann, "PUT", f"{chat}/invitations/{bob.handle}"), 403, "forbidden")

    answer = do(api, bob, "POST", f"{chat}/join")
    assert answer.json()["state"] == "requested"
    assert add(api, ann, chat, bob) == "member"


def test_a_block_still_refuses(api: Api, people: People) -> None:
    """A user who has blocked the caller is neither added nor invited."""
    ann, bob = crowd(people, 2)
    done(api.call("PUT", f"/v1/users/me/blocked/{ann.handle}", person=bob))
    chat = make(api, ann)

    refused(do(api, ann, "PUT", f"{chat}/members/{bob.handle}"), 403, "blocked")
    body = {"kind": "group", "name": "tea", "members": [bob.handle]}
    refused(api.call("POST", "/v1/chats", person=ann, json=body), 403, "blocked")


def invited(api: Api, ann: Person, bob: Person, number: int) -> list[str]:
    """Have ann invite bob to some new groups; return them."""
    return [make(api, ann, [bob]) for _ in range(number)]


def test_no_more_invitations_than_may_wait(api: Api, people: People) -> None:
    """A user has at most 100 pending invitations, on any path; each answer allows another."""
    ann, bob, *others = crowd(people, 12)
    made = [chat for other in others for chat in invited(api, other, bob, 10)]

    body = {"kind": "group", "name": "tea", "members": [bob.handle]}
    answer = api.call("POST", "/v1/chats", person=ann, json=body)
    refused(answer, 409, "invitations_full")
    assert answer.json()["errors"][0]["field"] == "members[0]"
    chat = make(api, ann)
    for path in ("members", "invitations"):
        refused(do(api, ann, "PUT", f"{chat}/{path}/{bob.handle}"), 409, "invitations_full")
    done(do(api, bob, "DELETE", f"{made[3]}/invitations/{bob.handle}"))
    done(do(api, bob, "POST", f"{made[4]}/join"), 200)
    for _ in range(2):
        assert add(api, ann, make(api, ann), bob) == "invited"
    refused(do(api, ann, "PUT", f"{chat}/invitations/{bob.handle}"), 409, "invitations_full")
    choose(api, bob, "everybody")
    assert add(api, ann, chat, bob) == "member"


def test_one_inviter_cannot_fill_the_invitations_of_a_user(api: Api, people: People) -> None:
    """One inviter has at most 10 pending invitations to a user, on any path; others can still invite."""
    ann, bob, cid = crowd(people, 3)
    made = invited(api, ann, bob, 10)

    body = {"kind": "group", "name": "tea", "members": [cid.handle, bob.handle]}
    answer = api.call("POST", "/v1/chats", person=ann, json=body)
    refused(answer, 409, "invitations_full")
    assert [one["field"] for one in answer.json()["errors"]] == ["members[1]"]
    assert "Withdraw one" in answer.json()["detail"]
    chat = make(api, ann)
    for path in ("members", "invitations"):
        answer = do(api, ann, "PUT", f"{chat}/{path}/{bob.handle}")
        refused(answer, 409, "invitations_full")
        assert "10 invitations of yours" in answer.json()["detail"]
    assert add(api, cid, make(api, cid), bob) == "invited"
    done(do(api, ann, "DELETE", f"{made[0]}/invitations/{bob.handle}"))
    done(do(api, bob, "DELETE", f"{made[1]}/invitations/{bob.handle}"))
    for _ in range(2):
        assert add(api, ann, make(api, ann), bob) == "invited"
    refused(do(api, ann, "PUT", f"{chat}/invitations/{bob.handle}"), 409, "invitations_full")


def test_invitation_counts_for_its_own_sender(api: Api, people: People) -> None:
    """An invitation by another admin does not count against the creator of the group."""
    ann, bob, cid = crowd(people, 3)
    follow(api, cid, ann)
    for _ in range(10):
        chat = make(api, ann, [cid])
        done(do(api, ann, "PATCH", f"{chat}/members/{cid.handle}", json={"role": "admin"}))
        assert add(api, cid, chat, bob) == "invited"

    refused(do(api, cid, "PUT", f"{make(api, cid)}/invitations/{bob.handle}"), 409, "invitations_full")
    assert add(api, ann, make(api, ann), bob) == "invited"


def test_a_block_declines_the_waiting_invitations_of_the_blocked_user(api: Api, people: People) -> None:
    """A block removes the other's pending invitations from the inbox, for good, and no others."""
    ann, bob, cid = crowd(people, 3)
    made, other = invited(api, ann, bob, 3), make(api, cid, [bob])
    done(do(api, bob, "POST", f"{made[2]}/join"), 200)
    done(api.call("PUT", f"/v1/users/me/blocked/{ann.handle}", person=bob))

    assert [state(api, bob, chat) for chat in (*made, other)] == ["", "", "member", "invited"]
    assert read(api, ann, f"{made[0]}/invitations")["users"] == []
    done(api.call("DELETE", f"/v1/users/me/blocked/{ann.handle}", person=bob))
    refused(do(api, ann, "PUT", f"{made[0]}/invitations/{bob.handle}"), 403, "forbidden")
    assert add(api, ann, make(api, ann), bob) == "invited"


def test_a_deleted_group_takes_its_invitations_away(api: Api, people: People) -> None:
    """An invitation ends with its group."""
    ann, bob = crowd(people, 2)
    chat = make(api, ann, [bob])
    assert state(api, bob, chat) == "invited"
    done(do(api, ann, "DELETE", chat))

    assert state(api, bob, chat) == ""
