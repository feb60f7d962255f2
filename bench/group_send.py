"""The store's time for a send to a group of 100, by token, of the compared trees."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from bench.comparison import Turns, columns, decimals, in_turns
from bench.findings import Aim, Findings, Table, under
from bench.loads import MEMBERS, Load, new_group, sends
from bench.options import Scale, progress
from bench.probes import Probe, probes
from bench.round_trips import scripts_of
from bench.trees import BEFORE, Tree

SIZE = 100
RATIO_AIM = 0.3
SCRIPTS, CPU, COUNT = "time of scripts (INFO commandstats)", "CPU of the store (INFO cpu)", "scripts run"


class Work(NamedTuple):
    """The store's work for a send, on average; scripts, cpu: Time in µs. number: Of scripts run."""

    scripts: float
    cpu: float
    number: float


def measure(scale: Scale, trees: Sequence[Tree]) -> Findings:
    """Send to a group of each tree's store in turns."""
    noted = {name: Turns(trees) for name in (SCRIPTS, CPU, COUNT)}
    with probes(trees) as running:
        loads = {name: _load(probe) for name, probe in running.items()}
        for tree in in_turns(trees, scale.rounds):
            progress(f"group: {scale.calls} sends to {SIZE} members, {tree.name}")
            work = _work(running[tree.name], loads[tree.name], scale.calls)
            for name, figure in zip(noted, work, strict=True):
                noted[name].add(tree, figure)
    note = (
        f"`POST /v1/chats/{{chat}}/messages` with an id to a group of {SIZE}, by the token of a member, in"
        f" process, {scale.rounds} turns of {scale.calls:,} sends: authenticate, append, write"
        f" {SIZE} inboxes. Medians of the turns; µs, and a number."
    )
    rows = [(name, *turns.cells(decimals(1))) for name, turns in noted.items()]
    table = Table(
        f"The store's work for a send to a group of {SIZE}", note, ("what", *columns(trees, "")), rows
    )
    return Findings([table], _aims(noted, trees), [])


def _load(probe: Probe) -> Load:
    token = probe.token(MEMBERS[0])
    others = [f"member{number:04d}" for number in range(SIZE - 1)]
    (making,) = probe.events(new_group(MEMBERS[0], others, token), 1)
    chat: str = json.loads(probe.call(making)["body"])["chat"]
    _, load = sends(MEMBERS[0], chat, token)
    return load


def _work(probe: Probe, load: Load, calls: int) -> Work:
    (warm,) = probe.events(load, 1)
    probe.call(warm)
    probe.store.config_resetstat()
    before = _cpu_seconds(probe)
    probe.microseconds(load, calls)
    spent = _cpu_seconds(probe) - before
    scripts = scripts_of(probe.store)
    return Work(
        sum(one["usec"] for one in scripts) / calls,
        spent / calls * 1e6,
        sum(one["calls"] for one in scripts) / calls,
    )


def _cpu_seconds(probe: Probe) -> float:
    used = probe.store.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


def _aims(noted: dict[str, Turns], trees: Sequence[Tree]) -> list[Aim]:
    if trees[0].name != BEFORE:
        return []
    name = f"a send to a group of {SIZE} by token"
    return [
        under(f"{name}, {what}: now / before", RATIO_AIM, noted[what].ratio or 0.0, "")
        for what in (SCRIPTS, CPU)
    ]
