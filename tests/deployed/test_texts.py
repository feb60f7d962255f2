"""One rule for names and texts: each field of the API accepts and refuses the same characters."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.deployed.client import Api
from tests.deployed.people import People, Person

ELA = "\U0001fa77 E\u0301la"
COMPOSED = "\U0001fa77 \u00c9la"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
WRONG = {
    "a\u202eb": "character 2 is U+202E, which changes the direction of writing; take it out",
    "a\x07": "character 2 is U+0007, a control character; take it out",
    "a\uffff": "character 2 is U+FFFF, which is not a character; take it out",
}
UNSEEN = ("\u3164", "\u2800\u200d")


@pytest.fixture
def person(people: People) -> Person:
    """A user with an account."""
    return people.someone()


def faults_of(answer: httpx.Response) -> Any:
    """Return the invalid fields of an answer, each with the reason."""
    assert answer.status_code == 400, answer.text
    return [(error["field"], error["detail"]) for error in answer.json()["errors"]]


def test_fields_take_what_people_write(registered: Api, people: People) -> None:
    """Names and titles keep new emoji, flags and wide blanks, in NFC; bios and notices are kept as sent."""
    person = people.new()
    profile = {"name": ELA, "bio": f"{ENGLAND}\n{ELA}"}
    me = registered.call("PATCH", "/v1/users/me", person=person, json=profile).json()
    assert (me["name"], me["bio"]) == (COMPOSED, profile["bio"])
    group = {"kind": "group", "name": f"\u3000{ELA}\u00a0\u5c71", "notice": ELA}
    chat = registered.call("POST", "/v1/chats", person=person, json=group).json()
    assert (chat["name"], chat["notice"]) == (f"{COMPOSED}\u00a0\u5c71", ELA)
    found = registered.call("GET", "/v1/users", person=person, params={"q": ELA}).json()["users"]
    assert person.handle in [user["handle"] for user in found]


@pytest.mark.parametrize("field", ["name", "bio"])
def test_profile_texts_follow_the_rule(registered: Api, person: Person, field: str) -> None:
    """A name or bio is refused with the character and its position, or because none of it is visible."""
    for text, reason in WRONG.items():
        answer = registered.call("PATCH", "/v1/users/me", person=person, json={field: text})
        assert faults_of(answer) == [(field, reason)]
    for text in UNSEEN:
        answer = registered.call("PATCH", "/v1/users/me", person=person, json={field: text})
        assert "needs at least one visible character" in faults_of(answer)[0][1]


@pytest.mark.parametrize("field", ["name", "notice"])
def test_group_texts_follow_the_rule(registered: Api, person: Person, field: str) -> None:
    """A group's name and notice follow the same rule."""
    for text in (*WRONG, *UNSEEN):
        body = {"kind": "group", "name": "tea", field: text}
        answer = registered.call("POST", "/v1/chats", person=person, json=body)
        assert [part[0] for part in faults_of(answer)] == [field]


def test_search_terms_follow_the_rule(registered: Api, person: Person) -> None:
    """A search follows the same rule, and gives the reason."""
    for text, reason in WRONG.items():
        answer = registered.call("GET", "/v1/users", person=person, params={"q": text})
        assert faults_of(answer) == [("q", reason)]
    for text in UNSEEN:
        answer = registered.call("GET", "/v1/groups", person=person, params={"q": text})
        assert faults_of(answer) == [("q", "a search needs at least one visible character")]


def test_a_post_needs_something_to_see(registered: Api, person: Person) -> None:
    """A post of blanks or invisible characters is refused, like a message."""
    for text in UNSEEN:
        answer = registered.call("POST", "/v1/posts", person=person, json={"text": text})
        assert faults_of(answer) == [("text", "a post needs at least one visible character")]
