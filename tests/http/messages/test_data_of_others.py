"""Data of users and of groups, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deployed.client import Api, fields_at_fault
from tests.deployed.people import People
from tests.http.chat_requests import crowd, do, make, read, refused

DATA = {"theme": {"colour": "red"}, "n": 1}


@pytest.fixture(scope="module")
def url(small_chats_url: str) -> str:
    """The base URL of a closed server on which a chat has few members."""
    return small_chats_url


def test_a_user_has_data_that_everybody_can_read(api: Api, people: People) -> None:
    """The data of a profile is shown to others, stays with other changes, and is removed by null."""
    ann, bob = crowd(people, 2)

    def change(**fields: Any) -> Any:
        return api.call("PATCH", "/v1/users/me", person=ann, json=fields)

    assert change(data=DATA).json()["data"] == DATA
    assert change(bio="hi").json()["data"] == DATA
    assert api.call("GET", f"/v1/users/{ann.handle}", person=bob).json()["data"] == DATA
    assert fields_at_fault(change(data={"x": "y" * 4096})) == ["data"]
    assert change(data={}).json()["data"] == {}
    assert "data" not in change(data=None).json()


def test_admins_set_the_data_of_a_group(api: Api, people: People) -> None:
    """The data of a group is set by admins and shown to members; its message says only that it changed."""
    ann, bob = crowd(people, 2)
    group = make(api, ann, [bob])

    refused(do(api, bob, "PATCH", group, json={"data": DATA}), 403, "forbidden")
    assert do(api, ann, "PATCH", group, json={"data": DATA}).json()["data"] == DATA
    assert read(api, bob, group)["data"] == DATA
    last = read(api, bob, f"{group}/messages")["messages"][-1]
    assert (last["event"]["data"], last["text"]) == (
        True,
        f"{ann.handle} changed the data of the application.",
    )
    assert fields_at_fault(do(api, ann, "PATCH", group, json={"data": [1]})) == ["data"]
    assert "data" not in do(api, ann, "PATCH", group, json={"data": None}).json()
    pair = ":".join(sorted((ann.handle, bob.handle)))
    assert fields_at_fault(do(api, ann, "PATCH", pair, json={"data": DATA})) == ["data"]
