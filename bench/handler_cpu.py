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
    """A call to measure.

    straight: By the application's own dispatch, if the tree has one. faked: With a store that costs nothing.
    """

    load: Load
    straight: bool = False
    faked: bool = False

    @property
    def name(self) -> str:
        """The name of the row."""
        straight, faked = ", straight" if self.straight else "", ", store faked" if self.faked else ""
        return f"{self.load.name}{straight}{faked}"


def measure(scale: Scale, trees: Sequence[Tree]) -> Findings:
    """Time the calls of each tree's handler in turns."""
    count = scale.calls // 2
    with probes(trees) as running:
        calls = {tree.name: _calls(running[tree.name]) for tree in trees}
        turns = {call.name: Turns(trees) for call in calls[trees[0].name]}
        for number, tree in enumerate(in_turns(trees, CALL_ROUNDS)):
            progress(f"cpu: turn {number + 1} of {CALL_ROUNDS * len(trees)}, {len(turns)} x {count} calls")
            for call in calls[tree.name]:
                cost = running[tree.name].microseconds(
                    call.load, count, straight=call.straight, faked=call.faked
                )
                turns[call.name].add(tree, cost)
    return Findings([_table(turns, trees)], _aims(turns), [])


def _calls(probe: Probe) -> list[Call]:
    """Return the calls of a handler; those by token are by accounts in its store."""
    loads = [*LOADS, *probe.by_token()]
    faked = [load for load in loads if load != PING and "/v1" not in load.name]
    ways = [Call(load, straight, True) for load in faked for straight in (False, True)]
    return [*map(Call, loads), Call(SEND, straight=True), Call(PULL, straight=True), *ways]


def _table(turns: dict[str, Turns], trees: Sequence[Tree]) -> Table:
    note = (
        "`app(event, context)` on ready-made events, as Lambda calls it: user and system time of the process,"
        " with the store's client and the log line (to the null device), Valkey on a unix socket; medians of"
        f" {CALL_ROUNDS} rounds in turns. `store faked`: the client's commands are answered with the replies"
        " to an earlier call, so that the cost is that of Chalice, http/, the services, and the making of"
        " commands and reading of replies. `straight`: as the local server calls the application, on"
        " ready-made requests; an earlier commit may know only Chalice's way."
    )
    rows = [(name, *turn.cells(decimals(1))) for name, turn in turns.items()]
    return Table("CPU of a Lambda invocation", note, ("call", *columns(trees, "µs")), rows)


def _aims(turns: dict[str, Turns]) -> list[Aim]:
    """Return the aims of a send without the store: in µs, and as a ratio, which machines share."""
    aims = []
    for straight in (False, True):
        name = Call(SEND, straight, True).name
        ratio = turns[name].ratio
        aims.append(under(f"{name}: CPU of a call", FAKED_AIM_US, turns[name].median(), "µs"))
        aims += [] if ratio is None else [under(f"{name}: CPU now / before", RATIO_AIM, ratio, "")]
    return aims
