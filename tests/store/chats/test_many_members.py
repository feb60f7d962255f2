"""Chats of very many members, on a store that takes no more arguments than ElastiCache Serverless does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from chalicelib import services
from chalicelib.store import keys
from chalicelib.store.accounts.user_cards import UserCards
from chalicelib.store.chats.info import Member, Other, Relation
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.realtime.recipients import EphemeralRecipients
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import UserBatch
from chalicelib.store.social.blocks import Blocks
from chalicelib.store.social.posts import Posts
from chalicelib.store.social.timelines import Timelines
from tests.servers.serverless_limits import MAX_ARGUMENTS
from tests.store.account_records import write_account
from tests.store.app_requests import Answer, call
from tests.store.chat_calls import GROUP, NEWS, Groups
from tests.store.log_records import RawClient
from tests.store.lost_writes import sweep
from tests.store.shared_partition import handles_of_one_partition
from tests.store.syncing_client import Client, asked

pytestmark = pytest.mark.parametrize("engine", ["valkey"], indirect=True)
MANY = 1000
MAX_MEMBERS = 10_000
PEOPLE = [f"user{number}" for number in range(MAX_MEMBERS - 1)]


def made(answer: Answer) -> Any:
    """Return the answer of a call that must succeed."""
    assert answer.status < 300, answer
    return answer.body


@pytest.mark.usefixtures("app_on_engine")
def test_a_group_of_1000_is_made_used_and_deleted(raw: RawClient) -> None:
    """A group of 1,000 is made in one call, and allows every action of a small group."""
    new = {"kind": "group", "name": "Town", "members": PEOPLE[: MANY - 1]}
    chat = made(call("POST", "/v1/chats", body=new))["chat"]
    path, eve, last = f"/v1/chats/{chat}", Client(PEOPLE[0]), PEOPLE[MANY - 2]

    assert eve.sync() == [chat]
    assert eve.rows[chat]["members"] == MANY
    made(call("POST", f"{path}/messages", body={"text": "hello"}))
    made(asked("POST", f"{path}/leave", PEOPLE[1]))
    made(call("DELETE", f"{path}/members/{PEOPLE[2]}"))
    made(call("PUT", f"{path}/members/{PEOPLE[2]}"))
    assert asked("PUT", f"{path}/members/zed", PEOPLE[0]).status == 403
    assert eve.sync() == [chat]
    assert eve.rows[chat]["members"] == MANY - 1
    assert [one["chat"] for one in made(asked("GET", "/v1/chats", last))["chats"]] == [chat]
    assert made(asked("GET", f"{path}/receipts", last))["receipts"][0]["read"] == 2
    write_account(raw, last)
    archive = msgspec.json.decode(msgspec.json.encode(services.current().exports.page(last, None)))
    assert [one["chat"] for one in archive["chats"]] == [chat]
    made(call("DELETE", path))
    sweep()
    assert eve.sync() == [chat]
    assert chat not in eve.rows


@pytest.mark.long
def test_a_group_of_10000_is_made_changed_and_deleted(store: Store) -> None:
    """A group of the maximum size takes one store call to make, to change and to delete."""
    groups = Groups(store, MAX_MEMBERS)
    assert len(groups.make(*PEOPLE).entries) == MAX_MEMBERS
    groups.change({PEOPLE[0]: Relation.REMOVED, PEOPLE[1]: Relation.LEFT})

    view = groups.view(*PEOPLE)
    assert view.info is not None
    assert view.info.members == MAX_MEMBERS - 2
    assert [type(view.records[handle]) for handle in PEOPLE[:3]] == [Other, Other, Member]
    deleted = groups.store.run(groups.chats.delete(GROUP, view))
    assert deleted is not None
    assert len(deleted.entries) == MAX_MEMBERS - 2


Asking = Callable[[Sequence[str]], UserBatch[Any]]

ASKING: dict[str, Asking] = {
    "deliver": lambda handles: Inboxes().deliver(GROUP, 1, handles),
    "recipients": lambda handles: UserConnections(60).recipients(handles),
    "ephemeral": lambda handles: EphemeralRecipients.of("ann", handles, 10, 100),
    "blockers": lambda handles: Blocks.blocking(handles, "ann"),
    "cards": lambda handles: UserCards().of(handles),
    "posts": lambda handles: Posts().newest(handles, None, 1),
    "timelines": lambda handles: Timelines().put(handles, "ann", [7]),
    "full timelines": lambda handles: Timelines().put(handles[:50], "ann", range(1, 1001)),
}


@pytest.mark.parametrize("asking", ASKING.values(), ids=ASKING.keys())
def test_members_of_one_partition_are_asked_for_in_parts(store: Store, asking: Asking) -> None:
    """Each command is short enough, whatever the number of members in one partition."""
    store.run(asking(handles_of_one_partition(MAX_ARGUMENTS + 1)))


def test_all_members_of_a_chat_that_is_not_large_get_a_message(store: Store, raw: RawClient) -> None:
    """With a limit of 10,000 for small chats, a message updates the inboxes of all members."""
    groups, inboxes = Groups(store, MAX_MEMBERS, large=MAX_MEMBERS), Inboxes()
    placed = groups.make(*PEOPLE)
    assert placed.members is not None
    store.run_all([inboxes.update(GROUP, entry) for entry in placed.entries[-1:]])
    change = groups.change({}, body=NEWS)
    store.run(inboxes.deliver(GROUP, change.time, change.members or ()))
    assert raw.zscore(keys.active(placed.entries[-1].handle), GROUP) == change.time
