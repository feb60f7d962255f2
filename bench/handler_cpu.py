"""CPU time of one Lambda invocation, of the compared trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bench.comparison import Turns, columns, decimals, in_turns
from bench.findings import Aim, Findings, Table, under
from bench.loads import LOADS, PING, PULL, SEND, Load
from bench.options import CALL_ROUNDS, Scale, progress
from bench.probes import Probe, probes
from bench.trees import Tree

FAKED_AIM_US = 60.0
RATIO_AIM = 0.68


class Call(NamedTuple):
    """A call to measure; faked: with a store that costs nothing."""

    load: Load
    faked: bool

    @property
    def name(self) -> str:
        """The name of the row."""
        return f"{self.load.name}, store faked" if self.faked else self.load.name


def measure(scale: Scale, trees: Sequence[Tree]) -> Findings:
    """Time the calls of each tree's handler in turns."""
    with probes(trees) as running:
        calls = {tree.name: _calls(running[tree.name]) for tree in trees}
        turns = {call.name: Turns(trees) for call in calls[trees[0].name]}
        for number, tree in enumerate(in_turns(trees, CALL_ROUNDS)):
            progress(
                f"cpu: turn {number + 1} of {CALL_ROUNDS * len(trees)}, {len(turns)} x {scale.calls} calls"
            )
            for call in calls[tree.name]:
                cost = running[tree.name].microseconds(call.load, scale.calls, faked=call.faked)
                turns[call.name].add(tree, cost)
    return Findings([_table(turns, trees)], _aims(turns), [])


def _calls(probe: Probe) -> list[Call]:
    """Return the calls of a handler; those by token are by accounts in its store."""
    by_token = probe.by_token()
    faked = [load for load in (SEND, PULL, *by_token) if load != PING]
    return [*(Call(load, False) for load in (*LOADS, *by_token)), *(Call(load, True) for load in faked)]


def _table(turns: dict[str, Turns], trees: Sequence[Tree]) -> Table:
    note = (
        "`app(event, context)` on ready-made events, as Lambda calls it: user and system time of the process,"
        " with the store's client and the log line (to the null device), Valkey on a unix socket; medians of"
        f" {CALL_ROUNDS} rounds in turns. `store faked`: the client's commands are answered with the replies"
        " to an earlier call, so that the cost is that of Chalice, http/, the services, and the making of"
        " commands and reading of replies."
    )
    rows = [(name, *turn.cells(decimals(1))) for name, turn in turns.items()]
    return Table("CPU of a Lambda invocation", note, ("call", *columns(trees, "µs")), rows)


def _aims(turns: dict[str, Turns]) -> list[Aim]:
    """Return the aims of a send without the store: in µs, and as a ratio, which machines share."""
    name = Call(SEND, True).name
    what, ratio = f"a {name}: CPU of a Lambda invocation", turns[name].ratio
    aims = [under(what, FAKED_AIM_US, turns[name].median(), "µs")]
    return aims if ratio is None else [*aims, under(f"{what}, now / before", RATIO_AIM, ratio, "")]
