"""A client of one server that checks the common properties of every answer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.deployed.people import People, Person

PROBLEM = "application/problem+json"
MAX_WAITS = 40


class Api:
    """Calls a server and checks the headers that all its answers share.

    url: its base URL, the stage's path included, without a slash at its end. people: who have accounts there
    and call with their tokens; None: callers say their names, as an open server believes them.
    """

    def __init__(self, url: str, people: People | None = None) -> None:
        self.url = url
        self._people = people
        self._http = httpx.Client(timeout=60)

    @property
    def origin(self) -> str:
        """The server's scheme, host and port, as a browser names the origin of a page."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def new_pair(self) -> tuple[str, str, str]:
        """Return a new chat and its two members."""
        return self._people.pair() if self._people else new_pair()

    def stranger(self, *members: str) -> str:
        """Return a user who is not a member of a chat."""
        return self._people.someone(*members).handle if self._people else f"c{uuid.uuid4().hex[:12]}"

    def raw(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request, with the path as it is given, and return the answer unchecked.

        options: as httpx takes them, and who calls. `person`: by their token. `user`: by name in the
        X-Parley-User header, or where callers have tokens by theirs. `speaker`, a name, a chat or several:
        by the token of the first who has one, and where callers have none by what else is in the request.
        """
        caller = self._caller(*(options.pop(name, None) for name in ("person", "user", "speaker")))
        headers = {**caller, **options.pop("headers", {})}
        return self._http.request(method, self.url + path, headers=headers, **options)

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request as raw does, wait while the server says to, and check the answer."""
        response = self.raw(method, path, **options)
        for _ in range(MAX_WAITS):
            if response.status_code != 429:
                break
            time.sleep(int(response.headers["Retry-After"]))
            response = self.raw(method, path, **options)
        check_answer(response)
        return response

    def send(self, **message: Any) -> httpx.Response:
        """Send on the legacy path."""
        speaker = (message.get("sender"), message.get("chat"))
        return self.call("POST", "/api/send", json=message, speaker=speaker)

    def pull(self, **page: Any) -> Any:
        """Pull on the legacy path, by JSON body."""
        response = self.call("POST", "/api/pull", json=page, speaker=page["chat"])
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, chat: str, user: str, **message: Any) -> httpx.Response:
        """Send a message under /v1."""
        return self.call("POST", f"/v1/chats/{chat}/messages", user=user, json=message)

    def page(self, chat: str, user: str, **query: Any) -> Any:
        """Read a page under /v1."""
        response = self.call("GET", f"/v1/chats/{chat}/messages", user=user, params=query)
        assert response.status_code == 200, response.text
        return response.json()

    def _caller(self, person: Person | None, user: str | None, speaker: object) -> dict[str, str]:
        if person:
            return person.bearer
        if self._people is None:
            return {"X-Parley-User": user} if user else {}
        if user:
            return self._people.known(user).bearer
        if not speaker:
            return {}
        named = speaker if isinstance(speaker, tuple) else (speaker,)
        halves = [half for name in named if isinstance(name, str) for half in (name, *name.split(":"))]
        return self._people.first_of(*halves).bearer


def check_answer(response: httpx.Response) -> None:
    """Check that an answer has a request id, and is a problem if it is an error."""
    assert response.headers["X-Request-Id"]
    if response.status_code >= 400:
        check_problem(response)


def check_problem(response: httpx.Response) -> None:
    """Check that an error is a problem with all it must say."""
    assert response.headers["Content-Type"] == PROBLEM, response.text
    problem = response.json()
    assert problem["status"] == response.status_code
    assert {"type", "title", "detail", "code"} <= problem.keys()
    assert problem["type"].endswith(problem["code"])


def fields_at_fault(response: httpx.Response) -> list[str]:
    """Return the names of the invalid fields in a problem."""
    return [error["field"] for error in response.json().get("errors", [])]


def new_pair() -> tuple[str, str, str]:
    """Return a new chat and its two members."""
    first, second = sorted((f"a{uuid.uuid4().hex[:12]}", f"b{uuid.uuid4().hex[:12]}"))
    return f"{first}:{second}", first, second


def people_of(client: Api) -> People:
    """Return users with accounts, who let everybody add them to groups."""
    return People(
        lambda body: client.call("POST", "/v1/register", json=body),
        lambda person, changes: client.call("PATCH", "/v1/users/me", person=person, json=changes),
    )


def client_of(url: str, people: People | None = None) -> Iterator[Api]:
    """Yield a client and close it."""
    client = Api(url, people)
    yield client
    client.close()
