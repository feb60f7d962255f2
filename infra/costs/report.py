"""The model's result, as text for people and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from infra.costs import connection
from infra.costs.model import CHATS, STORED_BYTES, idle, kept_gb, million, month, room_gb
from infra.costs.prices import AS_OF, PRICES, REGION, STORE_FLOOR_GB
from infra.costs.tables import dollars, table
from infra.costs.usage import MILLION, Usage


def text(usage: Usage) -> str:
    """Return the costs as tables in dollars."""
    return "\n".join(
        [*_head(usage), "", *_idle(usage), "", *_millions(usage), "", *_month(usage), *_notes(usage)]
    )


def document(usage: Usage) -> dict[str, Any]:
    """Return the costs, the usage and the prices as one JSON document."""
    return {
        "region": REGION,
        "as_of": AS_OF,
        "usage": asdict(usage),
        "idle_month": _with_total(idle(usage)),
        "million_messages": {
            name: _with_total(million(replace(usage, members=members)))
            for name, members in _chats(usage).items()
        },
        "connection_month": _with_total(connection.month(usage)),
        "month": _with_total(month(usage)),
        "prices": {name: asdict(price) for name, price in PRICES.items()},
    }


def _chats(usage: Usage) -> dict[str, int]:
    if usage.members in CHATS.values():
        return CHATS
    chats = {**CHATS, f"group of {usage.members:,}": usage.members}
    return dict(sorted(chats.items(), key=lambda chat: chat[1]))


def _with_total(costs: Mapping[str, float]) -> dict[str, float]:
    return {**costs, "total": sum(costs.values())}


def _head(usage: Usage) -> list[str]:
    return [
        f"Dollars, {REGION}, prices on demand of {AS_OF}; free allowances and volume discounts not counted.",
        f"Store: {usage.store}, signed in to by {usage.auth}. Way out of the VPC: {usage.egress}.",
    ]


def _idle(usage: Usage) -> list[str]:
    rows = [(name, dollars(cost)) for name, cost in _with_total(idle(usage)).items()]
    return ["A month in which nothing is sent and nobody is connected", *table(rows)]


def _millions(usage: Usage) -> list[str]:
    chats = {
        name: _with_total(million(replace(usage, members=members))) for name, members in _chats(usage).items()
    }
    head = ("chat", *next(iter(chats.values())))
    rows = [(name, *map(dollars, costs.values())) for name, costs in chats.items()]
    share = (
        f"{usage.connections:,.0f} connections over {usage.messages / MILLION:,g} million messages a month"
    )
    return [
        f"A million messages of {usage.text_bytes:g} bytes, sent over {usage.via},"
        f" devices a member: {usage.devices:g}",
        *table([head, *rows]),
        f"  typing, receipts: {usage.typing:g} and {usage.receipts:g} for each receiving member, a message",
        f"  connections: the share of a million, with {share}",
        f"  GB-months: the million kept for a month, {usage.text_bytes + STORED_BYTES:g} bytes each,"
        " with snapshots",
    ]


def _month(usage: Usage) -> list[str]:
    title = (
        f"A month of {usage.messages:,.0f} messages in chats of {usage.members:,},"
        f" {usage.connections:,.0f} connections always open,"
        f" {usage.kept:,.0f} messages kept ({kept_gb(usage):.3g} GB)"
    )
    rows = [(name, dollars(cost)) for name, cost in _with_total(month(usage)).items()]
    return [title, *table(rows)]


def _notes(usage: Usage) -> list[str]:
    notes = []
    if usage.store == "durable" and usage.node_hour == PRICES["node_hour"].dollars:
        notes.append(
            f"Assumed: the price of a node. {PRICES['node_hour'].assumed}: {PRICES['node_hour'].source}"
        )
    if usage.store == "serverless" and 0 < kept_gb(usage) <= STORE_FLOOR_GB:
        notes.append(
            "The messages kept fit in what the idle store is charged for; their snapshots cost more."
        )
    if kept_gb(usage) > room_gb(usage):
        notes.append(
            f"Too little room: {kept_gb(usage):.3g} GB are to be kept, and {usage.shards} db.t4g.small shards"
            f" hold {room_gb(usage):.3g} GB; add --shards, or take larger nodes and give their --node-hour."
        )
    return ["", *notes] if notes else []
