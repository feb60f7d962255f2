"""Chats, members and planned messages, drawn by a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

import httpx

LARGE_CHAT = 8
"""Chats of more members are large: no inboxes are written for them."""
USERS = 44
SECOND_DEVICES = 6
SENDS = 9
"""The number for each device."""
SMALL_GROUPS, LARGE_GROUPS = range(4, LARGE_CHAT + 1), (9, 16)
ROOM = "square"
WEIGHTS = {"direct": 6, "small": 3, "large": 2, "room": 2}
ROOM_PADDING = "." * 6_000
"""In a room's texts, to fill the buffers for a reader who has stopped reading."""


class Planned(NamedTuple):
    """A message to send."""

    chat: str
    id: str
    text: str


class World(NamedTuple):
    """devices: the user of each, by name; one or two a user. plans: what each device sends, in this order.

    chats: of each user.
    """

    devices: dict[str, str]
    plans: dict[str, list[Planned]]
    chats: dict[str, list[str]]


def made_world(url: str, rng: random.Random) -> World:
    """Make the groups and the room on an open server, and draw the rest."""
    users = [f"user{number:02}" for number in range(USERS)]
    chats = {user: [("direct", f"{user}:{user}")] for user in users[:2]} | {user: [] for user in users[2:]}
    pairs = [tuple(sorted((user, users[number - 1]))) for number, user in enumerate(users)]
    groups = [("direct", f"{one}:{other}", [one, other]) for one, other in pairs]
    with httpx.Client(base_url=url, timeout=30) as http:
        for kind, sizes in (("small", SMALL_GROUPS), ("large", LARGE_GROUPS)):
            for size in sizes:
                members = rng.sample(users, size)
                groups.append(
                    (kind, _made(http, members[0], {"kind": "group", "members": members[1:]}), members)
                )
        groups.append(("room", _made(http, users[0], {"kind": "room", "id": ROOM}), users))
    for kind, chat, members in groups:
        for member in members:
            chats[member].append((kind, chat))
    devices = {user: user for user in users} | {f"{user}/2": user for user in users[:SECOND_DEVICES]}
    plans = {device: _plan(device, chats[user], rng) for device, user in devices.items()}
    return World(devices, plans, {user: [chat for _, chat in of] for user, of in chats.items()})


def _made(http: httpx.Client, owner: str, fields: dict[str, object]) -> str:
    answer = http.post("/v1/chats", json={"name": "Chat", **fields}, headers={"X-Parley-User": owner})
    answer.raise_for_status()
    return str(answer.json()["chat"])


def _plan(device: str, chats: Sequence[tuple[str, str]], rng: random.Random) -> list[Planned]:
    chosen = rng.choices(chats, [WEIGHTS[kind] for kind, _ in chats], k=SENDS)
    return [
        Planned(chat, f"{device}-{number}", f"{number} {ROOM_PADDING if kind == 'room' else ''}")
        for number, (kind, chat) in enumerate(chosen)
    ]
