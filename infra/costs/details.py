"""Parts of the model: an open connection, the costs of each resource, and the assumptions."""

from __future__ import annotations

from dataclasses import replace

from infra.costs import connection
from infra.costs.prices import AS_OF, PRICES, REGION, Price
from infra.costs.resources import FREE, PAID
from infra.costs.tables import number, table
from infra.costs.usage import CHOICES, NUMBERS, WHOLE_NUMBERS, Usage

PINGS = (30, 60, 240, 540)
"""Seconds between pings that are shown beside the usage's value."""
PING_MESSAGES = 2


def connection_text(usage: Usage) -> str:
    """Return the costs of a connection that is always open, by the interval of its client's frames."""
    clients = {
        f"ping every {seconds} s": replace(usage, idle_seconds=seconds, idle_messages=PING_MESSAGES)
        for seconds in PINGS
    }
    clients[f"{usage.idle_messages:g} messages every {usage.idle_seconds:g} s"] = usage
    months = {name: connection.month(one) for name, one in clients.items()}
    head = ("while idle", *next(iter(months.values())), "total")
    rows = [
        (name, *(f"{cost:.4f}" for cost in (*one.values(), sum(one.values()))))
        for name, one in months.items()
    ]
    return "\n".join(
        [f"Dollars a month of one connection that is always open, {REGION}, {AS_OF}", *table([head, *rows])]
    )


def resources_text(_: Usage) -> str:
    """Return the prices that each type of resource uses, and the free types with the reason."""
    paid = [(kind, "; ".join(_price(PRICES[name]) for name in names)) for kind, names in PAID.items()]
    return "\n".join(
        [
            f"Counted, at prices of {REGION}, {AS_OF}",
            *table(paid, texts=2),
            "",
            "Free",
            *table(FREE.items(), texts=2),
        ]
    )


def assumptions_text(_: Usage) -> str:
    """Return every assumption that an option of the command changes, with its default."""
    options = {name: what for name, (_least, _unit, what) in {**NUMBERS, **WHOLE_NUMBERS}.items()}
    options |= {name: what for name, (_choices, what) in CHOICES.items()}
    defaults = Usage()
    shown = {name: getattr(defaults, name) for name in options}
    rows = [(f"--{name.replace('_', '-')}", _default(shown[name]), options[name]) for name in options]
    return "\n".join(["Option, default, meaning", *table(rows, texts=3)])


def _default(value: object) -> str:
    return number(value) if isinstance(value, (int, float)) else str(value)


def _price(price: Price) -> str:
    if price.dollars < 0.001:
        return f"${price.dollars * 1e6:.4g} a million: {price.unit}"
    return f"${price.dollars:.4g}: {price.unit}"
