"""Registration and login on real stores: races, crashes, and what an attacker may learn or do."""

from __future__ import annotations

import contextlib
import threading
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import argon2
import msgspec
import pytest

from chalicelib.errors import (
    AlreadyTaken,
    BadRequest,
    NotAuthenticated,
    ParleyError,
    PasswordChangeNeeded,
    TooManyRequests,
    WrongCredentials,
)
from chalicelib.schemas.accounts import LoginRequest, PasswordChange
from chalicelib.services.accounts.login import Login, StartedSession
from chalicelib.services.accounts.passwords import Match, Passwords
from chalicelib.services.accounts.registration import Registration
from chalicelib.services.auth.oidc import Identity
from chalicelib.services.values.emails import EMAIL
from chalicelib.services.values.names import Names
from chalicelib.services.values.tokens import digest_of
from chalicelib.store import keys
from chalicelib.store.accounts.accounts import Account
from chalicelib.store.accounts.login_attempts import ADDRESS_FAILURES, PAIR_FAILURES, LoginAttempts
from chalicelib.store.accounts.sessions import Credential, Details, Sessions
from chalicelib.store.redis.client import Store, connect
from tests.servers.engines import Engine
from tests.store.account_records import fields_of
from tests.store.account_services import Crash, CrashingStore, Village, nobody_connected, sweep
from tests.store.log_records import RawClient, settings_for

WORD, OTHER = "correct horse", "battery staple"
HERE, THERE = Details("192.0.2.7", "curl"), Details("198.51.100.9", "phone")
ADDRESS = "ann@example.org"


class CountingPasswords(Passwords):
    """Cheap hashes, with a count of verified passwords."""

    def __init__(self, parameters: str = "m=8,t=1,p=1") -> None:
        super().__init__(parameters)
        self.looked_at: list[str | None] = []

    def verify(self, held: str | None, password: str, doubt: int = 0) -> Match:
        """Count, and verify."""
        self.looked_at.append(held)
        return super().verify(held, password, doubt)


class Door:
    """Registration and login on one store."""

    def __init__(self, store: Store, passwords: CountingPasswords | None = None) -> None:
        self.store, self.village = store, Village(store)
        self.accounts, self.claims = self.village.accounts, self.village.claims
        self.passwords = passwords or CountingPasswords()
        self.sessions = Sessions()
        self.logins = Login(
            store,
            self.accounts,
            self.claims,
            self.sessions,
            LoginAttempts(),
            self.passwords,
            nobody_connected(store),
        )
        self.registration = Registration(
            store,
            Names(open_names=False),
            self.accounts,
            self.passwords,
            self.logins,
            self.village.work,
            nobody_connected(store),
        )

    def register(self, handle: str = "ann", email: str | None = None, password: str = WORD) -> StartedSession:
        """Register from the default address."""
        return self.registration.register(Account(handle=handle, email=email), password, HERE)

    def login(self, handle: str | None = None, password: str = WORD, **fields: Any) -> StartedSession:
        """Log in from the default address, or from the one in `details`."""
        details = fields.pop("details", HERE)
        return self.logins.login(LoginRequest(password=password, handle=handle, **fields), details)

    def is_in(self, entered: StartedSession) -> bool:
        """Return whether a token is good."""
        shown = Credential(entered.handle, digest_of(entered.token))
        query = self.sessions.authenticate(shown, "read", 0, HERE)
        return self.village.store.run(query) is not None


@pytest.fixture
def door(store: Store) -> Door:
    """Registration and login under test."""
    return Door(store)


@pytest.fixture
def busy_door(valkey: Engine) -> Door:
    """Registration and login for many threads."""
    valkey.resume()
    valkey.start()
    valkey.flush()
    return Door(connect(settings_for(valkey)))


def refusal(call: Callable[..., object], *arguments: Any, **fields: Any) -> ParleyError:
    """Return the error that a call raises."""
    with pytest.raises(ParleyError) as raised:
        call(*arguments, **fields)
    return raised.value


def visible(error: ParleyError) -> tuple[bytes, dict[str, str]]:
    """Return what a caller sees of an error."""
    return error.problem(), error.headers


# --- registering --------------------------------------------------------------------------------------------


def test_registration_logs_in_and_stores_only_a_hash(door: Door) -> None:
    """A registration logs the user in, matches the handle in any case, and stores the password as a hash."""
    entered = door.register("Ann.B-1_", ADDRESS.upper())

    assert entered.handle == "ann.b-1_"
    assert door.is_in(entered)
    account = door.store.run(door.accounts.find("ann.b-1_"))
    assert account is not None
    assert (account.email, (account.password or "")[:9]) == (ADDRESS, "$argon2id")
    assert door.store.run(door.claims.holder(EMAIL, ADDRESS)) == "ann.b-1_"
    assert door.village.store.run(door.village.pending_work.all()) == []


@pytest.mark.parametrize("handle", ["", "me", "Admin", "-a", "a b", "a:b", "\u00e5sa", "a" * 33, "a\n"])
def test_what_is_no_handle(door: Door, handle: str) -> None:
    """An invalid handle is refused before the store is asked and the password hashed."""
    assert isinstance(refusal(lambda: door.register(handle)), BadRequest)


def test_taken_handle_and_taken_email_get_the_same_error(door: Door) -> None:
    """The error does not say which is taken, the handle or the email."""
    door.register("ann", ADDRESS)

    handle = refusal(lambda: door.register("ANN", "new@example.org"))
    email = refusal(lambda: door.register("bob", "Ann@Example.org"))

    assert isinstance(handle, AlreadyTaken)
    assert visible(handle) == visible(email)
    assert door.store.run(door.accounts.find("bob")) is None
    assert door.store.run(door.claims.holder(EMAIL, "new@example.org")) is None


def test_200_register_one_handle(busy_door: Door) -> None:
    """Of 200 concurrent registrations of one handle one succeeds; the others' emails are free."""
    outcomes = at_once(200, lambda n: busy_door.register("ann", f"user{n}@example.org", f"{WORD}{n}"))

    (winner,) = (n for n, outcome in enumerate(outcomes) if isinstance(outcome, StartedSession))
    assert sum(isinstance(outcome, AlreadyTaken) for outcome in outcomes) == 199
    held = [
        n for n in range(200) if busy_door.store.run(busy_door.claims.holder(EMAIL, f"user{n}@example.org"))
    ]
    assert held == [winner]
    assert busy_door.login("ann", f"{WORD}{winner}")


def test_50_register_one_email(busy_door: Door) -> None:
    """Of 50 concurrent registrations of one email one succeeds; the others' handles are free."""
    outcomes = at_once(50, lambda n: busy_door.register(f"user{n}", ADDRESS))

    (winner,) = (n for n, outcome in enumerate(outcomes) if isinstance(outcome, StartedSession))
    assert sum(isinstance(outcome, AlreadyTaken) for outcome in outcomes) == 49
    assert busy_door.store.run(busy_door.claims.holder(EMAIL, ADDRESS)) == f"user{winner}"
    assert [n for n in range(50) if busy_door.store.run(busy_door.accounts.find(f"user{n}"))] == [winner]


def at_once(many: int, call: Callable[[int], Any]) -> list[Any]:
    """Make a call `times` times at once; return each result or refusal."""
    barrier = threading.Barrier(many)

    def one(number: int) -> Any:
        barrier.wait()
        try:
            return call(number)
        except ParleyError as error:
            return error

    with ThreadPoolExecutor(many) as pool:
        return list(pool.map(one, range(many)))


def crashes(store: Store) -> Iterator[Door]:
    """Yield stores that crash one query later each time, before or after that query runs."""
    for left in count():
        for done in (False, True):
            crashing = CrashingStore(store, left, done=done)
            yield Door(crashing)
            if crashing._left > 0:
                return


def expire_claims(raw: RawClient) -> None:
    """End the claims that are not settled."""
    for key in raw.scan_iter(match="*:claim:*"):
        left: Any = raw.ttl(key)
        if left >= 0:
            raw.delete(key)


def test_a_crash_anywhere_in_a_registration(engine: Engine, store: Store, raw: RawClient) -> None:
    """After a crash at any step, a sweep and a while, nobody is locked out, and the email is one account's.

    Either the account is there and logs in by handle and by email, or handle and email are free.
    """
    steps = 0
    for broken in crashes(store):
        engine.flush()
        steps += 1
        with contextlib.suppress(Crash):
            broken.register("ann", ADDRESS)
        sweep(store)
        expire_claims(raw)
        door = Door(store)
        if door.store.run(door.accounts.find("ann")) is None:
            door.register("ann", ADDRESS)
        assert door.login("ann").handle == "ann"
        assert door.login(email=ADDRESS).handle == "ann"
        assert isinstance(refusal(door.register, "bob", ADDRESS), AlreadyTaken)
    assert steps > 10


def test_an_email_that_another_took_after_a_crash(engine: Engine, store: Store, raw: RawClient) -> None:
    """An email that a crash left unsettled belongs to the next registration alone, without a sweep."""
    for broken in crashes(store):
        engine.flush()
        with contextlib.suppress(Crash):
            broken.register("ann", ADDRESS)
        expire_claims(raw)
        door = Door(store)
        if (
            door.store.run(door.accounts.find("ann")) is None
            or door.store.run(door.claims.holder(EMAIL, ADDRESS)) == "ann"
        ):
            continue
        assert door.register("bob", ADDRESS, OTHER).handle == "bob"
        assert door.login(email=ADDRESS, password=OTHER).handle == "bob"
        assert isinstance(refusal(door.login, email=ADDRESS), WrongCredentials)
        assert door.login("ann").handle == "ann"
        sweep(store)
        ann, bob = door.store.run(door.accounts.find("ann")), door.store.run(door.accounts.find("bob"))
        assert ann is not None
        assert bob is not None
        assert (ann.email, bob.email) == (None, ADDRESS)


IDENTITY = Identity("https://issuer.example", "ann-1", 0, b"\x07" * 32)


def test_an_identity_whose_deleted_account_is_still_named(engine: Engine, store: Store) -> None:
    """The remains of a call that a deletion overtook do not keep the identity from another handle."""
    door = Door(store)
    door.registration.register_identity(IDENTITY, Account(handle="ann"))
    door.village.deletion.delete("ann")
    assert door.store.run(door.claims.settle("identity", IDENTITY.digest.hex(), "ann"))

    assert door.registration.register_identity(IDENTITY, Account(handle="bob")) == "bob"
    assert door.store.run(door.claims.holder("identity", IDENTITY.digest.hex())) == "bob"


def test_a_crash_anywhere_while_an_identity_chooses_its_handle(engine: Engine, store: Store) -> None:
    """After a crash at any step the same identity gets the same handle at once, and nobody else has it."""
    for broken in crashes(store):
        engine.flush()
        with contextlib.suppress(Crash):
            broken.registration.register_identity(IDENTITY, Account(handle="ann"))
        door = Door(store)
        assert door.registration.register_identity(IDENTITY, Account(handle="ann")) == "ann"
        assert door.store.run(door.claims.holder("identity", IDENTITY.digest.hex())) == "ann"
        other = msgspec.structs.replace(IDENTITY, digest=b"\x08" * 32)
        taken = refusal(door.registration.register_identity, other, Account(handle="ann"))
        again = refusal(door.registration.register_identity, IDENTITY, Account(handle="bob"))
        assert isinstance(taken, AlreadyTaken)
        assert isinstance(again, AlreadyTaken)
        assert door.store.run(door.claims.holder("identity", other.digest.hex())) is None
        assert door.store.run(door.accounts.find("bob")) is None


# --- logging in ---------------------------------------------------------------------------------------------


def test_login_by_handle_username_or_email_in_any_case(door: Door) -> None:
    """A login by handle, username or email, each in any case, starts a new session each time."""
    door.register("ann", ADDRESS)

    entered = [
        door.login("ANN"),
        door.logins.login(LoginRequest(password=WORD, username="Ann"), THERE),
        door.login(email="Ann@Example.ORG"),
    ]

    assert {one.handle for one in entered} == {"ann"}
    assert len({one.token for one in entered}) == 3
    assert all(door.is_in(one) for one in entered)
    assert len(door.store.run(door.sessions.of("ann"))) == 4


@pytest.mark.parametrize(
    "names", [{}, {"handle": "ann", "email": ADDRESS}, {"handle": "ann", "username": "ann"}]
)
def test_login_needs_exactly_one_name(door: Door, names: dict[str, str]) -> None:
    """A login without a name, or with two, is refused."""
    assert isinstance(refusal(lambda: door.login(**names)), BadRequest)


WRONG: dict[str, dict[str, Any]] = {
    "wrong password": {"handle": "ann", "password": OTHER},
    "unknown handle": {"handle": "nobody"},
    "no handle": {"handle": "no body:1"},
    "unknown email": {"email": "nobody@example.org"},
    "wrong password by email": {"email": ADDRESS, "password": OTHER},
    "deleted": {"handle": "gone"},
    "without password": {"handle": "signed"},
    "email of the deleted": {"email": "gone@example.org"},
}


def test_all_wrong_logins_get_the_same_answer(door: Door) -> None:
    """Unknown, deleted, without a password, wrong password: one answer, and one hash is verified for each."""
    door.register("ann", ADDRESS)
    door.register("gone", "gone@example.org")
    door.store.run(door.accounts.delete("gone"))
    door.store.run(door.accounts.create(Account(handle="signed", identity=b"i" * 32)))
    answers, hashes = set(), []
    for fields in WRONG.values():
        door.passwords.looked_at.clear()
        body, headers = visible(refusal(door.login, **fields))
        answers.add((body, tuple(headers.items())))
        hashes.append(len(door.passwords.looked_at))

    assert len(answers) == 1
    assert hashes == [1] * len(WRONG)


class OvertakenPasswords(CountingPasswords):
    """Passwords with outdated parameters; another login comes in while the first is hashed again."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__("m=16,t=1,p=1")
        self._meanwhile: list[Callable[[], object]] = [meanwhile]

    def hash(self, password: str) -> str:
        """Let the other log in first, once."""
        while self._meanwhile:
            self._meanwhile.pop()()
        return super().hash(password)


def test_concurrent_logins_can_both_renew_the_hash(store: Store, door: Door) -> None:
    """After a change of parameters two users can log in at once, and the hash has today's parameters."""
    door.register()
    other = Door(store, CountingPasswords("m=16,t=1,p=1"))
    overtaken = Door(store, OvertakenPasswords(lambda: other.login("ann")))
    entered = overtaken.login("ann")

    assert door.is_in(entered)
    assert len(door.store.run(door.sessions.of("ann"))) == 3
    account = door.store.run(door.accounts.find("ann"))
    assert account is not None
    assert "m=16,t=1,p=1" in (account.password or "")


def test_a_stale_claim_leads_nowhere(door: Door) -> None:
    """An email whose claim the account does not confirm logs nobody in."""
    door.register("ann")
    door.store.run(door.claims.settle(EMAIL, ADDRESS, "ann"))

    assert isinstance(refusal(lambda: door.login(email=ADDRESS)), WrongCredentials)


def test_a_password_changed_while_logging_in(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login whose password changes at that moment gets no session."""
    entered = door.register("ann")
    real = door.passwords.verify

    def changed_meanwhile(held: str | None, password: str, doubt: int) -> Match:
        right = real(held, password, doubt)
        assert door.store.run(door.accounts.set_password("ann", held or "", "$argon2id$new"))
        return right

    monkeypatch.setattr(door.passwords, "verify", changed_meanwhile)

    assert isinstance(refusal(lambda: door.login("ann")), NotAuthenticated)
    assert door.store.run(door.sessions.of("ann")) == []
    assert not door.is_in(entered)


def test_login_renews_an_outdated_hash(store: Store) -> None:
    """A login replaces a hash with outdated parameters, and the password still works."""
    Door(store).register("ann")
    costly = Door(store, CountingPasswords("m=16,t=1,p=1"))

    costly.login("ann")

    account = costly.store.run(costly.accounts.find("ann"))
    assert "$m=16,t=1,p=1$" in (account.password or "" if account else "")
    assert costly.login("ann")


SPELLINGS = [
    ("caf\u00e9 au lait", "cafe\u0301 au lait"),
    ("\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18", "12345678"),
    ("one\u00a0two\u3000three\u1680four", "one two three four"),
    ("\uff21\uff42\uff43 \ufb01sh", "Abc fish"),
]


@pytest.mark.parametrize(("one", "other"), [*SPELLINGS, *((b, a) for a, b in SPELLINGS)])
def test_password_is_the_same_however_it_is_typed(door: Door, one: str, other: str) -> None:
    """A password logs in whatever keyboard's spelling of it registration, change and login use."""
    entered = door.register("ann", password=one)
    assert door.login("ann", other)

    change(door, entered, other, f"{one} again")
    assert door.login("ann", f"{other} again")
    door.store.run(door.accounts.update("ann", {"password": door.passwords.hash("code"), "reset": True}))
    door.login("ann", "code", new_password=one)
    assert door.login("ann", other)
    assert isinstance(refusal(lambda: door.login("ann", one.upper() + "x")), WrongCredentials)


@pytest.mark.parametrize("typed", [raw for _, raw in SPELLINGS[:1]] + [form for form, _ in SPELLINGS[1:]])
def test_hash_of_a_password_as_it_was_typed_is_renewed(door: Door, typed: str) -> None:
    """A hash of a password as typed, without normalization, still verifies; a login then replaces it."""
    door.register("ann")
    old = argon2.PasswordHasher(1, 8, 1).hash(typed)
    door.store.run(door.accounts.update("ann", {"password": old}))
    form = unicodedata.normalize("NFKC", typed).replace("\u1680", " ")
    assert isinstance(refusal(lambda: door.login("ann", form)), WrongCredentials)

    assert door.login("ann", typed)
    account = door.store.run(door.accounts.find("ann"))
    assert account is not None
    assert account.password != old
    for spelling in (form, typed):
        assert door.login("ann", spelling)


def test_hash_as_it_was_typed_may_be_changed(door: Door) -> None:
    """A user with such a hash can change the password by typing it as before."""
    entered = door.register("ann")
    typed = SPELLINGS[0][1]
    door.store.run(door.accounts.update("ann", {"password": argon2.PasswordHasher(1, 8, 1).hash(typed)}))

    change(door, entered, typed, OTHER)
    assert door.login("ann", OTHER)


def test_a_password_for_one_login(door: Door) -> None:
    """A password that must be changed allows nothing but the change, and is invalid after it."""
    door.register("ann")
    door.store.run(door.accounts.update("ann", {"reset": True}))

    assert isinstance(refusal(lambda: door.login("ann")), PasswordChangeNeeded)
    assert isinstance(refusal(lambda: door.login("ann", OTHER)), WrongCredentials)
    assert isinstance(refusal(lambda: door.login("ann", new_password="short")), BadRequest)
    assert door.is_in(door.login("ann", new_password=OTHER))
    assert isinstance(refusal(lambda: door.login("ann")), WrongCredentials)
    assert door.login("ann", OTHER)


def test_required_password_change_is_no_failed_login(door: Door) -> None:
    """A correct password with a required change does not count as a failed login."""
    door.register("ann")
    door.store.run(door.accounts.update("ann", {"reset": True}))
    for _ in range(PAIR_FAILURES + 1):
        assert isinstance(refusal(lambda: door.login("ann")), PasswordChangeNeeded)

    assert door.login("ann", new_password=OTHER)


# --- too many failures --------------------------------------------------------------------------------------


def test_failures_from_here(door: Door) -> None:
    """After ten failures from an address even the right password is refused; Retry-After has the wait."""
    door.register("ann")
    for _ in range(PAIR_FAILURES):
        assert isinstance(refusal(lambda: door.login("ann", OTHER)), WrongCredentials)
    door.passwords.looked_at.clear()

    error = refusal(lambda: door.login("ann"))

    assert isinstance(error, TooManyRequests)
    assert 800 < int(error.headers["Retry-After"]) <= 901
    assert door.passwords.looked_at == []
    assert door.login("ann", details=THERE)


def test_failures_from_elsewhere_lock_nobody_out(door: Door) -> None:
    """Failures from elsewhere lock no user out: a login from here succeeds at once, without a delay."""
    door.register("ann")
    for number in range(5):
        for _ in range(PAIR_FAILURES):
            refusal(door.login, "ann", OTHER, details=Details(f"203.0.113.{number}"))

    assert door.login("ann")


def test_name_under_attack_is_tried_from_one_address_now_and_then(door: Door) -> None:
    """During an attack on a name a second attempt from one address gets a 429, account or not."""
    door.register("ann")
    for name in ("ann", "nobody"):
        for number in range(40):
            refusal(door.login, name, OTHER, details=Details(f"203.0.113.{number}"))
        assert isinstance(refusal(lambda name=name: door.login(name, OTHER)), WrongCredentials)
        door.passwords.looked_at.clear()

        error = refusal(lambda name=name: door.login(name))
        assert isinstance(error, TooManyRequests)
        assert error.headers["Retry-After"] in ("1", "2")
        assert door.passwords.looked_at == []


def test_login_that_finds_no_turn_has_not_failed(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """A login whose password was not verified, for lack of a free turn, does not count as a failure."""
    door.register("ann")

    def busy(*_: object) -> Match:
        raise TooManyRequests("Too many.")

    with monkeypatch.context() as patch:
        patch.setattr(door.passwords, "verify", busy)
        for _ in range(2 * ADDRESS_FAILURES):
            assert isinstance(refusal(lambda: door.login("ann")), TooManyRequests)

    assert door.login("ann")


def test_failures_as_whomever(door: Door) -> None:
    """Fifty failures from an address, for any names of any kind, refuse its logins."""
    for number in range(ADDRESS_FAILURES):
        name = [{"handle": f"user{number}"}, {"email": f"user{number}@example.org"}][number % 2]
        assert isinstance(refusal(door.login, **name), WrongCredentials)

    assert isinstance(refusal(lambda: door.login("ann")), TooManyRequests)
    assert isinstance(refusal(lambda: door.login("ann", details=THERE)), WrongCredentials)


def test_200_logins_at_once(busy_door: Door) -> None:
    """At most ten of 200 concurrent wrong logins have their password verified."""
    busy_door.register("ann")
    busy_door.passwords.looked_at.clear()

    outcomes = at_once(200, lambda _: busy_door.login("ann", OTHER))

    assert len(busy_door.passwords.looked_at) <= PAIR_FAILURES
    assert {type(outcome) for outcome in outcomes} <= {WrongCredentials, TooManyRequests}
    assert isinstance(refusal(lambda: busy_door.login("ann")), TooManyRequests)


def test_nobody_learns_whose_an_email_is(door: Door) -> None:
    """Failures by handle do not affect logins by email, so neither reveals the other."""
    door.register("ann", ADDRESS)
    for names in ({"handle": "ann"}, {"email": ADDRESS}):
        for _ in range(PAIR_FAILURES):
            assert isinstance(refusal(door.login, **names, password=OTHER), WrongCredentials)
        assert isinstance(refusal(door.login, **names), TooManyRequests)


def test_no_name_is_counted_as_another(door: Door, raw: RawClient) -> None:
    """Texts that are no valid names share one count, so that none can collide with a chosen name."""
    for name in ("ann:2001:db8::", "ann:", ":192.0.2.7", "a" * 500, "\u00c5"):
        refusal(door.login, name)

    found = {key.decode().partition(":")[2] for key in raw.scan_iter(match="*:tries:*")}
    assert found == {"tries::192.0.2.7", "tries::"}


# --- changing the password ----------------------------------------------------------------------------------


def change(door: Door, entered: StartedSession, password: str, new: str, details: Details = HERE) -> None:
    """Change a password in a session."""
    wanted = PasswordChange(password=password, new_password=new)
    door.logins.change_password(entered.handle, wanted, digest_of(entered.token), details.address)


def test_changed_password_ends_all_other_sessions(door: Door) -> None:
    """A changed password ends all other sessions, keeps the caller's, and is the only valid one."""
    entered, elsewhere = door.register("ann"), door.login("ann")

    change(door, entered, WORD, OTHER)

    assert (door.is_in(entered), door.is_in(elsewhere)) == (True, False)
    assert isinstance(refusal(lambda: door.login("ann")), WrongCredentials)
    assert door.login("ann", OTHER)


def test_change_with_a_wrong_password(door: Door) -> None:
    """A password change needs the current password; guesses count as failed logins, then are refused."""
    entered = door.register("ann")
    for _ in range(PAIR_FAILURES):
        assert isinstance(refusal(lambda: change(door, entered, OTHER, "x" * 8)), WrongCredentials)

    assert isinstance(refusal(lambda: change(door, entered, WORD, "x" * 8)), TooManyRequests)
    assert isinstance(refusal(lambda: door.login("ann")), TooManyRequests)
    assert door.login("ann", details=THERE)


@pytest.mark.parametrize("new", ["short", "x" * 1025])
def test_change_to_what_is_no_password(door: Door, new: str) -> None:
    """An invalid new password changes nothing, and does not count as a failed login."""
    entered = door.register("ann")

    assert isinstance(refusal(lambda: change(door, entered, WORD, new)), BadRequest)
    assert door.login("ann")


def test_two_change_at_once(busy_door: Door) -> None:
    """Of several concurrent changes of one password one succeeds, and its password is valid."""
    entered = busy_door.register("ann")
    outcomes = at_once(8, lambda n: change(busy_door, entered, WORD, f"{OTHER}{n}", Details(f"192.0.2.{n}")))

    (winner,) = (n for n, outcome in enumerate(outcomes) if outcome is None)
    assert busy_door.login("ann", f"{OTHER}{winner}", details=THERE)


def test_nothing_of_a_password_is_stored(door: Door, raw: RawClient) -> None:
    """Neither a password nor a token is anywhere in the store."""
    entered = door.register("ann", ADDRESS, "a-very-secret-word")
    refusal(lambda: door.login("ann", "another-secret-word"))
    secret = entered.token.removeprefix("parley_").partition(".")[0]
    for key in raw.scan_iter():
        node = (
            raw.get_node_from_key(key.decode()).redis_connection if hasattr(raw, "get_node_from_key") else raw
        )
        dumped: Any = node.dump(key)
        for word in (b"secret-word", secret.encode()):
            assert word not in dumped
    assert fields_of(raw, keys.user("ann"))["password"].startswith(b"$argon2id$")
