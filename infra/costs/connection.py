"""The monthly costs of one connection that is always open, by reason."""

from __future__ import annotations

from infra.costs.prices import HOURS, MINUTES, PRICES
from infra.costs.units import DAYS, access, by_nat, ecpu, frame, log_of_run, pushed, request, run, traffic
from infra.costs.usage import Usage

SECONDS = HOURS * 3600
# Assumptions; their part of the total is small.
SMALL_FRAME_BYTES = 150  # a `pong`, `ready`, `presence`, `typing` or `receipt`
IDLE_ECPU = 8  # the connection's user, its lease in two slots, and the changed chats
ENTERING_ECPU = 20  # a ticket is issued and used; a connection is registered, gets ready and is removed
ENTERING_RUNS = 4  # the ticket's request, $connect, `hello`, $disconnect
HELLO_MESSAGES = 3  # `hello`, `sync`, `ready`
PRESENCE_ECPU = 3


def month(usage: Usage) -> dict[str, float]:
    """Return the dollars of a month of one connection, without the messages sent and received on it."""
    return {
        "minutes": MINUTES * PRICES["connection_minute"].dollars,
        "keeping alive": _idle(usage),
        "reconnecting": _entries(usage) * _entering(usage),
        "presence": usage.changes * DAYS * _presence(usage),
    }


def small_push(usage: Usage) -> float:
    """Return the dollars of pushing a small frame to one connection, with its traffic."""
    return pushed(usage) + traffic(SMALL_FRAME_BYTES) + by_nat(usage, SMALL_FRAME_BYTES)


def small_frame(usage: Usage, units: float) -> float:
    """Return the dollars of a client's small frame, its invocation and its log; units: ECPU of the store."""
    return frame(usage) + run(usage, usage.lambda_ms) + log_of_run(usage) + ecpu(usage, units)


def _idle(usage: Usage) -> float:
    answers = max(usage.idle_messages - 1, 0)
    one = small_frame(usage, IDLE_ECPU) + answers * small_push(usage)
    return SECONDS / usage.idle_seconds * one if usage.idle_messages else 0.0


def _entries(usage: Usage) -> float:
    return SECONDS / usage.life_seconds + usage.breaks * DAYS


def _entering(usage: Usage) -> float:
    """Return the dollars of a reconnect; `$connect` and `$disconnect` are not billed as messages."""
    runs = ENTERING_RUNS * (run(usage, usage.lambda_ms) + log_of_run(usage))
    edge = request(usage) + frame(usage) + 2 * access(usage, "socket")
    return edge + runs + (HELLO_MESSAGES - 1) * small_push(usage) + ecpu(usage, ENTERING_ECPU)


def _presence(usage: Usage) -> float:
    return usage.watchers * small_push(usage) + ecpu(usage, PRESENCE_ECPU)
