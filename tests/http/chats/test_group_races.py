"""Concurrent changes of one group or room."""

from __future__ import annotations

import functools
import uuid
from collections import Counter

import pytest

from tests.deployed.client import Api
from tests.deployed.people import People
from tests.http.chat_requests import MOST, at_once, crowd, do, done, make, read, refused, roles_of, texts_of

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def url(small_chats_url: str) -> str:
    """The base URL of a closed server on which a chat has few members."""
    return small_chats_url


def test_many_join_at_once(api: Api, people: People) -> None:
    """Twenty clients who join a room at once are all members, each with one system message."""
    owner, *crowd_of_room = crowd(people, 21)
    room = f"r{uuid.uuid4().hex[:12]}"
    api.call("POST", "/v1/chats", person=owner, json={"kind": "room", "id": room, "name": "x"})

    calls = [functools.partial(do, api, one, "POST", f"r-{room}/join") for one in crowd_of_room]
    answers = at_once(calls + calls)

    assert {answer.status_code for answer in answers} == {200}
    assert len(roles_of(api, owner, f"r-{room}")) == read(api, owner, f"r-{room}")["members"] == 21
    messages = texts_of(api, owner, f"r-{room}")
    assert Counter(messages[1:]) == Counter(f"{one.handle} joined." for one in crowd_of_room)


def test_last_free_membership_goes_to_one_user(api: Api, people: People) -> None:
    """Of users who join or are added at once, one gets the last free membership of a chat."""
    owner, ann, bob, cid, *others = crowd(people, MOST + 2)
    for _ in range(5):
        chat = make(api, owner, others, join="open")
        assert read(api, owner, chat)["members"] == MOST - 1
        adding = functools.partial(do, api, owner, "PUT", f"{chat}/members/{cid.handle}")
        joining = [functools.partial(do, api, one, "POST", f"{chat}/join") for one in (ann, bob)]
        answers = at_once([*joining, adding])
        full = [answer for answer in answers if answer.status_code == 409]
        assert len(full) == 2
        for answer in full:
            refused(answer, 409, "chat_full")
        assert len(roles_of(api, owner, chat)) == MOST


def test_two_owners_leave_at_once(api: Api, people: People) -> None:
    """Of two owners who leave at once one stays."""
    ann, bob = crowd(people, 2)
    for _ in range(10):
        chat = make(api, ann, [bob])
        done(do(api, ann, "PATCH", f"{chat}/members/{bob.handle}", json={"role": "owner"}))
        answers = at_once([functools.partial(do, api, one, "POST", f"{chat}/leave") for one in (ann, bob)])
        assert sorted(answer.status_code for answer in answers) == [204, 409]
        stayed = ann if answers[0].status_code == 409 else bob
        refused(answers[0] if stayed is ann else answers[1], 409, "last_owner")
        assert roles_of(api, stayed, chat) == {stayed.handle: "owner"}


def test_an_id_is_given_once(api: Api, people: People) -> None:
    """Of many who make a room with one id at once one succeeds; a repeated group is one group."""
    makers = crowd(people, 8)
    body = {"kind": "room", "id": f"r{uuid.uuid4().hex[:12]}", "name": "x"}
    answers = at_once(
        [functools.partial(api.call, "POST", "/v1/chats", person=one, json=body) for one in makers]
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 7}

    body = {"kind": "group", "id": str(uuid.uuid4()), "name": "x"}
    answers = at_once(
        [functools.partial(api.call, "POST", "/v1/chats", person=makers[0], json=body) for _ in range(8)]
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 7}
    assert len(texts_of(api, makers[0], f"g-{body['id']}")) == 1


def test_promoted_and_removed_at_once(api: Api, people: People) -> None:
    """Two concurrent changes of one member end as one after the other would."""
    ann, bob, cid = crowd(people, 3)
    chat = make(api, ann, [bob, cid])
    done(do(api, ann, "PATCH", f"{chat}/members/{bob.handle}", json={"role": "admin"}))
    for _ in range(10):
        done(do(api, ann, "PUT", f"{chat}/members/{cid.handle}"))
        promote = functools.partial(
            do, api, ann, "PATCH", f"{chat}/members/{cid.handle}", json={"role": "admin"}
        )
        remove = functools.partial(do, api, bob, "DELETE", f"{chat}/members/{cid.handle}")
        promoted, removed = at_once([promote, remove])
        outcome = promoted.status_code, removed.status_code
        assert outcome in {(204, 403), (404, 204)}
        assert (cid.handle in roles_of(api, ann, chat)) == (outcome == (204, 403))
        done(do(api, ann, "DELETE", f"{chat}/members/{cid.handle}"))
