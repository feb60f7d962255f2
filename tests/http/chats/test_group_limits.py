"""The cost of making groups, their daily maximum, and the maximum of large chats of a user."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator

import pytest

from tests.deployed.client import Api
from tests.deployed.people import People, Person
from tests.http.chat_requests import crowd, do, done, make, refused, roles_of
from tests.servers.gateway import gateway

pytestmark = pytest.mark.long

WRITES, A_DAY, LARGE, MAX_LARGE = 60, 6, 2, 2


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The base URL of a closed server with small limits."""
    env = {
        "PARLEY_AUTH": "required",
        "PARLEY_RATE_LIMITS": f"auth=0,read=0,write={WRITES},search=0",
        "PARLEY_ARGON2": "m=64,t=1,p=1",
        "PARLEY_GROUPS_A_DAY": str(A_DAY),
        "PARLEY_LARGE_CHAT": str(LARGE),
        "PARLEY_MAX_LARGE_CHATS": str(MAX_LARGE),
    }
    with gateway(env=env) as url:
        yield url


def group(api: Api, maker: Person, *members: Person) -> tuple[int, str]:
    """Make a group; return the status and the number of writes left."""
    body = {"kind": "group", "name": "tea", "members": [member.handle for member in members]}
    answer = api.raw("POST", "/v1/chats", person=maker, json=body)
    return answer.status_code, answer.headers["RateLimit-Remaining"]


def left(api: Api, person: Person) -> int:
    """Return the number of writes left after another one."""
    answer = api.raw("PATCH", "/v1/users/me", person=person, json={"name": "x"})
    return int(answer.headers["RateLimit-Remaining"])


@contextlib.contextmanager
def costing(api: Api, person: Person, writes: int) -> Iterator[None]:
    """Check the number of writes that a block takes, except for the refill meanwhile."""
    before, begun = left(api, person), time.monotonic()
    yield
    taken = before - left(api, person) - 1
    assert taken <= writes <= taken + math.ceil((time.monotonic() - begun) * WRITES / 60)


def test_a_group_costs_as_many_writes_as_it_names_members(api: Api, people: People) -> None:
    """A group of 20 others takes 21 of the limit; a group beyond the limit is refused whole."""
    ann = people.new()
    others = crowd(people, 25)
    with costing(api, ann, 21):
        assert group(api, ann, *others[:20])[0] == 201
    assert group(api, ann, *others)[0] == 201
    assert group(api, ann, *others)[0] == 429
    assert len(api.call("GET", "/v1/chats", person=others[-1]).json()["chats"]) == 1


def test_a_group_costs_its_members_when_it_ends(api: Api, people: People) -> None:
    """Deleting a group takes a write for each of its members."""
    ann = people.new()
    chat = make(api, ann, crowd(people, 10))
    with costing(api, ann, 11):
        done(do(api, ann, "DELETE", chat))


def test_so_many_groups_a_day(api: Api, people: People) -> None:
    """Groups and rooms beyond the daily maximum of an account are refused until the day is over."""
    ann, bob = crowd(people, 2)
    chats = [make(api, ann) for _ in range(A_DAY)]
    answer = api.raw("POST", "/v1/chats", person=ann, json={"kind": "group", "name": "tea"})
    refused(answer, 429, "too_many_requests")
    assert int(answer.headers["Retry-After"]) in range(86_000, 86_401)
    room = {"id": f"room-{ann.handle}", "name": "tea"}
    refused(api.raw("POST", "/ws/createRoom", person=ann, json=room), 429, "too_many_requests")
    done(do(api, ann, "DELETE", chats[0]))
    refused(api.raw("POST", "/v1/chats", person=ann, json=room | {"kind": "room"}), 429, "too_many_requests")
    make(api, bob)


def large(api: Api, maker: Person, *members: Person) -> str:
    """Make a large group."""
    return make(api, maker, members, join="open")


def test_so_many_large_chats(api: Api, people: People) -> None:
    """A user in the maximum number of large chats can join no other, and is invited instead of added."""
    ann, bob, cid, dan, eve = crowd(people, 5)
    first, _, third = large(api, ann, bob, cid), large(api, ann, bob, cid), large(api, ann, dan, eve)
    fourth = make(api, ann, [bob, cid, dan])
    assert set(roles_of(api, ann, fourth)) == {ann.handle, dan.handle}
    refused(do(api, bob, "POST", f"{third}/join"), 409, "too_many_chats")
    assert do(api, ann, "PUT", f"{third}/members/{bob.handle}").status_code == 202
    refused(do(api, bob, "POST", f"{third}/join"), 409, "too_many_chats")

    done(do(api, bob, "POST", f"{first}/leave"))
    done(do(api, bob, "POST", f"{third}/join"), 200)
    assert bob.handle in roles_of(api, ann, third)
    small = make(api, ann)
    done(do(api, ann, "PUT", f"{small}/members/{bob.handle}"))
