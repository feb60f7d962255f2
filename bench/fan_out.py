"""The cost of a send by the number of members of its chat."""

from __future__ import annotations

import json
from statistics import median, quantiles
from typing import NamedTuple

import redis

from bench.findings import Aim, Findings, Table
from bench.in_process import Handler, handler
from bench.loads import MEMBERS, new_group, sends
from bench.options import Scale, progress
from bench.round_trips import Count, counted
from chalicelib.store import keys

SIZES = (2, 10, 100, 1000)
MAX_INBOXES, MAX_READS = 100, 2
COLUMNS = (
    *("members", "p50 ms", "p99 ms", "scripts run", "reads by the store"),
    *("µs in the store", "inboxes written"),
)


class Cost(NamedTuple):
    """The store's work for a send; inboxes: Number of inboxes that the send wrote."""

    store: Count
    inboxes: int


def measure(scale: Scale) -> Findings:
    """Send to groups of each size, by token."""
    with handler() as made:
        token = made.token(MEMBERS[0])
        costs = {size: _cost(made, token, size, scale.calls) for size in SIZES}
    note = (
        "`POST /v1/chats/{chat}/messages` with an id to a group, by the token of a member, in process, one"
        f" after the other, {scale.calls:,} times: authenticate, append, write inboxes. The store"
        " reads 16 KiB at a time, so a long request counts as more than one read."
    )
    rows = [_row(size, cost) for size, cost in costs.items()]
    return Findings([Table("A send by the members of its chat", note, COLUMNS, rows)], _aims(costs), [])


def _cost(made: Handler, token: str, size: int, calls: int) -> Cost:
    progress(f"fan_out: {calls} sends to {size} members")
    others = [f"member{number:04d}" for number in range(size - 1)]
    sender = MEMBERS[0]
    (making,) = made.events(new_group(sender, others, token), 1)
    chat: str = json.loads(made.call(making)["body"])["chat"]
    _, load = sends(sender, chat, token)
    count = counted(made, made.events(load, calls + 1))
    before = _versions(made.store, [sender, *others])
    (event,) = made.events(load, 1)
    made.call(event)
    after = _versions(made.store, [sender, *others])
    return Cost(count, sum(now != was for now, was in zip(after, before, strict=True)))


def _versions(store: redis.Redis, handles: list[str]) -> list[bytes | None]:
    pipeline = store.pipeline(transaction=False)
    for handle in handles:
        pipeline.hget(keys.inbox_entries(handle), "version")
    return pipeline.execute()


def _row(size: int, cost: Cost) -> tuple[str, ...]:
    count = cost.store
    milliseconds = median(count.times) * 1000, quantiles(count.times, n=100)[98] * 1000
    return (
        f"{size:,}",
        *(f"{figure:.2f}" for figure in (*milliseconds, count.scripts, count.reads)),
        f"{count.microseconds:.1f}",
        str(cost.inboxes),
    )


def _aims(costs: dict[int, Cost]) -> list[Aim]:
    reads = costs[MAX_INBOXES].store.reads
    small = [cost.inboxes == size for size, cost in costs.items() if size <= MAX_INBOXES]
    large = sum(cost.inboxes for size, cost in costs.items() if size > MAX_INBOXES)
    return [
        Aim(
            f"send to a group of {MAX_INBOXES}, by token: reads by the store",
            f"at most {MAX_READS}",
            f"{reads:.2f}",
            round(reads, 1) <= MAX_READS,
        ),
        Aim(
            f"inboxes written by a send to up to {MAX_INBOXES}",
            "all",
            "all" if all(small) else "some",
            all(small),
        ),
        Aim(f"inboxes written by a send to over {MAX_INBOXES}", "0", str(large), large == 0),
    ]
