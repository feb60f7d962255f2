"""How much of each price a stack uses: when idle, for a million messages, and in a month."""

from __future__ import annotations

import math
from dataclasses import replace

from chalicelib.store.partitions import PARTITIONS
from infra.costs import connection
from infra.costs.connection import small_frame, small_push
from infra.costs.prices import HOURS, MINUTES, NODE_GB, PRICES, STORE_FLOOR_GB
from infra.costs.stack import parameter, runs_a_minute, stack_resources
from infra.costs.units import (
    billed,
    by_nat,
    ecpu,
    frame,
    log_of_run,
    logged,
    pushed,
    request,
    run,
    traffic,
)
from infra.costs.usage import MILLION, Usage

CHATS = {"direct": 2, "group of 10": 10, "group of 100": 100}

# Assumptions; their part of the total is small. Measure them on your own stack.
SEND_ECPU = 4  # authenticate, append, record the push, and clear the outbox entry later
FRAME_ECPU = 1  # read the connection's user
INBOX_ECPU = 2  # for each member: the inbox is written at once, and again by the sweep
RECEIPT_ECPU = 3  # for a `read`: the read state, the inbox, and the audience
TYPING_ECPU = 2
STORED_BYTES = 20  # in the store beside a text, in a long chat, without an id (docs/performance.md)
QUEUE_POLLS = 5 * 3  # a minute, of each idle queue: five of Lambda's pollers wait 20 s each
SWEEP_MS = 150.0  # billed for a sweep that finds nothing
SWEEP_ECPU = 4 * PARTITIONS  # reads the outboxes, and the expired leases and sessions
USABLE = 0.75  # of a node's memory that messages may fill


def idle(usage: Usage) -> dict[str, float]:
    """Return the costs of a month without messages and connections, in dollars by reason."""
    there = stack_resources(usage.given)
    nat = (
        there["EC2::NatGateway"] * PRICES["nat_hour"].dollars
        + there["EC2::EIP"] * PRICES["ipv4_hour"].dollars
    )
    costs = {
        "store": _store_month(usage),
        "alarms": there["CloudWatch::Alarm"] * PRICES["alarm_month"].dollars,
        "custom metrics, at most": there["Logs::MetricFilter"] * PRICES["metric_month"].dollars,
        "dashboards": there["CloudWatch::Dashboard"] * PRICES["dashboard_month"].dollars,
        "secrets": there["SecretsManager::Secret"] * PRICES["secret_month"].dollars,
        "queue and sweep": _minute(usage) * MINUTES,
        "NAT gateway": nat * HOURS,
        "interface endpoints": there["EC2::VPCEndpoint"] * PRICES["endpoint_hour"].dollars * HOURS,
        "WAF": there["WAFv2::WebACL"] * PRICES["waf_acl_month"].dollars
        + there["WAFv2::Rule"] * PRICES["waf_rule_month"].dollars,
    }
    return {name: cost for name, cost in costs.items() if cost}


def million(usage: Usage) -> dict[str, float]:
    """Return the costs of a million messages of this usage, in dollars by reason.

    `connections` is the share of a million of the month's messages. `GB-months` is keeping a million messages
    for one month, above the store's minimum, with their snapshots.
    """
    return {
        "requests": MILLION * _send(usage),
        "pushes": MILLION * _pushes(usage),
        "typing": MILLION * _typing(usage),
        "receipts": MILLION * _receipts(usage),
        "connections": _connections(usage) * MILLION / usage.messages if usage.messages else 0.0,
        "GB-months": kept_month(replace(usage, kept=MILLION), floor=0.0),
        "traffic and logs": MILLION * _traffic_and_logs(usage),
    }


def month(usage: Usage) -> dict[str, float]:
    """Return the costs of the month, in dollars by reason."""
    return {
        "idle": sum(idle(usage).values()),
        "requests": usage.messages * _send(usage),
        "pushes": usage.messages * _pushes(usage),
        "typing": usage.messages * _typing(usage),
        "receipts": usage.messages * _receipts(usage),
        "connections": _connections(usage),
        "GB-months": kept_month(usage, floor=STORE_FLOOR_GB),
        "media": usage.media_gb * PRICES["media_gb_month"].dollars,
        "traffic and logs": usage.messages * _traffic_and_logs(usage),
    }


def kept_month(usage: Usage, floor: float) -> float:
    """Return the dollars of keeping the messages for a month, above the GB that are charged anyway.

    The nodes of a durable store cost the same full or empty, so there only the snapshots count: one a day,
    each of all messages, for StoreSnapshotDays.
    """
    snapshots = float(parameter("StoreSnapshotDays", usage.given)) * kept_gb(usage)
    if usage.store == "durable":
        return snapshots * PRICES["durable_snapshot_gb_month"].dollars
    stored = max(0.0, kept_gb(usage) - floor) * HOURS * PRICES["store_gb_hour"].dollars
    return stored + snapshots * PRICES["serverless_snapshot_gb_month"].dollars


def kept_gb(usage: Usage) -> float:
    """Return the GB that the kept messages take in the store."""
    return usage.kept * (usage.text_bytes + STORED_BYTES) / 1e9


def room_gb(usage: Usage) -> float:
    """Return the GB of messages that a store has space for."""
    return usage.shards * NODE_GB * USABLE if usage.store == "durable" else math.inf


def _minute(usage: Usage) -> float:
    """Return the dollars of a minute without work: polls of the queues, and the sweep."""
    queues = stack_resources(usage.given)["Lambda::EventSourceMapping"]
    polls = queues * QUEUE_POLLS * PRICES["sqs_request"].dollars
    sweep = run(usage, SWEEP_MS) + log_of_run(usage) + ecpu(usage, SWEEP_ECPU)
    return polls + runs_a_minute(usage.given) * sweep


def _store_month(usage: Usage) -> float:
    if usage.store == "durable":
        return usage.shards * (1 + usage.replicas) * HOURS * usage.node_hour
    return STORE_FLOOR_GB * HOURS * PRICES["store_gb_hour"].dollars


def _send(usage: Usage) -> float:
    """Return the dollars of one send: the request, its response, its invocation and the store's work.

    A chat with more members than `LargeChat` writes no inboxes.
    """
    counted = billed(_size(usage))
    by_socket = frame(usage, counted) + PRICES["socket_message"].dollars  # and the response to its sender
    edge = by_socket if usage.via == "socket" else request(usage)
    inboxes = 0 if _is_large(usage) else INBOX_ECPU * usage.members
    whose = FRAME_ECPU if usage.via == "socket" else 0
    return edge + run(usage, usage.lambda_ms) + ecpu(usage, SEND_ECPU + whose + inboxes)


def _pushes(usage: Usage) -> float:
    """Return the dollars of one message's pushes to every device except the sending one."""
    return _receivers(usage) * pushed(usage, billed(_size(usage))) + ecpu(usage, usage.members)


def _typing(usage: Usage) -> float:
    """Return the dollars of the `typing` frames before a message; large chats drop them."""
    receivers = 0 if _is_large(usage) else usage.members * usage.devices - 1
    return usage.typing * (small_frame(usage, TYPING_ECPU) + receivers * small_push(usage))


def _receipts(usage: Usage) -> float:
    """Return the dollars of a message's receipts; in a large chat only the reader's devices get them."""
    receivers = usage.devices - 1 if _is_large(usage) else usage.members * usage.devices - 1
    receipts = usage.receipts * (usage.members - 1)
    return receipts * (small_frame(usage, RECEIPT_ECPU) + receivers * small_push(usage))


def _traffic_and_logs(usage: Usage) -> float:
    out = (_receivers(usage) + 1) * traffic(_size(usage))
    nat = _receivers(usage) * by_nat(usage, _size(usage))
    return out + nat + logged(usage, usage.log_bytes)


def _connections(usage: Usage) -> float:
    return usage.connections * sum(connection.month(usage).values())


def _is_large(usage: Usage) -> bool:
    return usage.members > int(parameter("LargeChat", usage.given))


def _receivers(usage: Usage) -> float:
    """Return the number of devices that a message is pushed to; one sent over HTTP is pushed to all."""
    return usage.members * usage.devices - (1 if usage.via == "socket" else 0)


def _size(usage: Usage) -> float:
    return usage.text_bytes + usage.envelope_bytes
