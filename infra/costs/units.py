"""The costs of the smallest steps, in dollars: an invocation, a request, a push, bytes of a log."""

from __future__ import annotations

import math

from infra.costs.prices import HOURS, LOGS_COMPRESSED, PRICES, SOCKET_MESSAGE_BYTES
from infra.costs.stack import access_logs, parameter, stack_resources
from infra.costs.usage import Usage

DAYS = HOURS / 24
CALL_BYTES = 1000  # assumed, of HTTPS and signature around a push on its way to API Gateway


def run(usage: Usage, milliseconds: float) -> float:
    """Return the dollars of an invocation of a function, without its log."""
    gb_seconds = usage.memory_mb / 1024 * milliseconds / 1000
    return PRICES["lambda_request"].dollars + gb_seconds * PRICES["lambda_gb_second"].dollars


def pushed(usage: Usage, messages: float = 1) -> float:
    """Return the dollars of pushing to one connection; messages: Number of billed messages."""
    longer = run(usage, usage.push_ms) - run(usage, 0)
    return messages * PRICES["socket_message"].dollars + longer


def ecpu(usage: Usage, units: float) -> float:
    """Return the dollars of processing units of the store."""
    return units * PRICES["store_ecpu"].dollars if usage.store == "serverless" else 0.0


def logged(usage: Usage, size: float) -> float:
    """Return the dollars of bytes of a log: ingested, and kept for LogRetentionDays."""
    months = float(parameter("LogRetentionDays", usage.given)) / DAYS
    kept = LOGS_COMPRESSED * months * PRICES["log_gb_month"].dollars
    return size / 1e9 * (PRICES["log_gb"].dollars + kept)


def log_of_run(usage: Usage) -> float:
    """Return the dollars of the log lines of an invocation."""
    return logged(usage, usage.log_bytes)


def access(usage: Usage, kind: str) -> float:
    """Return the dollars of the access log of a call or frame; kind: rest or socket."""
    return logged(usage, usage.access_log_bytes) if access_logs(usage.given)[kind] else 0.0


def request(usage: Usage) -> float:
    """Return the dollars of a REST request at the edge, with its access log and WAF."""
    looks = stack_resources(usage.given)["WAFv2::WebACL"] * PRICES["waf_request"].dollars
    return PRICES["rest_request"].dollars + looks + access(usage, "rest")


def frame(usage: Usage, messages: float = 1) -> float:
    """Return the dollars of a client's frame at the edge; messages: Number of billed messages."""
    return messages * PRICES["socket_message"].dollars + access(usage, "socket")


def traffic(size: float) -> float:
    """Return the dollars of bytes that leave AWS for a client."""
    return size / 1e9 * PRICES["egress_gb"].dollars


def by_nat(usage: Usage, size: float) -> float:
    """Return the dollars of pushing bytes to one connection through a NAT gateway; 0 without one."""
    return (size + CALL_BYTES) / 1e9 * PRICES["nat_gb"].dollars if usage.egress == "nat" else 0.0


def billed(size: float) -> int:
    """Return the number of messages that API Gateway bills for bytes on a WebSocket."""
    return math.ceil(size / SOCKET_MESSAGE_BYTES)
