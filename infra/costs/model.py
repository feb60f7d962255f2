"""How much of each price a stack uses: when idle, for a million messages, and in a month."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from chalicelib.config import Settings
from chalicelib.store.keys import PARTITIONS
from infra.costs.prices import HOURS, MINUTES, NODE_GB, PRICES, SOCKET_MESSAGE_BYTES, STORE_FLOOR_GB
from infra.costs.stack import standing

MILLION = 1_000_000
CHATS = {"direct": 2, "group of 10": 10, "group of 100": 100}

# Assumed, and small in the sum: measure them on a stack of your own.
ENVELOPE_BYTES = 200  # of JSON around a text on its way to a client
CALL_BYTES = 1000  # of HTTPS and signature around a push on its way to API Gateway
PUSH_MS = 1.0  # by which one more push makes a send longer; many are under way at once
SEND_ECPU = 4  # admit, append, noting what was pushed, and taking off later what was owed
FRAME_ECPU = 1  # whose frame it is
INBOX_ECPU = 2  # a member: the inbox is told at once, and once more by the sweep
STORED_BYTES = 20  # in the store beside a text, in a long chat, without an id (docs/performance.md)
QUEUE_POLLS = 5 * 3  # a minute, of each idle queue: five of Lambda's pollers wait 20 s each
SWEEP_MS = 150.0  # billed for a sweep that finds nothing
SWEEP_ECPU = 3 * PARTITIONS  # what is owed is read, of users and of chats, and which leases have ended
USABLE = 0.75  # of a node's memory that messages may fill


@dataclass(frozen=True)
class Usage:
    """One deployment and what is done with it in a month.

    messages: sent. members: of a chat, the sender too. devices: always connected, a member. text_bytes: of a
    message, in the mean. kept: messages in the store, through the month. connections: sockets always open.
    lambda_ms: billed for a send before its pushes. memory_mb: of the function. log_bytes: a send. via: socket
    or http. store: serverless or durable. egress: ipv6, nat or none. auth: of the store, iam or password.
    shards, replicas: of the durable store. node_hour: its price in dollars.
    """

    messages: float = MILLION
    members: int = 2
    devices: float = 1
    text_bytes: float = 38
    kept: float = MILLION
    connections: float = 1000
    lambda_ms: float = 20
    memory_mb: float = 512
    log_bytes: float = 600
    via: str = "socket"
    store: str = "serverless"
    egress: str = "ipv6"
    auth: str = "iam"
    shards: int = 1
    replicas: int = 1
    node_hour: float = PRICES["node_hour"].dollars


def idle(usage: Usage) -> dict[str, float]:
    """Return what a month costs in which nothing is sent, in dollars by reason."""
    there = standing(usage.store, usage.auth, usage.egress)
    nat = (
        there["EC2::NatGateway"] * PRICES["nat_hour"].dollars
        + there["EC2::EIP"] * PRICES["ipv4_hour"].dollars
    )
    costs = {
        "store": _store_month(usage),
        "alarms": there["CloudWatch::Alarm"] * PRICES["alarm_month"].dollars,
        "dashboards": there["CloudWatch::Dashboard"] * PRICES["dashboard_month"].dollars,
        "secrets": there["SecretsManager::Secret"] * PRICES["secret_month"].dollars,
        "queue and sweep": _minute(usage, there) * MINUTES,
        "NAT gateway": nat * HOURS,
        "interface endpoints": there["EC2::VPCEndpoint"] * PRICES["endpoint_hour"].dollars * HOURS,
    }
    return {name: cost for name, cost in costs.items() if cost}


def million(usage: Usage) -> dict[str, float]:
    """Return what a million messages of this usage cost, in dollars by reason.

    `connection minutes` is the month's, as the share of a million of its messages; `GB-months` is a million
    messages kept for one month, above the store's floor.
    """
    return {
        "requests": MILLION * _send(usage),
        "pushes": MILLION * _pushes(usage),
        "connection minutes": _connections(usage) * MILLION / usage.messages if usage.messages else 0.0,
        "GB-months": kept_month(replace(usage, kept=MILLION), floor=0.0),
        "traffic and logs": MILLION * _traffic_and_logs(usage),
    }


def month(usage: Usage) -> dict[str, float]:
    """Return what the month costs, in dollars by reason."""
    return {
        "idle": sum(idle(usage).values()),
        "requests": usage.messages * _send(usage),
        "pushes": usage.messages * _pushes(usage),
        "connection minutes": _connections(usage),
        "GB-months": kept_month(usage, floor=STORE_FLOOR_GB),
        "traffic and logs": usage.messages * _traffic_and_logs(usage),
    }


def kept_month(usage: Usage, floor: float) -> float:
    """Return the dollars of keeping the messages for a month, above the GB that are charged anyway.

    The nodes of a durable store are paid whether full or not, so there it is nothing.
    """
    if usage.store == "durable":
        return 0.0
    return max(0.0, kept_gb(usage) - floor) * HOURS * PRICES["store_gb_hour"].dollars


def kept_gb(usage: Usage) -> float:
    """Return the GB that the messages kept take in the store."""
    return usage.kept * (usage.text_bytes + STORED_BYTES) / 1e9


def room_gb(usage: Usage) -> float:
    """Return the GB of messages that a store has room for."""
    return usage.shards * NODE_GB * USABLE if usage.store == "durable" else math.inf


def _minute(usage: Usage, there: Mapping[str, int]) -> float:
    """Return the dollars of a minute of waiting for work: polls of the queues, and the sweep."""
    polls = there["Lambda::EventSourceMapping"] * QUEUE_POLLS * PRICES["sqs_request"].dollars
    sweep = PRICES["lambda_request"].dollars + _lambda(usage, SWEEP_MS) + _ecpu(usage, SWEEP_ECPU)
    return polls + there["Events::Rule"] * sweep


def _store_month(usage: Usage) -> float:
    if usage.store == "durable":
        return usage.shards * (1 + usage.replicas) * HOURS * usage.node_hour
    return STORE_FLOOR_GB * HOURS * PRICES["store_gb_hour"].dollars


def _send(usage: Usage) -> float:
    """Return the dollars of one send: the request, its answer, its invocation and the store's work.

    A chat of more members than `PARLEY_LARGE_CHAT` writes no inboxes.
    """
    counted = _socket_messages(usage) + 1  # the message, and the answer to its sender
    edge = (
        counted * PRICES["socket_message"].dollars
        if usage.via == "socket"
        else PRICES["rest_request"].dollars
    )
    invocation = PRICES["lambda_request"].dollars + _lambda(usage, usage.lambda_ms)
    inboxes = INBOX_ECPU * usage.members if usage.members <= Settings().large_chat else 0
    frame = FRAME_ECPU if usage.via == "socket" else 0
    return edge + invocation + _ecpu(usage, SEND_ECPU + frame + inboxes)


def _pushes(usage: Usage) -> float:
    """Return the dollars of one message's pushes to every device but the one it was sent from."""
    one = _socket_messages(usage) * PRICES["socket_message"].dollars + _lambda(usage, PUSH_MS)
    return _receivers(usage) * one + _ecpu(usage, usage.members)


def _traffic_and_logs(usage: Usage) -> float:
    size = usage.text_bytes + ENVELOPE_BYTES
    out = (_receivers(usage) + 1) * size * PRICES["egress_gb"].dollars
    nat = _receivers(usage) * (size + CALL_BYTES) * PRICES["nat_gb"].dollars if usage.egress == "nat" else 0.0
    return (out + nat + usage.log_bytes * PRICES["log_gb"].dollars) / 1e9


def _connections(usage: Usage) -> float:
    return usage.connections * MINUTES * PRICES["connection_minute"].dollars


def _receivers(usage: Usage) -> float:
    """Return how many devices a message is pushed to; one sent over HTTP is pushed to all."""
    return usage.members * usage.devices - (1 if usage.via == "socket" else 0)


def _socket_messages(usage: Usage) -> int:
    return math.ceil((usage.text_bytes + ENVELOPE_BYTES) / SOCKET_MESSAGE_BYTES)


def _lambda(usage: Usage, milliseconds: float) -> float:
    return usage.memory_mb / 1024 * milliseconds / 1000 * PRICES["lambda_gb_second"].dollars


def _ecpu(usage: Usage, units: float) -> float:
    return units * PRICES["store_ecpu"].dollars if usage.store == "serverless" else 0.0
