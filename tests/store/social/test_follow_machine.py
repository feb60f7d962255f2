"""Follows, blocks and deletions against plain sets, with crashes and late work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from chalicelib.errors import Blocked, UserNotFound
from chalicelib.services.social.edge_mirror import EdgeMirror
from chalicelib.store import keys
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from chalicelib.store.social.follows import Edge, Follows
from tests.servers.engines import Engine
from tests.store.account_services import Crash, CrashingStore
from tests.store.log_records import RawClient
from tests.store.social_services import Society, edges, mirrored, truth

pytestmark = pytest.mark.long

PEOPLE = ("ann", "bob", "cid", "dan")
PAIRS = st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)).filter(lambda pair: pair[0] != pair[1])
STEPS = st.integers(0, 9)


class Late(Follows):
    """Finds an edge as it was when a process began that comes to mirror it only now."""

    def __init__(self, edge: Edge) -> None:
        self._then: Edge | None = edge

    def edge(self, handle: str, target: str) -> Query[Edge | None]:
        """Return the query for the old edge the first time, and for the current one after that."""
        then, self._then = self._then, None
        return super().edge(handle, target).map(lambda edge: then or edge)


class FollowMachine(RuleBasedStateMachine):
    """Does the same to a store and to sets, and compares at the end.

    A pair is unsure, and not compared with the sets, from a crash on until something is done that settles it.
    """

    def __init__(self, engine: Engine, store: Store, raw: RawClient, done: Counter[str]) -> None:
        super().__init__()
        engine.flush()
        self._store, self._raw, self._done = store, raw, done
        self._society = Society(store)
        self._society.settle(*PEOPLE)
        self._follows: set[tuple[str, str]] = set()
        self._blocks: set[tuple[str, str]] = set()
        self._unsure: set[tuple[str, str]] = set()
        self._deleted: set[str] = set()
        self._late: list[tuple[str, str, Edge]] = []

    @rule(pair=PAIRS)
    def follow(self, pair: tuple[str, str]) -> None:
        """Follow a user, if neither is deleted or has blocked the other."""
        self._do("follow", pair, lambda society: society.following.follow(*pair))

    @rule(pair=PAIRS)
    def unfollow(self, pair: tuple[str, str]) -> None:
        """Unfollow a user."""
        self._do("unfollow", pair, lambda society: society.following.unfollow(*pair))

    @rule(pair=PAIRS)
    def block(self, pair: tuple[str, str]) -> None:
        """Block a user."""
        self._do("block", pair, lambda society: society.blocking.block(*pair))

    @rule(pair=PAIRS)
    def unblock(self, pair: tuple[str, str]) -> None:
        """Unblock a user."""
        self._do("unblock", pair, lambda society: society.blocking.unblock(*pair))

    @rule(what=st.sampled_from(["follow", "unfollow", "block", "unblock"]), pair=PAIRS, left=STEPS)
    def crash(self, what: str, pair: tuple[str, str], left: int) -> None:
        """Crash in the middle of an action."""
        crashing = Society(CrashingStore(self._store, left, done=left % 2 == 0))
        service = crashing.following if what.endswith("follow") else crashing.blocking
        act: Callable[[str, str], None] = getattr(service, what)
        self._unsure |= {pair, pair[::-1]}
        try:
            act(*pair)
        except Crash:
            self._done["crash"] += 1
        except (UserNotFound, Blocked):
            pass
        self._reread(pair)

    @precondition(lambda self: len(self._deleted) < 2)
    @rule(handle=st.sampled_from(PEOPLE), left=STEPS)
    def delete(self, handle: str, left: int) -> None:
        """Delete a user, and perhaps crash in the middle of the deletion."""
        self._society.store.run(self._society.accounts.delete(handle))
        self._deleted.add(handle)
        try:
            Society(CrashingStore(self._store, left)).work.run(f"delete:{handle}")
        except Crash:
            self._done["crash"] += 1
        self._done["delete"] += 1

    @rule(pair=PAIRS, what=st.sampled_from(["follow", "unfollow"]))
    def stall(self, pair: tuple[str, str], what: str) -> None:
        """Follow or unfollow without the mirror, which is late."""
        change: Callable[[str, str], Query[object]] = getattr(self._society.follows, what)
        self._society.store.run(change(*pair))
        self._unsure.add(pair)
        edge = self._society.store.run(self._society.follows.edge(*pair))
        if edge is not None:
            self._late.append((*pair, edge))

    @precondition(lambda self: self._late)
    @rule(data=st.data())
    def end_a_mirror(self, data: st.DataObject) -> None:
        """Mirror an edge that was read before, whatever it is now."""
        self._mirror_late(data.draw(st.integers(0, len(self._late) - 1)))

    @rule()
    def sweep(self) -> None:
        """Do all pending work."""
        self._society.work.sweep()
        self._done["sweep"] += 1

    def teardown(self) -> None:
        """Do all late and pending work: the lists of both sides agree, and match the model."""
        while self._late:
            self._mirror_late(0)
        self._society.settled()
        found = truth(self._raw, PEOPLE)
        assert mirrored(self._raw, PEOPLE) == found
        sure = {pair for pair in set(found) ^ self._follows if pair not in self._unsure}
        assert not {pair for pair in sure if not self._deleted & set(pair)}
        for pair in found:
            assert not self._deleted & set(pair)
            assert self._blocked(pair) == set()
        for handle in PEOPLE:
            if handle in self._deleted:
                assert not self._raw.exists(keys.following(handle), keys.followers(handle))
        self._done["edges"] += len(found)

    def _blocked(self, pair: tuple[str, str]) -> set[tuple[str, str]]:
        """Return the stored blocks between two users."""
        both = (pair, pair[::-1])
        return {(one, other) for one, other in both if other in edges(self._raw, keys.blocked(one))}

    def _do(self, what: str, pair: tuple[str, str], act: Callable[[Society], None]) -> None:
        one, other = pair
        if one in self._deleted:
            return
        self._done[what] += 1
        if what == "follow" and other not in self._deleted and self._blocks & {pair, pair[::-1]}:
            with pytest.raises(Blocked):
                act(self._society)
            return
        if other in self._deleted and what in ("follow", "block"):
            with pytest.raises(UserNotFound):
                act(self._society)
            return
        try:
            act(self._society)
        except UserNotFound:
            assert other in self._deleted
        self._note(what, pair)

    def _note(self, what: str, pair: tuple[str, str]) -> None:
        if what in ("follow", "unfollow"):
            self._unsure.discard(pair)
            self._follows = self._follows | {pair} if what == "follow" else self._follows - {pair}
        elif what == "block":
            self._blocks.add(pair)
            self._follows -= {pair, pair[::-1]}
        else:
            self._blocks.discard(pair)

    def _reread(self, pair: tuple[str, str]) -> None:
        """Read the stored blocks of two users after a crash."""
        self._blocks = (self._blocks - {pair, pair[::-1]}) | self._blocked(pair)

    def _mirror_late(self, place: int) -> None:
        follower, target, edge = self._late.pop(place)
        late = EdgeMirror(self._store, Late(edge), self._society.posts, self._society.timelines)
        late.follow(follower, target)
        self._done["late"] += 1


def machine_on(engine: Engine, store: Store, raw: RawClient, done: Counter[str]) -> type[FollowMachine]:
    """Return the machine for an engine, as Hypothesis wants it: a class without arguments."""

    class MachineOnEngine(FollowMachine):
        def __init__(self) -> None:
            super().__init__(engine, store, raw, done)

    return MachineOnEngine


def test_both_sides_lists_agree_in_the_end(engine: Engine, store: Store, raw: RawClient) -> None:
    """After any follows, blocks, deletions and delays, both sides' lists agree."""
    done: Counter[str] = Counter()
    run_state_machine_as_test(
        machine_on(engine, store, raw, done),
        settings=settings(
            max_examples=25 if engine.is_cluster else 100,
            stateful_step_count=25,
            suppress_health_check=list(HealthCheck),
        ),
    )

    assert all(done[what] for what in ("follow", "block", "delete", "crash", "late", "sweep", "edges")), done
