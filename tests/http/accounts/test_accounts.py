"""Accounts over HTTP: register, log in, log out, devices, passwords, limits."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.deployed.client import Api, check_answer, fields_at_fault
from tests.deployed.people import People, Person
from tests.servers.engines import ValkeyEngine
from tests.servers.gateway import Gateway, running_gateway
from tests.servers.waiting import eventually

CLOSED = {"PARLEY_AUTH": "required", "PARLEY_RATE_LIMITS": "auth=0", "PARLEY_ARGON2": "m=64,t=1,p=1"}
WORD, OTHER = "correct horse battery", "another long word"
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@pytest.fixture
def people(api: Api) -> People:
    """Users with accounts on the server, with unused limits."""
    return People(lambda body: api.call("POST", "/v1/register", json=body))


@pytest.fixture(scope="module")
def engine() -> Iterator[ValkeyEngine]:
    """A store of this module's own."""
    with ValkeyEngine() as engine:
        yield engine


@pytest.fixture(scope="module")
def server(engine: ValkeyEngine) -> Iterator[Gateway]:
    """A closed server on that store, of several workers."""
    with running_gateway(env={**CLOSED, "REDIS_URL": engine.url}, args=["--workers", "3"]) as running:
        yield running


@pytest.fixture(scope="module")
def url(server: Gateway) -> str:
    """Its base URL."""
    return server.url


def handle() -> str:
    """Return an unused handle."""
    return f"a{uuid.uuid4().hex[:12]}"


def register(api: Api, **body: Any) -> httpx.Response:
    """Register."""
    return api.call("POST", "/v1/register", json={"handle": handle(), "password": WORD, **body})


def login(api: Api, **body: Any) -> httpx.Response:
    """Log in."""
    return api.call("POST", "/v1/login", json={"password": WORD, **body})


def sessions(api: Api, person: Person) -> list[Any]:
    """Return a user's devices."""
    answer = api.call("GET", "/v1/sessions", person=person)
    assert answer.status_code == 200, answer.text
    listed: list[Any] = answer.json()["sessions"]
    return listed


def again(api: Api, person: Person) -> Person:
    """Log a user in once more."""
    answer = login(api, handle=person.handle, password=person.password)
    assert answer.status_code == 200, answer.text
    return person._replace(token=answer.json()["token"])


def code_of(response: httpx.Response) -> tuple[int, str]:
    """Return an error's status and code."""
    return response.status_code, response.json()["code"]


def refused_everywhere(api: Api, person: Person) -> bool:
    """Return whether a token is refused on 30 connections, whichever workers these meet."""

    def asked(_: int) -> int:
        answer = httpx.get(f"{api.url}/v1/sessions", headers=person.bearer)
        check_answer(answer)
        return answer.status_code

    with ThreadPoolExecutor(10) as pool:
        return set(pool.map(asked, range(30))) == {401}


# --- registering --------------------------------------------------------------------------------------------


def test_register_answers_the_user_and_a_valid_token(api: Api) -> None:
    """Registration answers the user and a token that works at once, without the password's hash."""
    name, email = handle(), f"{uuid.uuid4().hex}@example.org"
    answer = register(api, handle=name.upper(), email=email.upper(), name="Alice")
    body = answer.json()

    assert answer.status_code == 201
    assert (body["user"]["handle"], body["user"]["email"], body["user"]["name"]) == (name, email, "Alice")
    assert re.fullmatch(rf"parley_[\w-]{{43}}\.{name}", body["token"])
    assert RFC3339.fullmatch(body["expires_at"])
    assert "argon2" not in answer.text
    assert WORD not in answer.text
    (device,) = sessions(api, Person(name, WORD, body["token"]))
    assert (device["current"], device["address"]) == (True, "127.0.0.1")
    assert device["agent"].startswith("python-httpx")


def test_register_as_the_platform_before(api: Api) -> None:
    """Go-Chat's paths register, log in and log out."""
    body = {"username": handle(), "password": WORD, "email": f"{uuid.uuid4().hex}@example.org"}
    made = api.call("POST", "/register", json=body)
    back = api.call("POST", "/login", json={"username": body["username"], "password": WORD})

    assert (made.status_code, back.status_code) == (201, 200)
    person = Person(body["username"], WORD, back.json()["token"])
    left = api.call("POST", "/logout", person=person)
    assert (left.status_code, left.content) == (202, b"")
    assert api.call("POST", "/logout", person=person).status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"handle": "me"}, "handle"),
        ({"handle": "a:b"}, "handle"),
        ({"handle": ""}, "handle"),
        ({"handle": "a" * 33}, "handle"),
        ({"handle": 7}, "handle"),
        ({"password": "1234567"}, "password"),
        ({"password": "x" * 1025}, "password"),
        ({"password": None}, "password"),
        ({"email": "alice"}, "email"),
        ({"email": "a" * 300 + "@example.org"}, "email"),
        ({"name": "x" * 65}, "name"),
    ],
)
def test_register_with_what_cannot_be(api: Api, body: dict[str, Any], field: str) -> None:
    """An invalid field is a 400 that names it."""
    answer = register(api, **body)

    assert code_of(answer) == (400, "bad_request")
    assert fields_at_fault(answer) == [field]


def test_taken_handle_and_taken_email_get_the_same_error(api: Api, people: People) -> None:
    """A taken handle and a taken email get byte for byte the same 409."""
    email = f"{uuid.uuid4().hex}@example.org"
    person = people.new(email=email)

    answers = [register(api, handle=person.handle), register(api, email=email)]

    assert [code_of(answer) for answer in answers] == [(409, "already_taken")] * 2
    assert answers[0].content == answers[1].content


@pytest.mark.long
def test_200_registrations_of_one_handle(server: Gateway) -> None:
    """Of 200 concurrent registrations of one handle one is a 201, and all others are a 409."""
    name = handle()

    def one(number: int) -> int:
        body = {"handle": name, "password": f"{WORD}{number}"}
        answer = httpx.post(f"{server.url}/v1/register", json=body, timeout=60)
        check_answer(answer)
        return answer.status_code

    with ThreadPoolExecutor(200) as pool:
        statuses = list(pool.map(one, range(200)))

    assert sorted(statuses) == [201] + [409] * 199


# --- logging in and out -------------------------------------------------------------------------------------


def test_login_by_handle_and_by_email(api: Api, people: People) -> None:
    """A user logs in by handle or by email, in any case, and each login is a device."""
    email = f"{uuid.uuid4().hex}@example.org"
    person = people.new(email=email)
    for names in ({"handle": person.handle.upper()}, {"username": person.handle}, {"email": email.upper()}):
        answer = login(api, password=person.password, **names)
        assert (answer.status_code, answer.json()["user"]["handle"]) == (200, person.handle)

    assert len(sessions(api, person)) == 4


def test_unknown_and_wrong_are_one_answer(api: Api, people: People) -> None:
    """An unknown handle, an unknown email and a wrong password are the same 401, to the letter."""
    email = f"{uuid.uuid4().hex}@example.org"
    person = people.new(email=email)
    answers = [
        login(api, handle=handle()),
        login(api, email="x" + email),
        login(api, handle=person.handle),
        login(api, email=email),
        login(api, handle="no such name!"),
    ]

    assert {code_of(answer) for answer in answers} == {(401, "wrong_credentials")}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["WWW-Authenticate"] for answer in answers}) == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"handle": "a", "email": "a@example.org"}, {"handle": "a", "password": "x" * 1025}, {"handle": 1}],
)
def test_login_with_what_cannot_be(api: Api, body: dict[str, Any]) -> None:
    """A login without a name, with two, or with an invalid password is a 400."""
    assert code_of(login(api, **body)) == (400, "bad_request")


def test_logout_is_effective_at_once_everywhere(api: Api, people: People) -> None:
    """After a logout the token is refused by every worker, from the next request on; other devices stay."""
    person = people.new()
    other = again(api, person)
    assert not refused_everywhere(api, person)

    answer = api.call("POST", "/v1/logout", person=person)

    assert (answer.status_code, answer.content) == (202, b"")
    assert refused_everywhere(api, person)
    assert len(sessions(api, other)) == 1


def test_devices_are_listed_and_the_callers_is_marked(api: Api, people: People) -> None:
    """The device list shows where each one is, and marks the caller's own."""
    person = people.new()
    body = {"handle": person.handle, "password": person.password}
    answer = api.call("POST", "/v1/login", json=body, headers={"User-Agent": "phone/1 " + "x" * 1000})
    listed = sessions(api, person._replace(token=answer.json()["token"]))

    assert [device["current"] for device in listed].count(True) == 1
    (current,) = (device for device in listed if device["current"])
    assert current["agent"] == ("phone/1 " + "x" * 1000)[:256]
    for device in listed:
        assert device.keys() == {"id", "made_at", "seen_at", "expires_at", "address", "agent", "current"}
        assert all(RFC3339.fullmatch(device[name]) for name in ("made_at", "seen_at", "expires_at"))
        assert device["id"] not in answer.json()["token"]


@pytest.mark.parametrize("agent", [b"", "\u00e5".encode(), b"\xff\xfe", b"<script>"])
def test_any_user_agent(api: Api, people: People, agent: bytes) -> None:
    """A client with any User-Agent can log in, and its devices can be listed."""
    person = people.new()
    body = {"handle": person.handle, "password": person.password}

    assert api.call("POST", "/v1/login", json=body, headers={"User-Agent": agent}).status_code == 200
    assert len(sessions(api, person)) == 2


def test_end_one_device(api: Api, people: People) -> None:
    """Only its owner can end a device by its id, once."""
    person, stranger = people.new(), people.new()
    other = again(api, person)
    (device,) = (device for device in sessions(api, other) if not device["current"])
    path = f"/v1/sessions/{device['id']}"

    assert code_of(api.call("DELETE", path, person=stranger)) == (404, "session_not_found")
    assert sessions(api, person)
    assert api.call("DELETE", path, person=other).status_code == 204
    assert refused_everywhere(api, person)
    assert code_of(api.call("DELETE", path, person=other)) == (404, "session_not_found")
    assert len(sessions(api, other)) == 1


@pytest.mark.parametrize("session", ["0" * 16, "0" * 15, "x" * 16, "%20", "A" * 16, "0" * 64, "%C3%A5"])
def test_end_what_is_no_device(api: Api, people: People, session: str) -> None:
    """An unknown or invalid device id is a 404, and ends nothing."""
    person = people.new()
    answer = api.call("DELETE", f"/v1/sessions/{session}", person=person)

    assert code_of(answer) == (404, "session_not_found")
    assert len(sessions(api, person)) == 1


def test_log_out_everywhere(api: Api, people: People) -> None:
    """All devices are ended at once, the caller's among them."""
    person = people.new()
    other = again(api, person)

    assert api.call("DELETE", "/v1/sessions", person=person).status_code == 204
    assert refused_everywhere(api, person)
    assert refused_everywhere(api, other)
    assert again(api, person)


def test_changed_password_ends_the_other_sessions(api: Api, people: People) -> None:
    """A new password ends the sessions on other devices, and is then the only valid one."""
    person = people.new()
    other = again(api, person)
    body = {"password": person.password, "new_password": OTHER}

    assert api.call("PUT", "/v1/users/me/password", person=person, json=body).status_code == 204
    assert refused_everywhere(api, other)
    assert len(sessions(api, person)) == 1
    assert code_of(login(api, handle=person.handle, password=person.password)) == (401, "wrong_credentials")
    assert login(api, handle=person.handle, password=OTHER).status_code == 200


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"password": "not mine at all", "new_password": OTHER}, (401, "wrong_credentials")),
        ({"password": WORD, "new_password": "short"}, (400, "bad_request")),
        ({"password": WORD}, (400, "bad_request")),
    ],
)
def test_change_password_with_what_cannot_be(
    api: Api, people: People, body: dict[str, str], expected: tuple[int, str]
) -> None:
    """Without the current password, or with an invalid new one, nothing is changed."""
    person = people.new(password=WORD)

    assert code_of(api.call("PUT", "/v1/users/me/password", person=person, json=body)) == expected
    assert login(api, handle=person.handle).status_code == 200


def test_the_token_of_a_deleted_account(api: Api, people: People) -> None:
    """A deleted account's tokens end everywhere; it has no login, and its handle stays taken."""
    person = people.new()
    assert api.call("DELETE", "/v1/users/me", person=person).status_code == 204

    assert refused_everywhere(api, person)
    assert code_of(login(api, handle=person.handle, password=person.password)) == (401, "wrong_credentials")
    assert code_of(register(api, handle=person.handle)) == (409, "already_taken")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer x",
        "Bearer a.b.c",
        "Basic YTpi",
        f"Bearer parley_{'A' * 43}.alice",
        f"Bearer parley_{'A' * 43}.me",
        f"parley_{'A' * 43}.alice",
        "Bearer \u00e5".encode().decode("latin-1"),
        "Bearer " + "x" * 5000,
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/sessions"),
        ("GET", "/v1/chats/a:b/messages"),
        ("POST", "/v1/chats/a:b/messages"),
        ("POST", "/v1/logout"),
    ],
)
def test_without_a_good_token(api: Api, authorization: str, method: str, path: str) -> None:
    """A call without a valid token is a 401 that says how to log in, whatever name it gives."""
    headers = {"Authorization": authorization.encode("latin-1"), "X-Parley-User": b"alice"}
    answer = api.call(method, path, headers=headers, json={} if method == "POST" else None)

    assert code_of(answer) == (401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="parley"')


@pytest.mark.parametrize("name", ["alice", "no name: at all", "%FF", ""])
def test_a_name_is_no_token(api: Api, name: str) -> None:
    """On a closed server a name in a header, valid or not, is a 401."""
    answer = api.call("GET", "/v1/users/me", headers={"X-Parley-User": name})

    assert code_of(answer) == (401, "not_authenticated")


# --- too many failures --------------------------------------------------------------------------------------


def from_address(api: Api, address: str, **body: Any) -> httpx.Response:
    """Log in from another address of this machine."""
    with httpx.Client(transport=httpx.HTTPTransport(local_address=address)) as client:
        answer = client.post(f"{api.url}/v1/login", json={"password": WORD, **body})
    check_answer(answer)
    return answer


def test_nobody_locks_out_another(api: Api, people: People) -> None:
    """Ten failures end the logins of a name from that address, whatever the headers; others still log in."""
    person = people.new(password=WORD)
    wrong = [from_address(api, "127.0.0.2", handle=person.handle, password=OTHER) for _ in range(10)]
    assert {answer.status_code for answer in wrong} == {401}

    for headers in ({}, {"X-Forwarded-For": "198.51.100.9"}, {"Forwarded": "for=198.51.100.9"}):
        with httpx.Client(
            transport=httpx.HTTPTransport(local_address="127.0.0.2"), headers=headers
        ) as client:
            answer = client.post(f"{api.url}/v1/login", json={"handle": person.handle, "password": WORD})
        assert code_of(answer) == (429, "too_many_requests")
        assert 1 <= int(answer.headers["Retry-After"]) <= 901

    assert login(api, handle=person.handle).status_code == 200


@pytest.mark.long
def test_50_failures_from_an_address(api: Api, people: People) -> None:
    """Fifty failures from an address, for different names, end its logins, and no other address's."""
    person = people.new(password=WORD)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: from_address(api, "127.0.0.3", handle=handle()), range(60)))

    assert sorted(answer.status_code for answer in answers) == [401] * 50 + [429] * 10
    assert from_address(api, "127.0.0.3", handle=person.handle).status_code == 429
    assert login(api, handle=person.handle).status_code == 200


# --- limits -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def limited(engine: ValkeyEngine) -> Iterator[Gateway]:
    """A closed server with narrow limits."""
    limits = {"PARLEY_RATE_LIMITS": "read=4,write=2,search=1,auth=3"}
    with running_gateway(env={**CLOSED, **limits, "REDIS_URL": engine.url}) as running:
        yield running


def numbers(answer: httpx.Response) -> tuple[int, int]:
    """Return the limit in an answer's headers, and the remaining requests."""
    assert 0 <= int(answer.headers["RateLimit-Reset"]) <= 60
    return int(answer.headers["RateLimit-Limit"]), int(answer.headers["RateLimit-Remaining"])


def test_limits_of_a_session(limited: Gateway, api: Api, people: People) -> None:
    """Every answer has the rest of its class's limit; a request over it is a 429 with a wait."""
    person, client = people.new(), Api(limited.url)
    answers = [client.raw("GET", "/v1/sessions", headers=person.bearer) for _ in range(3)]
    answers.append(client.raw("GET", "/v1/chats/a:b/messages", headers=person.bearer))
    over = client.raw("GET", "/v1/sessions", headers=person.bearer)
    written = client.raw("DELETE", "/v1/sessions/0000000000000000", headers=person.bearer)
    client.close()

    assert [numbers(answer) for answer in answers] == [(4, 3), (4, 2), (4, 1), (4, 0)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 403]
    assert (code_of(over), numbers(over)) == ((429, "too_many_requests"), (4, 0))
    assert 1 <= int(over.headers["Retry-After"]) <= 15
    assert (written.status_code, numbers(written)) == (404, (2, 1))


def test_a_write_over_the_limit_is_not_done(limited: Gateway, api: Api, people: People) -> None:
    """A request over the limit is refused before anything is written."""
    ann, bob = people.new(), people.new()
    chat = ":".join(sorted((ann.handle, bob.handle)))
    client = Api(limited.url)
    sent = [
        client.raw("POST", f"/v1/chats/{chat}/messages", headers=ann.bearer, json={"text": "hi"}).status_code
        for _ in range(4)
    ]
    client.close()

    assert sent == [201, 201, 429, 429]
    assert api.call("GET", f"/v1/chats/{chat}/messages", person=bob).json()["head"] == 2


def test_limits_of_an_address(limited: Gateway) -> None:
    """Unauthenticated callers are limited by address; another address has a limit of its own."""

    def tried(address: str) -> httpx.Response:
        with httpx.Client(transport=httpx.HTTPTransport(local_address=address)) as client:
            return client.post(f"{limited.url}/v1/login", json={"handle": handle(), "password": WORD})

    answers = [tried("127.0.0.4") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert [numbers(answer) for answer in answers] == [(3, 2), (3, 1), (3, 0), (3, 0)]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 20
    assert tried("127.0.0.5").status_code == 401


def test_an_email_is_set_as_seldom_as_one_registers(limited: Gateway, people: People) -> None:
    """An address that has used up its registrations can't probe there for taken emails either."""
    person = people.new()
    with httpx.Client(
        base_url=limited.url, transport=httpx.HTTPTransport(local_address="127.0.0.6")
    ) as client:
        for _ in range(3):
            client.post("/v1/login", json={"handle": handle(), "password": WORD})
        answers = [
            client.patch("/v1/users/me", headers=person.bearer, json=changes)
            for changes in ({"email": f"{handle()}@example.org"}, {"name": "Ann"})
        ]

    assert [answer.status_code for answer in answers] == [429, 200]
    assert numbers(answers[0]) == (3, 0)


def test_a_password_is_changed_as_seldom_as_one_logs_in(limited: Gateway, people: People) -> None:
    """Password changes, which cost two hashes each, count towards the limit of logins."""
    person, client = people.new(), Api(limited.url)
    wanted = {"password": "wrong", "new_password": OTHER}
    answers = [
        client.raw("PUT", "/v1/users/me/password", headers=person.bearer, json=wanted) for _ in range(4)
    ]
    client.close()

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert [numbers(answer) for answer in answers] == [(3, 2), (3, 1), (3, 0), (3, 0)]


# --- a store that is gone -----------------------------------------------------------------------------------


@pytest.mark.long
def test_a_store_that_is_gone(api: Api, people: People) -> None:
    """Without a store the limiter lets requests pass and logs it; logins and other calls are a 503."""
    with (
        ValkeyEngine() as own,
        running_gateway(env={**CLOSED, "REDIS_URL": own.url, "PARLEY_RATE_LIMITS": ""}) as server,
    ):
        client = Api(server.url)
        person = People(lambda body: client.call("POST", "/v1/register", json=body)).new()
        own.kill()
        answers = [
            login(client, handle=person.handle),
            register(client),
            client.call("GET", "/v1/sessions", person=person),
            client.call("POST", "/v1/logout", person=person),
        ]
        client.close()

        assert {code_of(answer) for answer in answers} == {(503, "store_unavailable")}
        assert {answer.headers["Retry-After"] for answer in answers} == {"1"}
        assert eventually(lambda: len(opened_limits(server)) == 2)
        logged = {(line["class"], line["level"]) for line in opened_limits(server)}
        assert logged == {("auth", "WARNING")}


def opened_limits(server: Gateway) -> list[dict[str, Any]]:
    """Return the log lines of skipped limits."""
    lines = server.log_lines()
    return [line for line in lines if line["event"] == "rate_limit_open"]


def test_nothing_secret_is_logged(server: Gateway, api: Api, people: People) -> None:
    """The server's log has neither tokens nor passwords, emails nor handles."""
    email = f"{uuid.uuid4().hex}@example.org"
    person = people.new(email=email)
    login(api, handle=person.handle, password="a wrong word of mine")
    login(api, email=email, password=person.password)
    sessions(api, person)
    last = api.call("POST", "/v1/logout", person=person).headers["X-Request-Id"]
    assert eventually(lambda: last in server.output())
    log = server.output()

    for secret in (person.token, person.token[7:50], person.password, email, person.handle, "a wrong word"):
        assert secret not in log


# --- an open server -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def open_server(engine: ValkeyEngine) -> Iterator[Gateway]:
    """An open server on the same store."""
    settings = {
        "PARLEY_AUTH": "open",
        "PARLEY_RATE_LIMITS": "auth=0",
        "PARLEY_ARGON2": CLOSED["PARLEY_ARGON2"],
    }
    with running_gateway(env={**settings, "REDIS_URL": engine.url}) as running:
        yield running


@pytest.fixture
def open_api(open_server: Gateway) -> Iterator[Api]:
    """A client of the open server."""
    client = Api(open_server.url)
    yield client
    client.close()


def test_a_name_is_trusted_until_it_has_an_account(open_api: Api) -> None:
    """A name works without a token until it has an account; then it needs one, within about a second."""
    name, other = handle(), handle()
    chat = ":".join(sorted((name, other)))
    message = {"chat": chat, "sender": name, "text": "hi"}
    assert open_api.raw("POST", "/api/send", json=message).status_code == 204
    assert (
        open_api.raw("GET", f"/v1/chats/{chat}/messages", headers={"X-Parley-User": name}).status_code == 200
    )
    person = Person(name, WORD, register(open_api, handle=name).json()["token"])

    def statuses() -> tuple[int, ...]:
        answers = (
            open_api.raw("POST", "/api/send", json=message),
            open_api.raw("GET", f"/v1/chats/{chat}/messages", headers={"X-Parley-User": name}),
            open_api.raw("POST", "/api/send", json={**message, "sender": name.upper()}),
        )
        return tuple(answer.status_code for answer in answers)

    assert eventually(lambda: statuses() == (401, 401, 401))
    assert open_api.raw("POST", "/api/send", json={**message, "sender": other}).status_code == 204
    assert open_api.raw("POST", "/api/send", json=message, headers=person.bearer).status_code == 204


def test_pull_as_whoever_has_no_account(open_api: Api) -> None:
    """A direct chat is pulled by the name without an account, and by token when both users have one."""
    first, second = sorted((handle(), handle()))
    chat = f"{first}:{second}"
    one = Person(first, WORD, register(open_api, handle=first).json()["token"])
    assert open_api.raw("POST", "/api/pull", json={"chat": chat}).status_code == 200
    register(open_api, handle=second)

    assert eventually(lambda: open_api.raw("POST", "/api/pull", json={"chat": chat}).status_code == 401)
    assert open_api.raw("POST", "/api/pull", json={"chat": chat}, headers=one.bearer).status_code == 200
    stranger = Person(name := handle(), WORD, register(open_api, handle=name).json()["token"])
    answer = open_api.raw("POST", "/api/pull", json={"chat": chat}, headers=stranger.bearer)
    assert code_of(answer) == (403, "not_a_member")


def test_a_bad_token_is_no_name(open_api: Api) -> None:
    """On an open server an invalid token is a 401, too, whatever name comes with it."""
    headers = {"Authorization": f"Bearer parley_{'A' * 43}.alice", "X-Parley-User": "nobody-yet"}

    assert open_api.raw("GET", "/v1/chats/nobody-yet:x/messages", headers=headers).status_code == 401


def test_a_name_in_latin_1_is_nobody(open_api: Api) -> None:
    """Names in another encoding than UTF-8 are refused: they would all be the same name."""
    for name in ("Zo\u00e9", "Zo\u00eb"):
        answer = open_api.raw("GET", "/v1/chats", headers={"X-Parley-User": name.encode("latin-1")})
        assert (answer.status_code, fields_at_fault(answer)) == (400, ["X-Parley-User"])
        assert "percent-encode" in answer.json()["detail"]
        for sent in (name.encode(), quote(name)):
            assert open_api.raw("GET", "/v1/chats", headers={"X-Parley-User": sent}).status_code == 200


def test_what_takes_an_account(open_api: Api) -> None:
    """On an open server devices and profiles need a token, too."""
    for path in ("/v1/sessions", "/v1/users/me"):
        answer = open_api.raw("GET", path, headers={"X-Parley-User": "nobody-yet"})
        assert code_of(answer) == (401, "not_authenticated")


# --- chats with a token -------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["api", "open_api"])
def test_the_sender_is_the_tokens(request: pytest.FixtureRequest, which: str) -> None:
    """With a token a user sends under their own name, in any case, and under no other."""
    client: Api = request.getfixturevalue(which)
    people = People(lambda body: client.raw("POST", "/v1/register", json=body))
    ann, bob = people.new(), people.new()
    chat = f"{ann.handle}:{bob.handle}"

    def send(**message: Any) -> httpx.Response:
        return client.raw(
            "POST", "/api/send", json={"chat": chat, "text": "hi", **message}, headers=ann.bearer
        )

    assert send(sender=ann.handle.upper()).status_code == 204
    assert code_of(send(sender=bob.handle)) == (403, "forbidden")
    assert code_of(send(sender="another")) == (400, "bad_request")
    pulled = client.raw("POST", "/api/pull", json={"chat": chat}, headers=bob.bearer).json()
    assert [message["sender"] for message in pulled["messages"]] == [ann.handle.upper()]


def test_users_write_to_anybody_who_does_not_block_them(api: Api, people: People) -> None:
    """Users write to themselves and to existing users, not to missing ones or to those who block them."""
    ann, bob = people.new(), people.new()

    def send(sender: Person, to: str) -> httpx.Response:
        chat = ":".join(sorted((sender.handle, to)))
        return api.call("POST", f"/v1/chats/{chat}/messages", person=sender, json={"text": "hi"})

    assert send(ann, ann.handle).status_code == 201
    assert send(ann, bob.handle).status_code == 201
    assert code_of(send(ann, handle())) == (404, "user_not_found")
    assert api.call("PUT", f"/v1/users/me/blocked/{ann.handle}", person=bob).status_code == 204
    assert code_of(send(ann, bob.handle)) == (403, "blocked")
    assert send(bob, ann.handle).status_code == 201
    legacy = {"chat": f"{ann.handle}:{bob.handle}", "sender": ann.handle, "text": "hi"}
    assert code_of(api.call("POST", "/api/send", person=ann, json=legacy)) == (403, "blocked")
    assert api.call("DELETE", "/v1/users/me", person=bob).status_code == 204
    assert code_of(send(ann, bob.handle)) == (404, "user_not_found")
    page = api.call(
        "GET", f"/v1/chats/{':'.join(sorted((ann.handle, bob.handle)))}/messages", person=ann
    ).json()
    assert (page["head"], page["deleted_users"]) == (2, [bob.handle])


@pytest.mark.long
def test_20_callers_at_once_are_each_themselves(server: Gateway, people: People) -> None:
    """Concurrent slow and fast calls never get an answer for another caller."""
    persons = [people.new() for _ in range(8)]

    def acts(person: Person) -> bool:
        client = Api(server.url)
        for _ in range(10):
            entry = login(client, handle=person.handle, password=person.password).json()
            assert entry["user"]["handle"] == person.handle
            assert entry["token"].endswith("." + person.handle)
            me = client.call("GET", "/v1/users/me", person=person._replace(token=entry["token"])).json()
            assert me["handle"] == person.handle
        client.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(acts, persons))
