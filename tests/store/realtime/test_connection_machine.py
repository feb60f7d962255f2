"""Connections against a model: tickets, hellos, leases, sessions and drops in any order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from chalicelib.store import keys
from chalicelib.store.accounts.sessions import Sessions
from chalicelib.store.realtime.connection_results import ConnectOutcome, Recipient
from chalicelib.store.redis.client import Store
from tests.servers.engines import Engine, ValkeyEngine
from tests.store.account_records import HOUR, clock, write_account, write_session
from tests.store.connected_users import OTHER_SESSION, SESSION, People
from tests.store.log_records import RawClient

pytestmark = pytest.mark.long

CONNECTIONS = st.sampled_from([f"c{number}" for number in range(4)])
SESSIONS = st.sampled_from([SESSION, OTHER_SESSION])
TICKETS = st.sampled_from([bytes([number]) * 32 for number in range(4)])


def names(recipients: list[Recipient]) -> set[str]:
    """Return the ids of connections."""
    return {recipient.connection for recipient in recipients}


@dataclass
class Modelled:
    """A connection as it should be; live: it has neither expired nor ended. session: its token's digest."""

    session: bytes
    ready: bool = False
    live: bool = True


class ConnectionMachine(RuleBasedStateMachine):
    """Does the same to a store and to a dictionary, and compares after each step.

    notified: the presence by all notices alone.
    """

    def __init__(self, engine: Engine, store: Store, raw: RawClient, done: Counter[str]) -> None:
        super().__init__()
        engine.flush()
        self._store, self._raw, self._done = store, raw, done
        self._people = People(store, raw)
        self._connections = self._people.connections
        self._held: dict[str, Modelled] = {}
        self._tickets: dict[bytes, bytes] = {}
        self._sessions: set[bytes] = set()
        self._notified = False
        write_account(raw, "ann")
        store.run(self._connections.watch("ann", "w1", "bob", protobuf=False))
        for session in (SESSION, OTHER_SESSION):
            self.log_in(session)

    def _online(self) -> bool:
        return any(one.live and one.ready for one in self._held.values())

    @rule(session=SESSIONS)
    def log_in(self, session: bytes) -> None:
        """Begin a session."""
        now = clock(self._raw)
        write_session(self._raw, "ann", session, now, now, now + HOUR)
        self._sessions.add(session)

    @rule(session=SESSIONS, tell=st.booleans())
    def log_out(self, session: bytes, tell: bool) -> None:
        """End a session and its connections, unless the process crashes in between."""
        self._store.run(Sessions().end("ann", session[:8].hex()))
        self._sessions.discard(session)
        if tell:
            ended = names(self._store.run(self._connections.drop_session("ann", session[:8])))
            assert ended == {name for name, one in self._held.items() if one.session == session}
            for name in ended:
                self._held[name].live = False

    @rule(keep=st.sampled_from([b"", SESSION]))
    def end_connections(self, keep: bytes) -> None:
        """End all connections, or all but those of a session; the sessions go on."""
        ended = names(self._store.run(self._connections.drop_session("ann", b"", keep)))
        assert ended == {name for name, one in self._held.items() if one.session != keep}
        for name in ended:
            self._held[name].live = False

    @rule(ticket=TICKETS, session=SESSIONS)
    def make_ticket(self, ticket: bytes, session: bytes) -> None:
        """Make a ticket for a session, which may end before it is used."""
        self._store.run(self._connections.ticket("ann", ticket, session, None))
        self._tickets[ticket] = session

    @rule(ticket=TICKETS, connection=CONNECTIONS)
    def connect(self, ticket: bytes, connection: str) -> None:
        """Connect by a ticket; connections have ids of their own."""
        if connection in self._held:
            return
        query = self._connections.connect("ann", ticket, b"", connection, protobuf=False)
        outcome = self._store.run(query).outcome
        session = self._tickets.pop(ticket, None)
        if session is None:
            assert outcome is ConnectOutcome.NO_TICKET
        elif session not in self._sessions:
            assert outcome is ConnectOutcome.NO_SESSION
        else:
            assert outcome is ConnectOutcome.OK
            self._held[connection] = Modelled(session)
        self._done[outcome.name] += 1

    @rule(connection=CONNECTIONS, session=SESSIONS)
    def come(self, connection: str, session: bytes) -> None:
        """Connect with a new ticket, and say hello."""
        ticket = b"n" * 32
        self.make_ticket(ticket, session)
        self.connect(ticket, connection)
        self.hello(connection)

    @rule(connection=CONNECTIONS)
    def hello(self, connection: str) -> None:
        """Say hello, which announces a user who was offline."""
        was_online, one = self._online(), self._held.get(connection)
        changed = self._people.ready(connection)
        if one is None or not one.live:
            assert changed is None
        elif one.session not in self._sessions:
            assert changed is None
            one.live = False
        else:
            assert changed is not None
            one.ready = True
            assert changed.changed == (not was_online)
            assert [recipient.connection for recipient in changed.watchers] == ["w1"] * changed.changed
            self._notified = True
            self._done["ready"] += 1

    @rule(connection=CONNECTIONS)
    def renew(self, connection: str) -> None:
        """Renew a lease."""
        one = self._held.get(connection)
        renewed = self._store.run(self._connections.renew("ann", connection))
        assert renewed == (one is not None and one.live and one.session in self._sessions)
        if one is not None:
            one.live = renewed

    @rule(connection=CONNECTIONS)
    def expire(self, connection: str) -> None:
        """Let a lease expire."""
        one = self._held.get(connection)
        if one is not None and one.live:
            self._people.age(connection)
            one.live = False

    @rule()
    def vanish(self) -> None:
        """Let all leases expire."""
        for connection in self._held:
            self.expire(connection)

    @rule(connection=CONNECTIONS)
    def drop(self, connection: str) -> None:
        """Drop a connection, perhaps again; offline is announced once."""
        one = self._held.pop(connection, None)
        changed = self._people.drop(connection)
        assert changed.changed == (one is not None and one.ready and not self._online())
        if changed.changed:
            assert self._notified
            assert [recipient.connection for recipient in changed.watchers] == ["w1"]
            self._notified = False
            for name in [name for name, other in self._held.items() if other.ready]:
                del self._held[name]  # these have expired, and their end was just announced

    @rule()
    def sweep(self) -> None:
        """Drop all expired connections: the notices then match the model."""
        for _, connection in self._people.expired():
            self.drop(connection)
        assert self._notified == self._online()
        assert self._people.expired() == []

    @invariant()
    def compare(self) -> None:
        """Compare the shown presence and the targets of pushes."""
        ready = sorted(name for name, one in self._held.items() if one.live and one.ready)
        assert self._people.online() == bool(ready)
        assert self._people.recipients("ann") == ready
        assert {name.partition("\0")[2] for name in self._people.leases()} >= self._held.keys()
        assert self._raw.hlen(keys.user_connections("ann")) == len(self._held)


def machine_on(engine: Engine, store: Store, raw: RawClient, done: Counter[str]) -> type[ConnectionMachine]:
    """Return the machine for an engine, as Hypothesis wants it: a class without arguments."""

    class MachineOnEngine(ConnectionMachine):
        def __init__(self) -> None:
            super().__init__(engine, store, raw, done)

    return MachineOnEngine


def test_connections_against_a_model(engine: Engine, store: Store, raw: RawClient) -> None:
    """In any order users are shown right, a ticket opens one connection, and no change is announced twice."""
    done: Counter[str] = Counter()
    run_state_machine_as_test(
        machine_on(engine, store, raw, done),
        settings=settings(
            max_examples=100 if isinstance(engine, ValkeyEngine) else 30,
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert done["OK"], done
    assert done["ready"], done
