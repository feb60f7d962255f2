"""The cost of a send and of a pull by the number of messages of the chat."""

from __future__ import annotations

import time
from statistics import median
from typing import NamedTuple

import redis

from bench.findings import Aim, Findings, Table, under
from bench.in_process import Event, Handler, handler
from bench.loads import PAGE, Load, pull_from, sends
from bench.options import CALL_ROUNDS, Scale, progress
from bench.plots.axes import Axis
from bench.plots.charts import Chart, Line
from bench.round_trips import scripts_of
from chalicelib.store import keys

SENDER = "alice"
AT_ONCE = 1000
FLAT = 1.5
"""The largest ratio of a cost in the longest chat to that in the chat of a thousand that counts as flat."""
SEND, HEAD, MIDDLE, END = "send", f"pull of {PAGE}, head", f"pull of {PAGE}, middle", f"pull of {PAGE}, end"


class Cost(NamedTuple):
    """The cost of a call in µs.

    cpu: CPU of the handler's process. scripts: Of the store. whole: Until the answer.
    """

    cpu: float
    scripts: float
    whole: float

    @property
    def work(self) -> float:
        """CPU of the process and of the scripts: what other work on the machine affects least."""
        return self.cpu + self.scripts


def measure(scale: Scale) -> Findings:
    """Send to and pull from chats of each length, in process."""
    costs: dict[str, dict[int, Cost]] = {name: {} for name in (SEND, HEAD, MIDDLE, END)}
    with handler() as made:
        for length in scale.lengths:
            progress(f"length: a chat of {length:,} messages")
            chat = f"{SENDER}:of{length}"
            _fill(made, chat, length)
            for name, load in _loads(chat, length).items():
                costs[name][length] = _cost(made, load, scale.calls)
    return Findings([_table(costs, scale)], _aims(costs), [], [_chart(costs)])


def _fill(made: Handler, chat: str, length: int) -> None:
    """Make a chat of some messages: one is sent, and its element is repeated in the store."""
    load, _ = sends(SENDER, chat)
    (event,) = made.events(load, 1)
    made.call(event)
    store: redis.Redis = made.store
    element: bytes = store.lindex(keys.log(chat), -1)  # type: ignore[assignment] # not an awaitable
    pipeline = store.pipeline(transaction=False)
    for start in range(1, length, AT_ONCE):
        pipeline.rpush(keys.log(chat), *[element] * min(AT_ONCE, length - start))
    pipeline.execute()


def _loads(chat: str, length: int) -> dict[str, Load]:
    """Return the pulls, and last the send, which makes the chat longer."""
    middle, end = max(0, length // 2 - PAGE // 2), max(0, length - PAGE)
    return {
        HEAD: pull_from(SENDER, chat, 0),
        MIDDLE: pull_from(SENDER, chat, middle),
        END: pull_from(SENDER, chat, end),
        SEND: sends(SENDER, chat)[0],
    }


def _cost(made: Handler, load: Load, calls: int) -> Cost:
    rounds = [_round(made, made.events(load, calls // CALL_ROUNDS + 1)) for _ in range(CALL_ROUNDS)]
    return Cost(*(median(figures) for figures in zip(*rounds, strict=True)))


def _round(made: Handler, events: list[Event]) -> Cost:
    first, *others = events
    made.call(first)
    made.store.config_resetstat()
    wall, cpu = time.perf_counter(), time.process_time()
    for event in others:
        made.call(event)
    spent, whole = time.process_time() - cpu, time.perf_counter() - wall
    scripts = sum(one["usec"] for one in scripts_of(made.store))
    return Cost(spent / len(others) * 1e6, scripts / len(others), whole / len(others) * 1e6)


def _table(costs: dict[str, dict[int, Cost]], scale: Scale) -> Table:
    note = (
        "`app(event, context)` in process, one call after the other, Valkey without persistence: µs of CPU of"
        f" the process / of scripts in the store / until the answer. {scale.calls:,} calls, medians of"
        f" {CALL_ROUNDS} rounds. The long chats are filled in the store."
    )
    rows = [
        (name, *(f"{cost.cpu:.0f} / {cost.scripts:.1f} / {cost.whole:.0f}" for cost in by_length.values()))
        for name, by_length in costs.items()
    ]
    return Table("Cost by the length of a chat", note, ("call", *(f"{one:,}" for one in scale.lengths)), rows)


def _aims(costs: dict[str, dict[int, Cost]]) -> list[Aim]:
    aims = []
    for name, by_length in costs.items():
        first, longest = sorted(by_length)[1], max(by_length)
        ratio = by_length[longest].work / by_length[first].work
        aims.append(under(f"{name}: CPU in a chat of {longest:,} / of {first:,}", FLAT, ratio, ""))
    return aims


def _chart(costs: dict[str, dict[int, Cost]]) -> Chart:
    lines = [
        Line(name, [(length, round(cost.work, 1)) for length, cost in by_length.items()])
        for name, by_length in costs.items()
    ]
    lengths = [float(length) for length in costs[SEND]]
    return Chart(
        "chat-length",
        "Cost of a call by the number of messages in the chat",
        f"Lines: {', '.join(costs)}, CPU of the process and of scripts in the store.",
        Axis("messages in the chat (log scale)", log=True, marks=lengths),
        Axis("µs of CPU, handler and store"),
        lines,
    )
