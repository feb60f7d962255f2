"""User connections: tickets, presence and watchers, on every kind of store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.config import Secret
from chalicelib.errors import StoreFull
from chalicelib.store import keys
from chalicelib.store.accounts.accounts import Accounts
from chalicelib.store.inbox.entries import InboxEntry, InboxState, UpdatedEntry
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.realtime import user_connections as presence_module
from chalicelib.store.realtime.connection_results import (
    ConnectAttempt,
    ConnectOutcome,
    PresenceChange,
    Recipient,
    ShownPresence,
)
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store, connect
from tests.servers.engines import Engine
from tests.store.account_records import HOUR, clock, fields_of, write_account, write_session, write_tombstone
from tests.store.connected_users import LEASE, OTHER_SESSION, SESSION, TICKET, People, without_memory
from tests.store.log_records import RawClient, settings_for

pytestmark = pytest.mark.cluster_smoke

NOBODY = PresenceChange(changed=False, seen=0, watchers=[])


@pytest.fixture
def people(store: Store, raw: RawClient) -> People:
    """The users under test."""
    return People(store, raw)


@pytest.fixture
def session(raw: RawClient) -> bytes:
    """A session of ann's."""
    now = clock(raw)
    write_account(raw, "ann")
    write_session(raw, "ann", SESSION, now, now, now + HOUR)
    return SESSION


# --- coming in ---------------------------------------------------------------------------


def test_stored_user_connection_matches_the_documented_layout(
    people: People, raw: RawClient, session: bytes
) -> None:
    """A stored user connection has the documented layout."""
    before = clock(raw)
    people.store.run(people.connections.connect("ann", None, session, "c1", protobuf=True))

    (held,) = fields_of(raw, keys.user_connections("ann")).values()
    expiry = int.from_bytes(held[:8])
    assert before + LEASE <= expiry <= clock(raw) + LEASE
    assert held[8:] == bytes([2]) + session
    assert people.leases() == {"ann\0c1": expiry}
    assert people.ready("c1") == PresenceChange(changed=True, seen=0, watchers=[])
    assert fields_of(raw, keys.user_connections("ann"))["c1"][8:] == bytes([3]) + session
    assert people.store.run(people.connections.recipients(["ann"])) == [Recipient("c1", True)]


@pytest.mark.parametrize("room", [None, "r-tea"])
def test_ticket_opens_one_connection_of_its_session(
    people: People, raw: RawClient, session: bytes, room: str | None
) -> None:
    """A ticket opens one connection, for the session and room that it was made for."""
    people.store.run(people.connections.ticket("ann", TICKET, session, room))
    life: Any = raw.pttl(keys.ticket("ann", TICKET.hex()))
    assert 0 < life <= 30_000

    def enter(connection: str) -> ConnectAttempt:
        return people.store.run(people.connections.connect("ann", TICKET, b"", connection, protobuf=False))

    assert enter("c1") == ConnectAttempt(ConnectOutcome.OK, session, room)
    assert enter("c2") == ConnectAttempt(ConnectOutcome.NO_TICKET, b"", None)
    assert fields_of(raw, keys.user_connections("ann")).keys() == {"c1"}


def test_a_ticket_is_its_users(people: People, session: bytes) -> None:
    """Another user cannot connect by a ticket, and the attempt does not use it up."""
    people.store.run(people.connections.ticket("ann", TICKET, session, None))

    theirs = people.connections.connect("bob", TICKET, b"", "c1", protobuf=False)
    assert people.store.run(theirs).outcome is ConnectOutcome.NO_TICKET
    own = people.connections.connect("ann", TICKET, b"", "c2", protobuf=False)
    assert people.store.run(own).outcome is ConnectOutcome.OK


def test_a_ticket_of_no_session(people: People) -> None:
    """An open server makes tickets for names."""
    people.store.run(people.connections.ticket("anna bß", TICKET, b"", None))

    query = people.connections.connect("anna bß", TICKET, OTHER_SESSION, "c1", protobuf=False)
    assert people.store.run(query) == ConnectAttempt(ConnectOutcome.OK, b"", None)


def test_two_connect_at_once(engine: Engine, people: People, raw: RawClient, session: bytes) -> None:
    """Of several concurrent connects with one ticket one succeeds."""
    stores = [connect(settings_for(engine)) for _ in range(4)]
    with ThreadPoolExecutor(len(stores)) as pool:
        for turn in range(10):
            people.store.run(people.connections.ticket("ann", TICKET, session, None))

            def enter(number: int, turn: int = turn) -> ConnectOutcome:
                query = UserConnections(LEASE).connect("ann", TICKET, b"", f"{turn}-{number}", protobuf=False)
                return stores[number].run(query).outcome

            outcomes = list(pool.map(enter, range(len(stores))))
            assert sorted(outcomes) == [ConnectOutcome.OK, *[ConnectOutcome.NO_TICKET] * 3]
    assert len(fields_of(raw, keys.user_connections("ann"))) == 10


@pytest.mark.parametrize("ends", ["gone", "expired", "deleted"])
@pytest.mark.parametrize("ticket", [TICKET, None])
def test_a_session_that_ended(
    people: People, raw: RawClient, session: bytes, ends: str, ticket: bytes | None
) -> None:
    """A ticket is refused after its session or its account ended."""
    people.store.run(people.connections.ticket("ann", TICKET, session, None))
    if ends == "gone":
        raw.delete(keys.sessions("ann"))
    elif ends == "expired":
        write_session(raw, "ann", SESSION, 1, 1, clock(raw))
    else:
        write_tombstone(raw, "ann")

    query = people.connections.connect("ann", ticket, session, "c1", protobuf=False)
    assert people.store.run(query) == ConnectAttempt(ConnectOutcome.NO_SESSION, b"", None)
    assert not raw.exists(keys.user_connections("ann"))
    assert not people.leases()


def test_name_of_a_deleted_account_cannot_connect(people: People, raw: RawClient) -> None:
    """The name of a deleted account can't connect."""
    write_tombstone(raw, "ann")

    assert people.connect("c1") is ConnectOutcome.NO_SESSION


def test_live_connections_of_a_user_are_limited(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's live connections are limited; expired ones do not count, nor does the same one again."""
    monkeypatch.setattr(presence_module, "MAX_CONNECTIONS", 2)

    outcomes = [people.connect(one) for one in ("c1", "c2", "c2", "c3")]
    assert outcomes == [*[ConnectOutcome.OK] * 3, ConnectOutcome.TOO_MANY]
    people.age("c1")
    assert people.connect("c3") is ConnectOutcome.OK
    assert people.connect("c1", "bob") is ConnectOutcome.OK


# --- online and offline ---------------------------------------------------------------------------


def test_hello_makes_online(people: People) -> None:
    """A user is online from the first hello on; another hello changes nothing."""
    assert people.shown() is None
    people.connect("c1")
    assert people.shown() == ShownPresence(online=False, seen=0)
    assert people.recipients("ann") == []

    assert people.ready("c1") == PresenceChange(changed=True, seen=0, watchers=[])
    assert people.shown() == ShownPresence(online=True, seen=0)
    assert people.ready("c1") == NOBODY
    assert not people.come("c2")
    assert people.recipients("ann", "bob") == ["c1", "c2"]


def test_user_goes_offline_with_the_last_ready_connection(people: People, raw: RawClient) -> None:
    """A user is offline when the last ready connection ends, which is reported once."""
    people.come("c1")
    people.come("c2")
    people.connect("c3")
    assert people.drop("c1") == NOBODY
    assert people.online()

    before = clock(raw)
    gone = people.drop("c2")
    assert gone.changed
    assert before <= gone.seen <= clock(raw)
    assert people.shown() == ShownPresence(online=False, seen=gone.seen)
    assert people.drop("c2") == people.drop("c3") == people.drop("c9") == NOBODY
    assert people.shown() == ShownPresence(online=False, seen=gone.seen)
    assert not people.leases()
    assert not raw.exists(keys.user_connections("ann"))


def test_the_old_closes_after_the_new_opened(people: People) -> None:
    """A user who opens another connection before the old one closes stays online and reachable."""
    people.come("old")
    assert not people.come("new")

    assert people.drop("old") == NOBODY
    assert people.online()
    assert people.recipients("ann") == ["new"]


def test_a_connection_that_expired(people: People) -> None:
    """An expired connection is neither shown, pushed to, renewed nor ready, before any sweep."""
    people.come("c1")
    expiry = people.age("c1")

    assert people.shown() == ShownPresence(online=False, seen=expiry)
    assert people.recipients("ann") == []
    assert not people.store.run(people.connections.renew("ann", "c1"))
    assert people.ready("c1") is None
    assert people.expired() == [("ann", "c1")]

    assert people.drop("c1") == PresenceChange(changed=True, seen=expiry, watchers=[])
    assert people.drop("c1") == NOBODY
    assert people.expired() == []
    assert people.shown() == ShownPresence(online=False, seen=expiry)


def test_several_that_expired(people: People) -> None:
    """Of several expired connections the first drop reports offline, as of the last expiry."""
    people.come("c1")
    people.come("c2")
    people.age("c1", by=3 * LEASE)
    last = people.age("c2")

    assert people.shown() == ShownPresence(online=False, seen=last)
    assert people.drop("c1") == PresenceChange(changed=True, seen=last, watchers=[])
    assert people.expired() == [("ann", "c2")]
    assert people.drop("c2") == NOBODY
    assert people.expired() == []


def test_coming_back_before_the_sweep(people: People) -> None:
    """A user who returns after an expiry is online again; dropping the old connection changes nothing."""
    people.come("c1")
    people.age("c1")
    assert people.come("c2")

    assert people.drop("c1") == NOBODY
    assert people.online()


def test_last_seen_never_falls(people: People) -> None:
    """A connection that expired long ago does not lower the last-seen time."""
    people.come("c1")
    people.come("c2")
    people.age("c1", by=9 * LEASE)
    seen = people.drop("c2").seen
    people.come("c3")
    people.age("c3", by=9 * LEASE)

    assert people.drop("c3").seen == seen


def test_leases_that_are_too_long(people: People) -> None:
    """Leases longer than today's maximum are found, and no others; a renewal shortens them."""
    people.come("c1")
    people.come("c2")
    people.age("c2", by=-HOUR)

    assert (people.expired(), people.too_long()) == ([], [("ann", "c2")])
    assert people.store.run(people.connections.renew("ann", "c2"))
    assert people.too_long() == []


def test_nobody_was_last_online_in_the_future(people: People, raw: RawClient) -> None:
    """A last-seen time in the future is shown as now, and is replaced by the next disconnection."""
    raw.set(keys.last_seen("ann"), clock(raw) + HOUR)
    people.connect("c0")
    shown = people.shown()
    assert shown is not None
    assert 0 < shown.seen <= clock(raw)

    people.come("c1")
    assert people.drop("c1").seen <= clock(raw)
    assert int(raw.get(keys.last_seen("ann")) or 0) <= clock(raw)


def test_a_ticket_of_a_clock_that_fell_back(people: People, raw: RawClient) -> None:
    """A ticket that would live longer than the maximum is refused and deleted."""
    people.store.run(people.connections.ticket("ann", TICKET, b"", None))
    raw.pexpire(keys.ticket("ann", TICKET.hex()), 3_600_000)

    query = people.connections.connect("ann", TICKET, b"", "c1", protobuf=False)
    assert people.store.run(query).outcome is ConnectOutcome.NO_TICKET
    assert not raw.exists(keys.ticket("ann", TICKET.hex()))


def test_watchers_of_a_clock_that_fell_back(people: People, raw: RawClient) -> None:
    """A watcher whose lease is too long gets one from now when another user watches."""
    watch = people.connections.watch
    people.store.run(watch("ann", "w1", "bob", protobuf=True))
    held: Any = raw.hget(keys.watchers("ann"), "w1")
    raw.hset(keys.watchers("ann"), "w1", (int.from_bytes(held[:8]) + HOUR).to_bytes(8) + held[8:])

    people.store.run(watch("ann", "w2", "cid", protobuf=False))
    after: Any = raw.hget(keys.watchers("ann"), "w1")
    assert int.from_bytes(after[:8]) <= clock(raw) + LEASE
    assert after[8:] == held[8:]


def test_renewed_connection_lives_one_more_lease(people: People, raw: RawClient) -> None:
    """A renewed connection lives for one lease from then on."""
    people.come("c1")
    people.age("c1", by=LEASE // 2)
    before = clock(raw)

    assert people.store.run(people.connections.renew("ann", "c1"))
    assert people.leases()["ann\0c1"] >= before + LEASE
    assert people.online()
    assert not people.store.run(people.connections.renew("ann", "c2"))


@pytest.mark.parametrize("step", ["renew", "ready"])
@pytest.mark.parametrize("ends", ["session", "account"])
def test_connection_of_an_ended_session_is_refused(
    people: People, raw: RawClient, session: bytes, step: str, ends: str
) -> None:
    """A connection whose session ended is refused at a renewal or hello, and then due to be swept."""
    people.come("c1", session=session)
    raw.delete(keys.sessions("ann"))
    if ends == "account":
        write_tombstone(raw, "ann")

    if step == "renew":
        assert not people.store.run(people.connections.renew("ann", "c1"))
    else:
        assert people.ready("c1") is None
    assert people.expired() == [("ann", "c1")]
    assert people.drop("c1").changed


def test_ended_session_ends_only_its_own_connections(people: People, raw: RawClient, session: bytes) -> None:
    """The connections of a session end with it, and no others; each drop then reports offline."""
    now = clock(raw)
    write_session(raw, "ann", OTHER_SESSION, now, now, now + HOUR)
    for connection, one in (("c1", session), ("c2", session), ("c3", OTHER_SESSION), ("c4", b"")):
        people.come(connection, session=one)

    def end(prefix: bytes, keep: bytes = b"") -> list[str]:
        ended = people.store.run(people.connections.drop_session("ann", prefix, keep))
        return sorted(recipient.connection for recipient in ended)

    assert end(b"none") == []
    assert end(session[:8]) == end(session[:8]) == ["c1", "c2"]
    assert people.recipients("ann") == ["c3", "c4"]
    assert sorted(people.expired()) == [("ann", "c1"), ("ann", "c2")]
    assert people.drop("c1") == people.drop("c2") == NOBODY
    assert end(b"", OTHER_SESSION) == ["c4"]
    assert people.drop("c4") == NOBODY
    assert end(b"") == ["c3"]
    assert not people.online()
    assert people.drop("c3").changed


def test_deleted_user_was_never_online_and_is_swept(people: People, raw: RawClient) -> None:
    """A deleted user counts as never connected, nobody is notified, and the sweep removes the rest."""
    write_account(raw, "ann")
    people.come("c1")
    people.come("c2")
    people.drop("c1")
    people.store.run(people.connections.watch("ann", "w1", "bob", protobuf=False))

    assert people.store.run(Accounts().delete("ann"))
    assert people.shown() is None
    assert people.recipients("ann") == []
    assert not people.store.run(people.connections.renew("ann", "c2"))
    assert people.expired() == [("ann", "c2")]
    assert people.drop("c2").watchers == []
    assert not raw.exists(keys.user_connections("ann"))
    assert not raw.exists(keys.last_seen("ann"))
    assert people.shown() is None


def test_the_sweep_finds_all(people: People) -> None:
    """The sweep finds expired connections of every partition, oldest first, in batches, and no live ones."""
    for number in range(300):
        people.connect("c", f"user{number}")
    aged = [f"user{number}" for number in range(0, 300, 3)]
    for handle in aged:
        people.age("c", handle)
    assert sorted(people.expired()) == sorted((handle, "c") for handle in aged)

    for number in range(5):
        people.connect(f"c{number}")
        people.age(f"c{number}", by=(9 - number) * LEASE)
    assert [one for handle, one in people.expired(3) if handle == "ann"] == ["c0", "c1", "c2"]


def test_an_account_that_never_connected(people: People, raw: RawClient) -> None:
    """An account that never connected is offline and has no last-seen time."""
    write_account(raw, "ann")

    assert people.shown() == ShownPresence(online=False, seen=0)


# --- watchers ------------------------------------------------------------------------------


def test_watcher_gets_each_change_until_it_ends(people: People) -> None:
    """A watcher gets the current presence and each change, until it stops or expires."""
    watch = people.connections.watch
    assert people.store.run(watch("ann", "w1", "bob", protobuf=False)) is None
    people.connect("c1")
    assert people.store.run(watch("ann", "w2", "cid", protobuf=True)) == ShownPresence(online=False, seen=0)

    came = people.ready("c1")
    assert came is not None
    assert sorted(came.watchers) == [Recipient("w1", False), Recipient("w2", True)]
    assert people.store.run(watch("ann", "w3", "dan", protobuf=False)) == ShownPresence(online=True, seen=0)
    people.store.run(people.connections.unwatch("ann", "w1"))
    people.age_watcher("w2")
    people.come("c2")
    assert people.drop("c2").watchers == []
    assert people.drop("c1").watchers == [Recipient("w3", False)]
    assert fields_of(people.raw, keys.watchers("ann")).keys() == {"w3"}


def test_watchers_expire_one_lease_after_the_last(people: People, raw: RawClient) -> None:
    """Watchers expire one lease after the last of them; watching again renews them."""
    people.store.run(people.connections.watch("ann", "w1", "bob", protobuf=False))
    people.age_watcher("w1")
    raw.pexpire(keys.watchers("ann"), 100_000)

    people.store.run(people.connections.watch("ann", "w1", "bob", protobuf=False))

    life: Any = raw.pttl(keys.watchers("ann"))
    assert 100_000 < life <= LEASE // 1000
    people.connect("c1")
    came = people.ready("c1")
    assert came is not None
    assert came.watchers == [Recipient("w1", False)]


def test_the_blocked_learn_nothing(people: People) -> None:
    """A blocked user sees no presence, and gets no change of it."""
    people.store.run(people.connections.watch("ann", "w1", "bob", protobuf=False))
    people.store.run(people.connections.watch("ann", "w2", "cid", protobuf=False))
    people.block("bob")

    people.connect("c1")
    came = people.ready("c1")
    assert came is not None
    assert came.watchers == [Recipient("w2", False)]
    assert people.shown(reader="bob") == ShownPresence(online=False, seen=0)
    again = people.connections.watch("ann", "w3", "bob", protobuf=False)
    assert people.store.run(again) == ShownPresence(online=False, seen=0)
    assert people.drop("c1").watchers == [Recipient("w2", False)]
    assert people.shown(reader="bob") == ShownPresence(online=False, seen=0)
    assert people.shown(reader="cid") != ShownPresence(online=False, seen=0)


def test_watcher_beyond_the_maximum_gets_no_changes(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watcher beyond the maximum gets the current presence, and no changes; an existing one is renewed."""
    monkeypatch.setattr(presence_module, "MAX_WATCHERS", 2)
    people.connect("c1")
    for connection in ("w1", "w2", "w3", "w1"):
        shown = people.store.run(people.connections.watch("ann", connection, "bob", protobuf=False))
        assert shown == ShownPresence(online=False, seen=0)
    assert fields_of(people.raw, keys.watchers("ann")).keys() == {"w1", "w2"}

    people.age_watcher("w1")
    people.store.run(people.connections.watch("ann", "w3", "bob", protobuf=False))
    assert fields_of(people.raw, keys.watchers("ann")).keys() == {"w2", "w3"}


# --- delivery --------------------------------------------------------------------------------------


def test_delivering_replies_connections(people: People, raw: RawClient) -> None:
    """A delivery returns the ready connections of members who are not deleted, also when repeated."""
    people.come("a1")
    people.connect("a2")
    people.come("b1", "bob")
    people.come("b2", "bob")
    people.come("x1", "cid")
    people.come("d1", "dan")
    people.age("b2", "bob")
    write_tombstone(raw, "dan")
    inboxes = Inboxes()

    def delivered(chat: str, *handles: str) -> list[Recipient]:
        return sorted(people.store.run(inboxes.deliver(chat, 10, handles)))

    assert delivered("ann:bob", "ann", "bob") == [Recipient("a1", False), Recipient("b1", False)]
    assert delivered("ann:bob", "ann", "bob") == [Recipient("a1", False), Recipient("b1", False)]
    assert delivered("g-1", "ann", "dan") == [Recipient("a1", False)]


@pytest.mark.parametrize("state", InboxState)
def test_placing_replies_connections(people: People, raw: RawClient, state: InboxState) -> None:
    """A new inbox entry of a large chat returns the user's connections; for a deleted account, none."""
    people.come("a1")
    people.connect("a2")
    recipients = [Recipient("a1", False)] if state is InboxState.LARGE else []
    placing = [Inboxes().update("g-1", InboxEntry("ann", 5, state, 7))]

    assert people.store.run_all(placing) == people.store.run_all(placing) == [UpdatedEntry(True, recipients)]
    assert people.store.run(Inboxes().large("ann")) == ["g-1"] * len(recipients)
    write_tombstone(raw, "ann")
    assert people.store.run_all(placing) == [UpdatedEntry(False, [])]


def test_full_store_still_renews_and_drops_connections(engine: Engine, people: People) -> None:
    """Without memory connections are still renewed, shown, ended and dropped; none is added."""
    people.come("c1")
    with without_memory(engine):
        assert people.store.run(people.connections.renew("ann", "c1"))
        assert people.online()
        assert people.recipients("ann") == ["c1"]
        with pytest.raises(StoreFull):
            people.connect("c2")
        assert people.store.run(people.connections.drop_session("ann", b"")) == [Recipient("c1", False)]
        assert people.expired() == [("ann", "c1")]
        assert people.drop("c1").changed
    assert not people.online()


def test_every_key_is_declared(engine: Engine, raw: RawClient) -> None:
    """A store user with access to declared keys only can run every branch of the scripts."""
    kinds = (
        keys.user,
        keys.sessions,
        keys.user_connections,
        keys.last_seen,
        keys.leases,
        keys.watchers,
        keys.blocked,
    )
    names = [kind("ann") for kind in kinds] + [keys.ticket("ann", TICKET.hex()), *keys.all_of(keys.leases)]
    rules = ["on", ">pass", "+@all", *(f"~{name}" for name in names)]
    for node in engine.nodes:
        node.execute_command("ACL SETUSER", "narrow", *rules)
    try:
        narrow = connect(settings_for(engine, redis_user="narrow", redis_password=Secret("pass")))
        people = People(narrow, raw)
        narrow.run(people.connections.ticket("ann", TICKET, b"", "r-tea"))
        narrow.run(people.connections.connect("ann", TICKET, b"", "c1", protobuf=False))
        narrow.run(people.connections.watch("ann", "w1", "bob", protobuf=False))
        assert people.ready("c1") is not None
        assert people.recipients("ann") == ["c1"]
        assert narrow.run(people.connections.renew("ann", "c1"))
        assert narrow.run(people.connections.drop_session("ann", b"")) == [Recipient("c1", False)]
        assert people.expired() == [("ann", "c1")]
        people.age_watcher("w1")
        assert people.drop("c1").changed
        assert people.shown() is not None
    finally:
        for node in engine.nodes:
            node.execute_command("ACL DELUSER", "narrow")
