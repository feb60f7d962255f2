"""Users imported from another server over HTTP, by events of the `import_users` function."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

import app
from chalicelib import services
from chalicelib.logs import LOGGER
from chalicelib.routes.imports import call
from chalicelib.services.accounts.passwords import Passwords
from chalicelib.services.imports import accounts, pages, run
from chalicelib.store.accounts.accounts import Account, Accounts
from chalicelib.store.accounts.claims import Claims
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from tests.servers.engines import Engine
from tests.servers.gateway import PATIENCE
from tests.servers.scripted_http import Request, ScriptedServer, answer, json_answer
from tests.servers.users_api import AUTHORIZATION, MAPPING, UserServer, person

ARGON2 = "m=8,t=1,p=1"
PEOPLE = [
    person(1, "Ann", name="Ann Lee", email="Ann@Example.org", about="Hello.\r\nBye."),
    person(2, "bob", name="Bob"),
    person(3, "cy", email=None),
]


@pytest.fixture
def here(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """This process as the function, on each kind of store."""
    settings = {"PARLEY_STAGE": "local", "PARLEY_IMPORT_PRIVATE": "1", "PARLEY_ARGON2": ARGON2}
    for name, value in (settings | PATIENCE | engine.env).items():
        monkeypatch.setenv(name, value)
    services.current.cache_clear()
    yield services.current()._store
    services.current.cache_clear()


one_store = pytest.mark.parametrize("engine", ["valkey"], indirect=True)


@pytest.fixture
def source() -> Iterator[UserServer]:
    """A server with three people, two on a page."""
    with UserServer(list(PEOPLE)) as server:
        yield server


def event(server: UserServer, **changes: Any) -> dict[str, Any]:
    """Return an event that imports all of a server's users."""
    return {"url": server.list_url, "mapping": MAPPING, "authorization": AUTHORIZATION} | changes


def counts(report: dict[str, Any]) -> tuple[int, int, int, int, int]:
    """Return the counts of read, created, updated, unchanged and skipped users; the report is complete."""
    assert report["problem"] is None
    assert report["next"] is None
    numbers = (report[name] for name in ("read", "created", "updated", "unchanged"))
    return (*numbers, len(report["skipped"]))


def reasons(report: dict[str, Any]) -> dict[str | None, str]:
    """Return the reasons of skipped users, by their id."""
    return {skipped["id"]: skipped["reason"] for skipped in report["skipped"]}


def test_import_makes_an_account_for_every_user(here: Store, source: UserServer) -> None:
    """All pages are read, and each user becomes an account with their fields, email and source."""
    report = app.import_users(event(source), None)

    assert counts(report) == (3, 3, 0, 0, 0)
    assert report["total"] == 3
    ann = here.run(Accounts().find("ann"))
    assert ann == Account(
        handle="ann",
        made=ann.made if ann else 0,
        name="Ann Lee",
        bio="Hello.\nBye.",
        email="ann@example.org",
        source=f"{source.source}#1",
    )
    assert here.run(Claims().holder("email", "ann@example.org")) == "ann"
    assert [request.headers["authorization"] for request in source.requests] == [AUTHORIZATION] * 2


def test_repeated_import_updates_without_duplicates(here: Store, source: UserServer) -> None:
    """A second run changes nothing; later runs bring the source's changes, without duplicates."""
    call(event(source))
    assert counts(call(event(source))) == (3, 0, 0, 3, 0)

    source.users[0] = person(1, "ann", name="Ann Lee-Smith", email="new@example.org")
    source.users[1] = person(2, "bob", name=None)
    source.users.append(person(4, "dee"))
    assert counts(call(event(source))) == (4, 1, 2, 1, 0)

    ann, bob = here.run(Accounts().find("ann")), here.run(Accounts().find("bob"))
    assert ann
    assert bob
    assert (ann.name, ann.email) == ("Ann Lee-Smith", "new@example.org")
    assert (ann.bio, bob.name) == ("Hello.\nBye.", "")
    assert here.run(Claims().holder("email", "new@example.org")) == "ann"
    assert here.run(Claims().holder("email", "ann@example.org")) is None


@one_store
def test_dry_run_says_the_same(here: Store, source: UserServer, valkey: Engine) -> None:
    """A dry run reports the outcome of a run, also for duplicates of every kind, and writes nothing."""
    source.users += [
        person(5, "ANN"),
        person(6, "eve", email="ann@example.org"),
        person(1, "ann"),
        person(2, "robert"),
        person(7, "bad handle"),
    ]
    planned = call(event(source, dry_run=True))
    assert valkey.nodes[0].dbsize() == 0

    done = call(event(source))
    assert planned == done
    assert counts(done) == (8, 3, 0, 1, 4)
    assert reasons(done) == {
        "5": "id 1 of the same server has the handle",
        "6": "another account has the email",
        "2": "the id was imported as bob before, and a handle cannot change",
        "7": "handle: a handle is 1-32 of a-z 0-9 _ . - and begins with a letter or digit",
    }
    assert reasons(call(event(source, dry_run=True))) == reasons(done) == reasons(call(event(source)))


@one_store
@pytest.mark.parametrize(
    "mine", [Account(handle="ann"), Account(handle="ann", source="https://else.example#1")]
)
def test_handle_of_somebody_else(here: Store, source: UserServer, mine: Account) -> None:
    """An account that was not imported from this source is not changed."""
    here.run(Accounts().create(mine))
    before = here.run(Accounts().find("ann"))
    report = call(event(source))

    assert counts(report) == (3, 2, 0, 0, 1)
    assert reasons(report) == {"1": "another user of this server has the handle"}
    assert report["skipped"][0]["handle"] == "Ann"
    assert here.run(Accounts().find("ann")) == before
    assert here.run(Claims().holder("email", "ann@example.org")) is None


@one_store
def test_deleted_account_stays_deleted(here: Store, source: UserServer) -> None:
    """A user who deleted the imported account is not imported again, under any handle."""
    call(event(source))
    here.run(Accounts().delete("bob"))
    assert reasons(call(event(source)))["2"].startswith("the handle belonged to a deleted account")

    source.users[1] = person(2, "bobby")
    assert reasons(call(event(source)))["2"].startswith("the id was imported as bob before")


@one_store
def test_email_of_somebody_else(here: Store, source: UserServer) -> None:
    """A user with another account's email is skipped, and one who takes it later stays unchanged."""
    here.run(Claims().settle("email", "ann@example.org", "zoe"))
    here.run(Accounts().create(Account(handle="zoe", email="ann@example.org")))
    assert reasons(call(event(source))) == {"1": "another account has the email"}
    assert here.run(Accounts().find("ann")) is None

    source.users[1] = person(2, "bob", name="Robert", email="ann@example.org")
    assert reasons(call(event(source)))["2"] == "another account has the email"
    bob = here.run(Accounts().find("bob"))
    assert bob
    assert bob.name == "Bob"


@one_store
def test_wrong_users_do_not_stop_the_others(here: Store, source: UserServer) -> None:
    """Each item that is not a user is skipped with its own reason."""
    source.users = [
        None,
        "ann",
        {},
        {"id": True, "login": "a"},
        {"id": "", "login": "b"},
        {"id": 4, "login": 17},
        {"id": 5, "login": "e", "profile": {"email": "nobody"}},
        {"id": 6, "login": "f", "profile": {"name": ["x"]}},
        {"id": 7, "login": "g", "profile": {"about": "x" * 501}},
        {"id": 8, "login": "me"},
        {"id": 9, "login": "i", "profile": {"name": "a\u202eb"}},
        {"id": "x" * 201, "login": "j"},
        {"id": "fine", "login": "k", "profile": None},
        {"id": 2**70, "login": "l"},
    ]
    report = call(event(source))

    assert counts(report) == (14, 2, 0, 0, 12)
    reasons = [skipped["reason"] for skipped in report["skipped"]]
    for reason, part in zip(
        reasons,
        [
            "is null",
            "is a text",
            "the id",
            "true or false",
            "the id",
            "is a number",
            "email:",
            "is a list",
            "bio:",
            "handle:",
            "name:",
            "the id",
        ],
        strict=True,
    ):
        assert part in reason


@one_store
def test_imported_password_is_hashed_and_not_reset_later(
    here: Store, source: UserServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A password is hashed on arrival and not shown again; a later import does not reset it."""
    mapping = MAPPING | {"fields": MAPPING["fields"] | {"password": "pw"}}
    source.users = [
        {**PEOPLE[0], "pw": "s3cret-of-ann"},
        {**PEOPLE[1], "pw": "$2b$12$abcdefghijkl"},
        {**PEOPLE[2], "pw": "short"},
    ]
    LOGGER.propagate = True
    with caplog.at_level(logging.DEBUG):
        report = call(event(source, mapping=mapping, codes=True))
    LOGGER.propagate = False

    assert reasons(report)["2"].startswith("the password looks like a hash")
    assert reasons(report)["3"] == "password: a password has 8-1024 characters"
    assert report["codes"] == []
    ann = here.run(Accounts().find("ann"))
    assert ann
    assert ann.password
    assert Passwords(ARGON2).verify(ann.password, "s3cret-of-ann")
    assert not ann.reset
    shown = caplog.text + msgspec.json.encode(report).decode()
    for secret in ("s3cret-of-ann", "abcdefghijkl", 'short"', AUTHORIZATION):
        assert secret not in shown

    source.users = [{**PEOPLE[0], "pw": "another-password"}]
    assert counts(call(event(source, mapping=mapping, codes=True))) == (1, 0, 0, 1, 0)
    assert here.run(Accounts().find("ann")) == ann


@one_store
def test_user_without_password_gets_a_one_time_code(here: Store, source: UserServer) -> None:
    """A user without a password gets a code for one login; only its hash is stored."""
    report = call(event(source, codes=True))

    codes = {code["handle"]: code["code"] for code in report["codes"]}
    assert codes.keys() == {"ann", "bob", "cy"}
    assert len(set(codes.values())) == 3
    for handle, code in codes.items():
        account = here.run(Accounts().find(handle))
        assert account
        assert account.password
        assert account.reset
        assert Passwords(ARGON2).verify(account.password, code)
        assert code not in repr(account)


@one_store
def test_lost_codes_are_replaced_and_chosen_passwords_stay(here: Store, source: UserServer) -> None:
    """A repeated run replaces lost codes, and keeps passwords that users have chosen."""
    call(event(source))
    first = {code["handle"]: code["code"] for code in call(event(source, codes=True))["codes"]}
    accounts, passwords = Accounts(), Passwords(ARGON2)
    chosen = passwords.hash("chosen by bob")
    bob = here.run(accounts.find("bob"))
    assert bob
    assert bob.password
    assert here.run(accounts.set_password("bob", bob.password, chosen))
    report = call(event(source, codes=True))

    assert counts(report) == (3, 0, 2, 1, 0)
    second = {code["handle"]: code["code"] for code in report["codes"]}
    assert second.keys() == {"ann", "cy"}
    assert not second.items() & first.items()
    assert here.run(accounts.find("bob")) == msgspec.structs.replace(bob, password=chosen, reset=False)
    assert counts(call(event(source, codes=True, dry_run=True))) == (3, 0, 2, 1, 0)


@one_store
def test_password_chosen_meanwhile(here: Store, source: UserServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password chosen between the read and the write takes precedence over a new code."""
    call(event(source, codes=True))
    accounts, chosen = Accounts(), Passwords(ARGON2).hash("chosen by ann")
    real = Accounts.update

    def update(self: Accounts, handle: str, changes: Any) -> Query[Account | None]:
        held = here.run(accounts.find("ann"))
        if handle == "ann" and held and held.password and held.reset:
            here.run(accounts.set_password("ann", held.password, chosen))
        return real(self, handle, changes)

    monkeypatch.setattr(Accounts, "update", update)
    report = call(event(source, codes=True))

    assert {code["handle"] for code in report["codes"]} == {"bob", "cy"}
    ann = here.run(accounts.find("ann"))
    assert ann
    assert (ann.password, ann.reset) == (chosen, False)


class Crash(BaseException):
    """The end of a process."""


@one_store
@pytest.mark.parametrize("method", ["claim", "create", "settle", "update", "release"])
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("which", [0, 1, 2, 3])
def test_crash_in_the_middle(
    here: Store, source: UserServer, monkeypatch: pytest.MonkeyPatch, method: str, after: bool, which: int
) -> None:
    """After a run ends before or after any write, the next one completes it without duplicates."""
    here.run(Claims().settle("import", f"{source.source}#3", "cy"))
    here.run(Accounts().create(Account(handle="cy", source=f"{source.source}#3", email="old@example.org")))
    here.run(Claims().settle("email", "old@example.org", "cy"))
    source.users[2] = person(3, "cy", email="cy@example.org")
    calls = 0

    def failing(real: Callable[..., Any]) -> Callable[..., Any]:
        def fail(*args: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls - 1 != which:
                return real(*args, **options)
            if after:
                here.run(real(*args, **options))
            raise Crash

        return fail

    kind = Accounts if method in ("create", "update") else Claims
    with monkeypatch.context() as patch:
        crashing = failing(getattr(kind, method))
        patch.setattr(kind, method, crashing if kind is Accounts else staticmethod(crashing))
        try:
            call(event(source))
        except Crash:
            pass
        else:
            assert calls <= which
    report = call(event(source))

    assert counts(report)[0] == 3
    assert not report["skipped"]
    for handle, email in (("ann", "ann@example.org"), ("bob", None), ("cy", "cy@example.org")):
        account = here.run(Accounts().find(handle))
        assert account
        assert account.email == email
        assert account.source == f"{source.source}#{('ann', 'bob', 'cy').index(handle) + 1}"
        assert email is None or here.run(_life("email", email)) == -1
    assert here.run(Claims().holder("email", "old@example.org")) is None
    assert counts(call(event(source))) == (3, 0, 0, 3, 0)


def _life(kind: str, value: str) -> Any:
    from chalicelib.store import keys

    return Query("TTL", (keys.claim(kind, value),))


@one_store
def test_store_down_in_the_middle(here: Store, source: UserServer, valkey: Engine) -> None:
    """When the store fails the report keeps the completed work, and the position to continue from."""
    usual = source.handler

    def handler(request: Request, connection: socket.socket) -> bytes | None:
        if "page=2" in request.target:
            valkey.kill()
        return usual(request, connection)

    source.handler = handler
    report = call(event(source, codes=True))
    source.handler = usual
    assert (report["read"], report["created"], len(report["codes"])) == (2, 2, 2)
    assert "store" in report["problem"]
    assert report["next"]["url"].endswith("page=2")

    valkey.start()
    rest = call(event(source, codes=True, next=report["next"]))
    assert counts(rest) == (1, 1, 0, 0, 0)


@one_store
def test_call_that_runs_out_of_users(
    here: Store, source: UserServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call stops within a page at its read limit, and the next one continues after the last user."""
    monkeypatch.setattr(run, "MAX_USERS", 1)
    wanted, read = event(source), []
    while True:
        report = call(wanted)
        read.append((report["read"], report["created"]))
        if report["next"] is None:
            break
        wanted["next"] = report["next"]

    assert [pair for pair in read if pair != (0, 0)] == [(1, 1)] * 3
    assert len(read) <= 4


@one_store
def test_call_that_runs_out_of_time(here: Store, source: UserServer) -> None:
    """A call past its time limit still makes progress, and the calls together read everything."""
    now = 0.0

    def slow() -> float:
        nonlocal now
        now += run.BUDGET_SECONDS
        return now

    services.current().imports._clock = slow
    wanted, created = event(source), 0
    for _ in range(10):
        report = call(wanted)
        assert report["problem"] is None
        created += report["created"]
        if report["next"] is None:
            break
        wanted["next"] = report["next"]

    assert created == 3


@one_store
def test_list_without_pages(here: Store) -> None:
    """Without `items` the reply is the list; a field's own name may contain a dot."""
    people = [{"user.id": "u-1", "names": ["x", "ann"]}]
    mapping = {"fields": {"id": "user.id", "handle": "names.1"}}
    with ScriptedServer(lambda _request, _connection: json_answer(people)) as server:
        report = call({"url": f"{server.url}/all?limit=9", "mapping": mapping})

    assert counts(report) == (1, 1, 0, 0, 0)
    assert [request.target for request in server.requests] == ["/all?limit=9"]
    assert "authorization" not in server.requests[0].headers


@one_store
@pytest.mark.parametrize("after_the_last", ["empty", "the last again"])
def test_numbered_pages_end_with_an_empty_or_repeated_page(here: Store, after_the_last: str) -> None:
    """Numbered pages are read until one is empty or repeats the previous page."""
    pages = [[{"id": 1, "login": "ann"}], [{"id": 2, "login": "bob"}]]
    rest: list[Any] = [] if after_the_last == "empty" else pages[-1]

    def handler(request: Request, _connection: socket.socket) -> bytes:
        number = int(request.target.rpartition("=")[2])
        return json_answer(pages[number] if number < len(pages) else rest)

    mapping = {"page": {"parameter": "p", "first": 0}, "fields": {"id": "id", "handle": "login"}}
    with ScriptedServer(handler) as server:
        report = call({"url": f"{server.url}/users?p=7&size=1", "mapping": mapping})

    assert counts(report) == (2, 2, 0, 0, 0)
    assert [request.target for request in server.requests] == [f"/users?size=1&p={n}" for n in range(3)]


NUMBERED = {"page": {"parameter": "p"}, "fields": {"id": "id", "handle": "login", "name": "name"}}


def number_of(request: Request) -> int:
    """Return the requested page number."""
    return int(request.target.rpartition("=")[2])


@one_store
@pytest.mark.parametrize("again", ["the first page", "the last page", "pages in turn", "in another order"])
def test_numbered_pages_without_end(here: Store, again: str) -> None:
    """Pages without new users end the import, also where a field in each row differs every time."""
    pages = [[1, 2], [3, 4], [5, 6]]

    def handler(request: Request, _connection: socket.socket) -> bytes:
        number = number_of(request) - 1
        index = {"the first page": 0, "the last page": min(number, 2)}.get(again, number % 3)
        users = pages[index][:: -1 if again == "in another order" and number >= 3 else 1]
        seen = len(server.requests)
        return json_answer([{"id": user, "login": f"u{user}", "seen": seen} for user in users])

    with ScriptedServer(handler) as server:
        report = call({"url": f"{server.url}/users", "mapping": NUMBERED})

    pages_read = 1 if again == "the first page" else 3
    assert report["problem"] == (
        f"page {pages_read + 1} of {server.url}/users has no new user: check `page` of the mapping"
    )
    assert (report["created"], report["read"], report["next"]) == (2 * pages_read, 2 * pages_read, None)
    assert len(server.requests) == pages_read + 1


@one_store
@pytest.mark.parametrize("way", ["the same page", "round and round"])
def test_numbered_pages_without_end_over_several_calls(
    here: Store, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """A call without memory of earlier calls still notices a repetition of the previous or first page."""
    monkeypatch.setattr(run, "MAX_USERS", 2)

    def handler(request: Request, _connection: socket.socket) -> bytes:
        first = 2 * ((number_of(request) - 1) % 3) if way == "round and round" else 0
        seen = len(server.requests)
        return json_answer([{"id": n, "login": f"u{n}", "seen": seen} for n in (first, first + 1)])

    with ScriptedServer(handler) as server:
        wanted: dict[str, Any] = {"url": f"{server.url}/users", "mapping": NUMBERED}
        report = call(wanted)
        while report["next"] is not None and len(server.requests) < 20:
            report = call(wanted | {"next": report["next"]})

    assert "has no new user" in report["problem"]
    assert len(server.requests) <= 8


@one_store
def test_the_last_page_again_with_all_users_read(here: Store) -> None:
    """Where the server gives the total and all were read, a repeated last page is the end."""

    def handler(request: Request, _connection: socket.socket) -> bytes:
        user = {"id": 1, "login": "ann", "seen": len(server.requests)}
        return json_answer({"users": [user], "total": 1})

    with ScriptedServer(handler) as server:
        mapping = {**NUMBERED, "items": "users", "total": "total"}
        report = call({"url": f"{server.url}/users", "mapping": mapping})

    assert counts(report) == (1, 1, 0, 0, 0)
    assert len(server.requests) == 2


@one_store
@pytest.mark.parametrize("items", [[], [{"id": None}], ["x"]])
def test_pages_without_users(here: Store, monkeypatch: pytest.MonkeyPatch, items: list[Any]) -> None:
    """A limited number of linked pages may have no users."""
    monkeypatch.setattr(pages, "MAX_IDLE", 3)

    def handler(request: Request, _connection: socket.socket) -> bytes:
        count = len(server.requests)
        users = [{"id": 7, "login": "ann"}] if count == 3 else items
        salted = [{**item, "n": count} if isinstance(item, dict) else f"{item}{count}" for item in users]
        return json_answer({"users": salted, "next": f"/users?after={count}"})

    with ScriptedServer(handler) as server:
        report = call({"url": f"{server.url}/users", "mapping": NEXT})

    assert report["problem"] == f"{server.url}/users: 3 pages in a row have no user"
    assert (report["created"], report["next"]) == (1, None)
    assert len(server.requests) == 6


@one_store
def test_linked_pages_without_end(here: Store) -> None:
    """An endless link over the same users ends the import."""

    def handler(request: Request, _connection: socket.socket) -> bytes:
        count = len(server.requests)
        users = [{"id": 1, "login": "ann", "seen": count}]
        return json_answer({"users": users, "next": f"/users?after={count}"})

    with ScriptedServer(handler) as server:
        report = call({"url": f"{server.url}/users", "mapping": NEXT})

    assert "check `next` of the mapping" in report["problem"]
    assert (report["created"], report["next"], len(server.requests)) == (1, None, 2)


@one_store
def test_a_byte_order_mark(here: Store) -> None:
    """A reply that begins with a UTF-8 byte order mark is read like one without."""
    body = b"\xef\xbb\xbf" + b'{"users":[{"id":1,"login":"ann"}]}'
    with ScriptedServer(lambda _request, _connection: answer(body)) as server:
        report = call({"url": f"{server.url}/users", "mapping": NEXT})

    assert counts(report) == (1, 1, 0, 0, 0)


@one_store
def test_half_an_emoji_fails_its_row_alone(here: Store) -> None:
    """A row with half a surrogate pair, or with invalid UTF-8, is skipped; the others are not."""
    rows = [
        b'{"id":1,"login":"ann","name":"Ann \\ud83d\\ude00"}',
        b'{"id":2,"login":"bob","name":"Bob \\ud83d"}',
        b'{"id":3,"login":"cy","name":"C\xff"}',
        b'{"id":"4\\ude00","login":"dee"}',
        b'{"id":5,"login":"e\\ud83d"}',
        b'{"id":6,"login":"fay","bio":"\\ud83d","\\ud83d":1}',
        b'{"id":7,"login":"gil","notes":"not read: \\ud83d"}',
        b'{"id":{"\\ud83d":1},"login":"hal"}',
    ]
    mapping = {"fields": {"id": "id", "handle": "login", "name": "name", "bio": "bio"}}
    body = b"[" + b",".join(rows) + b"]"
    with ScriptedServer(lambda _request, _connection: answer(body)) as server:
        report = call({"url": f"{server.url}/users", "mapping": mapping})

    assert counts(report) == (8, 2, 0, 0, 6)
    half = "is half of a surrogate pair (U+{}), or was not UTF-8"
    assert [skipped["reason"] for skipped in report["skipped"]] == [
        f"character 5 of the name {half.format('D83D')}",
        f"character 2 of the name {half.format('DCFF')}",
        f"character 2 of the id {half.format('DE00')}",
        f"character 2 of the handle {half.format('D83D')}",
        f"character 1 of the bio {half.format('D83D')}",
        "the id is an object with `\ufffd`, not a text",
    ]
    assert report["skipped"][2]["id"] == "4\ufffd"
    assert msgspec.json.encode(report)
    ann = here.run(Accounts().find("ann"))
    assert ann
    assert ann.name == "Ann \U0001f600"


NEXT = {"items": "users", "next": "next", "fields": {"id": "id", "handle": "login"}}


@one_store
@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("/users", "was already read"),
        ("?page={count}", "returns the previous page again"),
        ("http://localhost:{port}/users", "on another server"),
        ("//evil.example/", "on another server"),
        ("http://ann:s3cret@127.0.0.1:{port}/", "not contain a user or password"),
        ("http://[", "not a URL"),
        (17, "is a number, not a URL"),
        ({"href": "/x"}, "is an object with `href`, not a URL"),
    ],
)
def test_next_page_that_is_wrong(here: Store, link: Any, expected: str) -> None:
    """Pages that form a circle, or lead to another server, end the run; earlier users are imported."""
    with ScriptedServer(lambda _request, _connection: b"") as server:

        def handler(_request: Request, _connection: socket.socket) -> bytes:
            url = link
            if isinstance(link, str):
                url = link.replace("{count}", str(len(server.requests))).replace("{port}", str(server.port))
            return json_answer({"users": [{"id": 1, "login": "ann"}], "next": url})

        server.handler = handler
        report = call({"url": f"{server.url}/users", "mapping": NEXT})

    assert expected in report["problem"]
    assert "s3cret" not in report["problem"]
    assert report["created"] == 1
    assert len(server.requests) <= 2


@one_store
def test_pages_in_a_larger_circle(here: Store) -> None:
    """A circle of several pages is noticed too."""

    def handler(request: Request, _connection: socket.socket) -> bytes:
        number = int(request.target.rpartition("=")[2])
        following = f"?p={(number + 1) % 3}"
        return json_answer({"users": [{"id": number, "login": f"u{number}"}], "next": following})

    with ScriptedServer(handler) as server:
        report = call({"url": f"{server.url}/users?p=0", "mapping": NEXT})

    assert "was already read" in report["problem"]
    assert (report["created"], report["next"]) == (3, None)


@one_store
@pytest.mark.parametrize(
    ("reply", "expected", "again"),
    [
        (answer(b"<html>"), "is not JSON", False),
        (answer(b"\xff"), "is not JSON", False),
        (answer(b'{"users":[NaN,"\\ud83d"]}'), "is not JSON", False),
        (answer(b'["\\ud83d",' + b"[" * 200_000), "nested too deeply", False),
        (answer(b"[" * 200_000), "nested too deeply", False),
        (answer(b'{"people":[]}'), "is nothing, not a list", False),
        (answer(b'{"users":{"a":1}}'), "is an object with `a`, not a list", False),
        (answer(b"[]"), "the whole answer is a list", False),
        (answer(b"", length=9 * 1024 * 1024), "sends more than 8388608 bytes", True),
        (answer(b"[]", "500 Oops"), "answered 500", True),
        (
            answer(b"", "302 F", headers={"Location": "http://evil.example/"}),
            "redirects to another server",
            True,
        ),
    ],
)
def test_reply_that_is_wrong(here: Store, reply: bytes, expected: str, again: bool) -> None:
    """An unusable reply is the report's problem, in one line."""
    with ScriptedServer(lambda _request, _connection: reply) as server:
        report = call({"url": f"{server.url}/u?key=s3cret", "mapping": NEXT})

    assert expected in report["problem"]
    assert "\n" not in report["problem"]
    assert "s3cret" not in report["problem"]
    assert (report["next"] is not None) is again


@one_store
def test_private_source_is_read_only_when_allowed(
    here: Store, source: UserServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server in a private network is read only if the setting allows it."""
    monkeypatch.delenv("PARLEY_IMPORT_PRIVATE")
    services.current.cache_clear()

    assert "private" in call(event(source))["problem"]
    assert not source.requests


@one_store
@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        (None, "object"),
        ([], "object"),
        ({}, "missing"),
        ({"url": "http://127.0.0.1:1/"}, "mapping"),
        ({"url": 1, "mapping": MAPPING}, "url"),
        ({"url": "http://127.0.0.1:1/", "mapping": {"fields": {"id": "id"}}}, "handle"),
        ({"url": "http://127.0.0.1:1/", "mapping": {**MAPPING, "page": {"parameter": "p"}}}, "give only one"),
        ({"url": "http://127.0.0.1:1/", "mapping": {**MAPPING, "feilds": {}}}, "feilds"),
        ({"url": "http://127.0.0.1:1/", "mapping": MAPPING, "next": {"url": "x", "skip": -1}}, "skip"),
        ({"url": "http://127.0.0.1:1/", "mapping": MAPPING, "dry_run": "yes"}, "dry_run"),
    ],
)
def test_event_that_is_wrong(here: Store, wrong: Any, expected: str) -> None:
    """An invalid event is answered with data that names the field."""
    refused = call(wrong)

    assert (refused["code"], refused["error"]) == (400, "bad_request")
    assert expected in refused["msg"]


@one_store
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"url": "ftp://example.com/"}, "http:// or https://"),
        ({"url": "http://ann:s3cret@127.0.0.1/"}, "not contain a user or password"),
        ({"next": {"url": "http://evil.example/"}}, "next.url is not on"),
        ({"authorization": "Bearer a\nX: s3cret"}, "a header has a line break"),
    ],
)
def test_request_that_cannot_be_made(
    here: Store, source: UserServer, changes: dict[str, Any], expected: str
) -> None:
    """An invalid source URL is the report's problem, and nothing is sent."""
    report = call(event(source, **changes))

    assert expected in report["problem"]
    assert "s3cret" not in report["problem"]
    assert not source.requests


@one_store
def test_defect_is_answered_as_data(here: Store, source: UserServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function answers a defect with data, too."""
    monkeypatch.setattr(accounts.AccountImporter, "put", lambda *_args, **_options: 1 / 0)

    assert call(event(source)) == {
        "code": 500,
        "msg": "The server failed to answer this call.",
        "error": "internal_error",
    }


def test_request_shows_no_secret() -> None:
    """The printed form of a request or a code has no secret."""
    from chalicelib.schemas.imports import Code, ImportRequest

    request = msgspec.convert(
        {"url": "http://h/", "mapping": MAPPING, "authorization": "s3cret"}, ImportRequest
    )
    assert "s3cret" not in repr(request)
    assert "s3cret" not in repr(Code(id="1", handle="ann", code="s3cret"))


@one_store
def test_imported_users_await_indexing(here: Store, source: UserServer) -> None:
    """A new user, or a new name, is pending for the search index."""
    call(event(source))
    from chalicelib.store.work.pending import PendingWork

    assert {item.text for item in here.run(PendingWork().all())} == {"index:ann", "index:bob", "index:cy"}
