"""Follows and blocks on every kind of store: each script, each rule, and the lists."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.errors import BadRequest, Blocked, Forbidden, UserNotFound
from chalicelib.services.social import edge_removal
from chalicelib.store import keys
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.sorted_sets import ScoredMember, page
from chalicelib.store.social import blocks, follows
from chalicelib.store.social.blocks import Blocking
from chalicelib.store.social.follows import MEMORY, Edge, Following, Mirrored
from tests.store.account_services import Crash, CrashingStore
from tests.store.log_records import RawClient
from tests.store.social_services import Society, edges, mirrored, truth

pytestmark = pytest.mark.cluster_smoke

ALL = ("ann", "bob", "cid")
CLIENTS = 50
STEPS = 40
"""More queries than one call makes."""


@pytest.fixture
def society(store: Store) -> Society:
    """Three people on the store under test."""
    society = Society(store)
    society.settle(*ALL)
    return society


# --- follow_user.lua, unfollow_user.lua, read_follow.lua ----------------------------------------------------


def test_follow_owes_its_mirror(society: Society, raw: RawClient) -> None:
    """A follow is stored at once for the follower, and its mirror is pending with the same version."""
    assert society.store.run(society.follows.follow("ann", "bob")) == Following.NOW

    version = edges(raw, keys.following("ann"))["bob"]
    assert society.store.run(society.pending_work.version("ann", "follow:ann:bob")) == version
    assert society.store.run(society.follows.edge("ann", "bob")) == Edge(True, version)
    assert mirrored(raw, ALL) == {}


def test_follow_again_changes_nothing(society: Society, raw: RawClient) -> None:
    """Following again keeps the time of the first follow, and records no work."""
    society.following.follow("ann", "bob")
    before = truth(raw, ALL)

    assert society.store.run(society.follows.follow("ann", "bob")) == Following.ALREADY
    society.following.follow("ann", "BOB")

    assert truth(raw, ALL) == mirrored(raw, ALL) == before
    assert society.store.run(society.pending_work.version("ann", "follow:ann:bob")) is None


def test_versions_always_rise(society: Society, raw: RawClient) -> None:
    """A new edge has a version above the follower's last, also when the clock has fallen behind it."""
    future = 2**52
    raw.hset(keys.user("ann"), "followed", future)

    society.store.run(society.follows.follow("ann", "bob"))
    society.store.run(society.follows.unfollow("ann", "bob"))
    assert society.store.run(society.follows.edge("ann", "bob")) == Edge(False, future + 2)
    society.store.run(society.follows.follow("ann", "bob"))
    assert society.store.run(society.follows.edge("ann", "bob")) == Edge(True, future + 3)


def test_unfollow_ends_only_the_version_meant(society: Society) -> None:
    """Undoing an edge leaves one of another version in place."""
    society.store.run(society.follows.follow("ann", "bob"))
    edge = society.store.run(society.follows.edge("ann", "bob"))
    assert edge is not None

    assert not society.store.run(society.follows.unfollow("ann", "bob", edge.version - 1))
    assert society.store.run(society.follows.edge("ann", "bob")) == edge
    assert society.store.run(society.follows.unfollow("ann", "bob", edge.version))
    assert not society.store.run(society.follows.unfollow("ann", "bob"))


def test_strangers_have_no_edge_to_mirror(society: Society) -> None:
    """Two users without any relation have no edge to mirror."""
    assert society.store.run(society.follows.edge("ann", "bob")) is None
    society.edge_mirror.follow("ann", "bob")


@pytest.mark.parametrize("deleted", [True, False])
def test_missing_account_cannot_follow_or_block(society: Society, raw: RawClient, deleted: bool) -> None:
    """Neither a deleted nor an unknown user can follow or block."""
    handle = "ann" if deleted else "nobody"
    society.store.run(society.accounts.delete(handle))

    assert society.store.run(society.follows.follow(handle, "bob")) == Following.NO_ACCOUNT
    assert society.store.run(society.blocks.block(handle, "bob")) == Blocking.NO_ACCOUNT
    with pytest.raises(UserNotFound):
        society.following.follow(handle, "bob")
    with pytest.raises(UserNotFound):
        society.blocking.block(handle, "bob")
    assert truth(raw, [handle]) == {}
    assert not raw.exists(keys.blocked(handle))


def test_follow_beyond_the_maximum_is_refused(society: Society, monkeypatch: pytest.MonkeyPatch) -> None:
    """A follow beyond the maximum is refused, and possible again after an unfollow."""
    monkeypatch.setattr(follows, "MAX_FOLLOWED", 1)
    society.following.follow("ann", "bob")

    with pytest.raises(Forbidden, match="the maximum"):
        society.following.follow("ann", "cid")
    society.following.follow("ann", "bob")
    society.following.unfollow("ann", "bob")
    society.following.follow("ann", "cid")


# --- mirror_follow.lua --------------------------------------------------------------------------------------


def test_only_a_newer_version_is_mirrored(society: Society, raw: RawClient) -> None:
    """Of two mirrored edges that come in the wrong order, the newer version stays."""

    def mirror(version: int, follows: bool) -> Mirrored:
        return society.store.run(society.follows.mirror("ann", "bob", Edge(follows, version)))

    now = 2**51
    assert mirror(now, True) == Mirrored.SAME
    assert mirror(now, True) == Mirrored.SAME
    assert mirror(now - 1, False) == Mirrored.STALE
    assert edges(raw, keys.followers("bob")) == {"ann": now}
    assert mirror(now + 1, False) == Mirrored.SAME
    assert mirror(now, True) == Mirrored.STALE
    assert edges(raw, keys.followers("bob")) == {}
    assert mirror(now + 2, True) == Mirrored.SAME
    assert edges(raw, keys.followers("bob")) == {"ann": now + 2}
    assert edges(raw, keys.unfollowed("bob")) == {}


def test_ended_edges_are_forgotten(society: Society, raw: RawClient) -> None:
    """An ended edge is kept for an hour, and is removed with the next ended edge."""
    seconds, micros = raw.time(target_nodes="random") if hasattr(raw, "get_node") else raw.time()
    now = seconds * 1_000_000 + micros
    for age, follower in enumerate(("old", "young")):
        society.store.run(
            society.follows.mirror(follower, "bob", Edge(False, now - MEMORY - 1 if not age else now))
        )

    assert set(edges(raw, keys.unfollowed("bob"))) == {"young"}
    assert 0 < raw.pttl(keys.unfollowed("bob")) <= MEMORY / 1000


@pytest.mark.parametrize("deleted", [True, False])
def test_nobody_gains_no_follower(society: Society, raw: RawClient, deleted: bool) -> None:
    """A mirror to a deleted user makes no key, and the edge is undone."""
    target = "bob" if deleted else "nobody"
    society.store.run(society.follows.follow("ann", target))
    society.store.run(society.accounts.delete(target))

    society.work.run(f"follow:ann:{target}")
    society.settled()

    assert truth(raw, ALL) == {}
    assert not raw.exists(keys.followers(target), keys.unfollowed(target))


def test_block_undoes_a_concurrent_follow(society: Society, raw: RawClient) -> None:
    """A follow that a block overtakes is undone."""
    society.store.run(society.follows.follow("ann", "bob"))
    society.store.run(society.blocks.block("bob", "ann"))

    society.work.run("follow:ann:bob")

    assert truth(raw, ALL) == mirrored(raw, ALL) == {}
    society.settled()
    assert truth(raw, ALL) == mirrored(raw, ALL) == {}


# --- block_user.lua -----------------------------------------------------------------------------------------


def test_block_ends_both_edges(society: Society, raw: RawClient) -> None:
    """A block ends the follows between the two, refuses new ones both ways, and leaves those of others."""
    for one, other in (("ann", "bob"), ("bob", "ann"), ("cid", "bob"), ("bob", "cid")):
        society.following.follow(one, other)

    society.blocking.block("bob", "ann")

    assert set(truth(raw, ALL)) == set(mirrored(raw, ALL)) == {("cid", "bob"), ("bob", "cid")}
    with pytest.raises(Blocked, match="bob has blocked you"):
        society.following.follow("ann", "bob")
    with pytest.raises(Blocked, match="You have blocked ann"):
        society.following.follow("bob", "ann")
    society.settled()
    assert set(truth(raw, ALL)) == set(mirrored(raw, ALL)) == {("cid", "bob"), ("bob", "cid")}


def test_unblocked_users_can_follow_again(society: Society, raw: RawClient) -> None:
    """After an unblock either user can follow the other; old follows do not come back."""
    society.following.follow("ann", "bob")
    society.blocking.block("bob", "ann")
    society.blocking.block("bob", "ann")
    assert [user.handle for user in society.blocking.blocked("bob", None, 10).users] == ["ann"]

    society.blocking.unblock("bob", "ann")
    society.blocking.unblock("bob", "ann")

    assert truth(raw, ALL) == {}
    society.following.follow("ann", "bob")
    society.following.follow("bob", "ann")
    assert set(truth(raw, ALL)) == set(mirrored(raw, ALL)) == {("ann", "bob"), ("bob", "ann")}


def test_block_beyond_the_maximum_is_refused(society: Society, monkeypatch: pytest.MonkeyPatch) -> None:
    """A block beyond the maximum is refused."""
    monkeypatch.setattr(blocks, "MAX_BLOCKED", 1)
    society.blocking.block("ann", "bob")

    with pytest.raises(Forbidden, match="the maximum"):
        society.blocking.block("ann", "cid")
    society.blocking.block("ann", "bob")


# --- rules --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
@pytest.mark.parametrize("what", ["follow", "unfollow", "block", "unblock"])
def test_only_other_existing_users_can_be_followed_or_blocked(society: Society, what: str) -> None:
    """Oneself, an invalid handle, and a missing or deleted user can't be followed or blocked."""
    act: Callable[[str, str], None] = getattr(
        society.following if what.endswith("follow") else society.blocking, what
    )
    society.store.run(society.accounts.delete("cid"))

    for name in ("ann", "ANN", "a b", "", "me", "a:b", "x" * 33):
        with pytest.raises(BadRequest) as refused:
            act("ann", name)
        assert [error.field for error in refused.value.errors] == ["handle"]
    for name in ("nobody", "cid"):
        with pytest.raises(UserNotFound, match=name):
            act("ann", name)


# --- lists --------------------------------------------------------------------------------------------------


def test_lists_page_from_the_newest(society: Society) -> None:
    """A list shows name, picture and start, the newest first; its pages have no gap and no duplicate."""
    handles = [f"fan{i}" for i in range(7)]
    society.settle(*handles)
    society.store.run(society.accounts.update("fan6", {"avatar": "pic", "name": "Fan the Sixth"}))
    for handle in handles:
        society.following.follow(handle, "bob")

    cursor, found = None, []
    while True:
        part = society.following.followers("ann", "bob", cursor, 3)
        found += part.users
        if (cursor := part.next) is None:
            break

    assert [one.handle for one in found] == handles[::-1]
    assert (found[0].name, found[0].avatar) == ("Fan the Sixth", "pic")
    assert [one.since for one in found] == sorted((one.since for one in found), reverse=True)
    assert [one.handle for one in society.following.following("ann", "fan3", None, 3).users] == ["bob"]


def test_a_cursor_stays_right(society: Society) -> None:
    """Follows and unfollows between two pages, of the cursor's own user too, move no other entry."""
    handles = [f"fan{i}" for i in range(6)]
    society.settle(*handles)
    for handle in handles[:5]:
        society.following.follow(handle, "bob")

    first = society.following.followers("ann", "bob", None, 2)
    society.following.unfollow("fan3", "bob")
    society.following.follow("fan5", "bob")
    second = society.following.followers("ann", "bob", first.next, 9)

    assert [one.handle for one in (*first.users, *second.users)] == ["fan4", "fan3", "fan2", "fan1", "fan0"]
    assert second.next is None


def test_deleted_users_are_left_out(society: Society) -> None:
    """A list skips deleted users, and a deleted user has no lists."""
    for handle in ("bob", "cid"):
        society.following.follow(handle, "ann")
    society.store.run(society.accounts.delete("cid"))

    assert [one.handle for one in society.following.followers("bob", "ann", None, 10).users] == ["bob"]
    for read in (society.following.followers, society.following.following):
        with pytest.raises(UserNotFound):
            read("ann", "cid", None, 10)


@pytest.mark.parametrize(
    "cursor", ["", "x", "1", "1.", "1.A", ".a", "1.a\n", "1.a:b", "9" * 17 + ".a", "-1.a", "\u0661.a"]
)
@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
def test_foreign_cursor_is_a_bad_request(society: Society, cursor: str) -> None:
    """A cursor that no page returned is a bad request."""
    with pytest.raises(BadRequest, match="cursor"):
        society.following.followers("ann", "bob", cursor, 10)


def test_pages_of_equal_scores(store: Store, raw: RawClient) -> None:
    """Members with one score page from the last to the first by their bytes, whatever the server's locale."""
    key = keys.followers("bob")
    members = sorted([*"abcxyz_-.01", "a-b", "a.b", "ab", "a_b", "a-", "a0"], key=str.encode)
    raw.zadd(key, dict.fromkeys(members, 2**50))
    raw.zadd(key, {"above": 2**50 + 1, "below": 2**50 - 1})

    found: list[ScoredMember] = []
    while part := store.run(page(key, found[-1] if found else None, 2)):
        found += part

    assert [mark.member for mark in found] == ["above", *members[::-1], "below"]
    assert store.run(page(key, ScoredMember(2**50, "a.0"), 2)) == [
        ScoredMember(2**50, "a-b"),
        ScoredMember(2**50, "a-"),
    ]


# --- deletion -----------------------------------------------------------------------------------------------


def test_deletion_ends_every_edge(society: Society, raw: RawClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deleted user follows nobody and has no followers, in the lists of other users at once."""
    monkeypatch.setattr(edge_removal, "EDGES_AT_ONCE", 2)
    fans = [f"fan{i}" for i in range(5)]
    society.settle(*fans)
    for fan in fans:
        society.following.follow(fan, "ann")
        society.following.follow("ann", fan)
    society.following.follow("bob", "cid")

    society.delete("ann")

    everybody = (*ALL, *fans)
    assert set(truth(raw, everybody)) == set(mirrored(raw, everybody)) == {("bob", "cid")}
    society.settled()
    assert set(truth(raw, everybody)) == set(mirrored(raw, everybody)) == {("bob", "cid")}


@pytest.mark.parametrize("engine", ["valkey"], indirect=True)
@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("what", ["follow", "unfollow", "block", "unblock", "delete"])
def test_sweep_repairs_the_lists_after_a_crash(store: Store, raw: RawClient, what: str, done: bool) -> None:
    """After a crash anywhere in a call, the sweep makes the lists agree."""
    for left in range(STEPS):
        handles = [f"{name}{left}" for name in ALL]
        ann, bob, cid = handles
        society = Society(store)
        society.settle(*handles)
        for one, other in ((bob, ann), (cid, ann), (ann, cid)):
            society.following.follow(one, other)
        if what in ("unfollow", "block", "delete"):
            society.following.follow(ann, bob)
        if what == "unblock":
            society.blocking.block(ann, bob)
        crashing = Society(CrashingStore(store, left, done=done))
        acts: dict[str, Callable[..., None]] = {
            "follow": crashing.following.follow,
            "unfollow": crashing.following.unfollow,
            "block": crashing.blocking.block,
            "unblock": crashing.blocking.unblock,
            "delete": crashing.delete,
        }
        crashed = False
        try:
            acts[what](*((ann,) if what == "delete" else (ann, bob)))
        except Crash:
            crashed = True
        society.settled()

        assert truth(raw, handles) == mirrored(raw, handles)
        assert {(cid, ann), (ann, cid)} <= set(truth(raw, handles)) or what == "delete"
        if not crashed:
            break
    else:
        pytest.fail("the call never came to its end")


# --- many at once -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("same", [True, False])
def test_counts_match_the_lists_after_fifty_concurrent_clients(
    store: Store, raw: RawClient, same: bool
) -> None:
    """After 50 concurrent clients follow and unfollow, one user or many, the counts match the lists."""
    handles = [f"user{i}" for i in range(8)]
    society = Society(store)
    society.settle(*handles)
    start = threading.Barrier(CLIENTS)

    def client(number: int) -> None:
        follower, followed = ("user0", "user1") if same else (handles[number % 8], handles[(number // 8) % 7])
        start.wait()
        for turn in range(6):
            if follower != followed:
                act = society.following.unfollow if (turn + number) % 2 else society.following.follow
                act(follower, followed)

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(client, range(CLIENTS)))
    society.settled()

    assert truth(raw, handles) == mirrored(raw, handles)
    for handle in handles:
        profile = store.run(society.accounts.profile(handle))
        assert profile is not None
        for count, read in (
            (profile.followers, society.following.followers),
            (profile.following, society.following.following),
        ):
            assert count == len(read(handle, handle, None, 1000).users)
