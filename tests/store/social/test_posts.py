"""Posts on every kind of store: each script, and the rules."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.errors import BadRequest, Blocked, PostNotFound, TextTooLong, UserNotFound
from chalicelib.store import keys
from chalicelib.store.redis.client import Store
from chalicelib.store.social.posts import Post, Unsent
from tests.store.log_records import RawClient, eight
from tests.store.social_services import Society

ONE_ENGINE = pytest.mark.parametrize("engine", ["valkey"], indirect=True)


@pytest.fixture
def society(store: Store) -> Society:
    """Three people on the store under test."""
    society = Society(store)
    society.settle("ann", "bob", "cid")
    return society


def texts(society: Society, handle: str, limit: int = 100) -> list[str]:
    """Return the texts of all of a user's posts, page by page."""
    found, cursor = list[str](), None
    while True:
        page = society.writing.page("cid", handle, cursor, limit)
        found += [post.text for post in page.posts]
        if (cursor := page.next) is None:
            return found


def test_stored_post_matches_the_documented_layout(society: Society, raw: RawClient) -> None:
    """A stored post is its id in 8 bytes and its text; the id is also the version of its pending work."""
    post = society.store.run(society.posts.add("ann", "h\u00e9"))
    assert post is not None

    found: Any = raw.zrange(keys.posts("ann"), 0, -1, withscores=True)
    assert [tuple(one) for one in found] == [(eight(post) + b"h\xc3\xa9", float(post))]
    assert society.store.run(society.pending_work.version("ann", "posts:ann")) == post
    assert society.store.run(society.posts.unsent("ann", 10)) == Unsent(post, [post])


def test_ids_always_rise(society: Society, raw: RawClient) -> None:
    """An id is above all earlier ones of the author, deleted ones too, also when the clock falls back."""
    future = 2**52
    raw.hset(keys.user("ann"), "posted", future)
    assert society.store.run(society.posts.add("ann", "one")) == future + 1
    assert society.store.run(society.posts.delete("ann", future + 1))
    assert society.store.run(society.posts.add("ann", "two")) == future + 2


def test_posts_at_once(society: Society, store: Store) -> None:
    """Concurrent posts of one author have different ids."""
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda i: society.store.run(society.posts.add("ann", f"text {i}")), range(80)))

    assert len(set(made)) == 80
    assert len(texts(society, "ann", 7)) == 80


def test_missing_account_cannot_post(society: Society, raw: RawClient) -> None:
    """Neither a deleted nor an unknown user can post."""
    society.store.run(society.accounts.delete("ann"))

    for handle in ("ann", "nobody"):
        assert society.store.run(society.posts.add(handle, "hello")) is None
        assert not raw.exists(keys.posts(handle))
        with pytest.raises(UserNotFound):
            society.writing.add(handle, "hello")


def test_sent_never_falls(society: Society) -> None:
    """The fan-out mark of posts does not fall when an older fan-out finishes last."""
    ids = [post for i in range(3) if (post := society.store.run(society.posts.add("ann", f"text {i}")))]

    society.store.run(society.posts.sent("ann", ids[1]))
    society.store.run(society.posts.sent("ann", ids[0]))
    assert society.store.run(society.posts.unsent("ann", 10)) == Unsent(ids[2], [ids[2]])

    society.store.run(society.posts.sent("ann", ids[2]))
    assert society.store.run(society.posts.unsent("ann", 10)) is None


def test_pages_have_no_gap_or_duplicate_while_posts_change(society: Society) -> None:
    """Pages go back from the newest post, without a gap or duplicate while posts come and go."""
    for i in range(7):
        society.post("ann", f"text {i}")
    first = society.writing.page("bob", "ann", None, 3)
    society.post("ann", "later")
    society.writing.delete("ann", first.posts[-1].id)
    second = society.writing.page("bob", "ann", first.next, 3)

    assert [post.text for post in (*first.posts, *second.posts)] == [f"text {i}" for i in range(6, 0, -1)]
    assert [post.text for post in society.writing.page("bob", "ann", second.next, 3).posts] == ["text 0"]
    assert texts(society, "ann") == ["later", "text 6", "text 5", "text 3", "text 2", "text 1", "text 0"]


def test_what_is_shown(society: Society) -> None:
    """A post shows its text, its time, and its author with the current name."""
    made = society.writing.add("ann", "hello")
    assert society.writing.page("bob", "ANN", None, 1).posts == [made]
    assert (made.author.handle, made.author.name, made.text) == ("ann", "Ann", "hello")

    society.store.run(society.accounts.update("ann", {"name": "Queen Ann"}))
    assert society.writing.page("bob", "ann", None, 1).posts[0].author.name == "Queen Ann"


def test_only_own_posts_are_deleted(society: Society, raw: RawClient) -> None:
    """Only its author can delete a post, once, and its text is then gone from the store."""
    post = society.post("ann", "hello")

    with pytest.raises(PostNotFound):
        society.writing.delete("bob", post)
    society.writing.delete("ann", post)
    with pytest.raises(PostNotFound):
        society.writing.delete("ann", post)
    assert not raw.exists(keys.posts("ann"))


def test_blocked_user_sees_no_posts(society: Society) -> None:
    """Posts of a user who blocks the reader are not shown, and those of an unknown user are not found."""
    society.post("ann", "hello")
    society.blocking.block("ann", "bob")
    society.store.run(society.accounts.delete("cid"))

    with pytest.raises(Blocked):
        society.writing.page("bob", "ann", None, 1)
    for handle in ("cid", "nobody"):
        with pytest.raises(UserNotFound):
            society.writing.page("bob", handle, None, 1)


def test_some_posts_by_id(society: Society, store: Store) -> None:
    """Posts are read by id if they exist; none of an author who is deleted or has blocked the reader."""
    ids = [int(society.post("ann", f"text {i}")) for i in range(3)]
    society.writing.delete("ann", str(ids[1]))

    written = store.run(society.posts.written("ann", "bob", [*ids, 1]))
    assert written is not None
    assert written.posts == [Post(ids[0], "text 0"), Post(ids[2], "text 2")]
    assert society.store.run(society.posts.newest(["ann", "bob"], ids[1], 5)) == {"ann": [ids[0]], "bob": []}

    society.store.run(society.blocks.block("ann", "bob"))
    assert store.run(society.posts.written("ann", "bob", ids)) is None
    society.store.run(society.accounts.delete("ann"))
    assert store.run(society.posts.written("ann", "cid", ids)) is None


@ONE_ENGINE
@pytest.mark.parametrize("text", ["", " \n\t", "a\0b", "\ud800", "\u2003"])
def test_texts_that_are_none(society: Society, text: str) -> None:
    """An empty text, blanks, NUL and half a surrogate pair are bad requests."""
    with pytest.raises(BadRequest, match="text"):
        society.writing.add("ann", text)


@ONE_ENGINE
def test_text_is_limited_to_four_kibibytes(society: Society) -> None:
    """A text has at most 4 KiB of UTF-8."""
    longest = "\u00e9" * 2048
    society.post("ann", longest)

    with pytest.raises(TextTooLong, match="4097"):
        society.post("ann", longest + "x")
    assert texts(society, "ann") == [longest]


@ONE_ENGINE
@pytest.mark.parametrize("post", ["", "x", "0", "01", "1" * 17, "-1", "1.0", "\u0661"])
def test_ids_that_are_none(society: Society, post: str) -> None:
    """An invalid post id is a bad request."""
    with pytest.raises(BadRequest, match="post"):
        society.writing.delete("ann", post)
