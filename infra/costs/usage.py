"""Assumptions about a deployment and its use; each is an option of `make costs` with a default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.costs.prices import PRICES
from infra.costs.stack import memory_mb

MILLION = 1_000_000


@dataclass(frozen=True)
class Usage:
    """One deployment and its use in a month; `OPTIONS` describes each field, with its unit."""

    messages: float = MILLION
    members: int = 2
    devices: float = 1
    text_bytes: float = 38
    envelope_bytes: float = 200
    typing: float = 1
    receipts: float = 0.2
    kept: float = MILLION
    media_gb: float = 0
    connections: float = 1000
    idle_seconds: float = 500
    idle_messages: float = 3
    life_seconds: float = 6270
    breaks: float = 0
    watchers: float = 5
    changes: float = 4
    lambda_ms: float = 20
    push_ms: float = 1
    memory_mb: float = field(default_factory=memory_mb)
    log_bytes: float = 600
    access_log_bytes: float = 300
    shards: int = 1
    replicas: int = 1
    node_hour: float = PRICES["node_hour"].dollars
    via: str = "socket"
    store: str = "serverless"
    egress: str = "ipv6"
    auth: str = "iam"
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def given(self) -> Mapping[str, str]:
        """The parameters of the stack that differ from their defaults, by name."""
        return {"Store": self.store, "StoreAuth": self.auth, "Egress": self.egress, **dict(self.parameters)}


NUMBERS: dict[str, tuple[float, str, str]] = {
    "messages": (0, "N", "messages sent in a month"),
    "devices": (1, "N", "connected devices of a member"),
    "text_bytes": (0, "BYTES", "mean size of a message's text"),
    "envelope_bytes": (0, "BYTES", "JSON around a text on its way to a client"),
    "typing": (0, "N", "`typing` frames that a sender sends before a message"),
    "receipts": (
        0,
        "N",
        "`read` or `received` frames of each receiving member for a message; one covers several",
    ),
    "kept": (0, "N", "messages in the store"),
    "media_gb": (0, "GB", "media in the bucket"),
    "connections": (0, "N", "connections that are always open"),
    "idle_seconds": (1, "S", "time after which an idle client says something"),
    "idle_messages": (
        0,
        "N",
        "billed messages of that: `hello`, `sync` and `ready` are 3, `ping` and `pong` 2",
    ),
    "life_seconds": (1, "S", "mean age at which a client replaces its connection"),
    "breaks": (
        0,
        "N",
        "further reconnects of a connection in a day: networks that change, laptops that sleep",
    ),
    "watchers": (0, "N", "connections that watch the presence of a user"),
    "changes": (0, "N", "times a day that the user of a connection comes or goes"),
    "lambda_ms": (0, "MS", "billed milliseconds of one run of a function, before its pushes"),
    "push_ms": (0, "MS", "by which one more push makes a run longer; many are under way at once"),
    "memory_mb": (128, "MB", "memory of the functions; the default is the template's"),
    "log_bytes": (0, "BYTES", "log lines of one run, Lambda's own too"),
    "access_log_bytes": (0, "BYTES", "line of an access log, where the stack has one"),
    "node_hour": (0, "DOLLARS", "price of an hour of a node of the durable store"),
}
"""Numeric options by name: the minimum, the unit, and the description."""

WHOLE_NUMBERS: dict[str, tuple[int, str, str]] = {
    "members": (1, "N", "members of a chat, with the sender"),
    "shards": (1, "N", "shards of the durable store"),
    "replicas": (0, "N", "replicas of each shard of the durable store"),
}
CHOICES = {
    "via": (("socket", "http"), "how messages are sent"),
    "store": (("serverless", "durable"), "ElastiCache Serverless, or MemoryDB"),
    "egress": (("ipv6", "nat", "none"), "the functions' way out of the VPC"),
    "auth": (("iam", "password"), "how functions sign in to the store"),
}
