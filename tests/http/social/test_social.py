"""Follows, blocks, posts and the feed over HTTP, the queue of the laptop's server included."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.deployed.client import Api
from tests.deployed.people import People, Person
from tests.servers.gateway import gateway
from tests.servers.waiting import eventually

LARGE = 2
SETTINGS = {
    "PARLEY_AUTH": "required",
    "PARLEY_RATE_LIMITS": "auth=0,read=0,write=0",
    "PARLEY_ARGON2": "m=64,t=1,p=1",
    "PARLEY_LARGE_AUTHOR": str(LARGE),
}
CLIENTS = 50
FOLLOWING, BLOCKED = "/v1/users/me/following", "/v1/users/me/blocked"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A closed server, where an author with three followers is large."""
    with gateway(env=SETTINGS) as running:
        yield running


def follow(api: Api, one: Person, other: Person) -> None:
    """Follow somebody."""
    answer = api.call("PUT", f"{FOLLOWING}/{other.handle}", person=one)
    assert (answer.status_code, answer.content) == (204, b"")


def post(api: Api, author: Person, text: str) -> Any:
    """Post a text."""
    answer = api.call("POST", "/v1/posts", person=author, json={"text": text})
    assert answer.status_code == 201, answer.text
    return answer.json()


def read(api: Api, person: Person, path: str, **query: Any) -> Any:
    """Read a path."""
    answer = api.call("GET", path, person=person, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def handles(page: Any) -> list[str]:
    """Return the users of a page."""
    return [user["handle"] for user in page["users"]]


def texts(api: Api, reader: Person, limit: int = 20) -> list[str]:
    """Return the texts of a whole feed, page by page."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = read(api, reader, "/v1/feed", limit=limit, **cursor)
        found += [one["text"] for one in page["posts"]]
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}


def refused(answer: httpx.Response, status: int, code: str) -> None:
    """Check that an answer is a certain error."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


@pytest.mark.parametrize("legacy", [False, True])
def test_follow_and_unfollow(api: Api, people: People, legacy: bool) -> None:
    """A follow and an unfollow may be repeated; lists and counts of both sides change at once."""
    ann, bob = people.new(), people.new(name="Bob")

    def act(start: bool) -> httpx.Response:
        if legacy:
            path = f"/follow?toFollowId={bob.handle}" if start else f"/unfollow?toUnfollowId={bob.handle}"
            return api.call("POST", path, person=ann)
        return api.call("PUT" if start else "DELETE", f"{FOLLOWING}/{bob.handle.upper()}", person=ann)

    for start in (True, True, False, False, True):
        answer = act(start)
        assert (answer.status_code, answer.content) == ((200, b"{}") if legacy else (204, b""))
        expected = [bob.handle] if start else []
        assert handles(read(api, ann, FOLLOWING)) == expected
        assert handles(read(api, bob, f"/v1/users/{ann.handle}/following")) == expected
        assert len(read(api, ann, f"/v1/users/{bob.handle}/followers")["users"]) == start
        assert read(api, ann, f"/v1/users/{bob.handle}")["followers"] == start
        assert read(api, bob, f"/v1/users/{ann.handle}")["following"] == start

    (listed,) = read(api, ann, FOLLOWING)["users"]
    assert listed.keys() == {"handle", "name", "avatar", "since"}
    assert listed["name"] == "Bob"


def test_only_other_existing_users_can_be_followed(api: Api, people: People) -> None:
    """Oneself is a bad request, an unknown user not found, on either path; a follow needs a token."""
    ann = people.new()
    for method, path in (
        ("PUT", FOLLOWING + "/{}"),
        ("DELETE", FOLLOWING + "/{}"),
        ("PUT", BLOCKED + "/{}"),
        ("DELETE", BLOCKED + "/{}"),
        ("POST", "/follow?toFollowId={}"),
        ("POST", "/unfollow?toUnfollowId={}"),
    ):
        refused(api.call(method, path.format(ann.handle), person=ann), 400, "bad_request")
        refused(api.call(method, path.format("nobody.at.all"), person=ann), 404, "user_not_found")
        refused(api.call(method, path.format("%C3%A9"), person=ann), 400, "bad_request")
        refused(api.call(method, path.format("bob")), 401, "not_authenticated")
    refused(api.call("POST", "/follow", person=ann), 400, "bad_request")


def test_lists_in_pages(api: Api, people: People) -> None:
    """A list comes in pages, the newest first."""
    ann = people.new()
    others = [people.new() for _ in range(5)]
    for other in others:
        follow(api, ann, other)

    first = read(api, ann, FOLLOWING, limit=3)
    second = read(api, ann, FOLLOWING, limit=3, cursor=first["next"])

    assert handles(first) + handles(second) == [other.handle for other in reversed(others)]
    assert second["next"] is None
    for query in ("limit=0", "limit=1001", "cursor=x"):
        refused(api.call("GET", f"{FOLLOWING}?{query}", person=ann), 400, "bad_request")


def test_block_ends_follows_hides_posts_and_stays_private(api: Api, people: People) -> None:
    """A block ends the follows, refuses new ones, hides posts, and is listed for the blocker alone."""
    ann, bob = people.new(), people.new()
    follow(api, ann, bob)
    follow(api, bob, ann)
    post(api, bob, "hello")
    assert eventually(lambda: texts(api, ann) == ["hello"])

    for _ in range(2):
        assert api.call("PUT", f"{BLOCKED}/{ann.handle}", person=bob).status_code == 204

    assert handles(read(api, bob, BLOCKED)) == [ann.handle]
    assert handles(read(api, ann, BLOCKED)) == []
    for who in (ann, bob):
        me = read(api, who, f"/v1/users/{who.handle}")
        assert (me["followers"], me["following"]) == (0, 0)
    assert texts(api, ann) == []
    refused(api.call("PUT", f"{FOLLOWING}/{bob.handle}", person=ann), 403, "blocked")
    refused(api.call("PUT", f"{FOLLOWING}/{ann.handle}", person=bob), 403, "blocked")
    refused(api.call("GET", f"/v1/users/{bob.handle}/posts", person=ann), 403, "blocked")

    for _ in range(2):
        assert api.call("DELETE", f"{BLOCKED}/{ann.handle}", person=bob).status_code == 204
    follow(api, ann, bob)
    assert texts(api, ann) == ["hello"]


def test_post_is_shown_until_its_author_deletes_it(api: Api, people: People) -> None:
    """A post is shown as made, in pages, until its author deletes it; nobody else can."""
    ann, bob = people.new(name="Ann"), people.new()
    made = [post(api, ann, f"text {i} \u00e9\U0001f600") for i in range(3)]
    path = f"/v1/users/{ann.handle}/posts"

    first = read(api, bob, path, limit=2)
    assert first["posts"] == made[:0:-1]
    assert read(api, bob, path, limit=2, cursor=first["next"]) == {"posts": made[:1], "next": None}
    assert made[0].keys() == {"id", "author", "text", "posted_at"}
    assert made[0]["author"] == {"handle": ann.handle, "name": "Ann", "avatar": None}
    assert read(api, bob, f"/v1/users/{ann.handle}")["posts"] == 3

    refused(api.call("DELETE", f"/v1/posts/{made[1]['id']}", person=bob), 404, "post_not_found")
    assert api.call("DELETE", f"/v1/posts/{made[1]['id']}", person=ann).status_code == 204
    refused(api.call("DELETE", f"/v1/posts/{made[1]['id']}", person=ann), 404, "post_not_found")
    refused(api.call("DELETE", "/v1/posts/x", person=ann), 400, "bad_request")
    assert read(api, bob, path)["posts"] == [made[2], made[0]]
    refused(api.call("GET", "/v1/users/nobody.at.all/posts", person=bob), 404, "user_not_found")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "bad_request"),
        ({"text": 5}, 400, "bad_request"),
        ({"text": " "}, 400, "bad_request"),
        ({"text": "a\0"}, 400, "bad_request"),
        ({"text": "x" * 4097}, 413, "text_too_long"),
    ],
)
def test_invalid_post_is_refused_and_not_stored(
    api: Api, people: People, body: Any, status: int, code: str
) -> None:
    """An invalid post is refused, and nothing is posted."""
    ann = people.someone()
    refused(api.call("POST", "/v1/posts", person=ann, json=body), status, code)

    assert read(api, ann, f"/v1/users/{ann.handle}/posts")["posts"] == []


def test_feed_merges_large_authors_without_own_posts(api: Api, people: People) -> None:
    """The queue delivers posts to followers; large authors are merged; the user's own posts are absent."""
    ann, small, large = people.new(), people.new(), people.new()
    for author in (small, large):
        follow(api, ann, author)
    for _ in range(LARGE):
        follow(api, people.new(), large)
    for i in range(6):
        post(api, (small, large)[i % 2], f"text {i}")
    post(api, ann, "my own")

    expected = [f"text {i}" for i in range(5, -1, -1)]
    assert eventually(lambda: texts(api, ann) == expected)
    assert texts(api, ann, limit=1) == expected
    assert texts(api, large) == []
    for query in ("limit=0", "limit=101", "cursor=1"):
        refused(api.call("GET", f"/v1/feed?{query}", person=ann), 400, "bad_request")


def test_largest_page_of_posts_is_answered_in_full(api: Api, people: People) -> None:
    """A page with the most and longest posts is complete, however much their text is escaped."""
    ann, bob = people.new(), people.new()
    follow(api, bob, ann)
    for i in range(100):
        post(api, ann, f"{i:03d}" + "\x01" * 4093)

    assert len(read(api, bob, f"/v1/users/{ann.handle}/posts", limit=100)["posts"]) == 100
    assert eventually(lambda: len(read(api, bob, "/v1/feed", limit=100)["posts"]) == 100)


def test_open_server_lets_names_read_and_wants_accounts_for_the_rest(open_url: str) -> None:
    """On an open server a name can read lists and posts; everything else needs an account."""
    api = Api(open_url)
    ann = People(lambda body: api.call("POST", "/v1/register", json=body)).new()
    made = post(api, ann, "hello")

    for what, expected in (
        ("followers", {"users": []}),
        ("following", {"users": []}),
        ("posts", {"posts": [made]}),
    ):
        answer = api.call("GET", f"/v1/users/{ann.handle}/{what}", user="somebody")
        assert answer.json() == {**expected, "next": None}
    for method, path in (
        ("PUT", f"{FOLLOWING}/{ann.handle}"),
        ("PUT", f"{BLOCKED}/{ann.handle}"),
        ("POST", f"/follow?toFollowId={ann.handle}"),
        ("POST", "/v1/posts"),
        ("GET", FOLLOWING),
        ("GET", BLOCKED),
        ("GET", "/v1/feed"),
    ):
        refused(api.call(method, path, user="somebody", json={"text": "hello"}), 401, "not_authenticated")
    api.close()


@pytest.mark.long
def test_counts_match_the_lists_after_fifty_concurrent_clients(api: Api, people: People) -> None:
    """After 50 clients follow and unfollow at once, the counts match the lists."""
    star = people.new()
    fans = [people.new() for _ in range(10)]
    start = threading.Barrier(CLIENTS)

    def client(number: int) -> None:
        fan, own = fans[number % len(fans)], Api(api.url)
        start.wait()
        for turn in range(4):
            method = "DELETE" if (turn + number) % 2 else "PUT"
            answer = own.raw(method, f"{FOLLOWING}/{star.handle}", person=fan)
            assert answer.status_code == 204, answer.text
        own.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(client, range(CLIENTS)))

    followers = handles(read(api, star, f"/v1/users/{star.handle}/followers"))
    assert read(api, star, f"/v1/users/{star.handle}")["followers"] == len(followers)
    following = [fan.handle for fan in fans if handles(read(api, fan, FOLLOWING)) == [star.handle]]
    assert sorted(followers) == sorted(following)
