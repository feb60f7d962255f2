"""Profiles and their changes, on every kind of store, with crashes between any two steps."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from chalicelib.errors import AlreadyTaken, BadRequest, NotAuthenticated, UserNotFound
from chalicelib.schemas.users import ProfileChanges
from chalicelib.services.values.emails import EMAIL
from chalicelib.store.redis.client import Store
from tests.store.account_services import Crash, CrashingStore, Village, expire, members, settled, sweep
from tests.store.log_records import RawClient

OLD, NEW = "old@example.org", "new@example.org"
ONE_ENGINE = pytest.mark.parametrize("engine", ["valkey"], indirect=True)
STEPS = 30
"""More queries than a change of an email takes."""


@pytest.fixture
def village(store: Store) -> Village:
    """People on the store under test."""
    return Village(store)


def held(village: Village, handle: str) -> str | None:
    """Return the email of an existing user."""
    account = village.store.run(village.accounts.find(handle))
    assert account is not None
    return account.email


def test_absent_stays_null_clears(village: Village) -> None:
    """An absent field stays unchanged; null and an empty text clear it."""
    village.settle("alice", "Alice", OLD)
    village.people.change("alice", ProfileChanges(bio="one\ntwo", avatar="pic_1"))
    me = village.people.change("alice", ProfileChanges(name=None, bio=""))

    assert (me.name, me.bio, me.avatar, me.email) == ("", "", "pic_1", OLD)
    assert village.people.change("alice", ProfileChanges()) == me
    assert village.people.me("alice") == me


def test_others_see_no_email(village: Village) -> None:
    """A profile shown to others has neither the email nor the required password change."""
    village.settle("alice", "Alice", OLD)
    user = village.people.user("ALICE")

    assert (user.handle, user.name) == ("alice", "Alice")
    assert not hasattr(user, "email")
    assert not hasattr(user, "reset")


def test_nobody_and_nobody_any_more(village: Village) -> None:
    """Unknown and deleted users are not found; a deleted user has no profile of their own."""
    village.settle("alice")
    village.store.run(village.accounts.delete("alice"))

    for handle in ("alice", "bob"):
        with pytest.raises(UserNotFound, match=f"no user {handle}"):
            village.people.user(handle)
    with pytest.raises(NotAuthenticated):
        village.people.me("alice")
    with pytest.raises(NotAuthenticated):
        village.people.change("alice", ProfileChanges(name="Eve", email=NEW))


@ONE_ENGINE
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        (ProfileChanges(name="x" * 65), "name"),
        (ProfileChanges(name="a\nb"), "name"),
        (ProfileChanges(name="a\u202eb"), "name"),
        (ProfileChanges(name="\u3164"), "name"),
        (ProfileChanges(name="\u2800"), "name"),
        (ProfileChanges(bio="\u3164\n\u3164"), "bio"),
        (ProfileChanges(bio="a\u2067b"), "bio"),
        (ProfileChanges(bio="x" * 501), "bio"),
        (ProfileChanges(bio="a\0b"), "bio"),
        (ProfileChanges(avatar="../x"), "avatar"),
        (ProfileChanges(avatar="x" * 65), "avatar"),
        (ProfileChanges(email="nobody"), "email"),
    ],
)
def test_invalid_field_is_named_and_nothing_changes(
    village: Village, changes: ProfileChanges, field: str
) -> None:
    """The error of an invalid field names it, and nothing is changed."""
    village.settle("alice", "Alice", OLD)
    changes.bio = "new" if field != "bio" else changes.bio
    with pytest.raises(BadRequest, match=f"^{field}: "):
        village.people.change("alice", changes)

    me = village.people.me("alice")
    assert (me.name, me.bio, me.avatar, me.email) == ("Alice", "", None, OLD)


def test_names_of_the_world(village: Village) -> None:
    """Names with emoji of any age and kind, joiners, wide blanks inside and around are taken, in NFC."""
    village.settle("alice")
    for name in (
        "👩\u200d💻 Ada",
        "n\u200ci",
        "  李 小龙  ",
        "🩷 Ela",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",
        "山田\u3000太郎",
        "\u3000Jean\u00a0Luc\u00a0",
    ):
        assert village.people.change("alice", ProfileChanges(name=name)).name == name.strip()
    assert village.people.change("alice", ProfileChanges(name="E\u0301va")).name == "\u00c9va"
    assert village.people.change("alice", ProfileChanges(name="\u3000 \u00a0")).name == ""


def test_change_of_email(village: Village, raw: RawClient) -> None:
    """The new email is settled for the user; the old one is free, and so is a cleared one."""
    village.settle("alice", email=OLD)
    me = village.people.change("alice", ProfileChanges(email="NEW@example.org"))
    assert me.email == NEW
    assert (settled(raw, NEW), village.store.run(village.claims.holder(EMAIL, OLD))) == ("alice", None)
    village.settle("bob", email=OLD)

    assert village.people.change("alice", ProfileChanges(email=None)).email is None
    assert village.people.change("bob", ProfileChanges(email=NEW)).email == NEW
    assert (settled(raw, NEW), settled(raw, OLD)) == ("bob", None)
    assert village.store.run(village.traces.of("alice")) == frozenset()


def test_taken_email_is_refused_without_naming_its_owner(village: Village, raw: RawClient) -> None:
    """An email that is taken or being claimed is refused without naming its owner."""
    village.settle("alice", email=OLD)
    village.settle("bob", email=NEW)
    assert village.store.run(village.claims.claim(EMAIL, "soon@example.org", "carol"))

    for email in (NEW, NEW.upper(), "soon@example.org"):
        with pytest.raises(AlreadyTaken) as refused:
            village.people.change("alice", ProfileChanges(email=email, name="Eve"))
        assert "bob" not in str(refused.value)
    assert (held(village, "alice"), settled(raw, OLD)) == (OLD, "alice")
    assert village.people.me("alice").name == ""


def test_own_email_again(village: Village, raw: RawClient) -> None:
    """Setting one's current email, in any case, changes nothing."""
    village.settle("alice", email=OLD)
    for email in (OLD, OLD.upper()):
        assert village.people.change("alice", ProfileChanges(email=email)).email == OLD
    assert settled(raw, OLD) == "alice"


def test_lost_email_is_cleared(village: Village, raw: RawClient) -> None:
    """An account whose claim ended and whose email another user took has no email, and shows none."""
    village.settle("alice", email=OLD)
    village.settle("bob")
    village.store.run(village.accounts.update("alice", {"email": NEW}))
    assert village.store.run(village.claims.claim(EMAIL, NEW, "bob"))
    village.work.try_now("index:alice")

    assert (held(village, "alice"), village.store.run(village.claims.holder(EMAIL, NEW))) == (None, "bob")
    assert (
        village.store.run(village.claims.holder(EMAIL, OLD)),
        village.store.run(village.traces.of("alice")),
    ) == (None, frozenset())


def test_lose_email_spares_another(village: Village) -> None:
    """An email that was changed meanwhile is not cleared."""
    village.settle("alice", email=NEW)
    village.store.run(village.accounts.clear_email("alice", OLD))

    assert held(village, "alice") == NEW


Mend = Callable[[Store, RawClient], None]


def sweep_first(store: Store, raw: RawClient) -> None:
    """The sweep runs before the claims end."""
    sweep(store)
    expire(raw, OLD, NEW)


def expire_first(store: Store, raw: RawClient) -> None:
    """The claims end before the sweep runs."""
    expire(raw, OLD, NEW)
    sweep(store)


@pytest.mark.long
@ONE_ENGINE
@pytest.mark.parametrize("mend", [sweep_first, expire_first])
@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("target", [NEW, None])
def test_crash_at_any_step(
    village: Village, raw: RawClient, mend: Mend, done: bool, target: str | None
) -> None:
    """A crash at any step leaves the old email or the new one settled, and the other free."""
    outcomes = set()
    for step in range(STEPS):
        raw.flushall()
        village.settle("alice", "Alice", OLD)
        crashing = Village(CrashingStore(village.store, step, done=done))
        crashed = _crashes(lambda: crashing.people.change("alice", ProfileChanges(email=target, name="Bob")))  # noqa: B023
        mend(village.store, raw)
        account = village.store.run(village.accounts.find("alice"))
        assert account is not None
        assert (account.email, account.name) in ((OLD, "Alice"), (target, "Bob"))
        for email in (OLD, NEW):
            assert settled(raw, email) == village.store.run(village.claims.holder(EMAIL, email))
            assert (settled(raw, email) == "alice") == (email == account.email)
        assert village.store.run(village.pending_work.all()) == []
        assert members(raw, "*:search:*") == sorted(
            [b"alice\0alice"] + ([b"bob\0alice"] if account.name == "Bob" else [])
        )
        outcomes.add((crashed, account.email))

    made_at_once = target is None and done
    assert outcomes == {(True, target), (False, target)} | (set() if made_at_once else {(True, OLD)})


@ONE_ENGINE
@pytest.mark.parametrize("done", [False, True])
def test_crash_and_somebody_else(village: Village, raw: RawClient, done: bool) -> None:
    """After a crash at any step no email belongs to two users, whoever claims it next."""
    for step in range(STEPS):
        for ended_first in (False, True):
            raw.flushall()
            village.settle("alice", "Alice", OLD)
            village.settle("bob")
            crashing = Village(CrashingStore(village.store, step, done=done))
            _crashes(lambda: crashing.people.change("alice", ProfileChanges(email=NEW)))  # noqa: B023
            if ended_first:
                expire(raw, OLD, NEW)
            for email in (OLD, NEW):
                _try(lambda: village.people.change("bob", ProfileChanges(email=email)))  # noqa: B023
            sweep(village.store)
            owners = [held(village, "alice"), held(village, "bob")]
            assert owners[0] != owners[1] or owners == [None, None]
            for handle, owned in zip(("alice", "bob"), owners, strict=True):
                assert owned is None or settled(raw, owned) == handle


@ONE_ENGINE
def test_crash_and_once_more(village: Village, raw: RawClient) -> None:
    """A user whose change crashed may repeat it at once, or take the old email again."""
    for step in range(STEPS):
        for again in (NEW, OLD):
            raw.flushall()
            village.settle("alice", "Alice", OLD)
            crashing = Village(CrashingStore(village.store, step))
            _crashes(lambda: crashing.people.change("alice", ProfileChanges(email=NEW)))  # noqa: B023
            assert village.people.change("alice", ProfileChanges(email=again)).email == again
            sweep(village.store)
            expire(raw, OLD, NEW)
            assert settled(raw, again) == "alice"
            assert village.store.run(village.claims.holder(EMAIL, OLD if again == NEW else NEW)) is None


def test_one_email_for_many_at_once(village: Village, raw: RawClient) -> None:
    """Of many users who claim one email at once one gets it, and the others are refused."""
    handles = [f"user{number}" for number in range(12)]
    for handle in handles:
        village.settle(handle)
    got, refused = [], []

    def want(handle: str) -> None:
        try:
            village.people.change(handle, ProfileChanges(email=NEW))
            got.append(handle)
        except AlreadyTaken:
            refused.append(handle)

    _at_once([lambda handle=handle: want(handle) for handle in handles])  # type: ignore[misc]
    assert (len(got), len(refused)) == (1, 11)
    assert settled(raw, NEW) == got[0]
    assert [handle for handle in handles if held(village, handle)] == got


def test_one_user_to_and_fro_at_once(village: Village, raw: RawClient) -> None:
    """After concurrent changes of name and email, search finds what the account has."""
    village.settle("alice", "Alice", OLD)
    emails = [OLD, NEW, None, "third@example.org"]
    changes = [ProfileChanges(email=email, name=f"Name{number}") for number, email in enumerate(emails * 3)]
    _at_once([lambda one=one: _try(lambda: village.people.change("alice", one)) for one in changes])  # type: ignore[misc]
    sweep(village.store)
    expire(raw, OLD, NEW, "third@example.org")
    account = village.store.run(village.accounts.find("alice"))
    assert account is not None

    claimed = [email for email in emails if email and settled(raw, email)]
    assert claimed == ([account.email] if account.email else [])
    assert members(raw, "*:search:*") == sorted([b"alice\0alice", f"{account.name.lower()}\0alice".encode()])


def _crashes(change: Callable[[], object]) -> bool:
    try:
        change()
    except Crash:
        return True
    return False


def _try(change: Callable[[], object]) -> None:
    try:
        change()
    except AlreadyTaken:
        return


def _at_once(calls: list[Callable[[], object]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
