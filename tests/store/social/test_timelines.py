"""Timelines and the feed on every kind of store: the fan-out, its cap, large authors, paging."""

from __future__ import annotations

import random

import pytest

from chalicelib.errors import BadRequest
from chalicelib.services.social import feed
from chalicelib.services.social.edge_mirror import NEWEST
from chalicelib.store import keys
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.sorted_sets import ScoredMember
from chalicelib.store.social import timelines
from tests.store.account_services import Crash, CrashingStore
from tests.store.log_records import RawClient
from tests.store.social_services import Society, edges

READERS = [f"reader{i}" for i in range(12)]
STEPS = 60
"""More queries than a fan-out to the readers makes."""


@pytest.fixture
def society(store: Store) -> Society:
    """Readers who follow ann, and bob, on the store under test."""
    society = Society(store)
    society.settle("ann", "bob", *READERS)
    for reader in READERS:
        society.following.follow(reader, "ann")
    return society


# --- fan_out_posts.lua --------------------------------------------------------------------------------------


def test_a_post_reaches_all_followers(society: Society, raw: RawClient) -> None:
    """A fan-out puts the post into each follower's timeline, into no other, and leaves nothing pending."""
    post = society.post("ann", "hello")
    society.work.run("posts:ann")

    for reader in READERS:
        assert edges(raw, keys.timeline(reader)) == {f"ann:{post}": int(post)}
        assert society.feed(reader) == ["hello"]
    assert not raw.exists(keys.timeline("ann"), keys.timeline("bob"))
    assert society.store.run(society.pending_work.version("ann", "posts:ann")) is None


def test_the_queue_is_asked(society: Society, raw: RawClient) -> None:
    """A post queues its fan-out."""
    society.post("ann", "hello")

    assert raw.lrange(keys.jobs(), 0, -1) == [b'{"item":"posts:ann"}']


def test_a_repeated_fan_out_changes_nothing(society: Society, raw: RawClient) -> None:
    """A repeated fan-out, or one after that of a later post, leaves each post once."""
    first = society.store.run(society.posts.unsent("ann", 10))
    assert first is None
    ids = [int(society.post("ann", text)) for text in ("one", "two")]
    society.store.run(society.timelines.put(READERS, "ann", ids[1:]))
    society.store.run(society.timelines.put(READERS, "ann", ids[:1]))
    society.fan_out.run("ann")
    society.fan_out.run("ann")
    society.store.run(society.timelines.put(READERS, "ann", ids))

    assert all(society.feed(reader) == ["two", "one"] for reader in READERS)
    assert len(edges(raw, keys.timeline(READERS[0]))) == 2


@pytest.mark.parametrize("done", [False, True])
def test_a_fan_out_killed_anywhere(society: Society, store: Store, done: bool) -> None:
    """After a fan-out breaks off anywhere, the next one brings every post to every follower, once."""
    expected = list[str]()
    for left in range(STEPS):
        expected.insert(0, f"text {left}")
        society.post("ann", expected[0])
        try:
            Society(CrashingStore(store, left, done=done)).work.run("posts:ann")
        except Crash:
            society.work.sweep()
            assert society.store.run(society.pending_work.version("ann", "posts:ann")) is None
        else:
            break
    assert len(expected) > 5

    assert all(society.feed(reader) == expected for reader in READERS)


def test_a_post_in_the_middle_of_a_fan_out(society: Society) -> None:
    """A post made during another one's fan-out stays pending until its own."""
    society.post("ann", "one")
    run = society.fan_out.run

    def interrupted(handle: str) -> None:
        run(handle)
        society.post("ann", "two")

    society.work._handlers = {**society.work._handlers, "posts": interrupted}
    society.work.run("posts:ann")
    society.work._handlers = {**society.work._handlers, "posts": run}

    assert society.store.run(society.pending_work.version("ann", "posts:ann")) is not None
    society.settled()
    assert society.feed(READERS[0]) == ["two", "one"]


def test_timeline_keeps_the_newest_posts_up_to_its_cap(
    society: Society, raw: RawClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timeline keeps the newest posts up to its cap, in whatever order they arrive; the feed ends there."""
    monkeypatch.setattr(timelines, "MAX_POSTS", 5)
    ids = [int(society.post("ann", f"text {i}")) for i in range(8)]
    for post in random.Random(7).sample(ids, len(ids)):
        society.store.run(society.timelines.put(READERS, "ann", [post]))
    society.store.run(society.timelines.put(READERS, "ann", ids))

    assert sorted(edges(raw, keys.timeline("reader3")).values()) == ids[3:]
    assert society.feed("reader3", 2) == [f"text {i}" for i in range(7, 2, -1)]


def test_timeline_holds_a_thousand_posts(society: Society, raw: RawClient) -> None:
    """A timeline holds 1,000 posts, however many arrive at once."""
    society.store.run(society.timelines.put(["reader0", "reader1"], "ann", range(1, 1502)))

    for reader in ("reader0", "reader1"):
        assert sorted(edges(raw, keys.timeline(reader)).values()) == list(range(502, 1502))


def test_deleted_follower_gets_no_timeline(society: Society, raw: RawClient) -> None:
    """A fan-out after the deletion of a follower makes no key for them."""
    society.store.run(society.accounts.delete("reader0"))
    society.store.run(society.timelines.put(["reader0", "nobody", "reader1"], "ann", [1]))

    assert not raw.exists(keys.timeline("reader0"))
    assert not raw.exists(keys.timeline("nobody"))
    assert raw.exists(keys.timeline("reader1"))


# --- the feed ----------------------------------------------------------------------------------------------


def test_a_follow_brings_the_newest_posts(society: Society) -> None:
    """The feed of a new follower begins with the newest existing posts."""
    for i in range(NEWEST + 5):
        society.post("bob", f"text {i}")
    society.settled()
    society.following.follow("reader0", "bob")
    society.post("bob", "after")
    society.settled()

    assert society.feed("reader0") == ["after", *(f"text {i}" for i in range(NEWEST + 4, 4, -1))]


def test_what_is_left_out(society: Society) -> None:
    """Deleted posts, and those of unfollowed, deleted, blocked or blocking users, are not shown."""
    society.settle("cid", "dan", "eve", "fay")
    for author in ("bob", "cid", "dan", "eve", "fay"):
        society.following.follow("reader0", author)
        society.post(author, f"by {author}")
    gone = society.post("ann", "deleted")
    society.post("ann", "by ann")
    society.settled()
    assert len(society.feed("reader0")) == 7

    society.writing.delete("ann", gone)
    society.following.unfollow("reader0", "bob")
    society.store.run(society.accounts.delete("cid"))
    society.store.run(society.blocks.block("dan", "reader0"))
    society.blocking.block("reader0", "eve")

    assert society.feed("reader0") == ["by ann", "by fay"]
    society.following.follow("reader0", "bob")
    assert society.feed("reader0") == ["by ann", "by fay", "by bob"]


def test_pages_are_full_or_say_so(society: Society, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page reads on until it is full; after many hidden posts it is short and has a next cursor."""
    monkeypatch.setattr(feed, "MIN_LOOKED_AT", 3)
    monkeypatch.setattr(feed, "ROUNDS", 2)
    ids = [society.post("ann", f"text {i}") for i in range(12)]
    society.settled()
    for post in ids[1:11]:
        society.writing.delete("ann", post)

    first = society.feeds.page("reader0", None, 2)
    assert [post.text for post in first.posts] == ["text 11"]
    assert first.next is not None
    assert society.feed("reader0", 2) == ["text 11", "text 0"]


def test_posts_come_and_go_between_pages(society: Society) -> None:
    """While posts are made and deleted between pages, none is shown twice and no remaining one is missing."""
    society.following.follow("reader0", "bob")
    chance = random.Random(3)
    kept = dict[str, str]()
    for i in range(60):
        author = chance.choice(["ann", "bob"])
        kept[society.post(author, f"text {i}")] = author
    society.settled()

    shown, cursor, deleted = list[str](), None, set[str]()
    while True:
        page = society.feeds.page("reader0", cursor, 7)
        shown += [post.id for post in page.posts]
        if (cursor := page.next) is None:
            break
        for post in chance.sample(sorted(kept), 3):
            if post not in deleted:
                society.writing.delete(kept[post], post)
                deleted.add(post)
        society.post("ann", "new")
        society.settled()

    assert len(shown) == len(set(shown))
    assert set(kept) - deleted <= set(shown) <= set(kept)
    assert shown == sorted(shown, key=int, reverse=True)


def test_posts_of_one_moment(society: Society, store: Store, raw: RawClient) -> None:
    """Posts that several authors made in the same microsecond are all shown, each once, on pages of one."""
    authors = ["ann", "bob", "an", "an-n", "an.n", "ann0", "ann_"]
    society.settle(*authors[2:])
    for author in authors:
        raw.hset(keys.user(author), "posted", 2**52)
        society.following.follow("reader0", author)
        assert society.store.run(society.posts.add(author, f"by {author}")) == 2**52 + 1
        society.work.run(f"posts:{author}")

    assert sorted(society.feed("reader0", 1)) == sorted(f"by {author}" for author in authors)


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
@pytest.mark.parametrize("cursor", ["", "1", "x.ann", "1.a:1", "1." + "a" * 33])
def test_foreign_cursor_is_a_bad_request(society: Society, cursor: str) -> None:
    """A cursor that no page of the feed returned is a bad request."""
    with pytest.raises(BadRequest, match="cursor"):
        society.feeds.page("reader0", cursor, 1)


# --- large authors ------------------------------------------------------------------------------------------


def test_large_authors_are_merged(store: Store, raw: RawClient) -> None:
    """Authors with more followers than the limit enter no timeline; the feed still shows their posts."""
    society = Society(store, large=2)
    society.settle("ann", "bob", *READERS)
    for reader in READERS[:3]:
        society.following.follow(reader, "ann")
    society.following.follow("reader0", "bob")
    for i in range(4):
        society.post(("ann", "bob")[i % 2], f"text {i}")
        society.settled()

    assert society.store.run(society.timelines.large_authors()) == ["ann"]
    assert not raw.exists(keys.timeline("reader1"))
    assert society.feed("reader0", 1) == ["text 3", "text 2", "text 1", "text 0"]
    assert society.feed("reader1", 1) == ["text 2", "text 0"]
    assert society.feed("reader7") == []


def test_authors_cross_the_limit(store: Store) -> None:
    """While authors cross the limit of followers, each feed has every post, once and in order."""
    society = Society(store, large=3)
    authors = ["ann", "bob", "cid"]
    society.settle(*authors, *READERS)
    chance = random.Random(11)
    for author in authors:
        society.following.follow("reader0", author)
    posted = list[str]()
    for i in range(45):
        author = chance.choice(authors)
        reader = chance.choice(READERS[1:])
        change = society.following.follow if chance.random() < 0.6 else society.following.unfollow
        change(reader, author)
        posted.insert(0, f"{author} {i}")
        society.post(author, posted[0])
        if i % 3 == 0:
            society.settled()
    society.settled()

    assert society.store.run(society.timelines.large_authors())
    for limit in (1, 4, 100):
        assert society.feed("reader0", limit) == posted


def test_a_large_author_stays_one(store: Store) -> None:
    """An author who lost followers stays among the large ones, until the account is deleted."""
    society = Society(store, large=1)
    society.settle("ann", *READERS)
    for reader in READERS[:2]:
        society.following.follow(reader, "ann")
    society.post("ann", "one")
    society.settled()
    society.following.unfollow("reader1", "ann")
    society.post("ann", "two")
    society.settled()

    assert society.feed("reader0") == ["two", "one"]
    society.delete("ann")
    assert society.store.run(society.timelines.large_authors()) == []
    assert society.feed("reader0") == []


def test_very_many_large_authors(society: Society, raw: RawClient) -> None:
    """A feed is read however many large authors there are."""
    raw.sadd(keys.large_authors(), *(f"author{i}" for i in range(10_000)), "bob")
    society.following.follow("reader0", "bob")
    society.store.run(society.posts.add("bob", "hello"))

    assert society.feed("reader0") == ["hello"]


def test_the_feed_ends_where_a_full_timeline_does(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the oldest post of a full timeline the feed shows no posts, of large authors either."""
    monkeypatch.setattr(timelines, "MAX_POSTS", 2)
    society = Society(store, large=1)
    society.settle("ann", "bob", "reader0", "reader1")
    for reader in ("reader0", "reader1"):
        society.following.follow(reader, "ann")
    society.following.follow("reader0", "bob")
    for author in ("ann", "bob", "ann", "bob", "ann", "bob", "ann"):
        society.post(author, author)
        society.settled()

    assert society.store.run(society.timelines.read("reader0", None, 5)).floor > 0
    assert society.feed("reader0", 1) == ["ann", "bob", "ann", "bob"]
    assert society.feed("reader1", 1) == ["ann"] * 4


def test_marks_compare_as_the_store_orders(society: Society, store: Store) -> None:
    """Marks compare in the order of the timeline."""
    authors = ["ann", "an", "an-n", "an.n", "ann0"]
    for author in authors:
        society.store.run(society.timelines.put(["reader0"], author, [5, 7]))
    marks = society.store.run(society.timelines.read("reader0", None, 100)).entries

    assert marks == sorted(marks, reverse=True)
    assert ScoredMember(5, "an-n:5") in marks
